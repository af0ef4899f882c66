// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/share.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/error.h"
#include "common/string_builder.h"
#include "vm/kernel_config.h"

#define STATE "/run/vmtest"

static const struct {
	/** NULL if every kernel that can run init.sh has it. */
	const char *option;
	const char *type;
	const char *target;
	const char *options;
} file_systems[] = {
	{ NULL, "proc", "/proc", "nosuid,nodev,noexec" },
	{ NULL, "sysfs", "/sys", "nosuid,nodev,noexec" },
	{ NULL, "devtmpfs", "/dev", "mode=0755" },
	{ "CONFIG_UNIX98_PTYS", "devpts", "/dev/pts",
	  "gid=5,mode=620,ptmxmode=666" },
	{ NULL, "tmpfs", "/dev/shm", "mode=1777" },
	{ "CONFIG_CGROUPS", "cgroup2", "/sys/fs/cgroup", "nosuid,nodev,noexec" },
	{ "CONFIG_BPF_SYSCALL", "bpf", "/sys/fs/bpf", "mode=0700" },
	{ "CONFIG_DEBUG_FS", "debugfs", "/sys/kernel/debug", "mode=0700" },
	{ "CONFIG_TRACING", "tracefs", "/sys/kernel/tracing", "mode=0700" },
};

// Where the guest mounts its own.
static const char *const hidden[] = { "/dev", "/proc", "/run", "/sys" };

// What a guest runs from, or mounts itself: not to be covered by the host's.
static const char *const essential[] = {
	"/bin",	 "/dev", "/etc",     "/lib",	 "/proc",     "/run",
	"/sbin", "/sys", "/usr/bin", "/usr/lib", "/usr/sbin",
};

static bool path_is_below(const char *path, const char *directory)
{
	size_t length = strlen(directory);

	return strncmp(path, directory, length) == 0 &&
	       (!path[length] || path[length] == '/');
}

bool share_root_shows(const char *root, const char *path)
{
	if (strcmp(root, "/") != 0)
		return false;
	for (size_t i = 0; i < array_size(hidden); i++) {
		if (path_is_below(path, hidden[i]))
			return false;
	}
	return true;
}

/** A folder of the host that gets its own place in the guest. */
static struct error *check_target(const char *path, const char *what)
{
	for (size_t i = 0; i < array_size(essential); i++) {
		if (path_is_below(essential[i], path))
			return error_create(ERROR_USAGE,
					    "%s %s would hide the guest's own %s; choose another folder",
					    what, path, essential[i]);
	}
	return NULL;
}

/** A field of fstab(5). */
static void append_field(struct string_builder *sb, const char *text)
{
	for (const char *p = text; *p; p++) {
		if (strchr(" \t\n\\#", *p))
			string_builder_appendf(sb, "\\%03o", (unsigned char)*p);
		else
			string_builder_append_char(sb, *p);
	}
}

/** One line of fstab(5); the target is below @p root. */
static void append_mount(struct string_builder *sb, const char *source,
			 const char *root, const char *target, const char *type,
			 const char *options)
{
	append_field(sb, source);
	string_builder_append_char(sb, ' ');
	append_field(sb, root);
	append_field(sb, target);
	string_builder_appendf(sb, " %s %s 0 0\n", type, options);
}

static struct error *plan_add(struct share_plan *plan, const char *tag,
			      const char *path, bool writable)
{
	if (plan->count == plan->capacity) {
		size_t capacity = 2 * plan->capacity + 4;
		struct share *items =
			reallocarray(plan->items, capacity, sizeof(*items));

		if (!items)
			return error_no_memory();
		plan->items = items;
		plan->capacity = capacity;
	}

	struct share *share = &plan->items[plan->count];

	snprintf(share->tag, sizeof(share->tag), "%s", tag);
	share->writable = writable;
	share->path = strdup(path);
	if (!share->path)
		return error_no_memory();
	plan->count++;
	return NULL;
}

/** A read-only share below an overlay, so that the guest may write there. */
static void append_overlaid(struct string_builder *sb,
			    struct string_list *directories, const char *tag,
			    const char *root, const char *target)
{
	char lower[64];
	char options[256];

	snprintf(lower, sizeof(lower), STATE "/%s/lower", tag);
	snprintf(options, sizeof(options),
		 "lowerdir=" STATE "/%s/lower,upperdir=" STATE
		 "/%s/upper,workdir=" STATE "/%s/work",
		 tag, tag, tag);
	string_list_add(directories, lower);
	string_list_addf(directories, STATE "/%s/upper", tag);
	string_list_addf(directories, STATE "/%s/work", tag);
	append_mount(sb, tag, "", lower, "9p",
		     "ro," SHARE_OPTIONS ",cache=loose");
	append_mount(sb, "overlay", root, target, "overlay", options);
}

static struct error *plan_package(const struct share_request *request,
				  struct share_plan *plan,
				  struct string_builder *mounts)
{
	// The overlay's upper folder is where a mount point is made that the
	// root need not have.
	string_list_addf(&plan->directories, STATE "/upper%s", request->modules);
	if (share_root_shows(request->root, request->package)) {
		_cleanup_string_builder_ struct string_builder source =
			STRING_BUILDER_INIT;
		_cleanup_free_ char *text = NULL;
		struct error *err;

		string_builder_appendf(&source, STATE "/root%s",
				       request->package);
		err = string_builder_finish(&source, &text);
		if (err)
			return err;
		append_mount(mounts, text, STATE "/root", request->modules,
			     "none", "bind");
		return NULL;
	}
	append_overlaid(mounts, &plan->directories, "package", STATE "/root",
			request->modules);
	return plan_add(plan, "package", request->package, false);
}

