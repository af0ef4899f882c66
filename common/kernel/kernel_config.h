// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef COMMON_KERNEL_KERNEL_CONFIG_H
#define COMMON_KERNEL_KERNEL_CONFIG_H

/** @file The text of a kernel's .config. */

#include <stdbool.h>
#include <stddef.h>

struct string_list;

/**
 * What an option (`CONFIG_HZ`) is set to, as it is written; borrowed.
 *
 * @param[out] size_ret Its length; what follows is more of the text.
 * @return NULL if it is not set.
 */
const char *kernel_config_value(const char *config, const char *option,
				size_t *size_ret);

/** The same without the quotes of a string; free(). */
char *kernel_config_string(const char *config, const char *option);

/** Whether an option is built in. */
bool kernel_config_has(const char *config, const char *option);

/** The first that is not built in or, of `CONFIG_X=n`, is; NULL for none. */
const char *kernel_config_lacks(const char *config,
				const struct string_list *options);

/** The value of a numeric option; 0 if it has none. */
unsigned int kernel_config_number(const char *config, const char *option);

#endif /* COMMON_KERNEL_KERNEL_CONFIG_H */
