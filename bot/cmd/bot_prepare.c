// SPDX-License-Identifier: LGPL-2.1-or-later

#include "bot/cmd/bot_commands.h"

#include "common/base/error.h"
#include "common/base/json.h"
#include "common/base/memory.h"
#include "common/github/github.h"
#include "common/github/workflow.h"

struct prepare_options {
	const char *plan;
	unsigned int keep;
	bool github_output;
};

#define INTO(type, field) OPTION_INTO(type, struct prepare_options, field)

// clang-format off
static const struct command_option options[] = {
	{ 0, "plan", "FILE", "what is to be built, as 'plan --output' writes it, or a job matrix", INTO(OPTION_STRING, plan) },
	{ 0, "keep", "N", "where there is not room for all, keep the newest N of each series, flavor and architecture (default: 1)", INTO(OPTION_NUMBER, keep), .min = 1, .otherwise = 1 },
	{ 0, "github-output", NULL, "append to $GITHUB_OUTPUT whether packages are attested", INTO(OPTION_FLAG, github_output) },
	{ 0 },
};
// clang-format on

/**
 * Whether the repository whose workflow runs us can have attestations, as far
 * as anybody can know before it is tried.
 */
static struct error *write_output(const struct command_context *context)
{
	struct facts {
		bool is_private;
	} facts = { 0 };
	static const struct value_row rows[] = {
		VALUE_REQUIRED("private", value_flag, struct facts, is_private),
	};
	struct error *err;

	const char *repository = session_repository();
	if (!repository)
		return workflow_outputs_write("");
	_cleanup_github_ struct github github = { 0 };
	err = github_init(&github, repository, context->http);
	if (err)
		return err;
	_cleanup_value_ struct value answer = { 0 };
	err = github_call(&github, GITHUB_GET, NULL, &answer, "%s", "");
	if (err)
		return err;
	err = value_read(&answer, rows, array_size(rows), &facts);
	if (err)
		return err;
	bool is_attested = !facts.is_private || command_variable("VMTEST_ATTEST");
	if (!is_attested)
		workflow_log_annotation(
			WORKFLOW_NOTICE, "vmtest-bot prepare",
			"%s is private, so its packages are not attested: GitHub does that in Enterprise Cloud only; there, set the repository's variable VMTEST_ATTEST to yes",
			repository);
	return workflow_outputs_write(is_attested ? "attest=true\n"
						  : "attest=false\n");
}

static struct error *run(struct command_context *context)
{
	struct error *err;

	const struct prepare_options *prepare = context->options;
	_cleanup_session_ struct session session = { .context = context };
	if (!prepare->plan)
		return error_create(ERROR_USAGE,
				    "say what is to be built, with --plan");
	err = session_read_plan(&session, prepare->plan);
	if (err)
		return err;
	if (prepare->github_output) {
		err = error_wrap(write_output(context), "--github-output");
		if (err)
			return err;
	}
	err = session_list(&session);
	if (err)
		return err;
	struct store_room room;
	store_get_room(context->store, &room);
	err = prune_make_room(&session.assets, &room, session.plan.count,
			      prepare->keep, &session.superseded);
	if (err)
		return error_wrap(err, "plan for %s", store_name(context->store));
	// First, as a full store takes no asset at all.
	err = prune_execute(context->store, &session.superseded);
	return err ? err : store_prove(context->store);
}

const struct command bot_prepare_command = {
	.name = "prepare",
	.summary = "begin a run of many jobs: see that the store can be written, and make room",
	.details =
		"The store is made if it is not there; a tiny asset is put into it and deleted. Where\n"
		"the plan would not fit beside what the store has, superseded packages go, the oldest\n"
		"first.",
	.options = { options },
	.options_size = sizeof(struct prepare_options),
	.common = COMMON_STORE,
	.needs = COMMAND_STORE,
	.run = run,
};
