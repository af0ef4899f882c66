// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/cmd/commands.h"

#include <jansson.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/error.h"
#include "common/base/log.h"
#include "common/base/memory.h"
#include "common/base/string_builder.h"
#include "common/base/text.h"
#include "common/cli/command.h"
#include "common/github/workflow_command.h"
#include "vm/cmd/cmd_report.h"
#include "vm/cmd/cmd_suite.h"
#include "vm/suite/bisect.h"

enum {
	/** As git bisect takes it: this one cannot be tested. */
	SKIP_STATUS = 125,
};

#define OFFSET(field) offsetof(struct suite_options, field)

// clang-format off
const struct command_option bisect_option_table[] = {
	{ 0, "log-directory", "DIR", "where each kernel's logs go (default: a new folder below --directory)", OPTION_STRING, OFFSET(log_directory) },
	{ 0, "project", "FILE", "file to use instead of vmtest.json in the working directory", OPTION_STRING, OFFSET(project) },
	{ 0 },
};
// clang-format on

static int compare_items(const void *a, const void *b)
{
	const struct suite_item *x = a;
	const struct suite_item *y = b;

	return release_compare(&x->release, &y->release);
}

/** In order of version; which is none where the flavors differ as well. */
static struct error *order_kernels(struct suite *suite)
{
	for (size_t i = 0; i < suite->count; i++) {
		const struct suite_item *item = &suite->items[i];
		const char *flavor = suite->items[0].release.flavor;

		if (!item->has_release)
			return error_create(ERROR_USAGE,
					    "%s: '%s' does not tell its place in the order of versions",
					    item->path, item->name);
		if (strcmp(item->release.flavor, flavor) != 0)
			return error_create(ERROR_USAGE,
					    "there are kernels of the flavors %s and %s; choose one with --flavor",
					    flavor, item->release.flavor);
	}
	qsort(suite->items, suite->count, sizeof(*suite->items), compare_items);
	return NULL;
}

static enum bisect_verdict judge(const struct suite_item *item)
{
	switch (item->state) {
	case SUITE_PASSED:
	case SUITE_FLAKY:
		return BISECT_GOOD;
	case SUITE_FAILED:
		return item->exit_status == SKIP_STATUS ? BISECT_SKIPPED
							: BISECT_BAD;
	case SUITE_TIMED_OUT:
		return BISECT_BAD;
	case SUITE_LOST:
		return item->phase_ms[SUITE_BOOT] ? BISECT_BAD : BISECT_SKIPPED;
	default:
		return BISECT_SKIPPED;
	}
}

static struct error *test_one(const struct suite_report *report,
			      struct suite_setup *setup, size_t index,
			      enum bisect_verdict *ret)
{
	struct error *err;

	const struct suite one = { &setup->suite.items[index], 1 };
	enum suite_view_kind kind = suite_report_view(report);
	_cleanup_suite_view_ struct suite_view view;

	// There is a line for each step.
	suite_view_init(&view,
			kind == SUITE_VIEW_LINES ? SUITE_VIEW_QUIET : kind, &one);
	err = suite_run(&setup->run, one.items, one.count, &view.observer);
	if (err)
		return err;
	*ret = judge(one.items);
	return NULL;
}

static struct error *search(const struct suite_report *report,
			    struct suite_setup *setup,
			    enum bisect_verdict *verdicts,
			    struct bisect_step *step)
{
	const struct suite *suite = &setup->suite;

	for (unsigned int number = 1;; number++) {
		struct error *err;

		bisect_next(verdicts, suite->count, step);
		if (step->action != BISECT_TEST)
			return NULL;

		const struct suite_item *item = &suite->items[step->index];

		err = test_one(report, setup, step->index,
			       &verdicts[step->index]);
		if (err)
			return err;
		log_info("step %u: %s is %s%s%s", number, item->name,
			 bisect_verdict_name(verdicts[step->index]),
			 item->reason ? ": " : "",
			 item->reason ? item->reason : "");
	}
}

// clang-format off
static const struct {
	/** In JSON. */
	const char *name;
	/** To people; NULL for what is found. */
	const char *text;
} outcomes[] = {
	[BISECT_FOUND] = { "found", NULL },
	[BISECT_NEVER_FAILS] = { "never_fails", "the first and the last are both good: the command fails nowhere between them, as far as that tells" },
	[BISECT_ALWAYS_FAILS] = { "always_fails", "the first and the last are both bad: the command fails before the first already" },
	[BISECT_BEGINS_TO_PASS] = { "begins_to_pass", "the first is bad and the last is good: the command does not begin to fail, but to pass; to find where, bisect a command that succeeds where this one fails" },
	[BISECT_TOO_FEW] = { "too_few", "fewer than two kernels could be tested" },
};
// clang-format on

static json_t *end_json(const struct suite_item *item)
{
	return json_pack("{s:s, s:o, s:o}", "kernel", item->name, "reason",
			 text_json(item->reason), "log",
			 text_json(item->log_path));
}

