// SPDX-License-Identifier: LGPL-2.1-or-later

#include "common/http/http_cache.h"

#include <string.h>
#include <unistd.h>

#include "common/archive/digest.h"
#include "common/base/error.h"
#include "common/base/file.h"
#include "common/base/log.h"
#include "common/base/memory.h"
#include "common/base/string_builder.h"

/**
 * First line of a file: its format. The ETag, the next URL, the digest of the
 * body and the body follow, each on a line of its own.
 */
static const char format_line[] = "vmtest-http-1";

enum {
	CACHE_FILE_BYTES_MAX = 64 << 20
};

void http_cached_deinit(struct http_cached *cached)
{
	free(cached->etag);
	free(cached->next_url);
	free(cached->body);
	*cached = (struct http_cached){ 0 };
}

static struct error *cache_path(const char *directory, const char *url,
				bool authorised, char **ret)
{
	struct error *err;
	_cleanup_free_ char *key = NULL;
	char digest[DIGEST_TEXT_SIZE];

	key = string_format("%s\n%s", url, authorised ? "authorised" : "");
	err = digest_buffer(key, strlen(key), digest);
	if (err)
		return err;
	*ret = path_join(directory, digest);
	return NULL;
}

/** Cut one line off; NULL if there is none. */
static char *take_line(char **rest)
{
	char *line = *rest;
	char *end = strchr(line, '\n');

	if (!end)
		return NULL;
	*end = '\0';
	*rest = end + 1;
	return line;
}

static bool cache_parse(char *text, size_t size, struct http_cached *ret)
{
	_cleanup_error_ struct error *err = NULL;
	_cleanup_http_cached_ struct http_cached cached = { 0 };
	char actual[DIGEST_TEXT_SIZE];
	char *rest = text;
	const char *format = take_line(&rest);
	const char *etag = format ? take_line(&rest) : NULL;
	const char *next_url = etag ? take_line(&rest) : NULL;
	const char *digest = next_url ? take_line(&rest) : NULL;

	if (!digest || strcmp(format, format_line) != 0)
		return false;
	cached.body_size_bytes = size - (size_t)(rest - text);
	err = digest_buffer(rest, cached.body_size_bytes, actual);
	if (err || strcmp(digest, actual) != 0)
		return false;
	cached.etag = strdup(etag);
	cached.next_url = strdup(next_url);
	cached.body = malloc(cached.body_size_bytes + 1);
	if (!cached.etag || !cached.next_url || !cached.body)
		return false;
	memcpy(cached.body, rest, cached.body_size_bytes + 1);
	*ret = cached;
	cached = (struct http_cached){ 0 };
	return true;
}

bool http_cache_load(const char *directory, const char *url, bool authorised,
		     struct http_cached *ret)
{
	_cleanup_error_ struct error *err = NULL;
	_cleanup_free_ char *path = NULL, *text = NULL;
	size_t size = 0;

	err = cache_path(directory, url, authorised, &path);
	if (!err)
		err = file_read(path, CACHE_FILE_BYTES_MAX, &text, &size);
	return !err && cache_parse(text, size, ret);
}

static struct error *cache_write(const char *directory, const char *url,
				 bool authorised,
				 const struct http_cached *cached)
{
	struct error *err;
	_cleanup_string_builder_ struct string_builder sb = STRING_BUILDER_INIT;
	_cleanup_free_ char *path = NULL, *text = NULL;
	char digest[DIGEST_TEXT_SIZE];
	size_t size;

	err = digest_buffer(cached->body, cached->body_size_bytes, digest);
	if (err)
		return err;
	string_builder_appendf(&sb, "%s\n%s\n%s\n%s\n", format_line,
			       cached->etag, cached->next_url, digest);
	string_builder_append_n(&sb, cached->body, cached->body_size_bytes);
	size = sb.length;
	text = string_builder_take(&sb);
	err = cache_path(directory, url, authorised, &path);
	if (!err)
		err = directory_create(directory);
	if (!err)
		err = file_write(path, text, size);
	return err;
}

void http_cache_save(const char *directory, const char *url, bool authorised,
		     const struct http_cached *cached)
{
	_cleanup_error_ struct error *err =
		cache_write(directory, url, authorised, cached);

	if (err)
		log_debug("cache of HTTP answers: %s", error_message(err));
}

void http_cache_drop(const char *directory, const char *url, bool authorised)
{
	_cleanup_error_ struct error *err = NULL;
	_cleanup_free_ char *path = NULL;

	err = cache_path(directory, url, authorised, &path);
	if (!err)
		unlink(path);
}
