// SPDX-License-Identifier: LGPL-2.1-or-later

#include "bot/cmd/session.h"

#include <stdio.h>

#include "bot/plan/plan.h"
#include "bot/report/report.h"
#include "common/base/error.h"
#include "common/base/log.h"
#include "common/github/workflow.h"
#include "common/kernel/catalog.h"
#include "common/kernel/release.h"

const char *session_repository(void)
{
	return workflow_is_active() ? command_variable("GITHUB_REPOSITORY")
				    : NULL;
}

struct session session_open(struct command_context *context)
{
	workflow_log_mask_token();
	return (struct session){ .context = context };
}

void session_deinit(struct session *session)
{
	asset_list_deinit(&session->assets);
	series_list_deinit(&session->kernels);
}

struct error *session_list(struct session *session)
{
	asset_list_deinit(&session->assets);
	session->assets = (struct asset_list){ 0 };
	return store_list(session->context->store, &session->assets);
}

struct error *session_plan(struct session *session,
			   const struct plan_selection *selection,
			   struct plan *ret)
{
	struct error *err;
	const struct command_context *context = session->context;

	err = poll_kernels(context->catalog, context->http, &session->kernels);
	if (err)
		return err;
	err = session_list(session);
	if (err)
		return err;
	err = plan_compute(context->catalog, &session->kernels,
			   &session->assets, selection, ret);
	if (err)
		return err;
	if (ret->left_out)
		log_info("%zu more kernels are left for the next time",
			 ret->left_out);
	if (ret->count == 0)
		log_info("nothing to build: %s has every kernel",
			 store_name(context->store));
	return NULL;
}

struct error *session_make_room(const struct session *session,
				const struct plan *plan, size_t keep,
				struct prune_list *ret)
{
	struct error *err;
	const char *name = store_name(session->context->store);
	struct store_room room;

	store_get_room(session->context->store, &room);
	err = prune_make_room(&session->assets, &room, plan->count, keep, ret);
	if (err)
		return error_wrap(err, "plan for %s", name);
	if (ret->count)
		log_info("%zu superseded assets have to go first: %s holds %zu assets of at most %zu",
			 ret->count, name, room.used, room.limit);
	return NULL;
}

struct error *session_prune(struct session *session, size_t keep)
{
	const struct release_selection selection =
		command_selection(session->context);

	if (!keep)
		return NULL;
	_cleanup_prune_list_ struct prune_list list = { 0 };
	prune_compute(&session->assets, keep, &selection, &list);
	session->pruned = list.count;
	return prune_execute(session->context->store, &list);
}

void session_print_plan(const struct plan *plan)
{
	for (size_t i = 0; i < plan->count; i++)
		printf("%s %s\n", plan->items[i].release_text,
		       plan->items[i].arch->name);
}

#define OFFSET(field) .offset = offsetof(struct plan_selection, field)

// clang-format off
const struct command_option selection_option_table[] = {
	{ 0, "limit", "N", "at most N kernels, the newest", OPTION_NUMBER, OFFSET(limit), .min = 1 },
	{ 0, "rebuild", NULL, "kernels that the store has, too, under the next PATCH", OPTION_FLAG, OFFSET(rebuild) },
	{ 0, "latest-stable", NULL, "only kernel.org's newest stable kernel", OPTION_FLAG, OFFSET(latest_stable) },
	{ 0 },
};
// clang-format on

struct plan_selection session_selection(const struct command_context *context)
{
	struct plan_selection selection =
		*(const struct plan_selection *)context->options;

	selection.kernels = &context->common->kernels;
	selection.archs = &context->common->archs;
	selection.flavors = &context->common->flavors;
	return selection;
}

static struct error *write_page(struct session *session)
{
	struct store *store = session->context->store;
	_cleanup_free_ char *markdown = page_format(session->context->catalog,
						    &session->assets,
						    store_name(store));

	return store_describe(store, markdown);
}

struct error *publish_page(struct session *session)
{
	struct error *err;

	err = session_list(session);
	if (!err)
		err = write_page(session);
	return error_wrap(err, "rewrite the page of %s",
			  store_name(session->context->store));
}

struct error *publish_repair_page(struct session *session)
{
	struct error *err;

	err = write_page(session);
	// Whoever may not write has nothing to repair.
	if (error_catch(&err, ERROR_USAGE) || error_is(err, ERROR_CANCELLED))
		return err;
	if (err)
		log_warning("the page of %s: %s",
			    store_name(session->context->store),
			    error_message(err));
	error_destroy(err);
	return NULL;
}