static struct error *print_json(const struct suite *suite,
				const enum bisect_verdict *verdicts,
				const struct bisect_step *step)
{
	bool found = step->action == BISECT_FOUND;
	json_t *kernels = json_array();
	json_t *json;
	int failed;

	for (size_t i = 0; i < suite->count; i++)
		json_array_append_new(kernels,
				      json_pack("{s:s, s:s}", "kernel",
						suite->items[i].name, "verdict",
						bisect_verdict_name(verdicts[i])));
	json = json_pack("{s:s, s:o, s:o, s:o}", "outcome",
			 outcomes[step->action].name, "good",
			 found ? end_json(&suite->items[step->good])
			       : json_null(),
			 "bad",
			 found ? end_json(&suite->items[step->bad]) : json_null(),
			 "kernels", kernels);
	failed = json ? json_dumpf(json, stdout, JSON_INDENT(2)) : -1;
	json_decref(json);
	if (failed)
		memory_exhausted();
	putchar('\n');
	return NULL;
}

static void print_found(const struct suite *suite, const struct bisect_step *step)
{
	const struct suite_item *good = &suite->items[step->good];
	const struct suite_item *bad = &suite->items[step->bad];

	printf("good: %s\n      %s\n", good->name, good->log_path);
	printf("bad:  %s: %s\n      %s\n", bad->name, bad->reason, bad->log_path);
	for (size_t i = step->good + 1; i < step->bad; i++)
		printf("between them, skipped: %s: %s\n", suite->items[i].name,
		       suite->items[i].reason);
}

/** What a workflow's summary says of it; NULL without memory. */
static char *describe(const struct suite *suite, const struct bisect_step *step)
{
	char *text;

	if (step->action != BISECT_FOUND)
		return string_copy(outcomes[step->action].text);

	const struct suite_item *good = &suite->items[step->good];
	const struct suite_item *bad = &suite->items[step->bad];

	return asprintf(&text, "good: %s; bad: %s: %s", good->name, bad->name,
			bad->reason) < 0
		       ? NULL
		       : text;
}

/** The kernels that were tested, as they are: to be freed, not destroyed. */
static void select_tested(const struct suite *suite,
			  const enum bisect_verdict *verdicts, struct suite *ret)
{
	ret->items = memory_allocate(suite->count, sizeof(*ret->items));
	for (size_t i = 0; i < suite->count; i++) {
		if (verdicts[i] != BISECT_UNTESTED)
			ret->items[ret->count++] = suite->items[i];
	}
}

/** In a workflow, write what is known to the step's summary. */
static struct error *write_summary(struct suite_report *report,
				   const struct suite *suite,
				   const enum bisect_verdict *verdicts,
				   const struct bisect_step *step)
{
	struct error *err;

	struct suite tested = { 0 };
	_cleanup_free_ char *text = describe(suite, step);

	if (!text)
		memory_exhausted();
	select_tested(suite, verdicts, &tested);
	err = suite_report_load(report, &tested);
	if (!err)
		err = suite_report_write_summary(report, text);
	free(tested.items);
	return err;
}

static struct error *print_result(const struct suite_report *report,
				  const struct suite *suite,
				  const enum bisect_verdict *verdicts,
				  const struct bisect_step *step)
{
	_cleanup_string_builder_ struct string_builder sb = STRING_BUILDER_INIT;

	if (report->context->common->json)
		return print_json(suite, verdicts, step);
	if (step->action == BISECT_FOUND) {
		print_found(suite, step);
		return NULL;
	}
	if (!report->has_workflow_commands)
		return NULL;
	workflow_append_annotation(&sb, WORKFLOW_ERROR, "vmtest-vm bisect",
				   outcomes[step->action].text);
	return suite_report_print(&sb);
}

struct error *cmd_bisect(const struct command_context *context, int *status_ret)
{
	struct error *err;

	_cleanup_suite_setup_ struct suite_setup setup = { 0 };
	_cleanup_suite_report_ struct suite_report report = { 0 };
	_cleanup_free_ enum bisect_verdict *verdicts = NULL;
	struct bisect_step step;

	(void)status_ret;
	err = suite_setup_load(&setup, context, SUITE_EVERY_VERSION, NULL);
	if (!err)
		err = order_kernels(&setup.suite);
	if (!err)
		suite_report_init(&report, context, setup.run.command);
	if (err)
		return err;
	verdicts = memory_allocate(setup.suite.count + 1, sizeof(*verdicts));
	log_info("kernels: %zu, from %s to %s; logs in %s", setup.suite.count,
		 setup.suite.items[0].name,
		 setup.suite.items[setup.suite.count - 1].name,
		 setup.log_directory);
	err = search(&report, &setup, verdicts, &step);
	if (!err)
		err = print_result(&report, &setup.suite, verdicts, &step);
	if (!err)
		err = write_summary(&report, &setup.suite, verdicts, &step);
	if (err || step.action == BISECT_FOUND)
		return err;
	return error_create(ERROR_OTHER, "%s", outcomes[step.action].text);
}
