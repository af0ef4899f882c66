// SPDX-License-Identifier: LGPL-2.1-or-later

/** @file Reads what GitHub answers: a GitHub release, an asset, a list of them. */

#include "common/error.h"
#include "common/github_json.h"
#include "common/store_internal.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	_cleanup_github_release_ struct github_release release = { 0 };
	_cleanup_asset_list_ struct asset_list uploaded = { 0 };
	_cleanup_asset_list_ struct asset_list starters = { 0 };
	struct asset asset = { 0 };
	size_t count = 0;
	bool is_whole;

	error_destroy(github_parse_release(text, size, &release));
	error_destroy(
		github_parse_assets(text, size, &uploaded, &starters, &count));
	error_destroy(github_parse_asset(text, size, &asset, &is_whole));
	asset_deinit(&asset);
	github_error_has_code(text, size, "already_exists");
	return 0;
}
