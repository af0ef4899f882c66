// SPDX-License-Identifier: LGPL-2.1-or-later

#include "common/http.h"

#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <jansson.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>
#include <time.h>

#include "common/digest.h"
#include "common/error.h"
#include "common/http_cache.h"
#include "common/http_retry.h"
#include "common/interrupt.h"
#include "common/log.h"
#include "common/process.h"
#include "common/string_builder.h"

enum {
	DEFAULT_RETRY_LIMIT_MS = 300000,
	DEFAULT_STALL_LIMIT_MS = 60000,
	CONNECT_LIMIT_MS = 30000,
	DEFAULT_RESPONSE_BYTES = 16 << 20,
	/** Of a stream that turns out to be an error message. */
	REFUSAL_BYTES = 64 << 10,
	REDIRECTS_MAX = 8,
	POLL_MS = 1000,
	BUFFER_BYTES = 512 << 10,
	/** A stream that has come so much further is not failing. */
	PROGRESS_BYTES = 1 << 20,
	/** Waits longer than this deserve a line. */
	LONG_WAIT_MS = 10000,
};

/** What curl reports for faults of a network or a server, which may pass. */
static const struct {
	CURLcode code;
	bool unreachable;
} passing_faults[] = {
	{ CURLE_COULDNT_RESOLVE_PROXY, true },
	{ CURLE_COULDNT_RESOLVE_HOST, true },
	{ CURLE_COULDNT_CONNECT, true },
	{ CURLE_WEIRD_SERVER_REPLY, false },
	{ CURLE_PARTIAL_FILE, false },
	{ CURLE_OPERATION_TIMEDOUT, false },
	{ CURLE_SSL_CONNECT_ERROR, false },
	{ CURLE_GOT_NOTHING, false },
	{ CURLE_SEND_ERROR, false },
	{ CURLE_RECV_ERROR, false },
	{ CURLE_HTTP2, false },
	{ CURLE_HTTP2_STREAM, false },
};

struct http {
	CURLM *multi;
	/** Reset for each request; connections are the multi handle's. */
	CURL *easy;
	int interrupt_fd;
	char *user_agent;
	char *cache_directory;
	char *ca_file;
	uint64_t retry_limit_ms;
	uint64_t stall_limit_ms;
};

/** One request on its way, for curl's callbacks. */
struct transfer {
	struct http *http;
	const struct http_request *request;
	store_sink sink;
	void *arg;
	int body_fd;
	uint64_t body_offset;
	/** What a callback failed with. */
	struct error *err;
};

/** How long one call has been failing. */
struct patience {
	uint64_t since_ms;
	unsigned int failures;
};

static struct error *copy_optional(const char *text, char **ret)
{
	if (!text || !*text)
		return NULL;
	*ret = strdup(text);
	return *ret ? NULL : error_no_memory();
}

struct error *http_create(const struct http_options *options, struct http **ret)
{
	struct error *err;
	_cleanup_http_ struct http *http = calloc(1, sizeof(*http));
	const char *ca_file = getenv("CURL_CA_BUNDLE");

	if (!http)
		return error_no_memory();
	http->interrupt_fd = -1;
	http->retry_limit_ms = options->retry_limit_ms ? options->retry_limit_ms
						       : DEFAULT_RETRY_LIMIT_MS;
	http->stall_limit_ms = options->stall_limit_ms ? options->stall_limit_ms
						       : DEFAULT_STALL_LIMIT_MS;
	// curl's program reads these, its library does not.
	if (!ca_file || !*ca_file)
		ca_file = getenv("SSL_CERT_FILE");
	err = copy_optional(ca_file, &http->ca_file);
	if (!err)
		err = copy_optional(options->user_agent, &http->user_agent);
	if (!err) {
		err = copy_optional(options->cache_directory,
				    &http->cache_directory);
	}
	if (!err)
		err = interrupt_open(&http->interrupt_fd);
	if (err)
		return err;
	http->multi = curl_multi_init();
	http->easy = curl_easy_init();
	if (!http->multi || !http->easy)
		return error_create(ERROR_OTHER, "libcurl cannot be initialised");
	*ret = take_ptr(http);
	return NULL;
}

