// SPDX-License-Identifier: LGPL-2.1-or-later

#include "bot/cmd/bot_commands.h"

#include <string.h>

#include "common/base/error.h"
#include "common/base/file.h"
#include "common/base/memory.h"
#include "common/github/workflow.h"

struct plan_options {
	struct plan_selection selection;
	const char *output;
	bool github_output;
};

#define INTO(type, field) OPTION_INTO(type, struct plan_options, field)

// clang-format off
static const struct command_option options[] = {
	{ 'o', "output", "FILE", "write the plan to FILE too, as JSON", INTO(OPTION_STRING, output) },
	{ 0, "github-output", NULL, "append job matrices to $GITHUB_OUTPUT", INTO(OPTION_FLAG, github_output) },
	{ 0 },
};
// clang-format on

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
	err = session_plan(&session,
			   plan_options->github_output ? PLAN_MATRIX_LIMIT : 0,
			   1, plan_options->github_output);
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
			"matrix=%s\nversions=%s\ncount=%zu\nsuperseded=%zu\n",
			matrix, versions, plan->count, session.superseded.count);

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
		"kernel, the newest 256), 'versions' (one for each source), 'count' and\n"
		"'superseded' (assets that must go before the plan fits); what exists and what is\n"
		"missing goes into the step's summary.",
	.options = { options, selection_option_table },
	.options_size = sizeof(struct plan_options),
	.common = COMMON_SELECTION | COMMON_STORE | COMMON_JSON,
	.needs = COMMAND_STORE,
	.run = run,
};
