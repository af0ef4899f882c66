// SPDX-License-Identifier: LGPL-2.1-or-later

#include "common/process/process_child.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/capability.h>
#include <linux/close_range.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/base/error.h"
#include "common/process/process.h"

// Where a child may fail. The parent has these at the same addresses.
static const char step_guard[] = "guard it";
static const char step_descriptors[] = "set its descriptors";
static const char step_directory[] = "enter its directory";
static const char step_confinement[] = "confine it";
static const char step_program[] = "exec";

/** What a child tells of a failure. */
struct process_failure {
	const char *step;
	int errnum;
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

/** @param[out] status_ret Only set if @p child is among those that ended. */
static bool reap(pid_t child, int *status_ret)
{
	bool has_ended = false;
	pid_t pid;
	int status;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (pid != child)
			continue;
		*status_ret = status;
		has_ended = true;
	}
	return has_ended;
}

/** @return Whether the kernel says which they are (CONFIG_PROC_CHILDREN). */
static bool kill_children(void)
{
	_cleanup_close_ int fd =
		open("/proc/thread-self/children", O_RDONLY | O_CLOEXEC);
	char text[4096], *p = text, *end;
	ssize_t size = read(fd, text, sizeof(text) - 1);

	if (size < 0)
		return false;
	text[size] = '\0';
	// Each is followed by a space, but for one that is cut off.
	for (long pid; (pid = strtol(p, &end, 10)) > 0 && *end == ' '; p = end)
		kill((pid_t)pid, SIGKILL);
	return true;
}

/**
 * Kill all that has been started, whatever sessions it has made: as those in
 * between end, the rest become our children. Who does not end, as one that
 * waits for a disk, is left behind.
 */
static bool kill_family(void)
{
	enum {
		PATIENCE_MS = 10000,
	};
	static const struct timespec pause = { .tv_nsec = 1000000 };
	pid_t pid;

	for (int idle = 0; idle < PATIENCE_MS; idle = pid ? 0 : idle + 1) {
		pid = waitpid(-1, NULL, WNOHANG);
		if (pid < 0)
			break;
		if (!kill_children())
			return false;
		nanosleep(&pause, NULL);
	}
	return true;
}

/** All signals are blocked: what ends the group is the child's to take. */
_Noreturn static void watch(pid_t child)
{
	sigset_t set;
	int number, status = SIGKILL;

	sigemptyset(&set);
	sigaddset(&set, PROCESS_END_FAMILY);
	sigaddset(&set, SIGCHLD);
	do
		number = sigwaitinfo(&set, NULL);
	while (number != PROCESS_END_FAMILY && !reap(child, &status));
	if (!kill_family() && number == PROCESS_END_FAMILY)
		kill(0, SIGKILL);
	end_as(status);
}

/**
 * Go on in a new child, and stay behind as its guard, which ends as the child
 * does, and kills all that the child has started, then or when its parent dies:
 * PR_SET_PDEATHSIG is for one process, and a process group can be left.
 *
 * @return Only in the child: 0, or an errno if there is none.
 */
static int guard(pid_t parent)
{
	pid_t child;

	signal(SIGCHLD, SIG_DFL);
	// The parent may have died before this took effect.
	if (prctl(PR_SET_PDEATHSIG, PROCESS_END_FAMILY) < 0 ||
	    getppid() != parent || prctl(PR_SET_CHILD_SUBREAPER, 1) < 0)
		return ESRCH;
	child = fork();
	if (child < 0)
		return errno;
	if (child == 0)
		return 0;
	// The pipes of the child end with the child.
	close_range(0, UINT_MAX, 0);
	watch(child);
}

/** Who is not root has none to lose, and may not. */
static void drop_capabilities(uint64_t kept)
{
	for (int i = 0; i < 64 && prctl(PR_CAPBSET_READ, i) >= 0; i++) {
		if (!(kept >> i & 1))
			prctl(PR_CAPBSET_DROP, i);
	}
	// Those that are inheritable, as in older containers, stay for a
	// program whatever bounds it, and those that are ambient with them.
	struct __user_cap_header_struct header = {
		.version = _LINUX_CAPABILITY_VERSION_3
	};
	struct __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3];
	if (syscall(SYS_capget, &header, sets) < 0)
		return;
	for (size_t i = 0; i < array_size(sets); i++)
		sets[i].inheritable &= (uint32_t)(kept >> 32 * i);
	syscall(SYS_capset, &header, sets);
}

/** @return An errno. */
static int allow_own_directory(int ruleset_fd, uint64_t access)
{
	const struct landlock_path_beneath_attr rule = {
		.allowed_access = access,
		.parent_fd = open("/proc/self", O_PATH | O_CLOEXEC),
	};

	return syscall(SYS_landlock_add_rule, ruleset_fd,
		       LANDLOCK_RULE_PATH_BENEATH, &rule, 0) < 0
		       ? errno
		       : 0;
}

/** @return An errno. */
static int confine(int ruleset_fd)
{
	if (syscall(SYS_landlock_restrict_self, ruleset_fd, 0) == 0)
		return 0;
	if (errno != EPERM)
		return errno;
	// Who is not root must not gain rights by a setuid program.
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
	    syscall(SYS_landlock_restrict_self, ruleset_fd, 0) < 0)
		return errno;
	return 0;
}

