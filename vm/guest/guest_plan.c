// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/guest/guest_internal.h"

#include <errno.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/error.h"
#include "common/base/file.h"
#include "common/base/log.h"
#include "common/base/memory.h"
#include "common/kernel/catalog.h"
#include "common/kernel/kernel_config.h"
#include "vm/guest/guest.h"
#include "vm/kernel/initramfs.h"
#include "vm/kernel/kernel.h"
#include "vm/qemu/confine.h"
#include "vm/qemu/qemu.h"

void guest_plan_deinit(struct guest_plan *plan)
{
	disk_list_deinit(&plan->qemu.disks);
	virtiofs_deinit(&plan->servers);
	string_list_deinit(&plan->drivers);
	share_plan_deinit(&plan->shares);
	confinement_deinit(&plan->confinement);
	free(plan->init);
	free(plan->module);
	guest_user_deinit(&plan->user);
	string_list_deinit(&plan->closed);
	string_list_deinit(&plan->nodes);
	free(plan->limits);
	string_list_deinit(&plan->environment);
}

static struct error *canonicalize(const char *path, const char *what, char **ret)
{
	*ret = realpath(path, NULL);
	return *ret ? NULL : error_create_os(errno, "%s %s", what, path);
}

static struct error *canonicalize_directory(const char *path, const char *what,
					    char **ret)
{
	struct error *err = canonicalize(path, what, ret);

	if (err || directory_exists(*ret))
		return err;
	return error_create(ERROR_USAGE, "%s %s is not a directory", what, *ret);
}

/** Add all of a path but its last part. */
static void add_directory_of(struct string_list *list, const char *path)
{
	string_list_addf(list, "%.*s", (int)(strrchr(path, '/') - path), path);
}

bool guest_root_has(const struct guest_config *config, const char *path)
{
	_cleanup_free_ char *file = path_join(config->root, path);

	return file_exists(file);
}

struct error *guest_root_check(const struct guest_config *config,
			       const char *what, const char *program)
{
	_cleanup_free_ char *path = string_format("usr/bin/%s", program);

	if (guest_root_has(config, path))
		return NULL;
	return error_create(ERROR_OTHER,
			    "%s: the guest's root has no %s; it is part of util-linux",
			    what, path);
}

/** Where a package's modules belong in a root, whose /lib may be a link. */
static char *find_modules(const char *root, const char *release)
{
	_cleanup_free_ char *lib = path_join(root, "lib");
	char target[64];
	ssize_t n = readlink(lib, target, sizeof(target) - 1);

	target[n > 0 ? n : 0] = '\0';

	const char *name = target + (*target == '/');

	return path_joinf(strcmp(name, "usr/lib") == 0 ? "/usr/lib" : "/lib",
			  "modules/%s", release);
}

/** Whether the root has a program, or busybox, which has all that we use. */
static bool root_has_program(const struct guest_config *config, const char *name)
{
	static const char *const directories[] = { "bin", "sbin", "usr/bin",
						   "usr/sbin" };

	for (size_t i = 0; i < array_size(directories); i++) {
		_cleanup_free_ char *path = path_join(directories[i], name);

		if (guest_root_has(config, path))
			return true;
	}
	return guest_root_has(config, "bin/busybox") ||
	       guest_root_has(config, "usr/bin/busybox");
}

static enum virtiofs_use choose_virtiofs(const struct guest_config *config)
{
	const struct kernel *kernel = config->qemu.kernel;
	_cleanup_free_ char *module = kernel_module(kernel, "kernel/fs/9p/9p.ko");

	if (!virtiofs_is_possible(&config->qemu))
		return VIRTIOFS_NEVER;
	// Of a kernel without its configuration nothing is known.
	if (!module && *kernel->config &&
	    !kernel_config_has(kernel->config, "CONFIG_9P_FS"))
		return VIRTIOFS_ALWAYS;
	// Small roots, as containers have them, cannot insert modules.
	return config->writable.count && root_has_program(config, "insmod")
		       ? VIRTIOFS_WRITABLE
		       : VIRTIOFS_NEVER;
}

static struct error *plan_shares(struct guest_plan *plan,
				 const struct guest_config *config,
				 const struct string_list *extra,
				 enum virtiofs_use virtiofs)
{
	struct error *err;

	const struct kernel *kernel = config->qemu.kernel;
	_cleanup_free_ char *root = NULL;
	_cleanup_free_ char *modules = NULL;
	_cleanup_free_ char *init = string_copy(plan->init);
	_cleanup_string_list_ struct string_list writable = { 0 };

	err = canonicalize_directory(config->root, "--root", &root);
	if (err)
		return err;
	for (size_t i = 0; i < config->writable.count; i++) {
		_cleanup_free_ char *path = NULL;

		err = canonicalize_directory(config->writable.items[i], "--rw",
					     &path);
		if (err)
			return err;
		string_list_add(&writable, path);
	}
	modules = find_modules(root, kernel->release);

