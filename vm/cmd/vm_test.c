// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/cmd/vm_commands.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/base/error.h"
#include "common/base/file.h"
#include "common/base/log.h"
#include "common/base/system.h"
#include "common/base/text.h"
#include "common/process/process.h"
#include "vm/suite/suite_list.h"

enum {
	/** Of a failure's log that is shown. */
	TAIL_LINES = 40,
};

#define INTO(type, field) OPTION_INTO(type, struct suite_options, field)

// clang-format off
static const struct command_option options[] = {
	SUITE_KERNELS_ROWS,
	SUITE_DISCARD_ROW,
	{ 0, "repeat", "N", "run the command so often on each kernel", INTO(OPTION_NUMBER, repeat), .min = 1, .otherwise = 1 },
	{ 0, "until-failure", NULL, "run it again until it has failed on a kernel; without --repeat, as often as that takes", INTO(OPTION_FLAG, until_failure) },
	{ 0, "shuffle", "[SEED]", "test in another order each time, or in that of SEED, which is shown", INTO(OPTION_OPTIONAL_NUMBER, shuffle), .min = 1 },
	{ 0, "rerun-failed", NULL, "only the kernels that failed in the project's last test", INTO(OPTION_FLAG, rerun_failed) },
	{ 0, "locked", NULL, "exactly the kernels of vmtest.lock, see lock", INTO(OPTION_FLAG, locked) },
	{ 0, "list", NULL, "only list the kernels that would be tested", INTO(OPTION_FLAG, list) },
	{ 0, "junit", "FILE", "write the results to FILE as JUnit XML", INTO(OPTION_STRING, junit) },
	{ 0 },
};
// clang-format on

/** How many there are, and the names of those that failed; null for none. */
static json_t *tests_json(const struct suite_item *item)
{
	if (!item->tests)
		return json_null();
	json_t *failed = json_array();
	for (size_t i = 0; i < item->tests->count; i++) {
		if (item->tests->items[i].result == KTAP_FAILED)
			json_array_append_new(failed,
					      text_json(item->tests->items[i].name));
	}
	return json_pack("{s:I, s:o}", "count", (json_int_t)item->tests->count,
			 "failed", failed);
}

static json_t *item_json(const struct suite_item *item)
{
	json_t *phases = json_object();

	for (int i = 0; i < SUITE_PHASE_COUNT; i++)
		json_object_set_new(phases, suite_phase_names[i],
				    json_integer((json_int_t)item->phase_ms[i]));
	json_t *json =
		json_pack("{s:s, s:s, s:s, s:o, s:i, s:o, s:o, s:o, s:o}",
			  "kernel", item->name, "arch", item->arch, "result",
			  suite_state_names[item->state], "reason",
			  text_json(item->reason), "attempts",
			  (int)item->attempts, "milliseconds", phases, "tests",
			  tests_json(item), "log", text_json(item->log_path),
			  "console_log", text_json(item->console_path));
	if (item->runs) {
		json_object_set_new(json, "runs", json_integer(item->runs));
		json_object_set_new(json, "failed_runs",
				    json_integer(item->failed_runs));
	}
	return json;
}

static void print_table(const struct suite_setup *setup)
{
	const struct suite *suite = &setup->suite;
	_cleanup_string_builder_ struct string_builder sb = { 0 };

	suite_table_append(&sb, suite);
	string_builder_append_char(&sb, '\n');
	for (size_t i = 0; i < suite->count; i++) {
		const struct suite_item *item = &suite->items[i];

		// In groups the whole log stands above.
		if (!item->log_path || setup->view == SUITE_VIEW_GROUPS ||
		    !suite_state_is_failure(item->state))
			continue;
		suite_table_append_result(&sb, item);
		string_builder_appendf(&sb, "; %s %s\n%s\n", item->log_path,
				       item->log_end ? "ends with:" : "is empty",
				       item->log_end
					       ? output_last_lines(item->log_end,
								   TAIL_LINES)
					       : "");
	}
	suite_table_append_counts(&sb, suite);
	string_builder_append_char(&sb, '\n');
	if (setup->view == SUITE_VIEW_GROUPS)
		suite_table_append_errors(&sb, suite,
					  command_variable("GITHUB_WORKSPACE"));
	fputs(sb.text, stdout);
}

/** Everything but the one line that is the error. */
static struct error *report_results(const struct suite_setup *setup)
{
	struct error *err;
	struct command_context *context = setup->context;

	if (context->common->json) {
		for (size_t i = 0; i < setup->suite.count; i++)
			command_row_add(context,
					item_json(&setup->suite.items[i]));
		err = command_rows_print(context);
		if (err)
			return err;
	} else {
		print_table(setup);
	}
	return suite_write_summary(setup, NULL, &setup->suite);
}

