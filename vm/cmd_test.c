// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/commands.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/catalog.h"
#include "common/command.h"
#include "common/error.h"
#include "common/file.h"
#include "common/log.h"
#include "common/process.h"
#include "common/string_builder.h"
#include "vm/cmd_suite.h"
#include "vm/junit.h"
#include "vm/log_text.h"
#include "vm/suite_table.h"
#include "vm/workflow.h"

enum {
	/** Of a failure's log that is shown. */
	TAIL_LINES = 40,
	/** Of one that is written to a file. */
	REPORT_LINES = 200,
	REPORT_BYTES = 32 << 10,
};

#define OFFSET(field) offsetof(struct suite_options, field)

// clang-format off
const struct command_option test_option_table[] = {
	{ 'K', "all-kernels", NULL, "all supported kernels: each series of the catalog, each flavor", OPTION_FLAG, OFFSET(all_kernels) },
	{ 'j', "jobs", "[N]", "guests at once (default 1; without N, one a processor)", OPTION_OPTIONAL_NUMBER, OFFSET(jobs) },
	{ 0, "junit", "FILE", "write the results to FILE as JUnit XML", OPTION_STRING, OFFSET(junit) },
	{ 0, "log-directory", "DIR", "where each kernel's logs go (default: a new folder below --directory)", OPTION_STRING, OFFSET(log_directory) },
	{ 0, "project", "FILE", "file to use instead of vmtest.json in the working directory", OPTION_STRING, OFFSET(project) },
	{ 0 },
};
// clang-format on

/** A run of the suite, and what is said of it. */
struct report {
	const struct command_context *context;
	const struct suite_setup *setup;
	const struct suite *suite;
	/** The ends of the failures' logs; "" for the others. */
	struct string_list logs;
	/** What was run, as one would type it. */
	char *command;
	char timestamp[32];
	uint64_t start_ms;
	bool in_workflow;
};

static void report_deinit(struct report *report)
{
	string_list_deinit(&report->logs);
	free(report->command);
}

#define _cleanup_report_ _cleanup_(report_deinit)

static struct error *report_init(struct report *report,
				 const struct command_context *context,
				 const struct suite_setup *setup)
{
	const char *workflow = getenv("GITHUB_ACTIONS");
	_cleanup_string_builder_ struct string_builder sb = STRING_BUILDER_INIT;
	time_t now = time(NULL);
	struct tm utc;

	*report = (struct report){
		.context = context,
		.setup = setup,
		.suite = &setup->suite,
		.start_ms = monotonic_ms(),
		.in_workflow = workflow && strcmp(workflow, "true") == 0,
	};
	strftime(report->timestamp, sizeof(report->timestamp),
		 "%Y-%m-%dT%H:%M:%S", gmtime_r(&now, &utc));
	for (char *const *word = setup->run.command; *word; word++) {
		string_builder_append(&sb, word == setup->run.command ? "" : " ");
		string_builder_append_shell(&sb, *word);
	}
	return string_builder_finish(&sb, &report->command);
}

static struct error *load_logs(struct report *report)
{
	for (size_t i = 0; i < report->suite->count; i++) {
		struct error *err;

		const struct suite_item *item = &report->suite->items[i];
		_cleanup_free_ char *text = NULL;

		err = log_text_tail(suite_state_is_failure(item->state)
					    ? item->log_path
					    : NULL,
				    REPORT_LINES, REPORT_BYTES, &text);
		if (err)
			return err;
		string_list_add(&report->logs, text);
	}
	return string_list_check(&report->logs);
}

static enum suite_view_kind choose_view(const struct report *report)
{
	if (report->in_workflow && !report->context->common->json)
		return SUITE_VIEW_GROUPS;
	if (isatty(STDERR_FILENO) && log_level() >= LOG_INFO)
		return SUITE_VIEW_LIVE;
	return SUITE_VIEW_LINES;
}

static json_t *item_json(const struct suite_item *item)
{
	json_t *phases = json_object();

	for (int i = 0; i < SUITE_PHASE_COUNT; i++)
		json_object_set_new(phases, suite_phase_name((enum suite_phase)i),
				    json_integer((json_int_t)item->phase_ms[i]));
	return json_pack("{s:s, s:s, s:s, s:s?, s:i, s:o, s:s?, s:s?}",
			 "kernel", item->name, "arch", item->arch, "result",
			 suite_state_name(item->state), "reason", item->reason,
			 "attempts", (int)item->attempts, "milliseconds",
			 phases, "log", item->log_path, "console_log",
			 item->console_path);
}

static struct error *print_json(const struct report *report)
{
	json_t *array = json_array();
	bool failed = false;

