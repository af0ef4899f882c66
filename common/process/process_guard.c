// SPDX-License-Identifier: LGPL-2.1-or-later

#include "common/process/process_guard.h"

#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/** Whom the kernel sends when the parent dies; no terminal is ours. */
enum {
	PARENT_DIED = SIGHUP
};

_Noreturn static void end_as(int status)
{
	if (WIFSIGNALED(status)) {
		int number = WTERMSIG(status);
		sigset_t set;

		signal(number, SIG_DFL);
		sigemptyset(&set);
		sigaddset(&set, number);
		sigprocmask(SIG_UNBLOCK, &set, NULL);
		raise(number);
	}
	_exit(WEXITSTATUS(status));
}

_Noreturn static void watch(pid_t child)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, PARENT_DIED);
	sigaddset(&set, SIGCHLD);
	for (;;) {
		int status;

		if (sigwaitinfo(&set, NULL) == PARENT_DIED)
			kill(0, SIGKILL);
		if (waitpid(child, &status, WNOHANG) == child)
			end_as(status);
	}
}

int process_guard(pid_t parent, int exec_fd)
{
	sigset_t all;
	pid_t child;

	// What ends the group is the child's to take.
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	signal(SIGCHLD, SIG_DFL);
	// The parent may have died before this took effect.
	if (prctl(PR_SET_PDEATHSIG, PARENT_DIED) < 0 || getppid() != parent)
		return ESRCH;
	child = fork();
	if (child < 0)
		return errno;
	if (child == 0)
		return 0;
	close(exec_fd);
	watch(child);
}
