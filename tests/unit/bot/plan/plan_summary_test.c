// SPDX-License-Identifier: LGPL-2.1-or-later

#include "bot/plan/plan.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "common/base/error.h"
#include "common/github/workflow.h"
#include "common/kernel/catalog.h"
#include "common/store/store.h"

static struct catalog_flavor flavors[] = {
	{ .name = "default", .minor = 1 },
	{ .name = "tiny" },
	{ .name = "bpf", .versions = { .min = { 8, 0, 0, 0 } }, .reason = "it *needs* more" },
};
static struct catalog_arch archs[] = {
	{ .name = "x86_64", .enabled = true },
	{ .name = "arm", .enabled = true, .versions = { .min = { 6, 6, 0, 0 } } },
	{ .name = "vax" },
};
static const struct catalog catalog = {
	.revision = 1,
	.archs = archs,
	.arch_count = array_size(archs),
	.flavors = flavors,
	.flavor_count = array_size(flavors),
};
static struct series_item series[] = {
	{ { 7, 3, 0, 2 }, true },
	{ { 6, 12, 117, 0 }, true },
	{ { 6, 1, 50, 0 }, true },
};
static const struct series_list kernels = {
	.items = series,
	.count = array_size(series),
};
static struct asset items[] = {
	{ .name = (char *)"kernel-6.12.115-vmtest1.0tiny.x86_64.tar.zst" },
	{ .name = (char *)"kernel-6.12.117-vmtest1.0tiny.x86_64.tar.zst" },
	{ .name = (char *)"kernel-6.12.117-vmtest1.1default.x86_64.tar.zst" },
	{ .name = (char *)"kernel-6.12.117-vmtest1.0tiny.arm.tar.zst" },
	{ .name = (char *)"kernel-4.4.302-vmtest0.0tiny.x86_64.tar.zst" },
};
static const struct asset_list assets = { items, array_size(items) };
static const struct string_list everything = { 0 };
static const struct plan_selection all = {
	.wanted = { &everything, &everything, &everything },
};

/** @param[in] selection NULL to plan nothing. */
static char *summarize(const struct series_list *list,
		       const struct asset_list *stored,
		       const struct plan_selection *selection,
		       const char *store_name)
{
	_cleanup_plan_ struct plan plan = { 0 };

	if (selection)
		cr_assert_null(
			plan_compute(&catalog, list, stored, selection, &plan));
	return plan_summary_format(&catalog, list, stored, &plan, store_name,
				   WORKFLOW_SUMMARY_LIMIT);
}

Test(plan_summary, a_row_says_what_is_missing_where)
{
	static const struct {
		/** What is planned: nothing, so many kernels, or all anew. */
		enum {
			NOTHING,
			FIVE,
			AGAIN
		} what;
		const char *parts[7];
	} rows[] = {
		{ NOTHING,
		  { "### Nothing to build\n", "the store `` dir:`x` `` has" } },
		{ FIVE,
		  { "### 5 kernels to build\n",
		    "kernel.org has 3 series that we keep; the store `` dir:`x` `` has 5 packages. **2 more kernels are left for the next run**",
		    "| Series | kernel.org | In the store | x86\\_64 | arm | vax |\n",
		    "| 7.3 | 7.3-rc2 | | **default**, **tiny** | **default**, **tiny** | – |\n",
		    "| 6.12 | 6.12.117 | 6.12.117 (4 packages) | ✓ | **default** | – |\n",
		    // Not of bpf, which is for none of them.
		    "` bpf ` is built only from 8.0: it \\*needs\\* more.\n\n",
		    // Left out, and so not in bold.
		    "| 6.1 | 6.1.50 | | default, tiny | – | – |\n"
		    "| 4.4 | – | 4.4.302 (1 package) | | | |\n" } },
		{ AGAIN,
		  { "### 10 kernels to build\n", "has 5 packages.\n",
		    "| 6.12 | 6.12.117 | 6.12.117 (4 packages) | **default**, **tiny** | **default**, **tiny** | – |\n" } },
	};

	for (size_t i = 0; i < array_size(rows); i++) {
		struct plan_selection selection = all;

		selection.limit = rows[i].what == FIVE ? 5 : 0;
		selection.rebuild = rows[i].what == AGAIN;
		_cleanup_free_ char *text =
			summarize(&kernels, &assets,
				  rows[i].what == NOTHING ? NULL : &selection,
				  "dir:`x`");
		for (size_t j = 0; j < 7 && rows[i].parts[j]; j++)
			cr_expect(strstr(text, rows[i].parts[j]),
				  "no '%s' in:\n%s", rows[i].parts[j], text);
	}
}

Test(plan_summary, all_that_a_store_can_hold_fits)
{
	static struct series_item many[400];
	const struct series_list list = { .items = many,
					  .count = array_size(many) };
	const struct asset_list none = { 0 };

	for (unsigned int i = 0; i < array_size(many); i++)
		many[i].version = (struct kernel_version){ 6, 2000 - i, 1000, 0 };
	_cleanup_free_ char *text = summarize(&list, &none, &all, "github:o/r@t");
	cr_expect_lt(strlen(text), WORKFLOW_SUMMARY_LIMIT);
	cr_expect(strstr(text, "| 6.1601 |"));
}
