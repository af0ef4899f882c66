// SPDX-License-Identifier: LGPL-2.1-or-later

#include "common/http/http.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "common/base/error.h"
#include "common/base/interrupt.h"
#include "common/base/log.h"
#include "common/base/memory.h"
#include "common/base/progress.h"
#include "common/base/system.h"
#include "common/base/text.h"
#include "common/http/http_internal.h"

enum {
	DEFAULT_RESPONSE_BYTES = 16 << 20,
	/** Waits longer than this deserve a line. */
	LONG_WAIT_MS = 10000,
};

static const char *request_method(const struct http_request *request)
{
	return request->method ? request->method : "GET";
}

static struct error *rate_limit_error(const struct http_tries *tries,
				      uint64_t wait_ms)
{
	const struct http_attempt *attempt = &tries->attempt;
	time_t until = time(NULL) + (time_t)(wait_ms / 1000);
	char text[64];
	struct tm tm;

	if (!gmtime_r(&until, &tm) ||
	    !strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S UTC", &tm))
		text[0] = '\0';
	if (!attempt->rate_exhausted) {
		return error_create(ERROR_LIMITED,
				    "HTTP %ld: the server asks for a pause until %s, as too much was asked at once (a secondary rate limit); try again then",
				    attempt->status, text);
	}
	return error_create(ERROR_LIMITED,
			    "HTTP %ld: the server's rate limit is used up until %s; %s",
			    attempt->status, text,
			    tries->request->token
				    ? "try again then"
				    : "try again then, or use a token");
}

/** What a fault that did not pass in time is reported as. Takes the error. */
static struct error *give_up_error(const struct http_tries *tries,
				   struct error *err)
{
	_cleanup_error_ struct error *last = err;

	return error_create(ERROR_RETRY, "%s; gave up after %.1f s: %s",
			    error_message(last),
			    (double)(monotonic_ms() - tries->since_ms) / 1000,
			    tries->attempt.unreachable
				    ? "check the network and the proxy"
				    : "try again later");
}

bool http_try_again(struct http_tries *tries, struct error **err)
{
	struct http_attempt *attempt = &tries->attempt;
	const struct http_request *request = tries->request;
	uint64_t wait_ms, limit_ms = http_retry_limit_ms(tries->http);
	uint32_t random = 0;
	enum http_verdict verdict;
	char status[64];

	if (*err && !attempt->broken)
		return false;
	attempt->rate_message = tries->body.text &&
				strcasestr(tries->body.text, "rate limit");
	if (getrandom(&random, sizeof(random), GRND_NONBLOCK) < 0)
		random = (uint32_t)monotonic_ms();
	verdict = http_attempt_judge(attempt, tries->failures, random,
				     time(NULL), &wait_ms);
	if (verdict == HTTP_FINAL ||
	    (verdict == HTTP_FAILED && request->no_retry))
		return false;
	if (attempt->unreachable)
		limit_ms /= 10;
	if (monotonic_ms() + wait_ms > tries->since_ms + limit_ms) {
		if (verdict == HTTP_LIMITED)
			*err = rate_limit_error(tries, wait_ms);
		else if (*err)
			*err = give_up_error(tries, *err);
		return false;
	}
	tries->failures++;
	snprintf(status, sizeof(status), "%sHTTP %ld",
		 verdict == HTTP_LIMITED ? "rate limit, " : "", attempt->status);
	log_write(wait_ms >= LONG_WAIT_MS ? LOG_INFO : LOG_DEBUG,
		  "%s %s: %s; trying again in %.1f s", request_method(request),
		  request->url, *err ? error_message(*err) : status,
		  (double)wait_ms / 1000);
	error_destroy(*err);

	_cleanup_progress_ struct progress *progress =
		progress_createf(PROGRESS_TIME,
				 "wait %.1f s for the next try of %s %s",
				 (double)wait_ms / 1000,
				 request_method(request), request->url);

	*err = interrupt_sleep(wait_ms);
	return !*err;
}

/** Ask once. */
static struct error *try_once(struct http_tries *tries)
{
	struct error *err;
	uint64_t limit_bytes = tries->request->limit_bytes;
	const void *data;
	size_t size;

	if (!limit_bytes)
		limit_bytes = DEFAULT_RESPONSE_BYTES;
	err = http_begin(tries, NULL);
	if (err)
		return err;
	do {
		err = http_read(tries, &data, &size);
		if (err)
			break;
		if (size > limit_bytes - tries->body.length)
			err = error_create(ERROR_OTHER,
					   "the answer is larger than %" PRIu64
					   " bytes",
					   limit_bytes);
		else
			string_builder_append_n(&tries->body, data, size);
	} while (!err && size);
	http_end(tries->http);
	return err;
}

struct error *http_perform(struct http *http, const struct http_request *request,
			   struct http_response *ret)
{
	struct error *err;
	struct http_tries tries = {
		.http = http,
		.request = request,
		.since_ms = monotonic_ms(),
	};
	_cleanup_progress_ struct progress *progress =
		progress_createf(PROGRESS_TIME, "%s %s",
				 request_method(request), request->url);

	do
		err = try_once(&tries);
	while (http_try_again(&tries, &err));
	if (err) {
		string_builder_deinit(&tries.body);
		return error_wrap(err, "%s %s", request_method(request),
				  request->url);
	}
	ret->status = tries.attempt.status;
	ret->body_size_bytes = tries.body.length;
	ret->body = string_builder_take(&tries.body);
	return NULL;
}

void http_response_deinit(struct http_response *response)
{
	free(response->body);
	*response = (struct http_response){ 0 };
}

/** Append what a server says, without what a terminal would obey. */
static void append_printable(struct string_builder *sb, const char *text)
{
	enum {
		ENOUGH = 300
	};

	for (size_t i = 0; i < ENOUGH && text[i]; i++) {
		unsigned char c = (unsigned char)text[i];

		string_builder_append_char(sb, c < ' ' || c == 0x7f ? ' '
								    : text[i]);
	}
}

static void append_server_message(struct string_builder *sb, const char *body,
				  size_t size_bytes)
{
	json_t *json = body ? json_loadb(body, size_bytes, 0, NULL) : NULL;
	const char *message = json_string_value(json_object_get(json, "message"));
	const json_t *first = json_array_get(json_object_get(json, "errors"), 0);
	const char *detail = json_string_value(json_object_get(first, "message"));

	if (!detail)
		detail = json_string_value(json_object_get(first, "code"));
	if (message) {
		string_builder_append(sb, ": ");
		append_printable(sb, message);
	}
	if (detail) {
		string_builder_append(sb, ": ");
		append_printable(sb, detail);
	}
	json_decref(json);
}

struct error *http_status_error(long status, const char *body, size_t size_bytes)
{
	_cleanup_string_builder_ struct string_builder sb = { 0 };
	_cleanup_free_ char *text = NULL;
	enum error_kind kind = ERROR_OTHER;

	if (status == 404)
		kind = ERROR_NOT_FOUND;
	else if (status >= 500 || status == 429)
		kind = ERROR_RETRY;
	append_server_message(&sb, body, size_bytes);
	if (status >= 500)
		string_builder_append(&sb, "; try again later");
	text = string_builder_take(&sb);
	return error_create(kind, "HTTP %ld%s", status, text);
}

struct error *http_response_error(const struct http_request *request,
				  const struct http_response *response)
{
	return error_wrap(http_status_error(response->status, response->body,
					    response->body_size_bytes),
			  "%s %s", request_method(request), request->url);
}
