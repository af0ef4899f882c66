// SPDX-License-Identifier: LGPL-2.1-or-later

#include "kbuild/source/patch.h"

#include <criterion/criterion.h>
#include <stdarg.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/error.h"
#include "common/base/file.h"
#include "common/base/string_list.h"
#include "common/kernel/version.h"
#include "kbuild/config/bounds.h"

/** Holds `tree` and `patches`, and must hold nothing else after a test. */
static char root[] = "/tmp/patch_test.XXXXXX";

static char *in_root(const char *name)
{
	char *path = NULL;

	path = path_join(root, name);
	return path;
}

static void put(const char *name, const char *text)
{
	_cleanup_free_ char *path = in_root(name);

	cr_assert_null(file_write(path, text, strlen(text)));
}

static void expect_text(const char *name, const char *wanted)
{
	_cleanup_free_ char *path = in_root(name), *text = NULL;

	cr_assert_null(file_read(path, 1 << 20, &text, NULL), "%s", name);
	cr_expect_str_eq(text, wanted, "%s", name);
}

static bool exists(const char *name)
{
	_cleanup_free_ char *path = in_root(name);
	struct stat st;

	return lstat(path, &st) == 0;
}

static void setup(void)
{
	cr_assert(mkdtemp(root));
	_cleanup_free_ char *lib = in_root("tree/lib"),
			    *patches = in_root("patches");
	cr_assert_null(directory_create(lib));
	cr_assert_null(directory_create(patches));
	put("tree/lib/a.c", "1\n2\n3\n4\n5\n6\n7\n8\n9\n");
	put("tree/b", "x\ny\nz\n");
}

static void teardown(void)
{
	error_destroy(directory_remove(root));
}

TestSuite(patch, .init = setup, .fini = teardown);

/** Load for 6.12.117 on x86_64. */
static struct error *load(struct patch_list *ret)
{
	_cleanup_free_ char *patches = in_root("patches");
	_cleanup_string_list_ struct string_list archs = STRING_LIST_INIT;
	const struct kernel_version version = { 6, 12, 117, 0 };
	const struct bounds_target target = { &version, "x86_64", &archs };

	string_list_add_split(&archs, "x86_64,arm");
	return patch_list_load(patches, &target, ret);
}

/** Load and apply. @p applied_ret: the names, joined by blanks. */
static struct error *apply(char applied_ret[static 256])
{
	struct error *err;
	_cleanup_free_ char *tree = in_root("tree");
	_cleanup_patch_list_ struct patch_list list = { 0 };
	_cleanup_string_list_ struct string_list applied = STRING_LIST_INIT;

	applied_ret[0] = '\0';
	err = load(&list);
	if (!err)
		err = patch_list_apply(&list, tree, &applied);
	for (size_t i = 0; i < applied.count; i++) {
		strcat(applied_ret, i ? " " : "");
		strcat(applied_ret, applied.items[i]);
	}
	cr_expect_not(exists("tree/.git"));
	return err;
}

#define CHANGE                                                                       \
	"From: A <a@example.org>\nSubject: [PATCH] change\n\n# vmtest: >=6.1\n---\n" \
	"diff --git a/lib/a.c b/lib/a.c\nindex 1111111..2222222 100644\n"            \
	"--- a/lib/a.c\n+++ b/lib/a.c\n"                                             \
	"@@ -2,5 +2,5 @@\n 2\n 3\n-4\n+four\n 5\n 6\n-- \n2.39.5\n"

#define CHANGED "1\n2\n3\nfour\n5\n6\n7\n8\n9\n"

