// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/suite/suite.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/error.h"

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

static int compare_items(const void *a, const void *b)
{
	const struct suite_item *x = a;
	const struct suite_item *y = b;
	int order = strcmp(x->arch, y->arch);

	if (!order)
		order = strcmp(x->release.flavor, y->release.flavor);
	return order ? order : release_compare(&x->release, &y->release);
}

struct error *bisect_order(struct suite *suite)
{
	for (size_t i = 0; i < suite->count; i++) {
		const struct suite_item *item = &suite->items[i];

		if (!*item->release.flavor)
			return error_create(ERROR_USAGE,
					    "%s: '%s' does not tell its place in the order of versions",
					    item->path, item->name);
	}
	qsort(suite->items, suite->count, sizeof(*suite->items), compare_items);
	return NULL;
}

size_t bisect_middle(const struct suite *suite, size_t first, size_t second)
{
	size_t middle = first + (second - first) / 2;
	size_t best = second;
	size_t best_distance = second - first;

	for (size_t i = first + 1; i < second; i++) {
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
	ret->index = bisect_middle(suite, ret->good, ret->bad);
	if (ret->index == ret->bad)
		ret->action = BISECT_FOUND;
}
