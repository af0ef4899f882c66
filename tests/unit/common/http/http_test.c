// SPDX-License-Identifier: LGPL-2.1-or-later

#include "common/http/http.h"

#include <criterion/criterion.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#include "common/archive/archive.h"
#include "common/base/interrupt.h"
#include "common/base/memory.h"
#include "common/base/system.h"
#include "common/base/text.h"
#include "scripted_server.h"
#include "tests/unit/errors.h"
#include "tests/unit/files.h"

static struct http *http;
static struct scripted_server *server;

static void setup(void)
{
	static const struct limits limits = { .retry_ms = 5000, .stall_ms = 700 };

	http = http_create("vmtest-test", &limits);
}

static void teardown(void)
{
	http_destroy(http);
	if (server)
		scripted_server_stop(server);
}

TestSuite(http, .init = setup, .fini = teardown, .timeout = 60);

/** In place of what was served before. */
static void serve(const struct scripted_answer *answers, size_t count)
{
	if (server)
		scripted_server_stop(server);
	server = scripted_server_start(answers, count);
}

static bool has_header(size_t i, const char *line)
{
	return strcasestr(server->log[i], line);
}

static struct error *ask(struct http_request request,
			 struct http_response *response)
{
	if (!request.url)
		request.url = server->url;
	return http_perform(http, &request, response);
}

/** Download from the server and compare with what should come. */
static struct error *download(uint64_t size, const char *digest,
			      const char *expected)
{
	struct http_request request = { .url = server->url };

	return expect_stream(http_open(http, &request, size, digest), expected);
}

/** Ask for the server's page. */
static void expect_body(struct http_request request, const char *body)
{
	_cleanup_http_response_ struct http_response response = { 0 };

	expect_success(ask(request, &response));
	cr_expect_str_eq(response.body, body);
}

#define OK "HTTP/1.1 200 OK"

Test(http, sends_what_was_asked_for)
{
	static const struct scripted_answer answers[] = { { .head = OK, "yes" } };
	static const char *const headers[] = { "Accept: text/plain", NULL };
	static const char *const parts[] = {
		"PATCH / HTTP/1.1\r\n",
		"\r\nAccept: text/plain\r\n",
		"\r\nAuthorization: Bearer secret\r\n",
		"\r\nUser-Agent: vmtest-test\r\n",
		"\r\nContent-Length: 4\r\n",
		"\r\n\r\nbody",
	};
	_cleanup_http_response_ struct http_response response = { 0 };

	serve(answers, 1);
	cr_assert_null(ask((struct http_request){ .method = "PATCH",
						  .headers = headers,
						  .token = "secret",
						  .body = "body",
						  .body_size_bytes = 4 },
			   &response));
	cr_expect_eq(response.status, 200);
	cr_expect_str_eq(response.body, "yes");
	cr_expect_eq(response.body_size_bytes, 3);
	for (size_t i = 0; i < array_size(parts); i++)
		cr_expect(has_header(0, parts[i]), "%s", parts[i]);
}

Test(http, sends_files)
{
	static const struct scripted_answer answers[] = {
		{ .head = "HTTP/1.1 502 Bad Gateway\r\nConnection: close" },
		{ .head = "HTTP/1.1 201 Created" },
	};

	enter_tmp();
	put_file(".", "file", "bytes");
	serve(answers, 2);
	for (int i = 0; i < 2; i++) {
		_cleanup_http_response_ struct http_response response = { 0 };

		cr_assert_null(ask((struct http_request){ .method = "POST",
							  .body_path = "file",
							  .body_size_bytes = 5,
							  .no_retry = true },
				   &response));
		cr_expect_eq(response.status, i ? 201 : 502);
	}
	cr_expect_eq(server->requests, 2);
	cr_expect(has_header(1, "POST / "));
	cr_expect(has_header(1, "\r\n\r\nbytes"));
	teardown_tmp();
}

Test(http, uses_a_connection_again)
{
	static const struct scripted_answer answers[] = { { .head = OK, "x" } };

	serve(answers, 1);
	for (int i = 0; i < 5; i++)
		expect_body((struct http_request){ 0 }, "x");
	cr_expect_eq(server->requests, 5);
	cr_expect_eq(server->connections, 1);
}

