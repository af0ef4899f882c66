// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/guest/guest_internal.h"

#include <criterion/criterion.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/errors.h"
#include "tests/unit/files.h"

static const char passwd[] = "root:x:0:0:root:/root:/bin/bash\n"
			     "nonsense\n"
			     "u:x:1000:1000::/home/u:\n";
static const char group[] = "root:x:0:\n"
			    "u:x:1000:u\n"
			    "kvm:x:103:v,u\n"
			    "wheel:x:10:u\n";

TestSuite(guest_user, .init = setup_tmp, .fini = teardown_tmp);

Test(guest_user, names_and_numbers_are_looked_up_in_the_guest_s_root)
{
	static const struct {
		const char *request, *name, *home, *shell, *groups;
		unsigned int uid, gid;
	} rows[] = {
		{ NULL, "root", "/root", "/bin/bash", NULL, 0, 0 },
		{ "root", "root", "/root", "/bin/bash", "0", 0, 0 },
		{ "u", "u", "/home/u", "/bin/sh", "1000,103,10", 1000, 1000 },
		{ "1000", "u", "/home/u", "/bin/sh", "1000,103,10", 1000, 1000 },
		{ "u:kvm", "u", "/home/u", "/bin/sh", "103", 1000, 103 },
		{ "1000:5", "u", "/home/u", "/bin/sh", "5", 1000, 5 },
		{ "77", "77", "/", "/bin/sh", "77", 77, 77 },
		{ "77:8", "77", "/", "/bin/sh", "8", 77, 8 },
	};

	put_file(tmp, "etc/passwd", passwd);
	put_file(tmp, "etc/group", group);
	for (size_t i = 0; i < array_size(rows); i++) {
		struct guest_user user = { 0 };

		expect_success(guest_user_find(tmp, rows[i].request, &user));
		cr_expect_str_eq(user.name, rows[i].name);
		cr_expect_str_eq(user.home, rows[i].home);
		cr_expect_str_eq(user.shell, rows[i].shell);
		if (rows[i].groups)
			cr_expect_str_eq(user.groups, rows[i].groups,
					 "row %zu: %s", i, user.groups);
		else
			cr_expect_null(user.groups);
		cr_expect_eq(user.uid, rows[i].uid);
		cr_expect_eq(user.gid, rows[i].gid);
		guest_user_deinit(&user);
	}
	static const char *const unknown[] = { "v", "u:x", "u:",
					       "",  "-1",  "4294967295" };
	for (size_t i = 0; i < array_size(unknown); i++) {
		struct guest_user user = { 0 };
		_cleanup_error_ struct error *err =
			guest_user_find(tmp, unknown[i], &user);

		cr_expect(error_is(err, ERROR_USAGE), "%s", unknown[i]);
	}
}

Test(guest_user, a_root_without_tables_has_root)
{
	struct guest_user user = { 0 };

	cr_assert_null(guest_user_find("/no/such", NULL, &user));
	cr_expect_str_eq(user.name, "root");
	cr_expect_str_eq(user.home, "/root");
	guest_user_deinit(&user);
}

Test(guest_user, a_hostile_root_has_none, .timeout = 30)
{
	_cleanup_free_ char *path = in_tmp("etc/passwd");
	struct guest_user user = { 0 };

	put_file(tmp, "etc/passwd", "");
	for (int i = 0; i < 2; i++) {
		cr_assert_eq(unlink(path), 0);
		cr_assert_eq(i ? mkfifo(path, 0600) : symlink("/dev/zero", path),
			     0);
		expect_success(guest_user_find(tmp, NULL, &user));
		cr_expect_str_eq(user.home, "/root");
		guest_user_deinit(&user);
	}
}
