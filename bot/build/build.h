// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef BOT_BUILD_BUILD_H
#define BOT_BUILD_BUILD_H

/**
 * @file
 *
 * Building one kernel, from its source to a package that has booted, and the
 * result.
 */

#include <stddef.h>
#include <stdint.h>

#include "common/archive/archive.h"
#include "common/base/cleanup.h"
#include "common/base/text.h"
#include "common/kernel/release.h"
#include "kbuild/phase.h"

struct asset;
struct cache_entry;
struct catalog;
struct catalog_arch;
struct error;
struct http;
struct package_notes;
struct plan_item;
struct store;

enum build_outcome {
	BUILD_BUILT,
	BUILD_FAILED,
	/**
	 * kernel.org does not have the source, or its signature, yet: nothing
	 * has failed, and the next run tries again.
	 */
	BUILD_UNAVAILABLE,
};

/**
 * How a build ended, as `build --result FILE` writes it for another job:
 *
 *     {
 *       "release": "6.12.117-vmtest1.0tiny",
 *       "version": "6.12.117",
 *       "series": "6.12",
 *       "arch": "x86_64",
 *       "flavor": "tiny",
 *       "outcome": "built",               or failed, unavailable
 *       "phase": null,                    that failed: source, patch, config,
 *                                         build, package, boot
 *       "error": null,                    one line, unless it was built; its
 *                                         beginning, if that is long
 *       "log": null,                      of the log, what tells why it failed
 *       "seconds": {"source": 3.1, …},    each phase
 *       "compiler": "12.2.0",             null if it did not come to that
 *       "size": 83886080,                 of the package, null if it failed
 *       "sha256": "…",                    likewise
 *       "lost_options": ["CONFIG_X=y"]    what kconfig did not keep
 *     }
 */
struct build_result {
	struct release release;
	char arch[ARCH_SIZE];
	enum build_outcome outcome;
	/** Time of each phase; the current phase is the one that failed. */
	struct phase_clock clock;
	/** The compiler's version; NULL if it did not come to that. */
	char *compiler;
	/**
	 * One line, and the relevant part of the log; NULL if it did not fail.
	 */
	char *error;
	char *log;
	uint64_t size_bytes;
	char digest[DIGEST_TEXT_SIZE];
	/** What it was built without: `CONFIG_NAME=value`. */
	struct string_list lost_options;
};

void build_result_deinit(struct build_result *result);

#define _cleanup_build_result_ _cleanup_(build_result_deinit)

/**
 * Note how it ended, unless it was cancelled: that says nothing about the
 * kernel. The caller sets the log, the size and the digest.
 *
 * @param[in] failure NULL if it was built.
 */
void build_result_end(struct build_result *result, const struct error *failure);

/** As JSON; free(). */
char *build_result_format(const struct build_result *result);

/**
 * Read what build_result_format() has written; an error begins with @p name.
 */
_must_check_ struct error *build_result_parse(const char *text, const char *name,
					      struct build_result *ret);

/** The result of a file. */
_must_check_ struct error *build_result_load(const char *path,
					     struct build_result *ret);

/**
 * Check that a file is the package that a result tells of: its name, its size
 * and digest, and its vmtest.json.
 *
 * @return An error that names what differs.
 */
_must_check_ struct error *build_result_check(const struct build_result *result,
					      const char *path);

struct build_results {
	struct build_result *items;
	size_t count;
};

void build_results_deinit(struct build_results *results);

#define _cleanup_build_results_ _cleanup_(build_results_deinit)

/**
 * Read every `*.json` below a directory, at any depth. A file that cannot be
 * read is logged and skipped. A directory that does not exist is logged and
 * treated as empty: no job has left a result.
 */
_must_check_ struct error *build_results_load(const char *directory,
					      struct build_results *ret);

/**
 * The result of a release for an architecture; NULL if there is none. If there
 * are several, since a job was run again, a successful one is preferred.
 */
const struct build_result *build_results_find(const struct build_results *results,
					      const struct release *release,
					      const char *arch);

/**
 * What a kernel of a series that nobody has verified yet was built without, in
 * words for a table: `without CONFIG_A=y`, "" if no option was lost; free().
 */
