// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/suite/suite.h"

enum {
	/** As git bisect takes it: this one cannot be tested. */
	SKIP_STATUS = 125,
};

const char *const bisect_verdict_names[] = {
	[BISECT_UNTESTED] = "untested",
	[BISECT_GOOD] = "good",
	[BISECT_BAD] = "bad",
	[BISECT_SKIPPED] = "skipped",
};

enum bisect_verdict bisect_verdict_of(const struct suite_item *item)
{
	if (!suite_state_is_end(item->state))
		return BISECT_UNTESTED;
	switch (item->state) {
	case SUITE_PASSED:
	case SUITE_FLAKY:
		return BISECT_GOOD;
	case SUITE_FAILED:
		return item->exit_status == SKIP_STATUS ? BISECT_SKIPPED
							: BISECT_BAD;
	case SUITE_TIMED_OUT:
		return BISECT_BAD;
	case SUITE_LOST:
		return item->phase_ms[SUITE_BOOT] ? BISECT_BAD : BISECT_SKIPPED;
	default:
		return BISECT_SKIPPED;
	}
}

static bool judged(const struct suite *suite, size_t index,
		   enum bisect_verdict verdict)
{
	return bisect_verdict_of(&suite->items[index]) == verdict;
}

/** The untested one that is nearest to the middle; the bad one if none is. */
static size_t find_middle(const struct suite *suite, size_t good, size_t bad)
{
	size_t middle = good + (bad - good) / 2;
	size_t best = bad;
	size_t best_distance = bad - good;

	for (size_t i = good + 1; i < bad; i++) {
		size_t distance = i > middle ? i - middle : middle - i;

		if (judged(suite, i, BISECT_UNTESTED) &&
		    distance < best_distance) {
			best = i;
			best_distance = distance;
		}
	}
	return best;
}

void bisect_next(const struct suite *suite, struct bisect_step *ret)
{
	size_t first = 0, last = suite->count;

	// The ends are the outermost that are not skipped.
	while (first < last && judged(suite, first, BISECT_SKIPPED))
		first++;
	while (last > first && judged(suite, last - 1, BISECT_SKIPPED))
		last--;
	*ret = (struct bisect_step){ .action = BISECT_TEST };
	if (last - first < 2) {
		ret->action = BISECT_TOO_FEW;
		return;
	}
	last--;
	ret->index = first;
	if (judged(suite, first, BISECT_UNTESTED))
		return;
	ret->index = last;
	if (judged(suite, last, BISECT_UNTESTED))
		return;
	if (!judged(suite, first, BISECT_GOOD) ||
	    !judged(suite, last, BISECT_BAD)) {
		ret->action = judged(suite, first, BISECT_GOOD)
				      ? BISECT_NEVER_FAILS
			      : judged(suite, last, BISECT_BAD)
				      ? BISECT_ALWAYS_FAILS
				      : BISECT_BEGINS_TO_PASS;
		return;
	}
	// The first bad one, then the good one before it: what lies between is
	// skipped or untested.
	ret->bad = first + 1;
	while (!judged(suite, ret->bad, BISECT_BAD))
		ret->bad++;
	ret->good = ret->bad - 1;
	while (!judged(suite, ret->good, BISECT_GOOD))
		ret->good--;
	ret->index = find_middle(suite, ret->good, ret->bad);
	if (ret->index == ret->bad)
		ret->action = BISECT_FOUND;
}
