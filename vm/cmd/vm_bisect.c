// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/cmd/bisect_git.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/error.h"
#include "common/base/log.h"
#include "common/base/memory.h"
#include "common/base/text.h"
#include "common/github/workflow.h"

struct bisect_options {
	struct suite_options suite;
	struct kernel_source source;
	const char *good, *bad;
};

#define INTO(type, field) OPTION_INTO(type, struct bisect_options, field)

// clang-format off
static const struct command_option own_option_table[] = {
	{ 0, "git", "DIR", "go on in this kernel's git repository, which is only read: to the commit", INTO(OPTION_STRING, source.path) },
	{ 0, "good", "REF", "with --git: a commit where the command succeeds, instead of what packages tell", INTO(OPTION_STRING, good) },
	{ 0, "bad", "REF", "with --git: a later commit, where it fails", INTO(OPTION_STRING, bad) },
	{ 0, "keep-config", NULL, "with --git: build with the .config in DIR instead of a flavor's", INTO(OPTION_FLAG, source.keep_config) },
	{ 0, "llvm", NULL, "with --git: build with clang and LLVM's tools", INTO(OPTION_FLAG, source.llvm) },
	{ 0 },
};
// clang-format on

/** In order of version; which is none where the flavors differ as well. */
static struct error *order_kernels(struct suite *suite)
{
	struct error *err;

	err = bisect_order(suite);
	if (err || !suite->count)
		return err;
	const char *first = suite->items[0].release.flavor;
	const char *last = suite->items[suite->count - 1].release.flavor;

