// SPDX-License-Identifier: LGPL-2.1-or-later

#include "bot/plan/plan.h"

#include <criterion/criterion.h>
#include <string.h>

#include "bot/plan/failure.h"
#include "common/github/workflow.h"
#include "common/kernel/catalog.h"
#include "common/store/store.h"
#include "tests/unit/errors.h"

static struct catalog_flavor flavors[] = {
	{ .name = "default", .minor = 1 },
	{ .name = "tiny" },
	{ .name = "bpf",
	  .versions = { .min = { 8, 0, 0, 0 } },
	  .reason = "it *needs* more" },
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
	{ { 6, 1, 50, 0 }, false },
};
static const struct series_list kernels = {
	.items = series,
	.count = array_size(series),
	.has_latest_stable = true,
	.latest_stable = { 6, 12, 117, 0 },
};
static struct asset items[] = {
	{ .name = (char *)"kernel-6.12.115-vmtest1.0tiny.x86_64.tar.zst" },
	{ .name = (char *)"kernel-6.12.117-vmtest1.0.2tiny.x86_64.tar.zst" },
	{ .name = (char *)"kernel-6.12.117-vmtest1.1default.x86_64.tar.zst" },
	{ .name = (char *)"kernel-6.12.117-vmtest1.0tiny.arm.tar.zst" },
	{ .name = (char *)"kernel-4.4.302-vmtest0.0tiny.x86_64.tar.zst" },
	{ .name = (char *)"README.md" },
};
static const struct asset_list assets = { items, array_size(items) };
static const struct string_list everything = { 0 };
static const struct plan_selection all = {
	.wanted = { &everything, &everything, &everything },
};

Test(plan, lists_what_the_store_lacks_of_what_is_asked_for)
{
	static const struct {
		const char *kernels, *archs, *flavors;
		bool latest_stable, rebuild, is_empty;
		unsigned int limit;
		size_t count, left_out;
		const char *first, *last;
	} rows[] = {
		// clang-format off
		{ "", "", "", false, false, true, 0, 10, 0, "7.3.0-rc2-vmtest1.1default", "6.1.50-vmtest1.0tiny" },
		{ "", "", "", false, false, false, 0, 7, 0, "7.3.0-rc2-vmtest1.1default", "6.1.50-vmtest1.0tiny" },
		{ "", "", "", false, false, true, 2, 2, 8, "7.3.0-rc2-vmtest1.1default", "7.3.0-rc2-vmtest1.0tiny" },
		{ "", "", "", true, false, true, 0, 4, 0, "6.12.117-vmtest1.1default", "6.12.117-vmtest1.0tiny" },
		{ "", "", "", true, false, false, 0, 1, 0, "6.12.117-vmtest1.1default", "6.12.117-vmtest1.1default" },
		// An architecture that is off is planned where it is named.
		{ "", "vax", "", false, false, false, 0, 6, 0, "7.3.0-rc2-vmtest1.1default", "6.1.50-vmtest1.0tiny" },
		{ "", "x86_64", "tiny", false, false, false, 0, 2, 0, "7.3.0-rc2-vmtest1.0tiny", "6.1.50-vmtest1.0tiny" },
		// A rebuild takes the next PATCH.
		{ "6.12.*tiny", "", "", false, true, false, 0, 2, 0, "6.12.117-vmtest1.0.3tiny", "6.12.117-vmtest1.0.1tiny" },
		// clang-format on
	};
	const struct asset_list none = { 0 };

	for (size_t i = 0; i < array_size(rows); i++) {
		_cleanup_string_list_ struct string_list patterns = { 0 };
		_cleanup_string_list_ struct string_list names = { 0 };
		_cleanup_string_list_ struct string_list kinds = { 0 };
		const struct plan_selection selection = {
			.wanted = { &patterns, &names, &kinds },
			.latest_stable = rows[i].latest_stable,
			.rebuild = rows[i].rebuild,
			.limit = rows[i].limit,
		};
		_cleanup_plan_ struct plan plan = { 0 };

		string_list_add_split(&patterns, rows[i].kernels);
		string_list_add_split(&names, rows[i].archs);
		string_list_add_split(&kinds, rows[i].flavors);
		cr_assert_null(plan_compute(&catalog, &kernels,
					    rows[i].is_empty ? &none : &assets,
					    &selection, &plan));
		cr_assert_eq(plan.count, rows[i].count, "row %zu: %zu", i,
			     plan.count);
		cr_expect_eq(plan.left_out, rows[i].left_out, "row %zu", i);
		cr_expect_str_eq(plan.items[0].release_text, rows[i].first);
		cr_expect_str_eq(plan.items[plan.count - 1].release_text,
				 rows[i].last);
	}
}

