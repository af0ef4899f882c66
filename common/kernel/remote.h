// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef COMMON_KERNEL_REMOTE_H
#define COMMON_KERNEL_REMOTE_H

/** @file Other people's repositories and tarballs. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/archive/archive.h"
#include "common/base/cleanup.h"

struct error;
struct http;
struct string_builder;

/*
 * The refs of a git repository elsewhere: its tags and branches, and where they
 * point. A server of git's smart HTTP lists them all in one answer
 * (gitprotocol-http(5), gitprotocol-common(5)).
 */

enum {
	/** For a commit's name: 40 digits, or 64 in SHA-256 repositories. */
	REF_COMMIT_SIZE = 65,
};

struct ref {
	/** In full: `refs/tags/v6.12.117`, `refs/heads/master`, `HEAD`. */
	char *name;
	/** What it points at, an annotated tag followed to its commit. */
	char commit[REF_COMMIT_SIZE];
	/** The annotated tag itself; else, or if not known, the same. */
	char object[REF_COMMIT_SIZE];
};

struct ref_list {
	struct ref *items;
	size_t count;
};

void ref_list_deinit(struct ref_list *list);

#define _cleanup_ref_list_ _cleanup_(ref_list_deinit)

/**
 * Add a ref as git lists them: an annotated tag is followed by its name with
 * `^{}`, and the commit that it leads to.
 */
void ref_list_add(struct ref_list *list, const char *name, const char *commit);

/**
 * Read the answer of a server, which begins with `# service=git-upload-pack`.
 * The refs keep the server's order; their names are not checked.
 *
 * @return ERROR_OTHER if it is something else, or incomplete.
 */
_must_check_ struct error *ref_list_parse(const char *data, size_t size_bytes,
					  struct ref_list *ret);

/**
 * Ask a repository over HTTP, which git calls ls-remote. Nothing is fetched.
 * Blocks as http_perform() does.
 *
 * @param[in] url `https://HOST/PATH`
 * @return ERROR_RETRY if the network failed; ERROR_NOT_FOUND for a 404.
 */
_must_check_ struct error *ref_list_request(struct http *http, const char *url,
					    struct ref_list *ret);

/**
 * Whether a mirror is to be asked, too, after an error that is not ours.
 *
 * @param[in] mirror NULL if there is none.
 */
bool mirror_is_asked(const struct error *err, const char *mirror);

/**
 * What came of asking it: a warning that tells of the first error, or an error
 * that tells of both.
 *
 * @param[in] first Consumed.
 * @param[in] second The mirror's; consumed.
 */
_must_check_ struct error *
mirror_settle(struct error *first, struct error *second, const char *mirror);

/**
 * The full names that a user may mean by a ref, the preferred one first: a tag
 * comes before a branch. `refs/…` and `HEAD` are full names.
 *
 * @param[in] choice Counted from 0.
 * @return free() it; NULL after the last.
 */
char *ref_full_name(const char *ref, unsigned int choice);

/** @return Borrowed from the list; NULL if it has no such ref. */
const struct ref *ref_list_find(const struct ref_list *list, const char *ref);

/** @return What follows `refs/tags/`, borrowed; NULL if it is no tag. */
const char *ref_tag(const struct ref *ref);

/*
 * Git repositories elsewhere: the commit that a ref stands for, and its files.
 *
 * A URL is `https://` or `http://`, what else libgit2 connects to (`git://`,
 * `file://`), or the path of a local repository. All calls block.
 *
 * Over HTTP, refs are asked for by http_perform(), with its limits, proxies and
 * ERROR_CANCELLED. All else is done by libgit2, which also reads git's
 * configuration for a proxy. It cannot be interrupted by a signal: while it is
 * called, SIGINT and SIGTERM are unblocked, and end the program at once.
 * libgit2 1.7 and later give up a server that says nothing for the stall limit
 * of HTTP; an older one waits for it until such a signal.
 */

/**
 * Find the commit that a tag, a branch, or a full name (`refs/…`, `HEAD`)
 * stands for now. A tag comes before a branch of the same name.
 *
 * @param[out] ret Free its name.
 * @return ERROR_NOT_FOUND if the repository has no such name.
 */