Test(http, asks_a_busy_server_again)
{
	static const struct scripted_answer answers[] = {
		{ .head = "HTTP/1.1 500 Oops", "later" },
		{ .head = OK, "cut here", .cut = 3 },
		{ .head = OK, "stalls here", .cut = 2, .stall = true },
		{ .head = "HTTP/1.1 503 Busy\r\nRetry-After: 0" },
		{ .head = "HTTP/1.1 429 Slow\r\nRetry-After: 0" },
		{ .head = OK, "at last" },
	};

	serve(answers, array_size(answers));
	expect_body((struct http_request){ 0 }, "at last");
	cr_expect_eq(server->requests, array_size(answers));
}

Test(http, takes_no_for_an_answer)
{
	static const struct scripted_answer answers[] = {
		{ .head = "HTTP/1.1 404 Not Found",
		  "{\"message\": \"No \\u001b[31m such\\nthing\","
		  " \"errors\": [{\"code\": \"gone\"}]}" },
	};
	struct http_request request = { 0 };
	_cleanup_http_response_ struct http_response response = { 0 };

	serve(answers, 1);
	request.url = server->url;
	cr_assert_null(http_perform(http, &request, &response));
	cr_expect_eq(response.status, 404);
	cr_expect_eq(server->requests, 1);
	expect_kind(http_response_error(&request, &response), ERROR_NOT_FOUND,
		    "HTTP 404: No ?[31m such?thing: gone");
}

/** An answer with this status while nothing is left until some time. */
static char *exhausted(const char *status, time_t reset)
{
	return string_format("HTTP/1.1 %s\r\nx-ratelimit-remaining: 0\r\n"
			     "x-ratelimit-reset: %jd",
			     status, (intmax_t)reset);
}

Test(http, says_until_when_a_rate_limit_lasts)
{
	time_t reset = time(NULL) + 1800;
	_cleanup_free_ char *head = exhausted("403 Forbidden", reset);
	struct scripted_answer answer = { .head = head };
	_cleanup_http_response_ struct http_response response = { 0 };
	char words[64];

	strftime(words, sizeof(words), "rate limit is used up until %Y-%m-%d",
		 gmtime(&reset));
	serve(&answer, 1);
	struct error *err = ask((struct http_request){ 0 }, &response);

	cr_assert(err);
	cr_expect(strstr(error_message(err), "use a token"));
	expect_kind(err, ERROR_OTHER, words);
	cr_expect_eq(server->requests, 1);
}

Test(http, waits_for_a_short_rate_limit)
{
	_cleanup_free_ char *head = exhausted("429 Slow", time(NULL) + 1);
	struct scripted_answer answers[2] = { { .head = head },
					      { .head = OK, "x" } };
	uint64_t start_ms = monotonic_ms();

	serve(answers, 2);
	// Also where the caller asked for no other retries.
	expect_body((struct http_request){ .no_retry = true }, "x");
	cr_expect_geq(monotonic_ms() - start_ms, 1000);
}

Test(http, gives_up_soon_where_nobody_listens)
{
	static const struct scripted_answer answers[] = { { .head = OK } };
	_cleanup_http_response_ struct http_response response = { 0 };
	_cleanup_free_ char *url = NULL;
	uint64_t start_ms = monotonic_ms();

	serve(answers, 1);
	url = strdup(server->url);
	scripted_server_stop(server);
	server = NULL;
	expect_kind(ask((struct http_request){ .url = url }, &response),
		    ERROR_RETRY, "gave up after");
	cr_expect_lt(monotonic_ms() - start_ms, 2000);
}

Test(http, leaves_stdin_alone)
{
	static const struct scripted_answer answers[] = {
		{ .head = OK, "12345" },
		{ .head = OK, "12345", .cut = 2, .stall = true },
		{ .head = OK, "12345" },
	};
	int ends[2];

	// Whoever waits on it in place of another descriptor does not wait.
	cr_assert_eq(pipe(ends), 0);
	cr_assert_eq(dup2(ends[0], STDIN_FILENO), STDIN_FILENO);
	close(ends[0]);
	cr_assert_eq(write(ends[1], "mine", 4), 4);
	serve(answers, array_size(answers));
	for (int i = 0; i < 2; i++)
		expect_body((struct http_request){ 0 }, "12345");
	cr_expect_lt(clock(), CLOCKS_PER_SEC / 2, "it does not wait, but asks");

	char text[8];

	cr_expect_eq(read(STDIN_FILENO, text, sizeof(text)), 4);
	close(ends[1]);
}

