// SPDX-License-Identifier: LGPL-2.1-or-later

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/base/memory.h"
#include "common/base/system.h"
#include "common/base/text.h"
#include "common/http/http.h"
#include "common/store/store.h"
#include "tests/unit/common/store/github_stand_in.h"
#include "tests/unit/errors.h"

#define NAME "kernel-6.12.1-vmtest1.1default.x86_64.tar.zst"

enum {
	/** That of the stand-in's clients, for how long a starter is watched. */
	STALL_MS = 2000,
};

TestSuite(store_github, .init = github_stand_in_start,
	  .fini = github_stand_in_stop, .timeout = 120);

static struct error *get(const struct asset *asset, const char *expected)
{
	struct stream *stream;
	struct error *err = store_open(the_store, asset, &stream);

	return err ? err : expect_stream(stream, expected);
}

static void expect_one_asset(const char *text, const char *claim)
{
	_cleanup_asset_list_ struct asset_list list = { 0 };

	expect_success(store_list(the_store, &list));
	cr_assert_eq(list.count, 1, "%s", claim);
	cr_expect_str_eq(list.items[0].name, NAME);
	cr_expect_eq(list.items[0].size_bytes, strlen(text));
	expect_success(get(&list.items[0], text));
}

Test(store_github, gives_back_what_was_put)
{
	_cleanup_asset_list_ struct asset_list before = { 0 };
	_cleanup_free_ char *state = NULL;

	expect_success(store_list(the_store, &before));
	cr_expect_eq(before.count, 0);
	expect_success(put_text(NAME, "package"));
	expect_one_asset("package", "with a token");
	// The same again is no error, another file is.
	expect_success(put_text(NAME, "package"));
	expect_kind(put_text(NAME, "another"), ERROR_EXISTS, "another digest");
	state = control("{}");
	cr_expect(strstr(state, "\"leaked_authorizations\": 0"), "%s", state);
	cr_expect(strstr(state, "\"errors\": 0"), "%s", state);
	open_store("github:octo/kernels@kernels", NULL);
	expect_one_asset("package", "without a token");
}

/** How many uploads there were after those that met the first fault. */
static int later_uploads(void)
{
	_cleanup_free_ char *state = control("{}");
	const char *none = strstr(state, "\"kind\": \"none\"");
	int count;

	cr_assert(none);
	cr_assert_eq(sscanf(strstr(none, "\"fired\""), "\"fired\": %d", &count),
		     1);
	return count;
}

Test(store_github, puts_whatever_happens_on_the_way)
{
	static const struct {
		const char *fault;
		/** To the uploads' endpoint. */
		int later;
	} rows[] = {
		{ "{'kind': 'status', 'status': 502, 'endpoint': 'uploads'}", 1 },
		{ "{'kind': 'lost_answer', 'endpoint': 'uploads'}", 0 },
		{ "{'kind': 'malformed_json', 'endpoint': 'uploads'}", 0 },
		{ "{'kind': 'starter', 'endpoint': 'uploads'}", 1 },
		// The connection is kept, and then dies with the second file.
		{ "{'kind': 'cut_request', 'endpoint': 'uploads'}", 1 },
		{ "{'kind': 'close', 'endpoint': 'uploads'}", 1 },
		{ "{'kind': 'close', 'endpoint': 'api'}", 1 },
		{ "{'kind': 'lost_answer', 'method': 'POST', 'endpoint': 'api'}",
		  1 },
		{ "{'kind': 'status', 'status': 403, 'headers': {'retry-after': '1'}, 'endpoint': 'uploads'}",
		  1 },
		{ "{'kind': 'starter', 'endpoint': 'uploads', 'count': 3}", 1 },
	};

	for (size_t i = 0; i < array_size(rows); i++) {
		_cleanup_free_ char *name =
			string_format("github:octo/kernels@tag-%zu", i);

		open_store(name, "write-token");
		set("{'faults': [%s, {'kind': 'none', 'count': -1, 'endpoint': 'uploads'}]}",
		    rows[i].fault);
		expect_success(put_text(NAME, "package"));
		cr_expect_eq(later_uploads(), rows[i].later, "%s", rows[i].fault);
		expect_one_asset("package", rows[i].fault);
	}
}

