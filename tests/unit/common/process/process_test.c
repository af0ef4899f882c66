// SPDX-License-Identifier: LGPL-2.1-or-later

#include "common/process/process.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/file.h"
#include "common/base/interrupt.h"
#include "common/base/memory.h"
#include "common/base/system.h"
#include "tests/unit/errors.h"
#include "tests/unit/files.h"

#define COMMAND(...)                                                           \
	.arguments = (const char *[])                                          \
	{                                                                      \
		__VA_ARGS__, NULL                                              \
	}

#define run(...) process_run(&(struct process_options){ __VA_ARGS__ })

#define capture(output, ...)                                                   \
	process_capture(&(struct process_options){ __VA_ARGS__ }, 1000, output)

Test(process, output_is_taken_without_its_last_newline)
{
	const struct {
		struct process_options options;
		const char *output;
	} rows[] = {
		// No shell reads the arguments.
		{ { COMMAND("echo", "$(id) *;\n") }, "$(id) *;\n" },
		{ { COMMAND("pwd"), .directory = "/" }, "/" },
		{ { COMMAND("true") }, "" },
	};

	for (size_t i = 0; i < array_size(rows); i++) {
		_cleanup_free_ char *output = NULL;

		cr_assert_null(process_capture(&rows[i].options, 1000, &output));
		cr_expect_str_eq(output, rows[i].output);
	}
}

Test(process, children_have_variables_by_their_whole_name)
{
	static const char *const kept[] = { "ENV_KEPT", "ENV_MISSING",
					    "ENV_CHANGED", NULL };
	static const char *const changes[] = { "ENV_SET=", "ENV_CHANGED=c=d",
					       "ENV_UNSET", NULL };
	_cleanup_free_ char *some = NULL, *more = NULL, *most = NULL;

	clearenv();
	setenv("ENV", "x", 1);
	setenv("ENV_KEPT", "a=b", 1);
	cr_assert_null(capture(&some, COMMAND("env"), .inherited = kept));
	cr_expect_str_eq(some, "ENV_KEPT=a=b");
	static const char *const beginnings[] = { "ENV_K*", "EN", NULL };
	_cleanup_free_ char *begun = NULL;
	cr_assert_null(capture(&begun, COMMAND("env"), .inherited = beginnings));
	cr_expect_str_eq(begun, "ENV_KEPT=a=b");
	setenv("ENV_CHANGED", "x", 1);
	setenv("ENV_UNSET", "x", 1);
	cr_assert_null(capture(&more, COMMAND("env"), .inherited = kept,
			       .environment = changes));
	cr_expect_str_eq(more, "ENV_KEPT=a=b\nENV_SET=\nENV_CHANGED=c=d");
	cr_assert_null(capture(&most, COMMAND("env"), .environment = changes));
	cr_expect_str_eq(most, "ENV=x\nENV_KEPT=a=b\nENV_SET=\nENV_CHANGED=c=d");
	// Ours stays as it is.
	cr_expect_str_eq(getenv("ENV_UNSET"), "x");
}

Test(process, a_directory_is_no_program, .init = enter_tmp, .fini = teardown_tmp)
{
	_cleanup_free_ char *output = NULL;
	_cleanup_free_ char *path = string_format("a:%s", getenv("PATH"));

	cr_assert_null(directory_create("a/uname"));
	cr_assert_null(directory_create("a/some-directory"));
	setenv("PATH", path, 1);
	cr_assert_null(capture(&output, COMMAND("uname")));
	cr_expect_str_eq(output, "Linux");
	cr_expect_not(process_program_exists("some-directory"));
	cr_expect_not(process_program_exists("a/uname"));
	expect_failure(run(COMMAND("some-directory")), "no such program in PATH");
}

