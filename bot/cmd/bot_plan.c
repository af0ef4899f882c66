// SPDX-License-Identifier: LGPL-2.1-or-later

#include "bot/cmd/bot_commands.h"

#include <string.h>

#include "common/base/error.h"
#include "common/base/file.h"
#include "common/base/memory.h"
#include "common/github/workflow.h"
#include "common/kernel/catalog.h"

struct plan_options {
	struct plan_selection selection;
	const char *output;
	const char *changed_from;
	bool github_output;
};

#define INTO(type, field) OPTION_INTO(type, struct plan_options, field)

// clang-format off
static const struct command_option options[] = {
	{ 'o', "output", "FILE", "write the plan to FILE too, as JSON", INTO(OPTION_STRING, output) },
	{ 0, "changed-from", "CATALOG", "what is made in another way than with an earlier catalog, whatever the store has; with --limit, the newest and the oldest of that", INTO(OPTION_STRING, changed_from) },
	{ 0, "github-output", NULL, "append job matrices to $GITHUB_OUTPUT", INTO(OPTION_FLAG, github_output) },
	{ 0 },
};
// clang-format on

/** What a change of the configuration concerns. */
static struct error *plan_change(struct session *session, unsigned int limit)
{
	static const struct asset_list nothing = { 0 };
	struct error *err;

	const struct command_context *context = session->context;
	const struct plan_options *plan_options = context->options;
	struct plan_selection selection = plan_options->selection;
	selection.wanted = command_selection(context);
	if (selection.limit && (!limit || selection.limit < limit))
		limit = selection.limit;
	selection.limit = 0;
	_cleanup_catalog_ struct catalog *earlier = NULL;
	err = catalog_load(plan_options->changed_from,
			   command_variable("VMTEST_KERNEL_ORG"), &earlier);
	if (err)
		return error_wrap(err, "--changed-from");
	err = poll_kernels(context->catalog, context->http, &session->kernels);
	if (!err)
		err = plan_compute(context->catalog, &session->kernels,
				   &nothing, &selection, &session->plan);
	if (!err)
		err = plan_keep_changed(&session->plan, context->catalog,
					earlier);
	if (!err)
		plan_keep_ends(&session->plan, limit);
	return err;
}

static struct error *run(struct command_context *context)
{
	struct error *err;

	const struct plan_options *plan_options = context->options;
	// Wrong usage is said before anybody is asked.
	if (plan_options->github_output) {
		err = error_wrap(workflow_outputs_write(""), "--github-output");
		if (err)
			return err;
	}
	_cleanup_session_ struct session session = { .context = context };
	const struct plan *plan = &session.plan;
	unsigned int limit = plan_options->github_output ? PLAN_MATRIX_LIMIT : 0;
	err = plan_options->changed_from
		      ? plan_change(&session, limit)
		      : session_plan(&session, limit, 1,
				     plan_options->github_output);
	if (err)
		return err;
	if (plan_options->output) {
		_cleanup_free_ char *text = plan_format(plan, false);

		err = user_file_write(plan_options->output, text, strlen(text));
		if (err)
			return error_wrap(err, "--output");
	}
	if (plan_options->github_output) {
		_cleanup_free_ char *matrix = plan_format(plan, true);
		_cleanup_free_ char *versions = plan_versions_format(plan);
		_cleanup_free_ char *text = string_format(
			"matrix=%s\nversions=%s\ncount=%zu\nrefresh=%s\n",
			matrix, versions, plan->count,
			session_is_refresh_due(&session) ? "true" : "false");

		err = workflow_outputs_write(text);
		if (err)
			return error_wrap(err, "--github-output");
	}
	_cleanup_free_ char *summary =
		plan_summary_format(context->catalog, &session.kernels,
				    &session.assets, plan,
				    store_name(context->store),
				    workflow_summary_room());
	err = workflow_summary_write(summary);
	if (err)
		return err;
	if (plan->left_out)
		workflow_log_annotation(
			WORKFLOW_NOTICE, "vmtest-bot plan",
			"%zu more kernels are left for the next run: this one builds the newest %zu",
			plan->left_out, plan->count);
	return session_print_plan(&session);
}

const struct command bot_plan_command = {
	.name = "plan",
	.summary = "list the kernels that the store lacks",
	.details =
		"For GitHub Actions, --github-output writes the outputs 'matrix' (a job for each\n"
		"kernel, the newest 256), 'versions' (one for each source), 'count' and 'refresh'\n"
		"(true if nothing is missing, and the store's page does not say so today); what\n"
		"exists and what is missing goes into the step's summary.",
	.options = { options, selection_option_table },
	.options_size = sizeof(struct plan_options),
	.common = COMMON_SELECTION | COMMON_STORE | COMMON_JSON,
	.needs = COMMAND_STORE,
	.run = run,
};
