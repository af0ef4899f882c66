// SPDX-License-Identifier: LGPL-2.1-or-later

#include "common/http/http.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/error.h"

Test(limits, come_from_the_environment)
{
	struct limits limits;

	unsetenv("VMTEST_RETRY_SECONDS");
	setenv("VMTEST_STALL_SECONDS", "", 1);
	cr_assert_null(limits_read(&limits));
	cr_expect_eq(limits.retry_ms, 300000);
	cr_expect_eq(limits.stall_ms, 60000);
	cr_expect_eq(limits.silence_ms, 30000);
	setenv("VMTEST_RETRY_SECONDS", "0", 1);
	setenv("VMTEST_STALL_SECONDS", "86400", 1);
	setenv("VMTEST_SILENCE_SECONDS", "1", 1);
	cr_assert_null(limits_read(&limits));
	cr_expect_eq(limits.retry_ms, 0);
	cr_expect_eq(limits.stall_ms, 86400000);
	cr_expect_eq(limits.silence_ms, 1000);
}

Test(limits, that_are_no_numbers_are_wrong_usage)
{
	static const char *const cases[] = {
		"0", "-1", "1.5", "1s", "86401", "99999999999999999999",
	};

	for (size_t i = 0; i < array_size(cases); i++) {
		struct limits limits;
		_cleanup_error_ struct error *err = NULL;

		setenv("VMTEST_STALL_SECONDS", cases[i], 1);
		err = limits_read(&limits);
		cr_assert(error_is(err, ERROR_USAGE), "%s", cases[i]);
		cr_expect(strstr(error_message(err), "VMTEST_STALL_SECONDS"));
	}
}
