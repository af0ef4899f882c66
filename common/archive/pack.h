// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef COMMON_ARCHIVE_PACK_H
#define COMMON_ARCHIVE_PACK_H

/**
 * @file
 *
 * Write a directory as a zstd-compressed tarball (GNU tar's format; RFC 8878),
 * the same bytes for the same contents: order, times, owners and modes do not
 * depend on the file system, the user or the time.
 */

#include <stdint.h>

#include "common/base/cleanup.h"

struct error;

struct pack_options {
	/**
	 * Relative paths of files or directories, ended by NULL: these come
	 * first, in this order. Each directory's contents are in order of name.
	 */
	const char *const *first;
	/** These come last, in this order. */
	const char *const *last;
	/** Modification time of every entry, in seconds since the epoch. */
	int64_t mtime;
	/** 0 for what packages use. */
	int level;
	/** Threads that compress; 0 for one a processor. */
	unsigned int workers;
};

/**
 * Pack the contents of a directory; names in the tarball are `./PATH`. The file
 * appears under its name when whole; memory is bounded whatever the size.
 *
 * @param[out] size_ret Size of the result in bytes; may be NULL.
 */
_must_check_ struct error *pack_directory(const char *directory,
					  const char *output_path,
					  const struct pack_options *options,
					  uint64_t *size_ret);

#endif /* COMMON_ARCHIVE_PACK_H */
