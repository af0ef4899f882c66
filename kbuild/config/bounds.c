// SPDX-License-Identifier: LGPL-2.1-or-later

#include "kbuild/config/config.h"

#include <string.h>

#include "common/base/error.h"
#include "common/base/memory.h"
#include "common/kernel/catalog.h"

static struct error *comparison_holds(const char *term,
				      const struct kernel_version *version,
				      bool *ret)
{
	bool is_min = term[0] == '>';
	struct kernel_version bound;

	if (!kernel_version_parse(term + (is_min ? 2 : 1), &bound))
		return error_create(ERROR_USAGE, "bound '%s' has no version",
				    term);
	*ret = true;
	if (!version)
		return NULL;
	struct kernel_version final = *version;
	final.rc = 0;
	*ret = (kernel_version_compare(&final, &bound) >= 0) == is_min;
	return NULL;
}

struct error *bounds_hold(const char *bounds,
			  const struct bounds_target *target, bool *ret)
{
	struct error *err;

	bool holds = true, names_arch = false, is_named = false;
	_cleanup_free_ char *copy = string_copy(bounds);
	char *rest = copy, *term;
	while ((term = strsep(&rest, " \t"))) {
		if (!*term)
			continue;
		if (strncmp(term, ">=", 2) == 0 || term[0] == '<') {
			bool in_range;

			err = comparison_holds(term, target->version, &in_range);
			if (err)
				return err;
			holds &= in_range;
			continue;
		}
		bool is_excluded = term[0] == '!';
		const struct catalog_arch *arch;
		_cleanup_error_ struct error *unknown =
			catalog_find_arch(target->catalog, term + is_excluded,
					  &arch);
		if (unknown)
			return error_create(ERROR_USAGE,
					    "bound '%s' is neither a comparison with a version nor an architecture",
					    term);
		if (is_excluded) {
			holds &= arch != target->arch;
		} else {
			names_arch = true;
			is_named |= arch == target->arch;
		}
	}
	*ret = holds && (!names_arch || is_named);
	return NULL;
}
