// SPDX-License-Identifier: LGPL-2.1-or-later

#include "kbuild/source/source.h"

#include <criterion/criterion.h>
#include <string.h>

#include "common/base/error.h"
#include "common/base/memory.h"
#include "tests/unit/errors.h"
#include "tests/unit/files.h"

TestSuite(source_facts, .init = setup_tmp, .fini = teardown_tmp);
TestSuite(source_version, .init = setup_tmp, .fini = teardown_tmp);

Test(source_facts, are_read_as_they_were_written)
{
	_cleanup_source_ struct source written = { 0 }, read = { 0 };

	cr_assert(kernel_version_parse("6.12-rc3", &written.version));
	written.url = string_copy("https://example.org/linux \"6\"");
	memset(written.digest, 'a', DIGEST_TEXT_SIZE - 1);
	written.signature = string_copy("A. Name, 0123");
	string_list_add(&written.patches, "0001-a.patch");
	string_list_add(&written.patches, "0002-ä.patch");
	string_list_add(&written.patches, "no UTF-8: \xff");
	cr_assert_null(source_facts_write(&written, tmp));
	cr_assert_null(source_facts_read(tmp, &read));
	cr_expect_eq(kernel_version_compare(&read.version, &written.version), 0);
	cr_expect_str_eq(read.url, written.url);
	cr_expect_str_eq(read.digest, written.digest);
	cr_expect_str_eq(read.signature, written.signature);
	cr_assert_eq(read.patches.count, 3);
	cr_expect_str_eq(read.patches.items[1], "0002-ä.patch");
	cr_expect_str_eq(read.patches.items[2], "no UTF-8: \uFFFD");
}

Test(source_facts, that_are_malformed_are_refused)
{
#define FACTS(version, digest, patches)                                        \
	"{\"version\": \"" version "\", \"url\": \"u\", \"digest\": \"" digest \
	"\", \"signature\": \"unsigned\", \"patches\": " patches "}"
	static const char *const texts[] = {
		"",
		"[]",
		"{\"version\": \"6.12\", \"url\": \"u\", \"digest\": \"\"}",
		// Of a program that proved nothing.
		"{\"version\": \"6.12\", \"url\": \"u\", \"digest\": \"\", \"patches\": []}",
		FACTS("six", "", "[]"),
		FACTS("6.12", "abc", "[]"),
		FACTS("6.12", "", "{}"),
		FACTS("6.12", "", "[\"a\", 1]"),
		FACTS("6.12", "", "[]"),
	};

	for (size_t i = 0; i < array_size(texts); i++) {
		_cleanup_source_ struct source source = { 0 };
		bool is_last = i + 1 == array_size(texts);

		put_file(tmp, ".vmtest-source.json", texts[i]);
		_cleanup_error_ struct error *err =
			source_facts_read(tmp, &source);
		cr_expect_eq(!err, is_last, "%s", texts[i]);
		cr_expect(is_last || error_is(err, ERROR_OTHER), "%s", texts[i]);
		cr_expect_eq(!!source.url, is_last, "%s", texts[i]);
	}
}

Test(source_version, is_what_the_makefile_says)
{
	static const struct {
		const char *makefile, *version;
	} cases[] = {
		{ "# SPDX\nVERSION = 6\nPATCHLEVEL = 12\nSUBLEVEL = 117\nEXTRAVERSION =\n",
		  "6.12.117" },
		{ "VERSION = 6\nPATCHLEVEL = 12\nSUBLEVEL = 0\nEXTRAVERSION =\n",
		  "6.12" },
		{ "VERSION = 7\nPATCHLEVEL = 3\nSUBLEVEL = 0\nEXTRAVERSION = -rc2\n",
		  "7.3-rc2" },
		{ "VERSION=4\nPATCHLEVEL\t=\t9\nSUBLEVEL = 337  \nEXTRAVERSION = \n",
		  "4.9.337" },
		{ "VERSION = 6\nPATCHLEVEL = 1\nSUBLEVEL = 2\nEXTRAVERSION =\nVERSION = 9\n",
		  "6.1.2" },
		{ "VERSIONS = 9\nVERSION = 6\nPATCHLEVEL = 1\nSUBLEVEL = 2\nEXTRAVERSION =",
		  "6.1.2" },
	};

	for (size_t i = 0; i < array_size(cases); i++) {
		struct kernel_version version;
		char text[KERNEL_VERSION_TEXT_SIZE];

		put_file(tmp, "Makefile", cases[i].makefile);
		cr_assert_null(source_version_read(tmp, &version), "%s",
			       cases[i].version);
		kernel_version_format(&version, text);
		cr_expect_str_eq(text, cases[i].version);
	}
}

Test(source_version, refuses_what_has_no_name_at_kernel_org)
{
	static const char *const makefiles[] = {
		"",
		"all:\n\tcc -o x x.c\n",
		"VERSION = 6\nPATCHLEVEL = 12\nSUBLEVEL = 117\n",
		"VERSION = six\nPATCHLEVEL = 12\nSUBLEVEL = 1\nEXTRAVERSION =\n",
		"VERSION =\nPATCHLEVEL = 12\nSUBLEVEL = 1\nEXTRAVERSION =\n",
		"VERSION = -6\nPATCHLEVEL = 12\nSUBLEVEL = 1\nEXTRAVERSION =\n",
		"VERSION = 6\nPATCHLEVEL = 12\nSUBLEVEL = 1\nEXTRAVERSION = -mine\n",
		"VERSION = 6\nPATCHLEVEL = 12\nSUBLEVEL = 1\nEXTRAVERSION = -rc1\n",
		"VERSION = 6\nPATCHLEVEL = 12\nSUBLEVEL = 0\nEXTRAVERSION = -rc0\n",
		"VERSION = 6666666666666\nPATCHLEVEL = 12\nSUBLEVEL = 0\nEXTRAVERSION =\n",
		"VERSION = 66666666666666666\nPATCHLEVEL = 12\nSUBLEVEL = 0\nEXTRAVERSION =\n",
		"#VERSION = 6\nPATCHLEVEL = 12\nSUBLEVEL = 117\nEXTRAVERSION =\n",
	};

	struct kernel_version version;
	expect_kind(source_version_read(tmp, &version), ERROR_USAGE,
		    "it has no Makefile");
	for (size_t i = 0; i < array_size(makefiles); i++) {
		put_file(tmp, "Makefile", makefiles[i]);
		_cleanup_error_ struct error *err =
			source_version_read(tmp, &version);
		cr_expect(error_is(err, ERROR_USAGE), "%s", makefiles[i]);
	}
}
