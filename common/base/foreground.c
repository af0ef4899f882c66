// SPDX-License-Identifier: LGPL-2.1-or-later

#include "common/base/foreground.h"

#include <sys/types.h>
#include <unistd.h>

bool foreground_has_terminal(int fd)
{
	pid_t group;

	if (!isatty(fd))
		return false;
	// It is -1 of a terminal that does not control us, which stops nobody,
	// and 0 of one whose foreground is outside of our PID namespace.
	group = tcgetpgrp(fd);
	return group < 0 || group == getpgrp();
}
