// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef VM_SUITE_LOG_FOLDER_H
#define VM_SUITE_LOG_FOLDER_H

/** @file Folders of logs, one a run, of which the newest are kept. */

#include "common/base/cleanup.h"

struct error;

/**
 * Make a folder named by the time, and delete the oldest beyond @p keep.
 *
 * @param[out] path_ret free()
 */
_must_check_ struct error *log_folder_create(const char *parent,
					     unsigned int keep, char **path_ret);

#endif /* VM_SUITE_LOG_FOLDER_H */
