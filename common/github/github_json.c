// SPDX-License-Identifier: LGPL-2.1-or-later

#include "common/github/github_json.h"

#include <jansson.h>
#include <string.h>
#include <time.h>

#include "common/base/error.h"
#include "common/base/json.h"
#include "common/base/memory.h"
#include "common/store/store_internal.h"

void github_release_deinit(struct github_release *release)
{
	free(release->upload_url);
	asset_list_deinit(&release->assets);
	*release = (struct github_release){ 0 };
}

/** Text from outside is not repeated: it may be anything. */
static struct error *refuse(const char *field, const char *problem)
{
	return error_create(ERROR_OTHER,
			    "GitHub's answer is not what its API describes: %s %s",
			    field, problem);
}

static struct error *parse(const char *text, size_t size, json_t **ret)
{
	json_error_t error;
	json_t *json = json_loadb(text, size, 0, &error);

	if (!json) {
		return error_create(ERROR_OTHER,
				    "GitHub's answer is not JSON that we can read: line %d, column %d; it may be cut short, or a proxy's: try again",
				    error.line, error.column);
	}
	*ret = json;
	return NULL;
}

static bool is_printable(const char *text)
{
	for (; *text; text++) {
		if ((unsigned char)*text < ' ' || *text == 0x7f)
			return false;
	}
	return true;
}

/** A string on one line; borrowed from the object. */
static struct error *get_text(const json_t *object, const char *field,
			      const char **ret)
{
	const char *text = json_string_value(json_object_get(object, field));

	if (!text)
		return refuse(field, "is not a string");
	if (!is_printable(text))
		return refuse(field, "holds control characters");
	*ret = text;
	return NULL;
}

static struct error *get_url(const json_t *object, const char *field,
			     const char **ret)
{
	struct error *err;
	const char *text;

	err = get_text(object, field, &text);
	if (err)
		return err;
	// Set: there is no error.
	// NOLINTNEXTLINE(clang-analyzer-core.CallAndMessage)
	if (strncmp(text, "https://", 8) != 0 && strncmp(text, "http://", 7) != 0)
		return refuse(field, "is not an http or https URL");
	*ret = text;
	return NULL;
}

static struct error *get_number(const json_t *object, const char *field,
				uint64_t *ret)
{
	const json_t *value = json_object_get(object, field);

	if (!json_is_integer(value) || json_integer_value(value) < 0)
		return refuse(field, "is not a number of things");
	*ret = (uint64_t)json_integer_value(value);
	return NULL;
}

static void copy_text(const char *text, char **ret)
{
	*ret = string_copy(text);
}

/** null for assets that are older than mid-2025. */
static struct error *get_digest(const json_t *object,
				char digest_ret[static DIGEST_TEXT_SIZE])
{
	static const char prefix[] = "sha256:";
	const json_t *value = json_object_get(object, "digest");
	const char *text = json_string_value(value);

	digest_ret[0] = '\0';
	if (!value || json_is_null(value))
		return NULL;
	if (!text)
		return refuse("digest", "is not a string");
	// Another algorithm is as good as none.
	if (strncmp(text, prefix, strlen(prefix)) != 0)
		return NULL;
	text += strlen(prefix);
	if (!digest_is_valid(text))
		return refuse("digest", "is not one of SHA-256");
	memcpy(digest_ret, text, DIGEST_TEXT_SIZE);
	return NULL;
}

static struct error *get_time(const json_t *object, const char *field,
			      int64_t *ret)
{
	struct error *err;
	const char *text, *end;
	struct tm tm = { 0 };

	err = get_text(object, field, &text);
	if (err)
		return err;
	// Set: there is no error.
	// NOLINTNEXTLINE(clang-analyzer-core.CallAndMessage)
	end = strptime(text, "%Y-%m-%dT%H:%M:%SZ", &tm);
	if (!end || *end)
		return refuse(field, "is not a time");
	*ret = timegm(&tm);
	return NULL;
}

