// SPDX-License-Identifier: LGPL-2.1-or-later

/** @file Reads a signed tag, and the answer of a git server that brings one. */

#include "common/base/error.h"
#include "common/base/text.h"
#include "common/kernel/remote.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_string_builder_ struct string_builder sb = { 0 };
	struct signed_tag tag;

	error_destroy(
		signed_tag_parse((const char *)data, size, "v7.3-rc2", &tag));
	error_destroy(signed_tag_read_answer((const char *)data, size, &sb));
	return 0;
}
