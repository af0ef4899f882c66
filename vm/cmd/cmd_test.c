// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/cmd/commands.h"

#include <jansson.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/base/error.h"
#include "common/base/file.h"
#include "common/base/log.h"
#include "common/base/memory.h"
#include "common/base/string_builder.h"
#include "common/base/system.h"
#include "common/base/text.h"
#include "common/cli/command.h"
#include "common/kernel/catalog.h"
#include "vm/cmd/cmd_report.h"
#include "vm/cmd/cmd_suite.h"
#include "vm/suite/junit.h"
#include "vm/suite/logs.h"
#include "vm/suite/suite_table.h"

enum {
	/** Of a failure's log that is shown. */
	TAIL_LINES = 40,
};

#define OFFSET(field) offsetof(struct suite_options, field)

// clang-format off
const struct command_option test_option_table[] = {
	{ 'K', "all-kernels", NULL, "all supported kernels: each series of the catalog, each flavor", OPTION_FLAG, OFFSET(all_kernels) },
	{ 'j', "jobs", "[N]", "guests at once (default 1; without N, one a processor)", OPTION_OPTIONAL_NUMBER, OFFSET(jobs) },
	{ 0, "list", NULL, "only list the kernels that would be tested", OPTION_FLAG, OFFSET(list) },
	{ 0, "junit", "FILE", "write the results to FILE as JUnit XML", OPTION_STRING, OFFSET(junit) },
	{ 0, "log-directory", "DIR", "where each kernel's logs go (default: a new folder below --directory)", OPTION_STRING, OFFSET(log_directory) },
	{ 0, "project", "FILE", "file to use instead of vmtest.json in the working directory", OPTION_STRING, OFFSET(project) },
	{ 0 },
};
// clang-format on

/** When it was started. */
struct start {
	char timestamp[32];
	uint64_t ms;
};

static void start_now(struct start *start)
{
	time_t now = time(NULL);
	struct tm utc;

	start->ms = monotonic_ms();
	strftime(start->timestamp, sizeof(start->timestamp),
		 "%Y-%m-%dT%H:%M:%S", gmtime_r(&now, &utc));
}

static json_t *item_json(const struct suite_item *item)
{
	json_t *phases = json_object();

	for (int i = 0; i < SUITE_PHASE_COUNT; i++)
		json_object_set_new(phases, suite_phase_name((enum suite_phase)i),
				    json_integer((json_int_t)item->phase_ms[i]));
	return json_pack("{s:s, s:s, s:s, s:o, s:i, s:o, s:o, s:o}", "kernel",
			 item->name, "arch", item->arch, "result",
			 suite_state_name(item->state), "reason",
			 text_json(item->reason), "attempts",
			 (int)item->attempts, "milliseconds", phases, "log",
			 text_json(item->log_path), "console_log",
			 text_json(item->console_path));
}

static struct error *print_json(const struct suite_report *report)
{
	json_t *array = json_array();
	bool failed = false;

	for (size_t i = 0; i < report->suite->count && !failed; i++)
		failed = json_array_append_new(array,
					       item_json(&report->suite->items[i]));
	failed = failed || json_dumpf(array, stdout, JSON_INDENT(2)) < 0;
	json_decref(array);
	if (failed)
		memory_exhausted();
	putchar('\n');
	return NULL;
}

/** A failure, with the end of its log. */
static void append_tail(struct string_builder *sb,
			const struct suite_item *item, const char *log)
{
	suite_table_append_result(sb, item);
	if (*log)
		string_builder_appendf(sb, "; %s ends with:\n%s\n",
				       item->log_path,
				       logs_last_lines(log, TAIL_LINES));
	else
		string_builder_appendf(sb, "; %s is empty\n\n", item->log_path);
}

static struct error *print_table(const struct suite_report *report)
{
	_cleanup_string_builder_ struct string_builder sb = STRING_BUILDER_INIT;

	suite_table_append(&sb, report->suite);
	string_builder_append_char(&sb, '\n');
	for (size_t i = 0; i < report->suite->count; i++) {
		const struct suite_item *item = &report->suite->items[i];

		// In a workflow the whole log stands above.
		if (!item->log_path || report->in_workflow ||
		    !suite_state_is_failure(item->state))
			continue;
		append_tail(&sb, item, report->logs.items[i]);
	}
	suite_table_append_counts(&sb, report->suite);
	string_builder_append_char(&sb, '\n');
	return suite_report_print(&sb);
}

