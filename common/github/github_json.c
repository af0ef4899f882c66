// SPDX-License-Identifier: LGPL-2.1-or-later

#include "common/github/github_internal.h"

#include <jansson.h>
#include <string.h>
#include <time.h>

#include "common/base/json.h"
#include "common/base/memory.h"

void github_release_deinit(struct github_release *release)
{
	free(release->upload_url);
	asset_list_deinit(&release->assets);
	*release = (struct github_release){ 0 };
}

struct error *github_parse(const char *text, size_t size, struct value *ret)
{
	return value_parse_answer(text, size, "GitHub's answer", ret);
}

static bool is_printable(const char *text)
{
	for (; *text; text++) {
		if ((unsigned char)*text < ' ' || *text == 0x7f)
			return false;
	}
	return true;
}

/** A string on one line, borrowed. What it is instead is not repeated. */
static struct error *read_line(const struct value *value, void *ret)
{
	const char *text = json_string_value(value->json);

	if (!text)
		return value_error(value, "expected a string");
	if (!is_printable(text))
		return value_error(value, "it holds control characters");
	*(const char **)ret = text;
	return NULL;
}

static struct error *read_url(const struct value *value, void *ret)
{
	struct error *err;
	const char *text;

	err = read_line(value, &text);
	if (err)
		return err;
	if (strncmp(text, "https://", 8) != 0 && strncmp(text, "http://", 7) != 0)
		return value_error(value, "expected an http or https URL");
	*(char **)ret = string_copy(text);
	return NULL;
}

static struct error *read_file_name(const struct value *value, void *ret)
{
	struct error *err;
	const char *text;

	err = read_line(value, &text);
	if (err)
		return err;
	if (!*text || strchr(text, '/'))
		return value_error(value, "expected the name of a file");
	*(char **)ret = string_copy(text);
	return NULL;
}

/** null for assets that are older than mid-2025. */
static struct error *read_digest(const struct value *value, void *ret)
{
	static const char prefix[] = "sha256:";
	struct error *err;
	const char *text;

	err = value_string(value, &text);
	if (err)
		return err;
	// Another algorithm is as good as none.
	if (strncmp(text, prefix, strlen(prefix)) != 0)
		return NULL;
	text += strlen(prefix);
	if (!digest_is_valid(text))
		return value_error(value, "expected one of SHA-256");
	strcpy(ret, text);
	return NULL;
}

static struct error *read_time(const struct value *value, void *ret)
{
	struct error *err;
	struct tm tm = { 0 };
	const char *text;

	err = read_line(value, &text);
	if (err)
		return err;
	const char *end = strptime(text, "%Y-%m-%dT%H:%M:%SZ", &tm);
	if (!end || *end)
		return value_error(value, "expected a time");
	*(int64_t *)ret = timegm(&tm);
	return NULL;
}

/** It is for people: one that cannot be shown is as good as none. */
static struct error *read_label(const struct value *value, void *ret)
{
	const char *text = json_string_value(value->json);

	if (text && *text && is_printable(text))
		*(char **)ret = string_copy(text);
	return NULL;
}

static struct error *read_state(const struct value *value, void *ret)
{
	struct error *err;
	const char *text;

	err = read_line(value, &text);
	if (err)
		return err;
	*(bool *)ret = strcmp(text, "uploaded") != 0;
	return NULL;
}

static const struct value_row asset_rows[] = {
	VALUE_REQUIRED("name", read_file_name, struct asset, name),
	VALUE_REQUIRED("browser_download_url", read_url, struct asset, url),
	VALUE_NUMBER("id", 0, INT64_MAX, struct asset, id),
	VALUE_NUMBER("size", 0, INT64_MAX, struct asset, size_bytes),
	VALUE_REQUIRED("created_at", read_time, struct asset, created),
	VALUE_OPTIONAL("digest", read_digest, struct asset, digest),
	VALUE_OPTIONAL("label", read_label, struct asset, label),
	VALUE_REQUIRED("state", read_state, struct asset, is_partial),
};

struct error *github_read_asset(const struct value *value, void *ret)
{
	return value_read(value, asset_rows, array_size(asset_rows), ret);
}

static const struct value_row release_rows[] = {
	VALUE_NUMBER("id", 0, INT64_MAX, struct github_release, id),
	VALUE_REQUIRED("upload_url", read_url, struct github_release, upload_url),
	// Servers of before 2025 do not say.
	VALUE_OPTIONAL("immutable", value_flag, struct github_release, immutable),
	VALUE_ITEMS("assets", github_read_asset, struct github_release,
		    assets.items),
};

struct error *github_read_release(const struct value *value,
				  struct github_release *ret)
{
	struct error *err;

	_cleanup_github_release_ struct github_release release = { 0 };
	err = value_read(value, release_rows, array_size(release_rows), &release);
	if (err)
		return err;
	// It ends in a URI template (RFC 6570): {?name,label}
	release.upload_url[strcspn(release.upload_url, "{")] = '\0';
	*ret = take(release);
	return NULL;
}

bool github_error_has_code(const char *text, size_t size, const char *code)
{
	_cleanup_json_ json_t *json = json_loadb(text, size, 0, NULL);
	const json_t *item;
	size_t i;

	json_array_foreach(json_object_get(json, "errors"), i, item)
	{
		const char *value =
			json_string_value(json_object_get(item, "code"));

		if (value && strcmp(value, code) == 0)
			return true;
	}
	return false;
}