Test(process, tokens_are_for_few_children)
{
	static const char *const names[] = {
		"GITHUB_TOKEN",
		"GH_TOKEN",
		"ACTIONS_ID_TOKEN_REQUEST_TOKEN",
		"ACTIONS_RUNTIME_TOKEN",
		NULL,
	};
	_cleanup_free_ char *without = NULL, *asked = NULL, *with = NULL;

	clearenv();
	for (size_t i = 0; names[i]; i++)
		setenv(names[i], "secret", 1);
	setenv("GITHUB_REPOSITORY", "octo/kernels", 1);
	cr_assert_null(capture(&without, COMMAND("env")));
	cr_expect_str_eq(without, "GITHUB_REPOSITORY=octo/kernels");
	cr_assert_null(capture(&asked, COMMAND("env"), .inherited = names));
	cr_expect_str_eq(asked, "");
	cr_assert_null(capture(&with, COMMAND("env"), .keeps_tokens = true));
	for (size_t i = 0; names[i]; i++)
		cr_expect(strstr(with, names[i]), "%s", with);
	_cleanup_free_ char *dropped = NULL;
	process_drop_tokens();
	cr_assert_null(capture(&dropped, COMMAND("env"), .keeps_tokens = true));
	cr_expect_str_eq(dropped, "GITHUB_REPOSITORY=octo/kernels");
}

Test(process, what_is_missing_is_named)
{
	const struct process_options rows[] = {
		{ COMMAND("no-such-program-here") },
		{ COMMAND("/no/such/program") },
		{ COMMAND("/no/such/program"), .guarded = true },
	};

	for (size_t i = 0; i < array_size(rows); i++) {
		expect_kind(process_run(&rows[i]), ERROR_NOT_FOUND,
			    rows[i].arguments[0]);
	}

	// A directory is not a program.
	expect_kind(run(COMMAND("true"), .directory = "/no/such"), ERROR_OS,
		    "start true in /no/such: No such file or directory");
}

Test(process, failure_names_the_status_or_the_signal)
{
	static const struct {
		const char *script;
		const char *message;
	} rows[] = {
		{ "exit 0", NULL },
		{ "exit 3", "sh: exit status 3" },
		{ "kill -TERM $$", "sh: killed by signal 15 (Terminated)" },
		{ "kill -KILL $$", "sh: killed by signal 9 (Killed)" },
		{ "kill -HUP $$", "sh: killed by signal 1 (Hangup)" },
	};

	// A guard ends as its child does.
	for (size_t i = 0; i < 2 * array_size(rows); i++) {
		const char *message = rows[i / 2].message;
		struct error *err = run(COMMAND("sh", "-c", rows[i / 2].script),
					.guarded = i % 2);

		expect_outcome(err, message);
	}
}

/** Signals reach the child, and the guard lets it clean up. */
Test(process, a_guarded_child_may_take_its_time)
{
	_cleanup_process_ struct process *process = NULL;
	struct process_status status;
	struct process_options options = {
		COMMAND("sh", "-c",
			"trap 'sleep 0.3; exit 7' TERM; echo; while :; do sleep 0.1; done"),
		.guarded = true,
	};
	char c;
	int fds[2];

	cr_assert_eq(pipe2(fds, O_CLOEXEC), 0);
	options.stdout_fd = &fds[1];
	cr_assert_null(process_spawn(&options, &process));
	cr_assert_eq(read(fds[0], &c, 1), 1);
	process_kill(process, SIGTERM);
	cr_assert_null(process_wait(process, monotonic_ms() + 30000, &status));
	cr_expect_eq(status.exit_status, 7);
	close(fds[0]);
	close(fds[1]);
}

/** In a child that is going to be killed: tell a grandchild's grandchild. */
static void start_family(int fd)
{
	struct process *process;

	error_destroy(process_spawn(
		&(struct process_options){
			COMMAND("sh", "-c",
				"sh -c 'setsid sleep 1000 & sleep 1000 & echo $!; wait'; echo more"),
			.stdout_fd = &fd,
			.guarded = true,
		},
		&process));
	pause();
	_exit(1);
}

Test(process, a_guarded_family_dies_with_us)
{
	char text[32] = "";
	int fds[2];
	pid_t parent;

	cr_assert_eq(pipe2(fds, O_CLOEXEC), 0);
	parent = fork();
	if (parent == 0)
		start_family(fds[1]);
	close(fds[1]);
	cr_assert_gt(read(fds[0], text, sizeof(text) - 1), 1);
	cr_assert_eq(kill(atoi(text), 0), 0);
	kill(parent, SIGKILL);
	// All that write to the pipe have gone when it ends.
	alarm(30);
	cr_expect_eq(read(fds[0], text, sizeof(text)), 0);
	alarm(0);
	close(fds[0]);
	cr_assert_eq(waitpid(parent, NULL, 0), parent);
}

