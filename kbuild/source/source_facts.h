// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef KBUILD_SOURCE_SOURCE_FACTS_H
#define KBUILD_SOURCE_SOURCE_FACTS_H

/**
 * @file
 *
 * What is known of a source: the version that its Makefile says, and of one in
 * the cache what a file in it notes: the version, where it came from, and the
 * patches that it got.
 */

#include "common/base/cleanup.h"

struct error;
struct kernel_version;
struct source;

/** From the text of the Makefile at the root of a tree. */
_must_check_ struct error *source_version_parse(const char *makefile,
						struct kernel_version *ret);

/**
 * From a tree.
 *
 * @return ERROR_USAGE, which does not name the directory, if it is not a
 * kernel's source, or one whose EXTRAVERSION is neither empty nor that of a
 * release candidate: its name would not be that of a kernel of kernel.org.
 */
_must_check_ struct error *source_version_read(const char *directory,
					       struct kernel_version *ret);

/** Note all but the path in a source's directory. */
_must_check_ struct error *source_facts_write(const struct source *source,
					      const char *directory);

/**
 * Read what was noted; the path is NULL.
 *
 * @return ERROR_OTHER if it is not what source_facts_write() writes.
 */
_must_check_ struct error *source_facts_read(const char *directory,
					     struct source *ret);

#endif /* KBUILD_SOURCE_SOURCE_FACTS_H */
