// SPDX-License-Identifier: LGPL-2.1-or-later

/** @file Reads a build's result; one that is read is written and read again. */

#include <stdlib.h>

#include "bot/build/build.h"
#include "common/base/error.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_build_result_ struct build_result result = { 0 };
	_cleanup_build_result_ struct build_result again = { 0 };
	_cleanup_free_ char *text = fuzz_text(data, size);
	struct error *err;

	err = build_result_parse(text, "fuzz", &result);
	if (err) {
		error_destroy(err);
		return 0;
	}

	_cleanup_free_ char *written = build_result_format(&result);

	if (build_result_parse(written, "fuzz", &again) ||
	    again.outcome != result.outcome ||
	    release_compare(&again.release, &result.release) != 0)
		abort();
	return 0;
}
