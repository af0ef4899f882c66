// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef COMMON_KERNEL_REMOTE_H
#define COMMON_KERNEL_REMOTE_H

/**
 * @file
 *
 * Git repositories elsewhere: what tags one has, and the files of one commit.
 *
 * A URL is anything that libgit2 connects to (`https://`, `http://`, `git://`,
 * `file://`), or the path of a local repository. Proxies come from git's
 * configuration and the variables that curl's users know. All calls block, on
 * the network, as long as the server says something within the stall limit
 * (limits.h), and end early with ERROR_CANCELLED (interrupt.h).
 */

#include <stddef.h>
#include <stdint.h>

#include "common/base/cleanup.h"

struct error;

enum {
	/** Room for a commit's name: 40 digits, or 64 in SHA-256 repositories. */
	REMOTE_COMMIT_SIZE = 65,
};

struct remote_tag {
	/** Without `refs/tags/`: `v6.12.117`. */
	char *name;
	/** What it points at, an annotated tag followed to its commit. */
	char commit[REMOTE_COMMIT_SIZE];
};

struct remote_tags {
	struct remote_tag *items;
	size_t count;
};

void remote_tags_deinit(struct remote_tags *tags);

#define _cleanup_remote_tags_ _cleanup_(remote_tags_deinit)

/**
 * List the tags of a repository, which git calls ls-remote: one answer of the
 * server, nothing is fetched. Ordered as the server does, by name. Names that
 * git itself would refuse are left out.
 *
 * @return ERROR_RETRY if the network failed.
 */
_must_check_ struct error *remote_tags_list(const char *url,
					    struct remote_tags *ret);

/**
 * Find the commit that a tag, a branch, or a full name (`refs/…`, `HEAD`)
 * stands for now. A tag comes before a branch of the same name.
 *
 * @return ERROR_NOT_FOUND if the repository has no such name.
 */
_must_check_ struct error *
remote_resolve(const char *url, const char *ref,
	       char commit_ret[static REMOTE_COMMIT_SIZE]);

/**
 * Write the files of one commit into a folder, without any `.git`.
 *
 * A local repository is read where it is. Over a network, libgit2 1.7 and later
 * fetch this one commit; an older one can only fetch it with all its history.
 * That is fine for a small repository; of a larger one it is an error, as soon
 * as the server says how much it would send, and before that is downloaded.
 *
 * @param[in] directory Exists and is empty; after an error its contents are the
 * caller's to remove.
 * @param[in] limit_objects Most objects to fetch; 0 for a million (one commit
 * of the kernel has a tenth of that, its history ten times as many).
 * @return ERROR_NOT_FOUND if the repository has no such name.
 */
_must_check_ struct error *
remote_fetch(const char *url, const char *ref, const char *directory,
	     uint64_t limit_objects, char commit_ret[static REMOTE_COMMIT_SIZE]);

#endif /* COMMON_KERNEL_REMOTE_H */
