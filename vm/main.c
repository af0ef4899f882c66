// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/cmd/vm_commands.h"

int main(int argc, char **argv)
{
	static const struct command *const commands[] = {
		&vm_run_command,    &vm_exec_command,	  &vm_shell_command,
		&vm_ls_command,	    &vm_stop_command,	  &vm_test_command,
		&vm_lock_command,   &vm_bisect_command,	  &vm_range_command,
		&vm_list_command,   &vm_download_command, &vm_module_command,
		&vm_rootfs_command, &vm_prune_command,	  &vm_drgn_command,
		&vm_crash_command,  &vm_replay_command,	  NULL,
	};
	static const struct program program = {
		.name = "vmtest-vm",
		.summary = "Run commands under other kernels.",
		.commands = commands,
		.complete_kernel = add_kernel_names,
	};

	return command_main(&program, argc, argv);
}
