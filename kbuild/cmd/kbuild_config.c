// SPDX-License-Identifier: LGPL-2.1-or-later

#include "kbuild/cmd/kbuild_commands.h"

#include <stdio.h>

#include "common/base/error.h"
#include "common/kernel/catalog.h"
#include "common/kernel/compiler.h"
#include "common/kernel/release.h"
#include "kbuild/config/config.h"
#include "kbuild/source/source.h"

struct config_options {
	struct addition_options additions;
	const char *source;
};

// clang-format off
static const struct command_option options[] = {
	{ 's', "source", "DIR", "configure this kernel tree, which is not written to", OPTION_INTO(OPTION_STRING, struct config_options, source) },
	{ 0 },
};
// clang-format on

/** What becomes in a source of the options that the fragments ask for. */
static struct error *configure(struct command_context *context,
			       struct config_request *config, const char *path,
			       char **ret)
{
	struct error *err;

	const struct source_request request = {
		.kind = SOURCE_DIRECTORY,
		.path = path,
		.catalog = config->catalog,
		.arch = config->arch,
	};
	_cleanup_source_ struct source source = { 0 };
	err = source_prepare(&request, &source);
	if (err)
		return err;
	err = config_request_release(config, &source.version, 0);
	if (err)
		return err;
	err = command_open(context, COMMAND_DIRECTORY);
	if (err)
		return err;
	_cleanup_compiler_ struct compiler compiler = { 0 };
	err = compiler_open(config->catalog, config->arch, &source.version,
			    context->directory, context->http, &compiler);
	if (err)
		return err;
	err = configure_source(config, &compiler, source.path,
			       command_temporary("/tmp"), ret);
	char text[RELEASE_TEXT_SIZE];
	release_format(&config->release, text);
	return error_wrap(err, "configure %s.%s", text, config->arch->name);
}

static struct error *run(struct command_context *context)
{
	struct error *err;
	const struct config_options *config = context->options;

	if (context->line.argument_count != !config->source)
		return error_create(
			ERROR_USAGE,
			"name the version to configure, such as 6.12.117, or a source with --source");
	_cleanup_config_request_ struct config_request request = { 0 };
	err = config_request_parse(context, &config->additions, &request);
	if (err)
		return err;
	_cleanup_option_set_ struct option_set set = { 0 };
	_cleanup_free_ char *text = NULL;
	if (config->source) {
		err = configure(context, &request, config->source, &text);
	} else {
		struct kernel_version version;

		err = parse_version(context->line.arguments[0], &version);
		if (!err)
			err = config_request_release(&request, &version, 0);
		if (!err)
			err = config_compose(&request, &set);
		if (!err)
			text = option_set_format(&set);
	}
	if (err)
		return err;
	fputs(text, stdout);
	return NULL;
}

const struct command kbuild_config_command = {
	.name = "config",
	.arguments = "(VERSION | --source DIR)",
	.summary = "print the options that a kernel is asked to have, or a source's whole .config",
	.details =
		"Of a version, this prints the options that the fragments of the catalog ask for.\n"
		"A source is configured with them, in a temporary directory: this prints the\n"
		".config that comes out, or fails and names each option that kconfig did not keep.\n"
		"\n"
		"What --config-fragment and --config-option ask for is checked in the same way.\n"
		"The release is named after it: its flavor ends in a digest.",
	.options = { options, addition_option_table },
	.options_size = sizeof(struct config_options),
	.common = COMMON_ARCH | COMMON_FLAVOR | COMMON_DIRECTORY |
		  COMMON_ALLOW_UNVERIFIED,
	.needs = COMMAND_CATALOG,
	.run = run,
};
