// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef KBUILD_CMD_KBUILD_COMMANDS_H
#define KBUILD_CMD_KBUILD_COMMANDS_H

/** @file The commands of vmtest-kbuild, and what they share. */

#include "common/command/command.h"
#include "kbuild/config/config.h"

struct catalog_arch;
struct catalog_flavor;
struct kernel_version;
struct release;

extern const struct command kbuild_build_command;
extern const struct command kbuild_config_command;
extern const struct command kbuild_fetch_command;
extern const struct command kbuild_toolchain_command;

/** What a kernel is built for. */
struct selection {
	const struct catalog_arch *arch;
	const struct catalog_flavor *flavor;
	/** Move it, or leave it to the cleanup. */
	struct config_additions additions;
};

static inline void selection_deinit(struct selection *selection)
{
	config_additions_deinit(&selection->additions);
}

#define _cleanup_selection_ _cleanup_(selection_deinit)

/** Options of the commands that have a selection. */
struct selection_options {
	struct string_list fragments;
	struct string_list options;
};

// clang-format off
#define SELECTION_OPTIONS(type, member)                                        \
	{ 0, "config-fragment", "FILE", "also set the options of this fragment; repeatable", OPTION_ITEM, .offset = offsetof(type, member.fragments) }, \
	{ 0, "config-option", "CONFIG_NAME=VALUE", "also set this option; repeatable", OPTION_ITEM, .offset = offsetof(type, member.options) }
// clang-format on

/**
 * Which ones a command line means: at most one of each may be named; without,
 * it is this machine's architecture and the flavor `default`.
 *
 * @return ERROR_USAGE.
 */
_must_check_ struct error *selection_make(const struct command_context *context,
					  const struct selection_options *wanted,
					  struct selection *ret);

/**
 * The release that building a version makes.
 *
 * @param[in] rebuild Its PATCH.
 * @return ERROR_USAGE if the catalog's flavor is not for it.
 */
_must_check_ struct error *
selection_release(const struct command_context *context,
		  const struct selection *selection,
		  const struct kernel_version *version, unsigned int rebuild,
		  struct release *ret);

/** @return ERROR_USAGE if the text is none. */
_must_check_ struct error *parse_version(const char *text,
					 struct kernel_version *ret);

#endif /* KBUILD_CMD_KBUILD_COMMANDS_H */
