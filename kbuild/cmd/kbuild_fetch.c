// SPDX-License-Identifier: LGPL-2.1-or-later

#include "kbuild/cmd/kbuild_commands.h"

#include <stdio.h>
#include <sysexits.h>

#include "common/base/error.h"
#include "common/base/log.h"
#include "common/base/memory.h"
#include "common/kernel/release.h"
#include "kbuild/source/source.h"

struct fetch_options {
	const char *output;
};

// clang-format off
static const struct command_option options[] = {
	{ 'o', "output", "FILE", "where the tarball goes; its digest goes to FILE.sha256, what proves it to FILE.sign", OPTION_INTO(OPTION_STRING, struct fetch_options, output) },
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
	_cleanup_error_ struct error *missing =
		error_is(err, ERROR_NOT_FOUND) ? take_ptr(err) : NULL;
	if (missing) {
		log_error("%s", error_message(missing));
		context->status = EX_TEMPFAIL;
		return NULL;
	}
	if (err)
		return err;
	puts(fetch->output);
	return NULL;
}

const struct command kbuild_fetch_command = {
	.name = "fetch",
	.arguments = "VERSION",
	.summary = "download a version's tarball, unless it is there and whole",
	.details =
		"It is checked by gpgv against kernel.org's signature, or the signed tag of a release\n"
		"candidate, which goes to FILE.sign. The exit status is 75 if kernel.org does not have\n"
		"the tarball or its signature, yet.",
	.options = { options },
	.options_size = sizeof(struct fetch_options),
	.needs = COMMAND_CATALOG,
	.run = run,
};
