// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/suite/suite.h"

const char *const bisect_verdict_names[] = {
	[BISECT_UNTESTED] = "untested",
	[BISECT_GOOD] = "good",
	[BISECT_BAD] = "bad",
	[BISECT_SKIPPED] = "skipped",
};

/**
 * The untested one that is nearest to the middle.
 *
 * @param[out] left_ret How many are untested.
 */
static size_t find_middle(const enum bisect_verdict *verdicts, size_t good,
			  size_t bad, size_t *left_ret)
{
	size_t middle = good + (bad - good) / 2;
	size_t best = bad;
	size_t best_distance = bad - good;

	*left_ret = 0;
	for (size_t i = good + 1; i < bad; i++) {
		size_t distance = i > middle ? i - middle : middle - i;

		if (verdicts[i] != BISECT_UNTESTED)
			continue;
		++*left_ret;
		if (distance < best_distance) {
			best = i;
			best_distance = distance;
		}
	}
	return best;
}

void bisect_next(const enum bisect_verdict *verdicts, size_t count,
		 struct bisect_step *ret)
{
	size_t first = 0, last = count;

	// The ends are the outermost that are not skipped.
	while (first < last && verdicts[first] == BISECT_SKIPPED)
		first++;
	while (last > first && verdicts[last - 1] == BISECT_SKIPPED)
		last--;
	*ret = (struct bisect_step){ .action = BISECT_TEST };
	if (last - first < 2) {
		ret->action = BISECT_TOO_FEW;
		return;
	}
	last--;
	ret->left = last - first + 1;
	ret->index = first;
	if (verdicts[first] == BISECT_UNTESTED)
		return;
	ret->index = last;
	if (verdicts[last] == BISECT_UNTESTED)
		return;
	if (verdicts[first] != BISECT_GOOD || verdicts[last] != BISECT_BAD) {
		ret->action = verdicts[first] == BISECT_GOOD ? BISECT_NEVER_FAILS
			      : verdicts[last] == BISECT_BAD
				      ? BISECT_ALWAYS_FAILS
				      : BISECT_BEGINS_TO_PASS;
		return;
	}
	// The first bad one, then the good one before it: what lies between is
	// skipped or untested.
	ret->bad = first + 1;
	while (verdicts[ret->bad] != BISECT_BAD)
		ret->bad++;
	ret->good = ret->bad - 1;
	while (verdicts[ret->good] != BISECT_GOOD)
		ret->good--;
	ret->index = find_middle(verdicts, ret->good, ret->bad, &ret->left);
	if (!ret->left)
		ret->action = BISECT_FOUND;
}