Test(store_github, gives_up_after_the_limit_and_while_it_is_limited)
{
	static const struct {
		const char *fault;
		enum error_kind kind;
		const char *words;
	} rows[] = {
		{ "'status': 500, 'count': -1", ERROR_RETRY, "HTTP 500" },
		{ "'status': 403, 'headers': {'retry-after': '60'}",
		  ERROR_OTHER, "HTTP 403" },
	};

	for (size_t i = 0; i < array_size(rows); i++) {
		uint64_t start_ms = monotonic_ms();

		set("{'faults': [{'kind': 'status', 'endpoint': 'uploads', %s},"
		    " {'kind': 'none', 'endpoint': 'uploads'}]}",
		    rows[i].fault);
		expect_kind(put_text(NAME, "package"), rows[i].kind,
			    rows[i].words);
		cr_expect_eq(later_uploads(), 0);
		cr_expect_lt(monotonic_ms() - start_ms, 30000);
	}
}

Test(store_github, lets_another_upload_of_the_file_end_or_replaces_it)
{
	static const struct {
		int bytes_per_second;
		int later;
	} rows[] = {
		// That the name is taken is what starts the watch.
		{ 8, 1 },
		// Five seconds, and then nothing is there for which they were.
		{ 2, 2 },
	};

	for (size_t i = 0; i < array_size(rows); i++) {
		_cleanup_free_ char *name =
			string_format("github:octo/kernels@tag-%zu", i);

		open_store(name, "write-token");
		// The release is there, so that both only put.
		expect_success(store_describe(the_store, "# Kernels\n"));
		set("{'faults': [{'kind': 'slow', 'endpoint': 'uploads',"
		    " 'direction': 'request', 'bytes_per_second': %d},"
		    " {'kind': 'none', 'count': -1, 'endpoint': 'uploads'}]}",
		    rows[i].bytes_per_second);
		put_beside(NAME, NAME, "0123456789", 700000);
		expect_one_asset("0123456789", "afterwards");
		cr_expect_eq(later_uploads(), rows[i].later);
	}
}

Test(store_github, replaces_what_a_dead_one_has_left_in_time)
{
	set("{'faults': [{'kind': 'starter', 'endpoint': 'uploads',"
	    " 'count': -1}]}");
	expect_failure(put_text(NAME, "0123456789"), NAME);
	set("{'faults': []}");
	uint64_t start_ms = monotonic_ms();
	expect_success(put_text(NAME, "0123456789"));
	cr_expect_lt(monotonic_ms() - start_ms, 3 * STALL_MS);
	expect_one_asset("0123456789", "afterwards");
}

Test(store_github, looks_until_what_has_the_name_shows)
{
	set("{'unseen_seconds': 3}");
	put_beside(NAME, NAME, "0123456789", 1000000);
	expect_one_asset("0123456789", "afterwards");
}

Test(store_github, fetches_an_asset_without_a_digest_to_know_it)
{
	static const struct {
		const char *fault, *text, *words;
		bool exists;
	} rows[] = {
		{ "", "0123456789", NULL, false },
		{ "", "another", "another digest", true },
		{ "", "9876543210", "another digest", true },
		// What cannot be looked at is not another file.
		{ "{'kind': 'status', 'status': 404, 'count': 2,"
		  " 'endpoint': 'downloads'}",
		  "0123456789", "404", false },
	};

	set("{'digests_dropped': true}");
	expect_success(put_text(NAME, "0123456789"));
	for (size_t i = 0; i < array_size(rows); i++) {
		set("{'faults': [%s]}", rows[i].fault);
		struct error *err = put_text(NAME, rows[i].text);

		cr_expect_eq(error_is(err, ERROR_EXISTS), rows[i].exists);
		expect_outcome(err, rows[i].words);
	}
	expect_one_asset("0123456789", "afterwards");
}

Test(store_github, takes_a_download_up_where_it_broke_and_sees_damage)
{
	_cleanup_asset_list_ struct asset_list list = { 0 };

	expect_success(put_text(NAME, "0123456789"));
	set("{'faults': [{'kind': 'cut_response', 'endpoint': 'downloads',"
	    " 'percent': 40, 'count': 2}]}");
	expect_one_asset("0123456789", "cut");
	expect_success(store_list(the_store, &list));
	set("{'faults': [{'kind': 'corrupt', 'endpoint': 'downloads'}]}");
	expect_failure(get(&list.items[0], ""), "digest is");
}

/** From now on the token is good for so many requests. */
static void allow_requests(int count)
{
	set("{'rate_limits': {'token': %d}}", count);
}