/** @return An errno. */
static int filter(const struct sock_fprog *program)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
	    syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, program) < 0)
		return errno;
	return 0;
}

static int value_of(const int *fd)
{
	return fd ? *fd : -1;
}

/** Have the descriptors of the options, and no others. @return An errno. */
static int set_descriptors(const struct process_child *child)
{
	const struct process_options *options = child->options;
	int fds[] = {
		value_of(options->stdin_fd),
		options->reads_stdout ? child->output_fd
				      : value_of(options->stdout_fd),
		options->reads_stderr ? child->output_fd
				      : value_of(options->stderr_fd),
	};

	if (fds[0] < 0)
		fds[0] = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (fds[0] < 0)
		return errno;
	// None may take the place of one that is still to be copied.
	for (int i = 0; i < (int)array_size(fds); i++) {
		if (fds[i] < 0 || fds[i] > STDERR_FILENO)
			continue;
		fds[i] = fcntl(fds[i], F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
		if (fds[i] < 0)
			return errno;
	}
	for (int i = 0; i < (int)array_size(fds); i++) {
		if (fds[i] >= 0 && dup2(fds[i], i) < 0)
			return errno;
	}
	// By exec, not now: the pipe that tells of a failure is among them.
	if (close_range(STDERR_FILENO + 1, UINT_MAX, CLOSE_RANGE_CLOEXEC) < 0)
		return errno;
	for (unsigned int i = 0; i < options->keep_fd_count; i++) {
		if (fcntl(options->keep_fds[i], F_SETFD, 0) < 0)
			return errno;
	}
	return 0;
}

static void reset_signals(void)
{
	sigset_t none;

	// The handlers are the parent's; one signal may be pending already.
	signal(SIGINT, SIG_DFL);
	signal(SIGTERM, SIG_DFL);
	signal(SIGPIPE, SIG_DFL);
	// Its group is never the terminal's foreground: where `stty tostop` is
	// set, what it says would stop it.
	signal(SIGTTOU, SIG_IGN);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/** Everything between fork and exec; returns only on failure. */
static struct process_failure run(const struct process_child *child, pid_t parent)
{
	const struct process_options *options = child->options;
	int ruleset_fd = value_of(options->ruleset_fd), errnum;

	setpgid(0, 0);
	if (options->guarded) {
		pid_t leader = getpid();

		errnum = guard(parent);
		if (errnum)
			return (struct process_failure){ step_guard, errnum };
		parent = leader;
	}
	// The parent may have died before this took effect.
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent)
		return (struct process_failure){ step_guard, ESRCH };
	errnum = set_descriptors(child);
	if (errnum)
		return (struct process_failure){ step_descriptors, errnum };
	if (options->directory && chdir(options->directory) < 0)
		return (struct process_failure){ step_directory, errno };
	// Where there is a lower limit already, that holds.
	if (options->memory_bytes)
		setrlimit(RLIMIT_DATA, &(struct rlimit){ options->memory_bytes,
							 options->memory_bytes });
	if (options->capabilities)
		drop_capabilities(options->capabilities);
	errnum = ruleset_fd >= 0 && options->own_access
			 ? allow_own_directory(ruleset_fd, options->own_access)
			 : 0;
	if (!errnum && ruleset_fd >= 0)
		errnum = confine(ruleset_fd);
	if (!errnum && options->filter)
		errnum = filter(options->filter);
	if (errnum)
		return (struct process_failure){ step_confinement, errnum };
	reset_signals();
	execve(child->path, (char **)options->arguments, child->environment);
	return (struct process_failure){ step_program, errno };
}

/** @return Its ID, or -1 with errno. */
static pid_t fork_child(const struct process_child *child, int failure_fd)
{
	pid_t parent = getpid();
	sigset_t all, before;

	// None of our handlers runs in the child.
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	pid_t pid = fork();
	if (pid == 0) {
		struct process_failure failure = run(child, parent);

		_exit(write(failure_fd, &failure, sizeof(failure)) < 0 ? 126
								       : 127);
	}
	int errnum = errno;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	errno = errnum;
	return pid;
}

struct error *process_child_start(const struct process_child *child,
				  pid_t *pid_ret)
{
	const struct process_options *options = child->options;
	const char *name = options->arguments[0];
	struct process_failure failure;
	ssize_t size;
	int fds[2];

	// Closed by exec.
	if (pipe2(fds, O_CLOEXEC) < 0)
		return error_create_os(errno, "pipe");
	_cleanup_close_ int failure_fd = fds[0];
	pid_t pid = fork_child(child, fds[1]);
	int errnum = errno;
	close(fds[1]);
	if (pid < 0)
		return error_create_os(errnum, "%s: fork", name);
	*pid_ret = pid;
	setpgid(pid, pid);
	do
		size = read(failure_fd, &failure, sizeof(failure));
	while (size < 0 && errno == EINTR);
	if (size != (ssize_t)sizeof(failure))
		return NULL;
	if (failure.step == step_program && failure.errnum == ENOENT)
		return error_create(ERROR_NOT_FOUND, "%s: no such program", name);
	if (failure.step == step_directory)
		return error_create_os(failure.errnum, "start %s in %s", name,
				       options->directory);
	return error_create_os(failure.errnum, "start %s: %s", name,
			       failure.step);
}
