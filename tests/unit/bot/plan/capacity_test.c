// SPDX-License-Identifier: LGPL-2.1-or-later

#include "bot/plan/capacity.h"

#include <criterion/criterion.h>
#include <string.h>

#include "bot/plan/prune.h"
#include "common/base/error.h"
#include "common/store/store.h"

/** Oldest last. */
static struct asset items[] = {
	{ .name = (char *)"kernel-6.12.117-vmtest1.0tiny.x86_64.tar.zst",
	  .created = 9 },
	{ .name = (char *)"kernel-6.12.116-vmtest1.0tiny.x86_64.tar.zst",
	  .created = 8 },
	{ .name = (char *)"kernel-6.12.115-vmtest1.0tiny.x86_64.tar.zst",
	  .created = 7 },
	{ .name = (char *)"kernel-6.11.2-vmtest1.0tiny.x86_64.tar.zst",
	  .created = 6 },
	{ .name = (char *)"kernel-6.11.1-vmtest1.0tiny.x86_64.tar.zst",
	  .created = 5 },
	{ .name = (char *)"kernel-6.11.1-vmtest1.0tiny.aarch64.tar.zst",
	  .created = 1 },
};
static const struct asset_list assets = { items, array_size(items) };

static struct error *compute(size_t used, size_t planned, size_t keep,
			     struct prune_list *ret)
{
	const struct store_room room = { .used = used, .limit = 1000 };

	return capacity_compute(&assets, &room, planned, keep, ret);
}

Test(capacity, nothing_goes_while_there_is_room)
{
	_cleanup_prune_list_ struct prune_list list = { 0 };
	const struct store_room endless = { .used = 5000 };

	cr_assert_null(compute(0, 1000, 1, &list));
	cr_expect_eq(list.count, 0);
	cr_assert_null(compute(744, 256, 1, &list));
	cr_expect_eq(list.count, 0);
	cr_assert_null(compute(1000, 0, 1, &list));
	cr_expect_eq(list.count, 0);
	cr_assert_null(capacity_compute(&assets, &endless, 5000, 1, &list));
	cr_expect_eq(list.count, 0);
}

Test(capacity, the_oldest_that_are_superseded_go_and_no_more)
{
	static const size_t expected[] = { 4, 2, 1 };

	for (size_t surplus = 1; surplus <= array_size(expected); surplus++) {
		_cleanup_prune_list_ struct prune_list list = { 0 };

		cr_assert_null(compute(990, 10 + surplus, 1, &list));
		cr_assert_eq(list.count, surplus);
		for (size_t i = 0; i < surplus; i++)
			cr_expect_eq(list.items[i], &items[expected[i]]);
	}
}

Test(capacity, as_many_stay_as_are_kept)
{
	_cleanup_prune_list_ struct prune_list list = { 0 };

	cr_assert_null(compute(1000, 1, 2, &list));
	cr_assert_eq(list.count, 1);
	cr_expect_eq(list.items[0], &items[2]);
}

Test(capacity, too_much_is_an_error_that_counts)
{
	_cleanup_prune_list_ struct prune_list list = { 0 };
	_cleanup_error_ struct error *err = compute(990, 14, 1, &list);

	cr_assert(err);
	cr_expect_eq(list.count, 0);
	cr_expect(strstr(error_message(err), "14 more kernels do not fit"));
	cr_expect(strstr(error_message(err), "990 assets of at most 1000"));
	cr_expect(strstr(error_message(err), "only 3 of them"));
	error_destroy(take_ptr(err));
	// Half uploads and what is none of ours take room, too.
	err = compute(2000, 0, 1, &list);
	cr_assert(err);
}
