// SPDX-License-Identifier: LGPL-2.1-or-later

/** @file Reads a run's result; one that is read is written and read again. */

#include <stdlib.h>

#include "common/base/error.h"
#include "tests/fuzz/fuzz.h"
#include "vm/guest/guest.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_run_result_ struct run_result result = { 0 };
	_cleanup_run_result_ struct run_result again = { 0 };
	_cleanup_free_ char *text = fuzz_text(data, size);
	_cleanup_free_ char *written = NULL;
	struct error *err;

	err = run_result_parse(text, "fuzz", &result);
	if (err) {
		error_destroy(err);
		return 0;
	}
	written = run_result_format(&result);
	if (run_result_parse(written, "fuzz", &again) ||
	    again.outcome != result.outcome)
		abort();
	return 0;
}
