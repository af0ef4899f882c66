// SPDX-License-Identifier: LGPL-2.1-or-later

#include "common/github_token.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "common/error.h"

const char *const github_token_variables[] = {
	"GITHUB_TOKEN",
	"GH_TOKEN",
	NULL,
};

/** Our memory is not to end up in a file, whatever we die of. */
static struct error *forbid_cores(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_CORE, &limit) < 0)
		return error_create_os(errno, "getrlimit");
	limit.rlim_cur = 0;
	if (setrlimit(RLIMIT_CORE, &limit) < 0)
		return error_create_os(errno, "setrlimit");
	return NULL;
}

static const char *find_variable(const char **name_ret)
{
	for (const char *const *p = github_token_variables; *p; p++) {
		const char *value = getenv(*p);

		if (value && *value) {
			*name_ret = *p;
			return value;
		}
	}
	return NULL;
}

struct error *github_token_read(char **ret)
{
	struct error *err;
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
	err = forbid_cores();
	if (err)
		return err;
	*ret = strndup(value, length);
	return *ret ? NULL : error_no_memory();
}

void github_token_destroy(char *token)
{
	if (!token)
		return;
	explicit_bzero(token, strlen(token));
	free(token);
}
