// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef VM_MODULE_MODULE_RESULT_H
#define VM_MODULE_MODULE_RESULT_H

/**
 * @file
 *
 * What builds of one source for one kernel have made: a folder of results, each
 * of which is a folder named after its key. For module*.c only.
 */

#include "common/base/cleanup.h"

struct error;
struct module;

enum {
	/** Digits of a digest that are enough for the name of a folder. */
	MODULE_KEY_DIGITS = 16,
};

/** @param[out] ret Not touched if there is no such result. */
_must_check_ struct error *module_result_open(const char *folder, const char *key,
					      struct module *ret);

/**
 * Take the modules from where make has made them, under the key at once and
 * whole, and delete the results of other keys that nobody uses.
 *
 * The caller makes sure that no other process does this in the same folder.
 */
_must_check_ struct error *module_result_create(const char *folder,
						const char *key,
						const char *source,
						struct module *ret);

/** Delete what dead runs have left half done. */
_must_check_ struct error *module_result_remove_stale(const char *folder);

#endif /* VM_MODULE_MODULE_RESULT_H */
