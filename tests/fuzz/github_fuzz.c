// SPDX-License-Identifier: LGPL-2.1-or-later

/**
 * @file
 *
 * Reads what GitHub answers: a GitHub release, an asset, and a list of them.
 */

#include <stdlib.h>
#include <string.h>

#include "common/base/error.h"
#include "common/github/github_json.h"
#include "common/store/store_internal.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	_cleanup_github_release_ struct github_release release = { 0 };
	_cleanup_github_assets_ struct github_assets assets = { 0 };
	struct asset asset = { 0 };
	bool is_whole;

	error_destroy(github_parse_release(text, size, &release));
	error_destroy(github_parse_assets(text, size, &assets));
	error_destroy(github_parse_asset(text, size, &asset, &is_whole));
	asset_deinit(&asset);
	github_error_has_code(text, size, "already_exists");
	return 0;
}
