// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/kernel/adopted.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/archive/archive.h"
#include "common/base/error.h"
#include "common/base/file.h"
#include "common/base/log.h"
#include "common/base/memory.h"
#include "common/base/text.h"
#include "common/cache/cache.h"
#include "common/kernel/catalog.h"
#include "common/process/process.h"
#include "common/process/sandbox.h"
#include "vm/kernel/initramfs.h"
#include "vm/kernel/kernel.h"

enum {
	/** Of what depmod says. */
	DEPMOD_LIMIT_BYTES = 1 << 20,
};

/** Of the names of what is made here. */
static const char prefix[] = "adopted-";

/** Where a build leaves its release. */
static const char release_file[] = "include/config/kernel.release";

/** What depmod reads, besides modules. */
static const char *const depmod_files[] = { "modules.order", "modules.builtin",
					    "modules.builtin.modinfo" };

/** What a kernel consists of. Paths are absolute; NULL for what is not there. */
struct parts {
	char release[RELEASE_TEXT_SIZE];
	char *image;
	/** Where it was built. Has the modules that it was built with. */
	char *tree;
	/** Of an image alone: where its modules are installed. */
	char *modules;
	char *config;
};

static void parts_deinit(struct parts *parts)
{
	free(parts->image);
	free(parts->tree);
	free(parts->modules);
	free(parts->config);
}

#define _cleanup_parts_ _cleanup_(parts_deinit)

/** @param[in,out] path NULL afterwards if nothing is there. */
static char *if_there(char *path)
{
	if (!file_exists(path) && !directory_exists(path))
		free(take_ptr(path));
	return path;
}

static struct error *find_installed(char **ret)
{
	glob_t files;
	const char *newest = NULL;

	if (glob("/boot/vmlinuz-*", GLOB_NOSORT, NULL, &files) == 0) {
		for (size_t i = 0; i < files.gl_pathc; i++) {
			if (!newest || strverscmp(files.gl_pathv[i], newest) > 0)
				newest = files.gl_pathv[i];
		}
	}
	*ret = newest ? string_copy(newest) : NULL;
	globfree(&files);
	return *ret ? NULL
		    : error_create(ERROR_NOT_FOUND,
				   "no kernel is installed: /boot has no vmlinuz-*");
}

/** The tree in which an image was built, if there is one; free(). */
static char *find_tree(const char *image, const struct catalog_arch *arch)
{
	const char *const names[] = { arch->image_path, "vmlinux" };

	for (size_t i = 0; i < array_size(names); i++) {
		size_t length = strlen(image), tail = strlen(names[i]) + 1;

		if (length <= tail || image[length - tail] != '/' ||
		    strcmp(image + length - tail + 1, names[i]) != 0)
			continue;
		_cleanup_free_ char *tree =
			string_format("%.*s", (int)(length - tail), image);
		_cleanup_free_ char *release = path_join(tree, release_file);

		if (file_exists(release))
			return take_ptr(tree);
	}
	return NULL;
}

/**
 * The release that a bzImage says, as Documentation/arch/x86/boot.rst has it;
 * else the one in its name.
 */
static struct error *read_image_release(struct parts *parts)
{
	enum {
		HEADER = 0x202,
		VERSION = 0x20e,
		BASE = 0x200,
		LIMIT = 0x8000
	};

	char data[LIMIT + 1] = "";
	const char *text = strchr(path_name(parts->image), '-');
	_cleanup_close_ int fd =
		open(parts->image, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return error_create_os(errno, "open %s", parts->image);
	ssize_t size = pread(fd, data, LIMIT, 0);
	if (size == LIMIT && memcmp(data + HEADER, "HdrS", 4) == 0) {
		size_t offset = (unsigned char)data[VERSION] |
				(size_t)(unsigned char)data[VERSION + 1] << 8;

		text = data + BASE + (offset < LIMIT - BASE ? offset : 0);
	} else if (text) {
		text++;
	}
	size_t length = text ? strcspn(text, " \n") : 0;
	_cleanup_free_ char *release = string_copy_n(text ? text : "", length);
	if (!kernel_takes_release(release))
		return error_create(ERROR_OTHER,
				    "%s: neither it nor its name (vmlinuz-RELEASE) tells its release",
				    parts->image);
	strcpy(parts->release, release);
	return NULL;
}

static struct error *find_of_image(struct parts *parts)
{
	static const char *const places[] = { "../lib/modules",
					      "../usr/lib/modules" };
	struct error *err;

