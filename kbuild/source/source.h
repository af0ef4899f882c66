// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef KBUILD_SOURCE_SOURCE_H
#define KBUILD_SOURCE_SOURCE_H

/**
 * @file
 *
 * A kernel's source, from wherever it is to a directory that is ready to build.
 *
 * What is downloaded or unpacked is kept, patched, in CACHE/sources and used
 * again without asking the network: `linux-VERSION` for kernel.org's,
 * `tarball-DIGEST` and `git-COMMIT` for others, each followed by a digest of
 * the patches if there are any. Each is an entry of the cache, with its facts in
 * `.vmtest-source.json`.
 */

#include "common/archive/digest.h"
#include "common/base/cleanup.h"
#include "common/base/string_list.h"
#include "common/kernel/version.h"

struct cache_entry;
struct catalog;
struct catalog_arch;
struct error;
struct http;
struct phase_clock;

enum source_kind {
	/**
	 * Used where it lies. It is its user's: nothing is written to
	 * it, and so no patches are applied.
	 */
	SOURCE_DIRECTORY,
	/** A local tarball with one directory at its root. */
	SOURCE_TARBALL,
	/** A version of kernel.org. */
	SOURCE_VERSION,
	/** A tag or branch of a git repository (see common/kernel/remote.h). */
	SOURCE_GIT,
};

/** All is borrowed. */
struct source_request {
	enum source_kind kind;
	/**
	 * Of a directory or tarball; of a version, a copy of kernel.org's
	 * tarball, or NULL to download it.
	 */
	const char *path;
	struct kernel_version version;
	/** Of a git repository. */
	const char *url;
	const char *ref;
	/** For kernel.org's addresses, and the patches beside it. */
	const struct catalog *catalog;
	/** Patches may depend on it. */
	const struct catalog_arch *arch;
	/** These two may be NULL for a directory. */
	struct http *http;
	const char *cache_directory;
	/** Is told of the phases; may be NULL. */
	struct phase_clock *clock;
};

struct source {
	/** Absolute; not to be written to, since other builds may share it. */
	char *path;
	/** What its Makefile says. */
	struct kernel_version version;
	/**
	 * Where it came from: a URL, `git+URL@COMMIT`, a tarball's name without
	 * its directory; NULL for a directory.
	 */
	char *url;
	/** SHA-256 of the tarball, checked; "" where none was published. */
	char digest[DIGEST_TEXT_SIZE];
	/** Names of the patches that were applied. */
	struct string_list patches;
	/** What keeps it in the cache; NULL for a directory. */
	struct cache_entry *entry;
};

void source_deinit(struct source *source);

#define _cleanup_source_ _cleanup_(source_deinit)

/**
 * Have a source ready. Blocks: on the network, and on a build that is making
 * the same one.
 *
 * A tarball of kernel.org is checked against the sha256sums.asc beside it,
 * except those of release candidates, which are made on the fly and have no
 * published digest. A copy of one is taken for what it says it is.
 *
 * @return ERROR_NOT_FOUND if kernel.org or the repository has no such version;
 * ERROR_USAGE if what is there is not a kernel's source; ERROR_CANCELLED.
 */
_must_check_ struct error *source_prepare(const struct source_request *request,
					  struct source *ret);

#endif /* KBUILD_SOURCE_SOURCE_H */
