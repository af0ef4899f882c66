// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/cmd/vm_commands.h"

#include <stdio.h>
#include <string.h>

#include "common/base/error.h"
#include "common/base/file.h"
#include "common/base/log.h"
#include "vm/kernel/kernel.h"
#include "vm/suite/suite_list.h"

struct lock_options {
	struct suite_options suite;
	bool update;
};

// clang-format off
static const struct command_option own_option_table[] = {
	{ 0, "update", NULL, "test kernels that are not locked yet, and lock them if they pass", OPTION_INTO(OPTION_FLAG, struct lock_options, update) },
	SUITE_KERNELS_ROWS,
	{ 0 },
};
// clang-format on

static struct error *check_names(const struct suite *suite)
{
	for (size_t i = 0; i < suite->count; i++) {
		if (kernel_is_path(suite->items[i].kernel))
			return error_create(ERROR_USAGE,
					    "%s: a directory cannot be locked: what is in it may change",
					    suite->items[i].kernel);
	}
	return NULL;
}

/** Say whose change a failure is: whether the kernel that is locked passes. */
static struct error *explain(const struct suite_setup *setup,
			     const struct suite_list *locked,
			     const struct suite_item *item)
{
	struct error *err;
	const struct suite_options *options = setup->context->options;

	struct suite_list one = {
		(struct suite_listed *)suite_list_find_kind(locked, item), 1
	};
	_cleanup_suite_setup_ struct suite_setup before = {
		.context = setup->context,
	};
	if (!one.items) {
		printf("%s: %s; nothing of its series is locked\n", item->name,
		       item->reason);
		return NULL;
	}
	err = suite_setup_choose_listed(&before, &one);
	if (!err)
		err = suite_check_list(&before.suite, &one, setup->lock_path);
	if (err)
		return err;
	struct suite_item *old = before.suite.items;
	old->needs_module = options->guest.module != MODULE_NONE;
	err = suite_run_shown(&setup->run, &before.suite, setup->view);
	if (err)
		return err;
	bool fails = suite_state_is_failure(old->state);
	printf("%s: %s; %s, which is locked, %s now%s: %s change\n", item->name,
	       item->reason, old->name, suite_state_names[old->state],
	       fails ? ", too" : "", fails ? "your" : "the kernel's");
	return NULL;
}

/** Test what is not locked yet. */
static struct error *test_new(struct suite_setup *setup)
{
	struct error *err;
	size_t failed = 0;

	_cleanup_suite_list_ struct suite_list locked = { 0 };
	err = suite_list_read(setup->lock_path, &locked);
	if (err)
		return err;
	suite_keep_listed(&setup->suite, &locked, false);
	log_info("kernels that are not locked: %zu; logs in %s",
		 setup->suite.count, setup->run.log_directory);
	setup->run.expected.failures = &setup->project.failures;
	err = suite_run_shown(&setup->run, &setup->suite, setup->view);
	if (err)
		return err;
	for (size_t i = 0; i < setup->suite.count; i++) {
		if (!suite_state_is_failure(setup->suite.items[i].state))
			continue;
		failed++;
		err = explain(setup, &locked, &setup->suite.items[i]);
		if (err)
			return err;
	}
	if (!failed)
		return NULL;
	return error_create(ERROR_OTHER,
			    "failed on %zu of %zu kernels that are not locked; %s stays as it is",
			    failed, setup->suite.count, setup->lock_path);
}

static struct error *run(struct command_context *context)
{
	struct error *err;
	struct lock_options *options = context->options;

	// Nothing is run but for an update.
	options->suite.list = !options->update;
	options->suite.asks_store = true;
	_cleanup_suite_setup_ struct suite_setup setup = { .context = context };
	err = suite_setup_load(&setup, context, SUITE_NEWEST_OF_SERIES, NULL);
	if (err)
		return err;
	err = check_names(&setup.suite);
	if (err)
		return err;
	_cleanup_free_ char *text = suite_list_format(&setup.suite, false);
	size_t count = setup.suite.count;
	if (options->update) {
		err = test_new(&setup);
		if (err)
			return err;
	}
	err = file_write(setup.lock_path, text, strlen(text));
	if (err)
		return err;
	log_info("%s locks %zu kernels", setup.lock_path, count);
	return NULL;
}

const struct command vm_lock_command = {
	.name = "lock",
	.arguments = "[--] [COMMAND ARG...]",
	.summary = "write down the kernels that a project is tested on",
	.details =
		"Writes the releases that the patterns of -k, or of vmtest.json, mean now, and the\n"
		"digests of their packages, to vmtest.lock beside vmtest.json. test --locked takes\n"
		"exactly these; one that is gone, or has another digest, is an error.\n"
		"\n"
		"With --update, those that are not locked yet are tested before, as by test. If\n"
		"one fails, the file stays as it is, and the kernel that it was to supersede is\n"
		"tested: if that still passes, it is the kernel's change, else yours.",
	.options = { own_option_table, suite_option_table, run_option_table },
	.options_size = sizeof(struct lock_options),
	.common = COMMON_SELECTION | COMMON_DOWNLOAD,
	.takes_program = true,
	.run = run,
};