void http_destroy(struct http *http)
{
	if (!http)
		return;
	curl_easy_cleanup(http->easy);
	curl_multi_cleanup(http->multi);
	if (http->interrupt_fd >= 0)
		close(http->interrupt_fd);
	free(http->user_agent);
	free(http->cache_directory);
	free(http->ca_file);
	free(http);
}

static const char *request_method(const struct http_request *request)
{
	return request->method ? request->method : "GET";
}

/** Value of a header of the latest answer; NULL if it has none. */
static const char *response_header(struct http *http, const char *name)
{
	struct curl_header *header;

	if (curl_easy_header(http->easy, name, 0, CURLH_HEADER, -1, &header) !=
	    CURLHE_OK)
		return NULL;
	return header->value;
}

/** A header that is a number; -1 if it is not there or something else. */
static int64_t response_number(struct http *http, const char *name)
{
	const char *text = response_header(http, name);
	char *end;
	long long value;

	if (!text || *text < '0' || *text > '9')
		return -1;
	errno = 0;
	value = strtoll(text, &end, 10);
	return errno || *end ? -1 : value;
}

static long response_status(struct http *http)
{
	long status = 0;

	curl_easy_getinfo(http->easy, CURLINFO_RESPONSE_CODE, &status);
	return status;
}

static size_t write_callback(char *data, size_t unit, size_t count, void *arg)
{
	struct transfer *transfer = arg;

	transfer->err = transfer->sink(transfer->arg, data, unit * count);
	return transfer->err ? CURL_WRITEFUNC_ERROR : unit * count;
}

static size_t read_callback(char *buffer, size_t unit, size_t count, void *arg)
{
	struct transfer *transfer = arg;
	const struct http_request *request = transfer->request;
	ssize_t size = pread(transfer->body_fd, buffer, unit * count,
			     (off_t)transfer->body_offset);

	if (size < 0) {
		transfer->err =
			error_create_os(errno, "read %s", request->body_path);
		return CURL_READFUNC_ABORT;
	}
	if (size == 0 && transfer->body_offset < request->body_size_bytes) {
		transfer->err = error_create(ERROR_OTHER,
					     "%s shrank while it was sent",
					     request->body_path);
		return CURL_READFUNC_ABORT;
	}
	transfer->body_offset += (uint64_t)size;
	if (request->progress) {
		request->progress(request->progress_arg, transfer->body_offset,
				  request->body_size_bytes);
	}
	return (size_t)size;
}

static int seek_callback(void *arg, curl_off_t offset, int origin)
{
	struct transfer *transfer = arg;

	if (origin != SEEK_SET || offset < 0)
		return CURL_SEEKFUNC_CANTSEEK;
	transfer->body_offset = (uint64_t)offset;
	return CURL_SEEKFUNC_OK;
}

static void cleanup_slist(struct curl_slist **list)
{
	curl_slist_free_all(*list);
}

#define _cleanup_slist_ _cleanup_(cleanup_slist)

static struct error *slist_add(struct curl_slist **list, const char *text)
{
	struct curl_slist *grown = curl_slist_append(*list, text);

	if (!grown)
		return error_no_memory();
	*list = grown;
	return NULL;
}

/**
 * The token is one more custom header. curl sends an Authorization header that
 * it was given as such to no other host, port or protocol that a redirect leads
 * to, as long as CURLOPT_UNRESTRICTED_AUTH is off.
 */
static struct error *request_headers(const struct http_request *request,
				     const char *const *extra,
				     struct curl_slist **ret)
{
	struct error *err = NULL;
	_cleanup_free_ char *authorization = NULL;

	for (const char *const *p = request->headers; !err && p && *p; p++)
		err = slist_add(ret, *p);
	for (const char *const *p = extra; !err && p && *p; p++)
		err = slist_add(ret, *p);
	if (err || !request->token)
		return err;
	if (asprintf(&authorization, "Authorization: Bearer %s",
		     request->token) < 0) {
		authorization = NULL;
		return error_no_memory();
	}
	return slist_add(ret, authorization);
}

