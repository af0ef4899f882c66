// SPDX-License-Identifier: LGPL-2.1-or-later

#include "kbuild/cmd/selection.h"

#include <stddef.h>

#include "common/base/error.h"
#include "common/cli/command.h"
#include "common/kernel/catalog.h"

struct error *selection_make(const struct catalog *catalog,
			     const struct common_options *options,
			     struct selection *ret)
{
	struct error *err;

	if (options->archs.count > 1)
		return error_create(ERROR_USAGE,
				    "one kernel is for one architecture; name only one");
	if (options->flavors.count > 1)
		return error_create(ERROR_USAGE,
				    "one kernel has one flavor; name only one");
	struct selection selection;
	err = options->archs.count
		      ? catalog_find_arch(catalog, options->archs.items[0],
					  &selection.arch)
		      : catalog_host_arch(catalog, &selection.arch);
	if (err)
		return err;
	err = catalog_find_flavor(catalog,
				  options->flavors.count
					  ? options->flavors.items[0]
					  : "default",
				  &selection.flavor);
	if (err)
		return err;
	*ret = selection;
	return NULL;
}
