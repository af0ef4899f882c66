// SPDX-License-Identifier: LGPL-2.1-or-later

#include "common/http/http.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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
	DAY_S = 24 * 3600,
};

const struct backoff backoff_failure = { .first_ms = 500, .limit_ms = 30000 };

/** What GitHub asks for when it names no time. */
static const struct backoff secondary_limit = {
	.first_ms = 60000,
	// So that a limit of an hour is not found to be over long after it is.
	.limit_ms = 600000,
};

struct error *limits_read(struct limits *ret)
{
	struct limits limits = {
		.retry_ms = 300000,
		.stall_ms = 60000,
		.silence_ms = LOG_SILENCE_MS,
	};
	const struct {
		const char *name;
		unsigned long min_s;
		uint64_t *ms;
	} rows[] = {
		{ "VMTEST_RETRY_SECONDS", 0, &limits.retry_ms },
		{ "VMTEST_STALL_SECONDS", 1, &limits.stall_ms },
		{ "VMTEST_SILENCE_SECONDS", 1, &limits.silence_ms },
	};

	for (size_t i = 0; i < array_size(rows); i++) {
		const char *text = getenv(rows[i].name);
		unsigned long seconds = DAY_S + 1;

		if (!text || !*text)
			continue;
		if (strspn(text, "0123456789") == strlen(text) && strlen(text) < 9)
			seconds = strtoul(text, NULL, 10);
		if (seconds < rows[i].min_s || seconds > DAY_S)
			return error_create(
				ERROR_USAGE,
				"%s: '%s' is not a number of seconds from %lu to %d",
				rows[i].name, text, rows[i].min_s, DAY_S);
		*rows[i].ms = seconds * 1000;
	}
	*ret = limits;
	return NULL;
}

uint64_t backoff_ms(const struct backoff *backoff, unsigned int waits)
{
	uint64_t ms = backoff->first_ms, limit_ms = backoff->limit_ms;

	for (; waits && ms < limit_ms; waits--)
		ms = ms < limit_ms / 2 ? 2 * ms : limit_ms;
	return ms < limit_ms ? ms : limit_ms;
}

static uint64_t seconds_to_ms(int64_t seconds)
{
	const int64_t for_ever = 366 * DAY_S;

	if (seconds < 0)
		return 0;
	return (uint64_t)(seconds < for_ever ? seconds : for_ever) * 1000;
}

enum http_verdict http_attempt_judge(const struct http_attempt *attempt,
				     unsigned int failures, uint32_t random,
				     int64_t now_s, uint64_t *wait_ms_ret)
{
	bool is_refusal = attempt->status == 403 || attempt->status == 429;
	uint64_t asked_ms = seconds_to_ms(attempt->retry_after_s);
	uint64_t half_ms = backoff_ms(&backoff_failure, failures) / 2;
	uint64_t reset_ms;

	if (is_refusal && attempt->rate_reset_s) {
		// One more, because both are whole seconds, rounded down.
		reset_ms = seconds_to_ms(attempt->rate_reset_s - now_s) + 1000;
		*wait_ms_ret = asked_ms > reset_ms ? asked_ms : reset_ms;
		return HTTP_LIMITED;
	}
	if (is_refusal && attempt->retry_after_s >= 0) {
		*wait_ms_ret = asked_ms;
		return HTTP_LIMITED;
	}
	if (attempt->status == 429 || (is_refusal && attempt->rate_message)) {
		*wait_ms_ret = backoff_ms(&secondary_limit, failures);
		return HTTP_LIMITED;
	}
	if (!attempt->broken && attempt->status < 500)
		return HTTP_FINAL;
	*wait_ms_ret = attempt->retry_after_s >= 0
			       ? asked_ms
			       : half_ms + random % (half_ms + 1);
	return HTTP_FAILED;
}

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
	if (!attempt->rate_reset_s)
		return error_create(ERROR_OTHER,
				    "HTTP %ld: the server asks for a pause until %s, as too much was asked at once (a secondary rate limit); try again then",
				    attempt->status, text);
	return error_create(ERROR_OTHER,
			    "HTTP %ld: the server's rate limit is used up until %s; %s",
			    attempt->status, text,
			    tries->request->token
				    ? "try again then"
				    : "try again then, or use a token");
}

bool http_try_again(struct http_tries *tries, struct error **err)
{
	struct http_attempt *attempt = &tries->attempt;
	const struct http_request *request = tries->request;
	uint64_t wait_ms, limit_ms = http_limits(tries->http)->retry_ms;
	enum http_verdict verdict;
	char status[64];

	if (*err && !attempt->broken)
		return false;
	attempt->rate_message = tries->body.text &&
				strcasestr(tries->body.text, "rate limit");
	verdict = http_attempt_judge(attempt, tries->failures, arc4random(),
				     time(NULL), &wait_ms);
	if (verdict == HTTP_FINAL ||
	    (verdict == HTTP_FAILED && request->no_retry))
		return false;
	if (attempt->unreachable)
		limit_ms /= 10;
	uint64_t now_ms = monotonic_ms();
	if (now_ms + wait_ms > tries->since_ms + limit_ms) {
		_cleanup_error_ struct error *last = take_ptr(*err);

		if (verdict == HTTP_LIMITED)
			*err = rate_limit_error(tries, wait_ms);
		else if (last)
			*err = error_create(ERROR_RETRY,
					    "%s; gave up after %.1f s: %s",
					    error_message(last),
					    (double)(now_ms - tries->since_ms) /
						    1000,
					    attempt->unreachable
						    ? "check the network and the proxy"
						    : "try again later");
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
			return err;
		if (size > limit_bytes - tries->body.length)
			return error_create(ERROR_OTHER,
					    "the answer is larger than %" PRIu64
					    " bytes",
					    limit_bytes);
		string_builder_append_n(&tries->body, data, size);
	} while (size);
	return NULL;
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
	// What the caller shows tells more.
	_cleanup_progress_ struct progress *progress =
		request->progress ? NULL
				  : progress_createf(PROGRESS_TIME, "%s %s",
						     request_method(request),
						     request->url);

	do {
		err = try_once(&tries);
		http_end(http);
	} while (http_try_again(&tries, &err));
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

struct error *http_status_error(long status, const char *body, size_t size_bytes)
{
	enum error_kind kind = status == 404 || status == 410 ? ERROR_NOT_FOUND
			       : status >= 500 || status == 429 ? ERROR_RETRY
								: ERROR_OTHER;
	json_t *json = body ? json_loadb(body, size_bytes, 0, NULL) : NULL;
	const char *message = json_string_value(json_object_get(json, "message"));
	const json_t *first = json_array_get(json_object_get(json, "errors"), 0);
	const char *detail = json_string_value(json_object_get(first, "message"));

	if (!detail)
		detail = json_string_value(json_object_get(first, "code"));
	struct error *err =
		error_create(kind, "HTTP %ld%s%.300s%s%.300s%s", status,
			     message ? ": " : "", message ? message : "",
			     detail ? ": " : "", detail ? detail : "",
			     status >= 500 ? "; try again later" : "");
	json_decref(json);
	return err;
}

struct error *http_response_error(const struct http_request *request,
				  const struct http_response *response)
{
	return error_wrap(http_status_error(response->status, response->body,
					    response->body_size_bytes),
			  "%s %s", request_method(request), request->url);
}

struct error *http_perform_ok(struct http *http,
			      const struct http_request *request,
			      struct http_response *ret)
{
	struct error *err = http_perform(http, request, ret);

	return err || ret->status == 200 ? err
					 : http_response_error(request, ret);
}
