// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/suite/suite.h"

#include <criterion/criterion.h>
#include <stdlib.h>

#include "common/base/cleanup.h"
#include "vm/guest/guest.h"

Test(suite, guests_at_once_have_processors_and_memory)
{
	static const struct {
		unsigned int processors;
		uint64_t available_bytes, guest_bytes;
		unsigned int jobs;
	} rows[] = {
		{ 4, 64ULL << 30, 2ULL << 30, 4 },
		{ 4, (6ULL << 30) - 1, 2ULL << 30, 2 },
		{ 4, 1ULL << 30, 2ULL << 30, 1 },
		{ 1, 0, 2ULL << 30, 1 },
		// Where it is not known.
		{ 64, UINT64_MAX, 1, 64 },
	};

	for (size_t i = 0; i < array_size(rows); i++)
		cr_expect_eq(suite_jobs(rows[i].processors,
					rows[i].available_bytes,
					rows[i].guest_bytes),
			     rows[i].jobs, "row %zu", i);
}

Test(suite, a_kernel_is_the_worst_of_its_runs)
{
	static const struct {
		enum suite_state states[4];
		enum suite_state worst;
		unsigned int runs, failed_runs;
		const char *path;
	} rows[] = {
		{ { SUITE_PASSED, SUITE_PASSED }, SUITE_PASSED, 2, 0, "0" },
		{ { SUITE_PASSED, SUITE_FAILED, SUITE_PASSED, SUITE_FAILED },
		  SUITE_FAILED,
		  4,
		  2,
		  "1" },
		{ { SUITE_FAILED, SUITE_FLAKY, SUITE_LOST }, SUITE_LOST, 3, 2, "2" },
		{ { SUITE_FLAKY, SUITE_PASSED, SUITE_INTERRUPTED },
		  SUITE_FLAKY,
		  2,
		  0,
		  "0" },
		{ { SUITE_INTERRUPTED }, SUITE_INTERRUPTED, 0, 0, "0" },
	};

	for (size_t i = 0; i < array_size(rows); i++) {
		struct suite_item item = { 0 };

		for (unsigned int j = 0; j < 4 && rows[i].states[j]; j++) {
			_cleanup_suite_ struct suite next = { 0 };
			char path[] = { (char)('0' + j), '\0' };

			suite_add_directory(&next, "x", "arm", path);
			next.items->state = rows[i].states[j];
			next.items->guests = j + 1;
			suite_item_merge(&item, next.items);
			cr_expect_eq(item.guests, j + 1);
		}
		cr_expect_eq(item.state, rows[i].worst, "row %zu", i);
		cr_expect_eq(item.runs, rows[i].runs, "row %zu", i);
		cr_expect_eq(item.failed_runs, rows[i].failed_runs, "row %zu", i);
		cr_expect_str_eq(item.path, rows[i].path, "row %zu", i);
		free(item.path);
		free(item.kernel);
	}
}

Test(suite, verdicts_follow_from_outcomes)
{
	char *splats[] = { (char *)"BUG: x", NULL };
	// clang-format off
	const struct {
		unsigned int attempts;
		struct run_result result;
		enum suite_state state;
		const char *reason;
	} rows[] = {
		{ 1, { .outcome = RUN_EXITED, .boot_ms = 5 }, SUITE_PASSED, "" },
		{ 2, { .outcome = RUN_EXITED }, SUITE_FLAKY, "" },
		{ 1, { .outcome = RUN_EXITED, .status = 3, .exit_status = 3 }, SUITE_FAILED, "exit status 3" },
		{ 2, { .outcome = RUN_EXITED, .status = 3, .exit_status = 3 }, SUITE_FAILED, "exit status 3" },
		{ 1, { .outcome = RUN_EXITED, .status = 1, .splats = { splats, 1 } }, SUITE_FAILED, "the kernel reported: BUG: x" },
		{ 1, { .outcome = RUN_EXITED, .status = 153, .exit_status = 153, .reason = (char *)"too much" }, SUITE_FAILED, "too much" },
		{ 1, { .outcome = RUN_TIMED_OUT, .reason = (char *)"late" }, SUITE_TIMED_OUT, "late" },
		{ 1, { .outcome = RUN_LOST, .reason = (char *)"panic" }, SUITE_WAITING, "lost at first: panic" },
		{ 2, { .outcome = RUN_LOST, .reason = (char *)"panic\033[0m\nx" }, SUITE_LOST, "panic" },
		{ 1, { .outcome = RUN_NOT_RUN, .reason = (char *)"no QEMU" }, SUITE_NOT_RUN, "no QEMU" },
	};
	// clang-format on

	for (size_t i = 0; i < array_size(rows); i++) {
		struct suite_item item = {
			.state = SUITE_RUNNING,
			.attempts = rows[i].attempts,
		};

		suite_item_conclude(&item, &rows[i].result,
				    &(struct expectations){ 0 });
		cr_expect_eq(item.state, rows[i].state, "row %zu", i);
		cr_expect_str_eq(item.reason ? item.reason : "", rows[i].reason);
		cr_expect_eq(item.phase_ms[SUITE_BOOT], rows[i].result.boot_ms);
		free(item.reason);
	}
}
