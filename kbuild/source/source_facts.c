// SPDX-License-Identifier: LGPL-2.1-or-later

#include "kbuild/source/source_facts.h"

#include <jansson.h>
#include <string.h>

#include "common/base/error.h"
#include "common/base/file.h"
#include "common/base/json.h"
#include "common/base/memory.h"
#include "kbuild/source/source.h"

enum {
	FACTS_LIMIT_BYTES = 1 << 20,
};

struct error *source_facts_write(const struct source *source, const char *path)
{
	char version[KERNEL_VERSION_TEXT_SIZE];
	_cleanup_json_ json_t *patches = json_array();
	_cleanup_json_ json_t *facts = NULL;
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

struct error *source_facts_read(const char *path, struct source *ret)
{
	static const struct value_row rows[] = {
		VALUE_REQUIRED("version", value_version, struct source, version),
		VALUE_REQUIRED("url", value_copy, struct source, url),
		VALUE_REQUIRED("digest", read_digest, struct source, digest),
		VALUE_REQUIRED("patches", value_strings, struct source, patches),
	};
	struct error *err;

	_cleanup_free_ char *text = NULL;
	err = file_read(path, FACTS_LIMIT_BYTES, &text, NULL);
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
