// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef COMMON_KERNEL_GIT_REFS_H
#define COMMON_KERNEL_GIT_REFS_H

/**
 * @file
 *
 * The refs of a git repository elsewhere: its tags and branches, and where they
 * point. A server of git's smart HTTP lists them all in one answer
 * (gitprotocol-http(5), gitprotocol-common(5)).
 */

#include <stddef.h>

#include "common/base/cleanup.h"

struct error;
struct http;

enum {
	/** Room for a commit's name: 40 digits, or 64 in SHA-256 repositories. */
	REF_COMMIT_SIZE = 65,
};

struct ref {
	/** In full: `refs/tags/v6.12.117`, `refs/heads/master`, `HEAD`. */
	char *name;
	/** What it points at, an annotated tag followed to its commit. */
	char commit[REF_COMMIT_SIZE];
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
 * Ordered as the server does, with any names that it likes.
 *
 * @return ERROR_OTHER if it is something else, or not all of it.
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

#endif /* COMMON_KERNEL_GIT_REFS_H */
