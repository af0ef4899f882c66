// SPDX-License-Identifier: LGPL-2.1-or-later

/** @file Reads what a guest's kernel says, in pieces of all sizes. */

#include <stdlib.h>

#include "common/base/error.h"
#include "tests/fuzz/fuzz.h"
#include "vm/guest/console.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_console_ struct console console = CONSOLE_INIT;
	_cleanup_string_builder_ struct string_builder sb = STRING_BUILDER_INIT;
	size_t step = size ? data[0] % 17 + 1 : 1;

	for (size_t i = 0; i < size; i += step) {
		if (i >= size / 2 && i < size / 2 + step)
			console_restart(&console);
		console_feed(&console, (const char *)data + i,
			     size - i < step ? size - i : step);
	}
	console_append_tail(&console, 5, &sb);
	console_append_tasks(&console, size / 2, &sb);
	error_destroy(console_check(&console));
	return 0;
}
