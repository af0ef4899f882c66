// SPDX-License-Identifier: LGPL-2.1-or-later

#include "common/github/github_token.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/error.h"
#include "common/base/memory.h"

struct error *github_token_read(char **ret)
{
	const char *name = "GITHUB_TOKEN", *value = getenv(name);

	*ret = NULL;
	if (!value || !*value) {
		name = "GH_TOKEN";
		value = getenv(name);
	}
	if (!value || !*value)
		return NULL;

	// Secrets are often pasted with a newline.
	size_t length = strlen(value);

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
