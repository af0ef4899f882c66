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
struct stream;
struct string_builder;

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

/** Of what kernel.org does not have: say so. NULL, and others, stay. */
_must_check_ struct error *kernel_org_missing(struct error *err);

/** What takes a tarball that arrives. A second one replaces the first. */
typedef struct error *kernel_org_taker(void *arg, struct stream *stream);

/**
 * Download the tarball of a version. Where git.kernel.org fails, which makes
 * those of release candidates on the fly, its mirror is asked, and the taker is
 * called once more. Blocks on the network. What comes is not proven.
 *
 * @return ERROR_NOT_FOUND if kernel.org does not have it, yet; what the taker
 * returns.
 */
_must_check_ struct error *
kernel_org_download(const struct catalog *catalog, struct http *http,
		    const struct kernel_version *version,
		    kernel_org_taker *taker, void *arg);

/**
 * Download the tarball of a version to a path, and what proves it to PATH.sign.
 * Blocks on the network, unless both are there and the file has the digest in
 * its sidecar (archive.h). The file is proven, or deleted.
 *
 * @return ERROR_NOT_FOUND if kernel.org does not have it, or its signature,
 * yet; ERROR_USAGE if the path is that of something else than a file;
 * ERROR_CANCELLED.
 */
_must_check_ struct error *kernel_org_fetch(const struct catalog *catalog,
					    struct http *http,
					    const struct kernel_version *version,
					    const char *path);

/*
 * What proves that a tarball is kernel.org's: the signature of one that it
 * publishes; of a release candidate, whose tarball it makes on the fly, the
 * signed tag and its commit (remote.h). Beside a tarball, it is in FILE.sign.
 */

/**
 * Ask kernel.org; for a tag, then its mirror. Blocks on the network.
 *
 * @return ERROR_NOT_FOUND if there is none, yet.
 */
_must_check_ struct error *proof_request(const struct catalog *catalog,
					 struct http *http,
					 const struct kernel_version *version,
					 struct string_builder *ret);

/** @return ERROR_NOT_FOUND if the tarball has none beside it. */
_must_check_ struct error *proof_read(const char *path,
				      struct string_builder *ret);

_must_check_ struct error *proof_write(const struct string_builder *proof,
				       const char *path);

/**
 * Unpack a tarball while gpgv(1) checks the proof, against the catalog's
 * keyring. Its digest is known to the stream then. What is on disk is not to be
 * used before this has succeeded.
 *
 * @param[in] directory Exists and is empty.
 * @param[out] signature_ret Who signed: `NAME, FINGERPRINT`; free().
 * @return ERROR_OTHER if it is not signed by one of the catalog's signers, or
 * was changed.
 */
_must_check_ struct error *
proof_unpack(const struct string_builder *proof, const struct catalog *catalog,
	     const struct kernel_version *version, struct stream *stream,
	     const char *directory, char **signature_ret);

/*
 * A copy of a git repository's files that is kept in step: only what has
 * changed is written, so that make builds only that. The repository, its index
 * and what is checked out of it are only read.
 */

/** Whether a directory is the top of a git repository's files. */
bool checkout_is_possible(const char *repository);

/**
 * Have a commit's files in a directory. Blocks for seconds. What else is in the
 * directory stays.
 *
 * @param[in] ref What git takes for a commit; NULL for the files as they are
 * now, changed and new ones too, but for what .gitignore names.
 * @param[in] directory Exists; nobody else writes to it.
 * @return ERROR_USAGE if there is no such commit; ERROR_NOT_FOUND without a
 * git(1).
 */
_must_check_ struct error *
checkout_update(const char *repository, const char *ref, const char *directory);

/**
 * What has been built or configured in a source, for which make refuses to
 * build it in another directory; free(). NULL if nothing has.
 */
char *source_find_built(const char *directory, const struct catalog_arch *arch);

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

/** In place of who signed: of what is no version of kernel.org. */
#define SOURCE_UNSIGNED "unsigned"

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
	/** SHA-256 of the tarball; "" where it is made on the fly. */
	char digest[DIGEST_TEXT_SIZE];
	/** As of proof_unpack(), or SOURCE_UNSIGNED. */
	char *signature;
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
 * A version of kernel.org is proven, also where there is a copy of its tarball. Of
 * other sources, nobody says whose they are.
 *
 * @return ERROR_NOT_FOUND if kernel.org or the repository has no such version, or
 * kernel.org does not have its signature yet;
 * ERROR_USAGE if what is there is not a kernel's source; ERROR_CANCELLED.
 */
_must_check_ struct error *source_prepare(const struct source_request *request,
					  struct source *ret);

#endif /* KBUILD_SOURCE_SOURCE_H */
