// SPDX-License-Identifier: LGPL-2.1-or-later

#include "common/http/http_internal.h"

#include <criterion/criterion.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "common/http/http.h"
#include "tests/unit/errors.h"

enum {
	NOW = 1700000000
};

Test(http_retry, tells_failures_from_limits_and_final_answers)
{
	// clang-format off
	static const struct {
		const char *claim;
		struct http_attempt attempt;
		unsigned int failures;
		enum http_verdict verdict;
		uint64_t at_least_ms, at_most_ms;
	} cases[] = {
		{ "200", { 200, .retry_after_s = -1 }, 0, HTTP_FINAL, 0, 0 },
		{ "404", { 404, .retry_after_s = -1 }, 0, HTTP_FINAL, 0, 0 },
		{ "422 with Retry-After", { 422, .retry_after_s = 1 }, 0, HTTP_FINAL, 0, 0 },
		{ "plain 403", { 403, .retry_after_s = -1 }, 0, HTTP_FINAL, 0, 0 },
		{ "broken", { .broken = true, .retry_after_s = -1 }, 0, HTTP_FAILED, 250, 500 },
		{ "500", { 500, .retry_after_s = -1 }, 0, HTTP_FAILED, 250, 500 },
		{ "500 again", { 500, .retry_after_s = -1 }, 3, HTTP_FAILED, 2000, 4000 },
		{ "500 for ever", { 500, .retry_after_s = -1 }, 1000, HTTP_FAILED, 15000, 30000 },
		{ "503 with a time", { 503, .retry_after_s = 7 }, 2, HTTP_FAILED, 7000, 7000 },
		{ "429 with a time", { 429, .retry_after_s = 9 }, 0, HTTP_LIMITED, 9000, 9000 },
		{ "429 at once", { 429, .retry_after_s = 0 }, 0, HTTP_LIMITED, 0, 0 },
		{ "429 without a time", { 429, .retry_after_s = -1 }, 0, HTTP_LIMITED, 60000, 60000 },
		{ "429 again", { 429, .retry_after_s = -1 }, 1, HTTP_LIMITED, 120000, 120000 },
		{ "429 for ever", { 429, .retry_after_s = -1 }, 1000, HTTP_LIMITED, 600000, 600000 },
		{ "403 that speaks of a limit", { 403, .retry_after_s = -1, .rate_message = true },
		  0, HTTP_LIMITED, 60000, 60000 },
		{ "exhausted", { 403, .retry_after_s = -1, .rate_reset_s = NOW + 90 },
		  0, HTTP_LIMITED, 91000, 91000 },
		{ "exhausted in the past", { 429, .retry_after_s = -1, .rate_reset_s = 5 },
		  0, HTTP_LIMITED, 1000, 1000 },
		{ "exhausted, and more", { 403, .retry_after_s = 100, .rate_reset_s = NOW + 90 },
		  0, HTTP_LIMITED, 100000, 100000 },
		{ "exhausted for ever", { 403, .retry_after_s = INT64_MAX, .rate_reset_s = INT64_MAX },
		  0, HTTP_LIMITED, UINT64_C(366) * 86400000, UINT64_C(366) * 86400000 + 1000 },
	};
	// clang-format on

	for (size_t i = 0; i < array_size(cases); i++) {
		for (uint32_t random = 0; random < 1000; random += 37) {
			uint64_t wait_ms = 0;
			enum http_verdict verdict =
				http_attempt_judge(&cases[i].attempt,
						   cases[i].failures, random,
						   NOW, &wait_ms);

			cr_assert_eq(verdict, cases[i].verdict, "%s",
				     cases[i].claim);
			cr_assert(wait_ms >= cases[i].at_least_ms &&
					  wait_ms <= cases[i].at_most_ms,
				  "%s: %ju ms", cases[i].claim,
				  (uintmax_t)wait_ms);
		}
	}
}

Test(http_retry, backoff_doubles_until_its_limit)
{
	static const struct {
		struct backoff backoff;
		unsigned int waits;
		uint64_t ms;
	} cases[] = {
		{ { 500, 30000 }, 0, 500 },
		{ { 500, 30000 }, 1, 1000 },
		{ { 500, 30000 }, 5, 16000 },
		{ { 500, 30000 }, 6, 30000 },
		{ { 500, 30000 }, UINT_MAX, 30000 },
		{ { 500, 200 }, 0, 200 },
		{ { 0, 30000 }, 1000, 0 },
		{ { 3, UINT64_MAX }, UINT_MAX, UINT64_MAX },
	};

	for (size_t i = 0; i < array_size(cases); i++) {
		uint64_t ms = backoff_ms(&cases[i].backoff, cases[i].waits);

		cr_expect_eq(ms, cases[i].ms, "%zu: %" PRIu64, i, ms);
	}
}

Test(http_retry, limits_come_from_the_environment)
{
	static const char *const wrong[] = {
		"0", "-1", "1.5", "1s", "86401", "99999999999999999999",
	};
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
	for (size_t i = 0; i < array_size(wrong); i++) {
		setenv("VMTEST_STALL_SECONDS", wrong[i], 1);
		expect_kind(limits_read(&limits), ERROR_USAGE,
			    "VMTEST_STALL_SECONDS");
	}
}