Test(http, a_long_refusal_is_one_too)
{
	// The server goes on sending when the client has had enough.
	static char page[(17 << 20) + 1];
	const size_t size = sizeof(page) - 1;
	const struct scripted_answer answers[] = {
		{ .head = "HTTP/1.1 502 Bad Gateway", page + size - 100000 },
		{ .head = "HTTP/1.1 404 Not Found", page },
	};

	memset(page, '<', size);
	serve(answers, array_size(answers));
	expect_failure(download(5, NULL, ""), "HTTP 404");
	cr_expect_eq(server->requests, 2);
}

Test(http, asks_elsewhere_for_a_file_that_is_not_public)
{
	static const struct {
		struct scripted_answer first;
		size_t requests;
		const char *words;
	} rows[] = {
		{ { .head = OK, "file" }, 1, NULL },
		{ { .head = "HTTP/1.1 404 Not Found" }, 2, NULL },
		{ { .head = OK "\r\nContent-Type: text/html; charset=utf-8",
		    "Sign in" },
		  2,
		  NULL },
		{ { .head = OK "\r\nContent-Type: text/plain", "else" },
		  1,
		  "digest" },
	};

	// Of "file".
	static const char digest[] =
		"3b9c358f36f0a31b6ad3e14f309c7cf198ac9246e8316f9ce543d5b19ac02b80";

	for (size_t i = 0; i < array_size(rows); i++) {
		const struct scripted_answer answers[] = {
			rows[i].first, { .head = OK, "file" }
		};

		serve(answers, 2);
		_cleanup_free_ char *url = string_format("%s/api", server->url);
		const struct http_request request = { .url = server->url,
						      .private_url = url,
						      .token = "secret" };

		expect_outcome(expect_stream(http_open(http, &request, 4, digest),
					     "file"),
			       rows[i].words);
		cr_expect_eq(server->requests, rows[i].requests);
		cr_expect_not(has_header(0, "secret"));
		if (rows[i].requests == 2) {
			cr_expect(has_header(1, "GET /api HTTP"));
			cr_expect(has_header(1, "Authorization: Bearer secret"));
		}
	}
}

Test(http, takes_no_page_for_a_file_from_the_last_place)
{
	static const struct scripted_answer page = {
		.head = OK "\r\nContent-Type: text/html", "Sign in"
	};
	const struct scripted_answer answers[] = { page, page };

	serve(answers, 2);
	_cleanup_free_ char *url = string_format("%s/api", server->url);
	const struct http_request request = { .url = server->url,
					      .private_url = url };

	expect_failure(expect_stream(http_open(http, &request, 0, NULL), ""),
		       "blocked");
	cr_expect_eq(server->requests, 2);
}

Test(http, sends_the_token_to_its_own_host_only)
{
	static const struct scripted_answer other_answers[] = {
		{ .head = OK "\r\nConnection: close", "file" },
	};
	// Another port is another host, as is another name of the same one.
	static const char *const hosts[] = { "127.0.0.1", "localhost" };
	struct scripted_server *other = scripted_server_start(other_answers, 1);
	const char *port = strrchr(other->url, ':');

	for (size_t i = 0; i < array_size(hosts); i++) {
		_cleanup_free_ char *head =
			string_format("HTTP/1.1 302 Found\r\n"
				      "Location: http://%s%s/signed",
				      hosts[i], port);
		struct scripted_answer answer = { .head = head };

		serve(&answer, 1);
		expect_body((struct http_request){ .token = "secret" }, "file");
		cr_expect(has_header(0, "Bearer secret"));
		cr_expect_not(strcasestr(other->log[i], "Authorization"), "%s",
			      other->log[i]);
	}
	scripted_server_stop(other);
}

