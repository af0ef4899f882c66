// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/cmd/vm_commands.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/error.h"
#include "common/base/file.h"
#include "common/base/memory.h"
#include "common/kernel/catalog.h"
#include "common/store/store.h"
#include "vm/kernel/kernel.h"
#include "vm/module/module.h"
#include "vm/qemu/qemu.h"

static const char *const remedies[] = {
	[PLACE_KERNEL] = "copy the kernel elsewhere",
	[PLACE_SOURCE] = "copy the source elsewhere",
	[PLACE_PROGRAM] = "install it elsewhere",
	[PLACE_FILE] = "move the file elsewhere",
	[PLACE_DIRECTORY] = "choose another directory",
	[PLACE_OUTPUT] = "have it written elsewhere",
};

struct places {
	struct place *items;
	size_t count;
	/** Paths that they borrow. */
	struct string_list texts;
};

static void places_deinit(struct places *places)
{
	free(places->items);
	string_list_deinit(&places->texts);
}

#define _cleanup_places_ _cleanup_(places_deinit)

static void add(struct places *places, const char *what, const char *path,
		enum place_use use)
{
	if (!path)
		return;
	string_list_add(&places->texts, path);
	vector_add(places) = (struct place){
		.what = what,
		.path = places->texts.items[places->texts.count - 1],
		.use = use,
	};
}

/** What a later run goes by, if it is there. */
static void add_kept(struct places *places, const char *what, const char *path)
{
	if (path && directory_exists(path))
		add(places, what, path, PLACE_DIRECTORY);
}

static struct error *add_installed(struct places *places)
{
	struct error *err;

	_cleanup_free_ char *program = realpath("/proc/self/exe", NULL);
	add(places, "vmtest's own", program, PLACE_PROGRAM);
	_cleanup_free_ char *data = NULL;
	err = data_path("", &data);
	if (!err)
		add(places, "vmtest's own", data, PLACE_PROGRAM);
	return err;
}

/** Kernels and modules: their makefiles are run. */
static void add_built(struct places *places,
		      const struct command_context *context,
		      const struct run_options *options)
{
	const struct string_list *kernels = &context->common->kernels;
	const char *store = context->common->store;

	for (size_t i = 0; i < kernels->count; i++) {
		if (kernel_is_path(kernels->items[i]))
			add(places, "--kernel", kernels->items[i], PLACE_KERNEL);
	}
	if (!store)
		store = command_variable("VMTEST_STORE");
	if (store)
		add(places, "--store", store_directory_path(store),
		    PLACE_DIRECTORY);
	add(places, "--module-source", options->module_source, PLACE_SOURCE);
	if (options->module == MODULE_NONE)
		return;
	// One that is not there yet: what is beside it does not matter.
	_cleanup_free_ char *parent =
		module_scratch_parent(command_temporary("/tmp"));
	_cleanup_free_ char *scratch = path_join(parent, ".vmtest-module");
	add(places, "a build of a module,", scratch, PLACE_DIRECTORY);
}

/** The cache that a run uses; and what there is that later ones would use. */
static void add_directories(struct places *places,
			    const struct command_context *context,
			    const struct run_options *options)
{
	const struct string_list *kernels = &context->common->kernels;
	const char *given = context->common->directory;
	_cleanup_free_ char *cache = command_home("XDG_CACHE_HOME", ".cache");
	_cleanup_free_ char *state =
		command_home("XDG_STATE_HOME", ".local/state");
	bool uses_cache = context->directory || !kernels->count ||
			  !kernel_is_path(kernels->items[0]) ||
			  options->module != MODULE_NONE;

	if (given)
		add(places, "--directory", given, PLACE_DIRECTORY);
	else if (uses_cache)
		add(places, "the cache", cache, PLACE_DIRECTORY);
	else
		add_kept(places, "the cache", cache);
	add_kept(places, "--trust-project, which is kept in", state);
}

static void add_files(struct places *places,
		      const struct command_context *context,
		      const struct run_options *options)
{
	const char *const programs[] = { run_options_qemu(options),
					 command_variable("VMTEST_VIRTIOFSD") };
	const struct string_list *disks = &options->config.disks;
	const char *catalog = context->common->catalog;

	add(places, "--catalog",
	    catalog ? catalog : command_variable("VMTEST_CATALOG"), PLACE_FILE);
	for (size_t i = 0; i < array_size(programs); i++) {
		if (programs[i] && strchr(programs[i], '/'))
			add(places, "the program", programs[i], PLACE_PROGRAM);
	}
	for (size_t i = 0; i < disks->count; i++) {
		_cleanup_free_ char *path = disk_path(disks->items[i]);

		add(places, "--disk", path, PLACE_FILE);
	}
}

/** What cannot be followed cannot be used either, which is told then. */
static bool follow(const char *path, struct path_way *ret)
{
	struct error *err = path_follow(path, ret);

	error_destroy(err);
	return !err;
}

static bool overlap(const char *writable, const char *path)
{
	_cleanup_path_way_ struct path_way named = { 0 }, inside = { 0 };
	_cleanup_path_way_ struct path_way way = { 0 };

	// Not the way by which it is named: a link to it may be anywhere.
	if (!follow(writable, &named) || !follow(named.path, &inside) ||
	    !follow(path, &way))
		return false;
	// That it would hide the guest's own is what is wrong with the root.
	if (strcmp(inside.path, "/") == 0)
		return false;
	return path_way_passes(&way, &inside) || path_way_passes(&inside, &way);
}

static struct error *check(const char *writable, const struct place *place)
{
	if (!place->path || !overlap(writable, place->path))
		return NULL;
	return error_create(
		ERROR_USAGE,
		"--rw %s and %s %s overlap: a guest could change what the host uses or writes there; %s, or give --rw a subdirectory apart from it",
		writable, place->what, place->path, remedies[place->use]);
}

struct error *run_options_check_places(const struct command_context *context,
				       const struct run_options *options,
				       const struct place *outputs, size_t count)
{
	const struct string_list *writable = &options->config.writable;
	struct error *err;

	if (!writable->count)
		return NULL;
	_cleanup_places_ struct places places = { 0 };
	add_built(&places, context, options);
	add_directories(&places, context, options);
	add_files(&places, context, options);
	for (size_t i = 0; i < count; i++)
		add(&places, outputs[i].what, outputs[i].path, outputs[i].use);
	err = add_installed(&places);
	for (size_t i = 0; i < writable->count && !err; i++) {
		for (size_t j = 0; j < places.count && !err; j++)
			err = check(writable->items[i], &places.items[j]);
	}
	return err;
}
