// SPDX-License-Identifier: LGPL-2.1-or-later

/** @file Reads what GitHub says about issues. */

#include "bot/report/report.h"
#include "common/base/error.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_value_ struct value value = { 0 };
	_cleanup_issue_list_ struct issue_list list = { 0 };

	error_destroy(value_parse_answer((const char *)data, size,
					 "GitHub's answer", &value));
	if (value.json)
		error_destroy(value_items(&value, issue_read,
					  sizeof(*list.items), &list));
	return 0;
}