Test(store_github, takes_one_request_to_list_and_two_to_put)
{
	enum {
		COUNT = 103
	};
	_cleanup_asset_list_ struct asset_list list = { 0 }, after = { 0 };

	expect_success(store_describe(the_store, "# Kernels\n"));
	for (int i = 0; i < COUNT; i++) {
		_cleanup_free_ char *name =
			string_format("kernel-%03d.tar.zst", i);

		allow_requests(2);
		expect_success(put_text(name, "x"));
	}
	allow_requests(1);
	expect_success(put_text("kernel-102.tar.zst", "x"));
	allow_requests(1);
	expect_success(store_list(the_store, &list));
	cr_expect_eq(list.count, COUNT);
	cr_expect_str_eq(list.items[COUNT - 1].name, "kernel-102.tar.zst");
	allow_requests(1);
	expect_success(store_delete(the_store, &list.items[0]));
	allow_requests(1);
	expect_success(store_delete(the_store, &list.items[0]));
	// What is on the second page is found without another upload.
	set("{'rate_limits': {'token': 5000}, 'faults': ["
	    "{'kind': 'lost_answer', 'endpoint': 'uploads'},"
	    " {'kind': 'none', 'endpoint': 'uploads'}]}");
	expect_success(put_text(NAME, "package"));
	cr_expect_eq(later_uploads(), 0);
	expect_success(store_list(the_store, &after));
	cr_expect_eq(after.count, COUNT);
}

Test(store_github, takes_no_request_to_get_what_is_public)
{
	static const struct {
		const char *is_private, *token;
		int requests;
		const char *words;
	} rows[] = {
		{ "false", "read-token", 0, NULL },
		{ "false", NULL, 0, NULL },
		{ "true", "read-token", 1, NULL },
		{ "true", NULL, 0, "HTTP 404" },
	};
	_cleanup_asset_list_ struct asset_list list = { 0 };

	expect_success(put_text(NAME, "package"));
	expect_success(store_list(the_store, &list));
	for (size_t i = 0; i < array_size(rows); i++) {
		set("{'repositories': {'octo/kernels': {'private': %s}},"
		    " 'rate_limits': {'token': %d, 'anonymous': 0}}",
		    rows[i].is_private, rows[i].requests);
		open_store("github:octo/kernels@kernels", rows[i].token);
		expect_outcome(get(&list.items[0], "package"), rows[i].words);
	}
}

Test(store_github, names_the_cure)
{
	static const struct {
		const char *store, *token, *words;
	} cases[] = {
		{ "github:octo/kernels@t", "wrong", "make a new one" },
		{ "github:octo/kernels@t", "read-token", "contents: write" },
		{ "github:octo/nothing@t", "write-token", "repository's name" },
		{ "github:octo/kernels@t", NULL, "set GITHUB_TOKEN" },
	};

	for (size_t i = 0; i < array_size(cases); i++) {
		open_store(cases[i].store, cases[i].token);
		expect_failure(put_text(NAME, "package"), cases[i].words);
	}
	open_store("github:octo/nothing@t", NULL);
	expect_kind(store_check_writable(the_store), ERROR_USAGE,
		    "set GITHUB_TOKEN");
	_cleanup_asset_list_ struct asset_list list = { 0 };
	expect_failure(store_list(the_store, &list), "repository's name");
}

/** Both what is wrong and what helps. */
static void expect_refusal(const char *wrong, const char *cure)
{
	struct error *err = put_text(NAME, "package");

	cr_assert(err, "%s", wrong);
	cr_expect(strstr(error_message(err), wrong), "%s", error_message(err));
	expect_failure(err, cure);
}

Test(store_github, names_the_cure_of_what_only_github_itself_says)
{
	// clang-format off
	static const struct {
		const char *endpoint;
		int status;
		const char *body, *first, *second;
	} cases[] = {
		{ "api", 403, "{'message': 'Repository was archived so is read-only.'}",
		  "HTTP 403: Repository was archived", "unarchive it" },
		{ "api", 422, "{'message': 'Validation Failed', 'errors': [{'code': 'custom',"
			      " 'message': 'pre_receive Repository rule violations found'}]}",
		  "HTTP 422: Validation Failed: pre_receive", "rules" },
		{ "api", 422, "{'message': 'Validation Failed', 'errors': [{'code': 'custom',"
			      " 'message': 'tag_name was used by an immutable release'}]}",
		  "tag_name was used", "use another tag" },
		{ "uploads", 422, "{'message': 'Cannot upload assets to an immutable release.'}",
		  "HTTP 422: Cannot upload", "use another tag" },
		{ "uploads", 403, "{'message': 'Resource not accessible by personal access token'}",
		  "HTTP 403: Resource not accessible", "contents: write" },
	};
	// clang-format on

	for (size_t i = 0; i < array_size(cases); i++) {
		_cleanup_free_ char *name =
			string_format("github:octo/kernels@cure-%zu", i);
		char body[256] = "";

		// JSON within JSON: the inner quotes are escaped.
		for (const char *p = cases[i].body; *p; p++) {
			const char one[2] = { *p, '\0' };

			strcat(body, *p == '\'' ? "\\\"" : one);
		}
		open_store(name, "write-token");
		set("{'faults': [{'kind': 'status', 'status': %d,"
		    " 'endpoint': '%s', 'method': 'POST', 'body': '%s'}]}",
		    cases[i].status, cases[i].endpoint, body);
		expect_refusal(cases[i].first, cases[i].second);
	}
	set("{'repositories': {'octo/kernels': {'immutable': true}}, 'faults': []}");
	open_store("github:octo/kernels@kernels", "write-token");
	expect_refusal("immutable", "use another tag");
}

