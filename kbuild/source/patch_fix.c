// SPDX-License-Identifier: LGPL-2.1-or-later

#include "kbuild/source/patch_fix.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/error.h"
#include "common/base/file.h"
#include "common/base/memory.h"
#include "common/base/string_builder.h"
#include "common/http/http.h"

enum {
	COMMIT_DIGITS = 40,
	PATCH_LIMIT_BYTES = 16 << 20,
};

static const char diff_mark[] = "diff --git ";
static const char index_mark[] = "index ";
static const char signature[] = "-- ";

void patch_fix_deinit(struct patch_fix *fix)
{
	free(fix->commit);
	free(fix->bounds);
	free(fix->reason);
	*fix = (struct patch_fix){ 0 };
}

static void cleanup_json(json_t **json)
{
	json_decref(*json);
}

static bool is_commit(const char *text)
{
	return strlen(text) == COMMIT_DIGITS &&
	       strspn(text, "0123456789abcdef") == COMMIT_DIGITS;
}

struct error *patch_fix_parse(const char *text, size_t size_bytes,
			      struct patch_fix *ret)
{
	json_error_t json_error;
	_cleanup_patch_fix_ struct patch_fix fix = { 0 };
	const char *commit, *bounds, *reason, *digest;
	_cleanup_(cleanup_json) json_t *json =
		json_loadb(text, size_bytes, JSON_REJECT_DUPLICATES, &json_error);

	if (!json ||
	    json_unpack_ex(json, &json_error, JSON_STRICT,
			   "{s:s, s:s, s:s, s:s}", "commit", &commit, "for",
			   &bounds, "reason", &reason, "sha256", &digest) < 0)
		return error_create(ERROR_USAGE, "line %d: %s", json_error.line,
				    json_error.text);
	if (!is_commit(commit))
		return error_create(ERROR_USAGE,
				    "\"commit\": '%s' is not a whole commit",
				    commit);
	if (!digest_is_valid(digest))
		return error_create(ERROR_USAGE,
				    "\"sha256\": '%s' is no SHA-256", digest);
	if (!*reason)
		return error_create(ERROR_USAGE, "\"reason\" is empty");
	fix.commit = strdup(commit);
	fix.bounds = strdup(bounds);
	fix.reason = strdup(reason);
	if (!fix.commit || !fix.bounds || !fix.reason)
		memory_exhausted();
	memcpy(fix.digest, digest, sizeof(fix.digest));
	*ret = fix;
	fix = (struct patch_fix){ 0 };
	return NULL;
}

static bool line_begins(const char *line, const char *mark)
{
	return strncmp(line, mark, strlen(mark)) == 0;
}

/** Where the signature begins, which git puts last: a line `-- `. */
static const char *find_signature(const char *changes)
{
	const char *found = changes + strlen(changes);

	for (const char *line = changes; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (line_begins(line, signature) &&
		    line[strlen(signature)] == '\n')
			found = line;
	}
	return found;
}

/** `index 0123..4567 100644` with names that say nothing. */
static void append_index(const char *line, size_t length,
			 struct string_builder *sb)
{
	size_t names = strcspn(line + strlen(index_mark), " \n");
	const char *mode = line + strlen(index_mark) + names;

	// libgit2 insists on names that are not zero.
	string_builder_append(sb, "index 1111111..2222222");
	string_builder_append_n(sb, mode, (size_t)(line + length - mode));
}

struct error *patch_fix_changes(const char *text, size_t size_bytes, char **ret)
{
	_cleanup_string_builder_ struct string_builder sb = STRING_BUILDER_INIT;
	const char *line = text, *end;

	if (strlen(text) != size_bytes)
		return error_create(ERROR_OTHER, "it is not a text");
	while (line && !line_begins(line, diff_mark)) {
		line = strchr(line, '\n');
		if (line)
			line++;
	}
	if (!line)
		return error_create(ERROR_OTHER, "no '%s' in it", diff_mark);
	end = find_signature(line);
	while (line < end) {
		size_t length = strcspn(line, "\n");

		length += line[length] == '\n';
		// Lines of a file begin with a mark, and not with this.
		if (line_begins(line, index_mark))
			append_index(line, length, &sb);
		else
			string_builder_append_n(&sb, line, length);
		line += length;
	}
	*ret = string_builder_take(&sb);
	return NULL;
}

/** @return Whether the text has the digest. */
static struct error *check(const char *changes, const char *digest,
			   bool *matches_ret,
			   char found_ret[static DIGEST_TEXT_SIZE])
{
	struct error *err;

	err = digest_buffer(changes, strlen(changes), found_ret);
	if (err)
		return err;
	*matches_ret = strcmp(found_ret, digest) == 0;
	return NULL;
}

static struct error *download(const struct patch_origin *origin,
			      const char *commit, char **ret)
{
	struct error *err;
	_cleanup_free_ char *url = NULL;
	_cleanup_http_response_ struct http_response response = { 0 };

	url = string_format("%s%s", origin->url, commit);
	const struct http_request request = {
		.url = url,
		.limit_bytes = PATCH_LIMIT_BYTES,
	};
	err = http_perform(origin->http, &request, &response);
	if (!err && response.status != 200)
		err = http_response_error(&request, &response);
	if (err)
		return err;
	err = patch_fix_changes(response.body, response.body_size_bytes, ret);
	return error_wrap(err, "%s", url);
}

struct error *patch_fix_fetch(const struct patch_origin *origin,
			      const char *commit, const char *digest, char **ret)
{
	struct error *err;
	_cleanup_free_ char *folder = NULL;
	_cleanup_free_ char *path = NULL;
	_cleanup_free_ char *cached = NULL;
	_cleanup_free_ char *changes = NULL;
	char found[DIGEST_TEXT_SIZE];
	bool matches = false;

	folder = path_join(origin->cache_directory, "patches");
	path = path_joinf(folder, "%s.patch", commit);
	err = file_read(path, PATCH_LIMIT_BYTES, &cached, NULL);
	if (!err)
		err = check(cached, digest, &matches, found);
	if (!err && matches) {
		*ret = take_ptr(cached);
		return NULL;
	}
	if (err && !error_catch(&err, ERROR_NOT_FOUND))
		return err;
	err = download(origin, commit, &changes);
	if (!err)
		err = check(changes, digest, &matches, found);
	if (err)
		return err;
	if (!matches)
		return error_create(ERROR_OTHER,
				    "the changes of %s%s have the digest %s instead of %s",
				    origin->url, commit, found, digest);
	err = directory_create(folder);
	if (!err)
		err = file_write(path, changes, strlen(changes));
	if (err)
		return err;
	*ret = take_ptr(changes);
	return NULL;
}
