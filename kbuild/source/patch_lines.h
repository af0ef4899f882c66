// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef KBUILD_SOURCE_PATCH_LINES_H
#define KBUILD_SOURCE_PATCH_LINES_H

/**
 * @file
 *
 * Where the lines of a hunk are in a file. libgit2 looks for them at one place
 * only, the one that the patch names; a patch that is for many versions finds
 * its lines some way up or down.
 */

#include <stdbool.h>
#include <stddef.h>

#include "common/base/cleanup.h"

struct error;

/** A line, its newline included if it has one; borrowed from a text. */
struct patch_line {
	const char *start;
	size_t length;
};

struct patch_lines {
	struct patch_line *items;
	size_t count;
};

void patch_lines_deinit(struct patch_lines *lines);

#define _cleanup_patch_lines_ _cleanup_(patch_lines_deinit)

_must_check_ struct error *patch_lines_add(struct patch_lines *lines,
					   const char *start, size_t length);

/** Add each line of a text. */
_must_check_ struct error *patch_lines_split(struct patch_lines *lines,
					     const char *text, size_t size_bytes);

/** What is looked for. */
struct patch_search {
	const struct patch_lines *wanted;
	/** Index of the first line that may match. */
	size_t first;
	/** Index where it should be; the match that is nearest is taken. */
	size_t expected;
	/** Must be where the file starts, or ends: it lacks context there. */
	bool at_start;
	bool at_end;
};

/** @return Whether the lines were found; @p index_ret is that of the first. */
bool patch_lines_find(const struct patch_lines *file,
		      const struct patch_search *search, size_t *index_ret);

#endif /* KBUILD_SOURCE_PATCH_LINES_H */
