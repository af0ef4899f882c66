// SPDX-License-Identifier: LGPL-2.1-or-later

#include "bot/cmd/bot_commands.h"

#include <stdio.h>
#include <string.h>

#include "bot/cmd/session.h"
#include "bot/plan/plan.h"
#include "common/base/error.h"
#include "common/base/file.h"
#include "common/base/log.h"
#include "common/base/text.h"
#include "common/github/workflow.h"

struct plan_options {
	struct plan_selection selection;
	const char *output;
	bool github_output;
};

#define OFFSET(field) .offset = offsetof(struct plan_options, field)

// clang-format off
static const struct command_option options[] = {
	{ 'o', "output", "FILE", "write the plan to FILE too, as JSON", OPTION_STRING, OFFSET(output) },
	{ 0, "github-output", NULL, "append job matrices to $GITHUB_OUTPUT", OPTION_FLAG, OFFSET(github_output) },
	{ 0 },
};
// clang-format on

/**
 * Append the plan to the outputs of a workflow's step.
 *
 * @param[in] superseded How many assets have to go before it fits.
 */
static struct error *write_outputs(const struct plan *plan, size_t superseded)
{
	_cleanup_string_builder_ struct string_builder sb = { 0 };
	_cleanup_free_ char *matrix = plan_matrix_format(plan);
	_cleanup_free_ char *versions = plan_versions_format(plan);

	workflow_append_output(&sb, "matrix", matrix);
	workflow_append_output(&sb, "versions", versions);
	string_builder_appendf(&sb, "count=%zu\nleft-out=%zu\nsuperseded=%zu\n",
			       plan->count, plan->left_out, superseded);
	return error_wrap(workflow_outputs_write(sb.text), "--github-output");
}

static struct error *write_file(const struct plan *plan, const char *path)
{
	_cleanup_free_ char *text = plan_document_format(plan);

	return error_wrap(file_write(path, text, strlen(text)), "--output");
}

static struct error *write_summary(const struct session *session,
				   const struct plan *plan)
{
	const struct plan_summary summary = {
		.catalog = session->context->catalog,
		.kernels = &session->kernels,
		.assets = &session->assets,
		.plan = plan,
		.store_name = store_name(session->context->store),
	};
	_cleanup_free_ char *markdown = plan_summary_format(&summary);

	return workflow_summary_write(markdown);
}

/** What a workflow gets; outside of one, nothing unless it is asked for. */
static struct error *report_to_workflow(const struct session *session,
					const struct plan *plan,
					size_t superseded)
{
	struct error *err;
	const struct plan_options *plan_options = session->context->options;

	if (plan_options->github_output) {
		err = write_outputs(plan, superseded);
		if (err)
			return err;
	}
	if (workflow_is_active()) {
		err = write_summary(session, plan);
		if (err)
			return err;
	}
	if (plan->left_out)
		workflow_log_annotation(
			WORKFLOW_NOTICE, "vmtest-bot plan",
			"%zu more kernels are left for the next run: this one builds the newest %zu",
			plan->left_out, plan->count);
	return NULL;
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
	_cleanup_session_ struct session session = session_open(context);
	struct plan_selection selection = session_selection(context);
	if (plan_options->github_output &&
	    (!selection.limit || selection.limit > PLAN_MATRIX_LIMIT))
		selection.limit = PLAN_MATRIX_LIMIT;
	_cleanup_plan_ struct plan plan = { 0 };
	err = session_plan(&session, &selection, &plan);
	if (err)
		return err;
	_cleanup_prune_list_ struct prune_list superseded = { 0 };
	err = session_make_room(&session, &plan, 1, &superseded);
	if (err && plan_options->github_output)
		return err;
	// Nobody acts on it yet.
	if (err)
		log_warning("%s", error_message(err));
	error_destroy(err);
	if (plan_options->output) {
		err = write_file(&plan, plan_options->output);
		if (err)
			return err;
	}
	err = report_to_workflow(&session, &plan, superseded.count);
	if (err)
		return err;
	if (context->common->json)
		return command_print_json(plan_json(&plan));
	session_print_plan(&plan);
	return NULL;
}

const struct command bot_plan_command = {
	.name = "plan",
	.summary = "list the kernels that the store lacks",
	.details =
		"For GitHub Actions, --github-output writes the outputs 'matrix' (a job for each\n"
		"kernel, the newest 256), 'versions' (one for each source), 'count' and\n"
		"'left-out'; what exists and what is missing goes into the step's summary.",
	.options = { options, selection_option_table },
	.options_size = sizeof(struct plan_options),
	.needs = COMMAND_STORE,
	.run = run,
};
