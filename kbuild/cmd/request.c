// SPDX-License-Identifier: LGPL-2.1-or-later

#include <stddef.h>

#include "common/base/error.h"
#include "common/base/memory.h"
#include "common/kernel/catalog.h"
#include "common/kernel/release.h"
#include "kbuild/cmd/kbuild_commands.h"

#define INTO(type, field) OPTION_INTO(type, struct addition_options, field)

// clang-format off
const struct command_option addition_option_table[] = {
	{ 0, "config-fragment", "FILE", "also set the options of this file, in the syntax of the catalog's fragments; repeatable", INTO(OPTION_ITEM, fragments) },
	{ 0, "config-option", "CONFIG_NAME=VALUE", "also set this option; repeatable", INTO(OPTION_ITEM, options) },
	{ 0 },
};
// clang-format on

struct error *config_request_parse(const struct command_context *context,
				   const struct addition_options *additions,
				   struct config_request *ret)
{
	struct error *err;

	const struct string_list *flavors = &context->common->flavors;
	if (flavors->count > 1)
		return error_create(ERROR_USAGE,
				    "one kernel has one flavor; name only one");
	_cleanup_config_request_ struct config_request request = {
		.catalog = context->catalog,
	};
	err = command_arch(context, &request.arch);
	if (err)
		return err;
	err = catalog_find_flavor(context->catalog,
				  flavors->count ? flavors->items[0] : "default",
				  &request.flavor);
	if (err)
		return err;
	err = config_additions_read(&additions->fragments, &additions->options,
				    &request.additions);
	if (err)
		return err;
	*ret = take(request);
	return NULL;
}

struct error *parse_version(const char *text, struct kernel_version *ret)
{
	if (!kernel_version_parse(text, ret))
		return error_create(ERROR_USAGE,
				    "'%s' is not a kernel version, such as 6.12.117",
				    text);
	return NULL;
}
