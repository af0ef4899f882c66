// SPDX-License-Identifier: LGPL-2.1-or-later

#include "kbuild/phase.h"

#include <stddef.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/base/system.h"

static const char *const names[] = {
	[PHASE_SOURCE] = "source",   [PHASE_PATCH] = "patch",
	[PHASE_CONFIG] = "config",   [PHASE_BUILD] = "build",
	[PHASE_PACKAGE] = "package", [PHASE_BOOT] = "boot",
	[PHASE_PUBLISH] = "publish",
};

const char *phase_name(enum phase phase)
{
	return names[phase];
}

bool phase_find(const char *name, enum phase *ret)
{
	for (size_t i = 0; i < array_size(names); i++) {
		if (strcmp(names[i], name) == 0) {
			*ret = (enum phase)i;
			return true;
		}
	}
	return false;
}

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
