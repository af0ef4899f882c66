// SPDX-License-Identifier: LGPL-2.1-or-later

#include "kbuild/source/source_facts.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "common/base/error.h"
#include "common/base/file.h"
#include "common/base/memory.h"
#include "kbuild/source/source.h"

enum {
	FACTS_LIMIT_BYTES = 1 << 20,
};

static void cleanup_json(json_t **json)
{
	json_decref(*json);
}

struct error *source_facts_write(const struct source *source, const char *path)
{
	char version[KERNEL_VERSION_TEXT_SIZE];
	_cleanup_(cleanup_json) json_t *patches = json_array();
	_cleanup_(cleanup_json) json_t *facts = NULL;
	_cleanup_free_ char *text = NULL;

	kernel_version_format(&source->version, version);
	for (size_t i = 0; i < source->patches.count; i++) {
		const char *name = source->patches.items[i];

		if (json_array_append_new(patches, json_string(name)) < 0)
			return error_create(ERROR_OTHER,
					    "%s: '%s' is not UTF-8", path, name);
	}
	facts = json_pack("{s:s, s:s, s:s, s:O}", "version", version, "url",
			  source->url, "digest", source->digest, "patches",
			  patches);
	text = facts ? json_dumps(facts, JSON_INDENT(2)) : NULL;
	if (!text)
		return error_create(ERROR_OTHER, "%s: '%s' is not UTF-8", path,
				    source->url);
	return file_write(path, text, strlen(text));
}

struct error *source_facts_read(const char *path, struct source *ret)
{
	struct error *err;
	_cleanup_source_ struct source source = { 0 };
	_cleanup_free_ char *text = NULL;
	_cleanup_(cleanup_json) json_t *facts = NULL;
	json_t *patches, *patch;
	json_error_t json_error;
	const char *version, *url, *digest;
	size_t i;

	err = file_read(path, FACTS_LIMIT_BYTES, &text, NULL);
	if (err)
		return err;
	facts = json_loads(text, JSON_REJECT_DUPLICATES, &json_error);
	if (!facts || json_unpack_ex(facts, &json_error, 0, "{s:s, s:s, s:s, s:o}",
				     "version", &version, "url", &url, "digest",
				     &digest, "patches", &patches) < 0)
		return error_create(ERROR_OTHER, "%s: %s", path, json_error.text);
	if (!kernel_version_parse(version, &source.version) ||
	    (*digest && !digest_is_valid(digest)) || !json_is_array(patches))
		return error_create(ERROR_OTHER, "%s: malformed", path);
	json_array_foreach(patches, i, patch)
	{
		if (!json_is_string(patch))
			return error_create(ERROR_OTHER, "%s: malformed", path);
		string_list_add(&source.patches, json_string_value(patch));
	}
	snprintf(source.digest, sizeof(source.digest), "%s", digest);
	source.url = string_copy(url);
	*ret = take(source);
	return NULL;
}
