// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/guest/guest.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/directory.h"
#include "common/base/error.h"
#include "common/base/file.h"
#include "common/base/log.h"
#include "common/base/memory.h"
#include "common/base/system.h"
#include "common/kernel/catalog.h"
#include "common/process/process.h"
#include "vm/guest/guest_extras.h"
#include "vm/guest/loop.h"
#include "vm/guest/qemu.h"
#include "vm/guest/share.h"
#include "vm/kernel/kernel.h"
#include "vm/kernel/kernel_config.h"

enum {
	MAX_DEFAULT_CPUS = 4
};

static const char default_memory[] = "2G";

/** Where a package's modules belong in a root, whose /lib may be a link. */
static void find_modules(const char *root, const char *release, char **ret)
{
	_cleanup_free_ char *lib = NULL;
	char target[64];
	ssize_t n;

	lib = path_join(root, "lib");
	n = readlink(lib, target, sizeof(target) - 1);
	target[n > 0 ? n : 0] = '\0';

	const char *name = target + (*target == '/');

	*ret = path_joinf(strcmp(name, "usr/lib") == 0 ? "/usr/lib" : "/lib",
			  "modules/%s", release);
}

static struct error *canonicalize(const char *path, const char *what, char **ret)
{
	*ret = realpath(path, NULL);
	if (!*ret)
		return error_create_os(errno, "%s %s", what, path);
	return NULL;
}

static struct error *plan_shares(const struct guest_config *config,
				 const struct string_list *extra,
				 const char *init, struct share_plan *ret)
{
	struct error *err;

	_cleanup_free_ char *root = NULL;
	_cleanup_free_ char *modules = NULL;
	_cleanup_free_ char *init_directory = string_copy(init);
	_cleanup_string_list_ struct string_list writable = STRING_LIST_INIT;

	*strrchr(init_directory, '/') = '\0';
	err = canonicalize(config->root ? config->root : "/", "--root", &root);
	if (err)
		return err;
	if (!directory_exists(root))
		return error_create(ERROR_USAGE, "--root %s is not a folder",
				    root);
	find_modules(root, config->kernel->release, &modules);
	for (size_t i = 0; i < config->writable.count; i++) {
		_cleanup_free_ char *path = NULL;

		err = canonicalize(config->writable.items[i], "--rw", &path);
		if (err)
			return err;
		if (!directory_exists(path))
			return error_create(ERROR_USAGE,
					    "--rw %s is not a folder", path);
		string_list_add(&writable, path);
	}

	const struct share_request request = {
		.root = root,
		.package = config->kernel->path,
		.modules = modules,
		.directory = config->directory,
		.writable = &writable,
		.extra = extra,
		.init = init_directory,
		.config = config->kernel->config,
	};

	return share_plan_compute(&request, ret);
}

/** Say what does not work, rather than let the loading fail. */
static struct error *check_kdump(const struct kernel *kernel,
				 const struct catalog_arch *arch)
{
	static const char *const needs[] = { "CONFIG_KEXEC_FILE",
					     "CONFIG_CRASH_DUMP",
					     "CONFIG_PROC_VMCORE" };
	struct kernel_version version;
	const char *end;

	if (!arch->has_kdump)
		return error_create(ERROR_OTHER,
				    "--kdump: crash dumps do not work on %s",
				    arch->name);
	if (kernel_version_parse_prefix(kernel->release, &version, &end) &&
	    !catalog_arch_has_kdump(arch, &version)) {
		char text[KERNEL_VERSION_TEXT_SIZE];

		kernel_version_format(&arch->kdump.min, text);
		return error_create(ERROR_OTHER,
				    "--kdump: crash dumps of %s work from %s on",
				    arch->name, text);
	}
	for (size_t i = 0; i < array_size(needs); i++) {
		if (*kernel->config &&
		    !kernel_config_has(kernel->config, needs[i]))
			return error_create(ERROR_OTHER,
					    "--kdump: the kernel lacks %s",
					    needs[i]);
	}
	return NULL;
}

