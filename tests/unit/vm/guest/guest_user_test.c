// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/guest/guest_internal.h"

#include <criterion/criterion.h>
#include <string.h>

#include "common/base/error.h"
#include "common/base/file.h"
#include "common/base/memory.h"

static char *make_root(void)
{
	static const char passwd[] =
		"root:x:0:0:root:/root:/bin/bash\n"
		"nonsense\n"
		"u:x:1000:1000::/home/u:\n";
	static const char group[] = "root:x:0:\n"
				    "u:x:1000:u\n"
				    "kvm:x:103:v,u\n"
				    "wheel:x:10:u\n";
	char *root = NULL;
	int lock_fd;

	cr_assert_null(directory_create_temporary("/tmp", "user-test", &root,
						  &lock_fd));

	_cleanup_free_ char *etc = path_join(root, "etc");
	_cleanup_free_ char *passwd_path = path_join(root, "etc/passwd");
	_cleanup_free_ char *group_path = path_join(root, "etc/group");

	cr_assert_null(directory_create(etc));
	cr_assert_null(file_write(passwd_path, passwd, strlen(passwd)));
	cr_assert_null(file_write(group_path, group, strlen(group)));
	return root;
}

Test(guest_user, names_and_numbers_are_looked_up_in_the_guest_s_root)
{
	static const struct {
		const char *request;
		/** What there is; NULL for an error of use. */
		const char *name, *home, *shell, *groups;
		unsigned int uid, gid;
	} rows[] = {
		{ NULL, "root", "/root", "/bin/bash", "0", 0, 0 },
		{ "u", "u", "/home/u", "/bin/sh", "1000,103,10", 1000, 1000 },
		{ "1000", "u", "/home/u", "/bin/sh", "1000,103,10", 1000, 1000 },
		{ "u:kvm", "u", "/home/u", "/bin/sh", "103", 1000, 103 },
		{ "1000:5", "u", "/home/u", "/bin/sh", "5", 1000, 5 },
		{ "77", "77", "/", "/bin/sh", "77", 77, 77 },
		{ "77:8", "77", "/", "/bin/sh", "8", 77, 8 },
		{ "v", NULL, NULL, NULL, NULL, 0, 0 },
		{ "u:x", NULL, NULL, NULL, NULL, 0, 0 },
		{ "u:", NULL, NULL, NULL, NULL, 0, 0 },
		{ "", NULL, NULL, NULL, NULL, 0, 0 },
		{ "-1", NULL, NULL, NULL, NULL, 0, 0 },
		{ "4294967295", NULL, NULL, NULL, NULL, 0, 0 },
	};
	_cleanup_directory_ char *root = make_root();

	for (size_t i = 0; i < array_size(rows); i++) {
		struct guest_user user = { 0 };
		struct error *err = guest_user_find(root, rows[i].request, &user);

		if (!rows[i].name) {
			cr_expect(error_is(err, ERROR_USAGE), "row %zu", i);
			error_destroy(err);
		} else {
			cr_assert_null(err, "row %zu", i);
			cr_expect_str_eq(user.name, rows[i].name);
			cr_expect_str_eq(user.home, rows[i].home);
			cr_expect_str_eq(user.shell, rows[i].shell);
			cr_expect_str_eq(user.groups, rows[i].groups, "row %zu: %s", i, user.groups);
			cr_expect_eq(user.uid, rows[i].uid);
			cr_expect_eq(user.gid, rows[i].gid);
		}
		guest_user_deinit(&user);
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
