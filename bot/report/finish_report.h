// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef BOT_REPORT_FINISH_REPORT_H
#define BOT_REPORT_FINISH_REPORT_H

/** @file What has become of a plan, for people. */

#include <stddef.h>

#include "common/base/cleanup.h"

struct error;
struct string_builder;
struct verdict;
struct verdict_list;

/** Append `6.12.117-vmtest1.0tiny for x86_64: build failed`. */
void finish_report_append_title(struct string_builder *sb,
				const struct verdict *verdict);

/** A line for each kernel, the failures first; free(). */
_must_check_ struct error *finish_report_text(const struct verdict_list *verdicts,
					      char **ret);

/**
 * The same as a table in Markdown, with the time that each phase took, and the
 * ends of the failures' logs, as many as there is room for.
 *
 * @param[in] left_out Kernels that the plan left for another time.
 * @param[in] limit_bytes At most this many.
 * @param[out] ret free()
 */
_must_check_ struct error *
finish_report_markdown(const struct verdict_list *verdicts, size_t left_out,
		       size_t limit_bytes, char **ret);

#endif /* BOT_REPORT_FINISH_REPORT_H */
