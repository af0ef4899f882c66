// SPDX-License-Identifier: LGPL-2.1-or-later

#include "common/http/http.h"

#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "common/base/error.h"
#include "common/base/interrupt.h"
#include "common/base/memory.h"
#include "common/base/progress.h"
#include "common/base/system.h"
#include "common/http/http_internal.h"

enum {
	CONNECT_LIMIT_MS = 30000,
	REDIRECTS_MAX = 8,
	POLL_MS = 1000,
	BUFFER_BYTES = 512 << 10,
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

/** What belongs to one try. */
struct http_transfer {
	/** NULL if there is none. */
	const struct http_request *request;
	struct curl_slist *headers;
	int body_fd;
	uint64_t body_offset;
	/** What a callback failed with. */
	struct error *err;
	/** curl has ended it, with this. */
	bool has_ended;
	CURLcode code;
	/** Of the piece; while the next has no room, curl is paused. */
	size_t piece_bytes;
	bool is_paused;
};

struct http {
	CURLM *multi;
	/** Reset for each request; connections are the multi handle's. */
	CURL *easy;
	char *user_agent;
	char *ca_file;
	struct limits limits;
	struct http_transfer transfer;
	/** Why curl has ended it. */
	char text[CURL_ERROR_SIZE];
	/** Of the answer. */
	char piece[BUFFER_BYTES];
};

static const struct http_transfer no_transfer = { .body_fd = -1 };

struct http *http_create(const char *user_agent, const struct limits *limits)
{
	const char *ca_file = getenv("CURL_CA_BUNDLE");
	struct http *http = memory_allocate(1, sizeof(*http));

