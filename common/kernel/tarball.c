// SPDX-License-Identifier: LGPL-2.1-or-later

#include "common/kernel/remote.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/error.h"
#include "common/base/file.h"
#include "common/base/memory.h"
#include "common/base/progress.h"
#include "common/http/http.h"

enum {
	/** Of the list of every tarball of a major version; now 1.5 MB. */
	SUMS_LIMIT_BYTES = 64 << 20,
};

static const char message_begin[] = "-----BEGIN PGP SIGNED MESSAGE-----";
static const char signature_begin[] = "-----BEGIN PGP SIGNATURE-----";
static const char signature_end[] = "-----END PGP SIGNATURE-----";

struct lines {
	char *rest;
	/** Of the latest one. */
	unsigned int number;
};

/** @return NULL at the end, or if what is left is not a whole line. */
static char *next_line(struct lines *lines)
{
	char *line = lines->rest, *end = strchr(line, '\n');

	if (!end)
		return NULL;
	*end = '\0';
	lines->rest = end + 1;
	lines->number++;
	return line;
}

static struct error *line_error(const struct lines *lines, const char *wanted)
{
	return error_create(ERROR_OTHER, "line %u is not %s", lines->number,
			    wanted);
}

/** Take a line, `HEX  NAME`, apart. @return The name; NULL if it is not that. */
static const char *split_line(char *line)
{
	enum {
		DIGITS = DIGEST_TEXT_SIZE - 1
	};
	const char *name = line + DIGITS + 2;

	if (strlen(line) <= DIGITS + 2 || memcmp(line + DIGITS, "  ", 2) != 0)
		return NULL;
	line[DIGITS] = '\0';
	for (const char *p = name; *p; p++) {
		if (*p <= ' ' || *p > '~')
			return NULL;
	}
	return digest_is_valid(line) ? name : NULL;
}

struct error *sums_find(const char *text, size_t size_bytes, const char *name,
			char digest_ret[static DIGEST_TEXT_SIZE])
{
	if (memchr(text, '\0', size_bytes))
		return error_create(ERROR_OTHER, "it holds a null byte");

	_cleanup_free_ char *copy = string_copy_n(text, size_bytes);
	struct lines lines = { .rest = copy };
	const char *found = NULL;
	char *line = next_line(&lines);

	if (line && strcmp(line, message_begin) != 0)
		return line_error(&lines, message_begin);
	while (line && (line = next_line(&lines)) && *line) {
		if (!strstr(line, ": "))
			return line_error(&lines, "a header of a PGP message");
	}
	while (line && (line = next_line(&lines)) &&
	       strcmp(line, signature_begin) != 0) {
		const char *its_name = split_line(line);

		if (!its_name)
			return line_error(&lines, "'DIGEST  NAME'");
		if (strcmp(its_name, name) != 0)
			continue;
		if (found && strcmp(found, line) != 0)
			return error_create(ERROR_OTHER,
					    "two digests of %s in it", name);
		found = line;
	}
	while (line && (line = next_line(&lines)) &&
	       strcmp(line, signature_end) != 0)
		;
	if (!line)
		return error_create(ERROR_OTHER, "it is cut off; try again");
	while ((line = next_line(&lines))) {
		if (*line)
			return line_error(&lines, "the end");
	}
	if (*lines.rest)
		return error_create(ERROR_OTHER, "it is cut off; try again");
	if (!found)
		return error_create(ERROR_NOT_FOUND, "no digest of %s in it",
				    name);
	memcpy(digest_ret, found, DIGEST_TEXT_SIZE);
	return NULL;
}

struct error *tarball_digest(struct http *http, const char *tarball_url,
			     char digest_ret[static DIGEST_TEXT_SIZE])
{
	struct error *err;

	const char *name = path_name(tarball_url);
	_cleanup_free_ char *url = string_format("%.*ssha256sums.asc",
						 (int)(name - tarball_url),
						 tarball_url);
	const struct http_request request = {
		.url = url,
		.limit_bytes = SUMS_LIMIT_BYTES,
	};
	_cleanup_http_response_ struct http_response response = { 0 };
	err = http_perform_ok(http, &request, &response);
	if (err)
		return err;
	err = sums_find(response.body, response.body_size_bytes, name,
			digest_ret);
	return error_wrap(err, "%s", url);
}

struct error *tarball_unpack(struct http *http, const char *url,
			     const char *directory,
			     unsigned int strip_components, const char *digest)
{
	struct error *err;

	const struct http_request request = { .url = url };
	const struct unpack_options options = {
		.strip_components = strip_components,
	};
	_cleanup_progress_ struct progress *progress =
		progress_createf(PROGRESS_BYTES, "download %s", path_name(url));
	_cleanup_stream_ struct stream *stream =
		http_open(http, &request, 0, digest);
	stream->progress = progress;
	err = unpack(stream, directory, &options);
	if (err)
		return err;
	progress_finish(progress);
	return NULL;
}
