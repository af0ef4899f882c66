// SPDX-License-Identifier: LGPL-2.1-or-later

#include "common/process/process.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/error.h"
#include "common/base/file.h"
#include "common/base/interrupt.h"
#include "common/base/memory.h"
#include "common/base/system.h"
#include "common/base/text.h"
#include "common/process/process_child.h"

struct process {
	/** 0 before it has started, and once it is reaped. */
	pid_t pid;
	int pidfd;
	/** It is a guard, which outlives what it kills. */
	bool guards;
	/** The pipe that it writes to; -1 if there is none. */
	int output_fd;
	char *name;
};

/** Directories can be "executed", too. */
static bool is_program(const char *path)
{
	return access(path, X_OK) == 0 && file_exists(path);
}

static char *find_program(const char *name, const char *path)
{
	if (strchr(name, '/'))
		return string_copy(name);
	if (!path)
		path = "/usr/local/bin:/usr/bin:/bin";
	for (size_t length; *path; path += length + (path[length] == ':')) {
		length = strcspn(path, ":");
		_cleanup_free_ char *candidate =
			string_format("%.*s/%s", (int)length, path, name);

		if (length && is_program(candidate))
			return take_ptr(candidate);
	}
	return NULL;
}

char *process_program_path(const char *name)
{
	return find_program(name, getenv("PATH"));
}

bool process_program_exists(const char *name)
{
	_cleanup_free_ char *path = process_program_path(name);

	return path && is_program(path);
}

/** What is not for children. */
static const char *const tokens[] = {
	"GITHUB_TOKEN",
	"GH_TOKEN",
	// These authorise a step of a workflow to be its job.
	"ACTIONS_ID_TOKEN_REQUEST_TOKEN",
	"ACTIONS_RUNTIME_TOKEN",
	NULL,
};

/** Of `NAME`, `NAME=VALUE` or `BEGINNING*`; NULL for none. */
static bool is_among(const char *variable, const char *const *names)
{
	size_t length = strcspn(variable, "=");

	for (; names && *names; names++) {
		size_t name_length = strcspn(*names, "=");
		bool is_beginning = name_length &&
				    (*names)[name_length - 1] == '*';

		name_length -= is_beginning;
		if ((is_beginning ? length >= name_length
				  : length == name_length) &&
		    strncmp(variable, *names, name_length) == 0)
			return true;
	}
	return false;
}

