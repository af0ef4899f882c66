// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef KBUILD_CONFIG_CONFIG_H
#define KBUILD_CONFIG_CONFIG_H

/**
 * @file
 *
 * The configuration of a kernel: fragments that ask for options, which of them
 * make a kernel, and what kconfig makes of them.
 *
 * A fragment has one option a line:
 *
 *     CONFIG_NAME=value [essential bounds] # reason
 *
 * The value is `y`, `m`, `n` (the option shall be off), a number, or a string
 * in double quotes. The brackets, with `essential` (no guest boots without the
 * option), bounds (below) or both, and the reason are optional. `#
 * CONFIG_NAME is not set`, as .config has it, means `n`; other lines that start
 * with `#`, and empty ones, are comments.
 *
 * Where two fragments ask for the same option, the later one wins. kconfig
 * silently drops options whose dependencies are not met, so what was asked for
 * is compared with the final .config afterwards.
 */

#include <stdbool.h>
#include <stddef.h>

#include "common/base/cleanup.h"
#include "common/base/text.h"
#include "common/kernel/release.h"

struct catalog;
struct catalog_arch;
struct catalog_flavor;
struct compiler;
struct error;
struct kernel_version;
struct make;

/*
 * Which kernels something in configs/ is for: terms separated by blanks, all of
 * which must hold. `>=6.1` and `<6.8` compare with the kernel's version, of
 * which a release candidate counts as the version that it leads to; `!s390x`
 * excludes an architecture; of architectures without `!`, any may hold. No
 * terms: all.
 */

struct bounds_target {
	/** Knows the architectures, so that a misspelt one is an error. */
	const struct catalog *catalog;
	const struct catalog_arch *arch;
	/** NULL for any version. */
	const struct kernel_version *version;
};

/** @return ERROR_USAGE, quoting the term that is wrong. */
_must_check_ struct error *
bounds_hold(const char *bounds, const struct bounds_target *target, bool *ret);

/** An option that is asked for, and where. */
struct config_option {
	/** With the `CONFIG_` prefix. */
	char *name;
	char *value;
	/** Empty if the fragment gives none. */
	char *reason;
	/** `FRAGMENT:LINE`. */
	char *origin;
	/** No guest boots without it. */
	bool is_essential;
};

/** Composed fragments: each option once, in the order of first mention. */
struct option_set {
	struct config_option *items;
	size_t count;
};

void option_set_deinit(struct option_set *set);

#define _cleanup_option_set_ _cleanup_(option_set_deinit)

/**
 * Parse a fragment, and let its options that hold for the target override what
 * the set has.
 *
 * @param[in] name What messages call the fragment; no other has it.
 * @return An error naming the fragment's line if it is malformed, or asks twice
 * for one option; the set is of no use then.
 */
_must_check_ struct error *option_set_apply(struct option_set *set,
					    const char *name, const char *text,
					    const struct bounds_target *target);

/**
 * Write the set in the syntax of .config, as KCONFIG_ALLCONFIG wants it.
 *
 * @return Free with free().
 */
char *option_set_format(const struct option_set *set);

enum {
	/** Of a kernel's .config. */
	CONFIG_LIMIT_BYTES = 16 << 20,

	/** `_` and eight digits of a digest. */
	ADDITIONS_SUFFIX_SIZE = 10,
};

/** Options beyond those of the catalog's fragments; { 0 } for none. */
struct config_additions {
	/** What messages call each fragment, and its text; later ones win. */
	struct string_list names;
	struct string_list texts;
	/** Suffix of their kernels' flavor: `_1a2b3c4d`; empty for none. */
	char suffix[ADDITIONS_SUFFIX_SIZE];
};

void config_additions_deinit(struct config_additions *additions);

#define _cleanup_config_additions_ _cleanup_(config_additions_deinit)

/**
 * @param[in] fragments Paths.
 * @param[in] options Lines of a last fragment.
 */
_must_check_ struct error *
config_additions_read(const struct string_list *fragments,
		      const struct string_list *options,
		      struct config_additions *ret);

/** Which configuration to make. */
struct config_request {
	/** Borrowed. */
	const struct catalog *catalog;
	const struct catalog_arch *arch;
	const struct catalog_flavor *flavor;
	/** Owned. */
	struct config_additions additions;
	/**
	 * Its version chooses, too, and its local part becomes the kernel's
	 * CONFIG_LOCALVERSION.
	 */
	struct release release;
};

void config_request_deinit(struct config_request *request);

#define _cleanup_config_request_ _cleanup_(config_request_deinit)

/**
 * Set the release that building a version makes. The additions' suffix ends
 * its flavor, so that the kernel is not taken for one of the catalog's.
 *
 * @param[in] rebuild Its PATCH.
 * @return ERROR_USAGE if the catalog has no such kernel, or the flavor's name
 * is too long for the suffix.
 */
_must_check_ struct error *
config_request_release(struct config_request *request,
		       const struct kernel_version *version,
		       unsigned int rebuild);

/**
 * Compose the fragments beside the catalog: `base.config`, `FLAVOR.config`,
 * `ARCH.config` and, if there is one, `ARCH-FLAVOR.config`; then what is added.
 * Later ones win.
 *
 * @param[in,out] set Must be empty.
 */
_must_check_ struct error *config_compose(const struct config_request *request,
					  struct option_set *set);

/**
 * Compare a final .config with what was asked for.
 *
 * @param[in] config Its text.
 * @param[out] lost_ret Where options that are not essential may be lost: gets
 * each of them as it was asked for, `CONFIG_NAME=value`. NULL where none may
 * be.
 * @return An error that names every other option that is lost or has another
 * value, with its origin and its reason.
 */
_must_check_ struct error *config_check(const struct option_set *set,
					const char *config,
					struct string_list *lost_ret);

/**
 * Make the .config of a build directory from the fragments alone, with
 * progress.
 *
 * An option that kconfig drops is an error in a series up to the catalog's
 * `verified`, and a warning in a later one, so that a new series does not stop
 * every build.
 *
 * @param[out] lost_ret Gets the options of such warnings, `CONFIG_NAME=value`.
 * @param[out] config_ret The .config; free(). May be NULL.
 * @return An error that names each dropped option that is required.
 */
_must_check_ struct error *configure_build(const struct config_request *request,
					   struct make *make,
					   struct string_list *lost_ret,
					   char **config_ret);

/**
 * Whether kconfig has nothing to do in a build directory: a build has read its
 * .config, and no Kconfig file has been written since.
 */
bool config_is_current(const struct make *make);

/**
 * Configure a source in a temporary directory. Blocks for some seconds.
 *
 * @param[in] compiler Asked by kconfig what it can do.
 * @param[in] source The kernel's tree, absolute; it is not written to.
 * @param[in] parent Where the directory is made, absolute.
 * @param[out] ret The .config; free().
 * @return As configure_build(); ERROR_CANCELLED.
 */
_must_check_ struct error *configure_source(const struct config_request *request,
					    const struct compiler *compiler,
					    const char *source,
					    const char *parent, char **ret);

#endif /* KBUILD_CONFIG_CONFIG_H */
