// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef VM_KERNEL_KERNEL_CONFIG_H
#define VM_KERNEL_KERNEL_CONFIG_H

/** @file The text of a kernel's .config. */

#include <stdbool.h>

struct string_list;

/** Whether an option (`CONFIG_PVH`) is built in. */
bool kernel_config_has(const char *config, const char *option);

/** The first of them that is not built in; NULL if all are. */
const char *kernel_config_lacks(const char *config,
				const struct string_list *options);

/** The value of a numeric option; 0 if it has none. */
unsigned int kernel_config_number(const char *config, const char *option);

#endif /* VM_KERNEL_KERNEL_CONFIG_H */
