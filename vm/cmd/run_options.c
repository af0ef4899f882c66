// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/cmd/vm_commands.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/error.h"
#include "common/base/file.h"
#include "common/base/memory.h"
#include "common/process/process.h"
#include "vm/guest/evidence.h"
#include "vm/guest/guest.h"

// clang-format off
const struct command_option run_option_table[] = {
	{ 'r', "root", "ROOT", "directory to use as the guest's root, instead of the host's or that of vmtest-vm rootfs", OPTION_INTO(OPTION_STRING, struct run_options, config.root) },
	{ 't', "timeout", "SECONDS", "end the guest when the command takes longer (status 124); 0 for never", OPTION_INTO(OPTION_NUMBER, struct run_options, timeout_s) },
	{ 0, "output-limit", "SIZE", "end the guest when a stream of the command, or the console, has more (status 153; default: 1G where it goes to a log of test, bisect or --console-log)", OPTION_INTO(OPTION_SIZE, struct run_options, config.output_limit_bytes), .min = 1, .unit = 'M' },
	{ 0, "accel", "auto|kvm|tcg", "how to run the guest; auto is KVM where it can work (default: $VMTEST_ACCEL, else auto)", OPTION_INTO(OPTION_CHOICE, struct run_options, config.qemu.accel), .variable = "VMTEST_ACCEL" },
	{ 0, "machine", "NAME", "machine type of the catalog, such as microvm or q35", OPTION_INTO(OPTION_STRING, struct run_options, config.qemu.machine) },
	{ 0, "rw", "DIR", "directory that the guest may change; repeatable", OPTION_INTO(OPTION_ITEM, struct run_options, config.writable) },
	{ 0, "hide", "DIR", "directory whose files the guest cannot read, such as ~/.ssh; repeatable", OPTION_INTO(OPTION_ITEM, struct run_options, config.hidden) },
	{ 0, "memory", "SIZE", "the guest's memory, such as 512M or 4G; a number alone is in M (default 2G)", OPTION_INTO(OPTION_SIZE, struct run_options, config.qemu.memory_bytes), .min = 1, .unit = 'M' },
	{ 0, "cpus", "N", "the guest's processors (default: up to 4, if the kernel can)", OPTION_INTO(OPTION_NUMBER, struct run_options, config.qemu.cpus), .min = 1 },
	{ 0, "numa", "N", "NUMA nodes, among which memory and processors are divided", OPTION_INTO(OPTION_NUMBER, struct run_options, config.qemu.numa), .min = 1, .max = 64 },
	{ 0, "module", "build|insert", "build a module first, and insert it in the guest: $DRGN_TEST_KMOD", OPTION_INTO(OPTION_CHOICE, struct run_options, module), .otherwise = MODULE_NONE },
	{ 0, "module-source", "DIR", "source of the module (default: drgn_test.ko's)", OPTION_INTO(OPTION_STRING, struct run_options, module_source) },
	{ 0, "disk", "SIZE|FILE", "an empty disk for the guest, such as 1G, deleted afterwards: $DRGN_TEST_DISK; or an image or block device: FILE[,readonly][,format=qcow2][,interface=virtio|scsi|nvme]; repeatable", OPTION_INTO(OPTION_ITEM, struct run_options, config.disks) },
	{ 0, "overlay-size", "SIZE", "how much the guest may write outside of --rw; the disk for it is deleted afterwards (default: half of its memory)", OPTION_INTO(OPTION_SIZE, struct run_options, config.overlay_bytes), .min = 1 },
	{ 0, "network", NULL, "connect the guest to the host's network; --publish opens its ports", OPTION_INTO(OPTION_FLAG, struct run_options, config.qemu.network) },
	{ 0, "publish", "HOST:GUEST", "lead a TCP port of the host's loopback to one of the guest's; repeatable", OPTION_INTO(OPTION_ITEM, struct run_options, config.qemu.published) },
	{ 0, "kdump", "no|yes|auto", "let the command crash the guest, and run again in the crash kernel (see run --help); auto: where it works", OPTION_INTO(OPTION_SWITCH, struct run_options, kdump) },
	{ 0, "dump", "WHEN[,...]", "keep the guest's memory, for vmtest-vm drgn: lost, timeout, splat or always; repeatable", OPTION_INTO(OPTION_LIST, struct run_options, config.dump) },
	{ 0, "dump-directory", "DIR", "where each --dump makes a directory (default: that of the logs, or the working directory)", OPTION_INTO(OPTION_STRING, struct run_options, config.dump_directory) },
	{ 0, "append", "PARAMS", "more for the kernel's command line; repeatable", OPTION_INTO(OPTION_ITEM, struct run_options, config.qemu.append) },
	{ 0, "qemu", "PROGRAM", "QEMU to run guests with (default: $VMTEST_QEMU, else the architecture's)", OPTION_INTO(OPTION_STRING, struct run_options, config.qemu.program) },
	{ 0, "qemu-option", "ARG", "one more argument for QEMU; repeatable", OPTION_INTO(OPTION_ITEM, struct run_options, config.qemu.arguments) },
	{ 0, "env", "NAME[=VALUE]", "environment variable to set, or to pass on; repeatable", OPTION_INTO(OPTION_ITEM, struct run_options, environment) },
	{ 0, "chdir", "DIR", "where the command runs (default: the working directory)", OPTION_INTO(OPTION_STRING, struct run_options, config.directory) },
	{ 0, "user", "USER[:GROUP]", "who runs the command, by names or numbers (default: root)", OPTION_INTO(OPTION_STRING, struct run_options, config.user) },
	{ 0, "hostname", "NAME", "the guest's name (default: vmtest)", OPTION_INTO(OPTION_STRING, struct run_options, config.hostname) },
	{ 0, "keep", NULL, "if the command fails or times out, leave the guest running for vmtest-vm shell and exec, until vmtest-vm stop", OPTION_INTO(OPTION_FLAG, struct run_options, keep) },
	{ 0, "fail-on-splat", NULL, "exit with 1 if the kernel reports a problem", OPTION_INTO(OPTION_FLAG, struct run_options, config.fail_on_splat) },
	{ 0 },
};
// clang-format on

