// SPDX-License-Identifier: LGPL-2.1-or-later

#include "common/http/http.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/archive/archive.h"
#include "common/base/error.h"
#include "common/base/log.h"
#include "common/base/memory.h"
#include "common/base/system.h"
#include "common/base/text.h"
#include "common/http/http_internal.h"

enum {
	/** Of a stream that turns out to be an error message. */
	REFUSAL_BYTES = 64 << 10,
	/** A stream that has come so much further is not failing. */
	PATIENCE_BYTES = 1 << 20,
};

/** A download that goes on over several attempts. */
struct http_download {
	struct stream stream;
	/** What is asked now. */
	struct http_request request;
	/** What is asked where that is refused; without a URL, nothing is. */
	struct http_request private_request;
	char *url, *private_url;
	/** Their body is that of an answer that is not the file. */
	struct http_tries tries;
	/** How far it had come when they began to fail. */
	uint64_t tries_offset;
	/** ETag or Last-Modified of the first answer; NULL if it had none. */
	char *validator;
	/** The server's ranges are not to be trusted: read over what we have. */
	bool no_range;

	// Of the current try.
	bool has_begun;
	/** The answer's headers have been looked at. */
	bool has_answer;
	/** Bytes to read over. */
	uint64_t skip;
};

static const char *get_header(const struct http_download *download,
			      const char *name)
{
	return http_header(download->tries.http, name);
}

/** Whether the answer asks people to log in, and there is another place. */
static bool is_log_in(const struct http_download *download)
{
	return download->private_request.url &&
	       http_answer_is_page(download->tries.http);
}

/** Whether the answer is the file, or a part of it. */
static bool is_file(const struct http_download *download)
{
	long status = download->tries.attempt.status;

	return (status == 200 || status == 206) && !is_log_in(download);
}

/** Whether the answer is a refusal, and the other place is to be asked now. */
static bool turn_to_private(struct http_download *download)
{
	long status = download->tries.attempt.status;

	if (!download->private_request.url ||
	    (!is_log_in(download) && (status / 100 != 4 || status == 416)))
		return false;
	log_debug("GET %s: HTTP %ld: asking %s", download->url, status,
		  download->private_url);
	download->request = download->private_request;
	download->private_request.url = NULL;
	return true;
}

static struct error *changed_error(void)
{
	return error_create(ERROR_OTHER,
			    "the file changed while it was downloaded; try again");
}

static struct error *accept_whole(struct http_download *download)
{
	struct stream *stream = &download->stream;
	const char *validator = get_header(download, "ETag");
	int64_t length =
		http_header_number(download->tries.http, "Content-Length");

	// An ETag that promises the same bytes, or else the date.
	if (!validator || strncmp(validator, "W/", 2) == 0)
		validator = get_header(download, "Last-Modified");
	if (stream->done_bytes == 0) {
		if (!stream->size_bytes && length > 0)
			stream->size_bytes = (uint64_t)length;
		free(download->validator);
		download->validator = string_copy(validator);
		return NULL;
	}
	// Without a digest, only the validator tells that it is the same file.
	if (!*stream->expected && (!validator || !download->validator ||
				   strcmp(validator, download->validator) != 0))
		return changed_error();
	download->skip = stream->done_bytes;
	return NULL;
}

static struct error *accept_part(struct http_download *download)
{
	const struct stream *stream = &download->stream;
	const char *range = get_header(download, "Content-Range");
	uint64_t start, end, size;

	if (stream->done_bytes && range &&
	    sscanf(range, "bytes %" SCNu64 "-%" SCNu64 "/%" SCNu64, &start,
		   &end, &size) == 3 &&
	    start == stream->done_bytes &&
	    (!stream->size_bytes || size == stream->size_bytes))
		return NULL;
	if (download->no_range)
		return error_create(ERROR_OTHER,
				    "the server sends a part that nobody asked for");
	// The next attempt will not ask for one.
	download->no_range = true;
	download->tries.attempt.broken = true;
	return error_create(ERROR_OTHER, "the server sends another part");
}

static struct error *begin_try(struct http_download *download)
{
	const struct stream *stream = &download->stream;
	_cleanup_free_ char *range = NULL, *if_range = NULL;
	const char *extra[3] = { NULL };

	if (stream->done_bytes && !download->no_range &&
	    (download->validator || *stream->expected)) {
		range = string_format("Range: bytes=%" PRIu64 "-",
				      stream->done_bytes);
		extra[0] = range;
		if (download->validator)
			if_range = string_format("If-Range: %s",
						 download->validator);
		extra[1] = if_range;
	}
	download->has_begun = true;
	download->has_answer = false;
	download->skip = 0;
	return http_begin(&download->tries, extra);
}

/** The answer has come to its end: was it the whole of the file? */
static struct error *end_answer(struct http_download *download)
{
	const struct stream *stream = &download->stream;

