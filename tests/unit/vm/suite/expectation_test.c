// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/suite/expectation.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/errors.h"
#include "vm/guest/guest.h"
#include "vm/suite/suite.h"

static const char text[] =
	"{\"expect_failure\": ["
	" {\"kernels\": {\"min\": \"6.1\", \"below\": \"6.6\"}, \"reason\": \"old\","
	"  \"until\": \"2026-01-31\"},"
	" {\"architectures\": [\"arm\"], \"flavors\": [\"tiny\", \"bpf\"],"
	"  \"reason\": \"small\", \"until\": \"2026-06-30\"},"
	" {\"kernels\": {\"min\": \"6.5\", \"below\": \"6.6\"}, \"reason\": \"newer\","
	"  \"until\": \"2026-03-31\"}],"
	" \"splats\": {\"ignore\": ["
	" {\"pattern\": \"BUG: *known*\", \"reason\": \"harmless\","
	"  \"until\": \"2026-02-01\"},"
	" {\"pattern\": \"WARNING:*\", \"kernels\": {\"below\": \"6.1\"},"
	"  \"reason\": \"noise\", \"until\": \"2026-06-30\"}]}}";

static struct project project;

static void setup(void)
{
	expect_success(project_parse(text, "vmtest.json", "/p", &project));
}

static void teardown(void)
{
	project_deinit(&project);
}

TestSuite(expectation, .init = setup, .fini = teardown);

Test(expectation, rows_are_for_kernels_and_hold_until_their_day)
{
	static const struct {
		const char *release, *arch, *today, *reason;
		bool holds;
	} rows[] = {
		{ "6.1.5-vmtest1.1default", "x86_64", "2026-01-31", "old", true },
		{ "6.1.5-vmtest1.1default", "x86_64", "2026-02-01", "old", false },
		{ "6.0.5-vmtest1.1default", "x86_64", "2026-01-31", NULL, false },
		{ "6.6.0-vmtest1.1default", "x86_64", "2026-01-31", NULL, false },
		// One that holds goes before one that does not.
		{ "6.5.5-vmtest1.1default", "x86_64", "2026-02-01", "newer",
		  true },
		{ "6.6.0-vmtest1.0tiny", "arm", "2026-06-30", "small", true },
		{ "6.6.0-vmtest1.0tiny", "x86_64", "2026-06-30", NULL, false },
		{ "6.6.0-vmtest1.1default", "arm", "2026-06-30", NULL, false },
		// A distribution's.
		{ "6.1.0-57-amd64", "x86_64", "2026-01-31", "old", true },
		{ "mine", "x86_64", "2026-01-31", NULL, false },
	};

	for (size_t i = 0; i < array_size(rows); i++) {
		_cleanup_suite_ struct suite suite = { 0 };
		bool holds;

		suite_add_directory(&suite, rows[i].release, rows[i].arch, "/k");
		const struct expectation *row =
			expectation_find(&project.failures, suite.items, NULL,
					 rows[i].today, &holds);
		cr_expect_eq(holds, rows[i].holds, "row %zu", i);
		cr_expect_str_eq(row ? row->reason : "",
				 rows[i].reason ? rows[i].reason : "",
				 "row %zu", i);
	}
}

Test(expectation, what_is_expected_is_no_failure_and_what_is_not_is_told)
{
	static char *known[] = { (char *)"BUG: a known one",
				 (char *)"WARNING: at x.c", NULL };
	static char *other[] = { (char *)"BUG: a known one", (char *)"BUG: new",
				 NULL };
	const struct run_result passes = { .outcome = RUN_EXITED };
	const struct run_result fails = {
		.outcome = RUN_EXITED,
		.status = 3,
		.exit_status = 3,
	};
	const struct run_result lost = {
		.outcome = RUN_LOST,
		.reason = (char *)"panic",
	};
	const struct run_result not_run = {
		.outcome = RUN_NOT_RUN,
		.reason = (char *)"no QEMU",
	};
	const struct run_result complains = {
		.outcome = RUN_EXITED,
		.status = 1,
		.splats = { known, 2 },
		.splat_count = 2,
	};
	const struct run_result complains_anew = {
		.outcome = RUN_EXITED,
		.status = 1,
		.splats = { other, 2 },
		.splat_count = 2,
	};
	const struct run_result complains_a_lot = {
		.outcome = RUN_EXITED,
		.status = 1,
		.splats = { known, 2 },
		.splat_count = 3,
	};
	// clang-format off
	const struct {
		const struct run_result *result;
		const char *release, *today;
		enum suite_state state;
		const char *reason;
	} rows[] = {
		{ &passes, "6.0.5-vmtest1.1default", "2026-01-31", SUITE_PASSED, "" },
		{ &passes, "6.1.5-vmtest1.1default", "2026-01-31", SUITE_UNEXPECTED_PASS, "was to fail until 2026-01-31: old" },
		{ &passes, "6.1.5-vmtest1.1default", "2026-02-01", SUITE_PASSED, "" },
		{ &fails, "6.1.5-vmtest1.1default", "2026-01-31", SUITE_EXPECTED_FAILURE, "exit status 3; expected until 2026-01-31: old" },
		{ &fails, "6.1.5-vmtest1.1default", "2026-02-01", SUITE_FAILED, "exit status 3; was expected until 2026-01-31: old" },
		{ &lost, "6.1.5-vmtest1.1default", "2026-01-31", SUITE_EXPECTED_FAILURE, "panic; expected until 2026-01-31: old" },
		{ &not_run, "6.1.5-vmtest1.1default", "2026-01-31", SUITE_NOT_RUN, "no QEMU" },
		{ &complains, "6.0.5-vmtest1.1default", "2026-01-31", SUITE_FLAKY, "ignored until 2026-06-30, noise: WARNING: at x.c" },
		{ &complains, "6.0.5-vmtest1.1default", "2026-02-02", SUITE_FAILED, "was ignored until 2026-02-01, harmless: BUG: a known one" },
		{ &complains, "6.6.0-vmtest1.1default", "2026-01-31", SUITE_FAILED, "the kernel reported: WARNING: at x.c" },
		{ &complains_anew, "6.0.5-vmtest1.1default", "2026-01-31", SUITE_FAILED, "the kernel reported: BUG: new" },
		{ &complains_a_lot, "6.0.5-vmtest1.1default", "2026-01-31", SUITE_FAILED, "the kernel reported 3 splats, of which the first 2 are ignored" },
	};
	// clang-format on

	for (size_t i = 0; i < array_size(rows); i++) {
		_cleanup_suite_ struct suite suite = { 0 };
		struct expectations expected = {
			.failures = &project.failures,
			.splats = &project.splats,
		};

		strcpy(expected.today, rows[i].today);
		suite_add_directory(&suite, rows[i].release, "x86_64", "/k");
		struct suite_item *item = suite.items;
		// Lost for the second time, where it is.
		item->attempts = rows[i].result == &passes ? 1 : 2;
		suite_item_conclude(item, rows[i].result, &expected);
		cr_expect_eq(item->state, rows[i].state, "row %zu: %s", i,
			     suite_state_names[item->state]);
		cr_expect_str_eq(item->reason ? item->reason : "",
				 rows[i].reason, "row %zu", i);
	}
}
