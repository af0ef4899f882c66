// SPDX-License-Identifier: LGPL-2.1-or-later

#include "common/kernel/remote.h"

#include <criterion/criterion.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/file.h"
#include "common/base/memory.h"
#include "common/base/text.h"
#include "common/process/process.h"
#include "tests/unit/errors.h"
#include "tests/unit/files.h"

/** What git says, as it is in the repository at `tree`; free(). */
#define git(...)                                                               \
	run_git((const char *const[]){ "git", "-c", "user.name=A", "-c",       \
				       "user.email=a@example.org",             \
				       __VA_ARGS__, NULL })

static char *run_git(const char *const *arguments)
{
	_cleanup_free_ char *directory = in_tmp("tree");
	const struct process_options options = { .arguments = arguments,
						 .directory = directory };
	char *text = NULL;

	expect_success(process_capture(&options, 1 << 20, &text));
	return text;
}

#define SIGNATURE                                                              \
	"-----BEGIN PGP SIGNATURE-----\n\nAAAA\n-----END PGP SIGNATURE-----"

/** A repository whose commit has v1, signed as far as a parser sees, and v2. */
static void setup(void)
{
	enter_tmp();
	put_file("tree", "a.b", "");
	put_file("tree", "a-b", "crlf\r\n");
	put_file("tree", "a/b", "");
	put_file("tree", "a/c/d", "deep\n");
	put_file("tree", "run", "#!/bin/sh\n");
	cr_assert_eq(chmod("tree/run", 0755), 0);
	cr_assert_eq(symlink("../elsewhere", "tree/link"), 0);
	free(git("init", "-q"));
	free(git("add", "-A", "-f"));
	free(git("commit", "-q", "-m", "one"));
	free(git("tag", "-a", "-m", "v1\n" SIGNATURE, "v1"));
	free(git("tag", "-a", "-m", "v2", "v2"));
}

TestSuite(signed_tag, .init = setup, .fini = teardown_tmp);

Test(signed_tag, a_tree_is_what_git_makes_of_the_files)
{
	char found[REF_COMMIT_SIZE];
	_cleanup_free_ char *wanted = git("write-tree");

	cr_assert_eq(rename("tree/.git", "git"), 0);
	expect_success(tree_digest("tree", found));
	cr_expect_str_eq(found, wanted);

	cr_assert_eq(chmod("tree/run", 0644), 0);
	expect_success(tree_digest("tree", found));
	cr_expect_str_neq(found, wanted);
	cr_assert_eq(chmod("tree/run", 0700), 0);
	expect_success(tree_digest("tree", found));
	cr_expect_str_eq(found, wanted);
	put_file("tree", "a/c/d", "Deep\n");
	expect_success(tree_digest("tree", found));
	cr_expect_str_neq(found, wanted);
}

/** As signed_tag_request() writes it. */
static void append_object(struct string_builder *sb, const char *type,
			  const char *name)
{
	// git's last newline was taken away.
	_cleanup_free_ char *text = git("cat-file", type, name);

	string_builder_appendf(sb, "%s %zu", type, strlen(text) + 1);
	string_builder_append_char(sb, '\0');
	string_builder_appendf(sb, "%s\n", text);
}

Test(signed_tag, names_the_tree_of_its_commit)
{
	_cleanup_string_builder_ struct string_builder sb = { 0 };
	_cleanup_free_ char *wanted = git("write-tree");
	struct signed_tag tag;

	append_object(&sb, "tag", "v1");
	append_object(&sb, "commit", "v1^{commit}");
	expect_success(signed_tag_parse(sb.text, sb.length, "v1", &tag));
	cr_expect_str_eq(tag.tree, wanted);
	cr_expect_eq(memcmp(tag.payload, "object ", 7), 0);
	cr_expect_eq(tag.payload + tag.payload_bytes, tag.signature);
	cr_expect_eq(memcmp(tag.signature, SIGNATURE, strlen(SIGNATURE)), 0);
}

Test(signed_tag, that_is_another_or_not_signed_is_refused)
{
	static const struct {
		const char *tag, *commit, *name, *message;
	} cases[] = {
		{ "v2", "v2^{commit}", "v2", "tag v2 is not signed by PGP" },
		{ "v1", "v1^{commit}", "v2", "what is signed is not this tag" },
		{ "v1", "HEAD", "v1", "the commit is not the tag's" },
		{ "v1", NULL, "v1", "not a tag and its commit" },
		{ NULL, "v1^{commit}", "v1", "not a tag and its commit" },
	};

	free(git("commit", "-q", "--allow-empty", "-m", "two"));
	for (size_t i = 0; i < array_size(cases); i++) {
		_cleanup_string_builder_ struct string_builder sb = { 0 };
		struct signed_tag tag;

		if (cases[i].tag)
			append_object(&sb, "tag", cases[i].tag);
		if (cases[i].commit)
			append_object(&sb, "commit", cases[i].commit);
		expect_kind(signed_tag_parse(sb.text, sb.length, cases[i].name,
					     &tag),
			    ERROR_OTHER, cases[i].message);
	}
}
