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
#include "vm/guest/protocol.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct protocol protocol = { 0 };
	struct machine machine = { .boot_limit_ms = 100,
				   .timeout_ms = 1000,
				   .kdump = size % 2 };
	const char *p = (const char *)data;
	const char *end = p + size;
	const size_t step = size ? data[0] % 17 + 1 : 1;
	enum machine_event event;
	uint64_t now = 1;

	machine_start(&machine, now);
	while (p < end) {
		size_t left = (size_t)(end - p);

		if (!protocol_read(&protocol, &p,
				   p + (left < step ? left : step), &event))
			continue;
		machine_step(&machine, event, protocol.status, now += 3);
		if (strpbrk(protocol_text(&protocol), "\n\r\033") ||
		    !strstr(protocol_text(&protocol), protocol_what(&protocol)))
			abort();
	}
	// Whatever it said: time ends it, within its limits.
	for (int i = 0; i < 4 && machine.deadline_ms; i++)
		machine_step(&machine, EVENT_TIME, 0, machine.deadline_ms);
	if (machine.state < MACHINE_FLUSH || machine.exit_status < 0 ||
	    machine.exit_status > 255 || machine.kernels > MACHINE_KERNEL_LIMIT)
		abort();
	protocol_deinit(&protocol);
	return 0;
}
