// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/cmd/vm_commands.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "common/base/error.h"
#include "common/base/file.h"
#include "common/base/log.h"
#include "common/base/memory.h"
#include "common/base/system.h"
#include "common/base/text.h"
#include "common/cache/cache.h"
#include "common/kernel/catalog.h"
#include "common/process/process.h"
#include "vm/guest/guest.h"
#include "vm/kernel/kernel.h"
#include "vm/module/module.h"
#include "vm/rootfs/rootfs.h"

struct vm_run_options {
	struct run_options guest;
	bool no_input;
	unsigned int lost_status;
	const char *result;
	const char *console_log;
};

// clang-format off
const struct command_option run_option_table[] = {
	{ 'r', "root", "ROOT", "directory to use as the guest's root, instead of the host's or that of vmtest-vm rootfs", OPTION_STRING, .offset = offsetof(struct run_options, config.root) },
	{ 't', "timeout", "SECONDS", "end the guest when the command takes longer (status 124); 0 for never", OPTION_NUMBER, .offset = offsetof(struct run_options, timeout_s) },
	{ 0, "accel", "auto|kvm|tcg", "how to run the guest; auto is KVM where it can work", OPTION_CHOICE, .offset = offsetof(struct run_options, config.qemu.accel) },
	{ 0, "machine", "NAME", "machine type of the catalog, such as microvm or q35", OPTION_STRING, .offset = offsetof(struct run_options, config.qemu.machine) },
	{ 0, "rw", "DIR", "directory that the guest may change; repeatable", OPTION_ITEM, .offset = offsetof(struct run_options, config.writable) },
	{ 0, "memory", "SIZE", "the guest's memory, such as 512M or 4G (default 2G)", OPTION_STRING, .offset = offsetof(struct run_options, config.qemu.memory) },
	{ 0, "cpus", "N", "the guest's processors (default: up to 4, if the kernel can)", OPTION_NUMBER, .offset = offsetof(struct run_options, config.qemu.cpus), .min = 1 },
	{ 0, "numa", "N", "NUMA nodes, among which memory and processors are divided", OPTION_NUMBER, .offset = offsetof(struct run_options, config.qemu.numa), .min = 1, .max = 64 },
	{ 0, "module", "build|insert", "build a module first, and insert it in the guest: $DRGN_TEST_KMOD", OPTION_CHOICE, .offset = offsetof(struct run_options, module), .otherwise = MODULE_NONE },
	{ 0, "module-source", "DIR", "source of the module (default: drgn_test.ko's)", OPTION_STRING, .offset = offsetof(struct run_options, module_source) },
	{ 0, "disk", "SIZE|FILE", "an empty disk for the guest, such as 1G, deleted afterwards: $DRGN_TEST_DISK; or an image or block device: FILE[,readonly][,format=qcow2][,interface=virtio|scsi|nvme]; repeatable", OPTION_ITEM, .offset = offsetof(struct run_options, config.disks) },
	{ 0, "overlay-size", "SIZE", "how much the guest may write outside of --rw; the disk for it is deleted afterwards (default: half of its memory)", OPTION_SIZE, .offset = offsetof(struct run_options, config.overlay_bytes), .min = 1, .max = 1000000 },
	{ 0, "network", NULL, "connect the guest to the host's network; --publish opens its ports", OPTION_FLAG, .offset = offsetof(struct run_options, config.qemu.network) },
	{ 0, "publish", "HOST:GUEST", "lead a TCP port of the host's loopback to one of the guest's; repeatable", OPTION_ITEM, .offset = offsetof(struct run_options, config.qemu.published) },
	{ 0, "kdump", NULL, "let the command crash the guest, and run again in the crash kernel (see run --help)", OPTION_FLAG, .offset = offsetof(struct run_options, config.qemu.kdump) },
	{ 0, "append", "PARAMS", "more for the kernel's command line; repeatable", OPTION_ITEM, .offset = offsetof(struct run_options, config.qemu.append) },
	{ 0, "qemu", "PROGRAM", "QEMU to run guests with (default: $VMTEST_QEMU, else the architecture's)", OPTION_STRING, .offset = offsetof(struct run_options, config.qemu.program) },
	{ 0, "qemu-option", "ARG", "one more argument for QEMU; repeatable", OPTION_ITEM, .offset = offsetof(struct run_options, config.qemu.arguments) },
	{ 0, "env", "NAME[=VALUE]", "environment variable to set, or to pass on; repeatable", OPTION_ITEM, .offset = offsetof(struct run_options, environment) },
	{ 0, "chdir", "DIR", "where the command runs (default: the working directory)", OPTION_STRING, .offset = offsetof(struct run_options, config.directory) },
	{ 0, "user", "USER[:GROUP]", "who runs the command, by names or numbers (default: root)", OPTION_STRING, .offset = offsetof(struct run_options, config.user) },
	{ 0, "hostname", "NAME", "the guest's name (default: vmtest)", OPTION_STRING, .offset = offsetof(struct run_options, config.hostname) },
	{ 0, "fail-on-splat", NULL, "exit with 1 if the kernel reports a problem", OPTION_FLAG, .offset = offsetof(struct run_options, fail_on_splat) },
	{ 0 },
};

