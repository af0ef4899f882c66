// SPDX-License-Identifier: LGPL-2.1-or-later

#include "kbuild/phase.h"

#include "common/base/system.h"

const char *const phase_names[PHASE_COUNT] = {
	[PHASE_SOURCE] = "source",   [PHASE_PATCH] = "patch",
	[PHASE_CONFIG] = "config",   [PHASE_BUILD] = "build",
	[PHASE_PACKAGE] = "package", [PHASE_BOOT] = "boot",
	[PHASE_PUBLISH] = "publish",
};

void phase_clock_stop(struct phase_clock *clock)
{
	if (!clock->since_ms)
		return;
	clock->duration_ms[clock->current] += monotonic_ms() - clock->since_ms;
	clock->since_ms = 0;
}

void phase_clock_enter(struct phase_clock *clock, enum phase phase)
{
	if (!clock)
		return;
	phase_clock_stop(clock);
	clock->current = phase;
	clock->since_ms = monotonic_ms();
}
