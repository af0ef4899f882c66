// SPDX-License-Identifier: LGPL-2.1-or-later

#include "kbuild/cmd/cmd.h"

#include <stddef.h>
#include <stdio.h>

#include "common/base/error.h"
#include "common/http/http.h"
#include "common/kernel/catalog.h"
#include "common/kernel/version.h"
#include "kbuild/source/kernel_org.h"

// clang-format off
const struct command_option cmd_fetch_options[] = {
	{ 'o', "output", "FILE", "where the tarball goes; FILE.sha256 says later that it is whole", OPTION_STRING, offsetof(struct cmd_fetch_arguments, output) },
	{ 0 },
};
// clang-format on

struct error *cmd_fetch(const struct command_context *context, int *status_ret)
{
	struct error *err;
	const struct cmd_fetch_arguments *arguments = context->options;
	_cleanup_catalog_ struct catalog *catalog = NULL;
	_cleanup_http_ struct http *http = NULL;
	struct kernel_version version;

	(void)status_ret;
	if (context->argument_count != 1)
		return error_create(ERROR_USAGE,
				    "name the version to fetch, such as 6.12.117");
	if (!kernel_version_parse(context->arguments[0], &version))
		return error_create(ERROR_USAGE, "'%s' is no kernel version",
				    context->arguments[0]);
	if (!arguments->output)
		return error_create(ERROR_USAGE, "name the file with --output");
	err = command_load_catalog(context, &catalog);
	if (!err)
		err = command_http(&http);
	if (!err)
		err = kernel_org_fetch(catalog, http, &version,
				       arguments->output);
	if (err)
		return err;
	puts(arguments->output);
	return NULL;
}