	const struct share_request request = {
		.root = root,
		.package = kernel->path,
		.modules = modules,
		.directory = config->directory,
		.writable = &writable,
		.virtiofs = virtiofs,
		.extra = extra,
		.init = dirname(init),
		// Linux kernel commit a6c606551141 ("ovl: redirect on
		// rename-dir") (in v4.10).
		.renames = kernel_is_since(kernel, 4, 10),
	};

	err = share_plan_compute(&request, &plan->shares);
	return err ? err : guest_confinement_plan(plan, config, extra);
}

/** By virtiofs where it works, else by 9p, whose server is in QEMU. */
static struct error *plan_files(struct guest_plan *plan,
				const struct guest_config *config,
				const struct string_list *extra)
{
	struct error *err;

	const char *request = config->virtiofsd;
	const enum virtiofs_use use = choose_virtiofs(config);
	// An overlay opens files with O_NOATIME, which is their owner's to do.
	if (use == VIRTIOFS_ALWAYS && geteuid() != 0)
		return error_create(
			ERROR_OTHER,
			"the kernel has no 9p (CONFIG_9P_FS), and virtiofs in its place needs root: take the distribution's general kernel");
	err = plan_shares(plan, config, extra, use);
	if (err || use == VIRTIOFS_NEVER)
		return err;
	err = virtiofs_start(request, &plan->confinement, &plan->shares,
			     &plan->servers);
	if (err && use == VIRTIOFS_ALWAYS)
		return error_wrap(err,
				  "the kernel has no 9p (CONFIG_9P_FS), but virtiofs");
	if (!err && use == VIRTIOFS_WRITABLE)
		string_list_add(&plan->drivers, VIRTIOFS_MODULE);
	if (!err)
		return NULL;
	if (request && strcmp(request, "none") != 0)
		log_warning("--rw uses 9p: %s", error_message(err));
	else
		log_debug("--rw uses 9p: %s", error_message(err));
	error_destroy(err);
	share_plan_deinit(&plan->shares);
	confinement_deinit(&plan->confinement);
	plan->confinement = (struct confinement){ 0 };
	return plan_shares(plan, config, extra, VIRTIOFS_NEVER);
}

/**
 * Find the program that loads a crash kernel. Say what does not work, rather
 * than let the loading fail.
 */
static struct error *find_loader(const struct kernel *kernel,
				 const struct catalog_arch *arch, char **ret)
{
	struct error *err;

	static const char *const needs[] = { "CONFIG_KEXEC_FILE",
					     "CONFIG_CRASH_DUMP",
					     "CONFIG_PROC_VMCORE", NULL };
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
	err = kernel_check_options(kernel->config, "--kdump", needs, false);
	if (err)
		return err;
	_cleanup_free_ char *initramfs = path_join(kernel->path, INITRAMFS_FILE);
	if (file_exists(initramfs))
		return error_create(
			ERROR_OTHER,
			"--kdump: drivers of this kernel are modules, and nothing would load them in the crash kernel");

	// The guest's own program, which is installed for its architecture.
	_cleanup_free_ char *name =
		string_format("guest/%s/vmtest-kexec", arch->name);
	_cleanup_free_ char *path = NULL;

	err = data_path(name, &path);
	if (err)
		return err;
	if (!file_exists(path))
		return error_create(ERROR_OTHER,
				    "--kdump: %s is not there; vmtest was built without %sgcc or its static libc",
				    path, arch->cross_prefix);
	return canonicalize(path, "--kdump:", ret);
}

struct error *guest_check_kdump(const struct qemu_config *config)
{
	_cleanup_free_ char *loader = NULL;

	return find_loader(config->kernel, config->arch, &loader);
}

/**
 * Name what the guest has been given.
 *
 * @param[in] loader Of a crash kernel; NULL for none.
 */
static void plan_environment(struct guest_plan *plan,
			     const struct guest_config *config,
			     const char *loader)
{
	static const struct {
		enum disk_use use;
		const char *name;
	} disks[] = { { DISK_EMPTY, "DRGN_TEST_DISK" },
		      { DISK_FILE, "VMTEST_DISKS" } };
	struct string_list *environment = &plan->environment;
	// In the order in which they were asked for.
	char *const *seen = plan->shares.extra.items;
	const char *programs = NULL;

	string_list_add(environment, "TMPDIR=" SHARE_TEMPORARY);
	guest_user_add_environment(&plan->user, environment);
	if (config->module) {
		_cleanup_free_ char *path =
			path_join(*seen++, path_name(config->module));

		string_list_addf(environment, "DRGN_TEST_KMOD=%s", path);
		if (config->insert_module)
			plan->module = take_ptr(path);
	}
	for (size_t i = 0; i < array_size(disks); i++) {
		_cleanup_free_ char *nodes =
			disk_list_nodes(&plan->qemu.disks, disks[i].use);

		if (*nodes)
			string_list_addf(environment, "%s=%s", disks[i].name,
					 nodes);
	}
	if (loader) {
		programs = *seen++;
		string_list_addf(environment, "VMTEST_KEXEC=%s%s", programs,
				 strrchr(loader, '/'));
	}
	for (size_t i = 0; i < config->environment.count; i++) {
		const char *item = config->environment.items[i];
		bool is_path = strncmp(item, "PATH=", strlen("PATH=")) == 0;

		string_list_addf(environment, "%s%s%s", item,
				 programs && is_path ? ":" : "",
				 programs && is_path ? programs : "");
	}
}

