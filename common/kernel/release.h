// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef COMMON_KERNEL_RELEASE_H
#define COMMON_KERNEL_RELEASE_H

/** @file Versions of kernels, and names of what is built of them. */

#include <stdbool.h>

#include "common/base/json.h"

struct string_list;

/*
 * Versions of the Linux kernel as kernel.org writes them: `6.12.117`,
 * `7.3-rc2`, `6.12`; in a release (below) a mainline version is written
 * `6.12.0`.
 */

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

/*
 * Names of kernels and of their packages.
 *
 * A release is `VERSION-vmtestREVISION.MINOR[.PATCH]FLAVOR`, which is what
 * `uname -r` says in the guest: `6.12.117-vmtest1.1default`. A package is
 * `kernel-RELEASE.ARCH.tar.zst`. Both are drgn's vmtest's names, so that either
 * project finds the other's kernels.
 */

enum {
	FLAVOR_SIZE = 32,
	ARCH_SIZE = 32,
	RELEASE_TEXT_SIZE = 128,
	PACKAGE_NAME_SIZE = 192,
};

struct release {
	struct kernel_version version;
	/** Counts changes of the configs that ask for rebuilding everything. */
	unsigned int revision;
	/** Orders the flavors of a version; data in the catalog. */
	unsigned int minor;
	/** Counts rebuilds by hand; 0 is not written. */
	unsigned int patch;
	char flavor[FLAVOR_SIZE];
};

/**
 * Whether it is letters and `_`, then also digits, as the names of flavors and
 * architectures are, and fits with its null byte.
 */
bool release_word_is_valid(const char *text, size_t size);

/** Parse a whole string. @return Whether it is a release. */
bool release_parse(const char *text, struct release *ret);

/** Reads a `struct release`. */
_must_check_ value_reader value_release;

/** Reads an architecture's name, fit for a path: char[ARCH_SIZE]. */
_must_check_ value_reader value_arch;

void release_format(const struct release *release,
		    char text_ret[static RELEASE_TEXT_SIZE]);

/**
 * The part of a release that the kernel's configuration adds to the version,
 * CONFIG_LOCALVERSION: `-vmtest1.1default`.
 */
void release_format_local(const struct release *release,
			  char text_ret[static RELEASE_TEXT_SIZE]);

/** Order by version, revision, minor, patch, then flavor's name. */
int release_compare(const struct release *a, const struct release *b);

/** Whether one supersedes the other: both have the same series and flavor. */
bool release_same_kind(const struct release *a, const struct release *b);

/**
 * Whether a pattern of the command line means this release: a glob over
 * releases (`6.12.*tiny`), a release, a version (`6.12.117`: any flavor), a
 * series (`6.12`: any version of it), or a flavor (`tiny`).
 */
bool release_matches(const char *release, const char *pattern);

/** What a command line asks for; empty lists mean everything. */
struct release_selection {
	/** Patterns. */
	const struct string_list *kernels;
	const struct string_list *archs;
	const struct string_list *flavors;
};

/** Whether a release for an architecture is asked for. */
bool release_is_selected(const struct release *release, const char *arch,
			 const struct release_selection *selection);

/** `kernel-RELEASE.ARCH.tar.zst` */
void package_name_format(const char *release, const char *arch,
			 char name_ret[static PACKAGE_NAME_SIZE]);

/**
 * Parse a package's name. Refuses what cannot be part of a path.
 *
 * @return Whether it is one.
 */
bool package_name_parse(const char *name, struct release *release_ret,
			char arch_ret[static ARCH_SIZE]);

#endif /* COMMON_KERNEL_RELEASE_H */
