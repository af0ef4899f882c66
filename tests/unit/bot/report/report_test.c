// SPDX-License-Identifier: LGPL-2.1-or-later

#include "bot/report/report.h"

#include <criterion/criterion.h>
#include <string.h>

#include "bot/build/build.h"
#include "bot/plan/plan.h"
#include "common/base/error.h"
#include "common/base/table.h"
#include "common/base/text.h"
#include "common/kernel/catalog.h"
#include "common/store/store.h"
#include "tests/unit/bot/report/made_verdicts.h"

enum {
	COUNT = 12
};

static char *format_text(const struct table *table)
{
	struct string_builder sb = { 0 };

	table_append_text(&sb, table, 0);
	return string_builder_take(&sb);
}

Test(report, failures_come_first)
{
	const struct verdict_list verdicts = make_verdicts(COUNT, "");
	_cleanup_table_ struct table table = { 0 };

	report_verdicts(&verdicts, &table);
	_cleanup_free_ char *text = format_text(&table);
	_cleanup_free_ char *markdown = report_summary(&verdicts, 7, 100000);

	expect_text(text,
		    "architecture  result          size    build\n"
		    "6.12.117-vmtest1.0.1tiny  x86_64        boot failed        -  512.3 s  a | b @user\n");
	expect_text(text, "x86_64        built        83.9 MB  512.3 s\n");
	expect_text(text,
		    "x86_64        skipped            -        -  cancelled\n");
	cr_expect_eq(count_of(text, "\n"), 1 + COUNT);

	expect_text(markdown,
		    "### Kernels: 8 built, 2 failed, 2 skipped, 7 left for the next run\n\n"
		    "| kernel | architecture | result | size | build | |\n");
	expect_text(markdown,
		    "| 6.12.117-vmtest1.0.1tiny | x86\\_64 | **boot failed** | | 512.3 s | ` a \\| b @user ` |\n");
	expect_text(markdown,
		    "| 6.12.117-vmtest1.0.2tiny | x86\\_64 | skipped | | | ` cancelled ` |\n");
	expect_text(markdown,
		    "| 6.1.50-vmtest1.0.7tiny | x86\\_64 | built | 83.9 MB | 512.3 s | |\n");
	cr_expect_lt(strstr(markdown, "boot failed"),
		     strstr(markdown, "skipped |"));
	cr_expect_null(strstr(markdown, "<details>"));
}

Test(report, logs_are_there_as_far_as_there_is_room)
{
	const struct verdict_list verdicts =
		make_verdicts(COUNT, "a\n```\nlog\n");
	_cleanup_free_ char *markdown = report_summary(&verdicts, 0, 100000);

	cr_expect_eq(count_of(markdown, "<details>"), 2);
	expect_text(markdown,
		    "<summary>6.12.117-vmtest1.0.1tiny for x86_64: boot failed</summary>\n\n````\na\n```\nlog\n````\n");

	_cleanup_free_ char *cut =
		report_summary(&verdicts, 0, strlen(markdown) - 1);

	cr_expect_lt(strlen(cut), strlen(markdown));
	cr_expect_eq(count_of(cut, "<details>"), 1);
	expect_text(cut, "There is no room for more.\n");
}

Test(report, says_what_a_kernel_was_built_without)
{
	const struct verdict_list verdicts = make_verdicts(1, "");
	struct build_result result = { .size_bytes = 1000000 };

	string_list_add(&result.lost_options, "CONFIG_A=y");
	verdicts.items[0].result = &result;
	_cleanup_free_ char *markdown = report_summary(&verdicts, 0, 100000);
	expect_text(markdown, "| built | 1.0 MB | ` without CONFIG_A=y ` |\n");
	build_result_deinit(&result);
}

Test(report, an_empty_plan_has_no_table)
{
	const struct verdict_list none = { 0 };
	_cleanup_table_ struct table table = { 0 };

	report_verdicts(&none, &table);
	_cleanup_free_ char *text = format_text(&table);
	_cleanup_free_ char *markdown = report_summary(&none, 0, 1000);
	cr_expect_str_empty(text);
	cr_expect_str_eq(markdown, "### Kernels: 0 built, 0 failed, 0 skipped\n");
}

#define DIGEST                                                                 \
	"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define OTHER "f123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static const char release_text[] = "6.12.117-vmtest1.0tiny";

