// SPDX-License-Identifier: LGPL-2.1-or-later

/** @file Reads what GitHub says about issues and comments. */

#include <stdlib.h>

#include "common/base/error.h"
#include "common/github/github_issues.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	_cleanup_github_issue_ struct github_issue issue = { 0 };
	_cleanup_github_issue_list_ struct github_issue_list list = { 0 };
	size_t count = 0;
	bool found;
	struct error *err;

	err = github_parse_issue(text, size, "vmtest", &issue);
	if (!err && (!issue.number || !issue.body))
		abort();
	error_destroy(err);
	err = github_parse_issues(text, size, "vmtest", &list, &count);
	if (!err && list.count > count)
		abort();
	error_destroy(err);
	error_destroy(github_find_comment(text, size, "x", &found, &count));
	return 0;
}
