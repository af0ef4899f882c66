// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/qemu/confinement.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/error.h"
#include "common/process/process.h"

static struct error *run(const char *script)
{
	_cleanup_close_ int fd = -1;

	cr_assert_null(confinement_create(&fd));
	if (fd < 0)
		cr_skip_test("the kernel has no Landlock, or an old one");
	return process_run(&(struct process_options){
		.arguments = (const char *[]){ "sh", "-c", script, NULL },
		.ruleset_fd = &fd,
	});
}

Test(confinement, closes_proc)
{
	static const char *const paths[] = {
		"/proc/self/environ",
		"/proc/1/cmdline",
		"/proc/version",
	};

	for (size_t i = 0; i < array_size(paths); i++) {
		_cleanup_free_ char *script = NULL;
		struct error *err;

		cr_assert_geq(asprintf(&script, "! cat %s 2>/dev/null", paths[i]),
			      0);
		err = run(script);
		cr_expect_null(err, "%s", paths[i]);
		error_destroy(err);
	}
}

Test(confinement, leaves_all_else_as_it_is)
{
	static const char *const scripts[] = {
		"read -r line </etc/passwd",
		"head -c 1 /dev/zero >/dev/null",
		"read -r line </proc/cpuinfo",
		"cd \"$(mktemp -d)\" && mkdir a b && : >a/x && mv a/x b && "
		"ln b/x a/x && cd .. && rm -r \"$OLDPWD\"",
	};

	for (size_t i = 0; i < array_size(scripts); i++) {
		struct error *err = run(scripts[i]);

		cr_expect_null(err, "%s", scripts[i]);
		error_destroy(err);
	}
}
