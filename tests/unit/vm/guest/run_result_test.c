// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/guest/guest.h"

#include <criterion/criterion.h>
#include <string.h>

#include "common/base/text.h"
#include "common/process/process.h"
#include "tests/unit/errors.h"
#include "vm/guest/guest_internal.h"

Test(run_result, what_is_written_is_read)
{
	static const char *const keys[] = {
		"release", "outcome", "status",	    "exit_status",
		"reason",  "boot_ms", "command_ms", "splats",
		"file",	   "line",    "splat_count"
	};
	char *splats[] = { (char *)"BUG: a", (char *)"WARNING: \"b\"", NULL };
	const struct run_result results[] = {
		{
			.release = (char *)"6.12.117-vmtest1.1default",
			.outcome = RUN_EXITED,
			.status = 1,
			.exit_status = 3,
			.boot_ms = 1200,
			.command_ms = 7,
			.splats = { splats, 2 },
			.file = (char *)"/a/x.c",
			.line = 41,
			.splat_count = 5,
		},
		{
			.release = (char *)"6.1.1-vmtest1.0tiny",
			.outcome = RUN_LOST,
			.status = 128,
			// A guest's bytes need not be UTF-8.
			.reason = (char *)"panic: a\xff\xc3z",
		},
		{ .outcome = RUN_NOT_RUN, .reason = (char *)"no kernel" },
		{ .outcome = RUN_TIMED_OUT, .boot_ms = 1, .command_ms = 2 },
	};

	for (size_t i = 0; i < array_size(results); i++) {
		_cleanup_free_ char *text = run_result_format(&results[i]);
		_cleanup_run_result_ struct run_result out = { 0 };

		for (size_t j = 0; j < array_size(keys); j++)
			cr_expect(strstr(text, keys[j]), "%s", text);
		cr_assert_null(run_result_parse(text, "test", &out));

		_cleanup_free_ char *again = run_result_format(&out);

		cr_expect_str_eq(again, text);
		cr_expect_eq(out.outcome, results[i].outcome);
		cr_expect_eq(out.exit_status, results[i].exit_status);
		cr_expect_eq(out.splats.count, results[i].splats.count);
		cr_expect_eq(out.line, results[i].line);
		if (i == 1)
			cr_expect_str_eq(out.reason,
					 "panic: a" UTF8_REPLACEMENT UTF8_REPLACEMENT
					 "z");
	}
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

		expect_failure(run_result_parse(rows[i], "the file", &out),
			       "the file");
	}
}

static struct error *compute(const struct lifecycle *lifecycle,
			     const char *text, const char *output_text,
			     const struct process_status *status,
			     struct run_result *ret)
{
	_cleanup_console_ struct console console = { 0 };
	_cleanup_console_ struct console output = { 0 };

	console_feed(&console, text, strlen(text));
	console_feed(&output, output_text, strlen(output_text));
	return run_result_compute(lifecycle, &console, &output, status,
				  "mount /", ret);
}

Test(run_result, a_guest_without_a_status_has_a_reason_and_the_log_s_end)
{
	static const char task[] = "task:sleep state:S pid:90 ppid:80\n";
	// clang-format off
	static const char *const remedies[] = {
		[RUN_LOST] = "--output-limit allows more",
		[RUN_TIMED_OUT] = NULL,
		[RUN_EXITED] = NULL,
	};
	static const struct {
		enum run_outcome outcome;
		enum lifecycle_cause cause;
		struct process_status status;
		const char *console, *reason;
	} rows[] = {
		{ RUN_LOST, CAUSE_END_IN_BOOT, { 0, 0 }, "a\n", "the guest powered off before the command started" },
		{ RUN_LOST, CAUSE_END, { 0, 0 }, "a\n", "the guest powered off or rebooted before the command ended" },
		{ RUN_LOST, CAUSE_END, { 1, 0 }, "a\n", "QEMU exited with status 1" },
		{ RUN_LOST, CAUSE_END_IN_BOOT, { 0, 6 }, "a\n", "QEMU was killed by signal 6" },
		{ RUN_LOST, CAUSE_BOOT, { 0, 0 }, "a\n", "the guest did not start the command within 120 seconds" },
		{ RUN_LOST, CAUSE_DRAIN, { 0, 0 }, "a\n", "the command has ended, but the guest did not finish within 30 seconds" },
		{ RUN_LOST, CAUSE_PROTOCOL, { 0, 0 }, "a\n", "the guest broke the protocol of its control port, which only vmtest's init may use: it said 'mount /'" },
		{ RUN_LOST, CAUSE_PROTOCOL, { 0, 0 }, "Kernel panic - not syncing: x\n", "the guest broke the protocol of its control port, which only vmtest's init may use: it said 'mount /'" },
		{ RUN_LOST, CAUSE_FLOOD, { 0, 0 }, "a\n", "the guest has written more than 2 MB, and was ended; --output-limit allows more" },
		{ RUN_EXITED, CAUSE_FLOOD, { 0, 0 }, "a\n", "the guest has written more than 2 MB, and was ended" },
		{ RUN_LOST, CAUSE_SERVER, { 0, 0 }, "a\n", "virtiofsd has ended, which serves files; for --rw, VMTEST_VIRTIOFSD=none takes 9p instead" },
		{ RUN_LOST, CAUSE_END, { 0, 6 }, "Kernel panic - not syncing: x\n", "Kernel panic - not syncing: x" },
		{ RUN_TIMED_OUT, CAUSE_NONE, { 0, 0 }, task, "the command did not end within 2 seconds" },
		{ RUN_TIMED_OUT, CAUSE_NONE, { 0, 0 }, "words\n", "the command did not end within 2 seconds" },
	};
	// clang-format on

	for (size_t i = 0; i < array_size(rows); i++) {
		const struct lifecycle lifecycle = {
			.boot_limit_ms = 120000,
			.timeout_ms = 2000,
			.flood_bytes = 2 << 20,
			.flood_remedy = remedies[rows[i].outcome],
			.command_ms = 2001,
			.outcome = rows[i].outcome,
			.cause = rows[i].cause
		};
		_cleanup_run_result_ struct run_result result = { 0 };

		cr_assert_null(compute(&lifecycle, rows[i].console, "",
				       &rows[i].status, &result));
		cr_expect_eq(result.outcome, rows[i].outcome);
		cr_expect_eq(result.command_ms, 2001);
		cr_expect_str_eq(result.reason, rows[i].reason);
		cr_expect_str_eq(result.log, rows[i].console);
	}
}

