// SPDX-License-Identifier: LGPL-2.1-or-later

#include "common/github/github_token.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/error.h"
#include "common/base/memory.h"

static const char *const variables[] = {
	"GITHUB_TOKEN",
	"GH_TOKEN",
};

static const char *find_variable(const char **name_ret)
{
	for (size_t i = 0; i < array_size(variables); i++) {
		const char *value = getenv(variables[i]);

		if (value && *value) {
			*name_ret = variables[i];
			return value;
		}
	}
	return NULL;
}

struct error *github_token_read(char **ret)
{
	const char *name, *value = find_variable(&name);
	size_t length;

	*ret = NULL;
	if (!value)
		return NULL;
	// Secrets are often pasted with a newline.
	length = strlen(value);
	while (length && strchr(" \t\r\n", value[length - 1]))
		length--;
	for (size_t i = 0; i < length; i++) {
		if (value[i] <= ' ' || value[i] > '~')
			return error_create(ERROR_USAGE,
					    "%s holds characters that no token has",
					    name);
	}
	*ret = string_copy_n(value, length);
	return NULL;
}

void github_token_destroy(char *token)
{
	if (!token)
		return;
	explicit_bzero(token, strlen(token));
	free(token);
}
