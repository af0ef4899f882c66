// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/cmd/vm_commands.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/base/error.h"
#include "common/base/file.h"
#include "common/base/log.h"
#include "common/base/memory.h"
#include "common/kernel/catalog.h"
#include "common/process/process.h"
#include "vm/crash/dump.h"
#include "vm/kernel/adopted.h"
#include "vm/kernel/kernel.h"

void debugger_deinit(struct debugger *debugger)
{
	process_destroy(debugger->holder);
	cleanup_close(&debugger->listen_fd);
}

bool debugger_attaches(const struct debugger_request *request)
{
	return request->gdb == DEBUGGER_ATTACH ||
	       request->kgdb == DEBUGGER_ATTACH;
}

struct error *debugger_check(const struct debugger_request *request, bool keeps)
{
	if (keeps && debugger_attaches(request))
		return error_create(ERROR_USAGE,
				    "--keep: the guest ends with the gdb of attach; leave it out");
	if (request->gdb && request->kgdb)
		return error_create(ERROR_USAGE,
				    "--gdb and --kgdb: choose one of them");
	return NULL;
}

/**
 * Make a socket that listens. Its file has a name for an instant, so that nothing
 * is left of it: gdb finds it in /proc, as the descriptor of a process, which
 * nobody else but root can look at.
 */
static struct error *make_socket(int *listen_fd_ret, int *file_fd_ret)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	char directory[] = "/tmp/vmtest-gdb.XXXXXX";

	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || !mkdtemp(directory))
		return error_create_os(errno, "make a socket for gdb");
	snprintf(address.sun_path, sizeof(address.sun_path), "%s/gdb", directory);
	bool listens =
		bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0 &&
		listen(fd, 1) == 0;
	int file_fd =
		listens ? open(address.sun_path, O_PATH | O_CLOEXEC) : -1;
	int errnum = errno;
	unlink(address.sun_path);
	rmdir(directory);
	if (file_fd < 0)
		return error_create_os(errnum, "make a socket for gdb");
	*listen_fd_ret = take_fd(&fd);
	*file_fd_ret = file_fd;
	return NULL;
}

/**
 * What loads the symbols of modules as they are loaded, quoted as gdb does. It
 * comes after the target, which knows the breakpoints of hardware.
 */
static void add_modules(const struct guest_config *config,
			struct string_list *words)
{
	_cleanup_string_builder_ struct string_builder sb = { 0 };

	string_builder_append(&sb, "vmtest-modules ");
	string_builder_append_shell(&sb, config->qemu.kernel->path);
	string_builder_append(&sb, config->module ? " " : "");
	if (config->module)
		string_builder_append_shell(&sb, config->module);
	string_list_add(words, "-ex");
	string_list_add(words, sb.text);
}

/** Add what gdb is to load and do. */
static struct error *add_arguments(const struct guest_config *config,
				   const char *target, struct string_list *words)
{
	struct error *err;

	const char *kernel = config->qemu.kernel->path;
	_cleanup_free_ char *vmlinux = dump_find_vmlinux(kernel);
	_cleanup_free_ char *scripts = path_join(kernel, "build/vmlinux-gdb.py");
	_cleanup_free_ char *ours = NULL;
	err = data_path("gdb.py", &ours);
	if (err)
		return err;
	if (!vmlinux)
		log_warning("%s has no build/vmlinux, without which gdb knows no names",
			    kernel);
	string_list_add(words, vmlinux ? vmlinux : "-q");
	// A tree is the user's own; what a package brings is not run here.
	if (kernel_is_adopted(kernel) && file_exists(scripts)) {
		string_list_add(words, "-x");
		string_list_add(words, scripts);
	}
	string_list_add(words, "-x");
	string_list_add(words, ours);
	string_list_add(words, "-ex");
	string_list_add(words, target);
	if (vmlinux)
		add_modules(config, words);
	return NULL;
}

/** Find gdb, which knows its own architecture, or all. */
static const char *find_program(const struct catalog_arch *arch)
{
	return catalog_arch_is_host(arch) ? "gdb" : "gdb-multiarch";
}

/** A process whose stdin is the socket's file, and that does nothing else. */
static struct error *hold(int file_fd, struct process **ret)
{
	const char *const arguments[] = { "sleep", "infinity", NULL };
	const struct process_options options = {
		.arguments = arguments,
		.stdin_fd = &file_fd,
	};

	return process_spawn(&options, ret);
}

/** Leave the terminal to gdb, and end when it does. */
static struct error *attach(const struct string_list *words, int file_fd)
{
	const pid_t us = getpid();

	pid_t pid = fork();
	if (pid < 0)
		return error_create_os(errno, "fork");
	if (pid > 0) {
		fcntl(file_fd, F_SETFD, 0);
		process_drop_tokens();
		return command_become(words->items[0], words);
	}
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != us)
		_exit(RUN_STATUS_NOT_RUN);
	// Ctrl-C is gdb's.
	setpgid(0, 0);
	return NULL;
}

static struct error *check_kgdb(const struct qemu_config *config)
{
	static const char *const needs[] = { "CONFIG_KGDB_SERIAL_CONSOLE", NULL };

	if (strcmp(config->arch->source_arch, "x86") != 0)
		return error_create(ERROR_OTHER,
				    "--kgdb: machines of %s have one serial line; use --gdb",
				    config->arch->name);
	return kernel_check_options(config->kernel->config, "--kgdb", needs, false);
}

struct error *debugger_open(const struct debugger_request *request,
			    struct guest_config *config, struct debugger *ret)
{
	struct error *err = NULL;

	const unsigned int use = request->gdb ? request->gdb : request->kgdb;
	const char *program = find_program(config->qemu.arch);
	if (!use)
		return NULL;
	config->qemu.stub = request->gdb ? STUB_GDB : STUB_KGDB;
	if (request->kgdb)
		err = check_kgdb(&config->qemu);
	if (err)
		return err;
	if (use == DEBUGGER_ATTACH && !process_program_exists(program))
		return error_create(ERROR_OTHER, "%s is not there; install it",
				    program);
	_cleanup_close_ int file_fd = -1;
	err = make_socket(&ret->listen_fd, &file_fd);
	if (err)
		return err;
	config->qemu.stub_fd = ret->listen_fd;
	if (config->show)
		return NULL;
	if (use == DEBUGGER_WAIT)
		err = hold(file_fd, &ret->holder);
	if (err)
		return err;
	_cleanup_free_ char *target =
		ret->holder ? string_format("target remote /proc/%d/fd/0",
					    process_pid(ret->holder))
			    : string_format("target remote /proc/self/fd/%d",
					    file_fd);
	_cleanup_string_list_ struct string_list words = { 0 };
	string_list_add(&words, program);
	err = add_arguments(config, target, &words);
	if (err)
		return err;
	if (use == DEBUGGER_ATTACH)
		return attach(&words, file_fd);
	_cleanup_free_ char *line = string_list_quote(&words, " ");
	log_info("the guest waits for a debugger; start it in another terminal:\n%s",
		 line);
	return NULL;
}