Test(run_result, an_exit_has_its_status_and_what_the_kernel_reported)
{
	const struct lifecycle lifecycle = { .exit_status = 3, .boot_ms = 5 };
	const struct process_status status = { 0 };
	_cleanup_run_result_ struct run_result result = { 0 };

	cr_assert_null(compute(&lifecycle, "WARNING: x\nBUG: y\nz\n", "",
			       &status, &result));
	cr_expect_eq(result.outcome, RUN_EXITED);
	cr_expect_eq(result.exit_status, 3);
	cr_expect_eq(result.boot_ms, 5);
	cr_expect_eq(result.splat_count, 2);
	cr_assert_eq(result.splats.count, 2);
	cr_expect_str_eq(result.splats.items[0], "WARNING: x");
	cr_expect_null(result.reason);
	cr_expect_str_eq(result.log, "");
}

Test(run_result, a_command_that_was_not_run_is_an_error)
{
	static const struct {
		enum lifecycle_cause cause;
		const char *output;
		enum error_kind kind;
		const char *message;
	} rows[] = {
		{ CAUSE_GUEST, "", ERROR_OTHER, "the guest could not mount /" },
		{ CAUSE_QEMU, "", ERROR_OTHER,
		  "QEMU did not start: it said nothing" },
		{ CAUSE_QEMU, "qemu: \033[1mno\033[0m\nsuch option\n",
		  ERROR_OTHER, "QEMU did not start: qemu: no such option" },
		{ CAUSE_QEMU, "qemu: unsupported machine type", ERROR_NOT_FOUND,
		  "qemu: unsupported machine type" },
	};
	const struct process_status status = { .exit_status = 1 };

	for (size_t i = 0; i < array_size(rows); i++) {
		const struct lifecycle lifecycle = { .outcome = RUN_NOT_RUN,
						     .cause = rows[i].cause };
		struct run_result result = { 0 };

		expect_kind(compute(&lifecycle, "", rows[i].output, &status,
				    &result),
			    rows[i].kind, rows[i].message);
	}
}

Test(run_result, a_status_says_how_the_run_ended)
{
	static const struct {
		enum run_outcome outcome;
		int exit_status;
		size_t splats;
		bool fail_on_splat;
		int status;
	} rows[] = {
		{ RUN_EXITED, 0, 0, true, 0 },
		{ RUN_EXITED, 0, 2, false, 0 },
		{ RUN_EXITED, 0, 2, true, RUN_STATUS_SPLAT },
		{ RUN_EXITED, 3, 2, true, 3 },
		{ RUN_TIMED_OUT, 0, 2, true, RUN_STATUS_TIMED_OUT },
		{ RUN_LOST, 0, 2, true, 7 },
	};

	for (size_t i = 0; i < array_size(rows); i++) {
		const struct run_result result = {
			.outcome = rows[i].outcome,
			.exit_status = rows[i].exit_status,
			.splat_count = rows[i].splats,
		};

		cr_expect_eq(run_result_status(&result, 7, rows[i].fail_on_splat),
			     rows[i].status, "row %zu", i);
	}
}
