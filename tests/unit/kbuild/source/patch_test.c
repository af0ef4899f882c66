// SPDX-License-Identifier: LGPL-2.1-or-later

#include "kbuild/source/source.h"

#include <criterion/criterion.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/memory.h"
#include "common/base/text.h"
#include "common/kernel/catalog.h"
#include "kbuild/config/config.h"
#include "tests/unit/errors.h"
#include "tests/unit/files.h"

static void setup(void)
{
	setup_tmp();
	put_file(tmp, "tree/lib/a.c", "1\n2\n3\n4\n5\n6\n7\n8\n9\n");
	put_file(tmp, "tree/b", "x\ny\nz\n");
}

TestSuite(patch, .init = setup, .fini = teardown_tmp);

/** Find those for 6.12.117 on x86_64. */
static struct error *find(struct string_list *ret,
			  char digest_ret[static DIGEST_TEXT_SIZE])
{
	static struct catalog_arch archs[] = { { .name = "x86_64" },
					       { .name = "arm" } };
	const struct catalog catalog = { .directory = tmp,
					 .archs = archs,
					 .arch_count = 2 };
	static const struct kernel_version version = { 6, 12, 117, 0 };
	const struct bounds_target target = { &catalog, &archs[0], &version };

	return patches_find(&target, ret, digest_ret);
}

/** Find and apply. @p applied_ret: the names, joined by blanks. */
static struct error *apply(char applied_ret[static 256])
{
	struct error *err;
	_cleanup_free_ char *tree = in_tmp("tree");
	_cleanup_string_list_ struct string_list paths = { 0 }, applied = { 0 };
	char digest[DIGEST_TEXT_SIZE];

	applied_ret[0] = '\0';
	err = find(&paths, digest);
	if (!err)
		err = patches_apply(&paths, tree, &applied);
	for (size_t i = 0; i < applied.count; i++) {
		strcat(applied_ret, i ? " " : "");
		strcat(applied_ret, applied.items[i]);
	}
	return err;
}

#define CHANGE                                                                       \
	"From: A <a@example.org>\nSubject: [PATCH] change\n\n# vmtest: >=6.1\n---\n" \
	"diff --git a/lib/a.c b/lib/a.c\nindex 1111111..2222222 100644\n"            \
	"--- a/lib/a.c\n+++ b/lib/a.c\n"                                             \
	"@@ -2,5 +2,5 @@\n 2\n 3\n-4\n+four\n 5\n 6\n-- \n2.39.5\n"

#define EDIT(path)                                                             \
	"# vmtest:\ndiff --git a/" path " b/" path "\n--- a/" path             \
	"\n+++ b/" path "\n"
#define NEW_FILE(path, mode)                                                   \
	"# vmtest:\ndiff --git a/" path " b/" path "\nnew file mode " mode     \
	"\n--- /dev/null\n+++ b/" path "\n@@ -0,0 +1 @@\n+new\n"

/** Neither backups nor what was rejected. */
static void expect_no_leftovers(const char *what)
{
	static const char *const names[] = { "tree/b.orig", "tree/b.rej",
					     "tree/lib/a.c.orig",
					     "tree/lib/a.c.rej" };

	for (size_t i = 0; i < array_size(names); i++)
		cr_expect_not(is_there(tmp, names[i]), "%s: %s", what, names[i]);
}

Test(patch, are_applied_in_order_of_their_names)
{
	char applied[256];

	put_file(tmp, "patches/0001-a.patch", CHANGE);
	put_file(tmp, "patches/0002-b.patch",
		 EDIT("lib/a.c") "@@ -4,2 +4,3 @@\n four\n+4.5\n 5\n"
				 "diff --git a/b b/b\ndeleted file mode 100644\n"
				 "--- a/b\n+++ /dev/null\n"
				 "@@ -1,3 +0,0 @@\n-x\n-y\n-z\n");
	put_file(tmp, "patches/0003-c.patch", NEW_FILE("lib/new/c.c", "100755"));
	cr_assert_null(apply(applied));
	cr_expect_str_eq(applied, "0001-a.patch 0002-b.patch 0003-c.patch");
	expect_contents(tmp, "tree/lib/a.c",
			"1\n2\n3\nfour\n4.5\n5\n6\n7\n8\n9\n");
	expect_contents(tmp, "tree/lib/new/c.c", "new\n");
	cr_expect_not(is_there(tmp, "tree/b"));

	_cleanup_free_ char *path = in_tmp("tree/lib/new/c.c");
	struct stat st;
	cr_assert_eq(stat(path, &st), 0);
	cr_expect(st.st_mode & S_IXUSR);
}