Test(store_github, refuses_a_file_that_is_too_large_before_it_reads_it)
{
	static const struct {
		off_t size;
		const char *words;
	} cases[] = {
		{ 0, "is empty" },
		{ (off_t)1 << 31, "has 2147483648 bytes; GitHub takes less" },
		// Whoever reads it does not come back.
		{ (off_t)1 << 40, "GitHub takes less than 2 GiB" },
	};

	for (size_t i = 0; i < array_size(cases); i++) {
		FILE *file = fopen(NAME, "we");

		cr_assert(file);
		cr_assert_eq(ftruncate(fileno(file), cases[i].size), 0);
		expect_failure(store_put(the_store, NAME, NULL, NULL, NULL),
			       cases[i].words);
		fclose(file);
	}
}

Test(store_github, says_until_when_a_limit_lasts)
{
	static const struct {
		const char *settings, *words;
	} rows[] = {
		{ "{'rate_limits': {'token': 0}}",
		  "HTTP 403: the server's rate limit is used up until 20" },
		{ "{'rate_limits': {'token': 5000}, 'faults': [{'kind': 'status',"
		  " 'status': 429, 'headers': {'retry-after': '60'}}]}",
		  "HTTP 429: the server asks for a pause until 20" },
	};

	for (size_t i = 0; i < array_size(rows); i++) {
		_cleanup_asset_list_ struct asset_list list = { 0 };

		set("%s", rows[i].settings);
		expect_kind(store_list(the_store, &list), ERROR_OTHER,
			    rows[i].words);
	}
}

Test(store_github, refuses_what_github_would_not_say)
{
	static const char *const variants[][2] = {
		{ "hostile_json", "deep" },
		{ "hostile_json", "deep_object" },
		{ "hostile_json", "numbers" },
		{ "hostile_json", "types" },
		{ "hostile_json", "nulls" },
		{ "hostile_json", "names" },
		{ "hostile_json", "control" },
		{ "malformed_json", "cut" },
		{ "malformed_json", "garbage" },
		{ "malformed_json", "empty" },
		{ "malformed_json", "html" },
		{ "malformed_json", "encoding" },
		{ "malformed_json", "trailing" },
	};
	// An upload that has failed asks for the list of assets.
	static const char *const paths[] = { "/tags/", "/assets\\\\?per_page" };

	expect_success(put_text(NAME, "package"));
	for (size_t i = 0; i < 2 * array_size(variants); i++) {
		_cleanup_asset_list_ struct asset_list list = { 0 };

		set("{'faults': [{'kind': '%s', 'variant': '%s', 'path': '%s'},"
		    " {'kind': 'status', 'endpoint': 'uploads'}]}",
		    variants[i / 2][0], variants[i / 2][1], paths[i % 2]);
		expect_failure(i % 2 ? put_text("other.tar.zst", "package")
				     : store_list(the_store, &list),
			       "GitHub's answer");
	}
	expect_one_asset("package", "afterwards");
}

Test(store_github, bounds_what_it_reads)
{
	// The stand-in takes its time to make so much.
	_cleanup_http_ struct http *client = make_client(20000);
	_cleanup_store_ struct store *store = NULL;
	_cleanup_asset_list_ struct asset_list list = { 0 };

	expect_success(put_text(NAME, "package"));
	expect_success(
		store_create("github:octo/kernels@kernels", client, &store));
	set("{'faults': [{'kind': 'hostile_json', 'variant': 'long',"
	    " 'path': '/tags/'}]}");
	expect_failure(store_list(store, &list), "larger than");
}