Test(patch, a_fix_of_upstreams_is_known_by_its_digest)
{
	static const char format[] =
		"{\"commit\": \"0123456789abcdef0123456789abcdef01234567\","
		" \"for\": \"%s\", \"reason\": \"why\", \"sha256\":"
		" \"%s123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\"}";
	static const struct {
		const char *bounds, *digit;
		size_t count;
	} cases[] = { { "x86_64", "0", 1 }, { "", "1", 1 }, { "arm", "0", 0 } };
	char digests[array_size(cases)][DIGEST_TEXT_SIZE];

	for (size_t i = 0; i < array_size(cases); i++) {
		_cleanup_patch_list_ struct patch_list list = { 0 };
		_cleanup_free_ char *entry = NULL;

		cr_assert(asprintf(&entry, format, cases[i].bounds,
				   cases[i].digit) > 0);
		put("patches/0001-fix.json", entry);
		cr_assert_null(load(&list));
		cr_assert_eq(list.count, cases[i].count);
		cr_assert_null(patch_list_digest(&list, digests[i]));
		if (list.count)
			cr_expect_null(list.items[0].text);
	}
	cr_expect_str_neq(digests[0], digests[1]);
	cr_expect_str_eq(digests[2], "");
	put("patches/0001-fix.json", "{}");
	_cleanup_patch_list_ struct patch_list list = { 0 };
	_cleanup_error_ struct error *err = load(&list);
	cr_expect(error_is(err, ERROR_USAGE));
	cr_expect(strstr(error_message(err), "0001-fix.json"));
}

Test(patch, are_applied_in_order_of_their_names)
{
	char applied[256];

	put("patches/README.md", "no patch\n");
	put("patches/0001-a.patch", CHANGE);
	put("patches/0002-b.patch",
	    "# vmtest: x86_64\n"
	    "diff --git a/lib/a.c b/lib/a.c\n--- a/lib/a.c\n+++ b/lib/a.c\n"
	    "@@ -3,3 +3,4 @@\n 3\n four\n+4.5\n 5\n"
	    "diff --git a/lib/new/c.c b/lib/new/c.c\nnew file mode 100755\n"
	    "--- /dev/null\n+++ b/lib/new/c.c\n@@ -0,0 +1,2 @@\n+new\n+file\n"
	    "\\ No newline at end of file\n"
	    "diff --git a/b b/b\ndeleted file mode 100644\n"
	    "--- a/b\n+++ /dev/null\n@@ -1,3 +0,0 @@\n-x\n-y\n-z\n");
	cr_assert_null(apply(applied));
	cr_expect_str_eq(applied, "0001-a.patch 0002-b.patch");
	expect_text("tree/lib/a.c", "1\n2\n3\nfour\n4.5\n5\n6\n7\n8\n9\n");
	expect_text("tree/lib/new/c.c", "new\nfile");
	cr_expect_not(exists("tree/b"));

	_cleanup_free_ char *path = in_root("tree/lib/new/c.c");
	struct stat st;
	cr_assert_eq(stat(path, &st), 0);
	cr_expect(st.st_mode & S_IXUSR);

	// Again: the second is there; the first cannot be told, as the second
	// changed its lines.
	_cleanup_free_ char *first = in_root("patches/0001-a.patch");
	cr_assert_eq(unlink(first), 0);
	cr_assert_null(apply(applied));
	cr_expect_str_eq(applied, "");
	expect_text("tree/lib/new/c.c", "new\nfile");
}

