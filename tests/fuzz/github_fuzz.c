// SPDX-License-Identifier: LGPL-2.1-or-later

/**
 * @file
 *
 * Reads what GitHub answers: a GitHub release, an asset, and a list of them.
 */

#include <stdlib.h>
#include <string.h>

#include "common/base/error.h"
#include "common/store/store_github.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	_cleanup_value_ struct value value = { 0 };
	_cleanup_github_release_ struct github_release release = { 0 };
	_cleanup_asset_list_ struct asset_list assets = { 0 };
	struct asset asset = { 0 };

	github_error_has_code(text, size, "already_exists");
	error_destroy(value_parse_answer(text, size, "GitHub's answer", &value));
	if (!value.json)
		return 0;
	error_destroy(github_release_read(&value, &release));
	error_destroy(
		value_items(&value, github_asset_read, sizeof(asset), &assets));
	error_destroy(github_asset_read(&value, &asset));
	asset_deinit(&asset);
	return 0;
}
