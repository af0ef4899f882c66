// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/cmd/vm_commands.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/error.h"
#include "common/base/file.h"
#include "common/base/log.h"
#include "common/base/memory.h"
#include "common/base/system.h"
#include "common/base/text.h"
#include "common/cache/cache.h"
#include "common/kernel/catalog.h"
#include "vm/guest/guest.h"
#include "vm/guest/guest_names.h"
#include "vm/kernel/kernel.h"
#include "vm/module/module.h"
#include "vm/rootfs/rootfs.h"

struct vm_run_options {
	struct run_options guest;
	bool no_input;
	unsigned int lost_status;
	const char *result;
	const char *console_log;
	struct kernel_source source;
	const char *name;
	bool show_command;
	struct debugger_request debugger;
};

/** What is to be done once it is known how the command has ended. */
struct ending {
	struct command_context *context;
	/** Opened, once it has been found. */
	struct kernel kernel;
	/** For owner_detach(); -1 if the guest is not to be kept. */
	int tell_fd;
	/** It was done while the guest remained. */
	bool is_told;
};

// clang-format off
static const struct command_option own_option_table[] = {
	{ 0, "name", "NAME", "by which exec, shell and stop find the guest (default: the number of its process)", OPTION_INTO(OPTION_STRING, struct vm_run_options, name) },
	{ 'n', "no-input", NULL, "take stdin from /dev/null, as ssh -n does", OPTION_INTO(OPTION_FLAG, struct vm_run_options, no_input) },
	{ 0, "lost-status", "N", "exit status if the guest is lost (default 128)", OPTION_INTO(OPTION_NUMBER, struct vm_run_options, lost_status), .max = 255, .otherwise = RUN_STATUS_LOST },
	{ 0, "result", "FILE", "write how the run ended to FILE, as JSON", OPTION_INTO(OPTION_STRING, struct vm_run_options, result) },
	{ 0, "console-log", "FILE", "write what the kernel's console says to FILE", OPTION_INTO(OPTION_STRING, struct vm_run_options, console_log) },
	{ 0, "show-command", NULL, "print QEMU's command, quoted for a shell, and do not run it", OPTION_INTO(OPTION_FLAG, struct vm_run_options, show_command) },
	{ 0, "gdb", "no|wait|attach", "stop the guest at its first instruction, and say how to start gdb, or with attach be gdb (see run --help)", OPTION_INTO(OPTION_SWITCH, struct vm_run_options, debugger.gdb) },
	{ 0, "kgdb", "no|wait|attach", "the same, at the kernel's own debugger", OPTION_INTO(OPTION_SWITCH, struct vm_run_options, debugger.kgdb) },
	{ 0, "source", "DIR", "build this kernel tree, beside it, and run that", OPTION_INTO(OPTION_STRING, struct vm_run_options, source.path) },
	{ 0, "git", "REF", "build this commit of the tree's git repository instead of its files", OPTION_INTO(OPTION_STRING, struct vm_run_options, source.ref) },
	{ 0, "keep-config", NULL, "build with the tree's own .config instead of a flavor's", OPTION_INTO(OPTION_FLAG, struct vm_run_options, source.keep_config) },
	{ 0, "llvm", NULL, "build with clang and LLVM's tools", OPTION_INTO(OPTION_FLAG, struct vm_run_options, source.llvm) },
	{ 0 },
};
// clang-format on

static void report_result(const struct run_result *result)
{
	if (result->reason) {
		log_error("%s%s%s", result->reason, *result->log ? "; " : "",
			  !*result->log ? ""
			  : result->outcome == RUN_TIMED_OUT
				  ? "what the guest's tasks were doing:"
				  : "the kernel's last words:");
		fputs(result->log, stderr);
	}
	if (result->report) {
		log_error("what drgn says of it:");
		fputs(result->report, stderr);
	}
	if (result->dump)
		log_info("the guest's memory is kept; vmtest-vm drgn %s opens it",
			 result->dump);
	if (result->full)
		log_error("the guest has no space left for what it writes; use --overlay-size, or --rw for what is to stay");
	for (size_t i = 0; i < result->splats.count; i++) {
		log_warning("the kernel reported: %s", result->splats.items[i]);
		if (i < result->traces.count)
			fputs(result->traces.items[i], stderr);
	}
	if (result->splat_count > result->splats.count)
		log_warning("the kernel reported %zu more such things",
			    result->splat_count - result->splats.count);
	log_debug("booted in %llu ms, ran for %llu ms",
		  (unsigned long long)result->boot_ms,
		  (unsigned long long)result->command_ms);
}