Test(patch, applied_twice_is_skipped)
{
	static const struct {
		const char *what, *diff, *a, *b;
	} cases[] = {
		{ "change", CHANGE, CHANGED, "x\ny\nz\n" },
		{ "lines at the end",
		  "# vmtest:\ndiff --git a/b b/b\n--- a/b\n+++ b/b\n@@ -1,3 +1,4 @@\n x\n y\n z\n+z2\n",
		  NULL, "x\ny\nz\nz2\n" },
		{ "lines at the start",
		  "# vmtest:\ndiff --git a/b b/b\n--- a/b\n+++ b/b\n@@ -1,3 +1,4 @@\n+w\n x\n y\n z\n",
		  NULL, "w\nx\ny\nz\n" },
		{ "fewer lines",
		  "# vmtest:\ndiff --git a/b b/b\n--- a/b\n+++ b/b\n@@ -1,3 +1,2 @@\n x\n y\n-z\n",
		  NULL, "x\ny\n" },
		{ "no newline at the end",
		  "# vmtest:\ndiff --git a/b b/b\n--- a/b\n+++ b/b\n@@ -1,3 +1,3 @@\n x\n y\n-z\n+z\n\\ No newline at end of file\n",
		  NULL, "x\ny\nz" },
		{ "moved by an offset",
		  "# vmtest:\ndiff --git a/lib/a.c b/lib/a.c\n--- a/lib/a.c\n+++ b/lib/a.c\n@@ -40,3 +40,3 @@\n 7\n-8\n+eight\n 9\n",
		  "1\n2\n3\n4\n5\n6\n7\neight\n9\n", NULL },
	};

	for (size_t i = 0; i < array_size(cases); i++) {
		const char *a = cases[i].a, *b = cases[i].b;
		char applied[256];

		put("tree/lib/a.c", "1\n2\n3\n4\n5\n6\n7\n8\n9\n");
		put("tree/b", "x\ny\nz\n");
		put("patches/p.patch", cases[i].diff);
		for (int run = 0; run < 2; run++) {
			_cleanup_error_ struct error *err = apply(applied);

			cr_expect_null(err, "%s, run %d: %s", cases[i].what,
				       run, err ? error_message(err) : "");
			cr_expect_str_eq(applied, run ? "" : "p.patch",
					 "%s, run %d", cases[i].what, run);
			if (a)
				expect_text("tree/lib/a.c", a);
			if (b)
				expect_text("tree/b", b);
		}
	}
}

Test(patch, a_rename_is_applied_once)
{
	char applied[256];

	put("patches/p.patch",
	    "# vmtest:\ndiff --git a/b b/c\nsimilarity index 60%\n"
	    "rename from b\nrename to c\nindex 1111111..2222222 100644\n--- a/b\n+++ b/c\n"
	    "@@ -1,3 +1,3 @@\n x\n-y\n+Y\n z\n");
	cr_assert_null(apply(applied));
	cr_expect_str_eq(applied, "p.patch");
	expect_text("tree/c", "x\nY\nz\n");
	cr_expect_not(exists("tree/b"));
	cr_assert_null(apply(applied));
	cr_expect_str_eq(applied, "");
	expect_text("tree/c", "x\nY\nz\n");
}

Test(patch, one_that_fails_names_itself_its_file_and_hunk)
{
	char applied[256];

	put("patches/0007-broken.patch",
	    "# vmtest:\n"
	    "diff --git a/b b/b\n--- a/b\n+++ b/b\n@@ -1,3 +1,3 @@\n x\n-y\n+Y\n z\n"
	    "diff --git a/lib/a.c b/lib/a.c\n--- a/lib/a.c\n+++ b/lib/a.c\n"
	    "@@ -1,3 +1,3 @@\n 1\n-2\n+two\n 3\n@@ -6,3 +6,3 @@\n 6\n-seven\n+7\n 8\n");
	_cleanup_error_ struct error *err = apply(applied);
	cr_assert(error_is(err, ERROR_OTHER));
	cr_expect(strstr(error_message(err),
			 "0007-broken.patch: lib/a.c: hunk @@ -6,3 +6,3 @@"),
		  "%s", error_message(err));
	// Checked whole before anything is changed.
	expect_text("tree/b", "x\ny\nz\n");
	expect_text("tree/lib/a.c", "1\n2\n3\n4\n5\n6\n7\n8\n9\n");
}