	// curl's program reads these, its library does not.
	if (!ca_file || !*ca_file)
		ca_file = getenv("SSL_CERT_FILE");
	if (ca_file && *ca_file)
		http->ca_file = string_copy(ca_file);
	http->user_agent = string_copy(user_agent);
	http->limits = *limits;
	http->transfer = no_transfer;
	http->multi = curl_multi_init();
	http->easy = curl_easy_init();
	if (!http->multi || !http->easy)
		memory_exhausted();
	return http;
}

void http_destroy(struct http *http)
{
	if (!http)
		return;
	http_end(http);
	curl_easy_cleanup(http->easy);
	curl_multi_cleanup(http->multi);
	free(http->user_agent);
	free(http->ca_file);
	free(http);
}

const struct limits *http_limits(const struct http *http)
{
	return &http->limits;
}

const char *http_header(struct http *http, const char *name)
{
	struct curl_header *header;

	if (curl_easy_header(http->easy, name, 0, CURLH_HEADER, -1, &header) !=
	    CURLHE_OK)
		return NULL;
	return header->value;
}

int64_t http_header_number(struct http *http, const char *name)
{
	const char *text = http_header(http, name);
	char *end;
	long long value;

	if (!text || *text < '0' || *text > '9')
		return -1;
	errno = 0;
	value = strtoll(text, &end, 10);
	return errno || *end ? -1 : value;
}

static size_t write_callback(char *data, size_t unit, size_t count, void *http_)
{
	struct http *http = http_;
	struct http_transfer *transfer = &http->transfer;
	size_t size = unit * count;

	// curl keeps it, reads no more, and brings it when it is continued.
	if (size > sizeof(http->piece) - transfer->piece_bytes) {
		transfer->is_paused = true;
		return CURL_WRITEFUNC_PAUSE;
	}
	memcpy(http->piece + transfer->piece_bytes, data, size);
	transfer->piece_bytes += size;
	return size;
}

static size_t read_callback(char *buffer, size_t unit, size_t count,
			    void *transfer_)
{
	struct http_transfer *transfer = transfer_;
	const struct http_request *request = transfer->request;
	ssize_t size = pread(transfer->body_fd, buffer, unit * count,
			     (off_t)transfer->body_offset);

	if (size < 0)
		transfer->err =
			error_create_os(errno, "read %s", request->body_path);
	else if (size == 0 && transfer->body_offset < request->body_size_bytes)
		transfer->err = error_create(ERROR_OTHER,
					     "%s shrank while it was sent",
					     request->body_path);
	if (transfer->err)
		return CURL_READFUNC_ABORT;
	transfer->body_offset += (uint64_t)size;
	progress_update(request->progress, transfer->body_offset,
			request->body_size_bytes);
	return (size_t)size;
}

static int seek_callback(void *transfer_, curl_off_t offset, int origin)
{
	struct http_transfer *transfer = transfer_;

	if (origin != SEEK_SET || offset < 0)
		return CURL_SEEKFUNC_CANTSEEK;
	transfer->body_offset = (uint64_t)offset;
	return CURL_SEEKFUNC_OK;
}

static void slist_add(struct curl_slist **list, const char *text)
{
	struct curl_slist *grown = curl_slist_append(*list, text);

	if (!grown)
		memory_exhausted();
	*list = grown;
}

/**
 * The token is one more custom header. curl sends an Authorization header that
 * it was given as such to no other host, port or protocol that a redirect leads
 * to, as long as CURLOPT_UNRESTRICTED_AUTH is off.
 */
static struct curl_slist *list_headers(const struct http_request *request,
				       const char *const *extra)
{
	struct curl_slist *list = NULL;
	char *authorization;

	for (const char *const *p = request->headers; p && *p; p++)
		slist_add(&list, *p);
	for (const char *const *p = extra; p && *p; p++)
		slist_add(&list, *p);
	if (!request->token)
		return list;
	authorization = string_format("Authorization: Bearer %s", request->token);
	slist_add(&list, authorization);
	explicit_bzero(authorization, strlen(authorization));
	free(authorization);
	return list;
}

/** Set an option unless one before it has failed. */
#define SET(option, value)                                                     \
	(code = code ? code : curl_easy_setopt(easy, option, value))

static CURLcode set_options(struct http *http)
{
	const struct http_request *request = http->transfer.request;
	CURL *easy = http->easy;
	CURLcode code = CURLE_OK;
	bool secure = strncasecmp(request->url, "https:", 6) == 0;
	uint64_t connect_ms = http->limits.stall_ms < CONNECT_LIMIT_MS
				      ? http->limits.stall_ms
				      : CONNECT_LIMIT_MS;

	curl_easy_reset(easy);
	SET(CURLOPT_URL, request->url);
	SET(CURLOPT_ERRORBUFFER, http->text);
	SET(CURLOPT_HTTPHEADER, http->transfer.headers);
	SET(CURLOPT_PROTOCOLS_STR, "http,https");
	SET(CURLOPT_REDIR_PROTOCOLS_STR, secure ? "https" : "http,https");
	SET(CURLOPT_FOLLOWLOCATION, 1L);
	SET(CURLOPT_MAXREDIRS, (long)REDIRECTS_MAX);
	SET(CURLOPT_NOSIGNAL, 1L);
	SET(CURLOPT_CONNECTTIMEOUT_MS, (long)connect_ms);
	// A hint: libcurl 7.88 refuses it on a handle whose last try did not connect.
	curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, (long)BUFFER_BYTES);
	SET(CURLOPT_WRITEFUNCTION, write_callback);
	SET(CURLOPT_WRITEDATA, http);
	// On a kept connection that turns out to be dead, curl would send again
	// by itself what may have been done the first time.
	if (request->no_retry && request->body_path)
		SET(CURLOPT_FRESH_CONNECT, 1L);
	SET(CURLOPT_USERAGENT, http->user_agent);
	if (http->ca_file)
		SET(CURLOPT_CAINFO, http->ca_file);
	if (request->body || request->body_path) {
		SET(CURLOPT_POST, 1L);
		SET(CURLOPT_POSTFIELDSIZE_LARGE,
		    (curl_off_t)request->body_size_bytes);
	}
	if (request->body) {
		SET(CURLOPT_POSTFIELDS, (const char *)request->body);
	} else if (request->body_path) {
		SET(CURLOPT_READFUNCTION, read_callback);
		SET(CURLOPT_READDATA, &http->transfer);
		SET(CURLOPT_SEEKFUNCTION, seek_callback);
		SET(CURLOPT_SEEKDATA, &http->transfer);
		curl_easy_setopt(easy, CURLOPT_UPLOAD_BUFFERSIZE,
				 (long)BUFFER_BYTES);
	}
	// POST is what a body makes of it; naming it would outlive a redirect.
	if (request->method && strcmp(request->method, "POST") != 0)
		SET(CURLOPT_CUSTOMREQUEST, request->method);
	return code;
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

/** Let curl work until there is a piece, or the end of the transfer. */
static struct error *transfer_piece(struct http *http)
{
	struct error *err;
	struct http_transfer *transfer = &http->transfer;
	struct curl_waitfd interrupt = {
		.fd = interrupt_fd(),
		.events = CURL_WAIT_POLLIN,
	};
	unsigned int patience = transfer->request->patience;
	uint64_t bytes = 0, moved_ms = monotonic_ms();

	for (;;) {
		int running, queued;
		CURLMcode code = curl_multi_perform(http->multi, &running);
		const CURLMsg *message =
			curl_multi_info_read(http->multi, &queued);

		if (message && message->msg == CURLMSG_DONE) {
			transfer->code = message->data.result;
			transfer->has_ended = true;
		}
		if (transfer->piece_bytes || transfer->has_ended)
			return NULL;

		uint64_t now_ms = monotonic_ms();

		if (transfer_bytes(http) != bytes) {
			bytes = transfer_bytes(http);
			moved_ms = now_ms;
		}

		long header_bytes = 0;

		curl_easy_getinfo(http->easy, CURLINFO_HEADER_SIZE,
				  &header_bytes);
		uint64_t limit_ms = http->limits.stall_ms *
				    (patience && !header_bytes ? patience : 1);

		if (now_ms - moved_ms >= limit_ms) {
			snprintf(http->text, sizeof(http->text),
				 "nothing came for %" PRIu64 " s",
				 (now_ms - moved_ms + 500) / 1000);
			transfer->code = CURLE_OPERATION_TIMEDOUT;
			transfer->has_ended = true;
			return NULL;
		}

		uint64_t left_ms = limit_ms - (now_ms - moved_ms);

		if (!code)
			code = curl_multi_poll(http->multi, &interrupt, 1,
					       left_ms < POLL_MS ? (int)left_ms
								 : POLL_MS,
					       NULL);
		if (code)
			return error_create(ERROR_OTHER, "libcurl: transfer: %s",
					    curl_multi_strerror(code));
		err = interrupt_check();
		if (err)
			return err;
	}
}

static struct error *transfer_failure(const struct http *http,
				      struct http_attempt *attempt)
{
	CURLcode code = http->transfer.code;

