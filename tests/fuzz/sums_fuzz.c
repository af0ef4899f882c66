// SPDX-License-Identifier: LGPL-2.1-or-later

/** @file Looks for a file in kernel.org's sha256sums.asc. */

#include "common/base/error.h"
#include "common/kernel/remote.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char digest[DIGEST_TEXT_SIZE];

	error_destroy(sums_find((const char *)data, size,
				"linux-6.12.117.tar.xz", digest));
	return 0;
}