static struct error *plan_writable(const struct share_request *request,
				   struct share_plan *plan,
				   struct string_builder *mounts,
				   struct string_builder *late)
{
	// Bytes are on the host when the file is closed, and mmap() works.
	static const char options[] = SHARE_OPTIONS ",cache=mmap";
	struct error *err;

	for (size_t i = 0; i < request->writable->count; i++) {
		const char *path = request->writable->items[i];
		bool shown = share_root_shows(request->root, path);
		char tag[SHARE_TAG_SIZE];

		err = shown ? NULL : check_target(path, "--rw");
		if (err)
			return err;
		snprintf(tag, sizeof(tag), "rw%zu", i);
		append_mount(shown ? mounts : late, tag,
			     shown ? STATE "/root" : "", path, "9p", options);
		if (!shown)
			string_list_add(&plan->late_directories, path);
		plan->writable = true;
		err = plan_add(plan, tag, path, true);
		if (err)
			return err;
	}
	return NULL;
}

/** Extra folders are only read: what the root does not show needs no overlay. */
static struct error *plan_extra(const struct share_request *request,
				struct share_plan *plan,
				struct string_builder *late)
{
	struct error *err;

	for (size_t i = 0; i < request->extra->count; i++) {
		const char *path = request->extra->items[i];
		char tag[SHARE_TAG_SIZE], target[64];

		if (share_root_shows(request->root, path)) {
			string_list_add(&plan->extra, path);
			continue;
		}
		snprintf(tag, sizeof(tag), "extra%zu", i);
		snprintf(target, sizeof(target), STATE "/%s", tag);
		append_mount(late, tag, "", target, "9p",
			     "ro," SHARE_OPTIONS ",cache=loose");
		string_list_add(&plan->late_directories, target);
		string_list_add(&plan->extra, target);
		err = plan_add(plan, tag, path, false);
		if (err)
			return err;
	}
	return string_list_check(&plan->extra);
}

static bool is_covered(const struct string_list *directories, const char *path)
{
	for (size_t i = 0; i < directories->count; i++) {
		if (path_is_below(path, directories->items[i]))
			return true;
	}
	return false;
}

static struct error *plan_fill(const struct share_request *request,
			       struct share_plan *plan,
			       struct string_builder *mounts,
			       struct string_builder *late)
{
	struct error *err;

	err = plan_add(plan, SHARE_ROOT_TAG, request->root, false);
	if (err)
		return err;
	append_mount(mounts, "overlay", "", STATE "/root", "overlay",
		     "lowerdir=/,upperdir=" STATE "/upper,workdir=" STATE
		     "/work");
	append_mount(mounts, "/run", STATE "/root", "/run", "none", "bind");
	for (size_t i = 0; i < array_size(file_systems); i++) {
		if (!file_systems[i].option ||
		    kernel_config_has(request->config, file_systems[i].option))
			append_mount(mounts, file_systems[i].type, STATE "/root",
				     file_systems[i].target, file_systems[i].type,
				     file_systems[i].options);
	}
	err = plan_package(request, plan, mounts);
	if (err)
		return err;
	// The working directory first: a writable folder may lie in it.
	if (request->directory && strcmp(request->directory, "/") != 0 &&
	    !share_root_shows(request->root, request->directory) &&
	    !is_covered(request->writable, request->directory)) {
		err = check_target(request->directory, "the working directory");
		if (err)
			return err;
		append_overlaid(late, &plan->late_directories, "cwd", "",
				request->directory);
		string_list_add(&plan->late_directories, request->directory);
		err = plan_add(plan, "cwd", request->directory, false);
		if (err)
			return err;
	}
	err = plan_writable(request, plan, mounts, late);
	if (err)
		return err;
	err = plan_extra(request, plan, late);
	if (err)
		return err;
	plan->init_shared = !share_root_shows(request->root, request->init);
	if (plan->init_shared) {
		err = plan_add(plan, SHARE_INIT_TAG, request->init, false);
		if (err)
			return err;
	}
	err = string_list_check(&plan->directories);
	if (err)
		return err;
	return string_list_check(&plan->late_directories);
}

struct error *share_plan_compute(const struct share_request *request,
				 struct share_plan *ret)
{
	struct error *err;

	_cleanup_share_plan_ struct share_plan plan = { 0 };
	_cleanup_string_builder_ struct string_builder mounts =
		STRING_BUILDER_INIT;
	_cleanup_string_builder_ struct string_builder late = STRING_BUILDER_INIT;

	err = plan_fill(request, &plan, &mounts, &late);
	if (err)
		return err;
	err = string_builder_finish(&mounts, &plan.mounts);
	if (err)
		return err;
	err = string_builder_finish(&late, &plan.late_mounts);
	if (err)
		return err;
	*ret = plan;
	plan = (struct share_plan){ 0 };
	return NULL;
}

void share_plan_deinit(struct share_plan *plan)
{
	for (size_t i = 0; i < plan->count; i++)
		free(plan->items[i].path);
	free(plan->items);
	free(plan->mounts);
	free(plan->late_mounts);
	string_list_deinit(&plan->directories);
	string_list_deinit(&plan->late_directories);
	string_list_deinit(&plan->extra);
	*plan = (struct share_plan){ 0 };
}
