// SPDX-License-Identifier: LGPL-2.1-or-later

#include "bot/plan/inventory.h"

#include <criterion/criterion.h>

#include "common/store/store.h"

static struct asset items[] = {
	{ .name = (char *)"README.md" },
	{ .name = (char *)"kernel-6.12.117-vmtest1.0.2tiny.x86_64.tar.zst" },
	{ .name = (char *)"kernel-6.12.117-vmtest1.0tiny.x86_64.tar.zst" },
	{ .name = (char *)"kernel-6.12.117-vmtest1.0tiny.arm.tar.zst" },
	{ .name = (char *)"notes.tar.zst" },
};
static const struct asset_list assets = { items, array_size(items) };

Test(inventory, holds_packages_alone)
{
	_cleanup_inventory_ struct inventory inventory = { 0 };

	inventory_read(&assets, &inventory);
	cr_assert_eq(inventory.count, 3);
	cr_expect_eq(inventory.items[0].asset, &items[1]);
	cr_expect_eq(inventory.items[0].release.patch, 2);
	cr_expect_str_eq(inventory.items[2].arch, "arm");
}

Test(inventory, has_a_release_in_any_patch)
{
	static const struct {
		const char *release;
		const char *arch;
		bool has;
		unsigned int patch;
	} rows[] = {
		{ "6.12.117-vmtest1.0tiny", "x86_64", true, 2 },
		{ "6.12.117-vmtest1.0.7tiny", "x86_64", true, 2 },
		{ "6.12.117-vmtest1.0tiny", "arm", true, 0 },
		{ "6.12.117-vmtest1.0tiny", "s390x", false, 0 },
		{ "6.12.117-vmtest2.0tiny", "x86_64", false, 0 },
		{ "6.12.117-vmtest1.1default", "x86_64", false, 0 },
		{ "6.12.116-vmtest1.0tiny", "x86_64", false, 0 },
	};
	_cleanup_inventory_ struct inventory inventory = { 0 };

	inventory_read(&assets, &inventory);
	for (size_t i = 0; i < array_size(rows); i++) {
		struct release release;
		unsigned int patch = 99;

		cr_assert(release_parse(rows[i].release, &release));
		cr_expect_eq(inventory_has(&inventory, &release, rows[i].arch,
					   &patch),
			     rows[i].has, "%s", rows[i].release);
		cr_expect_eq(patch, rows[i].patch, "%s", rows[i].release);
	}
}