Test(http, bounds_what_it_takes_and_where_it_goes)
{
	// clang-format off
	static const struct {
		const char *head, *words;
		size_t most_requests;
		struct http_request request;
	} cases[] = {
		{ OK, "larger than 4 bytes", 1, { .limit_bytes = 4 } },
		{ OK, "rotocol", 0, { .url = "file:///etc/passwd" } },
		{ "HTTP/1.1 302 Found\r\nLocation: /again", "redirects", 9, { 0 } },
		{ "HTTP/1.1 302 Found\r\nLocation: file:///etc/passwd", "rotocol", 1, { 0 } },
		{ "HTTP/1.1 302 Found\r\nLocation: ftp://127.0.0.1/x", "rotocol", 1, { 0 } },
	};
	// clang-format on

	for (size_t i = 0; i < array_size(cases); i++) {
		struct scripted_answer answer = { .head = cases[i].head, "12345" };
		_cleanup_http_response_ struct http_response response = { 0 };

		serve(&answer, 1);
		expect_failure(ask(cases[i].request, &response), cases[i].words);
		cr_expect_leq(server->requests, cases[i].most_requests);
	}
}

static const char digest_of_file[] =
	"84d89877f0d4041efb6bf91a16f0248f2fd573e6af05c19f96bedb9f882f7882";

#define LAST_MODIFIED "Last-Modified: Tue, 01 Jul 2025 00:00:00 GMT"

Test(http, streams_the_whole_file_or_says_why_not)
{
	// clang-format off
	static const struct {
		const char *claim;
		struct scripted_answer answers[4];
		uint64_t size;
		const char *digest;
		/** What came, or, if it is NULL, what the error says. */
		const char *text;
		const char *words;
		/** What the last request asks for; NULL if for no part. */
		const char *range, *if_range;
	} cases[] = {
		{ "taken up where it broke",
		  { { .head = OK "\r\nETag: \"1\"", "0123456789", .cut = 4 },
		    { .head = "HTTP/1.1 503 Busy\r\nRetry-After: 0", "no file" },
		    { .head = "HTTP/1.1 206 Part\r\nContent-Range: bytes 4-9/10",
		      "456789", .cut = 3 },
		    { .head = "HTTP/1.1 206 Part\r\nContent-Range: bytes 7-9/10", "789" } },
		  10, digest_of_file, "0123456789", NULL,
		  "\r\nRange: bytes=7-\r\n", "\r\nIf-Range: \"1\"\r\n" },
		{ "a date in place of an ETag",
		  { { .head = OK "\r\n" LAST_MODIFIED, "0123456789", .cut = 4 },
		    { .head = "HTTP/1.1 206 Part\r\nContent-Range: bytes 4-9/10", "456789" } },
		  0, NULL, "0123456789", NULL,
		  "\r\nRange: bytes=4-\r\n", "\r\nIf-Range: Tue, 01 Jul" },
		{ "no ranges: reads over what it has",
		  { { .head = OK, "0123456789", .cut = 4 },
		    { .head = OK, "0123456789", .cut = 2 },
		    { .head = OK, "0123456789" } },
		  0, digest_of_file, "0123456789", NULL, "\r\nRange: bytes=4-\r\n", NULL },
		{ "a wrong range is not asked for again",
		  { { .head = OK "\r\n" LAST_MODIFIED, "0123456789", .cut = 4 },
		    { .head = "HTTP/1.1 206 Part\r\nContent-Range: bytes 5-9/10", "56789" },
		    { .head = OK "\r\n" LAST_MODIFIED, "0123456789" } },
		  0, NULL, "0123456789", NULL, NULL, NULL },
		{ "broken at its very end",
		  { { .head = OK "\r\nETag: \"1\"\r\nTransfer-Encoding: chunked",
		      "a\r\n0123456789\r\n", .cut = 15 },
		    { .head = "HTTP/1.1 416 Range\r\nContent-Range: bytes */10" } },
		  0, NULL, "0123456789", NULL, "\r\nRange: bytes=10-\r\n", NULL },
		{ "nothing", { { .head = OK, "" } }, 0, NULL, "", NULL, NULL, NULL },
		{ "another file meanwhile",
		  { { .head = OK "\r\nETag: \"1\"", "0123456789", .cut = 4 },
		    { .head = OK "\r\nETag: \"2\"", "abcdefghij" } },
		  0, NULL, NULL, "changed while", "\r\nRange: bytes=4-\r\n", NULL },
		{ "the digest of another file", { { .head = OK, "0123456788" } },
		  10, digest_of_file, NULL, "digest is", NULL, NULL },
		{ "shorter, which 416 tells",
		  { { .head = OK, "01234" },
		    { .head = "HTTP/1.1 416 Range\r\nContent-Range: bytes */5" } },
		  10, digest_of_file, NULL, "has 5 bytes, there should be 10",
		  "\r\nRange: bytes=5-\r\n", NULL },
		{ "longer", { { .head = OK, "0123456789" } },
		  5, NULL, NULL, "more than the 5 bytes", NULL, NULL },
		{ "an error",
		  { { .head = "HTTP/1.1 404 Not Found", "{\"message\":\"Nope\"}" } },
		  5, NULL, NULL, "HTTP 404: Nope", NULL, NULL },
	};
	// clang-format on

	for (size_t i = 0; i < array_size(cases); i++) {
		size_t count = 0;

		while (count < array_size(cases[i].answers) &&
		       cases[i].answers[count].head)
			count++;
		serve(cases[i].answers, count);
		struct error *err =
			download(cases[i].size, cases[i].digest, cases[i].text);

		expect_outcome(err, cases[i].words);
		cr_assert_eq(server->requests, count, "%s", cases[i].claim);
		cr_expect(cases[i].range ? has_header(count - 1, cases[i].range)
					 : !has_header(count - 1, "Range:"),
			  "%s", cases[i].claim);
		cr_expect(!cases[i].if_range ||
				  has_header(count - 1, cases[i].if_range),
			  "%s", cases[i].claim);
	}
}

