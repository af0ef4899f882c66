// SPDX-License-Identifier: LGPL-2.1-or-later

#include "common/github/github.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/error.h"
#include "common/base/system.h"
#include "common/http/http.h"
#include "common/store/store.h"
#include "tests/unit/common/github/github_stand_in.h"

#define NAME "kernel-6.12.1-vmtest1.1default.x86_64.tar.zst"
#define STORE "github:octo/kernels@kernels"

enum {
	/** That of the stand-in's clients, for how long a starter is watched. */
	STALL_MS = 2000,
};

TestSuite(github_upload, .init = github_stand_in_start,
	  .fini = github_stand_in_stop, .timeout = 120);

static void expect_one_asset(void)
{
	_cleanup_asset_list_ struct asset_list list = { 0 };

	expect_success(store_list(the_store, &list), "list");
	cr_assert_eq(list.count, 1);
	cr_expect_str_eq(list.items[0].name, NAME);
}

/** Somebody else, who puts the same file. */
static void *other_puts(void *arg)
{
	_cleanup_http_ struct http *client = make_client(10 * STALL_MS);
	_cleanup_store_ struct store *store = NULL;

	(void)arg;
	expect_success(store_create(STORE, client, &store), "other's store");
	expect_success(put_text_into(store, NAME, "0123456789"), "other's put");
	return NULL;
}

/** Put while another, who began before, takes so long to send ten bytes. */
static uint64_t put_beside(const char *bytes_per_second)
{
	uint64_t start_ms;
	pthread_t thread;

	// The release is there, so that both only put.
	expect_success(store_describe(the_store, "# Kernels\n"), "page");
	set("{'faults': [{'kind': 'slow', 'endpoint': 'uploads',"
	    " 'direction': 'request', 'bytes_per_second': %s},"
	    " {'kind': 'none', 'count': -1, 'endpoint': 'uploads'}]}",
	    bytes_per_second);
	cr_assert_eq(pthread_create(&thread, NULL, other_puts, NULL), 0);
	usleep(700000);
	start_ms = monotonic_ms();
	expect_success(put_text(NAME, "0123456789"), "put");
	cr_assert_eq(pthread_join(thread, NULL), 0);
	return monotonic_ms() - start_ms;
}

/** How many uploads there were after the first. */
static int later_uploads(void)
{
	_cleanup_free_ char *state = control("{}");
	const char *second = strstr(state, "\"kind\": \"none\"");
	int count;

	cr_assert(second);
	cr_assert_eq(sscanf(strstr(second, "\"fired\""), "\"fired\": %d", &count),
		     1);
	return count;
}

Test(github_upload, lets_another_upload_of_the_file_end)
{
	put_beside("8");
	expect_one_asset();
	// That the name is taken is what starts the watch.
	cr_expect_eq(later_uploads(), 1);
}

Test(github_upload, replaces_an_upload_that_does_not_end)
{
	// Five seconds, and then nothing is there for which they were.
	put_beside("2");
	expect_one_asset();
	cr_expect_eq(later_uploads(), 2);
}

Test(github_upload, replaces_what_a_dead_one_has_left_in_time)
{
	struct error *err;
	uint64_t start_ms;

	set("{'faults': [{'kind': 'starter', 'endpoint': 'uploads',"
	    " 'count': -1}]}");
	err = put_text(NAME, "0123456789");
	cr_assert(err);
	error_destroy(err);
	set("{'faults': []}");
	start_ms = monotonic_ms();
	expect_success(put_text(NAME, "0123456789"), "put");
	cr_expect_lt(monotonic_ms() - start_ms, 3 * STALL_MS);
	expect_one_asset();
}

Test(github_upload, is_sent_once_for_each_look)
{
	// The connection is kept, and then dies with the second file.
	expect_success(put_text("first.tar.zst", "0123456789"), "first");
	set("{'faults': [{'kind': 'cut_request',"
	    " 'endpoint': 'uploads'},"
	    " {'kind': 'none', 'count': -1,"
	    " 'endpoint': 'uploads'}]}");
	expect_success(put_text(NAME, "0123456789"), "second");
	cr_expect_eq(later_uploads(), 1);
}

Test(github_upload, looks_until_what_has_the_name_shows)
{
	_cleanup_store_ struct store *other = NULL;

	set("{'unseen_seconds': 3}");
	expect_success(store_create(STORE, the_http, &other), "other's store");
	expect_success(put_text_into(other, NAME, "0123456789"), "other's put");
	expect_success(put_text(NAME, "0123456789"), "put");
	expect_one_asset();
}

Test(github_upload, gives_up_after_the_limit)
{
	struct error *err;
	uint64_t start_ms = monotonic_ms();

	set("{'faults': [{'kind': 'status', 'status': 500,"
	    " 'endpoint': 'uploads', 'count': -1}]}");
	err = put_text(NAME, "0123456789");
	cr_assert(error_is(err, ERROR_RETRY));
	cr_expect(strstr(error_message(err), "HTTP 500"));
	error_destroy(err);
	cr_expect_lt(monotonic_ms() - start_ms, 30000);
}

Test(github_upload, does_not_ask_again_while_it_is_limited)
{
	struct error *err;

	set("{'faults': [{'kind': 'status', 'status': 403,"
	    " 'headers': {'retry-after': '60'},"
	    " 'endpoint': 'uploads'},"
	    " {'kind': 'none', 'endpoint': 'uploads'}]}");
	err = put_text(NAME, "0123456789");
	cr_assert(error_is(err, ERROR_LIMITED));
	error_destroy(err);
	cr_expect_eq(later_uploads(), 0);
}

Test(github_upload, fetches_an_asset_without_a_digest_to_know_it)
{
	static const struct {
		const char *fault, *text, *words;
	} rows[] = {
		{ "", "0123456789", NULL },
		{ "", "another", "another digest" },
		{ "", "9876543210", "another digest" },
		// What cannot be looked at is not another file.
		{ "{'kind': 'status', 'status': 404, 'endpoint': 'downloads'}",
		  "0123456789", "404" },
	};

	set("{'digests_dropped': true}");
	expect_success(put_text(NAME, "0123456789"), "first");
	for (size_t i = 0; i < array_size(rows); i++) {
		set("{'faults': [%s]}", rows[i].fault);
		_cleanup_error_ struct error *err = put_text(NAME, rows[i].text);
		if (!rows[i].words) {
			cr_assert_null(err);
			continue;
		}
		expect_words(err, rows[i].words);
		cr_expect_eq(error_is(err, ERROR_EXISTS), !*rows[i].fault);
	}
	expect_one_asset();
}

Test(github_upload, looks_when_the_answer_is_damaged)
{
	set("{'faults': [{'kind': 'malformed_json',"
	    " 'endpoint': 'uploads'},"
	    " {'kind': 'none', 'endpoint': 'uploads'}]}");
	expect_success(put_text(NAME, "0123456789"), "put");
	cr_expect_eq(later_uploads(), 0);
	expect_one_asset();
}
