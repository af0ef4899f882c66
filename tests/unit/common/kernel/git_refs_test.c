// SPDX-License-Identifier: LGPL-2.1-or-later

#include "common/kernel/remote.h"

#include <criterion/criterion.h>
#include <string.h>

#include "tests/unit/errors.h"

#define A "1111111111111111111111111111111111111111"
#define B "2222222222222222222222222222222222222222"
#define HEAD "001e# service=git-upload-pack\n0000"
#define CAPABILITIES "\0multi_ack side-band-64k agent=git/2.39.5\n"

/** A literal may hold null bytes. */
#define parse(text, list) ref_list_parse(text, sizeof(text) - 1, list)

Test(git_refs, follows_tags_to_their_commits)
{
	_cleanup_ref_list_ struct ref_list list = { 0 };
	static const char text[] = HEAD "005b" A " HEAD" CAPABILITIES "003e" A
					" refs/heads/v6.12\n"
					"003d" B " refs/tags/v6.12\n"
					"0040" A " refs/tags/v6.12^{}\n"
					"003e" B " refs/tags/v6.12.1"
					"0000";
	static const struct {
		const char *ref, *name, *commit;
	} cases[] = {
		{ "HEAD", "HEAD", A },
		{ "v6.12", "refs/tags/v6.12", A },
		{ "refs/heads/v6.12", "refs/heads/v6.12", A },
		{ "v6.12.1", "refs/tags/v6.12.1", B },
	};

	expect_success(parse(text, &list));
	cr_expect_eq(list.count, 4);
	for (size_t i = 0; i < array_size(cases); i++) {
		const struct ref *ref = ref_list_find(&list, cases[i].ref);

		cr_assert_not_null(ref, "%s", cases[i].ref);
		cr_expect_str_eq(ref->name, cases[i].name);
		cr_expect_str_eq(ref->commit, cases[i].commit);
	}
	cr_expect_null(ref_list_find(&list, "v6.13"));
	cr_expect_null(ref_list_find(&list, "refs/tags/v6.12^{}"));
	cr_expect_null(ref_tag(&list.items[1]));
	cr_expect_str_eq(ref_tag(&list.items[2]), "v6.12");
}

Test(git_refs, a_repository_may_have_none)
{
	_cleanup_ref_list_ struct ref_list list = { 0 };

	cr_assert_null(parse(HEAD "0066"
				  "0000000000000000000000000000000000000000"
				  " capabilities^{}" CAPABILITIES "0000",
			     &list));
	cr_expect_eq(list.count, 0);
	cr_assert_null(parse(HEAD "0000", &list));
	cr_expect_eq(list.count, 0);
}

Test(git_refs, takes_the_longer_names_of_sha256_and_shallow_repositories)
{
	_cleanup_ref_list_ struct ref_list list = { 0 };

	cr_assert_null(parse(HEAD "004c" A "111111111111111111111111 "
				  "refs/v1"
				  "0034shallow " A "0000",
			     &list));
	cr_assert_eq(list.count, 1);
	cr_expect_eq(strlen(list.items[0].commit), 64);
}

Test(git_refs, a_peeled_name_needs_its_tag)
{
	_cleanup_ref_list_ struct ref_list list = { 0 };

	cr_assert_null(parse(HEAD "003c" A " refs/tags/v1^{}"
				  "0039" B " refs/tags/v2"
				  "003c" A " refs/tags/v3^{}"
				  "0000",
			     &list));
	cr_assert_eq(list.count, 1);
	cr_expect_str_eq(list.items[0].commit, B);
}

Test(git_refs, refuses_what_is_no_list)
{
	// clang-format off
#define CASE(text, words) { text, sizeof(text) - 1, words }
	static const struct {
		const char *text;
		size_t size;
		const char *words;
	} cases[] = {
		CASE("", "not a list of git refs"),
		CASE("<!doctype html>", "not a list of git refs"),
		CASE(A "\trefs/heads/master\n", "not a list of git refs"),
		CASE("001f# service=git-receive-pack\n0000", "not a list of git refs"),
		CASE("0000", "not a list of git refs"),
		CASE("001e# service=git-upload-pack\n", "cut short"),
		CASE(HEAD, "cut short"),
		CASE(HEAD "0039" A " refs/tags/v1", "after 1"),
		CASE(HEAD "003a" A " refs/tags/v1", "after 0"),
		CASE(HEAD "0039" A " refs/tags/v10001", "after 1"),
		CASE(HEAD "0003", "damaged"),
		CASE(HEAD "+039" A " refs/tags/v1", "damaged"),
		CASE(HEAD "000eversion 2\n0000", "damaged"),
		CASE(HEAD "0038" A "refs/tags/v1" "0000", "damaged"),
		CASE(HEAD "002d" A " 0000", "damaged"),
		CASE(HEAD "0008" A " refs/tags/v1" "0000", "damaged"),
		CASE(HEAD "0010ERR no\x1b[31m\n0000", "refuses: no?[31m"),
	};
	// clang-format on

	for (size_t i = 0; i < array_size(cases); i++) {
		_cleanup_ref_list_ struct ref_list list = { 0 };
		expect_kind(ref_list_parse(cases[i].text, cases[i].size, &list),
			    ERROR_OTHER, cases[i].words);
		cr_expect_eq(list.count, 0);
	}
}
