// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/qemu/qemu.h"

#include <criterion/criterion.h>

#include "common/base/cleanup.h"
#include "common/base/error.h"
#include "common/process/process.h"

Test(qemu_link, confinement_closes_proc_and_leaves_all_else_as_it_is)
{
	static const char *const scripts[] = {
		"! cat /proc/self/environ 2>/dev/null",
		"! cat /proc/1/cmdline 2>/dev/null",
		"! cat /proc/version 2>/dev/null",
		"read -r line </etc/passwd",
		"head -c 1 /dev/zero >/dev/null",
		"read -r line </proc/cpuinfo",
		"cd \"$(mktemp -d)\" && mkdir a b && : >a/x && mv a/x b && "
		"ln b/x a/x && cd .. && rm -r \"$OLDPWD\"",
	};

	_cleanup_close_ int fd = -1;
	cr_assert_null(qemu_confine(&fd));
	if (fd < 0)
		cr_skip_test("the kernel has no Landlock, or an old one");
	for (size_t i = 0; i < array_size(scripts); i++) {
		_cleanup_error_ struct error *err =
			process_run(&(struct process_options){
				.arguments = (const char *[]){ "sh", "-c",
							       scripts[i], NULL },
				.ruleset_fd = &fd,
			});

		cr_expect_null(err, "%s", scripts[i]);
	}
}
