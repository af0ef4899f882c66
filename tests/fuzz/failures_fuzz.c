// SPDX-License-Identifier: LGPL-2.1-or-later

/** @file Reads from a page what has failed, and writes it again. */

#include <stdlib.h>
#include <string.h>

#include "bot/plan/failure.h"
#include "common/base/log.h"
#include "common/base/text.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_failure_list_ struct failure_list list = { 0 }, again = { 0 };
	_cleanup_string_builder_ struct string_builder sb = { 0 };
	_cleanup_free_ char *text = fuzz_text(data, size);

	// Most pages are refused, with a warning.
	log_init("fuzz", LOG_ERROR, LOG_SILENCE_MS);
	failures_read(text, &list);
	failures_append(&sb, &list);
	failures_read(sb.text, &again);
	// What is taken stays in its line, and in its comment.
	if (list.count <= FAILURES_MAX && again.count != list.count)
		abort();
	return 0;
}
