// SPDX-License-Identifier: LGPL-2.1-or-later

#include "common/process/process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/error.h"
#include "common/base/interrupt.h"
#include "common/base/memory.h"
#include "common/base/string_builder.h"
#include "common/process/environment.h"
#include "common/process/process_guard.h"

struct process {
	pid_t pid;
	int pidfd;
	bool reaped;
	char *name;
};

static bool is_executable(const char *path)
{
	return access(path, X_OK) == 0;
}

/** @param[out] ret NULL if PATH has no such program; free(). */
static struct error *find_program(const char *name, char **ret)
{
	const char *path = getenv("PATH");

	*ret = NULL;
	if (strchr(name, '/')) {
		*ret = string_copy(name);
		return NULL;
	}
	if (!path)
		path = "/usr/local/bin:/usr/bin:/bin";
	while (*path) {
		size_t length = strcspn(path, ":");
		_cleanup_free_ char *candidate = NULL;

		candidate = string_format("%.*s/%s", (int)length, path, name);
		if (length && is_executable(candidate)) {
			*ret = take_ptr(candidate);
			return NULL;
		}
		path += length;
		path += *path == ':';
	}
	return NULL;
}

bool process_program_exists(const char *name)
{
	_cleanup_free_ char *path = NULL;
	_cleanup_error_ struct error *err = find_program(name, &path);

	return !err && path;
}

static void set_environment(const struct process_options *options)
{
	if (options->inherited)
		environment_keep(options->inherited);
	if (!options->keeps_tokens)
		environment_drop_tokens();
	for (const char *const *p = options->environment; p && *p; p++) {
		if (strchr(*p, '='))
			putenv((char *)*p);
		else
			unsetenv(*p);
	}
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

/** Everything between fork and exec; returns only on failure, as an errno. */
static int child_exec(const struct process_options *options, const char *path,
		      pid_t parent)
{
	int null_fd, errnum;
	sigset_t none;

	// The parent may have died before this took effect.
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent)
		return ESRCH;
	null_fd = options->stdin_fd ? options->stdin_fd
				    : open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (null_fd < 0 || dup2(null_fd, STDIN_FILENO) < 0)
		return errno;
	if (options->stdout_fd && dup2(options->stdout_fd, STDOUT_FILENO) < 0)
		return errno;
	if (options->stderr_fd && dup2(options->stderr_fd, STDERR_FILENO) < 0)
		return errno;
	for (unsigned int i = 0; i < options->keep_fd_count; i++) {
		if (fcntl(options->keep_fds[i], F_SETFD, 0) < 0)
			return errno;
	}
	if (options->directory && chdir(options->directory) < 0)
		return errno;
	set_environment(options);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	// Its group is never the terminal's foreground: where `stty tostop` is
	// set, what it says would stop it.
	signal(SIGTTOU, SIG_IGN);
	errnum = options->ruleset_fd > 0 ? confine(options->ruleset_fd) : 0;
	if (errnum)
		return errnum;
	execv(path, (char **)options->arguments);
	return errno;
}

/** The same from the beginning; a guard stays behind in it. */
static int child_start(const struct process_options *options, const char *path,
		       pid_t parent, int exec_fd)
{
	setpgid(0, 0);
	if (options->guarded) {
		pid_t guard = getpid();
		int errnum = process_guard(parent, exec_fd);

		if (errnum)
			return errnum;
		parent = guard;
	}
	return child_exec(options, path, parent);
}

struct error *process_spawn(const struct process_options *options,
			    struct process **ret)
{
	struct error *err;
	const char *name = options->arguments[0];
	_cleanup_close_ int error_read = -1;
	_cleanup_close_ int error_write = -1;
	_cleanup_free_ char *path = NULL;
	_cleanup_process_ struct process *process = NULL;
	pid_t parent = getpid();
	int fds[2], child_errno;
	ssize_t size;

	err = find_program(name, &path);
	if (err)
		return err;
	if (!path)
		return error_create(ERROR_NOT_FOUND,
				    "%s: no such program in PATH; install it",
				    name);
	if (pipe2(fds, O_CLOEXEC) < 0)
		return error_create_os(errno, "pipe");
	error_read = fds[0];
	error_write = fds[1];
	process = memory_allocate(1, sizeof(*process));
	process->pidfd = -1;
	process->reaped = true;
	process->name = string_copy(name);

	process->pid = fork();
	if (process->pid < 0)
		return error_create_os(errno, "%s: fork", name);
	if (process->pid == 0) {
		child_errno = child_start(options, path, parent, error_write);
		// Signals are blocked or fatal here: it is not interrupted.
		_exit(write(error_write, &child_errno, sizeof(child_errno)) < 0
			      ? 126
			      : 127);
	}
	process->reaped = false;
	setpgid(process->pid, process->pid);
	close(take_fd(&error_write));
	do {
		size = read(error_read, &child_errno, sizeof(child_errno));
	} while (size < 0 && errno == EINTR);
	if (size == (ssize_t)sizeof(child_errno)) {
		if (child_errno == ENOENT)
			return error_create(ERROR_NOT_FOUND,
					    "%s: no such program", name);
		return error_create_os(child_errno, "start %s", name);
	}
	process->pidfd = pidfd_open(process->pid, 0);
	if (process->pidfd < 0)
		return error_create_os(errno, "%s: pidfd_open", name);
	*ret = take_ptr(process);
	return NULL;
}

