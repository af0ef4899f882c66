// SPDX-License-Identifier: LGPL-2.1-or-later

#include "bot/cmd/run.h"

#include <sys/stat.h>

#include "bot/build/build.h"
#include "bot/cmd/publish.h"
#include "bot/cmd/session.h"
#include "bot/plan/plan.h"
#include "bot/report/report.h"
#include "common/base/error.h"
#include "common/base/log.h"
#include "common/github/workflow_command.h"
#include "common/kernel/catalog.h"

/** Build and publish. @param[in,out] build Keeps the time of each phase. */
static struct error *run_item(const struct build_request *request,
			      struct store *store, const struct plan_item *item,
			      struct build *build, uint64_t *size_bytes_ret)
{
	struct error *err;
	_cleanup_free_ char *url = NULL;
	struct stat st;

	err = build_run(request, item, build);
	if (err)
		return err;
	phase_clock_enter(&build->clock, PHASE_PUBLISH);
	err = publish_package(store, build->package, &url);
	phase_clock_stop(&build->clock);
	if (err)
		return err;
	if (stat(build->package, &st) == 0)
		*size_bytes_ret = (uint64_t)st.st_size;
	log_info("published %s", url);
	return build_discard(build);
}

struct error *run_plan_items(struct session *session, const struct plan *plan,
			     const char *directory, unsigned int jobs,
			     struct report *report)
{
	const struct build_request request = {
		.catalog = session->catalog,
		.http = session->http,
		.directory = directory,
		.jobs = jobs,
	};

	for (size_t i = 0; i < plan->count; i++) {
		struct error *err;
		const struct plan_item *item = &plan->items[i];
		_cleanup_build_ struct build build = { 0 };
		struct workflow_group group;
		uint64_t size_bytes = 0;

		workflow_group_begin(&group, "%s for %s", item->release_text,
				     item->arch->name);
		log_info("kernel %zu of %zu: %s for %s", i + 1, plan->count,
			 item->release_text, item->arch->name);
		err = run_item(&request, session->store, item, &build,
			       &size_bytes);
		workflow_group_end(&group);
		if (error_is(err, ERROR_CANCELLED))
			return err;
		if (err)
			report_failure(item, build.clock.current, err);
		err = report_add(report, item, err, size_bytes, &build);
		if (err)
			return err;
	}
	return NULL;
}
