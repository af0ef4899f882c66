// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef COMMON_ARCHIVE_UNPACK_WRITER_H
#define COMMON_ARCHIVE_UNPACK_WRITER_H

/**
 * @file
 *
 * Write files, folders and links below one folder, whatever their names say.
 *
 * Folders are entered one part of a name at a time, never through a symbolic
 * link, so that nothing can be written elsewhere; a link is refused unless it
 * must lead to something below the folder; nothing is ever written twice.
 * Names are taken as they stand in a tarball.
 */

#include <stdint.h>

#include "common/base/cleanup.h"

struct error;
struct unpack_writer;

/** @param[in] strip_components Leading parts of every name to drop. */
_must_check_ struct error *unpack_writer_create(const char *directory,
						unsigned int strip_components,
						struct unpack_writer **ret);
void unpack_writer_destroy(struct unpack_writer *writer);

static inline void cleanup_unpack_writer(struct unpack_writer **writer)
{
	unpack_writer_destroy(*writer);
}

#define _cleanup_unpack_writer_ _cleanup_(cleanup_unpack_writer)

/** No error if the folder is there. */
_must_check_ struct error *unpack_writer_directory(struct unpack_writer *writer,
						   const char *name,
						   unsigned int mode);

/**
 * Create an empty file.
 *
 * @param[in] mode Of its bits only those of a file that its owner alone may
 * write are kept: no setuid, no writing by others.
 * @param[out] fd_ret -1 if nothing is left of the name after stripping.
 */
_must_check_ struct error *unpack_writer_file(struct unpack_writer *writer,
					      const char *name,
					      unsigned int mode, int *fd_ret);

_must_check_ struct error *unpack_writer_symlink(struct unpack_writer *writer,
						 const char *name,
						 const char *target);

/** @param[in] target Name of an earlier file, as in the tarball. */
_must_check_ struct error *unpack_writer_hardlink(struct unpack_writer *writer,
						  const char *name,
						  const char *target);

#endif /* COMMON_ARCHIVE_UNPACK_WRITER_H */
