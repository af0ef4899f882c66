// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/qemu/confine.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <unistd.h>

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
static void run_confined(const struct row *rows, size_t count,
			 const struct confinement *confinement)
{
	_cleanup_close_ int fd = -1;

	cr_assert_null(confinement_make(confinement, &fd));
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

/** Add one of the test's own. */
static void add(struct string_list *list, const char *name)
{
	_cleanup_free_ char *path = in_tmp(name);
	_cleanup_free_ char *real = realpath(path, NULL);

	string_list_add(list, real);
}

static void hide_system(struct confinement *confinement)
{
	static const char *const names[] = { "/dev", "/proc", "/run", "/sys" };

	for (size_t i = 0; i < array_size(names); i++)
		string_list_add(&confinement->hidden, names[i]);
}

Test(confine, hides_some_and_leaves_all_else_to_be_read)
{
	static const struct row rows[] = {
		{ "cat /proc/self/environ", false },
		{ "cat /proc/1/cmdline", false },
		{ "cat /proc/version", false },
		{ "cat /sys/devices/system/cpu/online", false },
		{ "cat /dev/tty0", false },
		{ "cat /dev/shm/vmtest-*", false },
		{ "read -r line </etc/passwd", true },
		{ "head -c 1 /dev/zero >/dev/null", true },
		{ "read -r line </proc/cpuinfo", true },
		{ "cat beside/file", true },
		{ "cat hidden/file", false },
		{ "cat hidden/deep/er/file", false },
		{ "cat hidden/deep/shown/file", true },
		{ ": >beside/new", false },
		{ "chmod 700 beside && rm beside/file", false },
		{ "mv beside/file changed/", false },
		{ "mkdir changed/a changed/b && : >changed/a/x", true },
		{ "mv changed/a/x changed/b && ln changed/b/x changed/a/x", true },
	};
	static const char *const files[] = {
		"beside/file",	       "hidden/file",
		"hidden/deep/er/file", "hidden/deep/shown/file",
		"changed/file",
	};
	char shared[] = "/dev/shm/vmtest-XXXXXX";
	_cleanup_close_ int fd = mkstemp(shared);
	_cleanup_confinement_ struct confinement confinement = {
		.reads_host = true,
	};

	for (size_t i = 0; i < array_size(files); i++)
		put_file(tmp, files[i], "text");
	hide_system(&confinement);
	add(&confinement.hidden, "hidden");
	add(&confinement.shown, "hidden/deep/shown");
	add(&confinement.writable, "changed");
	confinement_show(&confinement, "/proc/cpuinfo");
	confinement_show(&confinement, "/no/such");
	run_confined(rows, array_size(rows), &confinement);
	unlink(shared);
}

Test(confine, what_is_shown_may_hold_what_is_hidden)
{
	static const struct row rows[] = {
		{ "cat outer/inner/file", true },
		{ "cat outer/inner/secret/file", false },
		{ "cat outer/file", false },
	};
	_cleanup_confinement_ struct confinement confinement = {
		.reads_host = true,
	};

	put_file(tmp, "outer/file", "");
	put_file(tmp, "outer/inner/file", "");
	put_file(tmp, "outer/inner/secret/file", "");
	add(&confinement.hidden, "outer");
	add(&confinement.hidden, "outer/inner/secret");
	add(&confinement.shown, "outer/inner");
	run_confined(rows, array_size(rows), &confinement);
}

Test(confine, who_is_open_changes_what_it_can_and_reads_no_more)
{
	static const struct row rows[] = {
		{ "cat /proc/version", false },
		{ "mkdir a b && : >a/x && mv a/x b && ln b/x a/x", true },
	};
	_cleanup_confinement_ struct confinement confinement = {
		.reads_host = true,
		.is_open = true,
	};

	hide_system(&confinement);
	run_confined(rows, array_size(rows), &confinement);
}

Test(confine, a_server_of_one_directory_reads_no_other)
{
	static const struct row rows[] = {
		{ "mkdir a/x && : >a/x/f && mv a/x/f a/f && ln -s f a/l", true },
		{ "truncate -s 0 a/f && rm -r a/x a/l a/f", true },
		{ "read -r line <a/new || true", true },
		{ "read -r line <b/old", false },
		{ "read -r line </etc/passwd", false },
		{ "read -r line </proc/version", false },
		{ "echo >b/f", false },
		{ "mkdir b/x", false },
		{ "mv b/old a/", false },
		{ "truncate -s 0 b/old", false },
		{ "rm b/old", false },
	};
	static const char *const needed[] = { "/usr", "/lib", "/lib64", "/bin",
					      "/etc/ld.so.cache" };
	_cleanup_confinement_ struct confinement confinement = { 0 };

	put_file(tmp, "a/new", "");
	put_file(tmp, "b/old", "text");
	for (size_t i = 0; i < array_size(needed); i++)
		confinement_show(&confinement, needed[i]);
	add(&confinement.writable, "a");
	run_confined(rows, array_size(rows), &confinement);
	expect_contents(tmp, "b/old", "text");
}

Test(confine, forbids_what_the_kernel_can)
{
	static const struct {
		int abi;
		bool writes, is_open, has_network;
		bool works;
		unsigned int network, scopes;
		/** The highest right. */
		uint64_t files;
	} rows[] = {
		{ -1, false, false, false, false, 0, 0, 0 },
		{ 0, false, false, false, false, 0, 0, 0 },
		{ 1, false, false, false, true, 0, 0, 1 << 12 },
		// It could not rename.
		{ 1, true, false, false, false, 0, 0, 0 },
		{ 2, true, false, false, true, 0, 0, 1 << 13 },
		{ 3, false, false, false, true, 0, 0, 1 << 14 },
		{ 4, false, false, false, true, 3, 0, 1 << 14 },
		{ 4, false, false, true, true, 0, 0, 1 << 14 },
		{ 5, false, false, false, true, 3, 0, 1 << 15 },
		{ 6, true, false, false, true, 3, 3, 1 << 15 },
		{ 9, true, true, false, true, 0, 0, 1 << 13 },
	};

	for (size_t i = 0; i < array_size(rows); i++) {
		_cleanup_confinement_ struct confinement confinement = {
			.is_open = rows[i].is_open,
			.has_network = rows[i].has_network,
		};
		struct landlock_rights rights;

		if (rows[i].writes)
			string_list_add(&confinement.writable, "/x");
		cr_expect_eq(confinement_rights(&confinement, rows[i].abi,
						&rights),
			     rows[i].works, "row %zu", i);
		cr_expect_eq(rights.network, rows[i].network, "row %zu", i);
		cr_expect_eq(rights.scopes, rows[i].scopes, "row %zu", i);
		cr_expect(rights.files >= rows[i].files &&
				  rights.files <
					  2 * rows[i].files + !rows[i].files,
			  "row %zu: %llx", i, (unsigned long long)rights.files);
	}
}
