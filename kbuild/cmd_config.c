// SPDX-License-Identifier: LGPL-2.1-or-later

#include "kbuild/cmd.h"

#include <stdio.h>

#include "common/catalog.h"
#include "common/error.h"
#include "common/release.h"
#include "kbuild/config.h"
#include "kbuild/fragment.h"
#include "kbuild/selection.h"

struct error *cmd_config(const struct command_context *context, int *status_ret)
{
	struct error *err;

	(void)status_ret;
	if (context->argument_count != 1)
		return error_create(ERROR_USAGE,
				    "name the version to configure, such as 6.12.117");
	_cleanup_catalog_ struct catalog *catalog = NULL;
	err = command_load_catalog(context, &catalog);
	if (err)
		return err;
	struct kernel_version version;
	if (!kernel_version_parse(context->arguments[0], &version))
		return error_create(ERROR_USAGE, "'%s' is no kernel version",
				    context->arguments[0]);
	struct selection selection;
	err = selection_make(catalog, context->common, &selection);
	if (err)
		return err;
	struct release release;
	catalog_release(catalog, &version, selection.flavor, 0, &release);

	_cleanup_option_set_ struct option_set set = OPTION_SET_INIT;
	err = config_compose(catalog, selection.arch, &release, &set);
	if (err)
		return err;
	_cleanup_free_ char *text = NULL;
	err = option_set_format(&set, &text);
	if (err)
		return err;
	fputs(text, stdout);
	return NULL;
}
