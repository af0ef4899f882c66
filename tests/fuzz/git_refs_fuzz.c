// SPDX-License-Identifier: LGPL-2.1-or-later

/** @file Reads the refs that a git server lists. */

#include "common/base/error.h"
#include "common/kernel/remote.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_ref_list_ struct ref_list list = { 0 };
	_cleanup_error_ struct error *err =
		ref_list_parse((const char *)data, size, &list);

	for (size_t i = 0; i < list.count; i++)
		(void)ref_tag(&list.items[i]);
	return 0;
}
