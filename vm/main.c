// SPDX-License-Identifier: LGPL-2.1-or-later

#include "common/cli/command.h"
#include "vm/cmd/commands.h"

static const char run_details[] =
	"Without a command, runs a shell. The guest's root is the host's, which it\n"
	"cannot change: what it writes is gone when it ends, but for --rw folders.\n"
	"The exit status is the command's; 124 on timeout; 125 if the command could\n"
	"not be run; 128 if the guest was lost; 141 if nobody reads its output any\n"
	"more, as if SIGPIPE had ended it. On a terminal, Ctrl-] three times\n"
	"ends the guest. --result says how it ended in JSON: 'outcome' is exited,\n"
	"timed_out, lost or not_run; the file appears when whole, and not at all if\n"
	"the run is interrupted.\n"
	"\n"
	"With --kdump, the command may load a crash kernel (\"$VMTEST_KEXEC\", which is\n"
	"in the PATH as vmtest-kexec). If the guest crashes then, the same command\n"
	"runs again in that kernel, where /proc/vmcore is the crashed one's memory; its\n"
	"status counts. What it wrote is gone, but for --rw folders.";

static const char module_details[] =
	"Builds an external module in a copy of its source, and prints its path; of\n"
	"several modules, of the first in obj-m. Once built, it is kept as long as\n"
	"neither source nor kernel changes.";

static const char rootfs_details[] =
	"Guests of other architectures than this machine's need a root of their own.\n"
	"This makes one for each of --arch, of Debian's essential packages, those that\n"
	"the catalog names, and those of --package or \"packages\" in vmtest.json, and\n"
	"prints its path. It is made with mmdebstrap, without root where the system has\n"
	"user namespaces, and kept below --directory until packages or suite change.";

static const char test_details[] =
	"The kernels are the newest of each series and flavor: all supported ones\n"
	"with -K, those that a pattern means with -k, of each architecture of --arch.\n"
	"They are downloaded one by one while others are tested. A kernel whose guest\n"
	"is lost is tried once more, and flaky if it then passes. The exit status is 1\n"
	"if any has failed.\n"
	"\n"
	"What is not on the command line may be in vmtest.json, in the working\n"
	"directory: \"command\", \"kernels\", \"memory\" and so on; paths in it are\n"
	"relative to it, and its command runs where it lies. Repeatable options add to\n"
	"those of the file, all others win over it.\n"
	"\n"
	"Where there is neither a command nor a file, drgn is tested: its test module\n"
	"is inserted, and what the module's interface promises is looked at with the\n"
	"python3-drgn of the host.";

static const char bisect_details[] =
	"The kernels are all of the disk and the store that -k means (default: all),\n"
	"the newest build of each version, in order of version, of one flavor. The\n"
	"first and the last are tested, then the middle. A kernel is good if the\n"
	"command succeeds; it is skipped if it cannot be downloaded or does not boot,\n"
	"or if the command exits with 125; else it is bad. The exit status is 0 if the\n"
	"two are found. vmtest.json is used as by test.";

static const char prune_details[] =
	"Without --cache-size and --older-than, kernels that newer ones supersede are\n"
	"deleted, with the modules that were built for them; --kernel, --arch and\n"
	"--flavor say of which kernels. The two limits are about all that is kept in\n"
	"--directory: kernels, modules, roots, sources, compilers, packages that are\n"
	"under way. What is in use stays. Prints the paths, and then, on stderr, what\n"
	"is left.";

static const struct command commands[] = {
	{
		.name = "run",
		.arguments = "[--] [COMMAND ARG...]",
		.summary = "run a command under a kernel",
		.details = run_details,
		.options = run_command_option_table,
		.shared_options = run_option_table,
		.options_size = sizeof(struct run_command_options),
		.takes_program = true,
		.failure_status = RUN_STATUS_NOT_RUN,
		.run = cmd_run,
	},
	{
		.name = "test",
		.arguments = "[--] [COMMAND ARG...]",
		.summary = "run a command under many kernels",
		.details = test_details,
		.options = test_option_table,
		.shared_options = run_option_table,
		.options_size = sizeof(struct suite_options),
		.takes_program = true,
		.run = cmd_test,
	},
	{
		.name = "bisect",
		.arguments = "[--] [COMMAND ARG...]",
		.summary = "find the two kernels between which a command begins to fail",
		.details = bisect_details,
		.options = bisect_option_table,
		.shared_options = run_option_table,
		.options_size = sizeof(struct suite_options),
		.takes_program = true,
		.run = cmd_bisect,
	},
	{
		.name = "list",
		.arguments = "",
		.summary = "show kernels on disk and in the store",
		.run = cmd_list,
	},
	{
		.name = "download",
		.arguments = "",
		.summary = "fetch the newest match of each --kernel",
		.details = "Prints the kernels' folders; with --json also what fetching and unpacking took.",
		.run = cmd_download,
	},
	{
		.name = "module",
		.arguments = "",
		.summary = "build a module for the newest match of each --kernel",
		.details = module_details,
		.options = module_option_table,
		.options_size = sizeof(struct module_options),
		.run = cmd_module,
	},
	{
		.name = "rootfs",
		.arguments = "",
		.summary = "make roots for guests of other architectures",
		.details = rootfs_details,
		.options = rootfs_option_table,
		.options_size = sizeof(struct rootfs_options),
		.run = cmd_rootfs,
	},
	{
		.name = "prune",
		.arguments = "",
		.summary = "delete what is superseded, or kept for too long, from the disk",
		.details = prune_details,
		.options = prune_option_table,
		.options_size = sizeof(struct prune_options),
		.run = cmd_prune,
	},
	{ 0 },
};

int main(int argc, char **argv)
{
	static const struct program program = {
		.name = "vmtest-vm",
		.summary = "Run commands under other kernels.",
		.commands = commands,
	};

	return command_main(&program, argc, argv);
}
