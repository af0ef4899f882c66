// SPDX-License-Identifier: LGPL-2.1-or-later

#include "kbuild/source/patch_fix.h"

#include <string.h>

#include <criterion/criterion.h>

#include "common/base/error.h"

#define COMMIT "0123456789abcdef0123456789abcdef01234567"
#define SHA256                                                                 \
	"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static struct error *parse(const char *text, struct patch_fix *ret)
{
	return patch_fix_parse(text, strlen(text), ret);
}

Test(patch_fix, is_read)
{
	_cleanup_patch_fix_ struct patch_fix fix = { 0 };

	cr_assert_null(parse("{\"commit\": \"" COMMIT "\", \"for\": \"<5.15 arm\","
			     " \"reason\": \"why\", \"sha256\": \"" SHA256 "\"}",
			     &fix));
	cr_expect_str_eq(fix.commit, COMMIT);
	cr_expect_str_eq(fix.bounds, "<5.15 arm");
	cr_expect_str_eq(fix.reason, "why");
	cr_expect_str_eq(fix.digest, SHA256);
}

Test(patch_fix, malformed_ones_are_refused)
{
	static const struct {
		const char *text;
		const char *message;
	} cases[] = {
		{ "", "line 1" },
		{ "[]", "line 1" },
		{ "{\"commit\": \"" COMMIT "\"}", "for" },
		{ "{\"commit\": \"0123\", \"for\": \"\", \"reason\": \"why\","
		  " \"sha256\": \"" SHA256 "\"}",
		  "'0123' is not a whole commit" },
		{ "{\"commit\": \"" COMMIT "\", \"for\": \"\", \"reason\": \"\","
		  " \"sha256\": \"" SHA256 "\"}",
		  "\"reason\" is empty" },
		{ "{\"commit\": \"" COMMIT "\", \"for\": \"\", \"reason\": \"why\","
		  " \"sha256\": \"\"}",
		  "'' is no SHA-256" },
		{ "{\"commit\": \"" COMMIT "\", \"for\": \"\", \"reason\": \"why\","
		  " \"sha256\": \"" SHA256 "\", \"digest\": \"\"}",
		  "digest" },
	};

	for (size_t i = 0; i < array_size(cases); i++) {
		_cleanup_patch_fix_ struct patch_fix fix = { 0 };
		_cleanup_error_ struct error *err = parse(cases[i].text, &fix);

		cr_assert(error_is(err, ERROR_USAGE), "%s", cases[i].text);
		cr_expect(strstr(error_message(err), cases[i].message), "%s",
			  error_message(err));
	}
}

static const char hunk[] = "--- a/a.c\n+++ b/a.c\n"
			   "@@ -1,3 +1,3 @@\n 1\n-- \n+index 0..1\n 3\n";

static char *changes_of(const char *text)
{
	char *changes = NULL;

	cr_assert_null(patch_fix_changes(text, strlen(text), &changes));
	return changes;
}

Test(patch_fix, what_servers_differ_in_is_no_change)
{
	_cleanup_free_ char *one = NULL, *other = NULL;
	_cleanup_free_ char *changes = NULL, *mail = NULL, *bare = NULL;

	// A line that is a dash is removed, and one like git's is added.
	cr_assert(asprintf(&one,
			   "From " COMMIT " Mon Sep 17 00:00:00 2001\n"
			   "From: A <a@example.org>\nSubject: fix\n\nwhy\n---\n"
			   " a.c | 2 +-\n\ndiff --git a/a.c b/a.c\n"
			   "index 0123456..89abcde 100644\n%s"
			   "-- \ncgit 1.2.3-korg\n\n",
			   hunk) > 0);
	cr_assert(asprintf(&other,
			   "diff --git a/a.c b/a.c\n"
			   "index 0123456789ab..89abcdef0123 100644\n%s"
			   "-- \n2.39.5\n",
			   hunk) > 0);
	cr_assert(asprintf(&changes,
			   "diff --git a/a.c b/a.c\n"
			   "index 1111111..2222222 100644\n%s",
			   hunk) > 0);
	mail = changes_of(one);
	bare = changes_of(other);
	cr_expect_str_eq(mail, changes);
	cr_expect_str_eq(bare, changes);
}

Test(patch_fix, what_is_applied_ends_where_its_digest_does)
{
	_cleanup_free_ char *changes =
		changes_of("diff --git a/a b/a\n-- \ndiff --git a/b b/b\n");

	cr_expect_str_eq(changes, "diff --git a/a b/a\n");
}

Test(patch_fix, what_changes_nothing_is_an_error)
{
	char *changes = NULL;
	_cleanup_error_ struct error *none =
		patch_fix_changes("no such commit\n", 15, &changes);
	_cleanup_error_ struct error *binary =
		patch_fix_changes("diff --git \0", 12, &changes);

	cr_expect_not_null(none);
	cr_expect_not_null(binary);
}
