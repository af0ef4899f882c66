// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef COMMON_KERNEL_REMOTE_H
#define COMMON_KERNEL_REMOTE_H

/**
 * @file
 *
 * Git repositories elsewhere: the commit that a ref stands for, and its files.
 *
 * A URL is `https://` or `http://`, what else libgit2 connects to (`git://`,
 * `file://`), or the path of a local repository. All calls block.
 *
 * Over HTTP, refs are asked for by http_perform(), with its limits, proxies and
 * ERROR_CANCELLED. All else on the network is done by libgit2, which reads also
 * git's configuration for a proxy, and which a signal cannot interrupt: as long
 * as it is there, SIGINT and SIGTERM are unblocked, and end the program at
 * once. libgit2 1.7 and later give up a server that says nothing for the stall
 * limit of HTTP; an older one waits for it until such a signal.
 */

#include <stdint.h>

#include "common/base/cleanup.h"
#include "common/kernel/git_refs.h"

struct error;
struct http;

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
 * @param[in] limit_objects Most objects to fetch; 0 for a million (one commit
 * of the kernel has a tenth of that, its history ten times as many).
 * @return ERROR_RETRY if the ref stands for another commit by now.
 */
_must_check_ struct error *remote_fetch(struct http *http, const char *url,
					const struct ref *ref,
					const char *directory,
					uint64_t limit_objects);

#endif /* COMMON_KERNEL_REMOTE_H */
