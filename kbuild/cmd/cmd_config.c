// SPDX-License-Identifier: LGPL-2.1-or-later

#include "kbuild/cmd/cmd.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/base/error.h"
#include "common/http/http.h"
#include "common/kernel/catalog.h"
#include "common/kernel/release.h"
#include "common/kernel/toolchain.h"
#include "common/kernel/version.h"
#include "kbuild/cmd/selection.h"
#include "kbuild/config/config.h"
#include "kbuild/config/fragment.h"
#include "kbuild/source/source.h"

#define ARGUMENT(field) offsetof(struct cmd_config_arguments, field)

// clang-format off
const struct command_option cmd_config_options[] = {
	{ 's', "source", "DIR", "configure this kernel tree, which is not written to", OPTION_STRING, ARGUMENT(source) },
	{ 0 },
};
// clang-format on

/** The options that the fragments ask for. */
static struct error *format_asked(const struct catalog *catalog,
				  const struct selection *selection,
				  const char *version_text, char **ret)
{
	struct error *err;

	struct kernel_version version;
	if (!kernel_version_parse(version_text, &version))
		return error_create(ERROR_USAGE, "'%s' is no kernel version",
				    version_text);
	struct release release;
	catalog_release(catalog, &version, selection->flavor, 0, &release);
	_cleanup_option_set_ struct option_set set = { 0 };
	err = config_compose(catalog, selection->arch, &release, &set);
	if (err)
		return err;
	*ret = option_set_format(&set);
	return NULL;
}

/** What becomes of them in a source. */
static struct error *configure(const struct command_context *context,
			       const struct catalog *catalog,
			       const struct selection *selection,
			       const char *path, char **ret)
{
	struct error *err;

	const struct source_spec spec = { .kind = SOURCE_DIRECTORY, .path = path };
	const struct source_request request = {
		.spec = &spec,
		.catalog = catalog,
		.arch = selection->arch,
	};
	_cleanup_source_ struct source source = { 0 };
	err = source_prepare(&request, &source);
	if (err)
		return err;
	_cleanup_http_ struct http *http = NULL;
	err = command_http(&http);
	if (err)
		return err;
	_cleanup_free_ char *directory = NULL;
	err = command_directory(context, &directory);
	if (err)
		return err;
	_cleanup_toolchain_ struct toolchain toolchain = { 0 };
	err = toolchain_open(catalog, selection->arch, &source.version,
			     directory, http, &toolchain);
	if (err)
		return err;
	struct release release;
	catalog_release(catalog, &source.version, selection->flavor, 0, &release);
	const char *temporary = getenv("TMPDIR");
	err = configure_source(catalog, selection->arch, &release,
			       toolchain.chosen, source.path,
			       temporary && *temporary ? temporary : "/tmp", ret);
	char text[RELEASE_TEXT_SIZE];
	release_format(&release, text);
	return error_wrap(err, "configure %s.%s", text, selection->arch->name);
}

struct error *cmd_config(const struct command_context *context, int *status_ret)
{
	struct error *err;
	const struct cmd_config_arguments *arguments = context->options;

	(void)status_ret;
	if (context->argument_count != !arguments->source)
		return error_create(
			ERROR_USAGE,
			"name the version to configure, such as 6.12.117, or a source with --source");
	_cleanup_catalog_ struct catalog *catalog = NULL;
	err = command_load_catalog(context, &catalog);
	if (err)
		return err;
	struct selection selection;
	err = selection_make(catalog, context->common, &selection);
	if (err)
		return err;
	_cleanup_free_ char *text = NULL;
	err = arguments->source ? configure(context, catalog, &selection,
					    arguments->source, &text)
				: format_asked(catalog, &selection,
					       context->arguments[0], &text);
	if (err)
		return err;
	fputs(text, stdout);
	return NULL;
}
