// SPDX-License-Identifier: LGPL-2.1-or-later

/** @file Reads what GitHub says about issues. */

#include "common/base/error.h"
#include "common/github/github.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_value_ struct value value = { 0 };
	_cleanup_github_issue_list_ struct github_issue_list list = { 0 };

	error_destroy(value_parse_answer((const char *)data, size,
					 "GitHub's answer", &value));
	if (value.json)
		error_destroy(value_items(&value, github_read_issue,
					  sizeof(*list.items), &list));
	return 0;
}
