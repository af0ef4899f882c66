// SPDX-License-Identifier: LGPL-2.1-or-later

/** @file Reads what a guest's kernel says, in pieces of all sizes. */

#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/fuzz.h"
#include "vm/guest/guest_internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_console_ struct console console = { 0 };
	_cleanup_string_builder_ struct string_builder sb = { 0 };
	size_t step = size ? data[0] % 17 + 1 : 1;

	for (size_t i = 0; i < size; i += step) {
		if (i >= size / 2 && i < size / 2 + step) {
			console_append_new(&console, &sb);
			console_restart(&console);
			console_expect_tasks(&console);
		}
		console_feed(&console, (const char *)data + i,
			     size - i < step ? size - i : step);
	}
	console_append_tail(&console, 5, &sb);
	console_append_tasks(&console, &sb);
	if (sb.text && strpbrk(sb.text, "\033\r\a"))
		abort();
	return 0;
}
