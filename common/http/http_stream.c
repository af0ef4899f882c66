// SPDX-License-Identifier: LGPL-2.1-or-later

#include "common/http/http.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/archive/digest.h"
#include "common/base/error.h"
#include "common/base/memory.h"
#include "common/base/string_builder.h"
#include "common/base/system.h"
#include "common/http/http_internal.h"
#include "common/http/http_retry.h"
#include "common/http/http_transport.h"

enum {
	/** Of a stream that turns out to be an error message. */
	REFUSAL_BYTES = 64 << 10,
	/** A stream that has come so much further is not failing. */
	PATIENCE_BYTES = 1 << 20,
};

/** A download that goes on over several attempts. */
struct stream {
	struct http *http;
	file_sink sink;
	void *arg;
	/** 0 while not known. */
	uint64_t size_bytes;
	/** NULL if there is nothing to compare with. */
	struct digest *digest;
	/** What the sink has got. */
	uint64_t offset;
	/** ETag or Last-Modified of the first answer; NULL if it had none. */
	char *validator;
	/** The server's ranges are not to be trusted: read over what we have. */
	bool no_range;

	// Of the current attempt.
	/** The answer's headers have been looked at. */
	bool begun;
	/** The attempt was ended to start the next one without a range. */
	bool restart;
	uint64_t skip;
	/** Body of an answer that is not the file. */
	struct http_collector refusal;
};

static void stream_deinit(struct stream *stream)
{
	digest_destroy(stream->digest);
	free(stream->validator);
	string_builder_deinit(&stream->refusal.body);
}

#define _cleanup_stream_ _cleanup_(stream_deinit)

/** An ETag that promises the same bytes, or else the date. */
static const char *response_validator(struct http *http)
{
	const char *etag = http_transport_header(http->transport, "ETag");

	if (etag && strncmp(etag, "W/", 2) != 0)
		return etag;
	return http_transport_header(http->transport, "Last-Modified");
}

static struct error *changed_error(void)
{
	return error_create(ERROR_OTHER,
			    "the file changed while it was downloaded; try again");
}

static struct error *stream_begin_whole(struct stream *stream)
{
	const char *validator = response_validator(stream->http);
	int64_t length =
		http_transport_number(stream->http->transport, "Content-Length");

	if (stream->offset == 0) {
		free(take_ptr(stream->validator));
		if (!stream->size_bytes && length > 0)
			stream->size_bytes = (uint64_t)length;
		if (validator) {
			stream->validator = string_copy(validator);
		}
		return NULL;
	}
	// Without a digest, only the validator tells that it is the same file.
	if (!stream->digest && (!validator || !stream->validator ||
				strcmp(validator, stream->validator) != 0))
		return changed_error();
	stream->skip = stream->offset;
	return NULL;
}

static struct error *stream_begin_part(struct stream *stream)
{
	const char *range =
		http_transport_header(stream->http->transport, "Content-Range");
	uint64_t start, end, size;

	if (stream->offset && range &&
	    sscanf(range, "bytes %" SCNu64 "-%" SCNu64 "/%" SCNu64, &start,
		   &end, &size) == 3 &&
	    start == stream->offset &&
	    (!stream->size_bytes || size == stream->size_bytes))
		return NULL;
	if (stream->no_range) {
		return error_create(ERROR_OTHER,
				    "the server sends a part that nobody asked for");
	}
	stream->no_range = true;
	stream->restart = true;
	return error_create(ERROR_OTHER, "the server sends another part");
}

static struct error *stream_begin(struct stream *stream)
{
	stream->begun = true;
	stream->skip = 0;
	if (http_transport_status(stream->http->transport) == 206)
		return stream_begin_part(stream);
	return stream_begin_whole(stream);
}

static struct error *stream_receive(void *arg, const void *data, size_t size_bytes)
{
	struct error *err;
	struct stream *stream = arg;
	const char *p = data;
	long status = http_transport_status(stream->http->transport);

	if (status != 200 && status != 206)
		return http_collect(&stream->refusal, data, size_bytes);
	if (!stream->begun) {
		err = stream_begin(stream);
		if (err)
			return err;
	}
	if (stream->skip) {
		size_t skip = stream->skip < size_bytes ? (size_t)stream->skip
							: size_bytes;

		p += skip;
		size_bytes -= skip;
		stream->skip -= skip;
	}
	if (!size_bytes)
		return NULL;
	if (stream->size_bytes &&
	    size_bytes > stream->size_bytes - stream->offset) {
		return error_create(ERROR_OTHER,
				    "the server sends more than the %" PRIu64
				    " bytes that there should be",
				    stream->size_bytes);
	}
	if (stream->digest)
		digest_update(stream->digest, p, size_bytes);
	stream->offset += size_bytes;
	return stream->sink(stream->arg, p, size_bytes);
}

