// SPDX-License-Identifier: LGPL-2.1-or-later

#include "kbuild/source/source.h"

#include <ctype.h>
#include <jansson.h>
#include <string.h>

#include "common/base/error.h"
#include "common/base/file.h"
#include "common/base/json.h"
#include "common/base/memory.h"
#include "common/base/text.h"

enum {
	FILE_LIMIT_BYTES = 1 << 20,
};

static const char facts_name[] = ".vmtest-source.json";

/** The value of the first `NAME = VALUE` line; free(). NULL if there is none. */
static char *value_find(const char *makefile, const char *name)
{
	size_t length = strlen(name);

	for (const char *line = makefile; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strncmp(line, name, length) != 0)
			continue;
		const char *value = line + length;
		value += strspn(value, " \t");
		if (*value++ != '=')
			continue;
		value += strspn(value, " \t");
		size_t size = strcspn(value, "\n#");
		while (size && isspace((unsigned char)value[size - 1]))
			size--;
		return string_copy_n(value, size);
	}
	return NULL;
}

struct error *source_version_read(const char *directory,
				  struct kernel_version *ret)
{
	/** What a value is preceded by; NULL for the only one that is no number. */
	static const char *const parts[][2] = {
		{ "VERSION", "" },
		{ "PATCHLEVEL", "." },
		{ "SUBLEVEL", "." },
		{ "EXTRAVERSION", NULL },
	};
	struct error *err;

	_cleanup_free_ char *path = path_join(directory, "Makefile");
	_cleanup_free_ char *text = NULL;
	err = file_read(path, FILE_LIMIT_BYTES, &text, NULL);
	if (error_catch(&err, ERROR_NOT_FOUND))
		return error_create(ERROR_USAGE,
				    "not a kernel's source: it has no Makefile");
	if (err)
		return err;
	_cleanup_string_builder_ struct string_builder sb = { 0 };
	for (size_t i = 0; i < array_size(parts); i++) {
		const char *name = parts[i][0], *separator = parts[i][1];
		_cleanup_free_ char *value = value_find(text, name);

		if (!value)
			return error_create(ERROR_USAGE,
					    "Makefile: not a kernel's: no line '%s = …'",
					    name);
		if (separator && (!*value || value[strspn(value, "0123456789")]))
			return error_create(ERROR_USAGE,
					    "Makefile: %s = %s is not a number",
					    name, value);
		// The first of a series is called 6.12.
		if (strcmp(name, "SUBLEVEL") == 0 && strcmp(value, "0") == 0)
			continue;
		string_builder_appendf(&sb, "%s%s", separator ? separator : "",
				       value);
	}
	if (!kernel_version_parse(sb.text, ret))
		return error_create(ERROR_USAGE,
				    "Makefile: %s is not a version of kernel.org; EXTRAVERSION must be empty or -rcN",
				    sb.text);
	return NULL;
}

struct error *source_facts_write(const struct source *source,
				 const char *directory)
{
	char version[KERNEL_VERSION_TEXT_SIZE];
	kernel_version_format(&source->version, version);
	_cleanup_free_ char *text =
		json_text(json_pack("{s:s, s:o, s:s, s:s, s:o}", "version",
				    version, "url", text_json(source->url),
				    "digest", source->digest, "signature",
				    source->signature, "patches",
				    strings_json(&source->patches)),
			  JSON_INDENT(2));
	_cleanup_free_ char *path = path_join(directory, facts_name);
	return file_write(path, text, strlen(text));
}

/** "" where there is none. */
static struct error *read_digest(const struct value *value, void *ret)
{
	struct error *err;
	const char *text;

	err = value_string(value, &text);
	if (err)
		return err;
	if (*text && !digest_is_valid(text))
		return value_error(value, "expected a SHA-256 digest");
	strcpy(ret, text);
	return NULL;
}

struct error *source_facts_read(const char *directory, struct source *ret)
{
	static const struct value_row rows[] = {
		VALUE_REQUIRED("version", value_version, struct source, version),
		VALUE_REQUIRED("url", value_copy, struct source, url),
		VALUE_REQUIRED("digest", read_digest, struct source, digest),
		VALUE_REQUIRED("signature", value_copy, struct source, signature),
		VALUE_REQUIRED("patches", value_strings, struct source, patches),
	};
	struct error *err;

	_cleanup_free_ char *path = path_join(directory, facts_name);
	_cleanup_free_ char *text = NULL;
	err = file_read(path, FILE_LIMIT_BYTES, &text, NULL);
	if (err)
		return err;
	_cleanup_value_ struct value document = { 0 };
	err = value_parse(text, strlen(text), path, ERROR_OTHER, &document);
	if (err)
		return err;
	_cleanup_source_ struct source source = { 0 };
	err = value_read(&document, rows, array_size(rows), &source);
	if (err)
		return err;
	*ret = take(source);
	return NULL;
}
