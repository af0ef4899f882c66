// SPDX-License-Identifier: LGPL-2.1-or-later

#include "common/archive/archive.h"

#include <criterion/criterion.h>
#include <string.h>

#include "tests/unit/errors.h"
#include "tests/unit/files.h"

static const char digest_of_abc[] =
	"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

Test(digest, agrees_with_the_standard)
{
	static const struct {
		const char *text, *digest;
	} cases[] = {
		{ "",
		  "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
		{ "abc", digest_of_abc },
		{ "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
		  "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1" },
	};

	for (size_t i = 0; i < array_size(cases); i++) {
		char text[DIGEST_TEXT_SIZE];

		digest_buffer(cases[i].text, strlen(cases[i].text), text);
		cr_expect_str_eq(text, cases[i].digest, "%s", cases[i].text);
	}
}

Test(digest, does_not_depend_on_the_pieces)
{
	_cleanup_digest_ struct digest *digest = digest_create();
	char text[DIGEST_TEXT_SIZE];

	digest_update(digest, "a", 1);
	digest_update(digest, "", 0);
	digest_update(digest, "bc", 2);
	digest_finish(digest, text);
	cr_expect_str_eq(text, digest_of_abc);
}

Test(digest, of_a_file_comes_with_its_size)
{
	char text[DIGEST_TEXT_SIZE];
	uint64_t size;

	enter_tmp();
	put_file(".", "file", "abc");
	cr_assert_null(digest_file("file", text, &size));
	cr_expect_str_eq(text, digest_of_abc);
	cr_expect_eq(size, 3);
	expect_kind(digest_file("none", text, NULL), ERROR_OS, "none");
	teardown_tmp();
}

Test(digest, is_valid_only_in_one_spelling)
{
	static const char *const wrong[] = {
		"",
		digest_of_abc + 1,
		"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad0",
		"BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD",
		"ga7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
	};

	cr_expect(digest_is_valid(digest_of_abc));
	for (size_t i = 0; i < array_size(wrong); i++)
		cr_expect_not(digest_is_valid(wrong[i]), "'%s'", wrong[i]);
}