static const struct command_option own_option_table[] = {
	{ 'n', "no-input", NULL, "take stdin from /dev/null, as ssh -n does", OPTION_FLAG, .offset = offsetof(struct vm_run_options, no_input) },
	{ 0, "lost-status", "N", "exit status if the guest is lost (default 128)", OPTION_NUMBER, .offset = offsetof(struct vm_run_options, lost_status), .max = 255, .otherwise = RUN_STATUS_LOST },
	{ 0, "result", "FILE", "write how the run ended to FILE, as JSON", OPTION_STRING, .offset = offsetof(struct vm_run_options, result) },
	{ 0, "console-log", "FILE", "write what the kernel's console says to FILE", OPTION_STRING, .offset = offsetof(struct vm_run_options, console_log) },
	{ 0 },
};
// clang-format on

/** A descriptor of ours that a command can use; -1 if closed or /dev/null. */
static int usable_stream(int fd)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -1;
	if (S_ISCHR(st.st_mode) && st.st_rdev == makedev(1, 3))
		return -1;
	return fd;
}

/**
 * Where our stderr is the same file as our stdout, the command's should be:
 * over two ports, what it writes would come in another order.
 */
static int usable_stderr(int stdout_fd)
{
	struct stat out, err;

	if (stdout_fd < 0 || fstat(stdout_fd, &out) < 0 ||
	    fstat(STDERR_FILENO, &err) < 0 || out.st_dev != err.st_dev ||
	    out.st_ino != err.st_ino)
		return usable_stream(STDERR_FILENO);
	return stdout_fd;
}

static void choose_streams(struct guest_config *config, bool has_input)
{
	bool has_terminal = has_input && foreground_has_terminal(STDIN_FILENO);

	config->interactive = has_terminal && isatty(STDOUT_FILENO) &&
			      isatty(STDERR_FILENO);
	config->stdin_fd = !has_input || (isatty(STDIN_FILENO) && !has_terminal)
				   ? -1
				   : usable_stream(STDIN_FILENO);
	config->stdout_fd = usable_stream(STDOUT_FILENO);
	config->stderr_fd = usable_stderr(config->stdout_fd);
}

static bool is_memory_size(const char *text)
{
	size_t digits = strspn(text, "0123456789");

	if (!digits || digits > 9)
		return false;
	if (strspn(text, "0") == digits)
		return false;
	return !text[digits] || (strchr("MG", text[digits]) && !text[digits + 1]);
}

/** What the command sees of our environment, besides what is asked for. */
static void inherit_environment(const struct guest_config *config,
				struct string_list *ret)
{
	static const char *const names[] = { "LANG", "LC_ALL", "LC_CTYPE",
					     "TERM" };
	static const char directories[] =
		"/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
	// Of another root we know neither the programs nor the users.
	const char *path = config->root ? NULL : getenv("PATH");
	const char *home = config->root ? NULL : getenv("HOME");

	if (path && *path)
		string_list_addf(ret, "PATH=%s:%s", path, directories);
	else
		string_list_addf(ret, "PATH=%s", directories);
	// With our settings, root does as we do; another user has its own.
	if (home && *home && !config->user)
		string_list_addf(ret, "HOME=%s", home);
	for (size_t i = 0; i < array_size(names); i++) {
		const char *value = getenv(names[i]);

		if (value)
			string_list_addf(ret, "%s=%s", names[i], value);
	}
}