Test(plan, tells_what_the_store_has_from_what_is_never_built)
{
	static const struct {
		const char *arch, *flavor;
		size_t stored;
	} rows[] = {
		{ "arm", "tiny", 1 },
		{ "arm", "bpf", 0 },
	};
	const struct series_list one = { .items = &series[1], .count = 1 };

	for (size_t i = 0; i < array_size(rows); i++) {
		_cleanup_string_list_ struct string_list names = { 0 };
		_cleanup_string_list_ struct string_list kinds = { 0 };
		const struct plan_selection selection = {
			.wanted = { &everything, &names, &kinds },
		};
		_cleanup_plan_ struct plan plan = { 0 };

		string_list_add(&names, rows[i].arch);
		string_list_add(&kinds, rows[i].flavor);
		cr_assert_null(plan_compute(&catalog, &one, &assets, &selection,
					    &plan));
		cr_expect_eq(plan.count, 0);
		cr_expect_eq(plan.stored, rows[i].stored, "%s", rows[i].flavor);
	}
}

Test(plan, what_is_off_is_not_planned_and_says_why)
{
	static const struct {
		const char *pattern, *flavors;
		size_t count, off;
	} rows[] = {
		{ "6.1.50*", "tiny", 0, 1 }, { "6.1.50*", "", 1, 1 },
		{ "6.12.*", "tiny", 0, 0 },  { "", "", 3, 1 },
		{ "7.3*", "", 2, 0 },
	};
	struct catalog_off off = {
		.versions = { .min = { 6, 1, 0, 0 }, .below = { 6, 12, 0, 0 } },
		.reason = "it <b> does not link",
	};
	struct catalog_arch arch = archs[0];
	struct catalog other = catalog;

	string_list_add(&off.flavors, "tiny");
	arch.off = &off;
	arch.off_count = 1;
	other.archs = &arch;
	other.arch_count = 1;
	for (size_t i = 0; i < array_size(rows); i++) {
		_cleanup_string_list_ struct string_list patterns = { 0 };
		_cleanup_string_list_ struct string_list kinds = { 0 };
		const struct plan_selection selection = {
			.wanted = { &patterns, &everything, &kinds },
		};
		_cleanup_plan_ struct plan plan = { 0 };

		string_list_add_split(&patterns, rows[i].pattern);
		string_list_add_split(&kinds, rows[i].flavors);
		cr_assert_null(plan_compute(&other, &kernels, &assets,
					    &selection, &plan));
		cr_expect_eq(plan.count, rows[i].count, "row %zu: %zu", i,
			     plan.count);
		cr_assert_eq(plan.off.count, rows[i].off, "row %zu", i);
		if (rows[i].off)
			cr_expect_str_eq(
				plan.off.items[0],
				" for x86_64 from 6.1 below 6.12 in tiny: it <b> does not link");
	}
	_cleanup_string_builder_ struct string_builder sb = { 0 };
	plan_append_bounds(&sb, &other);
	cr_expect(strstr(sb.text,
			 "* none is built for x86\\_64 from 6.1 below 6.12 in tiny: it \\<b\\> does not link\n"),
		  "%s", sb.text);
	const struct kernel_version version = { 6, 1, 50, 0 };
	expect_kind(catalog_flavor_check(&flavors[1], &arch, &version),
		    ERROR_USAGE,
		    "it is off for x86_64 from 6.1 below 6.12 in tiny");
	string_list_deinit(&off.flavors);
}

