// SPDX-License-Identifier: LGPL-2.1-or-later

#include "kbuild/package/package.h"

#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include <jansson.h>

#include "common/archive/archive.h"
#include "common/base/error.h"
#include "common/base/file.h"
#include "common/base/memory.h"
#include "common/base/text.h"
#include "common/kernel/catalog.h"
#include "common/kernel/compiler.h"
#include "common/kernel/kernel_config.h"
#include "common/kernel/release.h"
#include "kbuild/config/config.h"
#include "kbuild/make.h"
#include "kbuild/source/source.h"

/** What .config knows about the tools that built the kernel. */
static const struct {
	const char *key;
	const char *option;
} tools[] = {
	{ "compiler", "CONFIG_CC_VERSION_TEXT" },
	{ "linker", "CONFIG_LD_VERSION" },
	{ "pahole", "CONFIG_PAHOLE_VERSION" },
};

struct error *package_info_write(const struct package_input *input,
				 const struct make *make, const char *directory)
{
	struct error *err;

	_cleanup_free_ char *config_path = path_join(directory, "build/.config");
	_cleanup_free_ char *config = NULL;
	err = file_read(config_path, CONFIG_LIMIT_BYTES, &config, NULL);
	if (err)
		return err;
	char release[RELEASE_TEXT_SIZE], version[KERNEL_VERSION_TEXT_SIZE];
	release_format(input->release, release);
	kernel_version_format(&input->release->version, version);
	const struct source *source = input->source;
	struct utsname host;
	uname(&host);
	json_t *json = json_pack(
		"{s:s, s:s, s:s, s:s, s:s, s:i, s:{s:o, s:s?, s:s}, s:o, s:o}",
		"release", release, "version", version, "architecture",
		make->arch->name, "host", host.machine, "flavor",
		input->release->flavor, "revision", (int)input->release->revision,
		"source", "url", text_json(source->url), "digest",
		source->digest[0] ? source->digest : NULL, "signature",
		source->signature, "patches", strings_json(&source->patches),
		"lost_options", strings_json(input->lost_options));
	json_object_set_new(json, tools[0].key,
			    json_string(make->compiler->version));
	for (size_t i = 0; i < array_size(tools); i++) {
		_cleanup_free_ char *value =
			kernel_config_string(config, tools[i].option);

		if (value)
			json_object_set_new(json, tools[i].key,
					    json_string(value));
	}
	_cleanup_free_ char *text = json_text(json, JSON_INDENT(2));
	_cleanup_free_ char *path = path_join(directory, "vmtest.json");
	// With the newline that ends a text file.
	size_t length = strlen(text);
	text[length] = '\n';
	return file_write(path, text, length + 1);
}

struct error *value_lost_options(const struct value *value, void *ret)
{
	struct error *err;

	_cleanup_string_list_ struct string_list options = { 0 };
	err = value_strings(value, &options);
	if (err)
		return err;
	for (size_t i = 0; i < options.count; i++) {
		const char *text = options.items[i], *c = text;

		while (*c >= ' ' && *c <= '~')
			c++;
		if (*c || strncmp(text, "CONFIG_", strlen("CONFIG_")) != 0)
			return value_error(value,
					   "expected CONFIG_NAME=value, not \"%s\"",
					   text);
	}
	*(struct string_list *)ret = take(options);
	return NULL;
}

/** @param[out] ret free(). */
static struct error *read_info(struct stream *stream, char **ret)
{
	struct archive_member member = PACKAGE_INFO;
	struct error *err = archive_members_read(stream, &member, 1);

	*ret = member.text;
	return err;
}

struct error *package_info_check(const char *path,
				 const struct release *release, const char *arch)
{
	struct error *err;

	char text[RELEASE_TEXT_SIZE], version[KERNEL_VERSION_TEXT_SIZE];
	release_format(release, text);
	kernel_version_format(&release->version, version);
	const struct {
		const char *key, *wanted;
	} rows[] = {
		{ "release", text },
		{ "version", version },
		{ "architecture", arch },
		{ "flavor", release->flavor },
	};
	_cleanup_free_ char *name = string_format("%s: vmtest.json", path);
	_cleanup_value_ struct value document = { 0 };
	_cleanup_free_ char *info = NULL;
	_cleanup_stream_ struct stream *stream = NULL;
	err = stream_open_file(path, &stream);
	if (!err)
		err = read_info(stream, &info);
	if (!err)
		err = value_parse(info, strlen(info), name, ERROR_OTHER,
				  &document);
	if (err)
		return err;
	for (size_t i = 0; i < array_size(rows); i++) {
		const struct value member = value_member(&document, rows[i].key);
		const char *found = json_string_value(member.json);

		if (!found || strcmp(found, rows[i].wanted) != 0)
			return value_error(&member, "it is not '%s'",
					   rows[i].wanted);
	}
	return NULL;
}

void package_notes_deinit(struct package_notes *notes)
{
	string_list_deinit(&notes->lost_options);
	free(notes->signature);
	free(notes->compiler);
	string_list_deinit(&notes->patches);
	*notes = (struct package_notes){ 0 };
}

/** Of the object "source". */
static struct error *read_signature(const struct value *value, void *ret)
{
	const struct value member = value_member(value, "signature");
	const char *text = json_string_value(member.json);

	if (text && strcmp(text, SOURCE_UNSIGNED) != 0)
		*(char **)ret = text_make_line(string_copy(text), '?');
	return NULL;
}

struct error *package_notes_parse(const char *text, const char *name,
				  struct package_notes *ret)
{
	// clang-format off
	static const struct value_row rows[] = {
		VALUE_OPTIONAL("lost_options", value_lost_options, struct package_notes, lost_options),
		VALUE_OPTIONAL("source", read_signature, struct package_notes, signature),
		VALUE_OPTIONAL("compiler", value_copy, struct package_notes, compiler),
		VALUE_OPTIONAL("patches", value_strings, struct package_notes, patches),
	};
	// clang-format on
	struct error *err;

	_cleanup_value_ struct value document = { 0 };
	_cleanup_free_ char *file = string_format("%s: vmtest.json", name);
	if (!text)
		return NULL;
	err = value_parse(text, strlen(text), file, ERROR_OTHER, &document);
	if (err)
		return err;
	_cleanup_package_notes_ struct package_notes notes = { 0 };
	err = value_read(&document, rows, array_size(rows), &notes);
	if (err)
		return err;
	*ret = take(notes);
	return NULL;
}

struct error *package_notes_load(const char *path, struct package_notes *ret)
{
	struct error *err;

	_cleanup_free_ char *info = NULL;
	_cleanup_stream_ struct stream *stream = NULL;
	err = stream_open_file(path, &stream);
	if (err)
		return err;
	err = read_info(stream, &info);
	if (err && !error_catch(&err, ERROR_NOT_FOUND))
		return err;
	return package_notes_parse(info, path, ret);
}
