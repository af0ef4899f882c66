// SPDX-License-Identifier: LGPL-2.1-or-later

/** A script stands for vmtest-vm: what it does follows from a kernel's name. */

#include "vm/suite/suite.h"

#include <criterion/criterion.h>
#include <string.h>
#include <unistd.h>

#include "common/base/error.h"
#include "common/base/file.h"
#include "tests/unit/files.h"

static const char script[] =
	"#!/bin/sh\n"
	"command=$1\n"
	"cd \"$(dirname \"$0\")\" || exit 9\n"
	"for word; do case $word in\n"
	"--kernel=*) kernel=${word#--kernel=} ;;\n"
	"--result=*) result=${word#--result=} ;;\n"
	"esac; done\n"
	"name=${kernel##*/}\n"
	"echo \"$command $name\" >>calls\n"
	"case \" $* \" in *' --arch=arm '*) ;; *) exit 8 ;; esac\n"
	"result() { echo '{\"release\": null, \"outcome\": \"'$1'\", \"status\": '$2',"
	" \"exit_status\": '$2', \"reason\": null, \"boot_ms\": 10, \"command_ms\": 20,"
	" \"splats\": [], \"splat_count\": 0}' >\"$result\"; exit $2; }\n"
	"case $command-$name in\n"
	"download-away*) echo 'vmtest-vm: error: no such asset' >&2; exit 1 ;;\n"
	"download-silent*) exit 1 ;;\n"
	"download-*) sleep 0.1\n"
	"	echo '[{\"path\": \"/k/'$name'\", \"download_ms\": 3, \"unpack_ms\": 4}]' ;;\n"
	"module-fails*) echo 'vmtest-vm: error: it does not compile' >&2; exit 1 ;;\n"
	"module-*) echo /the/module.ko ;;\n"
	"run-tap*) printf 'KTAP version 1\n  ok 1 a\n  not ok 2 b\nnot ok 1 s\n'; result exited 0 ;;\n"
	"run-fail*) echo output; result exited 3 ;;\n"
	"run-long*) sleep 0.5; result exited 0 ;;\n"
	"run-slow*) result timed_out 124 ;;\n"
	"run-lost*) result lost 128 ;;\n"
	"run-flaky*) [ -e flaky ] && result exited 0; touch flaky; result lost 128 ;;\n"
	"run-killed*) kill -9 $$ ;;\n"
	"run-torn*) echo '{\"release\": nu' >\"$result\"; exit 0 ;;\n"
	"run-huge*) head -c 2000000 /dev/zero >\"$result\"; exit 0 ;;\n"
	"run-linked*) ln -s /dev/zero \"$result\"; exit 0 ;;\n"
	"run-folder*) mkdir \"$result\"; exit 0 ;;\n"
	"run-wrong*) echo 'vmtest-vm: error: a bad option' >&2; exit 2 ;;\n"
	"run-*) result exited 0 ;;\n"
	"esac\n";

struct recorder {
	struct suite_observer observer;
	size_t downloading, running, most_running;
	/** That were downloaded for tests that have not ended. */
	size_t most_ahead;
};

static struct suite suite;

static void record(struct suite_observer *observer, const struct suite_item *item)
{
	struct recorder *recorder = (struct recorder *)observer;

	if (item->state == SUITE_DOWNLOADING)
		cr_expect_eq(recorder->downloading++, 0);
	else if (item->state == SUITE_WAITING || item->state == SUITE_NOT_RUN)
		recorder->downloading = 0;
	if (item->state == SUITE_RUNNING)
		recorder->running++;
	else if (item->attempts)
		recorder->running--;
	if (recorder->running > recorder->most_running)
		recorder->most_running = recorder->running;

	size_t ahead = 0;

	for (size_t i = 0; i < suite.count; i++)
		ahead += suite.items[i].is_downloaded &&
			 !suite_state_is_end(suite.items[i].state);
	if (ahead > recorder->most_ahead)
		recorder->most_ahead = ahead;
}

static char *command[] = { (char *)"true", NULL };
static struct recorder recorder;
static struct suite_run_options options;

static void setup(void)
{
	setup_tmp();
	recorder = (struct recorder){ .observer = { .changed = record } };
	options = (struct suite_run_options){
		.program = in_tmp("program"),
		.command = command,
		.log_directory = tmp,
		.jobs = 1,
	};
	put_program(tmp, "program", script);
}

