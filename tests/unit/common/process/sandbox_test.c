// SPDX-License-Identifier: LGPL-2.1-or-later

#include "common/process/sandbox.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/file.h"
#include "common/base/interrupt.h"
#include "common/base/memory.h"
#include "common/process/process.h"
#include "tests/unit/errors.h"
#include "tests/unit/files.h"

static void setup(void)
{
	interrupt_catch();
	setup_tmp();
	put_file(tmp, "readable/file", "open\n");
	put_file(tmp, "secret", "secret\n");
	put_file(tmp, "work/file", "");
	setenv("SECRET", "secret", 1);
	// What cannot be run is not found first.
	put_file(tmp, "programs/true", "");
	_cleanup_free_ char *program = in_tmp("programs/true");
	_cleanup_free_ char *path =
		string_format("%s/programs:%s", tmp, getenv("PATH"));
	cr_assert_eq(chmod(program, 0755), 0);
	setenv("PATH", path, 1);
}

TestSuite(sandbox, .init = setup, .fini = teardown_tmp);

/** Run a script, whose $1 is the directory of all, in one; what it prints. */
static struct error *run(const char *script, char **output_ret)
{
	struct error *err;
	_cleanup_string_list_ struct string_list readable = { 0 };
	_cleanup_sandbox_ struct sandbox sandbox = { .ruleset_fd = -1 };
	_cleanup_free_ char *work = in_tmp("work");
	struct process_options options = {
		.arguments =
			(const char *[]){ "sh", "-c", script, "sh", tmp, NULL },
		.timeout_ms = 30000,
	};

	string_list_addf(&readable, "%s/readable", tmp);
	string_list_addf(&readable, "%s/missing", tmp);
	err = sandbox_init(&readable, work, &sandbox);
	if (err)
		return err;
	if (sandbox.ruleset_fd < 0)
		cr_skip_test("the kernel has no Landlock");
	sandbox_apply(&sandbox, &options);
	return process_capture(&options, 4096, output_ret);
}

Test(sandbox, what_a_build_needs_is_allowed)
{
	static const struct {
		const char *script, *output;
	} rows[] = {
		{ "cat \"$1/readable/file\"", "open" },
		{ "true; echo $?", "0" },
		{ "ls \"$1/readable\"", "file" },
		{ "echo x >\"$HOME/file\"; mkdir \"$HOME/d\"; mv \"$HOME/file\" \"$HOME/d\"; "
		  "ln -s file \"$HOME/d/l\"; cat \"$HOME/d/l\"; rm -r \"$HOME/d\"",
		  "x" },
		{ "f=$(mktemp -d); cp /bin/true \"$f\"; \"$f/true\"; echo $?; mkfifo \"$TMPDIR/p\"",
		  "0" },
		{ "echo x >/dev/null; head -c 1 /dev/zero | tr '\\0' z", "z" },
		{ "grep -c '\\[stack]' /proc/self/maps", "1" },
		{ "cd \"$HOME\"; echo 'int main(void) { return 0; }' >m.c; cc -o m m.c && ./m && echo ok",
		  "ok" },
	};

	for (size_t i = 0; i < array_size(rows); i++) {
		_cleanup_free_ char *output = NULL;

		expect_success(run(rows[i].script, &output));
		cr_expect_str_eq(output, rows[i].output, "%s", rows[i].script);
	}
}

Test(sandbox, a_link_to_a_directory_of_the_system_is_one)
{
	_cleanup_free_ char *link = in_tmp("link");
	_cleanup_free_ char *gone = in_tmp("gone");
	_cleanup_free_ char *path = string_format("%s:%s", gone, link);
	_cleanup_free_ char *output = NULL;

	cr_assert_eq(symlink("/bin", link), 0);
	setenv("PATH", path, 1);
	expect_success(run("cat \"$1/readable/file\"", &output));
	cr_expect_str_eq(output, "open");
}

Test(sandbox, all_else_is_refused)
{
	static const char *const scripts[] = {
		"cat \"$1/secret\"",
		"ls \"$1\"",
		"echo >\"$1/new\"",
		"echo >>\"$1/secret\"",
		"echo >\"$1/readable/new\"",
		"rm \"$1/readable/file\"",
		"rm \"$1/secret\"",
		"mv \"$1/work/file\" \"$1/new\"",
		"ln \"$1/secret\" \"$1/work/mine\"",
		"ln -s \"$1/secret\" \"$1/work/link\"; cat \"$1/work/link\"",
		"truncate -s 0 \"$1/secret\"",
		"mknod \"$HOME/null\" c 1 3",
		"ls /proc",
		"cat /proc/1/environ",
		"cat /proc/$PPID/maps",
		"cat /proc/kcore",
		"echo >/proc/sys/kernel/hostname",
		"cat /etc/shadow",
		"cat /dev/kmsg",
		"kill -0 $PPID",
		"env | grep secret",
		"bash -c \"exec 3<>/dev/udp/127.0.0.1/1\"",
		"mount -t tmpfs none /mnt",
		"chroot / true",
		"chown 1 \"$HOME\"",
		"python3 -c 'import socket; socket.socket()'",
		"python3 -c 'import socket; socket.socket(socket.AF_UNIX)'",
		"python3 -c 'import socket; socket.socketpair()'",
		"python3 -c 'bytearray(5 << 30)'",
	};

	for (size_t i = 0; i < array_size(scripts); i++) {
		_cleanup_free_ char *script =
			string_format("exec 2>&1; %s", scripts[i]);
		_cleanup_free_ char *output = NULL;
		_cleanup_error_ struct error *err = run(script, &output);

		cr_expect(err, "%s: %s", scripts[i], output);
	}
	_cleanup_free_ char *path = in_tmp("secret");
	_cleanup_free_ char *text = NULL;
	expect_success(file_read(path, 100, &text, NULL));
	cr_expect_str_eq(text, "secret\n");
}