Test(plan, what_failed_waits_unless_it_is_asked_for)
{
	static const struct {
		time_t later_s;
		bool retry, rebuild;
		size_t count, waiting;
	} rows[] = {
		{ 0, false, false, 0, 1 },
		{ 0, true, false, 1, 0 },
		{ 0, false, true, 1, 0 },
		{ 24 * 3600, false, false, 1, 0 },
	};
	_cleanup_string_list_ struct string_list patterns = { 0 };
	_cleanup_string_list_ struct string_list names = { 0 };
	_cleanup_failure_list_ struct failure_list failures = { 0 };
	const time_t now = 1796082000;
	struct release release;

	string_list_add(&patterns, "6.1.50-vmtest1.0tiny");
	string_list_add(&names, "x86_64");
	cr_assert(release_parse(patterns.items[0], &release));
	failures_add(&failures, &release, "x86_64", "boot", "0123456789abcdef",
		     NULL, now);
	// What the store has is not missing, whatever became of it.
	cr_assert(release_parse("6.12.117-vmtest1.0tiny", &release));
	failures_add(&failures, &release, "x86_64", "boot", "0123456789abcdef",
		     NULL, now);
	for (size_t i = 0; i < array_size(rows); i++) {
		const struct plan_selection selection = {
			.wanted = { &patterns, &names, &everything },
			.retry = rows[i].retry,
			.rebuild = rows[i].rebuild,
			.failures = &failures,
			.now_s = now + rows[i].later_s,
		};
		_cleanup_plan_ struct plan plan = { 0 };

		cr_assert_null(plan_compute(&catalog, &kernels, &assets,
					    &selection, &plan));
		cr_expect_eq(plan.count, rows[i].count, "row %zu", i);
		cr_assert_eq(plan.waiting.count, rows[i].waiting, "row %zu", i);
		if (plan.waiting.count)
			cr_expect_eq(plan.waiting.items[0], &failures.items[0]);
	}
}

Test(plan, a_pattern_that_means_nothing_is_a_usage_error)
{
	_cleanup_string_list_ struct string_list patterns = { 0 };
	const struct plan_selection selection = {
		.wanted = { &patterns, &everything, &everything },
	};
	struct plan plan = { 0 };

	string_list_add_split(&patterns, "6.12,6.13.nothing");
	expect_kind(plan_compute(&catalog, &kernels, &assets, &selection, &plan),
		    ERROR_USAGE, "'6.13.nothing'");
}

static struct plan_item made[] = {
	{ .release_text = "7.3.0-rc2-vmtest1.0.1tiny", &archs[0] },
	{ .release_text = "6.12.117-vmtest1.1default", &archs[0] },
	{ .release_text = "6.12.117-vmtest1.0tiny", &archs[0] },
};
static const struct plan made_plan = {
	.items = made,
	.count = array_size(made),
	.left_out = 7,
};

static void setup_made(void)
{
	for (size_t i = 0; i < array_size(made); i++)
		cr_assert(release_parse(made[i].release_text, &made[i].release));
}