Test(patch, that_the_source_has_already_is_skipped)
{
	static const struct {
		const char *what, *diff, *a, *b;
	} cases[] = {
		{ "change", CHANGE, "1\n2\n3\nfour\n5\n6\n7\n8\n9\n", NULL },
		{ "lines whose context stays as it was",
		  EDIT("b") "@@ -2,2 +2,3 @@\n+new\n y\n z\n", NULL,
		  "x\nnew\ny\nz\n" },
		{ "lines at the end",
		  EDIT("b") "@@ -1,3 +1,4 @@\n x\n y\n z\n+z2\n", NULL,
		  "x\ny\nz\nz2\n" },
		{ "fewer lines",
		  EDIT("lib/a.c") "@@ -2,5 +2,4 @@\n 2\n 3\n-4\n 5\n 6\n",
		  "1\n2\n3\n5\n6\n7\n8\n9\n", NULL },
		{ "lines somewhere else",
		  EDIT("lib/a.c") "@@ -40,3 +40,3 @@\n 7\n-8\n+eight\n 9\n",
		  "1\n2\n3\n4\n5\n6\n7\neight\n9\n", NULL },
		{ "a new file", NEW_FILE("b", "100644"), NULL, "new\n" },
	};

	for (size_t i = 0; i < array_size(cases); i++) {
		_cleanup_free_ char *b = in_tmp("tree/b");
		char applied[256];

		put_file(tmp, "tree/lib/a.c", "1\n2\n3\n4\n5\n6\n7\n8\n9\n");
		put_file(tmp, "tree/b", "x\ny\nz\n");
		if (strstr(cases[i].diff, "new file"))
			cr_assert_eq(unlink(b), 0);
		put_file(tmp, "patches/p.patch", cases[i].diff);
		for (int run = 0; run < 2; run++) {
			expect_success(apply(applied));
			cr_expect_str_eq(applied, run ? "" : "p.patch",
					 "%s, run %d", cases[i].what, run);
			if (cases[i].a)
				expect_contents(tmp, "tree/lib/a.c", cases[i].a);
			if (cases[i].b)
				expect_contents(tmp, "tree/b", cases[i].b);
			expect_no_leftovers(cases[i].what);
		}
	}
}

Test(patch, that_does_not_apply_is_an_error_of_one_line)
{
	static const struct {
		const char *diff, *said;
	} cases[] = {
		{ EDIT("b") "@@ -1,3 +1,3 @@\n x\n-y\n+Y\n z\n"
			    "diff --git a/lib/a.c b/lib/a.c\n"
			    "--- a/lib/a.c\n+++ b/lib/a.c\n"
			    "@@ -1,3 +1,3 @@\n 1\n-2\n+two\n 3\n"
			    "@@ -6,3 +6,3 @@\n 6\n-seven\n+7\n 8\n",
		  "; patching file lib/a.c; Hunk #2 FAILED at 6." },
		// As context that differs is no match.
		{ EDIT("b") "@@ -1,3 +1,3 @@\n other\n-y\n+Y\n z\n",
		  "patching file b; Hunk #1 FAILED at 1." },
		{ "why\n\nmore\n" EDIT("none") "@@ -1 +1 @@\n-x\n+y\n",
		  "line 8; |+++ b/none; " },
		{ "# vmtest:\n", "Only garbage was found" },
		{ EDIT("b") "@@ -1,3 +1,9",
		  "; patch: **** Only garbage was found" },
	};

	for (size_t i = 0; i < array_size(cases); i++) {
		char applied[256];

		put_file(tmp, "tree/b", "x\ny\nz\n");
		put_file(tmp, "patches/0007-it.patch", cases[i].diff);
		struct error *err = apply(applied);
		static const char start[] =
			"patch 0007-it.patch: the source does not have it, and it does not apply: ";
		cr_expect(err && strstr(error_message(err), start));
		expect_kind(err, ERROR_OTHER, cases[i].said);
		cr_expect_str_eq(applied, "");
		expect_no_leftovers(cases[i].diff);
	}
}