Test(patch, hostile_ones_are_refused_and_change_nothing)
{
#define NEW_FILE(path, mode)                                                   \
	"# vmtest:\ndiff --git a/" path " b/" path "\nnew file mode " mode     \
	"\nindex 0000000..1111111\n--- /dev/null\n+++ b/" path                 \
	"\n@@ -0,0 +1 @@\n+evil\n"
#define EDIT(path)                                                             \
	"# vmtest:\ndiff --git a/" path " b/" path "\n--- a/" path             \
	"\n+++ b/" path "\n@@ -1,3 +1,3 @@\n x\n-y\n+evil\n z\n"
	static const char *const patches[] = {
		NEW_FILE("../evil", "100644"),
		NEW_FILE("../../etc/evil", "100644"),
		NEW_FILE("lib/../../evil", "100644"),
		NEW_FILE("./evil", "100644"),
		NEW_FILE(".git/hooks/evil", "100755"),
		NEW_FILE(".git", "100644"),
		NEW_FILE("evil", "120000"),
		NEW_FILE("evil", "160000"),
		NEW_FILE("link/evil", "100644"),
		EDIT("../outside"),
		EDIT("link/outside"),
		EDIT("filelink"),
		"# vmtest:\ndiff --git a/b b/../evil\nsimilarity index 100%\nrename from b\nrename to ../evil\n",
		"# vmtest:\ndiff --git a/b b/b\nold mode 100644\nnew mode 100755\n",
		"# vmtest:\ndiff --git a/b b/c\nsimilarity index 100%\ncopy from b\ncopy to c\n",
		"# vmtest:\ndiff --git a/b b/b\nGIT binary patch\nliteral 3\nKcmV+b0RR630RR6300031\n\nliteral 6\nNcmYdHD&}HkN@QRH00aO5\n\n",
		"# vmtest:\n--- a/b\n+++ b/b\n@@ -1,3 +1,3 @@\n x\n-y\n+Y\n z\n",
		"# vmtest:\n",
		"# vmtest:\ndiff --git a/b b/b\n--- a/b\n+++ b/b\n@@ -1,3 +1,9",
	};
	_cleanup_free_ char *link = in_root("tree/link"),
			    *filelink = in_root("tree/filelink");

	put("outside", "x\ny\nz\n");
	cr_assert_eq(symlink("..", link), 0);
	cr_assert_eq(symlink("b", filelink), 0);
	for (size_t i = 0; i < array_size(patches); i++) {
		char applied[256];

		put("patches/p.patch", patches[i]);
		_cleanup_error_ struct error *err = apply(applied);
		cr_expect(err && strstr(error_message(err), "patch p.patch: "),
			  "%s\n%s", patches[i], err ? error_message(err) : "");
		expect_text("outside", "x\ny\nz\n");
		expect_text("tree/b", "x\ny\nz\n");
		cr_expect_not(exists("evil") || exists("tree/evil") ||
				      exists("tree/c"),
			      "%s", patches[i]);
	}
}

Test(patch, an_absolute_path_is_one_in_the_tree)
{
	char applied[256];

	put("patches/p.patch", NEW_FILE("/etc/evil", "100644"));
	cr_assert_null(apply(applied));
	expect_text("tree/etc/evil", "evil\n");
}

Test(patch, what_is_nearer_decides_between_similar_places)
{
	static const char similar[] =
		"a\nb\nc\nnew\nd\ne\nf\n0\n0\n0\na\nb\nc\nd\ne\nf\n";
	char applied[256];

	put("tree/b", similar);
	put("patches/p.patch",
	    "# vmtest:\ndiff --git a/b b/b\n--- a/b\n+++ b/b\n"
	    "@@ -1,6 +1,7 @@\n a\n b\n c\n+new\n d\n e\n f\n");
	cr_assert_null(apply(applied));
	cr_expect_str_eq(applied, "");
	expect_text("tree/b", similar);
	put("patches/p.patch",
	    "# vmtest:\ndiff --git a/b b/b\n--- a/b\n+++ b/b\n"
	    "@@ -10,6 +10,7 @@\n a\n b\n c\n+new\n d\n e\n f\n");
	cr_assert_null(apply(applied));
	cr_expect_str_eq(applied, "p.patch");
	expect_text("tree/b",
		    "a\nb\nc\nnew\nd\ne\nf\n0\n0\n0\na\nb\nc\nnew\nd\ne\nf\n");
}

