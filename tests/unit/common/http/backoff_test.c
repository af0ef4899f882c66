// SPDX-License-Identifier: LGPL-2.1-or-later

#include "common/http/backoff.h"

#include <criterion/criterion.h>
#include <inttypes.h>
#include <limits.h>
#include <stddef.h>

#include "common/base/cleanup.h"

Test(backoff, doubles_until_its_limit)
{
	static const struct {
		struct backoff backoff;
		unsigned int waits;
		uint64_t ms;
	} cases[] = {
		{ { 500, 30000 }, 0, 500 },
		{ { 500, 30000 }, 1, 1000 },
		{ { 500, 30000 }, 5, 16000 },
		{ { 500, 30000 }, 6, 30000 },
		{ { 500, 30000 }, UINT_MAX, 30000 },
		{ { 500, 200 }, 0, 200 },
		{ { 0, 30000 }, 1000, 0 },
		{ { 3, UINT64_MAX }, UINT_MAX, UINT64_MAX },
	};

	for (size_t i = 0; i < array_size(cases); i++) {
		uint64_t ms = backoff_ms(&cases[i].backoff, cases[i].waits);

		cr_expect_eq(ms, cases[i].ms, "%zu: %" PRIu64, i, ms);
	}
}