/** The environment of a child, ended by NULL; free(). Borrows its variables. */
static char **make_environment(const struct process_options *options)
{
	const char *const *inherited = options->inherited;
	const char *const *changes = options->environment;
	struct {
		char **items;
		size_t count;
	} list = { 0 };

	for (char **variable = environ; *variable; variable++) {
		if ((!inherited || is_among(*variable, inherited)) &&
		    (options->keeps_tokens || !is_among(*variable, tokens)) &&
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

void process_drop_tokens(void)
{
	for (const char *const *name = tokens; *name; name++)
		unsetenv(*name);
}

/** The PATH that a child has. */
static const char *path_of(char *const *environment)
{
	static const char prefix[] = "PATH=";

	for (; *environment; environment++) {
		if (strncmp(*environment, prefix, strlen(prefix)) == 0)
			return *environment + strlen(prefix);
	}
	return NULL;
}

void process_hide_environment(void)
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

struct error *process_spawn(const struct process_options *options,
			    struct process **ret)
{
	struct error *err;
	const char *name = options->arguments[0];
	_cleanup_free_ char **environment = make_environment(options);
	_cleanup_free_ char *path = find_program(name, path_of(environment));
	_cleanup_process_ struct process *process =
		memory_allocate(1, sizeof(*process));
	// The end to read from, and the child's.
	int output[2] = { -1, -1 };

	*process = (struct process){
		.pidfd = -1,
		.guards = options->guarded,
		.output_fd = -1,
		.name = string_copy(name),
	};
	if (!path)
		return error_create(ERROR_NOT_FOUND,
				    "%s: no such program in PATH; install it",
				    name);
	if ((options->reads_stdout || options->reads_stderr) &&
	    pipe2(output, O_CLOEXEC) < 0)
		return error_create_os(errno, "pipe");
	process->output_fd = output[0];
	fcntl(process->output_fd, F_SETFL, O_NONBLOCK);
	_cleanup_close_ int child_output_fd = output[1];
	const struct process_child child = {
		.options = options,
		.path = path,
		.environment = environment,
		.output_fd = child_output_fd,
	};
	err = process_child_start(&child, &process->pid);
	if (err)
		return err;
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
	if (!process->pid)
		return;
	if (process->guards && signal == SIGKILL)
		kill(process->pid, PROCESS_END_FAMILY);
	else
		kill(-process->pid, signal);
}

static int process_reap(struct process *process)
{
	int status = 0;

	while (waitpid(process->pid, &status, 0) < 0 && errno == EINTR)
		;
	process->pid = 0;
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
	return deadline_ms - now > INT_MAX ? INT_MAX : (int)(deadline_ms - now);
}

/**
 * Wait until a child has ended or has written something.
 *
 * @param[out] ended_ret Whether it has ended.
 */
static struct error *await(const struct process *process, uint64_t deadline_ms,
			   bool *ended_ret)
{
	for (;;) {
		struct pollfd fds[] = {
			{ interrupt_fd(), POLLIN, 0 },
			{ process->pidfd, POLLIN, 0 },
			{ process->output_fd, POLLIN, 0 },
		};
		int timeout = poll_timeout(deadline_ms);
		int ready = poll(fds, array_size(fds), timeout);

		if (ready < 0 && errno != EINTR)
			return error_create_os(errno, "poll");
		struct error *err = interrupt_check();
		if (err)
			return error_wrap(err, "%s", process->name);
		*ended_ret = ready > 0 && fds[1].revents;
		if (*ended_ret)
			return NULL;
		if (ready >= 0 && timeout == 0)
			return error_create(ERROR_OTHER, "%s: timed out",
					    process->name);
		if (ready > 0 && fds[2].revents)
			return NULL;
	}
}

struct error *process_read(struct process *process, uint64_t deadline_ms,
			   void *data, size_t size_bytes, size_t *size_ret)
{
	for (;;) {
		bool ended = false;
		struct error *err = await(process, deadline_ms, &ended);

		if (err)
			return err;
		ssize_t size = read(process->output_fd, data, size_bytes);
		if (size < 0 && errno == EAGAIN && ended)
			size = 0;
		if (size >= 0) {
			*size_ret = (size_t)size;
			return NULL;
		}
		if (errno != EAGAIN && errno != EINTR)
			return error_create_os(errno, "read from %s",
					       process->name);
	}
}

struct error *process_wait(struct process *process, uint64_t deadline_ms,
			   struct process_status *status_ret)
{
	struct error *err;
	bool ended = false;

	cleanup_close(&process->output_fd);
	process->output_fd = -1;
	err = await(process, deadline_ms, &ended);
	if (err)
		process_kill(process, SIGKILL);
	int status = process_reap(process);
	if (err)
		return err;
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
	if (process->pid) {
		process_kill(process, SIGKILL);
		process_reap(process);
	}
	cleanup_close(&process->pidfd);
	cleanup_close(&process->output_fd);
	free(process->name);
	free(process);
}

char *process_status_text(const struct process_status *status, const char *name)
{
	if (status->signal)
		return string_format("%s was killed by signal %d", name,
				     status->signal);
	return string_format("%s ended with status %d", name,
			     status->exit_status);
}

/** Wait for one that is to end with exit status 0. */
static struct error *wait_success(struct process *process, uint64_t deadline_ms)
{
	struct error *err;
	struct process_status status;

	err = process_wait(process, deadline_ms, &status);
	if (err)
		return err;
	if (status.signal)
		return error_create(ERROR_OTHER, "%s: killed by signal %d (%s)",
				    process->name, status.signal,
				    sigdescr_np(status.signal));
	if (status.exit_status)
		return error_create(ERROR_OTHER, "%s: exit status %d",
				    process->name, status.exit_status);
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
	err = process_spawn(options, &process);
	if (err)
		return err;
	return wait_success(process, deadline_of(options));
}

struct error *process_capture(const struct process_options *options,
			      size_t limit_bytes, char **output_ret)
{
	struct error *err;
	struct process_options reading = *options;
	uint64_t deadline_ms = deadline_of(options);
	_cleanup_string_builder_ struct string_builder output = { 0 };

	reading.reads_stdout = true;
	_cleanup_process_ struct process *process = NULL;
	err = process_spawn(&reading, &process);
	if (err)
		return err;
	for (;;) {
		char buffer[4096];
		size_t size;

		err = process_read(process, deadline_ms, buffer, sizeof(buffer),
				   &size);
		if (err)
			return err;
		if (!size)
			break;
		if (output.length + size > limit_bytes)
			return error_create(ERROR_OTHER,
					    "%s: more than %zu bytes of output",
					    process->name, limit_bytes);
		string_builder_append_n(&output, buffer, size);
	}
	err = wait_success(process, deadline_ms);
	if (err)
		return err;
	if (output.length && output.text[output.length - 1] == '\n')
		output.text[--output.length] = '\0';
	*output_ret = string_builder_take(&output);
	return NULL;
}
