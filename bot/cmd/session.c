// SPDX-License-Identifier: LGPL-2.1-or-later

#include "bot/cmd/session.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>

#include "bot/plan/plan.h"
#include "bot/plan/prune.h"
#include "common/base/error.h"
#include "common/base/log.h"
#include "common/base/memory.h"
#include "common/cli/command.h"
#include "common/github/workflow_command.h"
#include "common/http/http.h"
#include "common/kernel/catalog.h"

const char *session_repository(void)
{
	const char *name = getenv("GITHUB_REPOSITORY");

	return workflow_is_active() && name && *name ? name : NULL;
}

struct error *session_init(struct session *session,
			   const struct command_context *context)
{
	struct error *err;

	const char *repository = session_repository();

	*session = (struct session){ 0 };
	workflow_log_mask_token();
	err = command_load_catalog(context, &session->catalog);
	if (!err)
		err = command_http(&session->http);
	if (err)
		return err;
	if (!repository)
		repository = session->catalog->repository;
	return command_store(context, session->catalog, repository,
			     session->http, &session->store);
}

void session_deinit(struct session *session)
{
	asset_list_deinit(&session->assets);
	series_list_deinit(&session->kernels);
	store_destroy(session->store);
	http_destroy(session->http);
	catalog_destroy(session->catalog);
}

struct error *session_list(struct session *session)
{
	asset_list_deinit(&session->assets);
	session->assets = (struct asset_list){ 0 };
	return store_list(session->store, &session->assets);
}

struct error *session_plan(struct session *session,
			   const struct plan_selection *selection,
			   struct plan *ret)
{
	struct error *err;

	err = poll_kernels(session->catalog, session->http, &session->kernels);
	if (!err)
		err = session_list(session);
	if (!err)
		err = plan_compute(session->catalog, &session->kernels,
				   &session->assets, selection, ret);
	return err;
}

struct error *session_make_room(const struct session *session,
				const struct plan *plan, size_t keep,
				struct prune_list *ret)
{
	struct error *err;
	struct store_room room;

	store_get_room(session->store, &room);
	err = prune_make_room(&session->assets, &room, plan->count,
			      keep ? keep : 1, ret);
	if (err)
		return error_wrap(err, "plan for %s", store_name(session->store));
	if (ret->count) {
		log_info("%zu superseded assets have to go first: %s holds %zu assets of at most %zu",
			 ret->count, store_name(session->store), room.used,
			 room.limit);
	}
	return NULL;
}

void session_print_plan(const struct plan *plan)
{
	for (size_t i = 0; i < plan->count; i++)
		printf("%s %s\n", plan->items[i].release_text,
		       plan->items[i].arch->name);
}

#define OFFSET(field) offsetof(struct selection_options, field)

// clang-format off
const struct command_option selection_option_table[] = {
	{ 0, "limit", "N", "at most N kernels, the newest", OPTION_NUMBER, OFFSET(limit) },
	{ 0, "rebuild", NULL, "kernels that the store has, too, under the next PATCH", OPTION_FLAG, OFFSET(rebuild) },
	{ 0, "latest-stable", NULL, "only kernel.org's newest stable kernel", OPTION_FLAG, OFFSET(latest_stable) },
	{ 0 },
};
// clang-format on

void session_selection(const struct command_context *context,
		       struct plan_selection *ret)
{
	const struct selection_options *options = context->options;

	*ret = (struct plan_selection){
		.kernels = &context->common->kernels,
		.archs = &context->common->archs,
		.flavors = &context->common->flavors,
		.limit = options->limit,
		.rebuild = options->rebuild,
		.latest_stable = options->latest_stable,
	};
}

void session_report_plan(const struct session *session, const struct plan *plan)
{
	if (plan->left_out)
		log_info("%zu more kernels are left for the next time",
			 plan->left_out);
	if (plan->count == 0)
		log_info("nothing to build: %s has every kernel",
			 store_name(session->store));
}

struct error *json_print(FILE *file, void *json)
{
	int result;

	if (!json)
		memory_exhausted();
	result = json_dumpf(json, file, JSON_INDENT(2));
	json_decref(json);
	if (result < 0 || fputc('\n', file) == EOF)
		return error_create_os(errno, "write JSON");
	return NULL;
}
