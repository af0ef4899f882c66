// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/suite/suite.h"

#include <criterion/criterion.h>
#include <string.h>

#include "common/base/cleanup.h"

enum {
	LIMIT = 64
};

static struct suite_item items[LIMIT];

/** Verdicts as letters: g, b, s, and - for those that are not tested. */
static enum suite_state state_of(char letter)
{
	return letter == 'g'   ? SUITE_PASSED
	       : letter == 'b' ? SUITE_TIMED_OUT
	       : letter == 's' ? SUITE_NOT_RUN
			       : SUITE_WAITING;
}

Test(bisect, verdicts_follow_from_what_has_become_of_a_kernel)
{
	static const struct {
		struct suite_item item;
		enum bisect_verdict verdict;
	} rows[] = {
		{ { .state = SUITE_WAITING }, BISECT_UNTESTED },
		{ { .state = SUITE_PASSED }, BISECT_GOOD },
		{ { .state = SUITE_FLAKY }, BISECT_GOOD },
		{ { .state = SUITE_FAILED, .exit_status = 1 }, BISECT_BAD },
		{ { .state = SUITE_FAILED, .exit_status = 125 }, BISECT_SKIPPED },
		{ { .state = SUITE_TIMED_OUT }, BISECT_BAD },
		{ { .state = SUITE_LOST }, BISECT_SKIPPED },
		{ { .state = SUITE_LOST, .phase_ms[SUITE_BOOT] = 1 }, BISECT_BAD },
		{ { .state = SUITE_NOT_RUN }, BISECT_SKIPPED },
	};

	for (size_t i = 0; i < array_size(rows); i++)
		cr_expect_eq(bisect_verdict_of(&rows[i].item), rows[i].verdict,
			     "row %zu", i);
}

Test(bisect, the_next_step_follows_from_what_is_known)
{
	static const struct {
		const char *verdicts;
		enum bisect_action action;
		size_t index, good, bad;
	} rows[] = {
		// The ends come first.
		{ "-----", BISECT_TEST, 0, 0, 0 },
		{ "g----", BISECT_TEST, 4, 0, 0 },
		{ "b----", BISECT_TEST, 4, 0, 0 },
		{ "s----", BISECT_TEST, 1, 0, 0 },
		{ "sg---", BISECT_TEST, 4, 0, 0 },
		{ "sg--s", BISECT_TEST, 3, 0, 0 },
		// What they say by themselves.
		{ "g---g", BISECT_NEVER_FAILS, 0, 0, 0 },
		{ "b---b", BISECT_ALWAYS_FAILS, 0, 0, 0 },
		{ "b---g", BISECT_BEGINS_TO_PASS, 0, 0, 0 },
		{ "sg-gs", BISECT_NEVER_FAILS, 0, 0, 0 },
		// Then the middle.
		{ "g---b", BISECT_TEST, 2, 0, 4 },
		{ "g-g-b", BISECT_TEST, 3, 2, 4 },
		{ "g-b-b", BISECT_TEST, 1, 0, 2 },
		{ "g-s-b", BISECT_TEST, 1, 0, 4 },
		{ "gss-b", BISECT_TEST, 3, 0, 4 },
		// Until nothing is left.
		{ "gb", BISECT_FOUND, 0, 0, 1 },
		{ "g-ggb", BISECT_FOUND, 0, 3, 4 },
		{ "gb--b", BISECT_FOUND, 0, 0, 1 },
		{ "gsssb", BISECT_FOUND, 0, 0, 4 },
		{ "sgsbs", BISECT_FOUND, 0, 1, 3 },
		// Too few tell anything.
		{ "", BISECT_TOO_FEW, 0, 0, 0 },
		{ "-", BISECT_TOO_FEW, 0, 0, 0 },
		{ "sssss", BISECT_TOO_FEW, 0, 0, 0 },
		{ "ss-ss", BISECT_TOO_FEW, 0, 0, 0 },
	};

	for (size_t i = 0; i < array_size(rows); i++) {
		const struct suite suite = { items, strlen(rows[i].verdicts) };
		struct bisect_step step;

		for (size_t j = 0; j < suite.count; j++)
			items[j].state = state_of(rows[i].verdicts[j]);
		bisect_next(&suite, &step);
		cr_expect_eq(step.action, rows[i].action, "%s", rows[i].verdicts);
		if (step.action == BISECT_TEST)
			cr_expect_eq(step.index, rows[i].index, "%s: %zu",
				     rows[i].verdicts, step.index);
		cr_expect_eq(step.good, rows[i].good, "%s", rows[i].verdicts);
		cr_expect_eq(step.bad, rows[i].bad, "%s", rows[i].verdicts);
	}
}

Test(bisect, every_place_is_found_in_few_steps)
{
	for (size_t place = 1; place < LIMIT; place++) {
		const struct suite suite = { items, LIMIT };
		struct bisect_step step;
		unsigned int steps = 0;

		memset(items, 0, sizeof(items));
		for (;;) {
			bisect_next(&suite, &step);
			if (step.action != BISECT_TEST)
				break;
			cr_assert_eq(items[step.index].state, SUITE_WAITING);
			items[step.index].state =
				state_of(step.index < place ? 'g' : 'b');
			steps++;
		}
		cr_expect_eq(step.action, BISECT_FOUND);
		cr_expect_eq(step.good, place - 1);
		cr_expect_eq(step.bad, place);
		cr_expect_leq(steps, 2 + 6, "%zu: %u", place, steps);
	}
}
