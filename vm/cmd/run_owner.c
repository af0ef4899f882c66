// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/cmd/vm_commands.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/error.h"
#include "common/base/interrupt.h"

/** The owner has ended: end as it did, which has said why. */
static struct error *follow(pid_t owner, int *status_ret)
{
	int status;

	while (waitpid(owner, &status, 0) < 0) {
		if (errno != EINTR)
			return error_create_os(errno,
					       "wait for the guest's process");
	}
	if (WIFEXITED(status)) {
		*status_ret = WEXITSTATUS(status);
		return NULL;
	}
	// Ends us, too, if it was of the user's.
	interrupt_release();
	return error_create(ERROR_OTHER,
			    "the guest's process was killed by signal %d",
			    WTERMSIG(status));
}

static struct error *wait_for_owner(pid_t owner, int fd, int *status_ret)
{
	struct pollfd fds[] = { { fd, POLLIN, 0 }, { interrupt_fd(), POLLIN, 0 } };
	ssize_t n;

	while (poll(fds, array_size(fds), -1) < 0 || !fds[0].revents) {
		if (!fds[1].revents)
			continue;
		// Sent to the group, it is there already, and the same one.
		kill(owner, SIGTERM);
		fds[1].fd = -1;
		fds[1].revents = 0;
	}
	n = read(fd, status_ret, sizeof(*status_ret));
	return n == sizeof(*status_ret) ? NULL : follow(owner, status_ret);
}

struct error *owner_fork(int *tell_fd_ret, int *status_ret)
{
	const pid_t us = getpid();
	int fds[2];

	*tell_fd_ret = -1;
	if (pipe2(fds, O_CLOEXEC) < 0)
		return error_create_os(errno, "pipe");
	_cleanup_close_ int wait_fd = fds[0];
	_cleanup_close_ int tell_fd = fds[1];
	pid_t owner = fork();
	if (owner < 0)
		return error_create_os(errno, "fork");
	if (owner > 0) {
		close(take_fd(&tell_fd));
		return wait_for_owner(owner, wait_fd, status_ret);
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != us)
		_exit(RUN_STATUS_NOT_RUN);
	*tell_fd_ret = take_fd(&tell_fd);
	return NULL;
}

void owner_detach(int tell_fd, int status)
{
	int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);

	prctl(PR_SET_PDEATHSIG, 0);
	setsid();
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		dup2(null_fd, fd);
	cleanup_close(&null_fd);
	// What holds a directory keeps its file system from being unmounted.
	if (chdir("/") == 0 && write(tell_fd, &status, sizeof(status)) < 0)
		null_fd = -1;
	close(tell_fd);
}