	err = read_image_release(parts);
	if (err)
		return err;
	_cleanup_free_ char *parent = path_parent(parts->image);
	parts->config = if_there(path_joinf(parent, "config-%s", parts->release));
	for (size_t i = 0; i < array_size(places) && !parts->modules; i++) {
		_cleanup_free_ char *path =
			path_joinf(parent, "%s/%s", places[i], parts->release);

		parts->modules = realpath(path, NULL);
	}
	return NULL;
}

static struct error *find_of_tree(struct parts *parts,
				  const struct catalog_arch *arch)
{
	struct error *err;

	_cleanup_free_ char *file = path_join(parts->tree, release_file);
	_cleanup_free_ char *release = NULL;
	err = file_read(file, RELEASE_TEXT_SIZE - 1, &release, NULL);
	if (error_catch(&err, ERROR_NOT_FOUND))
		return error_create(ERROR_OTHER,
				    "%s is neither an unpacked package nor a tree where a kernel was built: it has no %s",
				    parts->tree, release_file);
	if (err)
		return err;
	release[strcspn(release, "\n")] = '\0';
	if (!kernel_takes_release(release))
		return error_create(ERROR_OTHER,
				    "%s: it does not hold a kernel's release",
				    file);
	strcpy(parts->release, release);
	parts->config = if_there(path_join(parts->tree, ".config"));
	parts->image = if_there(path_join(parts->tree, arch->image_path));
	if (parts->image)
		return NULL;
	return error_create(ERROR_OTHER,
			    "%s has no %s; is it built, and for %s? (make %s)",
			    parts->tree, arch->image_path, arch->name,
			    arch->image_target);
}

static struct error *find_parts(const char *path, const struct catalog_arch *arch,
				struct parts *parts)
{
	struct error *err;

