// SPDX-License-Identifier: LGPL-2.1-or-later

#include "kbuild/config/bounds.h"

#include <string.h>

#include "common/base/error.h"
#include "common/base/memory.h"
#include "common/base/string_list.h"
#include "common/kernel/version.h"

static const char blanks[] = " \t";

/** Order, a release candidate counting as the version that it leads to. */
static int compare_without_rc(const struct kernel_version *version,
			      const struct kernel_version *bound)
{
	struct kernel_version final = *version;

	final.rc = 0;
	return kernel_version_compare(&final, bound);
}

static struct error *comparison_holds(const char *term,
				      const struct kernel_version *version,
				      bool *ret)
{
	bool is_min = strncmp(term, ">=", 2) == 0;
	struct kernel_version bound;

	if (!kernel_version_parse(term + (is_min ? 2 : 1), &bound))
		return error_create(ERROR_USAGE, "bound '%s' has no version",
				    term);
	if (!version) {
		*ret = true;
		return NULL;
	}
	int order = compare_without_rc(version, &bound);
	*ret = is_min ? order >= 0 : order < 0;
	return NULL;
}

struct error *bounds_hold(const char *bounds,
			  const struct bounds_target *target, bool *ret)
{
	struct error *err;
	bool holds = true, names_arch = false, is_named = false;

	for (;;) {
		bounds += strspn(bounds, blanks);
		size_t length = strcspn(bounds, blanks);
		if (!length)
			break;
		_cleanup_free_ char *term = string_copy_n(bounds, length);
		bounds += length;

		if (strncmp(term, ">=", 2) == 0 || term[0] == '<') {
			bool in_range = false;

			err = comparison_holds(term, target->version, &in_range);
			if (err)
				return err;
			holds &= in_range;
			continue;
		}
		bool is_excluded = term[0] == '!';
		const char *arch = term + is_excluded;
		if (!string_list_contains(target->known_archs, arch))
			return error_create(ERROR_USAGE,
					    "bound '%s' is neither a comparison with a version nor an architecture",
					    term);
		bool is_ours = strcmp(arch, target->arch) == 0;
		if (is_excluded) {
			holds &= !is_ours;
		} else {
			names_arch = true;
			is_named |= is_ours;
		}
	}
	*ret = holds && (!names_arch || is_named);
	return NULL;
}
