// SPDX-License-Identifier: LGPL-2.1-or-later

#include <stddef.h>

#include "common/cli/command.h"
#include "kbuild/cmd/cmd.h"

static const char toolchain_details[] =
	"The catalog says which versions of GCC build which series. The first of\n"
	"these that is of such a version is taken: the machine's own gcc for its own\n"
	"architecture, else the distribution's cross compiler; the same with a version\n"
	"in its name, such as gcc-9; and kernel.org's, which is downloaded when it is\n"
	"needed, checked and kept. The exit status is 1 if there is none.";

// clang-format off
static const struct command commands[] = {
	{
		.name = "build",
		.arguments = "",
		.summary = "build a kernel and pack it",
		.options = cmd_build_options,
		.options_size = sizeof(struct cmd_build_arguments),
		.run = cmd_build,
	},
	{
		.name = "config",
		.arguments = "(VERSION | --source DIR)",
		.summary = "print the options that a kernel is asked to have, or a source's whole .config",
		.details = "Of a version, this prints the options that the fragments of the catalog ask for.\n"
			   "A source is configured with them, in a temporary directory: this prints the .config\n"
			   "that comes out, or fails and names each option that kconfig did not keep.",
		.options = cmd_config_options,
		.options_size = sizeof(struct cmd_config_arguments),
		.run = cmd_config,
	},
	{
		.name = "fetch",
		.arguments = "VERSION",
		.summary = "download a version's tarball, unless it is there and whole",
		.details = "Its digest is checked against the one that kernel.org publishes; release\n"
			   "candidates are made on the fly and have none.",
		.options = cmd_fetch_options,
		.options_size = sizeof(struct cmd_fetch_arguments),
		.run = cmd_fetch,
	},
	{
		.name = "toolchain",
		.arguments = "[VERSION]",
		.summary = "show which compiler builds a version, or each series",
		.details = toolchain_details,
		.run = cmd_toolchain,
	},
	{ 0 },
};
// clang-format on

int main(int argc, char **argv)
{
	static const struct program program = {
		.name = "vmtest-kbuild",
		.summary = "Build Linux kernels for testing.",
		.commands = commands,
	};

	return command_main(&program, argc, argv);
}
