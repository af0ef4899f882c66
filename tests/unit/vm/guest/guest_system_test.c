// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/guest/guest_internal.h"

#include <criterion/criterion.h>
#include <string.h>

#include "common/base/memory.h"
#include "common/kernel/catalog.h"
#include "tests/unit/errors.h"
#include "tests/unit/files.h"
#include "vm/kernel/kernel.h"

TestSuite(guest_system, .init = setup_tmp, .fini = teardown_tmp);

Test(guest_system, file_systems_are_those_that_the_kernel_has_built_in)
{
	static const struct {
		const char *config, *arch, *mount;
		bool mounted;
		const char *release;
	} rows[] = {
		// Temporary files lie on a tmpfs.
		{ "", "x86",
		  " " SHARE_STATE "/root" SHARE_TEMPORARY " tmpfs mode=1777 0 0\n",
		  true, "" },
		{ "CONFIG_CGROUPS=y\n# CONFIG_DEBUG_FS is not set\n", "x86",
		  "cgroup2 ", true, "" },
		{ "CONFIG_CGROUPS=y\n# CONFIG_DEBUG_FS is not set\n", "x86",
		  "debugfs", false, "" },
		{ "CONFIG_BINFMT_MISC=y\n", "x86", "binfmt_misc", true, "" },
		// What the kernel loads later is left to init.
		{ "CONFIG_BINFMT_MISC=m\n", "x86", "binfmt_misc", false, "" },
		{ "", "x86", "binfmt_misc", false, "" },
		{ "CONFIG_HUGETLBFS=y\n", "arm64", "hugetlbfs", true, "" },
		{ "CONFIG_HUGETLBFS=y\n", "s390", "hugetlbfs", false, "" },
		// From 6.19 on it is for security modules alone.
		{ "CONFIG_SECURITYFS=y\n", "x86", "securityfs", true,
		  "6.18.15-vmtest1.0tiny" },
		{ "CONFIG_SECURITYFS=y\n", "x86", "securityfs", false,
		  "6.19.0-vmtest1.0tiny" },
		{ "CONFIG_SECURITY=y\nCONFIG_SECURITYFS=y\n", "x86",
		  "securityfs", true, "7.3.4-vmtest1.0bpf" },
	};

	for (size_t i = 0; i < array_size(rows); i++) {
		const struct catalog_arch arch = { .source_arch = rows[i].arch };
		struct kernel kernel = { .path = tmp,
					 .config = (char *)rows[i].config };
		const struct guest_config config = {
			.qemu = { .kernel = &kernel, .arch = &arch },
			.root = tmp,
		};
		struct guest_plan plan = { .user = { .home = string_copy("/") } };

		strcpy(kernel.release, rows[i].release);
		expect_success(guest_system_plan(&plan, &config));
		cr_expect_eq(strstr(plan.shares.mounts.text, rows[i].mount) !=
				     NULL,
			     rows[i].mounted, "row %zu", i);
		cr_expect(string_list_contains(&plan.shares.directories,
					       SHARE_TEMPORARY));
		guest_plan_deinit(&plan);
	}
}