	if (strcmp(first, last) == 0)
		return NULL;
	return error_create(ERROR_USAGE,
			    "there are kernels of the flavors %s and %s; choose one with --flavor",
			    first, last);
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
				const struct bisect_step *step)
{
	bool found = step->action == BISECT_FOUND;
	json_t *kernels = json_array();

	for (size_t i = 0; i < suite->count; i++) {
		const struct suite_item *item = &suite->items[i];
		enum bisect_verdict verdict = bisect_verdict_of(item);

		json_array_append_new(kernels,
				      json_pack("{s:s, s:s}", "kernel",
						item->name, "verdict",
						bisect_verdict_names[verdict]));
	}
	return command_print_json(json_pack(
		"{s:s, s:o, s:o, s:o}", "outcome", outcomes[step->action].name,
		"good", found ? end_json(&suite->items[step->good]) : json_null(),
		"bad", found ? end_json(&suite->items[step->bad]) : json_null(),
		"kernels", kernels));
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

/** In a workflow, write what is known to the step's summary. */
static struct error *write_summary(const struct suite_setup *setup,
				   const struct bisect_step *step)
{
	const struct suite_item *items = setup->suite.items;

	_cleanup_free_ char *text =
		step->action == BISECT_FOUND
			? string_format("good: %s; bad: %s: %s",
					items[step->good].name,
					items[step->bad].name,
					items[step->bad].reason)
			: string_copy(outcomes[step->action].text);
	// Those that were tested, borrowed.
	_cleanup_free_ struct suite_item *tested =
		memory_allocate(setup->suite.count, sizeof(*tested));
	struct suite suite = { tested, 0 };
	for (size_t i = 0; i < setup->suite.count; i++) {
		if (suite_state_is_end(items[i].state))
			tested[suite.count++] = items[i];
	}
	return suite_write_summary(setup, text, &suite);
}

/** Find two neighbours, or why there are none. */
static struct error *search(struct suite_setup *setup, struct bisect_step *step)
{
	struct error *err;
	struct suite *suite = &setup->suite;

	err = order_kernels(suite);
	if (err)
		return err;
	log_info("kernels: %zu, from %s to %s; logs in %s", suite->count,
		 suite->items[0].name, suite->items[suite->count - 1].name,
		 setup->run.log_directory);
	bisect_next(suite, step);
	for (unsigned int number = 1; step->action == BISECT_TEST; number++) {
		err = suite_run_step(setup, &suite->items[step->index], number);
		if (err)
			return err;
		bisect_next(suite, step);
	}
	return NULL;
}

/** The range of commits between two neighbours. */
static struct error *find_range(struct suite_setup *setup,
				struct bisect_git *bisect)
{
	struct error *err;

	struct bisect_step step;
	err = search(setup, &step);
	if (err)
		return err;
	if (step.action != BISECT_FOUND)
		return error_create(ERROR_OTHER, "%s",
				    outcomes[step.action].text);
	const struct release *good = &setup->suite.items[step.good].release;
	const struct release *bad = &setup->suite.items[step.bad].release;
	char from[KERNEL_VERSION_TEXT_SIZE], to[KERNEL_VERSION_TEXT_SIZE];

	kernel_version_format(&good->version, from);
	kernel_version_format(&bad->version, to);
	_cleanup_free_ char *first = string_format("v%s", from);
	_cleanup_free_ char *last = string_format("v%s", to);
	log_info("between %s and %s, in %s", first, last, bisect->git.repository);
	return bisect_git_set_range(bisect, first, last, bad->flavor);
}

/** Versions of one kernel have an order, those of several have none. */
static struct error *load(struct suite_setup *setup,
			  struct command_context *context,
			  enum suite_choice choice)
{
	struct error *err;

	err = suite_setup_load(setup, context, choice, NULL);
	if (err || setup->archs.count == 1)
		return err;
	return error_create(ERROR_USAGE, "--arch: name one architecture");
}

static struct error *run_git(struct command_context *context)
{
	struct error *err;

	const struct bisect_options *options = context->options;
	const struct place tree = { "--git", options->source.path, PLACE_SOURCE };
	_cleanup_suite_setup_ struct suite_setup setup = { 0 };
	_cleanup_bisect_git_ struct bisect_git bisect = {
		.source = &options->source,
		.good = options->good,
		.bad = options->bad,
		.has_log_directory = options->suite.log_directory,
	};
	if (!options->good != !options->bad)
		return error_create(ERROR_USAGE,
				    "--good and --bad need each other");
	if (context->common->flavors.count > 1)
		return error_create(ERROR_USAGE,
				    "one kernel has one flavor; name only one");
	err = load(&setup, context,
		   options->good ? SUITE_NO_KERNELS : SUITE_EVERY_VERSION);
	if (!err)
		err = run_options_check_places(context, &options->suite.guest,
					       &tree, 1);
	if (!err)
		err = bisect_git_open(&bisect, &setup);
	if (!err && !bisect.range.count)
		err = find_range(&setup, &bisect);
	return err ? err : bisect_git_run(&bisect);
}

static struct error *run(struct command_context *context)
{
	struct error *err;
	const struct bisect_options *options = context->options;

	if (options->source.path)
		return run_git(context);
	if (options->good || options->bad || options->source.keep_config ||
	    options->source.llvm)
		return error_create(
			ERROR_USAGE,
			"--good, --bad, --keep-config and --llvm: say which repository with --git");
	_cleanup_suite_setup_ struct suite_setup setup = { 0 };
	err = load(&setup, context, SUITE_EVERY_VERSION);
	if (err)
		return err;
	struct bisect_step step;
	err = search(&setup, &step);
	if (err)
		return err;
	if (context->common->json) {
		err = print_json(&setup.suite, &step);
		if (err)
			return err;
	} else if (step.action == BISECT_FOUND) {
		print_found(&setup.suite, &step);
	} else if (setup.view == SUITE_VIEW_GROUPS) {
		_cleanup_string_builder_ struct string_builder sb = { 0 };

		workflow_append_annotation(&sb, WORKFLOW_ERROR,
					   "vmtest-vm bisect",
					   outcomes[step.action].text, NULL);
		fputs(sb.text, stdout);
	}
	err = write_summary(&setup, &step);
	if (err || step.action == BISECT_FOUND)
		return err;
	return error_create(ERROR_OTHER, "%s", outcomes[step.action].text);
}

const struct command vm_bisect_command = {
	.name = "bisect",
	.arguments = "[--] [COMMAND ARG...]",
	.summary = "find the two kernels between which a command begins to fail",
	.details =
		"The kernels are all of the disk and the store that -k means (default: all),\n"
		"the newest build of each version, in order of version, of one flavor. The\n"
		"first and the last are tested, then the middle. A kernel is good if the\n"
		"command succeeds; it is skipped if it cannot be downloaded or does not boot,\n"
		"or if the command exits with 125; else it is bad. The exit status is 0 if the\n"
		"two are found. vmtest.json is used as by test.\n"
		"\n"
		"With --git, it goes on between the tags of the two, or only between --good and\n"
		"--bad: builds commits of --flavor as run --source does, and asks git bisect which\n"
		"comes next. What does not build or boot is skipped. At the end there are the\n"
		"first bad commit, its subject and the logs of both sides. When it has been\n"
		"interrupted, the same command goes on. git bisect works below --directory: what\n"
		"is checked out in DIR stays, and there is nothing to reset.",
	.options = { own_option_table, suite_option_table, run_option_table },
	.options_size = sizeof(struct bisect_options),
	.common = COMMON_SELECTION | COMMON_DOWNLOAD | COMMON_JSON,
	.takes_program = true,
	.run = run,
};
