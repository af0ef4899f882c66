// SPDX-License-Identifier: LGPL-2.1-or-later

#include "kbuild/package_info.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/utsname.h>

#include <jansson.h>

#include "common/catalog.h"
#include "common/error.h"
#include "common/file.h"
#include "common/release.h"
#include "common/string_list.h"
#include "kbuild/package.h"

enum {
	CONFIG_LIMIT_BYTES = 16 << 20
};

/** What .config knows about the tools that built the kernel. */
static const struct {
	const char *key;
	const char *option;
} tools[] = {
	{ "compiler", "CONFIG_CC_VERSION_TEXT" },
	{ "linker", "CONFIG_LD_VERSION" },
	{ "pahole", "CONFIG_PAHOLE_VERSION" },
};

static void cleanup_json(json_t **json)
{
	json_decref(*json);
}

struct error *config_value(const char *config, const char *name, char **ret)
{
	size_t length = strlen(name);
	const char *line = config;

	*ret = NULL;
	while (line && (strncmp(line, name, length) != 0 || line[length] != '=')) {
		line = strchr(line, '\n');
		if (line)
			line++;
	}
	if (!line)
		return NULL;
	const char *value = line + length + 1;
	size_t size = strcspn(value, "\n");
	if (size >= 2 && value[0] == '"') {
		value++;
		size -= 2;
	}
	*ret = strndup(value, size);
	return *ret ? NULL : error_no_memory();
}

/** @return The document, or NULL if memory ran out. */
static json_t *describe(const struct package_input *input)
{
	char release[RELEASE_TEXT_SIZE], version[KERNEL_VERSION_TEXT_SIZE];
	release_format(input->release, release);
	kernel_version_format(&input->release->version, version);

	_cleanup_(cleanup_json) json_t *patches = json_array();
	for (size_t i = 0; i < input->patches->count; i++) {
		if (json_array_append_new(patches,
					  json_string(input->patches->items[i])) <
		    0)
			return NULL;
	}
	struct utsname host;
	uname(&host);
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:i, s:{s:s?, s:s?}, s:O}",
			 "release", release, "version", version, "architecture",
			 input->arch->name, "host", host.machine, "flavor",
			 input->release->flavor, "revision",
			 (int)input->release->revision, "source", "url",
			 input->source_url, "digest", input->source_digest,
			 "patches", patches);
}

struct error *package_info_write(const struct package_input *input,
				 const char *directory)
{
	struct error *err;

	_cleanup_free_ char *config_path = NULL;
	err = path_join(directory, "build/.config", &config_path);
	if (err)
		return err;
	_cleanup_free_ char *config = NULL;
	err = file_read(config_path, CONFIG_LIMIT_BYTES, &config, NULL);
	if (err)
		return err;
	_cleanup_(cleanup_json) json_t *json = describe(input);
	if (!json)
		return error_no_memory();
	for (size_t i = 0; i < array_size(tools); i++) {
		_cleanup_free_ char *value = NULL;
		err = config_value(config, tools[i].option, &value);
		if (err)
			return err;
		if (value && json_object_set_new(json, tools[i].key,
						 json_string(value)) < 0)
			return error_no_memory();
	}
	_cleanup_free_ char *text = json_dumps(json, JSON_INDENT(2));
	if (!text)
		return error_no_memory();
	_cleanup_free_ char *path = NULL;
	err = path_join(directory, "vmtest.json", &path);
	if (err)
		return err;
	// With the newline that ends a text file.
	size_t length = strlen(text);
	text[length] = '\n';
	return file_write(path, text, length + 1);
}
