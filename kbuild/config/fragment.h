// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef KBUILD_CONFIG_FRAGMENT_H
#define KBUILD_CONFIG_FRAGMENT_H

/**
 * @file
 *
 * Kernel config fragments.
 *
 * A fragment asks for options, one a line:
 *
 *     CONFIG_NAME=value [essential bounds] # reason
 *
 * The value is `y`, `m`, `n` (the option shall be off), a number, or a string
 * in double quotes. The brackets, with `essential` (no guest boots without the
 * option), bounds (bounds.h) or both, and the reason are optional. Lines that
 * start with `#` and empty lines are comments.
 *
 * Fragments are composed: where two ask for the same option, the later one
 * wins. kconfig silently drops options whose dependencies are not met, so what
 * was asked for is compared with the final .config afterwards.
 */

#include <stdbool.h>
#include <stddef.h>

#include "common/base/cleanup.h"

struct bounds_target;
struct error;
struct string_list;

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
 * @param[in] name What messages call the fragment.
 * @return An error naming the fragment's line if it is malformed, or asks twice
 * for one option.
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

/**
 * Compare a final .config with what was asked for.
 *
 * @param[in] config Its text.
 * @param[out] lost_ret Where options that are not essential may be lost: gets
 * each of them as it was asked for, `CONFIG_NAME=value`. NULL where none may be.
 * @return An error that names every option that is lost or has another value,
 * and may not, with its origin and its reason.
 */
_must_check_ struct error *option_set_check(const struct option_set *set,
					    const char *config,
					    struct string_list *lost_ret);

#endif /* KBUILD_CONFIG_FRAGMENT_H */