/** @return The one line that says which kernels have failed, if any has. */
static struct error *report_failures(const struct suite *suite)
{
	_cleanup_string_builder_ struct string_builder sb = { 0 };
	size_t count = 0;

	for (size_t i = 0; i < suite->count; i++) {
		if (suite_state_is_failure(suite->items[i].state))
			string_builder_appendf(&sb, "%s%s", count++ ? ", " : "",
					       suite->items[i].name);
	}
	if (!count)
		return NULL;
	return error_create(ERROR_OTHER, "failed on %zu of %zu kernels: %s",
			    count, suite->count, sb.text);
}

/** A line a kernel, or, as JSON, what a matrix of jobs is made from. */
static struct error *list_kernels(struct command_context *context,
				  const struct suite *suite)
{
	for (size_t i = 0; i < suite->count; i++) {
		const struct suite_item *item = &suite->items[i];

		command_row(context, suite_item_json(item), "%s %s",
			    item->kernel, item->arch);
	}
	return command_rows_print(context);
}

/** In the order and as often as is asked for; and keep which have failed. */
static struct error *run_suite(struct suite_setup *setup)
{
	struct error *err;
	const struct suite_options *suite_options = setup->context->options;
	bool has_end = !suite_options->until_failure ||
		       command_line_has(&setup->context->line, "repeat");
	unsigned int seed = suite_options->shuffle;

	if (seed == OPTION_NUMBER_OMITTED)
		seed = arc4random_uniform(OPTION_NUMBER_MAX) + 1;
	if (seed) {
		log_info("in the order of --shuffle=%u", seed);
		suite_shuffle(&setup->suite, seed);
	}
	err = suite_run_rounds(setup, has_end ? suite_options->repeat : 0,
			       suite_options->until_failure);
	return err ? err : suite_setup_keep_failed(setup);
}

static struct error *run(struct command_context *context)
{
	struct error *err;
	const struct suite_options *suite_options = context->options;
	// What is not asked for is not built by the programs of a package.
	const char *fallback = suite_options->guest.module == MODULE_NONE
				       ? NULL
				       : "drgn/vmtest.json";

	_cleanup_suite_setup_ struct suite_setup setup = { 0 };
	err = suite_setup_load(&setup, context, SUITE_NEWEST_OF_SERIES, fallback);
	if (err)
		return err;
	if (suite_options->list)
		return list_kernels(context, &setup.suite);
	if (!setup.suite.count) {
		log_info("nothing has failed in the last test");
		return command_rows_print(context);
	}
	if (suite_options->junit) {
		// What an earlier run wrote is not to be taken for this one's.
		err = user_file_delete(suite_options->junit);
		if (err)
			return error_wrap(err, "--junit");
	}
	log_info("kernels: %zu; logs in %s", setup.suite.count,
		 setup.run.log_directory);
	setup.run.expected.failures = &setup.project.failures;
	uint64_t start_ms = monotonic_ms();
	err = run_suite(&setup);
	if (err) {
		// What has been found out is worth telling; the error remains.
		error_destroy(report_results(&setup));
		return err;
	}
	err = report_results(&setup);
	if (err)
		return err;
	if (suite_options->junit) {
		uint64_t took_ms = monotonic_ms() - start_ms;
		_cleanup_free_ char *text =
			junit_format(&setup.suite, setup.command,
				     time(NULL) - (time_t)(took_ms / 1000),
				     took_ms);

		err = user_file_write(suite_options->junit, text, strlen(text));
		if (err)
			return error_wrap(err, "--junit");
	}
	return report_failures(&setup.suite);
}

const struct command vm_test_command = {
	.name = "test",
	.arguments = "[--] [COMMAND ARG...]",
	.summary = "run a command under many kernels",
	.details =
		"The kernels are the newest of each series and flavor: all supported ones\n"
		"with -K, those that a pattern means with -k, of each architecture of --arch.\n"
		"They are downloaded one by one while others are tested. A kernel whose guest\n"
		"is lost is tried once more, and flaky if it then passes. The exit status is 1\n"
		"if any has failed.\n"
		"\n"
		"What is not on the command line may be in vmtest.json, in the working\n"
		"directory: \"command\", \"kernels\", \"memory\" and so on; paths in it are\n"
		"relative to it, and its command runs where it lies. Repeatable options add to\n"
		"those of the file, all others win over it. What it would do on the host, or\n"
		"outside of its directory, needs --trust-project, until the file changes; one that\n"
		"others can change is not read.\n"
		"\n"
		"With --module insert, and neither a command nor a file, drgn is tested: its\n"
		"test module is inserted, and what the module's interface promises is looked\n"
		"at with the python3-drgn of the host.",
	.options = { options, suite_option_table, run_option_table },
	.options_size = sizeof(struct suite_options),
	.common = COMMON_SELECTION | COMMON_DOWNLOAD | COMMON_JSON,
	.takes_program = true,
	.run = run,
};
