// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef COMMON_BASE_FILE_H
#define COMMON_BASE_FILE_H

/**
 * @file
 *
 * Files and folders. What others may read gets its name only when whole.
 */

#include <stdbool.h>
#include <stdint.h>

#include "common/base/cleanup.h"

struct error;

/** Join two parts of a path with one slash; an absolute @p name wins. free(). */
char *path_join(const char *directory, const char *name);

/** The same with a formatted second part. */
_printf_(2, 3) char *path_joinf(const char *directory, const char *format, ...);

bool file_exists(const char *path);
bool directory_exists(const char *path);

/** Takes pieces of a stream, in order; what it fails with ends the stream. */
typedef struct error *(*file_sink)(void *arg, const void *data,
				   size_t size_bytes);

/**
 * Read a descriptor to its end, in pieces.
 *
 * @return ERROR_CANCELLED (interrupt.h), or what the sink failed with.
 */
_must_check_ struct error *file_stream(int fd, file_sink sink, void *arg);

/**
 * Make a folder and its parents; no error if it is there.
 *
 * @return ERROR_USAGE if the path is empty.
 */
_must_check_ struct error *directory_create(const char *path);

/**
 * Delete a folder with all it holds, without following links or leaving its
 * file system's tree. No error if it is not there. Read-only folders inside are
 * made writable first.
 */
_must_check_ struct error *directory_remove(const char *path);

/**
 * Make a folder with a name of its own, `PARENT/.PREFIX.XXXXXX`. It is locked
 * (flock(2)) as long as the returned descriptor is open, so that
 * directory_remove_stale() can tell the leftovers of a dead run.
 */
_must_check_ struct error *directory_create_temporary(const char *parent,
						      const char *prefix,
						      char **path_ret,
						      int *lock_fd_ret);

/** Delete leftovers of directory_create_temporary() that nobody has locked. */
_must_check_ struct error *directory_remove_stale(const char *parent,
						  const char *prefix);

/** Delete the folder when the scope ends; failing is logged as a warning. */
void cleanup_directory(char **path);

/** For a `char *` that owns a temporary folder's path: removes and frees. */
#define _cleanup_directory_ _cleanup_(cleanup_directory)

/**
 * Read a whole file.
 *
 * @param[out] text_ret NUL-terminated; free().
 * @param[out] size_ret May be NULL.
 * @return ERROR_NOT_FOUND if there is none; an error beyond @p limit_bytes.
 */
_must_check_ struct error *file_read(const char *path, size_t limit_bytes,
				     char **text_ret, size_t *size_ret);

/**
 * Write a file under a temporary name, and rename it into place.
 *
 * @return ERROR_USAGE if the name is that of something else, such as a device.
 */
_must_check_ struct error *file_write(const char *path, const void *data,
				      size_t size_bytes);

/**
 * Delete a file that file_write() may have written. No error if there is none.
 *
 * @return ERROR_USAGE as file_write().
 */
_must_check_ struct error *file_delete(const char *path);

/** Copy a file's contents (by reflink or copy_file_range(2)) and its mode. */
_must_check_ struct error *file_copy(const char *from, const char *to);

/**
 * Rename a file, or copy it if it is to lie in another file system: it gets its
 * new name only when whole, and replaces what has it.
 */
_must_check_ struct error *file_move(const char *from, const char *to);

/**
 * Lock a file exclusively (flock(2)), which is made if it is not there. Says so
 * on stderr if it has to wait. The lock lasts as long as the descriptor.
 *
 * @return ERROR_CANCELLED if interrupted while it waits.
 */
_must_check_ struct error *file_lock(const char *path, int *fd_ret);

/** write(2) until all is written. @return 0, or an errno value. */
int write_all(int fd, const void *data, size_t size_bytes);

#endif /* COMMON_BASE_FILE_H */
