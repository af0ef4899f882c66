// SPDX-License-Identifier: LGPL-2.1-or-later

#include "bot/report/verdict.h"

#include <stdlib.h>
#include <string.h>

#include "bot/build/build_result.h"
#include "bot/plan/plan_json.h"
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

/** @param[in] asset NULL if the store does not have the package. */
static void judge(struct verdict *verdict, const struct asset *asset)
{
	const struct build_result *result = verdict->result;

	if (!result && asset) {
		verdict->kind = VERDICT_SKIPPED;
		verdict->reason = "the store has it, from elsewhere";
	} else if (!result) {
		verdict->phase = "job";
		verdict->reason = "it left no result: see the log of its job";
	} else if (result->outcome == BUILD_CANCELLED) {
		verdict->kind = VERDICT_SKIPPED;
		verdict->reason = "its job was cancelled";
	} else if (result->outcome == BUILD_FAILED) {
		verdict->phase = phase_names[result->phase];
		verdict->reason = result->error ? result->error : "";
	} else if (!asset) {
		verdict->phase = phase_names[PHASE_PUBLISH];
		verdict->reason =
			"it was built, but the store does not have it: see the log of its job";
	} else if (*asset->digest && strcmp(asset->digest, result->digest) != 0) {
		verdict->phase = phase_names[PHASE_PUBLISH];
		verdict->reason =
			"the store has another package of this name; rebuild it under the next PATCH";
	} else {
		verdict->kind = VERDICT_BUILT;
	}
}

void verdicts_compute(const struct planned_list *plan,
		      const struct build_results *results,
		      const struct asset_list *assets, struct verdict_list *ret)
{
	for (size_t i = 0; i < plan->count; i++) {
		const struct planned *planned = &plan->items[i];
		struct verdict verdict = {
			.planned = planned,
			.kind = VERDICT_FAILED,
			.reason = "",
			.result = build_results_find(results, &planned->release,
						     planned->arch),
		};
		char name[PACKAGE_NAME_SIZE];

		package_name_format(planned->release_text, planned->arch, name);
		judge(&verdict, asset_list_find(assets, name));
		ret->counts[verdict.kind]++;
		vector_add(ret) = verdict;
	}
}
