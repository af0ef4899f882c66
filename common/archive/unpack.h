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
 * nothing is ever written outside the directory. A tarball that is damaged or
 * does not end as it should is an error, even if all files had come.
 */

#include <stdbool.h>
#include <stdint.h>

#include "common/base/cleanup.h"

struct error;
struct stream;

struct unpack_options {
	/** Leading parts of each name to drop (a kernel tarball has one). */
	unsigned int strip_components;
	/** Most bytes that the files may hold in all; 0 for 16 GiB. */
	uint64_t limit_bytes;
	/** Most entries; 0 for a million. */
	uint64_t limit_entries;
	/**
	 * It is a root file system, made here: keep links to absolute paths,
	 * modes and times, and, if we are root, owners. If not, all files are
	 * ours. Device nodes are left out: a guest mounts its own.
	 */
	bool is_system;
};

/**
 * Unpack what a stream brings, to its end. When it fails, what is on disk is the
 * caller's to remove. A thread writes the files while the caller waits for more.
 *
 * @param[in] directory Exists and is empty.
 */
_must_check_ struct error *unpack(struct stream *stream, const char *directory,
				  const struct unpack_options *options);

/** Unpack a local file, and show the progress. */
_must_check_ struct error *unpack_file(const char *path, const char *directory,
				       const struct unpack_options *options);

#endif /* COMMON_ARCHIVE_UNPACK_H */
