// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/cmd/vm_commands.h"

#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "common/base/system.h"
#include "vm/guest/guest.h"

/** A descriptor of ours that a command can use; -1 if closed or /dev/null. */
static int usable_stream(int fd)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -1;
	if (S_ISCHR(st.st_mode) && st.st_rdev == makedev(1, 3))
		return -1;
	return fd;
}

/**
 * Where our stderr is the same file as our stdout, the command's should be:
 * over two ports, what it writes would come in another order.
 */
static int usable_stderr(int stdout_fd)
{
	struct stat out, err;

	if (stdout_fd < 0 || fstat(stdout_fd, &out) < 0 ||
	    fstat(STDERR_FILENO, &err) < 0 || out.st_dev != err.st_dev ||
	    out.st_ino != err.st_ino)
		return usable_stream(STDERR_FILENO);
	return stdout_fd;
}

void command_streams(struct guest_config *config, bool has_input)
{
	bool has_terminal = has_input && foreground_has_terminal(STDIN_FILENO);

	config->interactive = has_terminal && isatty(STDOUT_FILENO) &&
			      isatty(STDERR_FILENO);
	config->stdin_fd = !has_input || (isatty(STDIN_FILENO) && !has_terminal)
				   ? -1
				   : usable_stream(STDIN_FILENO);
	config->stdout_fd = usable_stream(STDOUT_FILENO);
	config->stderr_fd = usable_stderr(config->stdout_fd);
}