static void teardown(void)
{
	suite_deinit(&suite);
	free(options.program);
	teardown_tmp();
}

TestSuite(suite_run, .init = setup, .fini = teardown);

/** Add kernels, ended by NULL: those with a + are still to be downloaded. */
static void add_kernels(const char *const *names)
{
	for (; *names; names++) {
		const char *name = *names + (**names == '+');
		_cleanup_free_ char *path = path_join("/k", name);

		suite_add_directory(&suite, name, "arm", path);
		if (**names == '+')
			free(take_ptr(suite.items[suite.count - 1].path));
	}
}

#define add(...) add_kernels((const char *const[]){ __VA_ARGS__, NULL })

Test(suite_run, each_kernel_has_its_verdict)
{
	static const struct {
		const char *name;
		enum suite_state state;
		unsigned int attempts;
		const char *reason;
	} rows[] = {
		{ "good", SUITE_PASSED, 1, "" },
		{ "+better", SUITE_PASSED, 1, "" },
		{ "+away", SUITE_NOT_RUN, 0, "no such asset" },
		{ "+silent", SUITE_NOT_RUN, 0, "vmtest-vm ended with status 1" },
		{ "fail", SUITE_FAILED, 1, "exit status 3" },
		{ "tap", SUITE_FAILED, 1, "1 of 2 tests failed: s: b" },
		{ "slow", SUITE_TIMED_OUT, 1, "unknown" },
		{ "lost", SUITE_LOST, 2, "unknown" },
		{ "+flaky", SUITE_FLAKY, 2, "lost at first: unknown" },
		{ "killed", SUITE_LOST, 2, "vmtest-vm was killed by signal 9" },
		{ "wrong", SUITE_NOT_RUN, 1, "a bad option" },
	};

	for (unsigned int jobs = 1; jobs <= 30; jobs *= 3) {
		options.jobs = jobs;
		for (size_t i = 0; i < array_size(rows); i++)
			add(rows[i].name);
		cr_assert_null(suite_run(&options, &suite, &recorder.observer));
		for (size_t i = 0; i < array_size(rows); i++) {
			const struct suite_item *item = &suite.items[i];

			cr_expect_eq(item->state, rows[i].state, "%s",
				     rows[i].name);
			cr_expect_eq(item->attempts, rows[i].attempts, "%s",
				     rows[i].name);
			cr_expect_str_eq(item->reason ? item->reason : "",
					 rows[i].reason);
			cr_expect(suite_state_is_end(item->state));
		}
		cr_expect_leq(recorder.most_running, jobs);
		cr_expect(jobs == 1 || recorder.most_running > 1);
		cr_expect_eq(suite.items[1].phase_ms[SUITE_DOWNLOAD], 3);
		cr_expect_eq(suite.items[1].phase_ms[SUITE_UNPACK], 4);
		cr_expect_eq(suite.items[1].phase_ms[SUITE_BOOT], 10);
		cr_expect_eq(suite.items[1].phase_ms[SUITE_COMMAND], 20);
		teardown();
		setup();
	}
}

Test(suite_run, a_link_leads_no_log_elsewhere)
{
	static const char *const names[] = { "fail.log", "fail.json" };

	put_file(tmp, "precious", "old");
	for (size_t i = 0; i < array_size(names); i++) {
		_cleanup_free_ char *link = in_tmp(names[i]);

		cr_assert_eq(symlink("precious", link), 0);
	}
	add("fail");
	cr_assert_null(suite_run(&options, &suite, &recorder.observer));
	expect_contents(tmp, "precious", "old");
	expect_contents(tmp, "fail.log", "output\n");
}

