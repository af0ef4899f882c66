// SPDX-License-Identifier: LGPL-2.1-or-later

#include "common/github/github_assets.h"

#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/base/error.h"
#include "common/github/github_json.h"
#include "common/http/http.h"
#include "common/store/store.h"
#include "tests/unit/common/github/github_stand_in.h"

TestSuite(github_assets, .init = github_stand_in_start,
	  .fini = github_stand_in_stop, .timeout = 120);

#define STORE "github:octo/kernels@kernels"

static void put(const char *name)
{
	struct error *err = put_text(name, name);

	cr_assert(!err, "%s", error_message(err));
}

/** @return How many assets the store has. */
static size_t list(void)
{
	_cleanup_asset_list_ struct asset_list assets = { 0 };
	struct error *err = store_list(the_store, &assets);

	cr_assert(!err, "%s", error_message(err));
	return assets.count;
}

static void describe(void)
{
	struct error *err = store_describe(the_store, "# Kernels\n", NULL);

	cr_assert(!err, "%s", error_message(err));
}

/** Something that knows nothing of stores talks to GitHub. */
static struct http_response by_hand(const char *method, const char *base,
				    const char *path, const char *body)
{
	static const char *const headers[] = {
		"Content-Type: application/octet-stream",
		NULL,
	};
	_cleanup_free_ char *url = NULL;
	struct http_request request = {
		.method = method,
		.headers = headers,
		.token = "write-token",
		.body = body,
		.body_size_bytes = body ? strlen(body) : 0,
	};
	struct http_response response = { 0 };

	cr_assert_gt(asprintf(&url, "%s/repos/octo/kernels/releases/%s",
			      getenv(base), path),
		     0);
	request.url = url;
	cr_assert_null(http_perform(the_http, &request, &response));
	cr_assert_lt(response.status, 300, "%s: %s", url, response.body);
	return response;
}

static void delete_by_hand(uint64_t id)
{
	_cleanup_http_response_ struct http_response response = { 0 };
	char path[64];

	snprintf(path, sizeof(path), "assets/%" PRIu64, id);
	response = by_hand("DELETE", "GITHUB_API_URL", path, NULL);
}

static void put_by_hand(const char *name)
{
	_cleanup_http_response_ struct http_response found = { 0 };
	_cleanup_http_response_ struct http_response response = { 0 };
	_cleanup_github_release_ struct github_release release = { 0 };
	char path[64];

	found = by_hand(NULL, "GITHUB_API_URL", "tags/kernels", NULL);
	cr_assert_null(github_parse_release(found.body, found.body_size_bytes,
					    &release));
	snprintf(path, sizeof(path), "%" PRIu64 "/assets?name=%s", release.id,
		 name);
	response = by_hand("POST", "GITHUB_UPLOADS_URL", path, "x");
}

static struct error *drop(void *arg, const void *data, size_t size_bytes)
{
	(void)arg;
	(void)data;
	(void)size_bytes;
	return NULL;
}

/** From now on nobody gets a page of the list of assets. */
static void forbid_pages(void)
{
	set("{\"faults\": [{\"kind\": \"status\", \"status\": 418,"
	    " \"path\": \"/assets\\\\?\", \"method\": \"GET\","
	    " \"count\": -1}]}");
}

static void allow_pages(void)
{
	set("{\"faults\": []}");
}

/** Three assets and a page, as a run of the bot leaves them. */
static void make_release(const char *shown)
{
	_cleanup_free_ char *json = NULL;

	cr_assert_gt(asprintf(&json, "{\"embedded_assets\": %s}", shown), 0);
	set(json);
	put("kernel-1.tar.zst");
	put("kernel-2.tar.zst");
	put("kernel-3.tar.zst");
	list();
	describe();
}

Test(github_assets, is_one_request_once_described)
{
	make_release("2");
	forbid_pages();
	for (int i = 0; i < 3; i++)
		cr_expect_eq(list(), 3);
	// Another run finds what this one has left in its cache.
	open_store(STORE, "write-token");
	cr_expect_eq(list(), 3);
}