pid_t process_pid(const struct process *process)
{
	return process->pid;
}

int process_fd(const struct process *process)
{
	return process->pidfd;
}

void process_kill(struct process *process, int signal)
{
	if (!process->reaped)
		kill(-process->pid, signal);
}

static int process_reap(struct process *process)
{
	int status = 0;

	while (waitpid(process->pid, &status, 0) < 0 && errno == EINTR)
		;
	process->reaped = true;
	return status;
}

/** How long poll(2) may wait until a deadline. */
static int poll_timeout(uint64_t deadline_ms)
{
	uint64_t now = monotonic_ms();

	if (!deadline_ms)
		return -1;
	if (now >= deadline_ms)
		return 0;
	return deadline_ms - now > 1000000 ? 1000000 : (int)(deadline_ms - now);
}

struct error *process_wait(struct process *process, uint64_t deadline_ms,
			   struct process_status *status_ret)
{
	struct error *err;
	_cleanup_close_ int interrupt_fd = -1;
	struct pollfd fds[2];
	int status;

	err = interrupt_open(&interrupt_fd);
	if (err)
		return err;
	fds[0] = (struct pollfd){ .fd = process->pidfd, .events = POLLIN };
	fds[1] = (struct pollfd){ .fd = interrupt_fd, .events = POLLIN };
	for (;;) {
		int timeout = poll_timeout(deadline_ms);
		int ready = poll(fds, array_size(fds), timeout);

		if (ready < 0 && errno != EINTR)
			return error_create_os(errno, "poll");
		if (ready > 0 && fds[0].revents)
			break;
		err = ready > 0 && fds[1].revents ? interrupt_check() : NULL;
		if (err) {
			process_kill(process, SIGKILL);
			process_reap(process);
			return error_wrap(err, "%s", process->name);
		}
		if (ready == 0 && timeout == 0) {
			process_kill(process, SIGKILL);
			process_reap(process);
			return error_create(ERROR_OTHER, "%s: timed out",
					    process->name);
		}
	}
	status = process_reap(process);
	*status_ret = (struct process_status){
		.exit_status = WIFEXITED(status) ? WEXITSTATUS(status) : 0,
		.signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0,
	};
	return NULL;
}

void process_destroy(struct process *process)
{
	if (!process)
		return;
	if (!process->reaped) {
		process_kill(process, SIGKILL);
		process_reap(process);
	}
	if (process->pidfd >= 0)
		close(process->pidfd);
	free(process->name);
	free(process);
}

static struct error *check_status(const char *name,
				  const struct process_status *status)
{
	if (status->signal)
		return error_create(ERROR_OTHER, "%s: killed by signal %d (%s)",
				    name, status->signal,
				    sigdescr_np(status->signal));
	if (status->exit_status)
		return error_create(ERROR_OTHER, "%s: exit status %d", name,
				    status->exit_status);
	return NULL;
}

static uint64_t deadline_of(const struct process_options *options)
{
	return options->timeout_ms ? monotonic_ms() + options->timeout_ms : 0;
}

struct error *process_run(const struct process_options *options)
{
	struct error *err;
	_cleanup_process_ struct process *process = NULL;
	struct process_status status;

	err = process_spawn(options, &process);
	if (err)
		return err;
	err = process_wait(process, deadline_of(options), &status);
	if (err)
		return err;
	return check_status(options->arguments[0], &status);
}

struct error *process_capture(const struct process_options *options,
			      size_t limit_bytes, char **output_ret)
{
	struct error *err;
	struct process_options piped = *options;
	uint64_t deadline_ms = deadline_of(options);
	_cleanup_close_ int read_fd = -1;
	_cleanup_close_ int write_fd = -1;
	_cleanup_process_ struct process *process = NULL;
	_cleanup_string_builder_ struct string_builder output =
		STRING_BUILDER_INIT;
	struct process_status status;
	int fds[2];

	if (pipe2(fds, O_CLOEXEC) < 0)
		return error_create_os(errno, "pipe");
	read_fd = fds[0];
	write_fd = fds[1];
	piped.stdout_fd = write_fd;
	err = process_spawn(&piped, &process);
	if (err)
		return err;
	close(take_fd(&write_fd));
	for (;;) {
		struct pollfd poll_fd = { .fd = read_fd, .events = POLLIN };
		char buffer[4096];
		ssize_t size;

		if (poll(&poll_fd, 1, poll_timeout(deadline_ms)) == 0)
			break;
		size = read(read_fd, buffer, sizeof(buffer));
		if (size < 0 && errno == EINTR)
			continue;
		if (size <= 0)
			break;
		if (output.length + (size_t)size > limit_bytes)
			return error_create(ERROR_OTHER,
					    "%s: more than %zu bytes of output",
					    options->arguments[0], limit_bytes);
		string_builder_append_n(&output, buffer, (size_t)size);
	}
	err = process_wait(process, deadline_ms, &status);
	if (!err)
		err = check_status(options->arguments[0], &status);
	if (err)
		return err;
	if (output.length && output.text[output.length - 1] == '\n')
		output.text[--output.length] = '\0';
	*output_ret = string_builder_take(&output);
	return NULL;
}
