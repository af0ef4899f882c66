// SPDX-License-Identifier: LGPL-2.1-or-later

/**
 * @file
 *
 * Reads what a guest says over the control port, in pieces of all sizes, and
 * lets it decide what becomes of the guest.
 */

#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/fuzz.h"
#include "vm/guest/guest_internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct protocol protocol = { 0 };
	struct lifecycle lifecycle = { .boot_limit_ms = 100,
				       .timeout_ms = 1000,
				       .kdump = size % 2 };
	const char *p = (const char *)data;
	const char *end = p + size;
	const size_t step = size ? data[0] % 17 + 1 : 1;
	enum lifecycle_event event;
	uint64_t now = 1;

	lifecycle_start(&lifecycle, now);
	while (p < end) {
		size_t left = (size_t)(end - p);

		if (!protocol_read(&protocol, &p,
				   p + (left < step ? left : step), &event))
			continue;
		lifecycle_step(&lifecycle, event, protocol.status, now += 3);
		if (strpbrk(protocol.text, "\n\r\033") ||
		    !strstr(protocol.text, protocol.what))
			abort();
	}
	// Whatever it said: time ends it, within its limits.
	for (int i = 0; i < 4 && lifecycle.deadline_ms; i++)
		lifecycle_step(&lifecycle, EVENT_TIME, 0, lifecycle.deadline_ms);
	if (lifecycle.state < LIFECYCLE_FLUSH || lifecycle.exit_status < 0 ||
	    lifecycle.exit_status > 255 ||
	    lifecycle.kernels > LIFECYCLE_KERNEL_LIMIT)
		abort();
	protocol_deinit(&protocol);
	return 0;
}
