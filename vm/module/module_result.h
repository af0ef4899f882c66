// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef VM_MODULE_MODULE_RESULT_H
#define VM_MODULE_MODULE_RESULT_H

/** @file What a build of a module has made: an entry. For module*.c only. */

#include "common/base/cleanup.h"

struct error;

/** @param[out] module_ret The first module; NULL if it is not there. */
_must_check_ struct error *module_result_find(const char *result,
					      char **module_ret);

/** Copy the modules from where make has made them. */
_must_check_ struct error *module_result_collect(const char *source,
						 const char *result);

#endif /* VM_MODULE_MODULE_RESULT_H */