/** Whether a daemon, which writes to the pipe, has gone. */
static void expect_end(int fd, const char *way)
{
	struct pollfd pollfd = { fd, POLLIN, 0 };

	cr_expect_eq(poll(&pollfd, 1, 30000), 1, "%s", way);
	cr_expect_eq(pollfd.revents, POLLHUP, "%s", way);
	close(fd);
}

Test(process, what_a_guarded_child_leaves_behind_is_killed)
{
	static const struct {
		const char *end, *message;
		uint64_t timeout_ms;
	} rows[] = {
		{ "exit 0", NULL, 0 },
		{ "exit 3", "sh: exit status 3", 0 },
		{ "kill -KILL $$", "sh: killed by signal 9 (Killed)", 0 },
		{ "sleep 1000", "sh: timed out", 300 },
	};

	for (size_t i = 0; i < array_size(rows); i++) {
		_cleanup_free_ char *script = string_format(
			"setsid sh -c 'setsid sleep 1000 & setsid sleep 1000' & %s",
			rows[i].end);
		int fds[2];

		cr_assert_eq(pipe2(fds, O_CLOEXEC), 0);
		expect_outcome(run(COMMAND("sh", "-c", script),
				   .stdout_fd = &fds[1], .guarded = true,
				   .timeout_ms = rows[i].timeout_ms),
			       rows[i].message);
		close(fds[1]);
		expect_end(fds[0], rows[i].end);
	}
}

