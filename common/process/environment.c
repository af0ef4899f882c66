// SPDX-License-Identifier: LGPL-2.1-or-later

#include "common/process/environment.h"

#include <stdbool.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "common/base/memory.h"

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
