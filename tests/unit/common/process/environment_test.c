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

	environment_hide();
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