	for (size_t i = 0; i < report->suite->count && !failed; i++)
		failed = json_array_append_new(array,
					       item_json(&report->suite->items[i]));
	failed = failed || json_dumpf(array, stdout, JSON_INDENT(2)) < 0;
	json_decref(array);
	if (failed)
		return error_no_memory();
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
				       log_text_last_lines(log, TAIL_LINES));
	else
		string_builder_appendf(sb, "; %s is empty\n\n", item->log_path);
}

static struct error *print_table(const struct report *report)
{
	struct error *err;

	_cleanup_string_builder_ struct string_builder sb = STRING_BUILDER_INIT;
	_cleanup_free_ char *text = NULL;

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
	err = string_builder_finish(&sb, &text);
	if (err)
		return err;
	fputs(text, stdout);
	return NULL;
}

static struct error *write_junit(const struct report *report, const char *path)
{
	struct error *err;

	const struct junit_report junit = {
		.suite = report->suite,
		.command = report->command,
		.timestamp = report->timestamp,
		.duration_ms = monotonic_ms() - report->start_ms,
		.logs = &report->logs,
	};
	_cleanup_free_ char *text = NULL;

	err = junit_format(&junit, &text);
	if (err)
		return err;
	return error_wrap(file_write(path, text, strlen(text)), "--junit");
}

static struct error *write_annotations(const struct report *report)
{
	struct error *err;

	_cleanup_string_builder_ struct string_builder sb = STRING_BUILDER_INIT;
	_cleanup_free_ char *text = NULL;

	workflow_append_errors(&sb, report->suite);
	err = string_builder_finish(&sb, &text);
	if (err)
		return err;
	fputs(text, stdout);
	return NULL;
}

/** Append to the step's summary what there is room for. */
static struct error *write_summary(const struct report *report)
{
	struct error *err;

	const char *path = getenv("GITHUB_STEP_SUMMARY");
	_cleanup_string_builder_ struct string_builder sb = STRING_BUILDER_INIT;
	_cleanup_free_ char *text = NULL;
	_cleanup_close_ int fd = -1;
	struct stat st;

	if (!path || !*path)
		return NULL;
	fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
	if (fd < 0 || fstat(fd, &st) < 0)
		return error_create_os(errno, "GITHUB_STEP_SUMMARY: %s", path);
	if (st.st_size >= WORKFLOW_SUMMARY_LIMIT)
		return NULL;
	workflow_append_summary(&sb, report->command, report->suite,
				&report->logs,
				WORKFLOW_SUMMARY_LIMIT - (size_t)st.st_size);
	err = string_builder_finish(&sb, &text);
	if (err)
		return err;

	int errnum = write_all(fd, text, strlen(text));

	return errnum ? error_create_os(errnum, "GITHUB_STEP_SUMMARY: %s", path)
		      : NULL;
}

/** Everything but the one line that is the error. */
static struct error *report_results(struct report *report)
{
	struct error *err = load_logs(report);

	if (!err)
		err = report->context->common->json ? print_json(report)
						    : print_table(report);
	if (!err && report->in_workflow && !report->context->common->json)
		err = write_annotations(report);
	if (!err && report->in_workflow)
		err = write_summary(report);
	return err;
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
	error_destroy(string_builder_finish(&sb, &names));
	if (count) {
		fflush(stdout);
		log_error("failed on %zu of %zu: %s", count, suite->count,
			  names ? names : "");
	}
	return count;
}

static struct error *run_suite(struct report *report, struct suite_setup *setup)
{
	_cleanup_suite_view_ struct suite_view view;

	suite_view_init(&view, choose_view(report), &setup->suite);
	return suite_run(&setup->run, setup->suite.items, setup->suite.count,
			 &view.observer);
}

struct error *cmd_test(const struct command_context *context, int *status_ret)
{
	struct error *err;

	const struct suite_options *options = context->options;
	_cleanup_suite_setup_ struct suite_setup setup = { 0 };
	_cleanup_report_ struct report report = { 0 };

	err = suite_setup_load(&setup, context, SUITE_NEWEST_OF_SERIES,
			       "drgn/vmtest.json");
	if (!err)
		err = report_init(&report, context, &setup);
	// What an earlier run wrote is not to be taken for this one's.
	if (!err && options->junit)
		err = error_wrap(file_delete(options->junit), "--junit");
	if (err)
		return err;
	log_info("kernels: %zu; logs in %s", setup.suite.count,
		 setup.log_directory);
	err = run_suite(&report, &setup);
	if (err) {
		// What has been found out is worth telling; the error remains.
		error_destroy(report_results(&report));
		return err;
	}
	err = report_results(&report);
	if (!err && options->junit)
		err = write_junit(&report, options->junit);
	*status_ret = report_failures(&setup.suite);
	return err;
}
