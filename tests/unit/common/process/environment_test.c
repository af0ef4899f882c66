// SPDX-License-Identifier: LGPL-2.1-or-later

#include "common/process/environment.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "common/base/cleanup.h"

Test(environment, is_hidden_from_others_and_not_from_us)
{
	_cleanup_free_ char *path = strdup(getenv("PATH"));
	_cleanup_close_ int fd = -1;
	char shown[65536];

	cr_assert_null(environment_hide());
	cr_expect_str_eq(getenv("PATH"), path);
	cr_expect_eq(prctl(PR_GET_DUMPABLE), 0);
	fd = open("/proc/self/environ", O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		cr_expect_eq(errno, EACCES);
		return;
	}
	ssize_t size = read(fd, shown, sizeof(shown));

	cr_expect_gt(size, 0);
	for (ssize_t i = 0; i < size; i++)
		cr_assert_eq(shown[i], '\0', "%zd", i);
}

Test(environment, variables_are_kept_by_their_whole_name)
{
	static const char *const names[] = { "ENV_KEPT", "ENV_MISSING", NULL };

	setenv("ENV_KEPT", "a=b", 1);
	setenv("ENV_KEPT_NOT", "x", 1);
	setenv("ENV", "x", 1);
	environment_keep(names);
	cr_expect_str_eq(environ[0], "ENV_KEPT=a=b");
	cr_expect_null(environ[1]);
	setenv("ENV_LATER", "c", 1);
	cr_expect_str_eq(getenv("ENV_LATER"), "c");
}

Test(environment, tokens_are_dropped)
{
	static const char *const names[] = {
		"GITHUB_TOKEN",
		"GH_TOKEN",
		"ACTIONS_ID_TOKEN_REQUEST_TOKEN",
		"ACTIONS_RUNTIME_TOKEN",
	};

	for (size_t i = 0; i < array_size(names); i++)
		setenv(names[i], "secret", 1);
	setenv("GITHUB_REPOSITORY", "octo/kernels", 1);
	environment_drop_tokens();
	for (size_t i = 0; i < array_size(names); i++)
		cr_expect_null(getenv(names[i]), "%s", names[i]);
	cr_expect_str_eq(getenv("GITHUB_REPOSITORY"), "octo/kernels");
}