Test(plan, of_too_many_the_newest_and_the_oldest_stay)
{
	static const struct {
		size_t limit, count;
		const char *first, *last;
	} rows[] = {
		{ 0, 10, "7.3.0-rc2-vmtest1.1default", "6.1.50-vmtest1.0tiny" },
		{ 10, 10, "7.3.0-rc2-vmtest1.1default", "6.1.50-vmtest1.0tiny" },
		{ 3, 3, "7.3.0-rc2-vmtest1.1default", "6.1.50-vmtest1.0tiny" },
		{ 1, 1, "7.3.0-rc2-vmtest1.1default",
		  "7.3.0-rc2-vmtest1.1default" },
	};
	const struct asset_list none = { 0 };

	for (size_t i = 0; i < array_size(rows); i++) {
		_cleanup_plan_ struct plan plan = { 0 };

		cr_assert_null(
			plan_compute(&catalog, &kernels, &none, &all, &plan));
		plan_keep_ends(&plan, rows[i].limit);
		cr_assert_eq(plan.count, rows[i].count);
		cr_expect_eq(plan.left_out, 10 - rows[i].count);
		cr_expect_str_eq(plan.items[0].release_text, rows[i].first);
		cr_expect_str_eq(plan.items[plan.count - 1].release_text,
				 rows[i].last);
	}
}

TestSuite(plan_json, .init = setup_made);

Test(plan_json, a_matrix_has_a_job_for_each_item_and_versions_come_once)
{
	static const struct {
		size_t count;
		const char *matrix, *versions;
	} rows[] = {
		{ 0, "{\"include\":[]}", "{\"include\":[]}" },
		{ 1,
		  "{\"include\":[{\"release\":\"7.3.0-rc2-vmtest1.0.1tiny\",\"version\":\"7.3-rc2\","
		  "\"series\":\"7.3\",\"arch\":\"x86_64\",\"flavor\":\"tiny\"}]}",
		  "{\"include\":[{\"version\":\"7.3-rc2\"}]}" },
		{ 3, NULL,
		  "{\"include\":[{\"version\":\"7.3-rc2\"},{\"version\":\"6.12.117\"}]}" },
	};

	for (size_t i = 0; i < array_size(rows); i++) {
		const struct plan part = { .items = made, .count = rows[i].count };
		_cleanup_free_ char *matrix = plan_format(&part, true);
		_cleanup_free_ char *versions = plan_versions_format(&part);

		if (rows[i].matrix)
			cr_expect_str_eq(matrix, rows[i].matrix);
		cr_expect_str_eq(versions, rows[i].versions);
	}
}

Test(plan_json, what_is_written_is_read)
{
	_cleanup_free_ char *document = plan_format(&made_plan, false);
	_cleanup_free_ char *matrix = plan_format(&made_plan, true);
	_cleanup_plan_ struct plan list = { 0 }, again = { 0 };

	cr_assert_null(plan_parse(&catalog, document, "plan.json", &list));
	cr_assert_eq(list.count, array_size(made));
	cr_expect_eq(list.left_out, 7);
	for (size_t i = 0; i < list.count; i++) {
		cr_expect_str_eq(list.items[i].release_text,
				 made[i].release_text);
		cr_expect_eq(list.items[i].arch, &archs[0]);
	}
	cr_assert_null(plan_parse(&catalog, matrix, "matrix", &again));
	cr_expect_eq(again.count, array_size(made));
	cr_expect_eq(again.left_out, 0);
}

#define ITEM(release, arch)                                                    \
	"{\"include\": [{\"release\": " release ", \"arch\": " arch "}]}"

