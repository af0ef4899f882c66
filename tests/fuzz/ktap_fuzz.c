// SPDX-License-Identifier: LGPL-2.1-or-later

/** @file Reads results of tests from what a command has printed, in pieces. */

#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/fuzz.h"
#include "vm/suite/ktap.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_ktap_ struct ktap ktap = { 0 };
	size_t step = size ? data[0] % 17 + 1 : 1;

	for (size_t i = 0; i < size; i += step)
		ktap_feed(&ktap, (const char *)data + i,
			  size - i < step ? size - i : step);
	ktap_end(&ktap);
	for (size_t i = 0; i < ktap.count; i++) {
		if (!*ktap.items[i].name ||
		    strpbrk(ktap.items[i].name, "\033\r\a\n") ||
		    strpbrk(ktap.items[i].reason, "\033\r\a\n"))
			abort();
	}
	return 0;
}
