// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/share.h"

#include <criterion/criterion.h>
#include <string.h>

#include "common/error.h"

static const struct string_list none = STRING_LIST_INIT;

static struct share_request request_on_host(void)
{
	return (struct share_request){
		.root = "/",
		.package = "/tmp/kernel",
		.modules = "/usr/lib/modules/6.12",
		.directory = "/home/u",
		.writable = &none,
		.extra = &none,
		.init = "/usr/share/vmtest",
		.config = "CONFIG_CGROUPS=y\n# CONFIG_DEBUG_FS is not set\n",
	};
}

Test(share, the_host_s_root_shows_all_but_what_the_guest_mounts)
{
	static const struct {
		const char *root;
		const char *path;
		bool shown;
	} rows[] = {
		{ "/", "/", true },	    { "/", "/home/u", true },
		{ "/", "/tmp/x", true },    { "/", "/run", false },
		{ "/", "/run/u", false },   { "/", "/runner", true },
		{ "/", "/dev/shm", false }, { "/", "/sys/x", false },
		{ "/srv", "/home", false },
	};

	for (size_t i = 0; i < array_size(rows); i++)
		cr_expect_eq(share_root_shows(rows[i].root, rows[i].path),
			     rows[i].shown, "%s in %s", rows[i].path,
			     rows[i].root);
}

Test(share, on_the_host_s_root_one_read_only_share_is_enough)
{
	struct share_request request = request_on_host();
	_cleanup_share_plan_ struct share_plan plan = { 0 };

	cr_assert_null(share_plan_compute(&request, &plan));
	cr_expect_eq(plan.count, 1);
	cr_expect_str_eq(plan.items[0].path, "/");
	cr_expect_not(plan.items[0].writable);
	cr_expect_not(plan.writable);
	cr_expect_not(plan.init_shared);
	cr_expect_str_empty(plan.late_mounts);
	cr_expect_not_null(strstr(
		plan.mounts,
		"/run/vmtest/root/tmp/kernel /run/vmtest/root/usr/lib/modules/6.12 none bind 0 0\n"));
	cr_expect_not_null(strstr(plan.mounts, " cgroup2 "));
	cr_expect_null(strstr(plan.mounts, "debugfs"));
}

Test(share, another_root_needs_shares_for_the_rest)
{
	struct share_request request = request_on_host();
	_cleanup_share_plan_ struct share_plan plan = { 0 };

	request.root = "/srv/root";
	cr_assert_null(share_plan_compute(&request, &plan));
	cr_expect_eq(plan.count, 4);
	cr_expect(plan.init_shared);
	for (size_t i = 0; i < plan.count; i++)
		cr_expect_not(plan.items[i].writable, "%s", plan.items[i].tag);
	cr_expect_not_null(strstr(plan.late_mounts, " /home/u overlay "));
	cr_expect(string_list_contains(&plan.late_directories, "/home/u"));
}

Test(share, another_root_keeps_what_the_guest_runs_from)
{
	static const struct {
		const char *root;
		const char *path;
		bool possible;
	} rows[] = {
		{ "/", "/usr", true },
		{ "/srv/root", "/usr", false },
		{ "/srv/root", "/", true },
		{ "/srv/root", "/usr/src/x", true },
		{ "/srv/root", "/etc", false },
		{ "/srv/root", "/etc/x", true },
		{ "/", "/dev", false },
		{ "/srv/root", "/tmp", true },
	};

	for (size_t i = 0; i < array_size(rows); i++) {
		struct share_request request = request_on_host();
		_cleanup_share_plan_ struct share_plan plan = { 0 };
		struct error *err;

		request.root = rows[i].root;
		request.directory = rows[i].path;
		err = share_plan_compute(&request, &plan);
		cr_expect_eq(!err, rows[i].possible, "%s in %s", rows[i].path,
			     rows[i].root);
		cr_expect(rows[i].possible || error_is(err, ERROR_USAGE));
		error_destroy(err);
	}
}

Test(share, only_what_is_asked_for_is_writable)
{
	struct share_request request = request_on_host();
	struct string_list writable = STRING_LIST_INIT;
	_cleanup_share_plan_ struct share_plan plan = { 0 };

	string_list_add(&writable, "/home/u/out put");
	string_list_add(&writable, "/run/x");
	request.writable = &writable;
	request.directory = "/run/x/y";
	cr_assert_null(share_plan_compute(&request, &plan));
	cr_assert_eq(plan.count, 3);
	cr_expect_not(plan.items[0].writable);
	cr_expect(plan.items[1].writable);
	cr_expect(plan.items[2].writable);
	cr_expect(plan.writable);
	cr_expect_not_null(strstr(plan.mounts,
				  "rw0 /run/vmtest/root/home/u/out\\040put 9p "));
	cr_expect_not_null(strstr(plan.late_mounts, "rw1 /run/x 9p "));
	string_list_deinit(&writable);
}

Test(share, extra_folders_are_seen_at_their_own_path_or_have_a_share)
{
	static const struct {
		const char *root;
		const char *path;
		const char *seen;
	} rows[] = {
		{ "/", "/tmp/m o", "/tmp/m o" },
		{ "/", "/run/m", "/run/vmtest/extra1" },
		{ "/srv/root", "/tmp/m", "/run/vmtest/extra1" },
	};

	for (size_t i = 0; i < array_size(rows); i++) {
		struct share_request request = request_on_host();
		_cleanup_string_list_ struct string_list extra = STRING_LIST_INIT;
		_cleanup_share_plan_ struct share_plan plan = { 0 };
		bool shared = strcmp(rows[i].path, rows[i].seen) != 0;

		string_list_add(&extra, "/usr/share/vmtest");
		string_list_add(&extra, rows[i].path);
		request.root = rows[i].root;
		request.extra = &extra;
		cr_assert_null(share_plan_compute(&request, &plan));
		cr_assert_eq(plan.extra.count, 2);
		cr_expect_str_eq(plan.extra.items[1], rows[i].seen);
		cr_expect_eq(strstr(plan.late_mounts,
				    "extra1 /run/vmtest/extra1 9p ro,") != NULL,
			     shared, "%s", rows[i].path);
		for (size_t j = 0; j < plan.count; j++)
			cr_expect_not(plan.items[j].writable);
	}
}