Test(plan_json, what_is_no_plan_is_refused_in_a_line)
{
	static const char *const texts[] = {
		"",
		"[]",
		"null",
		"{}",
		"{\"include\": {}}",
		"{\"include\": [1]}",
		"{\"include\": [], \"include\": []}",
		ITEM("\"6.12.117\"", "\"arm\""),
		ITEM("\"6.12.117-vmtest1.0tiny\"", "1"),
		ITEM("\"6.12.117-vmtest1.0tiny\"", "\"\""),
		ITEM("\"6.12.117-vmtest1.0tiny\"", "\"../../x\""),
		ITEM("\"6.12.117-vmtest1.0tiny\"", "\"a.b\""),
		ITEM("\"6.12.117-vmtest1.0tiny\"",
		     "\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\""),
		ITEM("\"6.12.117-vmtest1.0../x\"", "\"arm\""),
		ITEM("\"6.12.117-vmtest1.0tiny\"", "\"pdp11\""),
		ITEM("null", "null"),
	};

	for (size_t i = 0; i < array_size(texts); i++) {
		_cleanup_plan_ struct plan list = { 0 };

		expect_kind(plan_parse(&catalog, texts[i], "plan.json", &list),
			    ERROR_USAGE, "plan.json: ");
		cr_expect_null(list.items, "%s", texts[i]);
	}
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
		    "| 7.3 | 7.3-rc2 | | **all** | **all** | – |\n",
		    "| 6.12 | 6.12.117 | 6.12.117 (4 packages) | ✓ | **default** | – |\n",
		    // Not of bpf, which is for none of them.
		    "\n* arm is built only from 6.6\n"
		    "* bpf is built only from 8.0: it \\*needs\\* more\n\n",
		    // Left out, and so not in bold.
		    "| 6.1 | 6.1.50 | | all | – | – |\n"
		    "| 4.4 | – | 4.4.302 (1 package) | | | |\n" } },
		{ AGAIN,
		  { "### 10 kernels to build\n", "has 5 packages.\n",
		    "| 6.12 | 6.12.117 | 6.12.117 (4 packages) | **all** | **all** | – |\n" } },
	};

	for (size_t i = 0; i < array_size(rows); i++) {
		struct plan_selection chosen = all;
		_cleanup_plan_ struct plan planned = { 0 };

		chosen.limit = rows[i].what == FIVE ? 5 : 0;
		chosen.rebuild = rows[i].what == AGAIN;
		if (rows[i].what != NOTHING)
			cr_assert_null(plan_compute(&catalog, &kernels, &assets,
						    &chosen, &planned));
		_cleanup_free_ char *text =
			plan_summary_format(&catalog, &kernels, &assets, &planned,
					    "dir:`x`", WORKFLOW_SUMMARY_LIMIT);
		for (size_t j = 0; j < 7 && rows[i].parts[j]; j++)
			cr_expect(strstr(text, rows[i].parts[j]),
				  "no '%s' in:\n%s", rows[i].parts[j], text);
	}
}

Test(plan_summary,
     a_candidate_belongs_to_the_series_that_an_architecture_begins_with)
{
	struct catalog_arch begins = archs[1];
	struct catalog other = catalog;
	const struct asset_list none = { 0 };
	_cleanup_plan_ struct plan planned = { 0 };

	begins.versions.min = (struct kernel_version){ 7, 3, 0, 0 };
	other.archs = &begins;
	other.arch_count = 1;
	cr_assert_null(plan_compute(&other, &kernels, &none, &all, &planned));
	cr_expect_eq(planned.count, 2);
	_cleanup_free_ char *text = plan_summary_format(&other, &kernels, &none,
							&planned, "dir:x",
							WORKFLOW_SUMMARY_LIMIT);
	cr_expect(strstr(text, "| 7.3 | 7.3-rc2 | | **all** |\n"
			       "| 6.12 | 6.12.117 | | – |\n"),
		  "%s", text);
}

Test(plan_summary, all_that_a_store_can_hold_fits)
{
	static struct series_item many[400];
	const struct series_list list = { .items = many,
					  .count = array_size(many) };
	const struct asset_list none = { 0 };
	_cleanup_plan_ struct plan planned = { 0 };

	for (unsigned int i = 0; i < array_size(many); i++)
		many[i].version = (struct kernel_version){ 6, 2000 - i, 1000, 0 };
	cr_assert_null(plan_compute(&catalog, &list, &none, &all, &planned));
	_cleanup_free_ char *text =
		plan_summary_format(&catalog, &list, &none, &planned,
				    "github:o/r@t", WORKFLOW_SUMMARY_LIMIT);
	cr_expect_lt(strlen(text), WORKFLOW_SUMMARY_LIMIT);
	cr_expect(strstr(text, "| 6.1601 |"));
}