Test(github_assets, needs_no_cache_where_the_release_shows_all)
{
	make_release("1000");
	forbid_pages();
	// Answers to others are kept apart, so this one has none.
	open_store(STORE, NULL);
	cr_expect_eq(list(), 3);
}

Test(github_assets, asks_whoever_has_no_cache_where_it_shows_some)
{
	struct error *err;
	_cleanup_asset_list_ struct asset_list assets = { 0 };

	make_release("2");
	forbid_pages();
	open_store(STORE, NULL);
	err = store_list(the_store, &assets);
	cr_assert(err);
	error_destroy(err);
	allow_pages();
	cr_expect_eq(list(), 3);
}

Test(github_assets, stays_one_request_while_assets_are_downloaded)
{
	static const char *const shown[] = { "2", "1000" };

	for (size_t i = 0; i < array_size(shown); i++) {
		_cleanup_asset_list_ struct asset_list assets = { 0 };
		_cleanup_free_ char *name = NULL;

		cr_assert_gt(asprintf(&name, STORE "-%zu", i), 0);
		open_store(name, "write-token");
		make_release(shown[i]);
		// Each download counts, and so changes what GitHub answers.
		open_store(name, NULL);
		cr_assert_null(store_list(the_store, &assets));
		cr_assert_null(store_get(the_store, &assets.items[0], drop, NULL));
		open_store(name, "write-token");
		forbid_pages();
		cr_expect_eq(list(), 3);
		allow_pages();
	}
}

/** A run that died after this left no description, and so no seal. */
Test(github_assets, sees_what_was_put_or_deleted_without_a_description)
{
	static const char *const shown[] = { "2", "1000" };

	for (size_t i = 0; i < array_size(shown); i++) {
		_cleanup_asset_list_ struct asset_list assets = { 0 };
		_cleanup_free_ char *name = NULL;

		cr_assert_gt(asprintf(&name, STORE "-%zu", i), 0);
		open_store(name, "write-token");
		make_release(shown[i]);
		put("kernel-4.tar.zst");
		open_store(name, "write-token");
		cr_expect_eq(list(), 4);
		describe();
		cr_assert_null(store_list(the_store, &assets));
		cr_assert_null(store_delete(the_store, &assets.items[3]));
		open_store(name, "write-token");
		cr_expect_eq(list(), 3);
	}
}

/** By hand, or by a program that knows nothing of seals. */
Test(github_assets, sees_what_others_change_where_the_release_shows_it)
{
	_cleanup_asset_list_ struct asset_list assets = { 0 };

	make_release("1000");
	cr_assert_null(store_list(the_store, &assets));
	delete_by_hand(assets.items[2].id);
	cr_expect_eq(list(), 2);
	describe();
	forbid_pages();
	cr_expect_eq(list(), 2);
}

Test(github_assets, is_not_sealed_while_an_upload_is_under_way)
{
	struct error *err;
	_cleanup_asset_list_ struct asset_list assets = { 0 };

	make_release("2");
	set("{\"faults\": [{\"kind\": \"starter\", \"endpoint\": \"uploads\","
	    " \"count\": -1}]}");
	err = put_text("kernel-4.tar.zst", "x");
	cr_assert(err);
	error_destroy(err);
	allow_pages();
	cr_expect_eq(list(), 3);
	describe();
	forbid_pages();
	err = store_list(the_store, &assets);
	cr_expect(err);
	error_destroy(err);
}

Test(github_assets, tells_a_page_that_others_have_outdated)
{
	_cleanup_asset_list_ struct asset_list assets = { 0 };
	bool changed = false;

	make_release("2");
	cr_assert_null(store_list(the_store, &assets));
	delete_by_hand(assets.items[0].id);
	cr_assert_null(store_describe(the_store, "# Less\n", &changed));
	cr_expect(changed);
	cr_expect_eq(list(), 2);
	cr_assert_null(store_describe(the_store, "# Less\n", &changed));
	cr_expect_not(changed);
}

Test(github_assets, counts_whatever_takes_room)
{
	struct store_room room;

	make_release("1000");
	put_by_hand("SHA256SUMS");
	list();
	store_get_room(the_store, &room);
	cr_expect_eq(room.used, 4);
	cr_expect_eq(room.limit, 1000);
	cr_expect_eq(list(), 3);
}
