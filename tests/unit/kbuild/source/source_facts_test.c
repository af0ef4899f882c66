// SPDX-License-Identifier: LGPL-2.1-or-later

#include "kbuild/source/source_facts.h"

#include <criterion/criterion.h>
#include <string.h>

#include "common/base/directory.h"
#include "common/base/error.h"
#include "common/base/file.h"
#include "common/base/memory.h"
#include "kbuild/source/source.h"

static char folder[] = "/tmp/source_facts_test.XXXXXX";
static char *path;

static void setup(void)
{
	cr_assert(mkdtemp(folder));
	path = string_format("%s/facts.json", folder);
}

static void teardown(void)
{
	free(path);
	error_destroy(directory_remove(folder));
}

TestSuite(source_facts, .init = setup, .fini = teardown);

Test(source_facts, are_read_as_they_were_written)
{
	_cleanup_source_ struct source written = { 0 }, read = { 0 };

	cr_assert(kernel_version_parse("6.12-rc3", &written.version));
	written.url = string_copy("https://example.org/linux \"6\"");
	memset(written.digest, 'a', DIGEST_TEXT_SIZE - 1);
	string_list_add(&written.patches, "0001-a.patch");
	string_list_add(&written.patches, "0002-ä.patch");
	cr_assert_null(source_facts_write(&written, path));
	cr_assert_null(source_facts_read(path, &read));
	cr_expect_eq(kernel_version_compare(&read.version, &written.version), 0);
	cr_expect_str_eq(read.url, written.url);
	cr_expect_str_eq(read.digest, written.digest);
	cr_assert_eq(read.patches.count, 2);
	cr_expect_str_eq(read.patches.items[1], "0002-ä.patch");
}

Test(source_facts, that_are_not_utf_8_are_not_written)
{
	_cleanup_source_ struct source source = { 0 };

	cr_assert(kernel_version_parse("6.12", &source.version));
	source.url = string_copy("a");
	string_list_add(&source.patches, "\xff.patch");
	_cleanup_error_ struct error *err = source_facts_write(&source, path);
	cr_assert(error_is(err, ERROR_OTHER));
	cr_expect(strstr(error_message(err), "'\xff.patch' is not UTF-8"));
	cr_expect_not(file_exists(path));
}

Test(source_facts, that_are_malformed_are_refused)
{
#define FACTS(version, digest, patches)                                        \
	"{\"version\": \"" version "\", \"url\": \"u\", \"digest\": \"" digest \
	"\", \"patches\": " patches "}"
	static const char *const texts[] = {
		"",
		"[]",
		"{\"version\": \"6.12\", \"url\": \"u\", \"digest\": \"\"}",
		FACTS("six", "", "[]"),
		FACTS("6.12", "abc", "[]"),
		FACTS("6.12", "", "{}"),
		FACTS("6.12", "", "[\"a\", 1]"),
	};
	struct source source = { 0 };

	for (size_t i = 0; i < array_size(texts); i++) {
		cr_assert_null(file_write(path, texts[i], strlen(texts[i])));
		_cleanup_error_ struct error *err =
			source_facts_read(path, &source);
		cr_expect(error_is(err, ERROR_OTHER), "%s", texts[i]);
		cr_expect_null(source.url, "%s", texts[i]);
	}
	cr_assert_null(file_write(path, FACTS("6.12", "", "[]"),
				  strlen(FACTS("6.12", "", "[]"))));
	cr_assert_null(source_facts_read(path, &source));
	source_deinit(&source);
}