Test(http, keeps_what_it_has_no_room_for)
{
	enum {
		LARGE = 5 << 20
	};
	_cleanup_free_ char *body = malloc(LARGE + 1);
	struct scripted_answer answer = { .head = OK, body };

	for (size_t i = 0; i < LARGE; i++)
		body[i] = (char)('a' + i % 23);
	body[LARGE] = '\0';
	serve(&answer, 1);
	cr_assert_null(download(LARGE, NULL, body));
}

Test(http, a_stream_ends_where_no_file_of_its_kind_does)
{
	static const struct scripted_answer answers[] = {
		{ .head = OK, "0123456789" },
		{ .head = OK, "0123456789" },
	};
	struct http_request request = { .limit_bytes = 10 };

	serve(answers, 2);
	request.url = server->url;
	expect_success(expect_stream(http_open(http, &request, 0, NULL),
				     "0123456789"));
	request.limit_bytes = 9;
	expect_failure(expect_stream(http_open(http, &request, 0, NULL), NULL),
		       "more than 9 bytes");
}

Test(http, is_free_again_after_a_stream_is_closed)
{
	static const struct scripted_answer answers[] = {
		{ .head = OK, "0123456789", .cut = 4, .stall = true },
		{ .head = OK, "x" },
	};
	struct http_request request = { 0 };
	struct stream *stream;
	const void *data;
	size_t size;

	serve(answers, 2);
	request.url = server->url;
	stream = http_open(http, &request, 0, NULL);
	cr_assert_null(stream_read(stream, &data, &size));
	cr_expect_eq(size, 4);
	stream_close(stream);
	expect_body((struct http_request){ 0 }, "x");
}

Test(http, ends_at_once_when_interrupted)
{
	static const struct scripted_answer answers[] = {
		{ .head = "HTTP/1.1 503 Busy\r\nRetry-After: 4" },
		{ .head = OK, "12345", .cut = 2, .stall = true },
	};

	interrupt_catch();
	terminate_soon();
	serve(answers, 2);
	// While it waits to try again, and then with the signal there already.
	for (int i = 0; i < 2; i++) {
		_cleanup_http_response_ struct http_response response = { 0 };
		uint64_t start_ms = monotonic_ms();
		struct error *err = ask((struct http_request){ 0 }, &response);

		cr_expect(error_catch(&err, ERROR_CANCELLED));
		cr_expect_lt(monotonic_ms() - start_ms, 600);
	}
}
