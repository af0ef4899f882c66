// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/qemu/qemu.h"

#include <criterion/criterion.h>
#include <string.h>

#include "tests/unit/errors.h"

static const struct string_list none = { 0 };

static struct share_request request;
static struct share_plan plan;

/** What is asked for on a host's root, as each test begins. */
static void setup(void)
{
	request = (struct share_request){
		.root = "/",
		.package = "/tmp/kernel",
		.modules = "/usr/lib/modules/6.12",
		.directory = "/home/u",
		.writable = &none,
		.extra = &none,
		.init = "/usr/share/vmtest",
	};
}

static void teardown(void)
{
	share_plan_deinit(&plan);
}

TestSuite(share, .init = setup, .fini = teardown);

/** Plan anew. */
static void compute(void)
{
	share_plan_deinit(&plan);
	expect_success(share_plan_compute(&request, &plan));
}

/** Whether a list of mounts has one: four words. */
static bool has_mount(const struct string_list *mounts, const char *directory,
		      const char *type, const char *source)
{
	cr_expect_eq(mounts->count % 4, 0);
	for (size_t i = 0; i < mounts->count; i += 4) {
		if (strcmp(mounts->items[i], directory) == 0)
			return strcmp(mounts->items[i + 1], type) == 0 &&
			       strcmp(mounts->items[i + 3], source) == 0;
	}
	return false;
}

Test(share, on_the_host_s_root_one_read_only_share_is_enough)
{
	compute();
	cr_expect_eq(plan.count, 1);
	cr_expect_str_eq(plan.items[0].path, "/");
	cr_expect_not(plan.items[0].writable);
	cr_expect_not(plan.init_shared);
	cr_expect_eq(plan.early_mounts.count, 0);
	cr_expect_eq(plan.late_mounts.count, 0);
	cr_expect_eq(plan.late_directories.count, 0);
	cr_expect_str_eq(plan.package, "/tmp/kernel");
	cr_expect_not_null(strstr(
		plan.mounts.text,
		"overlay /run/vmtest/root/usr/lib/modules/6.12 overlay lowerdir=.,"));
}

Test(share, what_the_kernel_does_not_know_is_not_asked_of_it)
{
	compute();
	cr_expect_null(strstr(plan.mounts.text, "redirect_dir"));
	request.renames = true;
	compute();
	cr_expect_not_null(strstr(plan.mounts.text, "/work,redirect_dir=on 0 0"));
}

Test(share, another_root_needs_shares_for_the_rest)
{
	request.root = "/srv/root";
	compute();
	cr_expect_eq(plan.count, 4);
	cr_expect(plan.init_shared);
	for (size_t i = 0; i < plan.count; i++)
		cr_expect_not(plan.items[i].writable, "%s", plan.items[i].tag);
	cr_expect(has_mount(&plan.late_mounts, "/home/u", "overlay", "overlay"));
	cr_expect(has_mount(&plan.early_mounts, plan.package, "9p", "package"));
	cr_expect(string_list_contains(&plan.late_directories, "/home/u"));
}

Test(share, another_root_keeps_what_the_guest_runs_from)
{
	static const struct {
		const char *root, *path;
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
		request.root = rows[i].root;
		request.directory = rows[i].path;
		share_plan_deinit(&plan);
		_cleanup_error_ struct error *err =
			share_plan_compute(&request, &plan);
		cr_expect_eq(!err, rows[i].possible, "%s in %s", rows[i].path,
			     rows[i].root);
		cr_expect(!err || error_is(err, ERROR_USAGE));
	}
}

Test(share, only_what_is_asked_for_is_writable)
{
	struct string_list writable = { 0 };

	string_list_add(&writable, "/home/u/out put");
	string_list_add(&writable, "/run/x");
	request.writable = &writable;
	request.directory = "/run/x/y";
	compute();
	cr_assert_eq(plan.count, 3);
	cr_expect_not(plan.items[0].writable);
	cr_expect(plan.items[1].writable);
	cr_expect(plan.items[2].writable);
	cr_expect(has_mount(&plan.late_mounts, "/home/u/out put", "9p", "rw0"));
	cr_expect(has_mount(&plan.late_mounts, "/run/x", "9p", "rw1"));
	cr_expect_eq(plan.late_directories.count, 1);
	cr_expect(string_list_contains(&plan.late_directories, "/run/x"));
	request.virtiofs = VIRTIOFS_WRITABLE;
	compute();
	cr_expect(has_mount(&plan.late_mounts, "/run/x", "virtiofs", "rw1"));
	cr_expect_not(plan.items[0].is_virtiofs);
	cr_expect(plan.items[2].is_virtiofs);
	request.virtiofs = VIRTIOFS_ALWAYS;
	compute();
	for (size_t i = 0; i < plan.count; i++)
		cr_expect(plan.items[i].is_virtiofs);
	string_list_deinit(&writable);
}

