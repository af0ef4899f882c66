// SPDX-License-Identifier: LGPL-2.1-or-later

#include "common/base/system.h"

#include <criterion/criterion.h>
#include <sched.h>

Test(system, there_is_memory_available)
{
	uint64_t bytes = memory_available();

	cr_expect_gt(bytes, 1 << 20);
	cr_expect_lt(bytes, UINT64_MAX);
}

Test(system, processors_that_we_may_not_use_do_not_count)
{
	cpu_set_t set;

	cr_assert_eq(sched_getaffinity(0, sizeof(set), &set), 0);
	cr_expect_eq(processors_usable(), (unsigned int)CPU_COUNT(&set));
	for (int i = 0, found = 0; i < CPU_SETSIZE; i++) {
		if (CPU_ISSET(i, &set) && found++)
			CPU_CLR(i, &set);
	}
	cr_assert_eq(sched_setaffinity(0, sizeof(set), &set), 0);
	cr_expect_eq(processors_usable(), 1);
}