/** Set an option unless one before it has failed. */
#define SET(option, value)                                                     \
	(code = code ? code : curl_easy_setopt(easy, option, value))

static CURLcode transfer_set_body(struct transfer *transfer)
{
	const struct http_request *request = transfer->request;
	CURL *easy = transfer->http->easy;
	CURLcode code = CURLE_OK;

	if (request->body || request->body_path) {
		SET(CURLOPT_POST, 1L);
		SET(CURLOPT_POSTFIELDSIZE_LARGE,
		    (curl_off_t)request->body_size_bytes);
	}
	if (request->body) {
		SET(CURLOPT_POSTFIELDS, (const char *)request->body);
	} else if (request->body_path) {
		SET(CURLOPT_READFUNCTION, read_callback);
		SET(CURLOPT_READDATA, transfer);
		SET(CURLOPT_SEEKFUNCTION, seek_callback);
		SET(CURLOPT_SEEKDATA, transfer);
		curl_easy_setopt(easy, CURLOPT_UPLOAD_BUFFERSIZE,
				 (long)BUFFER_BYTES);
	}
	// POST is what a body makes of it; naming it would outlive a redirect.
	if (request->method && strcmp(request->method, "POST") != 0)
		SET(CURLOPT_CUSTOMREQUEST, request->method);
	return code;
}

static struct error *transfer_setup(struct transfer *transfer,
				    struct curl_slist *headers, char *text)
{
	const struct http_request *request = transfer->request;
	struct http *http = transfer->http;
	CURL *easy = http->easy;
	CURLcode code = CURLE_OK;
	bool secure = strncasecmp(request->url, "https:", 6) == 0;
	uint64_t connect_ms = http->stall_limit_ms < CONNECT_LIMIT_MS
				      ? http->stall_limit_ms
				      : CONNECT_LIMIT_MS;

	curl_easy_reset(easy);
	SET(CURLOPT_URL, request->url);
	SET(CURLOPT_ERRORBUFFER, text);
	SET(CURLOPT_HTTPHEADER, headers);
	SET(CURLOPT_PROTOCOLS_STR, "http,https");
	SET(CURLOPT_REDIR_PROTOCOLS_STR, secure ? "https" : "http,https");
	SET(CURLOPT_FOLLOWLOCATION, 1L);
	SET(CURLOPT_MAXREDIRS, (long)REDIRECTS_MAX);
	SET(CURLOPT_NOSIGNAL, 1L);
	SET(CURLOPT_CONNECTTIMEOUT_MS, (long)connect_ms);
	// A hint: libcurl 7.88 refuses it on a handle whose last try did not connect.
	curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, (long)BUFFER_BYTES);
	SET(CURLOPT_WRITEFUNCTION, write_callback);
	SET(CURLOPT_WRITEDATA, transfer);
	if (http->user_agent)
		SET(CURLOPT_USERAGENT, http->user_agent);
	if (http->ca_file)
		SET(CURLOPT_CAINFO, http->ca_file);
	if (!code)
		code = transfer_set_body(transfer);
	if (code) {
		return error_create(ERROR_OTHER, "libcurl: prepare: %s",
				    curl_easy_strerror(code));
	}
	return NULL;
}

/** Bytes that have moved, to tell a transfer that has stalled. */
static uint64_t transfer_bytes(struct http *http)
{
	curl_off_t received = 0, sent = 0;
	long headers = 0, request = 0;

	curl_easy_getinfo(http->easy, CURLINFO_SIZE_DOWNLOAD_T, &received);
	curl_easy_getinfo(http->easy, CURLINFO_SIZE_UPLOAD_T, &sent);
	curl_easy_getinfo(http->easy, CURLINFO_HEADER_SIZE, &headers);
	curl_easy_getinfo(http->easy, CURLINFO_REQUEST_SIZE, &request);
	return (uint64_t)received + (uint64_t)sent + (uint64_t)headers +
	       (uint64_t)request;
}

