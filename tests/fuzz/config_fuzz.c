// SPDX-License-Identifier: LGPL-2.1-or-later

/** @file Reads a config fragment, and compares a .config with what it asks for. */

#include <stdlib.h>

#include "common/base/error.h"
#include "common/base/string_list.h"
#include "common/kernel/version.h"
#include "kbuild/config/bounds.h"
#include "kbuild/config/fragment.h"
#include "tests/fuzz/fuzz.h"

static void compose(const char *text, size_t size, const struct string_list *archs)
{
	static const struct kernel_version version = { 6, 12, 117, 0 };
	const struct bounds_target target = {
		.version = &version,
		.arch = "x86_64",
		.known_archs = archs,
	};
	_cleanup_option_set_ struct option_set set = OPTION_SET_INIT;
	_cleanup_string_list_ struct string_list lost = STRING_LIST_INIT;
	_cleanup_free_ char *composed = NULL;
	_cleanup_error_ struct error *err =
		option_set_apply(&set, "fuzz", text, size, &target);

	if (!err)
		composed = option_set_format(&set);
	if (!err)
		err = option_set_check(&set, text, size, NULL);
	error_destroy(take_ptr(err));
	err = option_set_check(&set, text, size, &lost);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_string_list_ struct string_list archs = STRING_LIST_INIT;

	string_list_add(&archs, "s390x");
	string_list_add(&archs, "x86_64");
	compose((const char *)data, size, &archs);
	return 0;
}