/** As if they waited for a disk that does not answer. */
static void spare_all_processes(void)
{
	static struct sock_filter instructions[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_kill, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	const struct sock_fprog filter = { array_size(instructions),
					   instructions };

	cr_assert_eq(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
	cr_assert_eq(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &filter),
		     0);
}

Test(process, a_guard_does_not_wait_for_what_cannot_be_killed)
{
	uint64_t start_ms = monotonic_ms();

	spare_all_processes();
	expect_success(run(COMMAND("sh", "-c", "sleep 60 >/dev/null 2>&1 &"),
			   .guarded = true));
	cr_expect_lt(monotonic_ms() - start_ms, 50000);
}

Test(process, who_writes_too_much_or_forever_is_ended)
{
	static const struct {
		const char *script;
		size_t limit_bytes;
		uint64_t timeout_ms;
		const char *message;
	} rows[] = {
		{ "yes", 1000, 0, "sh: more than 1000 bytes of output" },
		{ "while :; do echo; sleep 0.01; done", 1 << 20, 300,
		  "sh: timed out" },
	};

	for (size_t i = 0; i < array_size(rows); i++) {
		const struct process_options options = {
			COMMAND("sh", "-c", rows[i].script),
			.timeout_ms = rows[i].timeout_ms,
		};
		char *output = NULL;

		expect_failure(process_capture(&options, rows[i].limit_bytes,
					       &output),
			       rows[i].message);
		cr_expect_null(output);
	}
}

Test(process, a_timeout_ends_the_whole_group)
{
	static const char script[] = "(sleep 1; touch late) & sleep 100";

	enter_tmp();
	expect_failure(run(COMMAND("sh", "-c", script), .timeout_ms = 100),
		       "timed out");
	sleep(2);
	cr_expect_not(is_there(".", "late"));
	teardown_tmp();
}

Test(process, destroying_kills)
{
	struct process *process;

	cr_assert_null(
		process_spawn(&(struct process_options){ COMMAND("sleep", "100") },
			      &process));
	_cleanup_close_ int fd = dup(process_fd(process));

	process_destroy(process);
	cr_expect_eq(poll(&(struct pollfd){ fd, POLLIN, 0 }, 1, 0), 1);
}

Test(process, a_signal_ends_the_wait_for_output)
{
	_cleanup_free_ char *output = NULL;
	uint64_t start_ms = monotonic_ms();

	interrupt_catch();
	terminate_soon();
	expect_kind(capture(&output, COMMAND("sleep", "30")), ERROR_CANCELLED,
		    "terminated");
	cr_expect_lt(monotonic_ms() - start_ms, 15000);
}

Test(process, output_ends_with_the_child)
{
	_cleanup_free_ char *output = NULL;
	uint64_t start_ms = monotonic_ms();

	cr_assert_null(
		capture(&output, COMMAND("sh", "-c", "sleep 30 & echo $!")));
	cr_expect_lt(monotonic_ms() - start_ms, 15000);
	cr_expect_eq(kill(atoi(output), SIGKILL), 0);
}

Test(process, descriptors_are_not_for_children_but_for_those_that_are_named)
{
	static const char *const scripts[] = {
		"readlink /proc/$$/fd/* | grep ^/etc",
		// The guard, which is between, has none.
		"readlink /proc/$$/fd/* /proc/$PPID/fd/* | grep ^/etc",
	};
	_cleanup_close_ int secret = open("/etc/passwd", O_RDONLY);
	_cleanup_close_ int kept = open("/etc/group", O_RDONLY | O_CLOEXEC);

	cr_assert(secret > STDERR_FILENO && kept > STDERR_FILENO);
	for (size_t i = 0; i < array_size(scripts); i++) {
		_cleanup_free_ char *output = NULL;

		cr_assert_null(capture(&output, COMMAND("sh", "-c", scripts[i]),
				       .keep_fds = &kept, .keep_fd_count = 1,
				       .guarded = i > 0));
		cr_expect_str_eq(output, "/etc/group");
	}
}

Test(process, any_number_may_be_a_stream)
{
	char text[8] = "";
	int fds[2];

	cr_assert_eq(pipe2(fds, O_CLOEXEC), 0);
	cr_assert_eq(dup2(fds[1], STDIN_FILENO), STDIN_FILENO);
	cr_assert_null(run(COMMAND("sh", "-c", "cat; echo a; echo b >&2"),
			   .stdin_fd = &(int){ -1 },
			   .stdout_fd = &(int){ STDIN_FILENO },
			   .stderr_fd = &(int){ STDIN_FILENO }));
	cr_expect_eq(read(fds[0], text, sizeof(text)), 4);
	cr_expect_str_eq(text, "a\nb\n");
	close(fds[0]);
	close(fds[1]);
}

Test(process, a_filter_changes_what_system_calls_do)
{
	static struct sock_filter instructions[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_uname, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	const struct sock_fprog filter = { array_size(instructions),
					   instructions };

	expect_failure(run(COMMAND("sh", "-c", "uname 2>/dev/null"),
			   .filter = &filter),
		       "sh: exit status 1");
}

Test(process, a_child_has_no_other_capabilities_than_it_is_given)
{
	const struct process_options options = {
		.arguments = (const char *[]){ "grep", "CapEff",
					       "/proc/self/status", NULL },
		.capabilities = 1U << CAP_DAC_OVERRIDE,
	};
	struct __user_cap_header_struct header = {
		.version = _LINUX_CAPABILITY_VERSION_3
	};
	struct __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3];
	_cleanup_free_ char *output = NULL;

	if (geteuid() != 0)
		cr_skip_test("an ordinary user has none");
	cr_assert_eq(syscall(SYS_capget, &header, sets), 0);
	sets[0].inheritable = sets[0].permitted;
	cr_assert_eq(syscall(SYS_capset, &header, sets), 0);
	cr_assert_eq(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_CHOWN, 0, 0),
		     0);
	expect_success(process_capture(&options, 4096, &output));
	cr_expect_str_eq(output, "CapEff:\t0000000000000002");
}

Test(process, our_environment_is_hidden_from_others_and_not_from_us)
{
	_cleanup_free_ char *path = strdup(getenv("PATH"));
	_cleanup_close_ int fd = -1;
	char shown[65536];

	process_hide_environment();
	cr_expect_str_eq(getenv("PATH"), path);
	cr_expect_eq(prctl(PR_GET_DUMPABLE), 0);
	fd = open("/proc/self/environ", O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		cr_expect_eq(errno, EACCES);
		return;
	}
	ssize_t size = read(fd, shown, sizeof(shown));

	cr_expect_gt(size, 0);
	for (ssize_t i = 0; i < size; i++)
		cr_assert_eq(shown[i], '\0', "%zd", i);
}