Test(patch, writes_nothing_outside_the_source)
{
#define EVIL "@@ -1,3 +1,3 @@\n x\n-y\n+evil\n z\n"
	static const char *const patches[] = {
		NEW_FILE("../evil", "100644"),
		NEW_FILE("lib/../../evil", "100644"),
		NEW_FILE("link/evil", "100644"),
		EDIT("../outside") EVIL,
		EDIT("link/outside") EVIL,
		EDIT("filelink") EVIL,
		"# vmtest:\ndiff --git a/b b/../evil\nsimilarity index 100%\nrename from b\nrename to ../evil\n",
		"# vmtest:\ndiff --git a/b b/../evil\nsimilarity index 100%\ncopy from b\ncopy to ../evil\n",
		// A link first, and then through it.
		"# vmtest:\ndiff --git a/l b/l\nnew file mode 120000\n"
		"--- /dev/null\n+++ b/l\n@@ -0,0 +1 @@\n+..\n"
		"\\ No newline at end of file\n"
		"diff --git a/l/evil b/l/evil\nnew file mode 100644\n"
		"--- /dev/null\n+++ b/l/evil\n@@ -0,0 +1 @@\n+new\n",
	};
	_cleanup_free_ char *link = in_tmp("tree/link"),
			    *filelink = in_tmp("tree/filelink");

	put_file(tmp, "outside", "x\ny\nz\n");
	cr_assert_eq(symlink("..", link), 0);
	cr_assert_eq(symlink("../outside", filelink), 0);
	for (size_t i = 0; i < array_size(patches); i++) {
		char applied[256];

		put_file(tmp, "patches/p.patch", patches[i]);
		_cleanup_error_ struct error *err = apply(applied);
		cr_expect(error_is(err, ERROR_OTHER), "%s", patches[i]);
		expect_contents(tmp, "outside", "x\ny\nz\n");
		cr_expect_not(is_there(tmp, "evil"), "%s", patches[i]);
	}
}

Test(patch, an_absolute_name_is_one_in_the_source)
{
	_cleanup_free_ char *path = NULL, *text = NULL, *made = NULL;
	char applied[256];

	path = in_tmp("evil");
	text = string_format("# vmtest:\n--- /dev/null\n+++ %s\n@@ -0,0 +1 @@\n+new\n",
			     path);
	made = string_format("tree%s", path);
	put_file(tmp, "patches/p.patch", text);
	cr_assert_null(apply(applied));
	expect_contents(tmp, made, "new\n");
	cr_expect_not(is_there(tmp, "evil"));
}

Test(patch, without_the_program_says_so)
{
	char applied[256];

	put_file(tmp, "patches/p.patch", CHANGE);
	cr_assert_eq(setenv("PATH", tmp, true), 0);
	expect_kind(apply(applied), ERROR_NOT_FOUND,
		    "patch p.patch: patch: no such program in PATH; install it");
}

Test(patch, those_of_other_kernels_and_what_is_none_are_left_out)
{
	static const char diff[] = "# vmtest:\ndiff --git a/b b/b\n";
	_cleanup_string_list_ struct string_list paths = { 0 };
	char digest[DIGEST_TEXT_SIZE];

	// There is no such directory.
	cr_assert_null(find(&paths, digest));
	cr_expect_eq(paths.count, 0);
	cr_expect_str_eq(digest, "");
	put_file(tmp, "patches/a.patch", "# vmtest: <6.12\ndiff --git a/b b/b\n");
	put_file(tmp, "patches/b.patch", "# vmtest: arm\ndiff --git a/b b/b\n");
	put_file(tmp, "patches/.c.patch", diff);
	put_file(tmp, "patches/old/d.patch", diff);
	put_file(tmp, "patches/README.md", diff);
	cr_assert_null(find(&paths, digest));
	cr_expect_eq(paths.count, 0);
	cr_expect_str_eq(digest, "");
}

Test(patch, a_digest_is_of_names_and_contents)
{
	char digests[3][DIGEST_TEXT_SIZE];
	static const char *const texts[] = { CHANGE, CHANGE "\n" };
	_cleanup_free_ char *old = in_tmp("patches/a.patch"),
			    *new = in_tmp("patches/b.patch");

	for (size_t i = 0; i < 3; i++) {
		_cleanup_string_list_ struct string_list paths = { 0 };

		if (i < 2)
			put_file(tmp, "patches/a.patch", texts[i]);
		else
			cr_assert_eq(rename(old, new), 0);
		cr_assert_null(find(&paths, digests[i]));
		cr_assert_eq(paths.count, 1);
	}
	cr_expect_str_neq(digests[0], digests[1]);
	cr_expect_str_neq(digests[1], digests[2]);
}

Test(patch, must_say_which_kernels_it_is_for)
{
	static const char *const texts[] = {
		"diff --git a/b b/b\n# vmtest:\n",
		"",
		"# vmtest: <6.13\n# vmtest: arm\ndiff --git a/b b/b\n",
		"# vmtest: 6.12\ndiff --git a/b b/b\n",
		"# vmtest: i386\ndiff --git a/b b/b\n",
	};

	for (size_t i = 0; i < array_size(texts); i++) {
		_cleanup_string_list_ struct string_list paths = { 0 };
		char digest[DIGEST_TEXT_SIZE];

		put_file(tmp, "patches/p.patch", texts[i]);
		expect_kind(find(&paths, digest), ERROR_USAGE, "p.patch");
	}
}