static unsigned int default_cpus(const char *config)
{
	unsigned int usable = processors_usable();

	if (!kernel_config_has(config, "CONFIG_SMP"))
		return 1;
	return usable > MAX_DEFAULT_CPUS ? MAX_DEFAULT_CPUS : usable;
}

/** All that is the same on every machine. */
static struct error *prepare(const struct guest_config *config,
			     struct guest_extras *extras,
			     struct share_plan *shares,
			     struct qemu_options *options, char **init_ret)
{
	struct error *err;
	struct tsc_sample tsc;
	bool has_tsc = tsc_read(&tsc);
	bool is_x86 = strcmp(config->arch->source_arch, "x86") == 0;
	_cleanup_free_ char *init = NULL;

	if (config->kdump) {
		err = check_kdump(config->kernel, config->arch);
		if (err)
			return err;
	}
	err = data_path("init.sh", &init);
	if (err)
		return err;
	err = canonicalize(init, "init", init_ret);
	if (err)
		return err;
	options->init = *init_ret;
	err = guest_extras_create(config, extras);
	if (err)
		return err;
	options->disk_fd = extras->disk_fd;
	err = plan_shares(config, &extras->folders, *init_ret, shares);
	if (err)
		return err;
	guest_extras_name(extras, config, shares);
	err = accel_choose(config->accel, config->arch, &options->accel);
	if (err)
		return err;
	if (is_x86 && has_tsc && options->accel == ACCEL_TCG)
		options->tsc_khz = tsc_khz_since(&tsc);
	return NULL;
}

/** @return ERROR_NOT_FOUND if another machine may do. */
static struct error *run_on(const struct catalog_machine *machine,
			    const struct guest_config *config,
			    const struct guest_extras *extras,
			    struct qemu_options *options, struct run_result *ret)
{
	struct error *err;
	_cleanup_free_ char *image = NULL;

	image = path_join(config->kernel->path, machine->kernel);
	if (!file_exists(image))
		return error_create(ERROR_NOT_FOUND,
				    "%s: no such file; is the package whole?",
				    image);
	options->machine = machine;
	options->image = image;
	err = loop_run(config, extras, options, ret);
	if (error_is(err, ERROR_OTHER))
		err = error_wrap(err, "%s", image);
	if (options->accel == ACCEL_KVM && error_is(err, ERROR_OTHER))
		err = error_wrap(err, "with KVM (--accel tcg does without)");
	return err;
}

struct error *guest_run(const struct guest_config *config, struct run_result *ret)
{
	struct error *err;
	const char *kernel_config = config->kernel->config;
	const struct catalog_machine *machine = NULL;
	_cleanup_free_ char *init = NULL;
	_cleanup_share_plan_ struct share_plan shares = { 0 };
	_cleanup_guest_extras_ struct guest_extras extras = GUEST_EXTRAS_INIT;
	// Why the last machine that was tried would not do.
	_cleanup_error_ struct error *miss = NULL;
	struct qemu_options options = {
		.arch = config->arch,
		.memory = config->memory ? config->memory : default_memory,
		.cpus = config->cpus ? config->cpus : default_cpus(kernel_config),
		.shares = &shares,
		.kdump = config->kdump,
		.hz = kernel_config_number(kernel_config, "CONFIG_HZ"),
		.verbose = config->console_log_fd || log_level() >= LOG_DEBUG,
		.append = &config->append,
		.arguments = &config->qemu_options,
	};

	err = prepare(config, &extras, &shares, &options, &init);
	if (err)
		return err;
	for (;;) {
		err = qemu_choose_machine(config->arch, kernel_config,
					  config->machine, machine, &machine);
		if (miss && error_catch(&err, ERROR_NOT_FOUND))
			return take_ptr(miss);
		if (err)
			return err;
		error_destroy(take_ptr(miss));
		err = run_on(machine, config, &extras, &options, ret);
		// Of a program that is not there, no machine helps.
		if (!error_is(err, ERROR_NOT_FOUND) ||
		    !process_program_exists(config->arch->qemu))
			return err;
		miss = err;
		log_debug("%s: %s", machine->name, error_message(miss));
	}
}
