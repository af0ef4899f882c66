// SPDX-License-Identifier: LGPL-2.1-or-later

#include "common/base/processors.h"

#include <sched.h>
#include <unistd.h>

unsigned int processors_usable(void)
{
	cpu_set_t set;

	if (sched_getaffinity(0, sizeof(set), &set) == 0)
		return (unsigned int)CPU_COUNT(&set);

	// The set has no room for those of a large machine.
	long online = sysconf(_SC_NPROCESSORS_ONLN);

	return online > 0 ? (unsigned int)online : 1;
}
