// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef COMMON_ARCHIVE_UNPACK_ENTRIES_H
#define COMMON_ARCHIVE_UNPACK_ENTRIES_H

/** @file The entries of a tarball, as files on disk. For unpack.c only. */

#include "common/base/cleanup.h"

struct archive;
struct error;
struct unpack_options;

/**
 * Write them below a directory: what archive.h says of names, links, kinds and
 * sizes.
 *
 * @param[in] tar Open. Read up to its end mark.
 * @param[in] fd The directory. Taken.
 * @param[in] options With limits.
 */
_must_check_ struct error *unpack_entries(struct archive *tar, int fd,
					  const struct unpack_options *options);

/** What libarchive failed to read for. */
_must_check_ struct error *unpack_read_error(struct archive *archive);

#endif /* COMMON_ARCHIVE_UNPACK_ENTRIES_H */