static struct error *plan_disks(struct guest_plan *plan,
				const struct guest_config *config)
{
	// What the guest writes is in its memory, which overflows to a disk.
	static const char *const overlay_needs[] = { "CONFIG_SWAP", NULL };
	struct error *err;

	struct disk_list *disks = &plan->qemu.disks;
	const char *text = config->qemu.kernel->config;
	uint64_t size_bytes = 0;
	for (size_t i = 0; i < config->disks.count; i++)
		amount_parse(config->disks.items[i], size_units, 0, &size_bytes);
	if (size_bytes) {
		err = disk_list_create(disks, DISK_EMPTY,
				       config->disk_directory, size_bytes, text);
		if (err)
			return err;
	}
	if (config->overlay_bytes) {
		err = kernel_check_options(text, "--overlay-size",
					   overlay_needs, false);
		if (err)
			return err;
		err = disk_list_create(disks, DISK_OVERLAY,
				       config->disk_directory,
				       config->overlay_bytes, text);
		if (err)
			return err;
	}
	for (size_t i = 0; i < config->disks.count; i++) {
		if (amount_parse(config->disks.items[i], size_units, 0,
				 &size_bytes))
			continue;
		err = disk_list_open(disks, config->disks.items[i], text);
		if (err)
			return err;
	}
	disk_list_add_modules(disks, &plan->drivers);
	return NULL;
}

static struct error *plan_user(struct guest_plan *plan,
			       const struct guest_config *config)
{
	struct error *err;

	err = guest_user_find(config->root, config->user, &plan->user);
	if (err || !config->user)
		return err;
	return guest_root_check(config, "--user", "setpriv");
}

static struct error *plan_network(struct guest_plan *plan,
				  const struct guest_config *config)
{
	if (!config->qemu.network)
		return NULL;
	string_list_add(&plan->drivers, NETWORK_MODULE);
	// It is all that the guest's network needs.
	if (root_has_program(config, "ip"))
		return network_check(&config->qemu);
	return error_create(
		ERROR_OTHER,
		"--network: the guest's root has no ip(8); install iproute2 or busybox-static there");
}

/** Of what the guest may need, what is a module of this kernel. */
static void find_drivers(struct guest_plan *plan, const struct kernel *kernel)
{
	_cleanup_string_list_ struct string_list names = take(plan->drivers);

	for (size_t i = 0; i < names.count; i++) {
		_cleanup_free_ char *module =
			kernel_module(kernel, names.items[i]);

		if (module)
			string_list_add(&plan->drivers, module);
	}
}

struct error *guest_plan_make(struct guest_plan *plan,
			      const struct guest_config *config)
{
	struct error *err;

	const struct catalog_arch *arch = config->qemu.arch;
	struct qemu_options *qemu = &plan->qemu;
	_cleanup_free_ char *init = NULL;
	_cleanup_free_ char *loader = NULL;
	_cleanup_string_list_ struct string_list extra = { 0 };

	err = data_path("init.sh", &init);
	if (err)
		return err;
	err = canonicalize(init, "init", &plan->init);
	if (err)
		return err;
	if (config->module)
		add_directory_of(&extra, config->module);
	if (config->qemu.kdump) {
		err = find_loader(config->qemu.kernel, arch, &loader);
		if (err)
			return err;
		add_directory_of(&extra, loader);
	}
	err = plan_disks(plan, config);
	if (err)
		return err;
	err = plan_network(plan, config);
	if (err)
		return err;
	err = plan_user(plan, config);
	if (err)
		return err;
	err = plan_files(plan, config, &extra);
	if (err)
		return err;
	find_drivers(plan, config->qemu.kernel);
	err = guest_system_plan(plan, config);
	if (err)
		return err;
	plan_environment(plan, config, loader);
	qemu->config = &config->qemu;
	qemu->shares = &plan->shares;
	qemu->confinement = &plan->confinement;
	qemu->init = plan->init;
	qemu->verbose = config->console_log_fd >= 0 || log_level() >= LOG_DEBUG;
	const char *denied;
	err = accel_choose(config->qemu.accel, arch, &qemu->accel, &denied);
	if (err)
		return err;
	if (denied)
		log_info("emulated, and slow: %s", denied);
	if (strcmp(arch->source_arch, "x86") == 0 && qemu->accel == ACCEL_TCG)
		qemu->tsc_khz = tsc_khz();
	return NULL;
}
