// SPDX-License-Identifier: LGPL-2.1-or-later

/** @file Reads a config fragment, and compares a .config with what it asks for. */

#include "common/base/error.h"
#include "common/base/memory.h"
#include "common/base/text.h"
#include "common/kernel/catalog.h"
#include "kbuild/config/config.h"
#include "tests/fuzz/fuzz.h"

static struct catalog_arch archs[] = { { .name = "s390x" }, { .name = "x86_64" } };
static const struct catalog catalog = { .archs = archs,
					.arch_count = array_size(archs) };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct kernel_version version = { 6, 12, 117, 0 };
	static const struct bounds_target target = { &catalog, &archs[1],
						     &version };
	_cleanup_free_ char *text = string_copy_n((const char *)data, size);
	_cleanup_option_set_ struct option_set set = { 0 };
	_cleanup_error_ struct error *err =
		option_set_apply(&set, "fuzz", text, &target);
	_cleanup_free_ char *composed = option_set_format(&set);
	_cleanup_error_ struct error *all = config_check(&set, text, NULL);
	_cleanup_string_list_ struct string_list lost = { 0 };
	_cleanup_error_ struct error *some = config_check(&set, text, &lost);

	return 0;
}
