// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/guest/run_result.h"

#include <criterion/criterion.h>
#include <string.h>

#include "common/base/error.h"

static void round_trip(const struct run_result *result, struct run_result *ret)
{
	_cleanup_free_ char *text = NULL;

	cr_assert_null(run_result_format(result, &text));
	cr_assert_null(run_result_parse(text, "test", ret));
}

Test(run_result, what_is_written_is_read)
{
	char *splats[] = { (char *)"BUG: a", (char *)"WARNING: \"b\"", NULL };
	const struct run_result results[] = {
		{
			.release = "6.12.117-vmtest1.1default",
			.outcome = RUN_EXITED,
			.status = 1,
			.exit_status = 0,
			.boot_ms = 1200,
			.command_ms = 7,
			.splats = { splats, 2 },
			.splat_count = 5,
		},
		{
			.release = "6.1.1-vmtest1.0tiny",
			.outcome = RUN_LOST,
			.status = 128,
			.reason = (char *)"Kernel panic",
		},
		{ .outcome = RUN_NOT_RUN, .reason = (char *)"no kernel" },
		{ .outcome = RUN_TIMED_OUT, .boot_ms = 1, .command_ms = 2 },
	};

	for (size_t i = 0; i < array_size(results); i++) {
		const struct run_result *in = &results[i];
		_cleanup_run_result_ struct run_result out = { 0 };

		round_trip(in, &out);
		cr_expect_str_eq(out.release, in->release);
		cr_expect_eq(out.outcome, in->outcome);
		cr_expect_eq(out.status, in->status);
		cr_expect_eq(out.exit_status, in->exit_status);
		cr_expect_eq(out.boot_ms, in->boot_ms);
		cr_expect_eq(out.command_ms, in->command_ms);
		cr_expect_eq(out.splats.count, in->splats.count);
		cr_expect_eq(out.splat_count, in->splat_count);
		cr_expect_str_eq(out.reason ? out.reason : "",
				 in->reason ? in->reason : "");
	}
}

Test(run_result, a_guests_bytes_need_not_be_utf8)
{
	const struct run_result in = {
		.outcome = RUN_LOST,
		.reason = (char *)"panic: a\xff\xc3z",
	};
	_cleanup_run_result_ struct run_result out = { 0 };

	round_trip(&in, &out);
	cr_expect_str_eq(out.reason, "panic: a\xef\xbf\xbd\xef\xbf\xbd"
				     "z");
}

Test(run_result, what_is_no_result_is_an_error)
{
	static const char *const rows[] = {
		"",
		"{}",
		"[]",
		"{\"outcome\": \"exited\"}",
		("{\"release\": null, \"outcome\": \"slept\", \"status\": 0, \"exit_status\": 0, "
		 "\"reason\": null, \"boot_ms\": 1, \"command_ms\": 1, \"splats\": [], \"splat_count\": 0}"),
	};

	for (size_t i = 0; i < array_size(rows); i++) {
		struct run_result out;
		_cleanup_error_ struct error *err =
			run_result_parse(rows[i], "the file", &out);

		cr_assert_not_null(err, "%s", rows[i]);
		cr_expect(strstr(error_message(err), "the file"));
	}
}