static void stream_headers(const struct stream *stream, char **range_ret,
			   char **if_range_ret)
{
	if (!stream->offset || stream->no_range)
		return;
	if (!stream->validator && !stream->digest)
		return;
	*range_ret = string_format("Range: bytes=%" PRIu64 "-", stream->offset);
	if (stream->validator &&
	    asprintf(if_range_ret, "If-Range: %s", stream->validator) < 0) {
		*if_range_ret = NULL;
		memory_exhausted();
	}
}

static struct error *stream_attempt(struct stream *stream,
				    const struct http_request *request,
				    struct http_attempt *attempt_ret)
{
	struct error *err;
	_cleanup_free_ char *range = NULL, *if_range = NULL;
	const char *extra[3] = { NULL };

	stream->begun = false;
	stream->restart = false;
	string_builder_deinit(&stream->refusal.body);
	stream->refusal.limit_bytes = REFUSAL_BYTES;
	*attempt_ret = (struct http_attempt){ 0 };
	stream_headers(stream, &range, &if_range);
	extra[0] = range;
	extra[1] = if_range;
	err = http_transport_send(stream->http->transport, request, extra,
				  stream_receive, stream, attempt_ret);
	if (stream->restart) {
		attempt_ret->broken = true;
		return err;
	}
	if (err)
		return err;
	attempt_ret->rate_message =
		stream->refusal.body.text &&
		strcasestr(stream->refusal.body.text, "rate limit");
	if (attempt_ret->status != 200 && attempt_ret->status != 206)
		return NULL;
	// An empty body has not been looked at yet.
	if (!stream->begun) {
		err = stream_begin(stream);
		if (err)
			return err;
	}
	if (stream->skip ||
	    (stream->size_bytes && stream->offset < stream->size_bytes)) {
		attempt_ret->broken = true;
		return error_create(ERROR_RETRY,
				    "the answer ended after %" PRIu64 " bytes",
				    stream->offset);
	}
	return NULL;
}

/** The server has nothing at or behind our offset. */
static struct error *stream_exhausted(struct stream *stream)
{
	const char *range =
		http_transport_header(stream->http->transport, "Content-Range");
	uint64_t size;

	if (range && sscanf(range, "bytes */%" SCNu64, &size) == 1) {
		if (size == stream->offset &&
		    (!stream->size_bytes || stream->size_bytes == size))
			return NULL;
		if (stream->size_bytes && size != stream->size_bytes) {
			return error_create(ERROR_OTHER,
					    "the server has %" PRIu64
					    " bytes, there should be %" PRIu64,
					    size, stream->size_bytes);
		}
	}
	return changed_error();
}

static struct error *stream_run(struct stream *stream,
				const struct http_request *request)
{
	struct error *err;
	struct http_patience patience = { .since_ms = monotonic_ms() };
	struct http_attempt attempt;
	uint64_t reached = 0;

	do {
		err = stream_attempt(stream, request, &attempt);
		if (stream->offset - reached >= PATIENCE_BYTES) {
			reached = stream->offset;
			patience = (struct http_patience){ monotonic_ms(), 0 };
		}
	} while (http_try_again(stream->http, request, &attempt, &patience, &err));
	if (err || attempt.status == 200 || attempt.status == 206)
		return err;
	if (attempt.status == 416 && stream->offset)
		return stream_exhausted(stream);
	return http_status_error(attempt.status, stream->refusal.body.text,
				 stream->refusal.body.length);
}

static struct error *stream_verify(struct stream *stream, const char *digest)
{
	char actual[DIGEST_TEXT_SIZE];

	if (!stream->digest)
		return NULL;
	digest_finish(stream->digest, actual);
	// Given wherever there is one to compute.
	// NOLINTNEXTLINE(clang-analyzer-core.NonNullParamChecker)
	if (strcmp(actual, digest) == 0)
		return NULL;
	return error_create(ERROR_OTHER,
			    "the digest is %s, it should be %s: damaged on the way, or another file; try again",
			    actual, digest);
}

struct error *http_stream(struct http *http, const struct http_request *request,
			  uint64_t size_bytes, const char *digest,
			  file_sink sink, void *arg)
{
	struct error *err;
	_cleanup_stream_ struct stream stream = {
		.http = http,
		.sink = sink,
		.arg = arg,
		.size_bytes = size_bytes,
	};

	if (digest && *digest)
		stream.digest = digest_create();
	err = stream_run(&stream, request);
	if (!err)
		err = stream_verify(&stream, digest);
	return error_wrap(err, "GET %s", request->url);
}