static struct error *add_environment(const struct string_list *requests,
				     struct string_list *ret)
{
	for (size_t i = 0; i < requests->count; i++) {
		const char *item = requests->items[i];
		_cleanup_free_ char *name =
			string_copy_n(item, strcspn(item, "="));
		if (!guest_takes_variable(name))
			return error_create(ERROR_USAGE,
					    "--env %s: a name has letters, digits and _",
					    item);
		if (strchr(item, '=')) {
			string_list_add(ret, item);
			continue;
		}

		const char *value = getenv(name);

		if (!value)
			return error_create(ERROR_USAGE,
					    "--env %s: not set; use %s=VALUE",
					    name, name);
		string_list_addf(ret, "%s=%s", name, value);
	}
	return NULL;
}

struct error *run_options_check(const struct run_options *options)
{
	_cleanup_string_list_ struct string_list environment = { 0 };

	const struct guest_config *config = &options->config;

	if (config->qemu.memory && !is_memory_size(config->qemu.memory))
		return error_create(ERROR_USAGE,
				    "--memory %s: use a number with M or G",
				    config->qemu.memory);
	for (size_t i = 0; i < config->qemu.published.count; i++) {
		if (!network_takes_ports(config->qemu.published.items[i]))
			return error_create(ERROR_USAGE,
					    "--publish %s: use HOST:GUEST, two ports from 1 to 65535",
					    config->qemu.published.items[i]);
	}
	if (config->qemu.published.count && !config->qemu.network)
		return error_create(ERROR_USAGE, "--publish: say --network");
	for (size_t i = 0; i < config->disks.count; i++) {
		struct error *err = disk_check(config->disks.items[i]);

		if (err)
			return err;
	}
	if (config->qemu.program &&
	    (strchr(config->qemu.program, '/')
		     ? access(config->qemu.program, X_OK) < 0
		     : !process_program_exists(config->qemu.program)))
		return error_create(ERROR_USAGE, "--qemu %s: no such program",
				    config->qemu.program);
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
	return add_environment(&options->environment, &environment);
}

static int report_result(const struct vm_run_options *run_options,
			 const struct run_result *result)
{
	int status = result->exit_status;

	if (result->outcome != RUN_EXITED) {
		log_error("%s%s%s", result->reason, *result->log ? "; " : "",
			  !*result->log ? ""
			  : result->outcome == RUN_LOST
				  ? "the kernel's last words:"
				  : "what the guest's tasks were doing:");
		fputs(result->log, stderr);
		status = result->outcome == RUN_TIMED_OUT
				 ? RUN_STATUS_TIMED_OUT
				 : (int)run_options->lost_status;
	}
	if (result->full)
		log_error("the guest has no space left for what it writes; use --overlay-size, or --rw for what is to stay");
	for (size_t i = 0; i < result->splats.count; i++)
		log_warning("the kernel reported: %s", result->splats.items[i]);
	if (result->splat_count > result->splats.count)
		log_warning("the kernel reported %zu more such things",
			    result->splat_count - result->splats.count);
	if (run_options->guest.fail_on_splat && result->splat_count && !status)
		status = RUN_STATUS_SPLAT;
	log_debug("booted in %llu ms, ran for %llu ms",
		  (unsigned long long)result->boot_ms,
		  (unsigned long long)result->command_ms);
	return status;
}

/** Guests of other architectures cannot have the host's root. */
static struct error *choose_root(struct command_context *context,
				 const struct catalog_arch *arch,
				 struct cache_entry **ret)
{
	struct error *err;

	err = command_open(context, COMMAND_DIRECTORY);
	if (err)
		return err;
	return rootfs_open(context->catalog, context->directory, arch, ret);
}

/** What the kernel that is meant needs: it, and a module. */
static struct error *choose_kernel(struct command_context *context,
				   const struct run_options *options,
				   const struct catalog_arch *arch,
				   struct kernel *kernel_ret,
				   struct module *module_ret)
{
	struct error *err;
	const struct string_list *kernels = &context->common->kernels;

	err = command_kernel(context, arch,
			     kernels->count ? kernels->items[0] : NULL,
			     kernel_ret);
	if (err || options->module == MODULE_NONE)
		return err;
	return command_module(context, arch, kernel_ret, options->module_source,
			      module_ret);
}

/** @param[out] kernel_ret Opened, once it has been found. */
static struct error *run_guest(struct command_context *context,
			       int console_log_fd, struct kernel *kernel_ret,
			       struct run_result *ret)
{
	struct error *err;

