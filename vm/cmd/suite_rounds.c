// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/cmd/vm_commands.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/error.h"
#include "common/base/file.h"
#include "common/base/log.h"
#include "common/base/memory.h"
#include "vm/suite/suite_list.h"

/** The kernels as they were before their tests. */
static struct suite copy_kernels(const struct suite_setup *setup)
{
	const struct suite *from = &setup->suite;
	struct suite copy = {
		memory_allocate(from->count, sizeof(*from->items)),
		from->count,
	};

	for (size_t i = 0; i < copy.count; i++) {
		const struct suite_item *item = &from->items[i];
		// It has been deleted after the round before.
		bool is_gone = item->is_downloaded && setup->run.discard_from;

		copy.items[i] = (struct suite_item){
			.arch = item->arch,
			.release = item->release,
			.kernel = string_copy(item->kernel),
			.path = is_gone ? NULL : string_copy(item->path),
			.size_bytes = item->size_bytes,
			.needs_module = item->needs_module,
			.guests = item->guests,
		};
		strcpy(copy.items[i].name, item->name);
		strcpy(copy.items[i].digest, item->digest);
	}
	return copy;
}

/** @return Whether any kernel has failed. */
static bool merge_round(struct suite *suite, struct suite *next)
{
	bool any = false;

	for (size_t i = 0; i < suite->count; i++) {
		suite_item_merge(&suite->items[i], &next->items[i]);
		any |= suite_state_is_failure(suite->items[i].state);
	}
	suite_deinit(next);
	return any;
}

struct error *suite_run_rounds(struct suite_setup *setup, unsigned int rounds,
			       bool until_failure)
{
	struct error *err = NULL;
	struct suite *suite = &setup->suite;
	bool ends = false;

	if (rounds == 1)
		return suite_run_shown(&setup->run, suite, setup->view);
	for (unsigned int round = 1; !err && !ends; round++) {
		struct suite next = copy_kernels(setup);

		if (rounds)
			log_info("run %u of %u", round, rounds);
		else
			log_info("run %u", round);
		err = suite_run_shown(&setup->run, &next, setup->view);
		ends = merge_round(suite, &next) && until_failure;
		ends |= round == rounds;
	}
	for (size_t i = 0; i < suite->count; i++) {
		struct suite_item *item = &suite->items[i];
		_cleanup_free_ char *reason = take_ptr(item->reason);

		if (item->failed_runs)
			suite_item_explain(item, "%u of %u runs failed: %s",
					   item->failed_runs, item->runs, reason);
		else if (reason)
			suite_item_explain(item, "%u runs: %s", item->runs,
					   reason);
		else
			suite_item_explain(item, "%u runs", item->runs);
	}
	return err;
}

struct error *suite_run_step(const struct suite_setup *setup,
			     struct suite_item *item, unsigned int number)
{
	struct error *err;
	const struct suite one = { item, 1 };
	const char *verdict;

	// There is a line for each step.
	err = suite_run_shown(&setup->run, &one,
			      setup->view == SUITE_VIEW_LINES ? SUITE_VIEW_QUIET
							      : setup->view);
	if (err)
		return err;
	verdict = bisect_verdict_names[bisect_verdict_of(item)];
	log_info("step %u: %s is %s%s%s", number, item->name, verdict,
		 item->reason ? ": " : "", item->reason ? item->reason : "");
	return NULL;
}
