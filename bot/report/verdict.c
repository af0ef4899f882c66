// SPDX-License-Identifier: LGPL-2.1-or-later

#include "bot/report/verdict.h"

#include <stdlib.h>
#include <string.h>

#include "bot/build/build_result.h"
#include "bot/plan/planned.h"
#include "common/base/error.h"
#include "common/base/memory.h"
#include "common/store/store.h"

static const char *const kind_names[] = {
	[VERDICT_FAILED] = "failed",
	[VERDICT_SKIPPED] = "skipped",
	[VERDICT_BUILT] = "built",
};

const char *verdict_kind_name(enum verdict_kind kind)
{
	return kind_names[kind];
}

void verdict_list_deinit(struct verdict_list *list)
{
	free(list->items);
	*list = (struct verdict_list){ 0 };
}

static void fail(struct verdict *verdict, const char *phase, const char *reason)
{
	verdict->kind = VERDICT_FAILED;
	verdict->phase = phase;
	verdict->reason = reason;
}

static void skip(struct verdict *verdict, const char *reason)
{
	verdict->kind = VERDICT_SKIPPED;
	verdict->reason = reason;
}

/** Of a build that says that it went well. @param[in] asset May be NULL. */
static void check_published(struct verdict *verdict, const struct asset *asset)
{
	if (!asset)
		fail(verdict, phase_name(PHASE_PUBLISH),
		     "it was built, but the store does not have it: see the log of its job");
	else if (*asset->digest &&
		 strcmp(asset->digest, verdict->result->digest) != 0)
		fail(verdict, phase_name(PHASE_PUBLISH),
		     "the store has another package of this name; rebuild it under the next PATCH");
	else
		verdict->kind = VERDICT_BUILT;
}

static void judge(struct verdict *verdict, const struct asset *asset)
{
	const struct build_result *result = verdict->result;

	if (!result && asset) {
		skip(verdict, "the store has it, from elsewhere");
		return;
	}
	if (!result) {
		fail(verdict, "job", "it left no result: see the log of its job");
		return;
	}
	switch (result->outcome) {
	case BUILD_BUILT:
		check_published(verdict, asset);
		return;
	case BUILD_FAILED:
		fail(verdict, phase_name(result->phase),
		     result->error ? result->error : "");
		return;
	case BUILD_CANCELLED:
		skip(verdict, "its job was cancelled");
		return;
	}
}

void verdicts_compute(const struct planned_list *plan,
		      const struct build_results *results,
		      const struct asset_list *assets, struct verdict_list *ret)
{
	struct verdict_list list = { .count = plan->count };

	list.items = memory_allocate(plan->count + 1, sizeof(*list.items));
	for (size_t i = 0; i < plan->count; i++) {
		const struct planned *planned = &plan->items[i];
		struct verdict *verdict = &list.items[i];
		char name[PACKAGE_NAME_SIZE];

		package_name_format(planned->release_text, planned->arch, name);
		verdict->planned = planned;
		verdict->reason = "";
		verdict->result = build_results_find(results, &planned->release,
						     planned->arch);
		judge(verdict, asset_list_find(assets, name));
		list.counts[verdict->kind]++;
	}
	*ret = list;
}