/** Of an asset in a store that nobody looks into. */
#define NOT_ASKED "?"

/** No result is outcome -1; no asset is a NULL digest. */
static const struct {
	const char *name;
	int outcome;
	const char *asset_digest;
	enum verdict_kind kind;
	const char *phase;
} rows[] = {
	{ "published", BUILD_BUILT, DIGEST, VERDICT_BUILT, NULL },
	{ "published long ago", BUILD_BUILT, "", VERDICT_BUILT, NULL },
	{ "not published", BUILD_BUILT, NULL, VERDICT_FAILED, "publish" },
	{ "another is there", BUILD_BUILT, OTHER, VERDICT_FAILED, "publish" },
	{ "failed", BUILD_FAILED, NULL, VERDICT_FAILED, "boot" },
	{ "failed here only", BUILD_FAILED, OTHER, VERDICT_FAILED, "boot" },
	{ "cancelled", BUILD_CANCELLED, NULL, VERDICT_SKIPPED, NULL },
	{ "no result", -1, NULL, VERDICT_FAILED, "job" },
	{ "from elsewhere", -1, DIGEST, VERDICT_SKIPPED, NULL },
	{ "published by this run", BUILD_BUILT, NOT_ASKED, VERDICT_BUILT, NULL },
	{ "failed in this run", BUILD_FAILED, NOT_ASKED, VERDICT_FAILED, "boot" },
};

Test(verdict, a_kernel_is_built_if_the_store_has_what_was_built)
{
	for (size_t i = 0; i < array_size(rows); i++) {
		static const struct catalog_arch x86_64 = { .name = "x86_64" };
		struct plan_item item = { .arch = &x86_64 };
		const struct plan plan = { &item, 1, 0 };
		struct build_result result = {
			.arch = "x86_64",
			.outcome = (enum build_outcome)rows[i].outcome,
			.clock.current = PHASE_BOOT,
			.error = (char *)"why",
			.digest = DIGEST,
		};
		const struct build_results results = { &result,
						       rows[i].outcome >= 0 };
		struct asset asset = {
			.name = (char *)"kernel-6.12.117-vmtest1.0tiny.x86_64.tar.zst",
		};
		const struct asset_list assets = { &asset, rows[i].asset_digest !=
								   NULL };
		_cleanup_verdict_list_ struct verdict_list list = { 0 };

		bool not_asked = rows[i].asset_digest &&
				 strcmp(rows[i].asset_digest, NOT_ASKED) == 0;
		if (rows[i].asset_digest)
			strcpy(asset.digest, rows[i].asset_digest);
		strcpy(item.release_text, release_text);
		cr_assert(release_parse(release_text, &item.release));
		result.release = item.release;
		verdicts_compute(&plan, &results, not_asked ? NULL : &assets,
				 &list);
		cr_assert_eq(list.count, 1);
		cr_expect_eq(list.items[0].kind, rows[i].kind, "%s",
			     rows[i].name);
		cr_expect_eq(list.counts[rows[i].kind], 1, "%s", rows[i].name);
		if (rows[i].phase)
			cr_expect_str_eq(list.items[0].phase, rows[i].phase);
		else
			cr_expect_null(list.items[0].phase);
		cr_expect_eq(*list.items[0].reason == '\0',
			     rows[i].kind == VERDICT_BUILT, "%s", rows[i].name);
	}
}

Test(verdict, of_two_results_the_better_one_counts)
{
	struct build_result items[] = {
		{ .arch = "x86_64", .outcome = BUILD_FAILED },
		{ .arch = "x86_64", .outcome = BUILD_BUILT },
		{ .arch = "x86_64", .outcome = BUILD_CANCELLED },
		{ .arch = "arm", .outcome = BUILD_FAILED },
	};
	const struct build_results results = { items, array_size(items) };
	struct release release, other;

	cr_assert(release_parse(release_text, &release));
	cr_assert(release_parse("6.12.117-vmtest1.0.1tiny", &other));
	for (size_t i = 0; i < array_size(items); i++)
		items[i].release = release;
	cr_expect_eq(build_results_find(&results, &release, "x86_64"), &items[1]);
	cr_expect_eq(build_results_find(&results, &release, "arm"), &items[3]);
	cr_expect_null(build_results_find(&results, &release, "s390x"));
	cr_expect_null(build_results_find(&results, &other, "x86_64"));
}
