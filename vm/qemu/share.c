// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/qemu/qemu.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/error.h"
#include "common/base/file.h"
#include "common/base/memory.h"

// Where the guest mounts its own.
static const char *const hidden[] = { "/dev", "/proc", "/run", "/sys" };

// What a guest runs from, or mounts itself: not to be covered by the host's.
static const char *const essential[] = {
	"/bin",	 "/dev", "/etc",     "/lib",	 "/proc",     "/run",
	"/sbin", "/sys", "/usr/bin", "/usr/lib", "/usr/sbin",
};

static bool is_covered(const char *path, const char *const *directories,
		       size_t count)
{
	size_t i = 0;

	while (i < count && !path_is_below(path, directories[i]))
		i++;
	return i < count;
}

/**
 * Whether the guest sees the host's directory at its own path just by having
 * this root: not where it mounts file systems of its own.
 */
static bool root_shows(const char *root, const char *path)
{
	return strcmp(root, "/") == 0 &&
	       !is_covered(path, hidden, array_size(hidden));
}

/** A directory of the host that gets its own place in the guest. */
static struct error *check_target(const struct share_request *request,
				  const char *path, const char *what)
{
	bool shown = root_shows(request->root, path);
	const char *const *places = shown ? hidden : essential;
	size_t count = shown ? array_size(hidden) : array_size(essential);
	const char *place = NULL;

	for (size_t i = 0; i < count && !place; i++)
		place = path_is_below(places[i], path) ? places[i] : NULL;
	if (!place && path_is_below(request->modules, path))
		place = request->modules;
	if (!place)
		return NULL;
	return error_create(ERROR_USAGE,
			    "%s %s would hide the guest's own %s; choose another directory",
			    what, path, place);
}

const char *share_read_type(enum virtiofs_use use)
{
	return use == VIRTIOFS_ALWAYS ? "virtiofs" : "9p";
}

const char *share_read_options(enum virtiofs_use use)
{
	return use == VIRTIOFS_ALWAYS ? "ro" : "ro," SHARE_OPTIONS ",cache=loose";
}

void share_plan_add_mount(struct share_plan *plan, const char *source,
			  const char *target, const char *type,
			  const char *options)
{
	string_builder_appendf(&plan->mounts,
			       "%s " SHARE_STATE "/root%s %s %s 0 0\n", source,
			       target, type, options);
}

/** On a directory of any name, by itself. */
static void add_mount(struct string_list *list, const char *target,
		      const char *type, const char *options, const char *source)
{
	string_list_add(list, target);
	string_list_add(list, type);
	string_list_add(list, options);
	string_list_add(list, source);
}

static struct share *plan_add(struct share_plan *plan, const char *tag,
			      const char *path)
{
	struct share *share = &vector_add(plan);

	*share = (struct share){
		.tag = string_copy(tag),
		.path = string_copy(path),
		.is_virtiofs = plan->virtiofs == VIRTIOFS_ALWAYS,
		.server_fd = -1,
	};
	return share;
}

/**
 * Options of an overlay, with which the guest may write to what is read-only;
 * free().
 *
 * @param[in] name Of the directory that keeps what is written, with a slash;
 * the root's is empty.
 */
static char *plan_overlay(const struct share_request *request,
			  struct share_plan *plan, const char *name,
			  const char *lower)
{
	string_list_addf(&plan->directories, SHARE_STATE "/%supper", name);
	string_list_addf(&plan->directories, SHARE_STATE "/%swork", name);
	return string_format("lowerdir=%s,upperdir=" SHARE_STATE
			     "/%supper,workdir=" SHARE_STATE "/%swork%s",
			     lower, name, name,
			     request->renames ? ",redirect_dir=on" : "");
}

static void plan_package(const struct share_request *request,
			 struct share_plan *plan)
{
	static const char share_directory[] = "/sys";
	bool shown = root_shows(request->root, request->package);
	_cleanup_free_ char *options =
		plan_overlay(request, plan, "package/", ".");

	// The root overlay's upper directory is where a mount point is made
	// that the root need not have.
	string_list_addf(&plan->directories, SHARE_STATE "/upper%s",
			 request->modules);
	share_plan_add_mount(plan, "overlay", request->modules, "overlay",
			     options);
	plan->package = string_copy(shown ? request->package : share_directory);
	if (shown)
		return;
	// Every root has this one, and is left before anybody looks into it.
	add_mount(&plan->early_mounts, share_directory,
		  share_read_type(request->virtiofs),
		  share_read_options(request->virtiofs), "package");
	plan_add(plan, "package", request->package);
}

