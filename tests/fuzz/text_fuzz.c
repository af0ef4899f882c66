// SPDX-License-Identifier: LGPL-2.1-or-later

/** @file Makes plain text: what comes out stays as it is the second time. */

#include <stdlib.h>
#include <string.h>

#include "common/base/text.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_string_builder_ struct string_builder once = { 0 };
	_cleanup_string_builder_ struct string_builder twice = { 0 };

	text_append_plain(&once, (const char *)data, size);
	text_append_plain(&twice, once.text ? once.text : "", once.length);
	if (once.length != twice.length ||
	    (once.length && memcmp(once.text, twice.text, once.length) != 0))
		abort();
	return 0;
}
