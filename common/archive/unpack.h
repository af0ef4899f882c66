// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef COMMON_ARCHIVE_UNPACK_H
#define COMMON_ARCHIVE_UNPACK_H

/**
 * @file
 *
 * Unpack a tarball (zstd, xz, gzip, …: by its own magic) while it arrives.
 *
 * What arrives is not trusted: absolute paths, `..`, links that lead outside,
 * device nodes, FIFOs, sockets, setuid bits and absurd sizes are refused, and
 * nothing is ever written outside the folder. A stream that is damaged or does
 * not end as it should is an error, even if all files had come. Bytes are
 * pushed in; threads of the object's own decompress and write while the caller
 * fetches more.
 */

#include <stddef.h>
#include <stdint.h>

#include "common/base/cleanup.h"

struct error;
struct unpack;

struct unpack_options {
	/** Leading parts of each name to drop (a kernel tarball has one). */
	unsigned int strip_components;
	/** Most bytes that the files may hold in all; 0 for 16 GiB. */
	uint64_t limit_bytes;
	/** Most entries; 0 for a million. */
	uint64_t limit_entries;
};

/** @param[in] directory Exists and is empty. */
_must_check_ struct error *unpack_create(const char *directory,
					 const struct unpack_options *options,
					 struct unpack **ret);

/**
 * Push bytes; blocks while the threads are behind. A file_sink (file.h). An
 * error may be about bytes that were pushed earlier.
 */
_must_check_ struct error *unpack_write(void *unpack, const void *data,
					size_t size_bytes);

/** The stream is complete: wait until all is written and found whole. */
_must_check_ struct error *unpack_finish(struct unpack *unpack);

/** Without unpack_finish(), stops; what is on disk is the caller's to remove. */
void unpack_destroy(struct unpack *unpack);

static inline void cleanup_unpack(struct unpack **unpack)
{
	unpack_destroy(*unpack);
}

#define _cleanup_unpack_ _cleanup_(cleanup_unpack)

/** Unpack a local file. */
_must_check_ struct error *unpack_file(const char *path, const char *directory,
				       const struct unpack_options *options);

#endif /* COMMON_ARCHIVE_UNPACK_H */