/**
 * Unless an option says which root, it is the host's, which guests of other
 * architectures cannot have.
 *
 * @param[out] ret What holds theirs; else NULL.
 */
static struct error *choose_root(struct command_context *context,
				 struct guest_config *config,
				 struct cache_entry **ret)
{
	struct error *err;

	if (config->root)
		return NULL;
	config->root = "/";
	if (catalog_arch_is_host(config->qemu.arch))
		return NULL;
	err = command_open(context, COMMAND_DIRECTORY);
	if (!err)
		err = rootfs_open(context->directory, config->qemu.arch, ret);
	if (!err)
		config->root = (*ret)->path;
	return err;
}

/** Decide whether there is a crash kernel: of --kdump=auto, where it works. */
static struct error *choose_kdump(const struct run_options *options,
				  struct guest_config *config)
{
	struct error *err;

	config->qemu.kdump = options->kdump != KDUMP_NO;
	if (options->kdump != KDUMP_AUTO)
		return NULL;
	err = guest_check_kdump(&config->qemu);
	if (err && error_is(err, ERROR_OTHER)) {
		log_info("without a crash kernel: %s", error_message(err));
		config->qemu.kdump = false;
		error_destroy(take_ptr(err));
	}
	return err;
}

static void set_limits(const struct run_options *options, int console_log_fd,
		       struct guest_config *config)
{
	config->timeout_ms = (uint64_t)options->timeout_s * 1000;
	config->flood_remedy = "--output-limit allows more";
	config->console_log_fd = console_log_fd;
	config->console_limit_bytes = config->output_limit_bytes;
	if (!config->console_limit_bytes && console_log_fd >= 0)
		config->console_limit_bytes = GUEST_LOG_LIMIT_BYTES;
}

/** The words by which vmtest-vm runs the same command on the same kernel. */
static void add_invocation(const struct command_context *context,
			   const char *kernel, struct string_list *ret)
{
	const struct common_options common = {
		.store = context->common->store,
		.catalog = context->common->catalog,
		.directory = context->common->directory,
		.archs = context->common->archs,
	};

	string_list_add(ret, "run");
	string_list_addf(ret, "--kernel=%s", kernel);
	command_format_options(common_option_table, &common, ret);
	command_format_options(run_option_table, context->options, ret);
	string_list_add(ret, "--");
	for (int i = 0; i < context->line.argument_count; i++)
		string_list_add(ret, context->line.arguments[i]);
}

static void set_evidence(const struct string_list *invocation,
			 const char *directory, struct guest_config *config)
{
	config->invocation = invocation;
	config->invocation_directory = directory;
	if (!config->dump_directory)
		config->dump_directory = directory;
}

static struct error *find_kernel(struct command_context *context,
				 const struct kernel_source *source,
				 const struct catalog_arch *arch,
				 struct kernel *ret)
{
	const struct string_list *kernels = &context->common->kernels;

	if (source->path)
		return command_build(context, source, arch, ret);
	return command_kernel(context, arch->name,
			      kernels->count ? kernels->items[0] : NULL, ret);
}

/** With a debugger, if there is to be one: if it takes our place, it has stdin. */
static struct error *run_debugged(const struct vm_run_options *options,
				  struct guest_config *config,
				  struct run_result *ret)
{
	struct error *err;

	_cleanup_debugger_ struct debugger debugger = DEBUGGER_INIT;
	config->show = options->show_command ? stdout : NULL;
	err = debugger_open(&options->debugger, config, &debugger);
	if (err)
		return err;
	// Not before: the user may have put us in the background meanwhile.
	command_streams(config, !options->no_input &&
					!debugger_attaches(&options->debugger));
	err = guest_run(config, ret);
	return error_wrap(err, "run %s", config->qemu.kernel->release);
}

static void keep(void *arg, const char *name, struct run_result *result);

