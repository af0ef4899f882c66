// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/rootfs/rootfs.h"

#include <criterion/criterion.h>

#include "common/kernel/catalog.h"
#include "tests/unit/errors.h"

static const struct catalog_arch arch = {
	.name = "aarch64",
	.debian_arch = "arm64",
};

static const struct rootfs_host able = {
	.user = "me",
	.has_mmdebstrap = true,
	.has_newuidmap = true,
	.has_subordinate_ids = true,
	.has_keyring = true,
	.is_foreign = true,
	.has_arch_test = true,
	.runs_arch = true,
	.has_binfmt_misc = true,
};

Test(rootfs_host, what_is_missing_is_named_with_what_to_do)
{
	struct rootfs_host cases[8];
	static const char *const remedies[] = {
		"install the package mmdebstrap",
		"install the package debian-archive-keyring",
		"install the package uidmap",
		"usermod --add-subuids 100000-165535 --add-subgids 100000-165535 me",
		"as root: sysctl user.max_user_namespaces=10000",
		"install the package arch-test",
		"programs of aarch64 do not run here: binfmt_misc is not mounted",
		"install the packages qemu-user-static and binfmt-support",
	};

	for (size_t i = 0; i < array_size(cases); i++)
		cases[i] = able;
	cases[0].has_mmdebstrap = false;
	cases[1].has_keyring = false;
	cases[2].has_newuidmap = false;
	cases[3].has_subordinate_ids = false;
	cases[4].forbidding = "user.max_user_namespaces=10000";
	cases[5].has_arch_test = cases[5].runs_arch = false;
	cases[6].has_binfmt_misc = cases[6].runs_arch = false;
	cases[7].runs_arch = false;
	for (size_t i = 0; i < array_size(cases); i++)
		expect_failure(rootfs_host_check(&cases[i], &arch), remedies[i]);
}

Test(rootfs_host, nothing_is_asked_for_without_need)
{
	struct rootfs_host native = able;
	struct rootfs_host root = able;

	cr_expect_null(rootfs_host_check(&able, &arch));
	native.is_foreign = native.has_arch_test = native.runs_arch = false;
	native.has_binfmt_misc = false;
	cr_expect_null(rootfs_host_check(&native, &arch));
	root.is_root = true;
	root.has_newuidmap = root.has_subordinate_ids = false;
	root.forbidding = "user.max_user_namespaces=10000";
	cr_expect_null(rootfs_host_check(&root, &arch));
}

Test(rootfs_host, this_machine_can_be_looked_at)
{
	struct rootfs_host host = { 0 };

	cr_assert_null(rootfs_host_look(&arch, false, &host));
	cr_expect_not(host.is_foreign);
	cr_expect_eq(host.is_root, geteuid() == 0);
}
