// SPDX-License-Identifier: LGPL-2.1-or-later

/** @file Reads what GitHub says about issues and comments. */

#include <stdlib.h>

#include "common/base/error.h"
#include "common/github/github_issues.h"
#include "common/github/github_json.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_value_ struct value value = { 0 };
	_cleanup_github_issue_list_ struct github_issue_list list = { 0 };
	size_t count = 0;
	bool found;
	struct error *err;

	error_destroy(github_parse((const char *)data, size, &value));
	if (!value.json)
		return 0;
	err = github_read_issues(&value, "vmtest", &list, &count);
	if (!err && list.count > count)
		abort();
	error_destroy(err);
	error_destroy(github_find_comment(&value, "x", &found, &count));
	return 0;
}