static struct error *transfer_loop(struct http *http, char *text,
				   CURLcode *code_ret)
{
	struct error *err;
	struct curl_waitfd interrupt = {
		.fd = http->interrupt_fd,
		.events = CURL_WAIT_POLLIN,
	};
	uint64_t bytes = 0, moved_ms = monotonic_ms();

	for (;;) {
		int running, queued;
		const CURLMsg *message;
		uint64_t now_ms, idle_ms;
		CURLMcode mcode = curl_multi_perform(http->multi, &running);

		message = curl_multi_info_read(http->multi, &queued);
		if (message && message->msg == CURLMSG_DONE) {
			*code_ret = message->data.result;
			return NULL;
		}
		now_ms = monotonic_ms();
		if (transfer_bytes(http) != bytes) {
			bytes = transfer_bytes(http);
			moved_ms = now_ms;
		}
		idle_ms = now_ms - moved_ms;
		if (idle_ms >= http->stall_limit_ms) {
			snprintf(text, CURL_ERROR_SIZE,
				 "nothing came for %" PRIu64 " ms", idle_ms);
			*code_ret = CURLE_OPERATION_TIMEDOUT;
			return NULL;
		}
		if (!mcode) {
			uint64_t left_ms = http->stall_limit_ms - idle_ms;

			mcode = curl_multi_poll(http->multi, &interrupt, 1,
						left_ms < POLL_MS ? (int)left_ms
								  : POLL_MS,
						NULL);
		}
		if (mcode) {
			return error_create(ERROR_OTHER, "libcurl: transfer: %s",
					    curl_multi_strerror(mcode));
		}
		err = interrupt_check();
		if (err)
			return err;
	}
}

static struct error *transfer_failure(CURLcode code, const char *text,
				      struct http_attempt *attempt)
{
	for (size_t i = 0; i < array_size(passing_faults); i++) {
		if (passing_faults[i].code == code) {
			attempt->broken = true;
			attempt->unreachable = passing_faults[i].unreachable;
		}
	}
	return error_create(attempt->broken ? ERROR_RETRY : ERROR_OTHER, "%s",
			    *text ? text : curl_easy_strerror(code));
}

/**
 * Send a request once, and hand what comes to the sink, whatever the status.
 *
 * @param[out] attempt_ret Set always. With an error, `broken` tells one that
 * may pass from one that is final.
 */
static struct error *transfer_run(struct http *http,
				  const struct http_request *request,
				  const char *const *extra, store_sink sink,
				  void *arg, struct http_attempt *attempt_ret)
{
	struct error *err;
	char text[CURL_ERROR_SIZE] = "";
	_cleanup_slist_ struct curl_slist *headers = NULL;
	_cleanup_close_ int body_fd = -1;
	CURLcode code = CURLE_OK;
	struct transfer transfer = {
		.http = http,
		.request = request,
		.sink = sink,
		.arg = arg,
	};

	*attempt_ret = (struct http_attempt){ .retry_after_s = -1 };
	if (!request->body && request->body_path) {
		body_fd = open(request->body_path, O_RDONLY | O_CLOEXEC);
		if (body_fd < 0)
			return error_create_os(errno, "open %s",
					       request->body_path);
	}
	transfer.body_fd = body_fd;
	err = request_headers(request, extra, &headers);
	if (!err)
		err = transfer_setup(&transfer, headers, text);
	if (err)
		return err;
	if (curl_multi_add_handle(http->multi, http->easy))
		return error_create(ERROR_OTHER, "libcurl cannot start");
	err = transfer_loop(http, text, &code);
	curl_multi_remove_handle(http->multi, http->easy);
	// They are on this function's stack.
	curl_easy_setopt(http->easy, CURLOPT_ERRORBUFFER, NULL);
	curl_easy_setopt(http->easy, CURLOPT_HTTPHEADER, NULL);
	if (err || transfer.err) {
		if (err)
			error_destroy(transfer.err);
		return err ? err : transfer.err;
	}
	if (code)
		return transfer_failure(code, text, attempt_ret);
	attempt_ret->status = response_status(http);
	if (response_header(http, "Retry-After")) {
		curl_off_t seconds = 0;

		// It may also be a date; curl knows.
		curl_easy_getinfo(http->easy, CURLINFO_RETRY_AFTER, &seconds);
		attempt_ret->retry_after_s = seconds;
	}
	attempt_ret->rate_exhausted =
		response_number(http, "x-ratelimit-remaining") == 0 &&
		response_number(http, "x-ratelimit-reset") >= 0;
	attempt_ret->rate_reset_s = response_number(http, "x-ratelimit-reset");
	return NULL;
}