char *lost_options_format(const struct string_list *lost);

/**
 * The label of an asset: its name, then who signed its source and what it
 * lacks; NULL if there is nothing to say; free().
 */
char *asset_label_format(const char *asset_name,
			 const struct package_notes *notes);

/**
 * What an asset's label says that it lacks; "" if it says nothing. Borrowed.
 */
const char *asset_label_lost(const struct asset *asset);

/** Who signed its source, as its label says; NULL if it does not; free(). */
char *asset_label_signer(const struct asset *asset);

enum {
	/** Digits of a digest. */
	RECIPE_SIZE = 17,
};

/**
 * A digest of all that decides whether a kernel builds, and that can be known
 * without its source: the options that are asked for, the patches, the
 * compilers that will do, and the tool.
 *
 * @param[in] tool What tells one build of this program from another.
 * @return ERROR_USAGE if the catalog has no such kernel.
 */
_must_check_ struct error *recipe_digest(const struct catalog *catalog,
					 const char *arch_name,
					 const struct release *release,
					 const char *tool,
					 char digest_ret[static RECIPE_SIZE]);

/**
 * What a kernel is made with now that an earlier package of its kind was not:
 * the compiler, patches, and options that are asked for, each in a few words.
 * Of the package, the beginning is read; blocks on the network.
 *
 * @param[in] compiler Version of what the kernel was to be built with; NULL if
 * it is not known.
 * @param[in,out] ret They are added.
 */
_must_check_ struct error *
recipe_changes(const struct catalog *catalog, const struct plan_item *item,
	       const char *compiler, struct store *store,
	       const struct asset *last, struct string_list *ret);

/**
 * Of a build's log, what says why it failed, or why that cannot be told: as of
 * kernel_make_excerpt(); free().
 */
char *build_log_excerpt(const char *path);

/** All is borrowed. */
struct build_request {
	const struct catalog *catalog;
	struct http *http;
	/** Where sources, packages under way, and guests' roots lie. */
	const char *directory;
	/** A copy of kernel.org's tarball; NULL to download it. */
	const char *tarball;
	/**
	 * What make prints, and then the guest's console; NULL for a file in
	 * the build directory, without the console.
	 */
	const char *log_path;
	/** To boot with; NULL for the architecture's. */
	const char *qemu;
	/** Compilers at once; 0 for one a processor. */
	unsigned int jobs;
};

/** A build, while it runs and afterwards. */
struct kernel_build {
	/** What keeps the package in the cache. */
	struct cache_entry *entry;
	/** Path of the package in the entry; NULL after a failure. */
	char *package;
	/** The caller notes its end, with build_result_end(). */
	struct build_result result;
};

void kernel_build_deinit(struct kernel_build *build);

#define _cleanup_kernel_build_ _cleanup_(kernel_build_deinit)

/**
 * Prepare the source, build, and boot the package. Blocks for minutes.
 *
 * A package that was built, but not taken away, by a run that died is found by
 * what it was made from, and not built again.
 *
 * @param[in,out] build Zeroed; the clock of its result is left in the phase
 * that failed.
 * @return ERROR_CANCELLED on a signal.
 */
_must_check_ struct error *kernel_build_run(const struct build_request *request,
					    const struct plan_item *item,
					    struct kernel_build *build);

/**
 * Delete a package that was published or copied, unless another run uses it.
 */
_must_check_ struct error *kernel_build_discard(struct kernel_build *build);

/**
 * See, before the work that makes a package, whether its kernel can be booted
 * here: that QEMU is there, and the root of another machine's guests, a static
 * busybox, which is made if need be. Blocks on the network then.
 *
 * @return ERROR_NOT_FOUND, with what to do, if there is no QEMU.
 */
_must_check_ struct error *boot_check(const struct build_request *request,
				      const struct catalog_arch *arch);

/**
 * The test that a package must pass before it is published: unpack it as a
 * consumer would, boot it, insert one of its modules, and ask it for its
 * release.
 *
 * @param[in] request Its directory is worked in; nothing is left there.
 */
_must_check_ struct error *boot_test(const struct build_request *request,
				     const struct plan_item *item,
				     const char *package_path);

#endif /* BOT_BUILD_BUILD_H */
