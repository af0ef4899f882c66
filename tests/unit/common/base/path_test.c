// SPDX-License-Identifier: LGPL-2.1-or-later

#include "common/base/file.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/memory.h"
#include "tests/unit/errors.h"
#include "tests/unit/files.h"

static void setup(void)
{
	static const char *const directories[] = { "rw/inner", "other/deep" };
	static const char *const links[][2] = {
		{ "rw", "to-rw" },	  { "rw/out/x", "through-rw" },
		{ "../other", "rw/out" }, { "loop", "loop" },
		{ "gone/x", "dangling" }, { "/proc/self/cwd/rw", "magic" },
	};

	enter_tmp();
	for (size_t i = 0; i < array_size(directories); i++)
		expect_success(directory_create(directories[i]));
	for (size_t i = 0; i < array_size(links); i++)
		cr_assert_eq(symlink(links[i][0], links[i][1]), 0);
	put_file(".", "rw/file", "");
}

TestSuite(path, .init = setup, .fini = teardown_tmp);

Test(path, leads_where_the_kernel_goes)
{
	static const struct {
		const char *path, *end;
		bool is_there;
	} rows[] = {
		{ ".", "", true },
		{ "./rw//inner/", "/rw/inner", true },
		{ "rw/file", "/rw/file", true },
		{ "to-rw/inner/..", "/rw", true },
		{ "rw/out/deep", "/other/deep", true },
		{ "through-rw", "/other/x", false },
		{ "new/dir/file", "/new/dir/file", false },
		{ "new/../rw", "/rw", true },
		{ "dangling", "/gone/x", false },
		{ "magic", "/rw", true },
		{ "rw/file/x", "/rw/file/x", false },
	};
	_cleanup_free_ char *here = realpath(".", NULL);

	for (size_t i = 0; i < array_size(rows); i++) {
		_cleanup_free_ char *end =
			string_format("%s%s", here, rows[i].end);
		_cleanup_path_way_ struct path_way way = { 0 };

		expect_success(path_follow(rows[i].path, &way));
		cr_expect_str_eq(way.path, end, "%s: %s", rows[i].path, way.path);
		cr_expect_eq(way.is_there, rows[i].is_there, "%s", rows[i].path);
	}
	struct path_way way = { 0 };
	expect_kind(path_follow("loop/x", &way), ERROR_OS, "Too many levels");
	_cleanup_path_way_ struct path_way root = { 0 };
	expect_success(path_follow("/../..", &root));
	cr_expect_str_eq(root.path, "/");
}

Test(path, who_can_write_on_the_way_has_a_say)
{
	static const struct {
		const char *path, *place;
		bool passes;
	} rows[] = {
		{ "rw", "rw", true },
		{ "rw/new/file", "rw", true },
		{ "to-rw/new", "rw", true },
		{ "rw/new", "to-rw", true },
		{ "magic/new", "rw", true },
		{ "new/../rw/x", "rw", true },
		// What is elsewhere, by a link that is not.
		{ "rw/out/deep", "rw", true },
		{ "through-rw", "rw", true },
		{ "other/deep", "rw", false },
		{ "rw-too/x", "rw", false },
		{ ".", "rw", false },
		{ "rw", ".", true },
		// Nobody writes to what is not there.
		{ "gone/x", "gone", false },
	};

	for (size_t i = 0; i < array_size(rows); i++) {
		_cleanup_path_way_ struct path_way way = { 0 }, place = { 0 };

		expect_success(path_follow(rows[i].path, &way));
		expect_success(path_follow(rows[i].place, &place));
		cr_expect_eq(path_way_passes(&way, &place), rows[i].passes,
			     "%s, %s", rows[i].path, rows[i].place);
	}
}

Test(path, others_are_neither_root_nor_the_caller)
{
	enum {
		CALLER = 4001,
		SUDO = 4002,
		OTHER = 4003,
		GROUP = 4004,
	};
	static const struct {
		mode_t mode;
		uid_t owner;
		gid_t group;
		const char *exposure;
	} rows[] = {
		{ 0755, CALLER, GROUP, NULL },
		{ 0700, SUDO, GROUP, NULL },
		{ 0644, 0, GROUP, NULL },
		{ 0644, OTHER, GROUP, "belongs to user 4003" },
		{ 0757, CALLER, GROUP, "may be written to by others (mode 757)" },
		{ 01777, 0, 0, "may be written to by others (mode 777)" },
		{ 0664, CALLER, GROUP, "may be written to by others (mode 664)" },
		// Such a group is the user's own.
		{ 0664, 0, 0, NULL },
		{ 0664, 0, GROUP, "may be written to by others (mode 664)" },
	};

	for (size_t i = 0; i < array_size(rows); i++) {
		const struct stat st = { .st_mode = S_IFREG | rows[i].mode,
					 .st_uid = rows[i].owner,
					 .st_gid = rows[i].group };
		_cleanup_free_ char *exposure =
			path_exposure(".", &st, CALLER, SUDO);

		if (rows[i].exposure && exposure)
			cr_expect_str_eq(exposure, rows[i].exposure);
		cr_expect_eq(!exposure, !rows[i].exposure, "row %zu", i);
	}
}