Test(share, extra_directories_are_seen_at_their_own_path_or_have_a_share)
{
	static const struct {
		const char *root, *path, *seen;
	} rows[] = {
		{ "/", "/", "/" },
		{ "/", "/home/u", "/home/u" },
		{ "/", "/tmp/m o", "/tmp/m o" },
		{ "/", "/runner", "/runner" },
		{ "/", "/dev/shm", "/run/vmtest/extra1" },
		{ "/", "/sys/x", "/run/vmtest/extra1" },
		{ "/", "/tmp/m:o", "/run/vmtest/extra1" },
		{ "/", "/run/m", "/run/vmtest/extra1" },
		{ "/srv/root", "/tmp/m", "/run/vmtest/extra1" },
	};

	for (size_t i = 0; i < array_size(rows); i++) {
		_cleanup_string_list_ struct string_list extra = { 0 };
		bool shared = strcmp(rows[i].path, rows[i].seen) != 0;

		string_list_add(&extra, "/usr/share/vmtest");
		string_list_add(&extra, rows[i].path);
		request.root = rows[i].root;
		request.extra = &extra;
		compute();
		cr_assert_eq(plan.extra.count, 2);
		cr_expect_str_eq(plan.extra.items[1], rows[i].seen);
		cr_expect_eq(strstr(plan.mounts.text,
				    "extra1 /run/vmtest/root/run/vmtest/extra1 9p ro,") !=
				     NULL,
			     shared, "%s", rows[i].path);
		for (size_t j = 0; j < plan.count; j++)
			cr_expect_not(plan.items[j].writable);
	}
}

Test(share, no_name_of_the_host_s_is_in_the_table_of_mounts)
{
	static const char path[] = "/%sstrange # name\n";
	struct string_list writable = { 0 };
	struct string_list extra = { 0 };
	static const char *const roots[] = { "/", "/srv/strange" };

	string_list_addf(&writable, path, "w");
	string_list_addf(&writable, path, "run/w");
	string_list_addf(&extra, path, "e");
	for (size_t i = 0; i < array_size(roots); i++) {
		request.root = roots[i];
		request.package = "/kstrange # name";
		request.directory = "/dstrange # name";
		request.writable = &writable;
		request.extra = &extra;
		request.init = "/istrange # name";
		compute();
		cr_expect_null(strstr(plan.mounts.text, "strange"), "%s",
			       plan.mounts.text);
		for (const char *line = plan.mounts.text; *line;) {
			size_t length = strcspn(line, "\n");

			cr_expect_lt(length, 400, "%s", line);
			line += length + 1;
		}
	}
	string_list_deinit(&writable);
	string_list_deinit(&extra);
}

Test(share, init_has_its_own_share_if_a_command_line_cannot_name_it)
{
	char long_path[300] = "/";
	const struct {
		const char *path;
		bool shared;
	} rows[] = {
		{ "/usr/share/vmtest", false },
		{ "/a#b%c,d:e", false },
		{ "/a b", true },
		{ "/a'b", true },
		{ "/a\"b", true },
		{ "/a\\b", true },
		{ "/a\nb", true },
		{ "/a\xe9", true },
		{ "/run/x", true },
		{ long_path, true },
	};

	memset(long_path + 1, 'x', sizeof(long_path) - 2);
	for (size_t i = 0; i < array_size(rows); i++) {
		request.init = rows[i].path;
		compute();
		cr_expect_eq(plan.init_shared, rows[i].shared, "%s",
			     rows[i].path);
		cr_expect_eq(plan.count, rows[i].shared ? 2 : 1);
	}
}
