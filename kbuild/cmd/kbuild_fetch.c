// SPDX-License-Identifier: LGPL-2.1-or-later

#include "kbuild/cmd/kbuild_commands.h"

#include <stdio.h>

#include "common/base/error.h"
#include "common/kernel/release.h"
#include "kbuild/source/source.h"

struct fetch_options {
	const char *output;
};

// clang-format off
static const struct command_option options[] = {
	{ 'o', "output", "FILE", "where the tarball goes; its digest goes to FILE.sha256", OPTION_INTO(OPTION_STRING, struct fetch_options, output) },
	{ 0 },
};
// clang-format on

static struct error *run(struct command_context *context)
{
	struct error *err;
	const struct fetch_options *fetch = context->options;

	if (context->line.argument_count != 1)
		return error_create(ERROR_USAGE,
				    "name the version to fetch, such as 6.12.117");
	struct kernel_version version;
	err = parse_version(context->line.arguments[0], &version);
	if (err)
		return err;
	if (!fetch->output)
		return error_create(ERROR_USAGE, "name the file with --output");
	err = kernel_org_fetch(context->catalog, context->http, &version,
			       fetch->output);
	if (err)
		return err;
	puts(fetch->output);
	return NULL;
}

const struct command kbuild_fetch_command = {
	.name = "fetch",
	.arguments = "VERSION",
	.summary = "download a version's tarball, unless it is there and whole",
	.details = "Its digest is checked against the one that kernel.org publishes; release\n"
		   "candidates are made on the fly and have none.",
	.options = { options },
	.options_size = sizeof(struct fetch_options),
	.needs = COMMAND_CATALOG,
	.run = run,
};