	_cleanup_free_ char *installed = NULL;
	if (strcmp(path, ADOPTED_INSTALLED) == 0) {
		err = find_installed(&installed);
		if (err)
			return err;
		path = installed;
	}
	_cleanup_free_ char *real = realpath(path, NULL);
	if (!real)
		return error_create_os(errno, "%s", path);
	parts->tree = directory_exists(real) ? take_ptr(real)
					     : find_tree(real, arch);
	if (parts->tree)
		return find_of_tree(parts, arch);
	parts->image = take_ptr(real);
	return find_of_image(parts);
}

/** What it was made from, so that one notices when that changes; free(). */
static char *make_stamp(const struct parts *parts)
{
	static const char *const files[] = { "modules.order", "Module.symvers",
					     "modules.dep" };
	const char *directory = parts->tree ? parts->tree : parts->modules;
	_cleanup_string_list_ struct string_list paths = { 0 };
	_cleanup_string_builder_ struct string_builder sb = { 0 };
	_cleanup_free_ char *script = NULL;

	string_list_add(&paths, parts->image);
	if (parts->config)
		string_list_add(&paths, parts->config);
	for (size_t i = 0; i < array_size(files) && directory; i++)
		string_list_addf(&paths, "%s/%s", directory, files[i]);
	// Without it, no initramfs can be made, which says so.
	error_destroy(data_path("initramfs.sh", &script));
	if (script)
		string_list_add(&paths, script);
	for (size_t i = 0; i < paths.count; i++) {
		struct stat st;

		if (stat(paths.items[i], &st) < 0)
			continue;
		string_builder_appendf(&sb, "%s %lld %lld.%09ld\n",
				       paths.items[i], (long long)st.st_size,
				       (long long)st.st_mtim.tv_sec,
				       st.st_mtim.tv_nsec);
	}
	return string_builder_take(&sb);
}

static struct error *add_link(const char *target, const char *directory,
			      const char *name)
{
	_cleanup_free_ char *path = path_join(directory, name);

	if (symlink(target, path) < 0)
		return error_create_os(errno, "link %s", path);
	return NULL;
}

static struct error *link_if_there(const char *from, const char *name,
				   const char *directory)
{
	_cleanup_free_ char *path = path_join(from, name);

	return file_exists(path) ? add_link(path, directory, name) : NULL;
}

/** Links to the modules of a tree, where modules_install would have them. */
static struct error *link_built_modules(const struct parts *parts,
					const char *directory)
{
	struct error *err;

	_cleanup_free_ char *order = path_join(parts->tree, "modules.order");
	_cleanup_free_ char *text = NULL;
	err = file_read(order, 16 << 20, &text, NULL);
	if (error_catch(&err, ERROR_NOT_FOUND))
		return NULL;
	if (err)
		return err;
	for (char *line, *next = text; (line = strsep(&next, "\n"));) {
		char *suffix = strrchr(line, '.');
		if (!suffix)
			continue;
		if (!path_stays_below(line))
			return error_create(ERROR_OTHER,
					    "%s names '%s', which is not below it",
					    order, line);
		// Objects' names since Linux 6.3.
		*suffix = '\0';
		_cleanup_free_ char *file =
			path_joinf(parts->tree, "%s.ko", line);
		// Below kernel/, as they are installed, until 5.3.
		if (!file_exists(file) && strncmp(line, "kernel/", 7) == 0) {
			line += 7;
			free(file);
			file = path_joinf(parts->tree, "%s.ko", line);
		}
		_cleanup_free_ char *name =
			path_joinf(directory, "kernel/%s.ko", line);
		_cleanup_free_ char *parent = path_parent(name);
		if (!file_exists(file))
			return error_create(ERROR_OTHER,
					    "%s: no such file, which modules.order names; build the modules (make modules)",
					    file);
		err = directory_create(parent);
		if (!err)
			err = add_link(file, parent, path_name(name));
		if (err)
			return err;
	}
	return NULL;
}

/** Have depmod read modules, which are as who built them would have them be. */
static struct error *find_dependencies(const struct parts *parts,
				       const char *directory, const char *base)
{
	struct error *err;

	const char *modules = parts->tree ? parts->tree : parts->modules;
	const char *const arguments[] = { "depmod", "-b", base, parts->release,
					  NULL };
	struct process_options options = { .arguments = arguments,
					   .reads_stderr = true };
	_cleanup_sandbox_ struct sandbox sandbox = { .ruleset_fd = -1 };
	_cleanup_string_list_ struct string_list readable = { 0 };
	_cleanup_free_ char *text = NULL;
	_cleanup_directory_ char *scratch = path_join(directory, "tmp");
	string_list_add(&readable, modules);
	string_list_add(&readable, "/etc/depmod.d");
	err = sandbox_init(&readable, directory, &sandbox);
	if (err)
		return err;
	sandbox_apply(&sandbox, &options);
	err = process_capture(&options, DEPMOD_LIMIT_BYTES, &text);
	if (!err && *text)
		log_warning("%s", text);
	return err;
}

/** Make modules.dep and its like, unless they are there. */
static struct error *run_depmod(const struct parts *parts, const char *directory)
{
	struct error *err;

	_cleanup_free_ char *kernel = path_join(directory, "kernel");
	_cleanup_free_ char *dep = path_join(directory, "modules.dep");
	if (!directory_exists(kernel) || file_exists(dep))
		return NULL;
	// Where depmod looks for what is here, by a name that it passes over.
	_cleanup_free_ char *base = path_join(directory, "source");
	_cleanup_free_ char *parent = path_join(base, "lib/modules");
	err = directory_create(parent);
	if (!err)
		err = add_link(directory, parent, parts->release);
	// It warns of what is not there, and not all kernels have.
	for (size_t i = 0; i < array_size(depmod_files) && !err; i++) {
		_cleanup_free_ char *path = path_join(directory, depmod_files[i]);

		if (!file_exists(path))
			err = file_write(path, "", 0);
	}
	if (err)
		return err;
	err = find_dependencies(parts, directory, base);
	if (err)
		return error_wrap(err, "find out what its modules need");
	return directory_remove(base);
}

static struct error *fill_from_tree(const struct parts *parts,
				    const char *directory)
{
	struct error *err;

	err = add_link(parts->tree, directory, "build");
	if (!err)
		err = link_if_there(parts->tree, "vmlinux", directory);
	for (size_t i = 0; i < array_size(depmod_files) && !err; i++)
		err = link_if_there(parts->tree, depmod_files[i], directory);
	return err ? err : link_built_modules(parts, directory);
}

/** The headers that its modules are built with, or a configuration alone. */
static struct error *fill_build(const struct parts *parts, const char *directory)
{
	struct error *err;