static struct error *write_junit(const struct suite_report *report,
				 const struct start *start, const char *path)
{
	const struct junit_report junit = {
		.suite = report->suite,
		.command = report->command,
		.timestamp = start->timestamp,
		.duration_ms = monotonic_ms() - start->ms,
		.logs = &report->logs,
	};
	_cleanup_free_ char *text = NULL;

	text = junit_format(&junit);
	return error_wrap(file_write(path, text, strlen(text)), "--junit");
}

/** Everything but the one line that is the error. */
static struct error *report_results(struct suite_report *report,
				    const struct suite *suite)
{
	struct error *err = suite_report_load(report, suite);
	_cleanup_string_builder_ struct string_builder annotations =
		STRING_BUILDER_INIT;

	if (!err)
		err = report->context->common->json ? print_json(report)
						    : print_table(report);
	if (!err && report->has_workflow_commands) {
		suite_table_append_errors(&annotations, suite);
		err = suite_report_print(&annotations);
	}
	return err ? err : suite_report_write_summary(report, NULL);
}

/** @return Whether any kernel has failed. */
static bool report_failures(const struct suite *suite)
{
	_cleanup_string_builder_ struct string_builder sb = STRING_BUILDER_INIT;
	_cleanup_free_ char *names = NULL;
	size_t count = 0;

	for (size_t i = 0; i < suite->count; i++) {
		if (!suite_state_is_failure(suite->items[i].state))
			continue;
		string_builder_appendf(&sb, "%s%s", count ? ", " : "",
				       suite->items[i].name);
		count++;
	}
	// Without memory for their names they have failed all the same.
	names = string_builder_take(&sb);
	if (count) {
		fflush(stdout);
		log_error("failed on %zu of %zu kernels: %s", count,
			  suite->count, names ? names : "");
	}
	return count;
}

static struct error *run_suite(const struct suite_report *report,
			       struct suite_setup *setup)
{
	_cleanup_suite_view_ struct suite_view view;

	suite_view_init(&view, suite_report_view(report), &setup->suite);
	return suite_run(&setup->run, setup->suite.items, setup->suite.count,
			 &view.observer);
}

/** A line a kernel, or, as JSON, what a matrix of jobs is made from. */
static struct error *list_kernels(const struct command_context *context,
				  const struct suite *suite)
{
	json_t *array = json_array();
	bool failed = false;

	for (size_t i = 0; i < suite->count; i++) {
		const struct suite_item *item = &suite->items[i];
		const char *flavor = item->has_release ? item->release.flavor
						       : "";

		if (!context->common->json)
			printf("%s %s\n", item->kernel, item->arch);
		else if (json_array_append_new(array,
					       json_pack("{s:o, s:s, s:s}",
							 "kernel",
							 text_json(item->kernel),
							 "arch", item->arch,
							 "flavor", flavor)))
			failed = true;
	}
	if (context->common->json)
		failed = failed || !array ||
			 json_dumpf(array, stdout, JSON_INDENT(2)) < 0 ||
			 putchar('\n') == EOF;
	json_decref(array);
	return failed ? error_create(ERROR_OTHER, "write JSON") : NULL;
}

struct error *cmd_test(const struct command_context *context, int *status_ret)
{
	struct error *err;

	const struct suite_options *options = context->options;
	_cleanup_suite_setup_ struct suite_setup setup = { 0 };
	_cleanup_suite_report_ struct suite_report report = { 0 };
	static const char fallback[] = "drgn/vmtest.json";
	struct start start;

	if (options->list) {
		*status_ret = 0;
		err = suite_setup_choose(&setup, context,
					 SUITE_NEWEST_OF_SERIES, fallback);
		return err ? err : list_kernels(context, &setup.suite);
	}
	err = suite_setup_load(&setup, context, SUITE_NEWEST_OF_SERIES, fallback);
	if (!err)
		suite_report_init(&report, context, setup.run.command);
	// What an earlier run wrote is not to be taken for this one's.
	if (!err && options->junit)
		err = error_wrap(file_delete(options->junit), "--junit");
	if (err)
		return err;
	log_info("kernels: %zu; logs in %s", setup.suite.count,
		 setup.log_directory);
	start_now(&start);
	err = run_suite(&report, &setup);
	if (err) {
		// What has been found out is worth telling; the error remains.
		error_destroy(report_results(&report, &setup.suite));
		return err;
	}
	err = report_results(&report, &setup.suite);
	if (!err && options->junit)
		err = write_junit(&report, &start, options->junit);
	*status_ret = report_failures(&setup.suite);
	return err;
}