	const struct vm_run_options *command_options = context->options;
	const struct run_options *options = &command_options->guest;
	struct guest_config config = options->config;
	const char *temporary = command_variable("TMPDIR");
	const char *shell = command_variable("SHELL");
	_cleanup_free_ char *directory =
		realpath(config.directory ? config.directory : ".", NULL);
	if (!directory)
		return error_create_os(errno, "working directory");
	err = command_open(context, COMMAND_CATALOG);
	if (err)
		return err;
	err = command_arch(context, &config.qemu.arch);
	if (err)
		return err;
	_cleanup_cache_entry_ struct cache_entry *rootfs = NULL;
	if (!config.root) {
		err = choose_root(context, config.qemu.arch, &rootfs);
		if (err)
			return err;
		config.root = rootfs ? rootfs->path : NULL;
	}
	_cleanup_string_list_ struct string_list environment = { 0 };
	inherit_environment(&config, &environment);
	err = add_environment(&options->environment, &environment);
	if (err)
		return err;
	_cleanup_module_ struct module module = { 0 };
	err = choose_kernel(context, options, config.qemu.arch, kernel_ret,
			    &module);
	if (err)
		return err;
	char *words[] = { (char *)(config.root || !shell ? "/bin/sh" : shell),
			  NULL };
	config.qemu.kernel = kernel_ret;
	if (!config.qemu.program)
		config.qemu.program = command_variable("VMTEST_QEMU");
	config.directory = directory;
	config.environment = environment;
	config.command = context->line.argument_count ? context->line.arguments
						      : words;
	config.module = module.path;
	config.insert_module = options->module == MODULE_INSERT;
	// Large files that need not be fast: not in /tmp, which may be memory.
	config.disk_directory = temporary ? temporary : "/var/tmp";
	config.timeout_ms = (uint64_t)options->timeout_s * 1000;
	config.console_log_fd = console_log_fd;
	// Not before: the user may have put us in the background meanwhile.
	choose_streams(&config, !command_options->no_input);
	err = guest_run(&config, ret);
	return error_wrap(err, "run %s", kernel_ret->release);
}

/**
 * Write --result.
 *
 * @param[in] problem Why the command was not run; NULL if it was.
 */
static struct error *write_result(const char *path, const struct error *problem,
				  struct run_result *result)
{
	if (problem) {
		result->outcome = RUN_NOT_RUN;
		result->reason = string_copy(error_message(problem));
	}

	_cleanup_free_ char *text = run_result_format(result);

	return error_wrap(file_write(path, text, strlen(text)), "--result");
}

static struct error *run(struct command_context *context)
{
	struct error *err;
	const struct vm_run_options *run_options = context->options;

	if (context->common->kernels.count > 1)
		return error_create(
			ERROR_USAGE,
			"--kernel: name one kernel; vmtest-vm test takes several");
	err = run_options_check(&run_options->guest);
	if (err)
		return err;
	if (run_options->result) {
		// What an earlier run said is not to be taken for this one's.
		err = file_delete(run_options->result);
		if (err)
			return error_wrap(err, "--result");
	}
	_cleanup_close_ int console_log_fd = -1;
	if (run_options->console_log) {
		console_log_fd = open(run_options->console_log,
				      O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC,
				      0666);
		if (console_log_fd < 0)
			return error_create_os(errno, "--console-log %s",
					       run_options->console_log);
	}
	_cleanup_kernel_ struct kernel kernel = { 0 };
	_cleanup_run_result_ struct run_result result = { 0 };
	err = run_guest(context, console_log_fd, &kernel, &result);
	if (err)
		result.status = error_is(err, ERROR_USAGE) ? RUN_STATUS_USAGE
							   : RUN_STATUS_NOT_RUN;
	else
		result.status = report_result(run_options, &result);
	result.release = *kernel.release ? string_copy(kernel.release) : NULL;
	context->status = result.status;
	if (!run_options->result || error_is(err, ERROR_CANCELLED))
		return err;
	struct error *unwritten = write_result(run_options->result, err, &result);
	if (!err)
		return unwritten;
	// One error ends the run; this one comes after it.
	if (unwritten)
		log_warning("%s", error_message(unwritten));
	error_destroy(unwritten);
	return err;
}

const struct command vm_run_command = {
	.name = "run",
	.arguments = "[--] [COMMAND ARG...]",
	.summary = "run a command under a kernel",
	.details =
		"Without a command, runs a shell. The guest's root is the host's, which it\n"
		"cannot change: what it writes is gone when it ends, but for --rw directories.\n"
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
		"status counts. What it wrote is gone, but for --rw directories.",
	.options = { own_option_table, run_option_table },
	.options_size = sizeof(struct vm_run_options),
	.takes_program = true,
	.failure_status = RUN_STATUS_NOT_RUN,
	.run = run,
};
