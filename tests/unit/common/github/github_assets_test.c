// SPDX-License-Identifier: LGPL-2.1-or-later

#include "common/github/github_assets.h"

#include <criterion/criterion.h>

#include "common/base/error.h"
#include "common/github/github.h"
#include "common/store/store.h"
#include "tests/unit/common/github/github_stand_in.h"

TestSuite(github_assets, .init = github_stand_in_start,
	  .fini = github_stand_in_stop, .timeout = 120);

static struct github github;

static void put(const char *name)
{
	struct error *err = put_text(name, name);

	cr_assert(!err, "%s", error_message(err));
}

/** Two assets, and an upload that has broken off. */
static void make_release(void)
{
	struct error *err;

	put("kernel-1.tar.zst");
	put("kernel-2.tar.zst");
	set("{\"faults\": [{\"kind\": \"starter\", \"endpoint\": \"uploads\","
	    " \"count\": -1}]}");
	err = put_text("kernel-3.tar.zst", "x");
	cr_assert(err);
	error_destroy(err);
	set("{\"faults\": []}");
	cr_assert_null(github_init(&github, "octo/kernels@kernels", the_http));
	cr_assert_null(github_find_release(&github));
}

Test(github_assets, are_shown_by_the_release_when_whole_and_listed_in_any_state)
{
	_cleanup_github_assets_ struct github_assets assets = { 0 };

	make_release();
	cr_expect_eq(github.release.assets.count, 2);
	cr_assert_null(github_list_assets(&github, &assets));
	cr_expect_eq(assets.uploaded.count, 2);
	cr_assert_eq(assets.starters.count, 1);
	cr_expect_str_eq(assets.starters.items[0].name, "kernel-3.tar.zst");
	github_deinit(&github);
}

Test(github_assets, that_are_not_ours_take_room)
{
	_cleanup_asset_list_ struct asset_list list = { 0 };
	static const char *const headers[] = {
		"Content-Type: application/octet-stream",
		NULL,
	};
	_cleanup_http_response_ struct http_response response = { 0 };
	_cleanup_free_ char *url = NULL;
	struct http_request request = {
		.method = "POST",
		.headers = headers,
		.token = "write-token",
		.body = "x",
		.body_size_bytes = 1,
	};
	struct store_room room;

	make_release();
	cr_assert_gt(asprintf(&url, "%s?name=SHA256SUMS",
			      github.release.upload_url),
		     0);
	request.url = url;
	cr_assert_null(http_perform(the_http, &request, &response));
	cr_assert_eq(response.status, 201);
	cr_assert_null(store_list(the_store, &list));
	cr_expect_eq(list.count, 2);
	store_get_room(the_store, &room);
	cr_expect_eq(room.used, 3);
	cr_expect_eq(room.limit, GITHUB_ASSETS_MAX);
	github_deinit(&github);
}
