// SPDX-License-Identifier: LGPL-2.1-or-later

#include "common/kernel/kernel_config.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/memory.h"
#include "common/base/text.h"

const char *kernel_config_value(const char *config, const char *option,
				size_t *size_ret)
{
	size_t length = strlen(option);

	for (const char *p = strstr(config, option); p;
	     p = strstr(p + 1, option)) {
		if ((p == config || p[-1] == '\n') && p[length] == '=') {
			*size_ret = strcspn(p + length + 1, "\n");
			return p + length + 1;
		}
	}
	return NULL;
}

char *kernel_config_string(const char *config, const char *option)
{
	size_t size;
	const char *value = kernel_config_value(config, option, &size);

	if (value && size >= 2 && *value == '"')
		return string_copy_n(value + 1, size - 2);
	return value ? string_copy_n(value, size) : NULL;
}

bool kernel_config_has(const char *config, const char *option)
{
	size_t size;
	const char *value = kernel_config_value(config, option, &size);

	return value && size == 1 && *value == 'y';
}

static bool config_meets(const char *config, const char *item)
{
	const char *off = strstr(item, "=n");
	_cleanup_free_ char *option =
		string_copy_n(item, off ? (size_t)(off - item) : strlen(item));

	return kernel_config_has(config, option) == !off;
}

const char *kernel_config_lacks(const char *config,
				const struct string_list *options)
{
	for (size_t i = 0; i < options->count; i++) {
		if (!config_meets(config, options->items[i]))
			return options->items[i];
	}
	return NULL;
}

unsigned int kernel_config_number(const char *config, const char *option)
{
	size_t size;
	const char *value = kernel_config_value(config, option, &size);

	if (!value || !isdigit((unsigned char)*value))
		return 0;
	return (unsigned int)strtoul(value, NULL, 0);
}