	if (!download->skip &&
	    (!stream->size_bytes || stream->done_bytes >= stream->size_bytes))
		return NULL;
	download->tries.attempt.broken = true;
	return error_create(ERROR_RETRY,
			    "the answer ended after %" PRIu64 " bytes",
			    stream->done_bytes);
}

/**
 * Read the next piece of the file. Of an answer that is not the file, only the
 * beginning is read: a proxy's page may be endless.
 *
 * @param[out] size_ret 0 at the end of the try.
 */
static struct error *read_try(struct http_download *download,
			      const void **data_ret, size_t *size_ret)
{
	struct error *err;
	struct http_tries *tries = &download->tries;

	if (!download->has_begun) {
		err = begin_try(download);
		if (err)
			return err;
	}
	for (;;) {
		const char *data;
		size_t size;

		err = http_read(tries, data_ret, &size);
		if (err)
			return err;
		data = *data_ret;
		if (!is_file(download)) {
			string_builder_append_n(&tries->body, data, size);
			if (!size || tries->body.length >= REFUSAL_BYTES)
				return NULL;
			continue;
		}
		if (!download->has_answer) {
			download->has_answer = true;
			err = tries->attempt.status == 206
				      ? accept_part(download)
				      : accept_whole(download);
			if (err)
				return err;
		}
		if (!size)
			return end_answer(download);

		size_t skip = download->skip < size ? (size_t)download->skip
						    : size;

		download->skip -= skip;
		if (size == skip)
			continue;
		*data_ret = data + skip;
		*size_ret = size - skip;
		return NULL;
	}
}

/** The server has nothing at or behind our offset. */
static struct error *check_exhausted(const struct http_download *download)
{
	const struct stream *stream = &download->stream;
	const char *range = get_header(download, "Content-Range");
	uint64_t size;

	if (!range || sscanf(range, "bytes */%" SCNu64, &size) != 1)
		return changed_error();
	if (stream->size_bytes && size != stream->size_bytes)
		return error_create(ERROR_OTHER,
				    "the server has %" PRIu64
				    " bytes, there should be %" PRIu64,
				    size, stream->size_bytes);
	return size == stream->done_bytes ? NULL : changed_error();
}

/** Of a file whose size nobody knows, an answer may have no end. */
static struct error *check_limit(const struct http_download *download, size_t size)
{
	uint64_t limit_bytes = download->request.limit_bytes;

	if (!limit_bytes || size <= limit_bytes - download->stream.done_bytes)
		return NULL;
	return error_create(ERROR_OTHER,
			    "more than %" PRIu64 " bytes, which no such file has",
			    limit_bytes);
}

static struct error *download_read(struct stream *stream, const void **data_ret,
				   size_t *size_ret)
{
	struct error *err;
	struct http_download *download = (struct http_download *)stream;
	struct http_tries *tries = &download->tries;

	do {
		*size_ret = 0;
		err = read_try(download, data_ret, size_ret);
		if (*size_ret)
			return check_limit(download, *size_ret);
		http_end(tries->http);
		download->has_begun = false;
		if (stream->done_bytes - download->tries_offset >=
		    PATIENCE_BYTES) {
			download->tries_offset = stream->done_bytes;
			tries->since_ms = monotonic_ms();
			tries->failures = 0;
		}
	} while (http_try_again(tries, &err) ||
		 (!err && turn_to_private(download)));
	if (err || is_file(download))
		return err;
	if (tries->attempt.status == 416 && stream->done_bytes)
		return check_exhausted(download);
	return http_status_error(tries->attempt.status, tries->body.text,
				 tries->body.length);
}

static void download_close(struct stream *stream)
{
	struct http_download *download = (struct http_download *)stream;

	if (download->has_begun)
		http_end(download->tries.http);
	free(download->url);
	free(download->private_url);
	free(download->validator);
	string_builder_deinit(&download->tries.body);
}

struct stream *http_open(struct http *http, const struct http_request *request,
			 uint64_t size_bytes, const char *digest)
{
	struct http_download *download = memory_allocate(1, sizeof(*download));
	_cleanup_free_ char *name = string_format("GET %s", request->url);

	stream_init(&download->stream, download_read, download_close, name);
	stream_expect(&download->stream, size_bytes, digest, "try again");
	download->request = *request;
	download->url = string_copy(request->url);
	download->private_url = string_copy(request->private_url);
	download->request.url = download->url;
	if (download->private_url) {
		download->private_request = *request;
		download->private_request.url = download->private_url;
		// It is the last place.
		download->private_request.private_url = NULL;
		download->request.headers = NULL;
		download->request.token = NULL;
	}
	download->tries = (struct http_tries){
		.http = http,
		.request = &download->request,
		.since_ms = monotonic_ms(),
	};
	return &download->stream;
}
