// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/suite/suite_report.h"

#include <criterion/criterion.h>
#include <string.h>

#include "common/base/text.h"
#include "vm/suite/suite.h"

Test(junit, text_is_escaped)
{
	static const struct {
		const char *in, *out;
	} rows[] = {
		{ "", "" },
		{ "plain \xc3\xa9", "plain \xc3\xa9" },
		{ "<a b=\"c\" d='e'> & ]]>",
		  "&#60;a b=&#34;c&#34; d=&#39;e&#39;&#62; &#38; ]]&#62;" },
		{ "a\nb\tc", "a&#10;b&#9;c" },
		{ "a\rb\x01\x1b[0m\x7f"
		  "c\xc2\x85",
		  "ab[0mc" },
		{ "a\xff\xed\xa0\x80"
		  "b",
		  "ab" },
		{ "a\xef\xbf\xbe\xef\xbf\xbf\xef\xbf\xbd", "a\xef\xbf\xbd" },
	};

	for (size_t i = 0; i < array_size(rows); i++) {
		_cleanup_free_ char *out = junit_text(rows[i].in);

		cr_expect_str_eq(out, rows[i].out, "row %zu: %s", i, out);
	}
}

Test(junit, failures_and_errors_are_told_apart)
{
	// clang-format off
	struct suite_item items[] = {
		{ .name = "passed", .arch = "x86_64", .state = SUITE_PASSED, .phase_ms = { [SUITE_BOOT] = 1200, [SUITE_COMMAND] = 34 } },
		{ .name = "flaky", .arch = "arm", .state = SUITE_FLAKY, .reason = (char *)"lost at first" },
		{ .name = "known", .arch = "arm", .state = SUITE_EXPECTED_FAILURE, .reason = (char *)"a < b" },
		{ .name = "failed", .arch = "arm", .state = SUITE_FAILED, .reason = (char *)"exit status 3", .log_end = (char *)"1 < 2\n" },
		{ .name = "slow", .arch = "arm", .state = SUITE_TIMED_OUT },
		{ .name = "lost", .arch = "arm", .state = SUITE_LOST, .reason = (char *)"<panic>" },
		{ .name = "away", .arch = "arm", .state = SUITE_NOT_RUN },
	};
	// clang-format on
	struct ktap_test tests[] = {
		{ (char *)"s: a", KTAP_PASSED, (char *)"" },
		{ (char *)"s: <b>", KTAP_FAILED, (char *)"why" },
		{ (char *)"c", KTAP_SKIPPED, (char *)"no disk" },
		{ (char *)"d", KTAP_TODO, (char *)"" },
	};
	struct ktap ktap = { .items = tests, .count = array_size(tests) };
	items[2].tests = items[3].tests = &ktap;
	const struct suite suite = { items, array_size(items) };
	static const char *const expected[] = {
		"<testsuites name=\"vmtest\" tests=\"15\" failures=\"3\" errors=\"2\" time=\"12.345\">",
		"<testsuite name=\"make &#34;check&#34;\"",
		" skipped=\"6\" timestamp=\"2026-01-31T12:00:00\">",
		"<testcase classname=\"vmtest.x86_64\" name=\"passed\" time=\"1.234\">",
		"<testcase classname=\"vmtest.arm\" name=\"flaky\"",
		"<property name=\"boot_ms\" value=\"1200\"/>",
		"<property name=\"flaky\" value=\"lost at first\"/>",
		"<skipped message=\"a &#60; b\"/>",
		"<failure type=\"failed\" message=\"exit status 3\">1 &#60; 2&#10;</failure>",
		"<failure type=\"timed out\" message=\"\"></failure>",
		"<testcase classname=\"vmtest.arm.failed\" name=\"s: a\" time=\"0.000\"/>",
		"classname=\"vmtest.arm.failed\" name=\"s: &#60;b&#62;\" time=\"0.000\"><failure type=\"failed\" message=\"why\"/></testcase>",
		"classname=\"vmtest.arm.failed\" name=\"c\" time=\"0.000\"><skipped message=\"no disk\"/></testcase>",
		// What is expected to fail has no failures.
		"classname=\"vmtest.arm.known\" name=\"s: &#60;b&#62;\" time=\"0.000\"><skipped message=\"why\"/></testcase>",
		"<error type=\"lost\" message=\"&#60;panic&#62;\"></error>",
		"<error type=\"not run\" message=\"\"></error>",
	};
	_cleanup_free_ char *xml =
		junit_format(&suite, "make \"check\"", 1769860800, 12345);

	for (size_t i = 0; i < array_size(expected); i++)
		cr_expect(strstr(xml, expected[i]), "%s in %s", expected[i], xml);
}
