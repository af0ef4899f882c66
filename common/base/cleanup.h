// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef COMMON_BASE_CLEANUP_H
#define COMMON_BASE_CLEANUP_H

/**
 * @file
 *
 * Scope-based cleanup, and attributes that let the compiler check callers.
 *
 * A variable marked with one of these is released when its scope ends, so
 * initialise it at its declaration. A resource leaves its scope through
 * take_ptr() or take_fd(): a pointer has one owner at a time. The cleanup of a
 * type of ours stands beside that type.
 */

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

// Also unused: clang does not take being cleaned up for a use.
#define _cleanup_(function) __attribute__((cleanup(function), unused))
#define _must_check_ __attribute__((warn_unused_result))
#define _returns_nonnull_ __attribute__((returns_nonnull))
#define _printf_(text, first) __attribute__((format(printf, text, first)))

static inline void cleanup_free(void *p)
{
	free(*(void **)p);
}

static inline void cleanup_close(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

static inline void cleanup_fclose(FILE **file)
{
	if (*file)
		fclose(*file);
}

static inline void cleanup_closedir(DIR **directory)
{
	if (*directory)
		closedir(*directory);
}

/** free() the pointer when its scope ends. */
#define _cleanup_free_ _cleanup_(cleanup_free)

/** close() the file descriptor, unless it is negative. */
#define _cleanup_close_ _cleanup_(cleanup_close)

/** fclose() the stream, unless it is NULL. */
#define _cleanup_fclose_ _cleanup_(cleanup_fclose)

/** closedir() the directory, unless it is NULL. */
#define _cleanup_closedir_ _cleanup_(cleanup_closedir)

/** Define cleanup_NAME(), for pointers to what a function frees, or NULL. */
#define DEFINE_CLEANUP(name, type, function)                                   \
	static inline void cleanup_##name(type *pointer)                       \
	{                                                                      \
		function(*pointer);                                            \
	}

/** Hand over a value that owns others: returns it and leaves zeroes behind. */
#define take(value)                                                            \
	__extension__({                                                        \
		__typeof__(value) *_v = &(value);                              \
		__typeof__(value) _taken = *_v;                                \
		*_v = (__typeof__(value)){ 0 };                                \
		_taken;                                                        \
	})

/** The same for a pointer. */
#define take_ptr(pointer) take(pointer)

/** Hand over a file descriptor: returns it and leaves -1 behind. */
static inline int take_fd(int *fd)
{
	int taken = *fd;

	*fd = -1;
	return taken;
}

#define array_size(array) (sizeof(array) / sizeof((array)[0]))

#endif /* COMMON_BASE_CLEANUP_H */
