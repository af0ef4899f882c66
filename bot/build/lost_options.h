// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef BOT_BUILD_LOST_OPTIONS_H
#define BOT_BUILD_LOST_OPTIONS_H

/**
 * @file
 *
 * What a kernel of a series that nobody has verified yet was built without, in
 * words for tables and for the label of its asset: `without CONFIG_A=y`.
 */

#include "common/base/cleanup.h"

struct asset;
struct string_list;

/** "" if no option was lost; free(). */
char *lost_options_format(const struct string_list *lost);

/**
 * The label of an asset: its name, then what it lacks.
 *
 * @return NULL if no option was lost; free().
 */
char *lost_options_label(const char *asset_name, const struct string_list *lost);

/** What an asset's label says that it lacks; "" if it says nothing. Borrowed. */
const char *lost_options_of_asset(const struct asset *asset);

#endif /* BOT_BUILD_LOST_OPTIONS_H */