/** null for most. It is for people: one that cannot be shown is as good as none. */
static void copy_label(const json_t *object, char **ret)
{
	const char *text = json_string_value(json_object_get(object, "label"));

	if (!text || !*text || !is_printable(text))
		return;
	copy_text(text, ret);
}

static struct error *read_asset(const json_t *json, struct asset *ret,
				bool *uploaded_ret)
{
	struct error *err;
	_cleanup_asset_ struct asset asset = { 0 };
	const char *name, *state, *url;

	if (!json_is_object(json))
		return refuse("an asset", "is not an object");
	err = get_text(json, "name", &name);
	if (!err && (!*name || strchr(name, '/')))
		err = refuse("name", "is not the name of a file");
	if (!err)
		err = get_text(json, "state", &state);
	if (!err)
		err = get_url(json, "browser_download_url", &url);
	if (!err)
		err = get_number(json, "id", &asset.id);
	if (!err)
		err = get_number(json, "size", &asset.size_bytes);
	if (!err)
		err = get_time(json, "created_at", &asset.created);
	if (!err)
		err = get_digest(json, asset.digest);
	if (!err)
		copy_text(name, &asset.name);
	if (!err)
		copy_text(url, &asset.url);
	if (!err)
		copy_label(json, &asset.label);
	if (err)
		return err;
	*uploaded_ret = strcmp(state, "uploaded") == 0;
	*ret = asset;
	asset = (struct asset){ 0 };
	return NULL;
}

void github_assets_deinit(struct github_assets *assets)
{
	asset_list_deinit(&assets->uploaded);
	asset_list_deinit(&assets->starters);
}

static struct error *read_assets(const json_t *json, struct github_assets *assets)
{
	const json_t *item;
	size_t i;

	if (!json_is_array(json))
		return refuse("the list of assets", "is not an array");
	json_array_foreach(json, i, item)
	{
		struct error *err;
		_cleanup_asset_ struct asset asset = { 0 };
		bool is_uploaded;

		err = read_asset(item, &asset, &is_uploaded);
		if (!err)
			asset_list_add(is_uploaded ? &assets->uploaded
						   : &assets->starters,
				       &asset);
		if (err)
			return err;
	}
	return NULL;
}

static struct error *read_embedded(const json_t *release, struct asset_list *ret)
{
	struct error *err;
	_cleanup_github_assets_ struct github_assets assets = { 0 };

	err = read_assets(json_object_get(release, "assets"), &assets);
	if (err)
		return err;
	*ret = assets.uploaded;
	assets.uploaded = (struct asset_list){ 0 };
	return NULL;
}

struct error *github_parse_release(const char *text, size_t size,
				   struct github_release *ret)
{
	struct error *err;
	_cleanup_json_ json_t *json = NULL;
	_cleanup_github_release_ struct github_release release = { 0 };
	const char *upload_url;

	err = parse(text, size, &json);
	if (!err)
		err = get_number(json, "id", &release.id);
	if (!err)
		err = get_url(json, "upload_url", &upload_url);
	if (err)
		return err;
	// It ends in a URI template (RFC 6570): {?name,label}
	release.upload_url = string_copy_n(upload_url, strcspn(upload_url, "{"));
	// Servers of before 2025 do not say.
	release.immutable = json_is_true(json_object_get(json, "immutable"));
	err = read_embedded(json, &release.assets);
	if (err)
		return err;
	*ret = release;
	release = (struct github_release){ 0 };
	return NULL;
}

struct error *github_parse_assets(const char *text, size_t size,
				  struct github_assets *assets)
{
	struct error *err;
	_cleanup_json_ json_t *json = NULL;

	err = parse(text, size, &json);
	if (err)
		return err;
	return read_assets(json, assets);
}

struct error *github_parse_asset(const char *text, size_t size,
				 struct asset *ret, bool *uploaded_ret)
{
	struct error *err;
	_cleanup_json_ json_t *json = NULL;

	err = parse(text, size, &json);
	if (err)
		return err;
	return read_asset(json, ret, uploaded_ret);
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