	_cleanup_free_ char *headers =
		parts->modules ? path_join(parts->modules, "build") : NULL;
	_cleanup_free_ char *has_release =
		headers ? path_join(headers, release_file) : NULL;
	if (headers && file_exists(has_release))
		return add_link(headers, directory, "build");
	_cleanup_free_ char *release =
		path_joinf(directory, "build/%s", release_file);
	_cleanup_free_ char *parent = path_parent(release);
	_cleanup_free_ char *build = path_join(directory, "build");
	err = directory_create(parent);
	if (!err)
		err = file_write(release, parts->release, strlen(parts->release));
	if (!err && parts->config)
		err = add_link(parts->config, build, ".config");
	return err;
}

static struct error *fill_from_image(const struct parts *parts,
				     const char *directory)
{
	struct error *err;

	err = fill_build(parts, directory);
	if (err || !parts->modules)
		return err;
	_cleanup_free_ char *pattern = path_join(parts->modules, "*");
	glob_t files;
	if (glob(pattern, 0, NULL, &files) != 0)
		return NULL;
	for (size_t i = 0; i < files.gl_pathc && !err; i++) {
		const char *name = path_name(files.gl_pathv[i]);

		if (strcmp(name, "build") != 0 && strcmp(name, "source") != 0 &&
		    strcmp(name, "vmlinuz") != 0)
			err = add_link(files.gl_pathv[i], directory, name);
	}
	globfree(&files);
	return err;
}

static struct error *make(void *arg, const char *directory)
{
	struct error *err;
	const struct parts *parts = arg;

	err = add_link(parts->image, directory, "vmlinuz");
	if (!err)
		err = parts->tree ? fill_from_tree(parts, directory)
				  : fill_from_image(parts, directory);
	if (!err)
		err = run_depmod(parts, directory);
	if (err)
		return err;
	_cleanup_free_ char *config = NULL;
	if (parts->config)
		err = file_read(parts->config, 4 << 20, &config, NULL);
	if (!err)
		err = initramfs_make(directory, config ? config : "");
	if (err)
		return err;
	_cleanup_free_ char *stamp = make_stamp(parts);
	_cleanup_free_ char *path = path_join(directory, "stamp");
	return file_write(path, stamp, strlen(stamp));
}

static struct error *check(void *arg, const char *directory, bool *good_ret)
{
	struct error *err;

	_cleanup_free_ char *path = path_join(directory, "stamp");
	_cleanup_free_ char *stamp = make_stamp(arg);
	_cleanup_free_ char *text = NULL;
	err = file_read(path, 1 << 20, &text, NULL);
	*good_ret = !err && strcmp(text, stamp) == 0;
	error_destroy(err);
	return NULL;
}

struct error *kernel_adopt(const char *path, const char *directory,
			   const struct catalog_arch *arch, struct kernel *ret)
{
	struct error *err;

	_cleanup_parts_ struct parts parts = { 0 };
	err = find_parts(path, arch, &parts);
	if (err)
		return error_wrap(err, "kernel %s", path);
	const char *identity = parts.tree ? parts.tree : parts.image;
	char digest[DIGEST_TEXT_SIZE];
	digest_buffer(identity, strlen(identity), digest);
	_cleanup_free_ char *entry_path =
		path_joinf(directory, "%s/%s%.16s", arch->name, prefix, digest);
	const struct cache_recipe recipe = {
		.check = check,
		.make = make,
		.arg = &parts,
	};
	_cleanup_cache_entry_ struct cache_entry *entry = NULL;
	err = cache_get(entry_path, &recipe, &entry);
	if (err)
		return error_wrap(err, "kernel %s", path);
	return kernel_open(entry_path, ret);
}

bool kernel_is_adopted(const char *path)
{
	return strncmp(path_name(path), prefix, strlen(prefix)) == 0;
}
