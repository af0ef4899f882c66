// SPDX-License-Identifier: LGPL-2.1-or-later

#include "bot/build/build.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/archive/archive.h"
#include "common/base/error.h"
#include "common/base/memory.h"
#include "common/base/text.h"
#include "common/kernel/catalog.h"
#include "kbuild/config/config.h"
#include "kbuild/source/source.h"

struct error *recipe_digest(const struct catalog *catalog, const char *arch_name,
			    const struct release *release, const char *tool,
			    char digest_ret[static RECIPE_SIZE])
{
	struct error *err;

	struct config_request request = {
		.catalog = catalog,
		.release = *release,
	};
	// A rebuild is made as the first is.
	request.release.patch = 0;
	err = catalog_find_arch(catalog, arch_name, &request.arch);
	if (!err)
		err = catalog_find_flavor(catalog, release->flavor,
					  &request.flavor);
	if (!err)
		err = catalog_flavor_check(request.flavor, request.arch,
					   &release->version);
	if (err)
		return err;
	_cleanup_option_set_ struct option_set options = { 0 };
	err = config_compose(&request, &options);
	if (err)
		return err;
	const struct bounds_target target = { catalog, request.arch,
					      &release->version };
	_cleanup_string_list_ struct string_list patches = { 0 };
	char patches_digest[DIGEST_TEXT_SIZE];
	err = patches_find(&target, &patches, patches_digest);
	if (err)
		return err;
	const struct catalog_gcc *gcc;
	err = catalog_find_gcc(catalog, &release->version, &gcc);
	if (err)
		return err;
	char crosstool[KERNEL_VERSION_TEXT_SIZE];
	kernel_version_format(&catalog->gcc.crosstool, crosstool);
	_cleanup_free_ char *config = option_set_format(&options);
	_cleanup_free_ char *text =
		string_format("%s\n%s\n%u %u %s\n%s", tool, patches_digest,
			      catalog->gcc.reference, gcc->newest, crosstool,
			      config);
	char digest[DIGEST_TEXT_SIZE];
	digest_buffer(text, strlen(text), digest);
	snprintf(digest_ret, RECIPE_SIZE, "%.*s", RECIPE_SIZE - 1, digest);
	return NULL;
}