Test(patch, several_hunks_move_each_by_itself)
{
	char applied[256];

	put("tree/b", "h\nh\n1\n2\n3\n4\n5\n6\n7\ni\n8\n9\n10\n11\n12\n13\n14\n");
	put("patches/p.patch",
	    "# vmtest:\ndiff --git a/b b/b\n--- a/b\n+++ b/b\n"
	    "@@ -1,4 +1,5 @@\n 1\n+1.5\n 2\n 3\n 4\n"
	    "@@ -9,6 +10,4 @@\n 9\n 10\n-11\n-12\n 13\n 14\n");
	_cleanup_error_ struct error *err = apply(applied);
	cr_expect(err && strstr(error_message(err), "b: hunk @@ -1,4 +1,5 @@"),
		  "what was at the start of its file must be there");
	put("patches/p.patch",
	    "# vmtest:\ndiff --git a/b b/b\n--- a/b\n+++ b/b\n"
	    "@@ -2,5 +2,6 @@\n 2\n 3\n+3.5\n 4\n 5\n 6\n"
	    "@@ -9,6 +10,4 @@\n 9\n 10\n-11\n-12\n 13\n 14\n");
	cr_assert_null(apply(applied));
	expect_text("tree/b",
		    "h\nh\n1\n2\n3\n3.5\n4\n5\n6\n7\ni\n8\n9\n10\n13\n14\n");
	cr_assert_null(apply(applied));
	cr_expect_str_eq(applied, "");
}

Test(patch, those_of_other_kernels_are_left_out)
{
	_cleanup_patch_list_ struct patch_list list = { 0 };
	char digest[DIGEST_TEXT_SIZE] = "x";

	put("patches/a.patch", "# vmtest: <6.12\ndiff --git a/b b/b\n");
	put("patches/b.patch", "# vmtest: arm\ndiff --git a/b b/b\n");
	cr_assert_null(load(&list));
	cr_expect_eq(list.count, 0);
	cr_assert_null(patch_list_digest(&list, digest));
	cr_expect_str_eq(digest, "");
}

Test(patch, a_digest_is_of_names_and_contents)
{
	char digests[3][DIGEST_TEXT_SIZE];
	static const char *const texts[] = { CHANGE, CHANGE "\n" };

	for (size_t i = 0; i < 3; i++) {
		_cleanup_patch_list_ struct patch_list list = { 0 };
		_cleanup_free_ char *old = in_root("patches/a.patch"),
				    *new = in_root("patches/b.patch");

		if (i < 2)
			put("patches/a.patch", texts[i]);
		else
			cr_assert_eq(rename(old, new), 0);
		cr_assert_null(load(&list));
		cr_assert_eq(list.count, 1);
		cr_assert_null(patch_list_digest(&list, digests[i]));
	}
	cr_expect_str_neq(digests[0], digests[1]);
	cr_expect_str_neq(digests[1], digests[2]);
}

Test(patch, a_folder_that_is_not_there_holds_none)
{
	_cleanup_free_ char *patches = in_root("patches");
	_cleanup_patch_list_ struct patch_list list = { 0 };

	cr_assert_null(directory_remove(patches));
	cr_assert_null(load(&list));
	cr_expect_eq(list.count, 0);
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
		_cleanup_patch_list_ struct patch_list list = { 0 };

		put("patches/p.patch", texts[i]);
		_cleanup_error_ struct error *err = load(&list);
		cr_expect(error_is(err, ERROR_USAGE), "%s", texts[i]);
		cr_expect(err && strstr(error_message(err), "p.patch"));
	}
}
