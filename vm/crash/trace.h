// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef VM_CRASH_TRACE_H
#define VM_CRASH_TRACE_H

/**
 * @file
 *
 * Where in the source the frames of a kernel's stack traces are: each
 * `SYMBOL+OFFSET/SIZE [MODULE]` gets a file and line, by the debug information
 * of vmlinux and of modules, and elfutils' programs, which are not trusted with
 * either: they run in a sandbox.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/cleanup.h"

/** What has the debug information. */
struct trace_source {
	/** The kernel's package. */
	const char *kernel;
	/** A module that is not of the package; NULL for none. */
	const char *module;
	/** Directory in which the programs get one that they can write to. */
	const char *temporary;
};

/**
 * Add ` (FILE:LINE)` behind each frame of some texts, in place. A frame that is
 * inlined is followed by where it is called. What is not known, for lack of
 * elfutils or of debug information, stays as it is. Blocks for some tenths of a
 * second if there are frames.
 *
 * @param[in,out] texts Each of malloc(3); NULL for none.
 */
void trace_decode(const struct trace_source *source, char **const *texts,
		  size_t count);

/**
 * The first frame of a module that has a place.
 *
 * @param[in] text Decoded.
 * @param[out] line_ret Of the file.
 * @return The file; NULL for none; free().
 */
char *trace_find_place(const char *text, unsigned int *line_ret);

/* Its parts, which have no effects. */

struct trace_frame {
	/** Which text it is of, and where it ends there. */
	size_t text, end;
	char *symbol;
	/** NULL for the kernel itself. */
	char *module;
	/** Of the symbol: to the instruction, and in all. */
	uint64_t offset, size_bytes;
	/** What the programs are to look up; NULL if it is not known. */
	char *query;
	/** NULL if it is not known. */
	char *place;
};

struct trace_frames {
	struct trace_frame *items;
	size_t count;
};

/** @param[in] module NULL for the kernel itself. */
bool trace_frame_is_of(const struct trace_frame *frame, const char *module);

/** Add the frames of a text, up to a limit for all. */
void trace_frames_add(struct trace_frames *frames, const char *text,
		      size_t number);
void trace_frames_deinit(struct trace_frames *frames);

#define _cleanup_trace_frames_ _cleanup_(trace_frames_deinit)

/**
 * Find what to look up. Of several symbols of one name, the kernel's is the one
 * that ends where the next begins.
 *
 * @param[in] module NULL for the kernel itself; other frames are left alone.
 * @param[in] symbols As eu-nm -n -f posix prints them.
 */
void trace_frames_resolve(struct trace_frames *frames, const char *module,
			  const char *symbols);

/** @param[in] output What eu-addr2line -a -i has said of all the queries. */
void trace_frames_locate(struct trace_frames *frames, const char *module,
			 const char *output);

/** Text number @p number with the places; free(). */
char *trace_frames_format(const struct trace_frames *frames, const char *text,
			  size_t number);

#endif /* VM_CRASH_TRACE_H */
