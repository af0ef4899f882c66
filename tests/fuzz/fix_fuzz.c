// SPDX-License-Identifier: LGPL-2.1-or-later

/** @file Reads what names a fix of upstream's, and the patch it stands for. */

#include <stdlib.h>
#include <string.h>

#include "common/base/error.h"
#include "kbuild/source/patch_fix.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_patch_fix_ struct patch_fix fix = { 0 };
	_cleanup_free_ char *text = strndup((const char *)data, size);
	_cleanup_free_ char *changes = NULL;

	error_destroy(patch_fix_parse((const char *)data, size, &fix));
	if (text)
		error_destroy(patch_fix_changes(text, size, &changes));
	return 0;
}