_must_check_ struct error *remote_resolve(struct http *http, const char *url,
					  const char *name, struct ref *ret);

/**
 * Write the files of the commit that a ref was found to stand for into a
 * directory, without any `.git`.
 *
 * A local repository is read where it is. Over a network, libgit2 1.7 and later
 * fetch this one commit; an older one can only fetch it with all its history.
 * That is fine for a small repository; of a larger one it is an error, as soon
 * as the server says how much it would send, and before that is downloaded.
 *
 * @param[in] directory Exists and is empty; after an error its contents are the
 * caller's to remove.
 * @param[in] limit_objects Most objects to fetch.
 * @return ERROR_RETRY if the ref stands for another commit by now.
 */
_must_check_ struct error *remote_fetch(struct http *http, const char *url,
					const struct ref *ref,
					const char *directory,
					uint64_t limit_objects);

/*
 * What a signed tag proves. It names a commit by its digest, which names a
 * tree, which names its files: so files that make the same tree are the tag's,
 * wherever they come from. Digests are git's own, SHA-1.
 */

enum {
	/** Of a tag or a commit. */
	GIT_OBJECT_BYTES_MAX = 1 << 20,
};

/**
 * Ask a repository over HTTP for an annotated tag and its commit, and for no
 * file (gitprotocol-v2(5), `filter tree:0`). Blocks as http_perform() does.
 *
 * @param[out] ret Both, as signed_tag_parse() reads them; free() the text.
 * @return ERROR_NOT_FOUND if it has no such tag.
 */
_must_check_ struct error *signed_tag_request(struct http *http,
					      const char *url, const char *tag,
					      struct string_builder *ret);

/** What that makes of a server's answer. */
_must_check_ struct error *signed_tag_read_answer(const char *data,
						  size_t size_bytes,
						  struct string_builder *ret);

/** Borrowed from what was read. */
struct signed_tag {
	/** What is signed, and by what. */
	const char *payload;
	size_t payload_bytes;
	const char *signature;
	size_t signature_bytes;
	/** Of its commit. */
	char tree[REF_COMMIT_SIZE];
};

/**
 * Read a tag and its commit, each as git stores it: `tag SIZE`, a null byte,
 * SIZE bytes. That they belong together is checked, the signature is not.
 *
 * @param[in] tag The name that it must have.
 * @return ERROR_OTHER, also if it is not signed by PGP.
 */
_must_check_ struct error *signed_tag_parse(const char *data, size_t size_bytes,
					    const char *tag,
					    struct signed_tag *ret);

/** The tree that git would make of a directory's files. Blocks for seconds. */
_must_check_ struct error *tree_digest(const char *directory,
				       char ret[static REF_COMMIT_SIZE]);

/*
 * Tarballs of kernel.org's compilers. All calls block.
 *
 * Their digests are in `sha256sums.asc`: lines `HEX  NAME` in a clear-signed
 * PGP message. The signature is not checked: the list is trusted as much as the
 * connection that it was downloaded over.
 */

/**
 * Find a file's digest. The whole text is parsed strictly first: a list that is
 * truncated, or has any other line, is an error.
 *
 * @return ERROR_NOT_FOUND if the list is valid but does not have the name.
 */
_must_check_ struct error *sums_find(const char *text, size_t size_bytes,
				     const char *name,
				     char digest_ret[static DIGEST_TEXT_SIZE]);

/**
 * The digest that kernel.org publishes of a tarball, in the sha256sums.asc
 * beside it.
 *
 * @return ERROR_NOT_FOUND if there is no such list, or it does not name it.
 */
_must_check_ struct error *
tarball_digest(struct http *http, const char *url,
	       char digest_ret[static DIGEST_TEXT_SIZE]);

/**
 * Download and unpack a tarball.
 *
 * @param[in] directory Exists and is empty.
 * @param[in] strip_components Leading parts of each name to drop.
 * @param[in] digest Expected SHA-256; "" if not known.
 * @return ERROR_NOT_FOUND if the server has no such file.
 */
_must_check_ struct error *tarball_unpack(struct http *http, const char *url,
					  const char *directory,
					  unsigned int strip_components,
					  const char *digest);

#endif /* COMMON_KERNEL_REMOTE_H */
