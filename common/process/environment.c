// SPDX-License-Identifier: LGPL-2.1-or-later

#include "common/process/environment.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "common/base/error.h"
#include "common/base/memory.h"

static const char *const tokens[] = {
	"GITHUB_TOKEN",
	"GH_TOKEN",
	// These authorise a step of a workflow to be its job.
	"ACTIONS_ID_TOKEN_REQUEST_TOKEN",
	"ACTIONS_RUNTIME_TOKEN",
};

struct error *environment_hide(void)
{
	// As global as the environment is.
	static bool hidden;

	if (hidden)
		return NULL;
	hidden = true;
	// Of such a process, all that matters in /proc belongs to root.
	prctl(PR_SET_DUMPABLE, 0);
	// Root sees it nevertheless, and a guest that root runs does: but only
	// where the kernel has put it.
	for (char **variable = environ; *variable; variable++) {
		char *copy = string_copy(*variable);
		explicit_bzero(*variable, strlen(*variable));
		*variable = copy;
	}
	return NULL;
}

static bool is_among(const char *variable, const char *const *names)
{
	size_t length = strcspn(variable, "=");

	for (; *names; names++) {
		if (strlen(*names) == length &&
		    strncmp(variable, *names, length) == 0)
			return true;
	}
	return false;
}

void environment_keep(const char *const *names)
{
	char **end = environ;

	for (char **variable = environ; *variable; variable++) {
		if (is_among(*variable, names))
			*end++ = *variable;
	}
	*end = NULL;
}

void environment_drop_tokens(void)
{
	for (size_t i = 0; i < array_size(tokens); i++)
		unsetenv(tokens[i]);
}
