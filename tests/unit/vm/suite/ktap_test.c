// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/suite/ktap.h"

#include <criterion/criterion.h>
#include <string.h>

#include "common/base/memory.h"
#include "common/base/text.h"

/** The tests, a line each: `+`, `-`, `s` or `t`, the name, and why. */
static char *read_tests(const char *text, size_t step)
{
	_cleanup_ktap_ struct ktap ktap = { 0 };
	_cleanup_string_builder_ struct string_builder sb = { 0 };
	size_t size = strlen(text);

	for (size_t i = 0; i < size; i += step)
		ktap_feed(&ktap, text + i, size - i < step ? size - i : step);
	ktap_end(&ktap);
	for (size_t i = 0; i < ktap.count; i++)
		string_builder_appendf(&sb, "%c%s%s%s|",
				       "+-st"[ktap.items[i].result],
				       ktap.items[i].name,
				       *ktap.items[i].reason ? "=" : "",
				       ktap.items[i].reason);
	return string_builder_take(&sb);
}

Test(ktap, results_are_found_among_other_lines)
{
	static const struct {
		const char *text, *expected;
	} rows[] = {
		{ "", "" },
		// Without a version it is any text.
		{ "ok 1 a\nnot ok 2 b\n", "" },
		{ "hello\nTAP version 13\n1..2\nok 1 - a\nnoise\nnot ok 2 - b\n",
		  "+a|-b|" },
		{ "KTAP version 1\r\n1..1\r\nok 1 a b \r\n", "+a b|" },
		// The last line need not end.
		{ "TAP version 14\nok\nok - x\nnot ok 7", "+1|+x|-3|" },
		{ "TAP version 13\nokay\nnot okay\nnot\nok1\n", "" },
		// Directives.
		{ "TAP version 13\nok 1 a # SKIP no disk\nnot ok 2 b # skip\n"
		  "not ok 3 c # TODO later\nok 4 d # XFAIL\nok 5 e #Skipped: x\n",
		  "sa=no disk|sb|tc=later|td|se=x|" },
		{ "TAP version 13\nnot ok 1 a # TIMEOUT 45 seconds\n",
		  "-a=TIMEOUT 45 seconds|" },
		{ "TAP version 13\nok 1 a # time=3\nok 2 #12 of b#3\n"
		  "ok 3 issue #12 # SKIP x\n",
		  "+a|+#12 of b#3|sissue #12=x|" },
		// Plans.
		{ "TAP version 13\n1..0 # SKIP nothing to do\n", "" },
		{ "TAP version 13\n1..3\nok 1 a\n",
		  "+a|-missing tests=3 were planned, and 1 have a result|" },
		{ "TAP version 13\nok 1 a\n1..1\nTAP version 13\n1..1\n",
		  "+a|-missing tests=1 were planned, and 0 have a result|" },
		{ "TAP version 13\n1..3\nok 1 a\nBail out! no more\nok 2 b\n",
		  "+a|-Bail out!=no more|" },
		// Tests of tests.
		{ "KTAP version 1\n1..2\n"
		  "    KTAP version 1\n    # Subtest: s\n    1..2\n"
		  "    ok 1 a\n    not ok 2 b\nnot ok 1 s\nok 2 t\n",
		  "+s: a|-s: b|+t|" },
		{ "KTAP version 1\n  KTAP version 1\n    KTAP version 1\n"
		  "    ok 1 x\n  ok 1 m\n  ok 2 n\nok 1 o\n",
		  "+o: m: x|+o: n|" },
		// It failed by itself.
		{ "KTAP version 1\n  1..1\n  ok 1 a\nnot ok 1 s # TIMEOUT\n",
		  "+s: a|-s=TIMEOUT|" },
		{ "KTAP version 1\n1..1\n  1..2\n  ok 1 a\nok 1 s\n",
		  "+s: a|-s: missing tests=2 were planned, and 1 have a result|" },
		// As kselftest prints them.
		{ "TAP version 13\n1..2\n# selftests: mm: x\n# ok then\n"
		  "# TAP version 13\n# 1..2\n# ok 1 a\n# # ok 9 z\n# not ok 2 b\n"
		  "not ok 1 selftests: mm: x # exit=1\n# ok 3 message\n"
		  "ok 2 selftests: mm: y\n",
		  "+selftests: mm: x: a|-selftests: mm: x: b|+selftests: mm: y|" },
		{ "TAP version 13\nok 1 a\001\033[31mb\xff\n",
		  "+ab" UTF8_REPLACEMENT "|" },
	};

	for (size_t i = 0; i < array_size(rows); i++) {
		for (size_t step = 1; step < 20; step += 9) {
			_cleanup_free_ char *found =
				read_tests(rows[i].text, step);

			cr_expect_str_eq(found, rows[i].expected, "row %zu: %s",
					 i, found);
		}
	}
}

Test(ktap, what_has_no_end_is_cut)
{
	_cleanup_ktap_ struct ktap ktap = { 0 };
	static const char version[] = "KTAP version 1\n";
	static const char deeper[] = "                        ";

	ktap_feed(&ktap, version, strlen(version));
	for (int i = 0; i < KTAP_TESTS_MAX + 5; i++)
		ktap_feed(&ktap, "ok 1 x\n", 7);
	for (int i = 0; i < 100 * KTAP_LINE_MAX; i++)
		ktap_feed(&ktap, "ok 1 xxxxxx", 11);
	for (size_t i = 0; i < strlen(deeper); i++) {
		ktap_feed(&ktap, deeper, i);
		ktap_feed(&ktap, "ok 1 x\n", 7);
	}
	ktap_feed(&ktap, "1..99999999999999999999999\n", 27);
	ktap_end(&ktap);
	cr_expect(ktap.is_cut);
	cr_expect_eq(ktap.count, KTAP_TESTS_MAX);
	for (size_t i = 0; i < ktap.count; i++)
		cr_assert_leq(strlen(ktap.items[i].name), KTAP_NAME_MAX + 8);
}