	for (size_t i = 0; i < array_size(passing_faults); i++) {
		if (passing_faults[i].code == code) {
			attempt->broken = true;
			attempt->unreachable = passing_faults[i].unreachable;
		}
	}
	if (code == CURLE_TOO_MANY_REDIRECTS)
		return error_create(ERROR_OTHER,
				    "more than %d redirects: the address leads in circles",
				    REDIRECTS_MAX);
	return error_create(attempt->broken ? ERROR_RETRY : ERROR_OTHER, "%s",
			    *http->text ? http->text : curl_easy_strerror(code));
}

struct error *http_begin(struct http_tries *tries, const char *const *extra)
{
	struct http *http = tries->http;
	const struct http_request *request = tries->request;
	struct http_transfer *transfer = &http->transfer;
	CURLcode code;

	string_builder_deinit(&tries->body);
	tries->attempt = (struct http_attempt){ .retry_after_s = -1 };
	transfer->request = request;
	transfer->headers = list_headers(request, extra);
	if (!request->body && request->body_path) {
		transfer->body_fd =
			open(request->body_path, O_RDONLY | O_CLOEXEC);
		if (transfer->body_fd < 0)
			return error_create_os(errno, "open %s",
					       request->body_path);
	}
	code = set_options(http);
	if (code)
		return error_create(ERROR_OTHER, "libcurl: prepare: %s",
				    curl_easy_strerror(code));
	CURLMcode added = curl_multi_add_handle(http->multi, http->easy);
	if (added)
		return error_create(ERROR_OTHER, "libcurl: start: %s",
				    curl_multi_strerror(added));
	return NULL;
}

void http_end(struct http *http)
{
	struct http_transfer *transfer = &http->transfer;

	if (!transfer->request)
		return;
	curl_multi_remove_handle(http->multi, http->easy);
	curl_easy_setopt(http->easy, CURLOPT_HTTPHEADER, NULL);
	// They may hold a token.
	for (struct curl_slist *p = transfer->headers; p; p = p->next)
		explicit_bzero(p->data, strlen(p->data));
	curl_slist_free_all(transfer->headers);
	cleanup_close(&transfer->body_fd);
	error_destroy(transfer->err);
	*transfer = no_transfer;
	http->text[0] = '\0';
}

/** What the headers say of an answer. */
static struct http_attempt describe_answer(struct http *http)
{
	struct http_attempt attempt = { .retry_after_s = -1 };
	int64_t reset_s = http_header_number(http, "x-ratelimit-reset");

	curl_easy_getinfo(http->easy, CURLINFO_RESPONSE_CODE, &attempt.status);
	if (reset_s > 0 && http_header_number(http, "x-ratelimit-remaining") == 0)
		attempt.rate_reset_s = reset_s;
	if (http_header(http, "Retry-After")) {
		curl_off_t seconds = 0;

		// It may also be a date; curl knows.
		curl_easy_getinfo(http->easy, CURLINFO_RETRY_AFTER, &seconds);
		attempt.retry_after_s = seconds;
	}
	return attempt;
}

bool http_answer_is_page(struct http *http)
{
	static const char html[] = "text/html";
	const char *type = http_header(http, "Content-Type");

	return type && strncasecmp(type, html, strlen(html)) == 0;
}

struct error *http_read(struct http_tries *tries, const void **data_ret,
			size_t *size_ret)
{
	struct error *err;
	struct http *http = tries->http;
	struct http_transfer *transfer = &http->transfer;

	tries->attempt = (struct http_attempt){ .retry_after_s = -1 };
	err = interrupt_check();
	if (err)
		return err;
	transfer->piece_bytes = 0;
	if (transfer->is_paused) {
		transfer->is_paused = false;
		curl_easy_pause(http->easy, CURLPAUSE_CONT);
	}
	if (!transfer->has_ended) {
		err = transfer_piece(http);
		if (err)
			return err;
	}
	if (!transfer->piece_bytes && transfer->err)
		return take_ptr(transfer->err);
	if (!transfer->piece_bytes && transfer->code)
		return transfer_failure(http, &tries->attempt);
	tries->attempt = describe_answer(http);
	// Where there is another place, that asks people to log in here.
	if (tries->attempt.status == 200 && http_answer_is_page(http) &&
	    !tries->request->private_url)
		return error_create(
			ERROR_OTHER,
			"blocked: the answer is a web page, of the server or of a proxy; open the address in a browser to see what it wants");
	*data_ret = http->piece;
	*size_ret = transfer->piece_bytes;
	return NULL;
}
