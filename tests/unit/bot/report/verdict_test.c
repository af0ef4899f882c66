// SPDX-License-Identifier: LGPL-2.1-or-later

#include "bot/report/verdict.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "bot/build/build_result.h"
#include "bot/plan/plan_json.h"
#include "common/base/error.h"
#include "common/store/store.h"

#define DIGEST                                                                 \
	"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define OTHER "f123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static const char release_text[] = "6.12.117-vmtest1.0tiny";

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
};

Test(verdict, a_kernel_is_built_if_the_store_has_what_was_built)
{
	for (size_t i = 0; i < array_size(rows); i++) {
		struct planned item = { .arch = "x86_64" };
		const struct planned_list plan = { &item, 1, 0 };
		struct build_result result = {
			.arch = "x86_64",
			.outcome = (enum build_outcome)rows[i].outcome,
			.phase = PHASE_BOOT,
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

		if (rows[i].asset_digest)
			strcpy(asset.digest, rows[i].asset_digest);
		strcpy(item.release_text, release_text);
		cr_assert(release_parse(release_text, &item.release));
		result.release = item.release;
		verdicts_compute(&plan, &results, &assets, &list);
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
