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
 * the patches if there are any. Each is an entry of the cache, with its facts
 * in `.vmtest-source.json`.
 */

#include "common/archive/archive.h"
#include "common/base/cleanup.h"
#include "common/base/text.h"
#include "common/kernel/release.h"

struct bounds_target;
struct cache_entry;
struct catalog;
struct catalog_arch;
struct error;
struct http;
struct kernel_version;
struct phase_clock;
struct source;

/*
 * Patches to the kernel's source, configs/patches/NAME.patch: what
 * git-format-patch(1) writes, and above the first `diff --git` one line
 *
 *     # vmtest: >=5.10 <5.15 x86_64
 *
 * that says which kernels it is for, in the terms of config.h. GNU patch
 * applies them, in the order of their names.
 */

/**
 * Find the patches that are for a kernel, in order: none if the catalog has no
 * directory of them.
 *
 * @param[out] paths_ret Zeroed before.
 * @param[out] digest_ret Of names and contents; "" if there are none.
 * @return ERROR_USAGE if the line of any patch in the directory is missing or
 * malformed.
 */
_must_check_ struct error *patches_find(const struct bounds_target *target,
					struct string_list *paths_ret,
					char digest_ret[static DIGEST_TEXT_SIZE]);

/**
 * Apply patches to a source tree by patch(1).
 *
 * Hunks are found some way up or down, but their context must match. A patch
 * that the tree has already is skipped, and the log says so. Nothing outside
 * the tree is written.
 *
 * @param[out] applied_ret The names of those that were not skipped are added,
 * `0001-fix-it.patch`; also where a later one fails, after which the tree is of
 * no use.
 * @return ERROR_OTHER, naming the patch and what patch(1) said of it;
 * ERROR_NOT_FOUND if there is no such program.
 */
_must_check_ struct error *patches_apply(const struct string_list *paths,
					 const char *tree,
					 struct string_list *applied_ret);

/*
 * Facts of a source: the version in its Makefile and, for one in the cache, a
 * file with the version, its origin, and the patches that were applied.
 */

/**
 * From the Makefile at the root of a tree.
 *
 * @return ERROR_USAGE, which does not name the directory, if it is not a
 * kernel's source, or one whose EXTRAVERSION is neither empty nor that of a
 * release candidate: its name would not be that of a kernel of kernel.org.
 */
_must_check_ struct error *source_version_read(const char *directory,
					       struct kernel_version *ret);

/** Write all facts but the path into a source's directory. */
_must_check_ struct error *source_facts_write(const struct source *source,
					      const char *directory);

/**
 * Read what was noted; the path is NULL.
 *
 * @return ERROR_OTHER if it is not what source_facts_write() writes.
 */
_must_check_ struct error *source_facts_read(const char *directory,
					     struct source *ret);

/*
 * kernel.org's tarballs: where they are, and one as a file for many builds.
 */

/**
 * URL of a tarball; free().
 *
 * @param[in] is_published At kernel.org itself, and not at the mirror in use.
 */
char *kernel_org_url(const struct catalog *catalog,
		     const struct kernel_version *version, bool is_published);

/**
 * Download the tarball of a version to a path. Blocks on the network, unless
 * the file is there and has the digest in its sidecar (archive.h), which is
 * written beside each that has come whole. The file appears whole or not at
 * all, with the digest that kernel.org publishes; release candidates are made
 * on the fly, and it publishes none of them.
 *
 * @return ERROR_NOT_FOUND if kernel.org has no such version; ERROR_USAGE if
 * the path is that of something else than a file; ERROR_CANCELLED.
 */
_must_check_ struct error *kernel_org_fetch(const struct catalog *catalog,
					    struct http *http,
					    const struct kernel_version *version,
					    const char *path);

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
 * published digest. A local copy of one is not checked.
 *
 * @return ERROR_NOT_FOUND if kernel.org or the repository has no such version;
 * ERROR_USAGE if what is there is not a kernel's source; ERROR_CANCELLED.
 */
_must_check_ struct error *source_prepare(const struct source_request *request,
					  struct source *ret);

#endif /* KBUILD_SOURCE_SOURCE_H */
