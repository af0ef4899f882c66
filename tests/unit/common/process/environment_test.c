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

static void expect(char **environment, const char *const *expected)
{
	for (; *environment && *expected; environment++, expected++)
		cr_expect_str_eq(*environment, *expected);
	cr_expect_null(*environment);
	cr_expect_null(*expected);
}

Test(environment, children_have_variables_by_their_whole_name)
{
	static const char *const names[] = { "ENV_KEPT", "ENV_MISSING",
					     "ENV_CHANGED", NULL };
	static const char *const changes[] = { "ENV_SET=", "ENV_CHANGED=c=d",
					       "ENV_UNSET", NULL };
	static const char *const kept[] = { "ENV_KEPT=a=b", NULL };
	static const char *const changed[] = { "ENV_KEPT=a=b",
					       "ENV_SET=", "ENV_CHANGED=c=d",
					       NULL };
	static const char *const all[] = { "ENV=x", "ENV_KEPT=a=b",
					   "ENV_SET=", "ENV_CHANGED=c=d", NULL };
	_cleanup_free_ char **some = NULL;
	_cleanup_free_ char **more = NULL;
	_cleanup_free_ char **most = NULL;

	clearenv();
	setenv("ENV", "x", 1);
	setenv("ENV_KEPT", "a=b", 1);
	some = environment_of_child(names, false, NULL);
	expect(some, kept);
	setenv("ENV_CHANGED", "x", 1);
	setenv("ENV_UNSET", "x", 1);
	more = environment_of_child(names, false, changes);
	expect(more, changed);
	most = environment_of_child(NULL, false, changes);
	expect(most, all);
	// Ours stays as it is.
	cr_expect_str_eq(getenv("ENV_UNSET"), "x");
}

Test(environment, tokens_are_for_few_children)
{
	static const char *const names[] = {
		"GITHUB_TOKEN",
		"GH_TOKEN",
		"ACTIONS_ID_TOKEN_REQUEST_TOKEN",
		"ACTIONS_RUNTIME_TOKEN",
		NULL,
	};
	static const char *const others[] = { "GITHUB_REPOSITORY=octo/kernels",
					      NULL };
	_cleanup_free_ char **without = NULL;
	_cleanup_free_ char **with = NULL;

	clearenv();
	for (size_t i = 0; names[i]; i++)
		setenv(names[i], "secret", 1);
	setenv("GITHUB_REPOSITORY", "octo/kernels", 1);
	without = environment_of_child(NULL, false, NULL);
	expect(without, others);
	with = environment_of_child(names, true, NULL);
	for (size_t i = 0; i < array_size(names) - 1; i++)
		cr_assert(with[i], "%s", names[i]);
}
