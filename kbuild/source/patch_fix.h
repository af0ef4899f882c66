// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef KBUILD_SOURCE_PATCH_FIX_H
#define KBUILD_SOURCE_PATCH_FIX_H

/**
 * @file
 *
 * A fix that upstream has, configs/patches/NAME.json, which is fetched and not
 * copied:
 *
 *     {
 *       "commit": "0123456789abcdef0123456789abcdef01234567",
 *       "for": ">=5.10 <5.15 x86_64",
 *       "reason": "GCC 13 does not compile it without",
 *       "sha256": "..."
 *     }
 *
 * `for` is in the terms of bounds.h. The digest is of the patch's changes
 * alone: from its first `diff --git` on, without the signature at the end, and
 * with the same object names in all `index` lines. The rest differs between
 * servers, and with the age of one: it holds the version of its software, and
 * as many digits of an object's name as tell its objects apart.
 */

#include <stddef.h>

#include "common/archive/digest.h"
#include "common/base/cleanup.h"

struct error;
struct http;

struct patch_fix {
	/** 40 hexadecimal digits. */
	char *commit;
	char *bounds;
	char *reason;
	char digest[DIGEST_TEXT_SIZE];
};

void patch_fix_deinit(struct patch_fix *fix);

#define _cleanup_patch_fix_ _cleanup_(patch_fix_deinit)

/** @return ERROR_USAGE if the text is not as above. */
_must_check_ struct error *patch_fix_parse(const char *text, size_t size_bytes,
					   struct patch_fix *ret);

/**
 * The part of a patch that its digest is of, and that is applied; free().
 *
 * @return ERROR_OTHER if it changes nothing, or is not a text.
 */
_must_check_ struct error *patch_fix_changes(const char *text,
					     size_t size_bytes, char **ret);

/** Where fixes come from. All is borrowed. */
struct patch_origin {
	struct http *http;
	/** A commit is appended. */
	const char *url;
	/** What was fetched is kept in its folder `patches`. */
	const char *cache_directory;
};

/**
 * Get the changes of a commit, from the cache or from the network.
 *
 * @param[out] ret Their digest is the wanted one; free().
 */
_must_check_ struct error *patch_fix_fetch(const struct patch_origin *origin,
					   const char *commit,
					   const char *digest, char **ret);

#endif /* KBUILD_SOURCE_PATCH_FIX_H */
