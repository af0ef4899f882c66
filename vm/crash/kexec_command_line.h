// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef VM_CRASH_KEXEC_COMMAND_LINE_H
#define VM_CRASH_KEXEC_COMMAND_LINE_H

/** @file The command line of a crash kernel. Needs nothing but libc. */

#include <stdbool.h>

/**
 * Make it from the running kernel's, which boots the same root and init: all of
 * it, without the memory that is set aside for a crash kernel, and with what a
 * kernel needs that begins on a machine that another has left as it was.
 *
 * @param[in] current As /proc/cmdline has it; a final newline is dropped.
 * @param[in] has_many_cpus Whether this kernel uses several processors.
 * @param[in] append More parameters; they come last, and so win. May be NULL.
 * @return free(); NULL if out of memory.
 */
char *kexec_command_line(const char *current, bool has_many_cpus,
			 const char *append);

#endif /* VM_CRASH_KEXEC_COMMAND_LINE_H */
