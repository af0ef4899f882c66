// SPDX-License-Identifier: LGPL-2.1-or-later

#include "common/store/store_github.h"

#include <criterion/criterion.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/memory.h"
#include "common/base/system.h"
#include "tests/unit/common/store/github_stand_in.h"
#include "tests/unit/errors.h"

TestSuite(store_github_release, .init = github_stand_in_start,
	  .fini = github_stand_in_stop, .timeout = 120);

static size_t count_assets(void)
{
	_cleanup_asset_list_ struct asset_list list = { 0 };

	expect_success(store_list(the_store, &list));
	return list.count;
}

/** What GitHub says of a part of the repository's releases. */
static struct value ask(const char *path)
{
	struct value answer;

	expect_success(github_call(&((struct store_github *)the_store)->github,
				   GITHUB_GET, NULL, &answer, "/releases%s",
				   path));
	return answer;
}

/** The same as text; free(). */
static char *ask_text(const char *path)
{
	_cleanup_value_ struct value answer = ask(path);

	return json_dumps(answer.json, 0);
}

/** A release that is not there is put into while somebody else does so, too. */
Test(store_github_release, ends_as_one_whoever_makes_it)
{
	static const struct {
		const char *settings, *tag;
		unsigned int later_us;
	} rows[] = {
		{ "{'creation_seconds': 1}", "one", 0 },
		// Neither of two shows at once.
		{ "{'creation_seconds': 1, 'unseen_seconds': 2}", "two", 0 },
		// It exists, and does not show.
		{ "{'creation_seconds': 0, 'unseen_seconds': 2}", "old", 1000000 },
	};

	for (size_t i = 0; i < array_size(rows); i++) {
		_cleanup_free_ char *name =
			string_format("github:octo/kernels@%s", rows[i].tag);
		_cleanup_free_ char *mark =
			string_format("\"tag_name\": \"%s\"", rows[i].tag);

		open_store(name, "write-token");
		set("%s", rows[i].settings);
		put_beside("other.tar.zst", "ours.tar.zst", "text",
			   rows[i].later_us);
		for (int tries = 0; count_assets() < 2 && tries < 40; tries++)
			usleep(100000);
		cr_expect_eq(count_assets(), 2);
		_cleanup_free_ char *releases = ask_text("?per_page=100");
		const char *first = strstr(releases, mark);
		cr_assert(first, "%s", releases);
		cr_expect_null(strstr(first + 1, mark), "%s", releases);
	}
}

Test(store_github_release,
     waits_until_what_it_has_made_shows_and_replaces_the_page)
{
	uint64_t start_ms = monotonic_ms();

	set("{'unseen_seconds': 2}");
	expect_success(store_describe(the_store, "# Kernels\n"));
	cr_expect_geq(monotonic_ms() - start_ms, 2000);
	_cleanup_free_ char *first = ask_text("/tags/kernels");
	cr_expect(strstr(first, "\"body\": \"# Kernels\\n\""), "%s", first);
	set("{'unseen_seconds': 0}");
	expect_success(store_describe(the_store, "# More\n"));
	_cleanup_free_ char *second = ask_text("/tags/kernels");
	cr_expect(strstr(second, "\"body\": \"# More\\n\""), "%s", second);
	open_store("github:octo/kernels@kernels", "write-token");
	expect_success(put_text("ours.tar.zst", "ours"));
	cr_expect_eq(count_assets(), 1);
}

Test(store_github_release, says_that_what_it_has_made_never_showed)
{
	set("{'unseen_seconds': 3600}");
	expect_kind(store_describe(the_store, "# Kernels\n"), ERROR_RETRY,
		    "does not show it yet");
}

/** Two assets, one that is not ours, and an upload that has broken off. */
static void make_release(struct github_release *ret)
{
	static const char *const headers[] = {
		"Content-Type: application/octet-stream",
		NULL,
	};

	expect_success(put_text("kernel-1.tar.zst", "1"));
	expect_success(put_text("kernel-2.tar.zst", "2"));
	set("{'faults': [{'kind': 'starter', 'endpoint': 'uploads', 'count': -1}]}");
	expect_failure(put_text("kernel-3.tar.zst", "x"), "kernel-3.tar.zst");
	set("{'faults': []}");
	_cleanup_value_ struct value answer = ask("/tags/kernels");
	expect_success(github_release_read(&answer, ret));
	_cleanup_free_ char *url =
		string_format("%s?name=SHA256SUMS", ret->upload_url);
	const struct http_request request = {
		.method = "POST",
		.url = url,
		.headers = headers,
		.token = "write-token",
		.body = "x",
		.body_size_bytes = 1,
	};
	_cleanup_http_response_ struct http_response response = { 0 };
	expect_success(http_perform(the_http, &request, &response));
	cr_assert_eq(response.status, 201);
}

Test(store_github_release,
     shows_assets_that_are_whole_and_lists_those_in_any_state)
{
	_cleanup_github_release_ struct github_release release = { 0 };
	_cleanup_asset_list_ struct asset_list assets = { 0 };
	struct store_room room;

	make_release(&release);
	cr_expect_eq(release.assets.count, 2);
	expect_success(store_github_list_all((struct store_github *)the_store,
					     &assets));
	cr_expect_eq(assets.count, 4);
	for (size_t i = 0; i < assets.count; i++)
		cr_expect_eq(assets.items[i].is_partial,
			     !strcmp(assets.items[i].name, "kernel-3.tar.zst"));
	// What is not ours takes room.
	cr_expect_eq(count_assets(), 2);
	store_get_room(the_store, &room);
	cr_expect_eq(room.used, 3);
	cr_expect_eq(room.limit, GITHUB_ASSETS_MAX);
}
