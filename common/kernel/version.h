// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef COMMON_KERNEL_VERSION_H
#define COMMON_KERNEL_VERSION_H

/**
 * @file
 *
 * Versions of the Linux kernel as kernel.org writes them: `6.12.117`, `7.3-rc2`,
 * `6.12`; in a release (release.h) a mainline version is written `6.12.0`.
 */

#include <stdbool.h>

#include "common/base/json.h"

struct kernel_version {
	unsigned int major;
	unsigned int minor;
	/** 0 for mainline. */
	unsigned int patch;
	/** 1 and up for a release candidate, which has patch 0; else 0. */
	unsigned int rc;
};

enum {
	KERNEL_VERSION_TEXT_SIZE = 48
};

/** Parse the decimal number, of 8 digits at most, that a string begins with. */
bool number_parse(const char **text, unsigned int *ret);

static inline int number_compare(unsigned int a, unsigned int b)
{
	return (a > b) - (a < b);
}

/**
 * Parse a whole string. A tag's leading `v` is not part of a version; `X.Y.0`
 * is read as `X.Y`.
 *
 * @return Whether it is a version.
 */
bool kernel_version_parse(const char *text, struct kernel_version *ret);

/**
 * Parse the version that a string begins with.
 *
 * @param[out] end_ret The first character after it.
 */
bool kernel_version_parse_prefix(const char *text, struct kernel_version *ret,
				 const char **end_ret);

/** Reads a `struct kernel_version`. */
_must_check_ value_reader value_version;

/** Write as kernel.org names it: `6.12`, `6.12.117`, `7.3-rc2`. */
void kernel_version_format(const struct kernel_version *version,
			   char text_ret[static KERNEL_VERSION_TEXT_SIZE]);

/** Write as `make kernelversion` does: `6.12.0`, `6.12.117`, `7.3.0-rc2`. */
void kernel_version_format_full(const struct kernel_version *version,
				char text_ret[static KERNEL_VERSION_TEXT_SIZE]);

/** Write the series: `6.12`. */
void kernel_version_format_series(const struct kernel_version *version,
				  char text_ret[static KERNEL_VERSION_TEXT_SIZE]);

/** Order: `-rc` before the mainline version, that before its point releases. */
int kernel_version_compare(const struct kernel_version *a,
			   const struct kernel_version *b);

/** Order by series alone. */
int kernel_version_compare_series(const struct kernel_version *a,
				  const struct kernel_version *b);

bool kernel_version_is_rc(const struct kernel_version *version);

#endif /* COMMON_KERNEL_VERSION_H */
