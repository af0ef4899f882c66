// SPDX-License-Identifier: LGPL-2.1-or-later

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "bot/build/build.h"
#include "bot/plan/plan.h"
#include "common/archive/archive.h"
#include "common/base/error.h"
#include "common/base/file.h"
#include "common/base/log.h"
#include "common/cache/cache.h"
#include "common/kernel/catalog.h"
#include "common/process/process.h"
#include "vm/guest/guest.h"
#include "vm/kernel/kernel.h"
#include "vm/qemu/qemu.h"

enum {
	/** A package, and the lists to find it in. */
	ROOT_LIMIT_MS = 600000,
};

/** Make what guests of another architecture boot in. */
static struct error *make_root(void *arch_, const char *path)
{
	struct error *err;

	const struct catalog_arch *arch = arch_;
	_cleanup_free_ char *script = NULL;
	err = data_path("busybox-root", &script);
	if (err)
		return err;
	log_info("making a root for %s guests, of Debian's busybox-static",
		 arch->name);
	const char *const arguments[] = { script, arch->debian_arch,
					  arch->debian_suite, path, NULL };
	return process_run(&(struct process_options){
		.arguments = arguments,
		.timeout_ms = ROOT_LIMIT_MS,
	});
}

/** @param[out] ret NULL for this machine's architecture: the host's root. */
static struct error *open_root(const struct build_request *request,
			       const struct catalog_arch *arch,
			       struct cache_entry **ret)
{
	const struct cache_recipe recipe = { .make = make_root,
					     .arg = (void *)arch };

	*ret = NULL;
	if (catalog_arch_is_host(arch))
		return NULL;
	_cleanup_free_ char *path =
		path_joinf(request->directory, "%s/rootfs-boot", arch->name);
	return error_wrap(cache_get(path, &recipe, ret),
			  "make a root for %s guests", arch->name);
}

/** Whether `uname -r` has succeeded, with the output that it should have. */
static struct error *check(const struct run_result *result, int output_fd,
			   const char *release)
{
	char text[RELEASE_TEXT_SIZE];

	if (result->reason) {
		log_error("%s", result->log ? result->log : "no log");
		return error_create(ERROR_OTHER, "%s", result->reason);
	}
	ssize_t length = pread(output_fd, text, sizeof(text) - 1, 0);
	if (length < 0)
		return error_create_os(errno, "read the guest's output");
	text[length] = '\0';
	text[strcspn(text, "\n")] = '\0';
	if (result->exit_status != 0)
		return error_create(ERROR_OTHER, "uname ended with status %d: %s",
				    result->exit_status, text);
	if (strcmp(text, release) != 0)
		return error_create(ERROR_OTHER, "the kernel calls itself '%s'",
				    text);
	log_info("%s booted in %.1f s", text, (double)result->boot_ms / 1000);
	return NULL;
}

/**
 * A module that needs no other, to see that the kernel takes its modules.
 *
 * @param[out] ret NULL if the package has none.
 */
static struct error *find_module(const char *directory, char **ret)
{
	struct error *err;

	enum {
		LIMIT_BYTES = 16 << 20,
	};
	_cleanup_free_ char *path = path_join(directory, "modules.dep");
	_cleanup_free_ char *text = NULL;
	err = file_read(path, LIMIT_BYTES, &text, NULL);
	if (error_catch(&err, ERROR_NOT_FOUND))
		return NULL;
	if (err)
		return err;
	char *rest = text, *line;
	while (!*ret && (line = strsep(&rest, "\n"))) {
		size_t length = strlen(line);

		if (!length || line[length - 1] != ':')
			continue;
		line[length - 1] = '\0';
		// What it is in is shared with the guest.
		if (path_stays_below(line))
			*ret = path_join(directory, line);
	}
	return NULL;
}

static struct error *boot(const struct build_request *request,
			  const struct plan_item *item, const char *directory)
{
	struct error *err;

	_cleanup_close_ int output = memfd_create("output", MFD_CLOEXEC);
	if (output < 0)
		return error_create_os(errno, "memfd_create");
	_cleanup_kernel_ struct kernel kernel = { 0 };
	err = kernel_open(directory, &kernel);
	if (err)
		return err;
	_cleanup_close_ int log_fd = -1;
	if (request->log_path) {
		log_fd = open(request->log_path,
			      O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
		if (log_fd < 0)
			return error_create_os(errno, "open %s",
					       request->log_path);
	}
	_cleanup_cache_entry_ struct cache_entry *rootfs = NULL;
	err = open_root(request, item->arch, &rootfs);
	if (err)
		return err;
	_cleanup_free_ char *module = NULL;
	err = find_module(directory, &module);
	if (err)
		return err;
	char *environment[] = { (char *)"PATH=" GUEST_PATH, NULL };
	const struct guest_config config = {
		.qemu = { .kernel = &kernel,
			  .arch = item->arch,
			  .program = request->qemu },
		.root = rootfs ? rootfs->path : "/",
		.module = module,
		.insert_module = module,
		.environment = { environment, 1 },
		.command = (char *[]){ (char *)"uname", (char *)"-r", NULL },
		.stdin_fd = -1,
		.stdout_fd = output,
		// Not to our log as it is: the kernel is not to be trusted yet.
		.stderr_fd = output,
		.timeout_ms = 60000,
		.console_log_fd = log_fd,
		.output_limit_bytes = 1 << 20,
		.console_limit_bytes = GUEST_LOG_LIMIT_BYTES,
	};
	_cleanup_run_result_ struct run_result result = { 0 };
	err = guest_run(&config, &result);
	return err ? err : check(&result, output, item->release_text);
}

struct error *boot_check(const struct build_request *request,
			 const struct catalog_arch *arch)
{
	_cleanup_cache_entry_ struct cache_entry *rootfs = NULL;
	const struct qemu_config config = { .arch = arch,
					    .program = request->qemu };
	const char *program = qemu_program(&config);
	if (process_program_exists(program))
		return open_root(request, arch, &rootfs);
	return error_create(ERROR_NOT_FOUND,
			    "%s guests need %s, and there is no such program; install it, or set VMTEST_QEMU to another",
			    arch->name, program);
}

struct error *boot_test(const struct build_request *request,
			const struct plan_item *item, const char *package_path)
{
	struct error *err;

	static const struct unpack_options options = { 0 };
	_cleanup_close_ int lock_fd = -1;
	_cleanup_directory_ char *temporary = NULL;
	err = directory_remove_stale(request->directory, "boot");
	if (!err)
		err = directory_create_temporary(request->directory, "boot",
						 &temporary, &lock_fd);
	if (!err) {
		_cleanup_free_ char *directory = path_join(temporary, "kernel");

		err = directory_create(directory);
		if (!err)
			err = unpack_file(package_path, directory, &options);
		if (!err)
			err = boot(request, item, directory);
	}
	return error_wrap(err, "boot test of %s", item->release_text);
}