const char *run_options_qemu(const struct run_options *options)
{
	return options->config.qemu.program ? options->config.qemu.program
					    : command_variable("VMTEST_QEMU");
}

struct error *run_options_environment(const struct run_options *options,
				      bool is_host, struct string_list *ret)
{
	const char *path = is_host ? getenv("PATH") : NULL;
	const char *home = is_host ? getenv("HOME") : NULL;

	if (path && *path)
		string_list_addf(ret, "PATH=%s:" GUEST_PATH, path);
	else
		string_list_add(ret, "PATH=" GUEST_PATH);
	// With our settings, root does as we do; another user has its own.
	if (home && *home && !options->config.user)
		string_list_addf(ret, "HOME=%s", home);
	return command_environment(&options->environment, ret);
}

struct error *command_environment(const struct string_list *asked,
				  struct string_list *ret)
{
	static const char *const names[] = {
		"LANG",	    "LANGUAGE",	   "LC_ALL",	  "LC_COLLATE",
		"LC_CTYPE", "LC_MESSAGES", "LC_MONETARY", "LC_NUMERIC",
		"LC_TIME",  "TERM",	   "TZ"
	};

	for (size_t i = 0; i < array_size(names); i++) {
		const char *value = getenv(names[i]);

		if (value)
			string_list_addf(ret, "%s=%s", names[i], value);
	}
	for (size_t i = 0; i < asked->count; i++) {
		const char *item = asked->items[i];
		_cleanup_free_ char *name =
			string_copy_n(item, strcspn(item, "="));
		const char *value = getenv(name);

		if (!guest_takes_variable(name))
			return error_create(ERROR_USAGE,
					    "--env %s: a name has letters, digits and _",
					    item);
		if (strchr(item, '='))
			string_list_add(ret, item);
		else if (value)
			string_list_addf(ret, "%s=%s", name, value);
		else
			return error_create(ERROR_USAGE,
					    "--env %s: not set; use %s=VALUE",
					    name, name);
	}
	return NULL;
}

struct error *run_options_check(const struct run_options *options)
{
	struct error *err;
	const struct guest_config *config = &options->config;
	const struct qemu_config *qemu = &config->qemu;
	const char *program = run_options_qemu(options);

	for (size_t i = 0; i < qemu->published.count; i++) {
		if (!network_takes_ports(qemu->published.items[i]))
			return error_create(ERROR_USAGE,
					    "--publish %s: use HOST:GUEST, two ports from 1 to 65535",
					    qemu->published.items[i]);
	}
	if (qemu->published.count && !qemu->network)
		return error_create(ERROR_USAGE, "--publish: say --network");
	for (size_t i = 0; i < config->disks.count; i++) {
		err = disk_check(config->disks.items[i]);
		if (err)
			return err;
	}
	for (size_t i = 0; i < config->dump.count; i++) {
		const char *const *word = evidence_words;

		while (*word && strcmp(*word, config->dump.items[i]) != 0)
			word++;
		if (!*word)
			return error_create(ERROR_USAGE,
					    "--dump %s: use lost, timeout, splat or always",
					    config->dump.items[i]);
	}
	if (program && !process_program_exists(program))
		return error_create(ERROR_USAGE,
				    "%s%s: no such program that can be run",
				    qemu->program ? "--qemu " : "VMTEST_QEMU=",
				    program);
	if (options->module_source && options->module == MODULE_NONE)
		return error_create(
			ERROR_USAGE,
			"--module-source: say --module build or --module insert");
	if (config->hostname && !guest_takes_hostname(config->hostname))
		return error_create(ERROR_USAGE,
				    "--hostname %s: a name has letters, digits, - and ., at most 64",
				    config->hostname);
	if (config->directory && !directory_exists(config->directory))
		return error_create(ERROR_USAGE, "--chdir %s: no such directory",
				    config->directory);
	_cleanup_string_list_ struct string_list environment = { 0 };
	return run_options_environment(options, true, &environment);
}
