// SPDX-License-Identifier: LGPL-2.1-or-later

#include "common/process/environment.h"

#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "common/base/memory.h"

static const char *const tokens[] = {
	"GITHUB_TOKEN",
	"GH_TOKEN",
	// These authorise a step of a workflow to be its job.
	"ACTIONS_ID_TOKEN_REQUEST_TOKEN",
	"ACTIONS_RUNTIME_TOKEN",
	NULL,
};

void environment_hide(void)
{
	// As global as the environment is.
	static bool hidden;

	if (hidden)
		return;
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
}

/** @param[in] names `NAME` or `NAME=VALUE`; NULL for none. */
static bool is_among(const char *variable, const char *const *names)
{
	size_t length = strcspn(variable, "=");

	for (; names && *names; names++) {
		if (strcspn(*names, "=") == length &&
		    strncmp(variable, *names, length) == 0)
			return true;
	}
	return false;
}

char **environment_of_child(const char *const *inherited, bool keeps_tokens,
			    const char *const *changes)
{
	struct {
		char **items;
		size_t count;
	} list = { 0 };

	for (char **variable = environ; *variable; variable++) {
		if ((!inherited || is_among(*variable, inherited)) &&
		    (keeps_tokens || !is_among(*variable, tokens)) &&
		    !is_among(*variable, changes))
			vector_add(&list) = *variable;
	}
	for (; changes && *changes; changes++) {
		if (strchr(*changes, '='))
			vector_add(&list) = (char *)*changes;
	}
	vector_add(&list) = NULL;
	return list.items;
}
