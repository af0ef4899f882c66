// SPDX-License-Identifier: LGPL-2.1-or-later

#include "bot/build/boot.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "bot/plan/plan.h"
#include "common/archive/unpack.h"
#include "common/base/directory.h"
#include "common/base/error.h"
#include "common/base/file.h"
#include "common/base/log.h"
#include "vm/guest/guest.h"
#include "vm/guest/run_result.h"
#include "vm/kernel/kernel.h"
#include "vm/rootfs/rootfs.h"

/** What the command wrote into the memory file, without its last newline. */
static struct error *read_output(int fd, char *text, size_t size)
{
	ssize_t length = pread(fd, text, size - 1, 0);

	if (length < 0)
		return error_create_os(errno, "read the guest's output");
	text[length] = '\0';
	text[strcspn(text, "\n")] = '\0';
	return NULL;
}

static struct error *open_log(const char *path, int *fd_ret)
{
	if (!path)
		return NULL;
	*fd_ret = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
	return *fd_ret < 0 ? error_create_os(errno, "open %s", path) : NULL;
}

static struct error *boot(const struct boot_request *request,
			  const struct plan_item *item, const char *folder)
{
	struct error *err;
	_cleanup_kernel_ struct kernel kernel = KERNEL_INIT;
	_cleanup_run_result_ struct run_result result = { 0 };
	_cleanup_rootfs_ struct rootfs rootfs = ROOTFS_INIT;
	_cleanup_close_ int output = memfd_create("output", MFD_CLOEXEC);
	_cleanup_close_ int log_fd = -1;
	char text[RELEASE_TEXT_SIZE];
	struct guest_config config = {
		.qemu = { .kernel = &kernel, .arch = item->arch },
		.command = (char *[]){ (char *)"uname", (char *)"-r", NULL },
		.stdin_fd = -1,
		.stdout_fd = output,
		.stderr_fd = STDERR_FILENO,
		.timeout_ms = 60000,
	};

	if (output < 0)
		return error_create_os(errno, "memfd_create");
	err = kernel_open(folder, &kernel);
	if (!err)
		err = open_log(request->log_path, &log_fd);
	if (!err)
		err = rootfs_open_for_guest(request->catalog,
					    request->cache_directory,
					    item->arch, &rootfs);
	if (err)
		return err;
	config.root = rootfs.path;
	config.console_log_fd = log_fd;
	string_list_add(&config.environment,
			"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
	err = guest_run(&config, &result);
	string_list_deinit(&config.environment);
	if (err)
		return err;
	if (result.outcome != RUN_EXITED) {
		log_error("%s", result.log ? result.log : "no log");
		return error_create(ERROR_OTHER, "%s", result.reason);
	}
	err = read_output(output, text, sizeof(text));
	if (err)
		return err;
	if (result.exit_status != 0)
		return error_create(ERROR_OTHER, "uname ended with status %d",
				    result.exit_status);
	if (strcmp(text, item->release_text) != 0)
		return error_create(ERROR_OTHER, "the kernel calls itself '%s'",
				    text);
	log_info("%s booted in %.1f s", text, (double)result.boot_ms / 1000);
	return NULL;
}

struct error *boot_test(const struct boot_request *request,
			const struct plan_item *item, const char *package_path)
{
	struct error *err;
	_cleanup_close_ int lock_fd = -1;
	_cleanup_directory_ char *temporary = NULL;
	_cleanup_free_ char *folder = NULL;
	static const struct unpack_options options = { 0 };

	err = directory_remove_stale(request->directory, "boot");
	if (!err)
		err = directory_create_temporary(request->directory, "boot",
						 &temporary, &lock_fd);
	if (!err)
		folder = path_join(temporary, "kernel");
	if (!err)
		err = directory_create(folder);
	if (!err)
		err = unpack_file(package_path, folder, &options);
	if (!err)
		err = boot(request, item, folder);
	return error_wrap(err, "boot test of %s", item->release_text);
}