/** A writable directory may lie in the working directory, which comes first. */
static struct error *plan_directory(const struct share_request *request,
				    struct share_plan *plan)
{
	static const char lower[] = SHARE_STATE "/cwd/lower";
	struct error *err;
	const char *directory = request->directory;
	_cleanup_free_ char *options = NULL;

	if (!directory || strcmp(directory, "/") == 0 ||
	    root_shows(request->root, directory) ||
	    is_covered(directory, (const char *const *)request->writable->items,
		       request->writable->count))
		return NULL;
	err = check_target(request, directory, "the working directory");
	if (err)
		return err;
	string_list_add(&plan->directories, lower);
	share_plan_add_mount(plan, "cwd", lower,
			     share_read_type(request->virtiofs),
			     share_read_options(request->virtiofs));
	options = plan_overlay(request, plan, "cwd/", lower);
	string_list_add(&plan->late_directories, directory);
	add_mount(&plan->late_mounts, directory, "overlay", options, "overlay");
	plan_add(plan, "cwd", directory);
	return NULL;
}

static struct error *plan_writable(const struct share_request *request,
				   struct share_plan *plan)
{
	// Bytes are on the host when the file is closed, and mmap() works.
	static const char options[] = SHARE_OPTIONS ",cache=mmap";
	struct error *err;

	for (size_t i = 0; i < request->writable->count; i++) {
		const char *path = request->writable->items[i];
		_cleanup_free_ char *tag = string_format("rw%zu", i);

		err = check_target(request, path, "--rw");
		if (err)
			return err;
		if (!root_shows(request->root, path))
			string_list_add(&plan->late_directories, path);
		struct share *share = plan_add(plan, tag, path);

		share->writable = true;
		share->is_virtiofs = request->virtiofs != VIRTIOFS_NEVER;
		add_mount(&plan->late_mounts, path,
			  share->is_virtiofs ? "virtiofs" : "9p",
			  share->is_virtiofs ? "rw" : options, tag);
	}
	return NULL;
}

/** Extra directories are only read, and need no overlay. */
static void plan_extra(const struct share_request *request,
		       struct share_plan *plan)
{
	for (size_t i = 0; i < request->extra->count; i++) {
		const char *path = request->extra->items[i];
		_cleanup_free_ char *tag = string_format("extra%zu", i);
		_cleanup_free_ char *target =
			string_format(SHARE_STATE "/%s", tag);

		// A PATH cannot hold a directory with a colon.
		if (root_shows(request->root, path) && !strchr(path, ':')) {
			string_list_add(&plan->extra, path);
			continue;
		}
		share_plan_add_mount(plan, tag, target,
				     share_read_type(request->virtiofs),
				     share_read_options(request->virtiofs));
		string_list_add(&plan->directories, target);
		string_list_add(&plan->extra, target);
		plan_add(plan, tag, path);
	}
}

/** Whether the kernel's command line can name it, in every firmware. */
static bool can_be_bare(const char *path)
{
	for (const char *p = path; *p; p++) {
		if (*p <= ' ' || *p > '~' || strchr("\"'\\", *p))
			return false;
	}
	return strlen(path) <= 255;
}

struct error *share_plan_compute(const struct share_request *request,
				 struct share_plan *ret)
{
	struct error *err;

	_cleanup_share_plan_ struct share_plan plan = {
		.virtiofs = request->virtiofs,
	};

	plan_add(&plan, SHARE_ROOT_TAG, request->root);
	_cleanup_free_ char *options = plan_overlay(request, &plan, "", "/");
	share_plan_add_mount(&plan, "overlay", "", "overlay", options);
	share_plan_add_mount(&plan, "/run", "/run", "none", "bind");
	plan_package(request, &plan);
	err = plan_directory(request, &plan);
	if (err)
		return err;
	err = plan_writable(request, &plan);
	if (err)
		return err;
	plan_extra(request, &plan);
	plan.init_shared = !root_shows(request->root, request->init) ||
			   !can_be_bare(request->init);
	if (plan.init_shared)
		plan_add(&plan, SHARE_INIT_TAG, request->init);
	*ret = take(plan);
	return NULL;
}

void share_plan_deinit(struct share_plan *plan)
{
	for (size_t i = 0; i < plan->count; i++) {
		free(plan->items[i].tag);
		free(plan->items[i].path);
	}
	free(plan->items);
	string_builder_deinit(&plan->mounts);
	free(plan->package);
	string_list_deinit(&plan->directories);
	string_list_deinit(&plan->early_mounts);
	string_list_deinit(&plan->late_directories);
	string_list_deinit(&plan->late_mounts);
	string_list_deinit(&plan->extra);
	*plan = (struct share_plan){ 0 };
}
