// SPDX-License-Identifier: LGPL-2.1-or-later

#include "bot/cmd/run.h"

#include <sys/stat.h>

#include "bot/build/build_result.h"
#include "bot/build/kernel_build.h"
#include "bot/cmd/publish.h"
#include "bot/cmd/session.h"
#include "bot/plan/plan.h"
#include "bot/report/report.h"
#include "common/base/error.h"
#include "common/base/log.h"
#include "common/base/memory.h"
#include "common/github/workflow_command.h"
#include "common/kernel/catalog.h"

/** Build and publish. @param[in,out] build Keeps the time of each phase. */
static struct error *run_item(const struct build_request *request,
			      struct store *store, const struct plan_item *item,
			      struct kernel_build *build,
			      uint64_t *size_bytes_ret)
{
	struct error *err;

	err = kernel_build_run(request, item, build);
	if (err)
		return err;
	struct stat st;
	_cleanup_free_ char *url = NULL;
	phase_clock_enter(&build->clock, PHASE_PUBLISH);
	err = publish_package(store, build->package, &url);
	phase_clock_stop(&build->clock);
	if (err)
		return err;
	if (stat(build->package, &st) == 0)
		*size_bytes_ret = (uint64_t)st.st_size;
	log_info("published %s", url);
	return kernel_build_discard(build);
}

struct error *run_plan_items(struct session *session, const struct plan *plan,
			     const char *directory, unsigned int jobs,
			     struct build_results *results)
{
	const struct build_request request = {
		.catalog = session->catalog,
		.http = session->http,
		.directory = directory,
		.jobs = jobs,
	};

	for (size_t i = 0; i < plan->count; i++) {
		const struct plan_item *item = &plan->items[i];
		_cleanup_kernel_build_ struct kernel_build build = { 0 };
		struct workflow_group group;
		uint64_t size_bytes = 0;

		workflow_group_begin(&group, "%s for %s", item->release_text,
				     item->arch->name);
		log_info("kernel %zu of %zu: %s for %s", i + 1, plan->count,
			 item->release_text, item->arch->name);
		_cleanup_error_ struct error *failure =
			run_item(&request, session->store, item, &build,
				 &size_bytes);
		workflow_group_end(&group);
		if (error_is(failure, ERROR_CANCELLED))
			return take_ptr(failure);
		if (failure)
			report_failure(item, build.clock.current, failure);
		struct build_result result;
		kernel_build_describe(&build, item, failure, &result);
		result.size_bytes = size_bytes;
		vector_add(results) = result;
	}
	return NULL;
}