static struct error *rate_limit_error(const struct http_request *request,
				      uint64_t wait_ms)
{
	time_t until = time(NULL) + (time_t)(wait_ms / 1000);
	char text[64];
	struct tm tm;

	if (!gmtime_r(&until, &tm) ||
	    !strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S UTC", &tm))
		text[0] = '\0';
	return error_create(ERROR_RETRY,
			    "the server's rate limit is used up until %s; %s",
			    text,
			    request->token ? "try again then"
					   : "try again then, or use a token");
}

/**
 * Decide what follows an attempt, and wait if it is another one.
 *
 * @param[in,out] err The attempt's error, which is destroyed if it is tried
 * again, or replaced by one that says why it is not.
 * @return Whether to try again.
 */
static bool try_again(struct http *http, const struct http_request *request,
		      const struct http_attempt *attempt,
		      struct patience *patience, struct error **err)
{
	uint64_t wait_ms, limit_ms = http->retry_limit_ms;
	uint32_t random = 0;
	enum http_verdict verdict;
	char status[64];

	if (*err && !attempt->broken)
		return false;
	if (getrandom(&random, sizeof(random), GRND_NONBLOCK) < 0)
		random = (uint32_t)monotonic_ms();
	verdict = http_attempt_judge(attempt, patience->failures, random,
				     time(NULL), &wait_ms);
	if (verdict == HTTP_FINAL ||
	    (verdict == HTTP_FAILED && request->no_retry))
		return false;
	if (attempt->unreachable)
		limit_ms /= 10;
	if (monotonic_ms() + wait_ms > patience->since_ms + limit_ms) {
		if (verdict == HTTP_LIMITED)
			*err = rate_limit_error(request, wait_ms);
		return false;
	}
	patience->failures++;
	snprintf(status, sizeof(status), "%sHTTP %ld",
		 verdict == HTTP_LIMITED ? "rate limit, " : "", attempt->status);
	log_write(wait_ms >= LONG_WAIT_MS ? LOG_INFO : LOG_DEBUG,
		  "%s %s: %s; trying again in %.1f s", request_method(request),
		  request->url, *err ? error_message(*err) : status,
		  (double)wait_ms / 1000);
	error_destroy(*err);
	*err = interrupt_sleep(wait_ms);
	return !*err;
}

/** Find the URL of rel="next" in a Link header. */
static struct error *parse_next_link(const char *link, char **ret)
{
	while (link && (link = strchr(link, '<'))) {
		const char *url = link + 1;
		const char *end = strchr(url, '>');
		size_t parameters;

		if (!end)
			return NULL;
		parameters = strcspn(end, ",");
		if (memmem(end, parameters, "rel=\"next\"",
			   strlen("rel=\"next\""))) {
			*ret = strndup(url, (size_t)(end - url));
			return *ret ? NULL : error_no_memory();
		}
		link = end + parameters;
	}
	return NULL;
}

struct collector {
	struct string_builder body;
	uint64_t limit_bytes;
};

static struct error *collect(void *arg, const void *data, size_t size_bytes)
{
	struct collector *collector = arg;

	if (size_bytes > collector->limit_bytes - collector->body.length) {
		return error_create(ERROR_OTHER,
				    "the answer is larger than %" PRIu64 " bytes",
				    collector->limit_bytes);
	}
	string_builder_append_n(&collector->body, data, size_bytes);
	return NULL;
}

static void save_response(struct http *http, const struct http_request *request,
			  const struct http_response *response)
{
	const char *etag = response_header(http, "ETag");
	struct http_cached cached = {
		.etag = (char *)etag,
		.next_url = response->next_url ? response->next_url : (char *)"",
		.body = response->body,
		.body_size_bytes = response->body_size_bytes,
	};

	if (etag && response->status == 200) {
		http_cache_save(http->cache_directory, request->url,
				request->token, &cached);
	}
}

static void response_from_cache(struct http_cached *cached,
				struct http_response *ret)
{
	ret->status = 200;
	ret->body = take_ptr(cached->body);
	ret->body_size_bytes = cached->body_size_bytes;
	if (*cached->next_url)
		ret->next_url = take_ptr(cached->next_url);
}

static struct error *perform(struct http *http,
			     const struct http_request *request,
			     struct http_cached *cached,
			     struct http_response *ret)
{
	struct error *err;
	_cleanup_http_response_ struct http_response response = { 0 };
	_cleanup_free_ char *if_none_match = NULL;
	struct collector collector = {
		.limit_bytes = request->limit_bytes ? request->limit_bytes
						    : DEFAULT_RESPONSE_BYTES,
	};
	struct patience patience = { .since_ms = monotonic_ms() };
	struct http_attempt attempt;
	const char *extra[2] = { NULL };

	if (cached->etag) {
		if (asprintf(&if_none_match, "If-None-Match: %s", cached->etag) <
		    0) {
			if_none_match = NULL;
			return error_no_memory();
		}
		extra[0] = if_none_match;
	}
	do {
		string_builder_deinit(&collector.body);
		err = transfer_run(http, request, extra, collect, &collector,
				   &attempt);
		attempt.rate_message =
			collector.body.text &&
			strcasestr(collector.body.text, "rate limit");
	} while (try_again(http, request, &attempt, &patience, &err));
	response.body_size_bytes = collector.body.length;
	if (err)
		string_builder_deinit(&collector.body);
	else
		err = string_builder_finish(&collector.body, &response.body);
	if (err)
		return err;
	response.status = attempt.status;
	if (response.status == 304 && cached->etag) {
		response_from_cache(cached, ret);
		return NULL;
	}
	err = parse_next_link(response_header(http, "Link"), &response.next_url);
	if (err)
		return err;
	if (request->use_cache && http->cache_directory)
		save_response(http, request, &response);
	*ret = response;
	response = (struct http_response){ 0 };
	return NULL;
}

struct error *http_perform(struct http *http, const struct http_request *request,
			   struct http_response *ret)
{
	struct error *err;
	_cleanup_http_cached_ struct http_cached cached = { 0 };

	if (request->use_cache && http->cache_directory) {
		http_cache_load(http->cache_directory, request->url,
				request->token, &cached);
	}
	err = perform(http, request, &cached, ret);
	return error_wrap(err, "%s %s", request_method(request), request->url);
}

void http_response_deinit(struct http_response *response)
{
	free(response->body);
	free(response->next_url);
	*response = (struct http_response){ 0 };
}

/** Append what a server says, without what a terminal would obey. */
static void append_printable(struct string_builder *sb, const char *text)
{
	enum {
		ENOUGH = 300
	};

	for (size_t i = 0; text[i] && i < ENOUGH; i++) {
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

static struct error *status_error(long status, const char *body, size_t size_bytes)
{
	struct error *err;
	_cleanup_string_builder_ struct string_builder sb = STRING_BUILDER_INIT;
	_cleanup_free_ char *text = NULL;
	enum error_kind kind = ERROR_OTHER;

	if (status == 404)
		kind = ERROR_NOT_FOUND;
	else if (status >= 500 || status == 429)
		kind = ERROR_RETRY;
	append_server_message(&sb, body, size_bytes);
	err = string_builder_finish(&sb, &text);
	if (err)
		return err;
	return error_create(kind, "HTTP %ld%s", status, text);
}

struct error *http_response_error(const struct http_request *request,
				  const struct http_response *response)
{
	return error_wrap(status_error(response->status, response->body,
				       response->body_size_bytes),
			  "%s %s", request_method(request), request->url);
}

/** A download that goes on over several attempts. */
struct stream {
	struct http *http;
	store_sink sink;
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
	struct collector refusal;
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
	const char *etag = response_header(http, "ETag");

	if (etag && strncmp(etag, "W/", 2) != 0)
		return etag;
	return response_header(http, "Last-Modified");
}

static struct error *changed_error(void)
{
	return error_create(ERROR_OTHER,
			    "the file changed while it was downloaded; try again");
}

static struct error *stream_begin_whole(struct stream *stream)
{
	const char *validator = response_validator(stream->http);
	int64_t length = response_number(stream->http, "Content-Length");

	if (stream->offset == 0) {
		free(take_ptr(stream->validator));
		if (!stream->size_bytes && length > 0)
			stream->size_bytes = (uint64_t)length;
		return copy_optional(validator, &stream->validator);
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
	const char *range = response_header(stream->http, "Content-Range");
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
	if (response_status(stream->http) == 206)
		return stream_begin_part(stream);
	return stream_begin_whole(stream);
}

static struct error *stream_receive(void *arg, const void *data, size_t size_bytes)
{
	struct error *err;
	struct stream *stream = arg;
	const char *p = data;
	long status = response_status(stream->http);

	if (status != 200 && status != 206)
		return collect(&stream->refusal, data, size_bytes);
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

static struct error *stream_headers(const struct stream *stream,
				    char **range_ret, char **if_range_ret)
{
	if (!stream->offset || stream->no_range)
		return NULL;
	if (!stream->validator && !stream->digest)
		return NULL;
	if (asprintf(range_ret, "Range: bytes=%" PRIu64 "-", stream->offset) < 0) {
		*range_ret = NULL;
		return error_no_memory();
	}
	if (stream->validator &&
	    asprintf(if_range_ret, "If-Range: %s", stream->validator) < 0) {
		*if_range_ret = NULL;
		return error_no_memory();
	}
	return NULL;
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
	err = stream_headers(stream, &range, &if_range);
	if (err)
		return err;
	extra[0] = range;
	extra[1] = if_range;
	err = transfer_run(stream->http, request, extra, stream_receive, stream,
			   attempt_ret);
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
	const char *range = response_header(stream->http, "Content-Range");
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
	struct patience patience = { .since_ms = monotonic_ms() };
	struct http_attempt attempt;
	uint64_t reached = 0;

	do {
		err = stream_attempt(stream, request, &attempt);
		if (stream->offset - reached >= PROGRESS_BYTES) {
			reached = stream->offset;
			patience = (struct patience){ monotonic_ms(), 0 };
		}
	} while (try_again(stream->http, request, &attempt, &patience, &err));
	if (err || attempt.status == 200 || attempt.status == 206)
		return err;
	if (attempt.status == 416 && stream->offset)
		return stream_exhausted(stream);
	return status_error(attempt.status, stream->refusal.body.text,
			    stream->refusal.body.length);
}

static struct error *stream_verify(struct stream *stream, const char *digest)
{
	char actual[DIGEST_TEXT_SIZE];

	if (!stream->digest)
		return NULL;
	digest_finish(stream->digest, actual);
	if (strcmp(actual, digest) == 0)
		return NULL;
	return error_create(ERROR_OTHER,
			    "the digest is %s, it should be %s: damaged on the way, or another file",
			    actual, digest);
}

struct error *http_stream(struct http *http, const struct http_request *request,
			  uint64_t size_bytes, const char *digest,
			  store_sink sink, void *arg)
{
	struct error *err = NULL;
	_cleanup_stream_ struct stream stream = {
		.http = http,
		.sink = sink,
		.arg = arg,
		.size_bytes = size_bytes,
	};

	if (digest && *digest)
		err = digest_create(&stream.digest);
	if (!err)
		err = stream_run(&stream, request);
	if (!err)
		err = stream_verify(&stream, digest);
	return error_wrap(err, "GET %s", request->url);
}
