// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef COMMON_BASE_FILE_H
#define COMMON_BASE_FILE_H

/** @file Paths, files, directories, and locks. */

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "common/base/cleanup.h"

struct error;
struct stat;
struct string_list;

/* Files and paths. What others may read gets its name only when whole. */

/**
 * Join two parts of a path with one slash; an absolute @p name wins. free().
 */
char *path_join(const char *directory, const char *name);

/** The same with a formatted second part. */
_printf_(2, 3) char *path_joinf(const char *directory, const char *format, ...);

/** The last part of a path, or of a URL: what follows the last slash. */
const char *path_name(const char *path);

/** What comes before it, with the slash; "." if there is none. free(). */
char *path_parent(const char *path);

/** Whether it is the directory itself, or below it, by its name. */
bool path_is_below(const char *path, const char *directory);

/** Whether it is relative, and has no `..`, by which it could lead out. */
bool path_stays_below(const char *path);

/* Where a path leads, and who can change what is there. */

struct path_step {
	dev_t device;
	ino_t inode;
};

struct path_way {
	/** Absolute, without links, `.` and `..`. */
	char *path;
	/**
	 * From the root on, each directory that is looked into, those of links
	 * included; and, if it is there, what is at the end.
	 */
	struct path_step *items;
	size_t count;
	bool is_there;
};

/**
 * Follow a path, as the kernel does, to its end or to where nothing is there
 * yet. What is missing is taken for directories.
 */
_must_check_ struct error *path_follow(const char *path, struct path_way *ret);

void path_way_deinit(struct path_way *way);

#define _cleanup_path_way_ _cleanup_(path_way_deinit)

/**
 * Whether a way leads into a place, or through it: who can write there decides
 * where the way leads. By inode, and so through bind mounts, too.
 */
bool path_way_passes(const struct path_way *way, const struct path_way *place);

/**
 * How somebody else can change a file, or what a directory holds. A group that
 * is the owner's own is nobody else.
 *
 * @param[in] st That of @p path.
 * @param[in] caller He and root are no others, nor is @p also.
 * @return In words after the path: `belongs to bob`; NULL if nobody can; free().
 */
char *path_exposure(const char *path, const struct stat *st, uid_t caller,
		    uid_t also);

bool file_exists(const char *path);

/**
 * Read a whole file. A pipe that nobody writes to is empty.
 *
 * @param[out] text_ret NUL-terminated; free().
 * @param[out] size_ret May be NULL.
 * @return ERROR_NOT_FOUND if there is none; an error beyond @p limit_bytes.
 */
_must_check_ struct error *file_read(const char *path, size_t limit_bytes,
				     char **text_ret, size_t *size_ret);

/** The same of one that is open. @param[in] path For messages. */
_must_check_ struct error *file_read_open(int fd, const char *path,
					  size_t limit_bytes, char **text_ret,
					  size_t *size_ret);

/**
 * Write a file under a temporary name, and rename it into place.
 *
 * A link is replaced.
 *
 * @return ERROR_USAGE if the name is that of something else, such as a device.
 */
_must_check_ struct error *file_write(const char *path, const void *data,
				      size_t size_bytes);

/**
 * Make a file that grows under its name, such as a log, in place of what has
 * the name. It is written to at its end.
 *
 * @return ERROR_USAGE as file_write().
 */
_must_check_ struct error *file_create(const char *path, int *fd_ret);

/**
 * Delete a file that file_write() may have written. No error if there is none.
 *
 * @return ERROR_USAGE as file_write().
 */
_must_check_ struct error *file_delete(const char *path);

/**
 * Write a file that an argument of the user's names, such as that of --result.
 * As file_write(), but a pipe, a terminal or the like, and what is our stdout
 * or stderr, is written to as it is, through links, too. A link to another file
 * is replaced: a guest may have made it meanwhile.
 *
 * @return ERROR_USAGE if it is a directory or a block device.
 */
_must_check_ struct error *user_file_write(const char *path, const void *data,
					   size_t size_bytes);

/** The same for a file that grows, as file_create(). */
_must_check_ struct error *user_file_create(const char *path, int *fd_ret);

/** Delete what user_file_write() replaces; what it writes to as it is stays. */
_must_check_ struct error *user_file_delete(const char *path);

/** Copy a file's contents (copy_file_range(2)) and its mode. */
_must_check_ struct error *file_copy(const char *from, const char *to);

/** The same, but it gets its name only when whole, and replaces what has it. */
_must_check_ struct error *file_install(const char *from, const char *to);

/** write(2) until all is written. @return 0, or an errno value. */
int write_all(int fd, const void *data, size_t size_bytes);

/* Directories, and the files below them. */

bool directory_exists(const char *path);

/**
 * Make a directory and its parents; no error if it is there.
 *
 * @return ERROR_USAGE if the path is empty.
 */
_must_check_ struct error *directory_create(const char *path);

/** The same, but only the user may look into it, if it is made now. */
_must_check_ struct error *directory_create_private(const char *path);

/**
 * Delete a directory with all it holds, without following links or leaving its
 * file system's tree. No error if it is not there. Read-only directories inside
 * are made writable first.
 */
_must_check_ struct error *directory_remove(const char *path);

/** The same, but for the directory itself. */
_must_check_ struct error *directory_clear(const char *path);

/**
 * Make a directory with a name of its own, `PARENT/.PREFIX.XXXXXX`. It is
 * locked (flock(2)) as long as the returned descriptor is open, so that
 * directory_remove_stale() can tell the leftovers of a dead run.
 */
_must_check_ struct error *directory_create_temporary(const char *parent,
						      const char *prefix,
						      char **path_ret,
						      int *lock_fd_ret);

/**
 * Delete our leftovers of directory_create_temporary() that nobody has locked;
 * those of other users, as in /tmp, are theirs.
 */
_must_check_ struct error *directory_remove_stale(const char *parent,
						  const char *prefix);

/** Delete the directory when the scope ends; failing is logged as a warning. */
void cleanup_directory(char **path);

/** For a `char *` that owns a temporary directory's path: removes and frees. */
#define _cleanup_directory_ _cleanup_(cleanup_directory)

/**
 * List all files below a directory, sorted, relative to it. Links are followed;
 * one that leads nowhere is left out, as is all that is neither file nor
 * directory.
 *
 * @param[in] skip Globs over the names of files and directories to leave out,
 * ended by NULL; may be NULL.
 * @return ERROR_CANCELLED if interrupted.
 */
_must_check_ struct error *tree_list(const char *path, const char *const *skip,
				     struct string_list *ret);

/** The same for all that there is, directories and links too, parents first. */
_must_check_ struct error *tree_list_all(const char *path,
					 struct string_list *ret);

/** Copy the files that tree_list() lists, and the directories they are in. */
_must_check_ struct error *tree_copy(const char *from, const char *const *skip,
				     const char *to);

/* Locks that end with the process that holds them. */

/**
 * Lock a file exclusively (flock(2)), which is made if it is not there. Says so
 * on stderr if it has to wait. The lock lasts as long as the descriptor, and is
 * that of the file which has the name once it is taken.
 *
 * @return ERROR_CANCELLED if interrupted while it waits.
 */
_must_check_ struct error *file_lock(const char *path, int *fd_ret);

/** The same for a directory. */
_must_check_ struct error *directory_lock(const char *path, int *fd_ret);

/** Whether a path still leads to what was opened by it. */
bool lock_is_of(int fd, const char *path);

#endif /* COMMON_BASE_FILE_H */
