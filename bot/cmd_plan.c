// SPDX-License-Identifier: LGPL-2.1-or-later

#include "bot/commands.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "bot/plan.h"
#include "bot/session.h"
#include "common/catalog.h"
#include "common/error.h"
#include "common/log.h"

struct plan_options {
	struct selection_options selection;
	bool github_output;
};

#define OFFSET(field) offsetof(struct plan_options, field)

// clang-format off
static const struct command_option options[] = {
	{ 0, "github-output", NULL, "append a job matrix to $GITHUB_OUTPUT", OPTION_FLAG, OFFSET(github_output) },
	{ 0 },
};
// clang-format on

/** GitHub Actions makes at most so many jobs of a matrix. */
enum {
	MATRIX_LIMIT = 256
};

static json_t *plan_json(const struct plan *plan)
{
	json_t *array = json_array();

	for (size_t i = 0; i < plan->count; i++) {
		const struct plan_item *item = &plan->items[i];
		char version[KERNEL_VERSION_TEXT_SIZE];

		kernel_version_format(&item->release.version, version);
		json_array_append_new(array,
				      json_pack("{s:s, s:s, s:s, s:s}", "release",
						item->release_text, "version",
						version, "arch", item->arch->name,
						"flavor", item->flavor->name));
	}
	return array;
}

/** Append `matrix=` and `count=` to the file that a workflow step's outputs are. */
static struct error *write_github_output(const struct plan *plan)
{
	_cleanup_fclose_ FILE *file = NULL;
	_cleanup_free_ char *text = NULL;
	const char *path = getenv("GITHUB_OUTPUT");
	json_t *matrix;

	if (!path || !*path)
		return error_create(
			ERROR_USAGE,
			"--github-output: GITHUB_OUTPUT is not set: this is no step of a GitHub Actions workflow");
	matrix = json_pack("{s:o}", "include", plan_json(plan));
	text = matrix ? json_dumps(matrix, JSON_COMPACT) : NULL;
	json_decref(matrix);
	if (!text)
		return error_no_memory();
	file = fopen(path, "ae");
	if (!file)
		return error_create_os(errno, "open %s", path);
	if (fprintf(file, "matrix=%s\ncount=%zu\n", text, plan->count) < 0 ||
	    fflush(file) != 0)
		return error_create_os(errno, "write %s", path);
	return NULL;
}

static struct error *run_plan(const struct command_context *context,
			      int *status_ret)
{
	struct error *err;
	const struct plan_options *plan_options = context->options;
	_cleanup_session_ struct session session = { 0 };
	_cleanup_plan_ struct plan plan = { 0 };
	struct plan_selection selection;

	err = session_init(&session, context);
	if (err)
		return err;
	session_selection(context, &selection);
	if (plan_options->github_output &&
	    (!selection.limit || selection.limit > MATRIX_LIMIT))
		selection.limit = MATRIX_LIMIT;
	err = session_plan(&session, &selection, &plan);
	if (!err && plan_options->github_output)
		err = write_github_output(&plan);
	if (err)
		return err;
	session_report_plan(&session, &plan);
	*status_ret = 0;
	if (context->common->json)
		return json_print(stdout, plan_json(&plan));
	session_print_plan(&plan);
	return NULL;
}

const struct command cmd_plan = {
	.name = "plan",
	.arguments = "",
	.summary = "list the kernels that the store lacks",
	.options = options,
	.shared_options = selection_option_table,
	.options_size = sizeof(struct plan_options),
	.run = run_plan,
};