Test(suite_run, a_result_that_cannot_be_read_is_a_loss_of_its_kernel)
{
	static const struct {
		const char *name, *reason;
	} rows[] = { { "torn", "torn.2.json" },
		     { "huge", "larger than" },
		     { "linked", "larger than" },
		     { "folder", "Is a directory" } };

	for (size_t i = 0; i < array_size(rows); i++)
		add(rows[i].name);
	add("good");
	cr_assert_null(suite_run(&options, &suite, &recorder.observer));
	for (size_t i = 0; i < array_size(rows); i++) {
		const struct suite_item *item = &suite.items[i];

		cr_expect_eq(item->state, SUITE_LOST, "%s", rows[i].name);
		cr_expect_eq(item->attempts, 2, "%s", rows[i].name);
		cr_expect(strstr(item->reason, rows[i].reason), "%s: %s",
			  rows[i].name, item->reason);
	}
	cr_expect_eq(suite.items[array_size(rows)].state, SUITE_PASSED);
}

Test(suite_run, modules_are_built_first_and_once)
{
	add("+good", "fails", "lost");
	for (size_t i = 0; i < suite.count; i++)
		suite.items[i].needs_module = true;
	cr_assert_null(suite_run(&options, &suite, &recorder.observer));
	_cleanup_free_ char *calls = get_file(tmp, "calls");
	const char *module = strstr(calls, "module good\n");
	const char *lost = strstr(calls, "module lost\n");
	cr_expect_eq(suite.items[0].state, SUITE_PASSED);
	cr_expect_eq(suite.items[1].state, SUITE_NOT_RUN);
	cr_expect_str_eq(suite.items[1].reason, "it does not compile");
	cr_expect_eq(suite.items[2].attempts, 2);
	cr_assert(module && lost);
	cr_expect(strstr(calls, "download good\n") < module);
	cr_expect(strstr(calls, "run good\n") > module);
	cr_expect_null(strstr(lost + 1, "module lost"));
	cr_expect_null(strstr(calls, "run fails"));
}

Test(suite_run, logs_have_names_and_ends)
{
	add("fail", "flaky");
	cr_assert_null(suite_run(&options, &suite, &recorder.observer));
	_cleanup_free_ char *log = get_file(tmp, "fail.log");
	_cleanup_free_ char *first = get_file(tmp, "flaky.json");
	_cleanup_free_ char *second = get_file(tmp, "flaky.2.json");
	cr_expect_str_eq(log, "output\n");
	cr_expect(strstr(first, "lost"));
	cr_expect(strstr(second, "exited"));
	cr_expect_str_eq(suite.items[0].log_end, "output\n");
	cr_expect_null(suite.items[1].log_end);
	cr_expect(strstr(suite.items[1].log_path, "/flaky.2.log"));
	cr_expect(strstr(suite.items[1].console_path, "/flaky.2.console.log"));
}

Test(suite_run, kernels_are_downloaded_in_order_while_others_run)
{
	add("+a", "b", "+c");
	cr_assert_null(suite_run(&options, &suite, &recorder.observer));
	_cleanup_free_ char *calls = get_file(tmp, "calls");
	cr_expect(strstr(calls, "run b\n") < strstr(calls, "run a\n"), "%s",
		  calls);
	cr_expect(strstr(calls, "download a\n") < strstr(calls, "download c\n"));
}

Test(suite_run, what_is_deleted_after_its_test_is_not_downloaded_long_before)
{
	for (unsigned int jobs = 1; jobs <= 2; jobs++) {
		options.jobs = jobs;
		options.discard_from = tmp;
		add("+long1", "+long2", "+long3", "+long4", "+long5");
		cr_assert_null(suite_run(&options, &suite, &recorder.observer));
		cr_expect_leq(recorder.most_ahead, jobs + 1);
		for (size_t i = 0; i < suite.count; i++)
			cr_expect_eq(suite.items[i].state, SUITE_PASSED);
		teardown();
		setup();
	}
}

Test(suite_run, the_newest_directories_of_logs_are_kept)
{
	static const char *const names[] = {
		"20260101-120000-1",
		"20260102-120000-1",
		"my-own",
	};
	_cleanup_free_ char *path = NULL;

	for (size_t i = 0; i < array_size(names); i++) {
		_cleanup_free_ char *old = in_tmp(names[i]);

		cr_assert_null(directory_create(old));
	}
	cr_assert_null(suite_log_directory_create(tmp, 2, &path));
	for (size_t i = 0; i < array_size(names); i++) {
		_cleanup_free_ char *old = in_tmp(names[i]);

		cr_expect_eq(directory_exists(old), i > 0, "%s", names[i]);
	}
	cr_expect(directory_exists(path));
}
