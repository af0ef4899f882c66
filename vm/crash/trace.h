// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef VM_CRASH_TRACE_H
#define VM_CRASH_TRACE_H

/**
 * @file
 *
 * Where in the source the frames of a kernel's stack traces are, as trace.py
 * finds out by elfutils and the debug information of the kernel and of modules.
 * None of these is trusted: they are in a sandbox.
 */

#include "common/base/cleanup.h"

struct error;

/** What has the debug information. */
struct trace_source {
	/** The kernel's package. */
	const char *kernel;
	/** A module that is not of the package; NULL for none. */
	const char *module;
	/** Directory in which trace.py gets one that it can write to. */
	const char *temporary;
};

/**
 * Blocks for some tenths of a second.
 *
 * @param[in] texts JSON, as trace.py takes it.
 * @param[out] ret JSON, as it prints it; not to be trusted; free().
 * @return An error for lack of Python, too.
 */
_must_check_ struct error *trace_decode(const struct trace_source *source,
					const char *texts, char **ret);

#endif /* VM_CRASH_TRACE_H */
