// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/qemu/qemu.h"

#include <criterion/criterion.h>
#include <fcntl.h>

#include "common/base/cleanup.h"
#include "common/base/error.h"
#include "common/process/process.h"
#include "tests/unit/files.h"

TestSuite(confine, .init = setup_tmp, .fini = teardown_tmp);

struct row {
	const char *script;
	bool works;
};

/** Run scripts, in the test's directory. */
static void run_confined(const struct row *rows, size_t count, int directory_fd,
			 bool maps_ids)
{
	_cleanup_close_ int fd = -1;

	cr_assert_null(qemu_confine(directory_fd, maps_ids, &fd));
	if (fd < 0)
		cr_skip_test("the kernel has no Landlock, or an old one");
	for (size_t i = 0; i < count; i++) {
		_cleanup_error_ struct error *err = process_run(&(
			struct process_options){
			.arguments = (const char *[]){ "sh", "-c",
						       rows[i].script, NULL },
			.directory = tmp,
			.ruleset_fd = &fd,
		});

		cr_expect_eq(!err, rows[i].works, "%s", rows[i].script);
	}
}

Test(confine, closes_proc_and_leaves_all_else_as_it_is)
{
	static const struct row rows[] = {
		{ "cat /proc/self/environ", false },
		{ "cat /proc/1/cmdline", false },
		{ "cat /proc/version", false },
		{ "read -r line </etc/passwd", true },
		{ "head -c 1 /dev/zero >/dev/null", true },
		{ "read -r line </proc/cpuinfo", true },
		{ "mkdir a b && : >a/x && mv a/x b && ln b/x a/x", true },
	};

	run_confined(rows, array_size(rows), -1, false);
}

Test(confine, who_may_change_a_directory_changes_nothing_else)
{
	static const struct row rows[] = {
		{ "mkdir a/x && : >a/x/f && mv a/x/f a/f && ln -s f a/l", true },
		{ "truncate -s 0 a/f && rm -r a/x a/l a/f", true },
		{ "read -r line </etc/passwd && read -r line </proc/version",
		  true },
		{ "echo >b/f", false },
		{ "mkdir b/x", false },
		{ "mv b/old a/", false },
		{ "truncate -s 0 b/old", false },
		{ "rm b/old", false },
		{ "echo x >>/proc/self/comm", false },
	};
	static const struct row mapping = { "echo x >>/proc/self/comm", true };

	put_file(tmp, "a/new", "");
	put_file(tmp, "b/old", "text");

	_cleanup_free_ char *path = in_tmp("a");
	_cleanup_close_ int fd = open(path, O_PATH | O_CLOEXEC);

	run_confined(rows, array_size(rows), fd, false);
	run_confined(&mapping, 1, fd, true);
	expect_contents(tmp, "b/old", "text");
}
