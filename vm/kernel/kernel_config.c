// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/kernel/kernel_config.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/string_list.h"

/** What stands behind `OPTION=` at the beginning of a line, NULL if nothing. */
static const char *config_value(const char *config, const char *option)
{
	size_t length = strlen(option);

	for (const char *p = strstr(config, option); p;
	     p = strstr(p + 1, option)) {
		if ((p == config || p[-1] == '\n') && p[length] == '=')
			return p + length + 1;
	}
	return NULL;
}

bool kernel_config_has(const char *config, const char *option)
{
	const char *value = config_value(config, option);

	return value && value[0] == 'y' && (value[1] == '\n' || !value[1]);
}

const char *kernel_config_lacks(const char *config,
				const struct string_list *options)
{
	for (size_t i = 0; i < options->count; i++) {
		if (!kernel_config_has(config, options->items[i]))
			return options->items[i];
	}
	return NULL;
}

unsigned int kernel_config_number(const char *config, const char *option)
{
	const char *value = config_value(config, option);

	if (!value || !isdigit((unsigned char)*value))
		return 0;
	return (unsigned int)strtoul(value, NULL, 0);
}