static struct error *run_guest(struct ending *ending, int console_log_fd,
			       struct run_result *ret)
{
	struct error *err;
	struct command_context *context = ending->context;
	struct kernel *kernel_ret = &ending->kernel;
	const struct vm_run_options *command_options = context->options;
	const struct run_options *options = &command_options->guest;
	struct guest_config config = options->config;
	const char *shell = command_variable("SHELL");
	_cleanup_free_ char *directory =
		realpath(config.directory ? config.directory : ".", NULL);
	if (!directory)
		return error_create_os(errno, "working directory");
	err = command_open(context, COMMAND_CATALOG);
	if (!err)
		err = command_arch(context, &config.qemu.arch);
	if (err)
		return err;
	_cleanup_cache_entry_ struct cache_entry *rootfs = NULL;
	err = choose_root(context, &config, &rootfs);
	if (err)
		return err;
	bool is_host = !options->config.root && !rootfs;
	_cleanup_string_list_ struct string_list environment = { 0 };
	err = run_options_environment(options, is_host, &environment);
	if (err)
		return err;
	_cleanup_module_ struct module module = { 0 };
	err = find_kernel(context, &command_options->source, config.qemu.arch,
			  kernel_ret);
	if (!err && options->module != MODULE_NONE)
		err = command_module(context, config.qemu.arch, kernel_ret,
				     options->module_source, &module);
	if (err)
		return err;
	config.qemu.kernel = kernel_ret;
	err = choose_kdump(options, &config);
	if (err)
		return err;
	char *words[] = { (char *)(is_host && shell ? shell : "/bin/sh"), NULL };
	config.qemu.program = run_options_qemu(options);
	config.virtiofsd = command_variable("VMTEST_VIRTIOFSD");
	config.directory = directory;
	config.environment = environment;
	config.command = context->line.argument_count ? context->line.arguments
						      : words;
	config.module = module.path;
	config.insert_module = options->module == MODULE_INSERT;
	// Large files that need not be fast: not in /tmp, which may be memory.
	config.disk_directory = command_temporary("/var/tmp");
	set_limits(options, console_log_fd, &config);
	_cleanup_string_list_ struct string_list invocation = { 0 };
	_cleanup_free_ char *invocation_directory = realpath(".", NULL);
	add_invocation(context, kernel_ret->path, &invocation);
	set_evidence(&invocation, invocation_directory, &config);
	config.name = command_options->name;
	config.keep = ending->tell_fd >= 0 ? keep : NULL;
	config.keep_arg = ending;
	return run_debugged(command_options, &config, ret);
}

/** @param[in] err Why the command was not run, if it was not. @return It, too. */
static struct error *write_result(const char *path, struct run_result *result,
				  struct error *err)
{
	if (err) {
		result->outcome = RUN_NOT_RUN;
		result->reason = string_copy(error_message(err));
	}
	_cleanup_free_ char *text = run_result_format(result);
	struct error *unwritten =
		error_wrap(user_file_write(path, text, strlen(text)), "--result");
	if (!err)
		return unwritten;
	// One error ends the run; this one comes after it.
	if (unwritten)
		log_warning("%s", error_message(unwritten));
	error_destroy(unwritten);
	return err;
}

static struct error *check_kernel(const struct command_context *context,
				  const struct kernel_source *source)
{
	if (context->common->kernels.count > 1)
		return error_create(
			ERROR_USAGE,
			"--kernel: name one kernel; vmtest-vm test takes several");
	if (source->path && context->common->kernels.count)
		return error_create(ERROR_USAGE,
				    "--source and --kernel: choose one of them");
	if (!source->path && (source->ref || source->keep_config || source->llvm))
		return error_create(
			ERROR_USAGE,
			"--git, --keep-config and --llvm: say which tree with --source");
	return NULL;
}

/** Where dumps go, if there may be any; else NULL. */
static const char *find_dump_directory(const struct guest_config *config)
{
	if (!config->dump.count)
		return NULL;
	return config->dump_directory ? config->dump_directory : ".";
}

/** Report how it has ended. @param[in] err Why it was not run. @return It, too. */
static struct error *conclude(const struct ending *ending,
			      struct run_result *result, struct error *err)
{
	struct command_context *context = ending->context;
	const struct vm_run_options *options = context->options;
	const char *release = ending->kernel.release;

	if (!err) {
		result->status =
			run_result_status(result, options->lost_status,
					  options->guest.config.fail_on_splat);
		report_result(result);
	} else {
		result->status = error_is(err, ERROR_USAGE) ? RUN_STATUS_USAGE
							    : RUN_STATUS_NOT_RUN;
	}
	result->release = *release ? string_copy(release) : NULL;
	context->status = result->status;
	if (!options->result || error_is(err, ERROR_CANCELLED))
		return err;
	return write_result(options->result, result, err);
}

static void keep(void *arg, const char *name, struct run_result *result)
{
	struct ending *ending = arg;
	_cleanup_error_ struct error *err = conclude(ending, result, NULL);

	if (err)
		log_warning("%s", error_message(err));
	log_info("the guest goes on: 'vmtest-vm shell %s' leads into it, 'vmtest-vm stop %s' ends it",
		 name, name);
	ending->is_told = true;
	owner_detach(take_fd(&ending->tell_fd), ending->context->status);
}

static struct error *run_owned(struct ending *ending)
{
	struct error *err;
	struct command_context *context = ending->context;
	const struct vm_run_options *run_options = context->options;

	const struct place outputs[] = {
		{ "--result", run_options->result, PLACE_OUTPUT },
		{ "--console-log", run_options->console_log, PLACE_OUTPUT },
		{ "--source", run_options->source.path, PLACE_SOURCE },
		{ "--dump", find_dump_directory(&run_options->guest.config),
		  PLACE_OUTPUT },
	};
	err = run_options_check_places(context, &run_options->guest, outputs,
				       array_size(outputs));
	if (err)
		return err;
	const bool runs = !run_options->show_command;
	if (run_options->result && runs) {
		// What an earlier run said is not to be taken for this one's.
		err = user_file_delete(run_options->result);
		if (err)
			return error_wrap(err, "--result");
	}
	_cleanup_close_ int console_log_fd = -1;
	if (run_options->console_log) {
		err = user_file_create(runs ? run_options->console_log
					    : "/dev/null",
				       &console_log_fd);
		if (err)
			return error_wrap(err, "--console-log");
	}
	_cleanup_run_result_ struct run_result result = { 0 };
	err = run_guest(ending, console_log_fd, &result);
	return ending->is_told || !runs ? err : conclude(ending, &result, err);
}

static struct error *run(struct command_context *context)
{
	struct error *err;
	const struct vm_run_options *run_options = context->options;
	const char *name = run_options->name;

	if (name && !guest_name_is_valid(name))
		return error_create(ERROR_USAGE,
				    "--name %s: a name has letters, digits, -, . and _, at most 64, and is no number",
				    name);
	err = check_kernel(context, &run_options->source);
	if (!err)
		err = debugger_check(&run_options->debugger,
				     run_options->guest.keep);
	if (!err)
		err = run_options_check(&run_options->guest);
	if (err)
		return err;
	struct ending ending = { .context = context, .tell_fd = -1 };
	if (run_options->guest.keep && !run_options->show_command) {
		err = owner_fork(&ending.tell_fd, &context->status);
		if (err || ending.tell_fd < 0)
			return err;
	}
	err = run_owned(&ending);
	kernel_deinit(&ending.kernel);
	cleanup_close(&ending.tell_fd);
	return err;
}

const struct command vm_run_command = {
	.name = "run",
	.arguments = "[--] [COMMAND ARG...]",
	.summary = "run a command under a kernel",
	.details =
		"Without a command, runs a shell. The guest's root is the host's, which it\n"
		"cannot change: what it writes is gone when it ends, but for --rw directories,\n"
		"which hold nothing that the host runs or writes: no kernel, source, cache or log.\n"
		"The exit status is the command's; 124 on timeout; 125 if the command could\n"
		"not be run; 128 if the guest was lost; 141 if nobody reads its output any\n"
		"more, as if SIGPIPE had ended it; 153 if it writes more than --output-limit,\n"
		"as if SIGXFSZ had. On a terminal, Ctrl-] three times\n"
		"ends the guest. vmtest-vm exec and shell run other commands in it. --result says how it ended in JSON: 'outcome' is exited,\n"
		"timed_out, lost or not_run; the file appears when whole, and not at all if\n"
		"the run is interrupted.\n"
		"\n"
		"--source builds a kernel first, by vmtest-kbuild: the flavor of --flavor (default:\n"
		"the one called default), or with --keep-config as the tree's .config says. The\n"
		"build is kept below --directory, so that the next one takes seconds; nothing is\n"
		"written to the tree. What is built in the tree itself is run by -k DIR.\n"
		"\n"
		"With --kdump, the command may load a crash kernel (\"$VMTEST_KEXEC\", which is\n"
		"in the PATH as vmtest-kexec). If the guest crashes then, the same command\n"
		"runs again in that kernel, where /proc/vmcore is the crashed one's memory; its\n"
		"status counts. What it wrote is gone, but for --rw directories. --kdump=auto\n"
		"runs it without where crash kernels do not work: $VMTEST_KEXEC is not set then.\n"
		"\n"
		"--gdb stops the guest at its first instruction, and says how to start gdb in\n"
		"another terminal, with the kernel's symbols and those of modules; --gdb=attach\n"
		"becomes gdb, whose exit status counts. --kgdb waits at the kernel's own debugger.",
	.options = { own_option_table, run_option_table },
	.options_size = sizeof(struct vm_run_options),
	.common = COMMON_SELECTION | COMMON_DOWNLOAD,
	.takes_program = true,
	.failure_status = RUN_STATUS_NOT_RUN,
	.run = run,
};
