// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/module/module_result.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/error.h"
#include "common/base/file.h"
#include "common/base/string_builder.h"
#include "common/base/string_list.h"
#include "common/base/tree.h"
#include "vm/module/module.h"

enum {
	NAME_LIST_BYTES = 1 << 20,
};

/** In a result: the names of its modules, a line each, the first that counts. */
static const char list_name[] = "modules";

static const char temporary_prefix[] = "result";

void module_deinit(struct module *module)
{
	free(module->path);
	cleanup_close(&module->lock_fd);
	*module = (struct module)MODULE_INIT;
}

struct error *module_result_open(const char *folder, const char *key,
				 struct module *ret)
{
	struct error *err;

	_cleanup_module_ struct module module = MODULE_INIT;
	_cleanup_free_ char *path = NULL;
	_cleanup_free_ char *list = NULL;
	_cleanup_free_ char *names = NULL;
	_cleanup_free_ char *file = NULL;

	path = path_join(folder, key);
	module.lock_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	// One that is locked for good is being deleted.
	if (module.lock_fd < 0 || flock(module.lock_fd, LOCK_SH | LOCK_NB) < 0)
		return NULL;
	list = path_join(path, list_name);
	err = file_read(list, NAME_LIST_BYTES, &names, NULL);
	if (error_catch(&err, ERROR_NOT_FOUND))
		return NULL;
	if (err)
		return err;
	names[strcspn(names, "\n")] = '\0';
	file = path_join(path, names);
	module.path = realpath(file, NULL);
	if (!module.path)
		return NULL;
	*ret = module;
	module = (struct module)MODULE_INIT;
	return NULL;
}

/** Delete the results of other contents, unless they are in use. */
static struct error *remove_others(const char *folder, const char *key)
{
	struct error *err = NULL;
	DIR *dir = opendir(folder);

	if (!dir)
		return error_create_os(errno, "read %s", folder);
	for (struct dirent *entry; !err && (entry = readdir(dir));) {
		const char *name = entry->d_name;
		_cleanup_free_ char *path = NULL;
		_cleanup_free_ char *leftover = NULL;
		_cleanup_close_ int fd = -1;

		if (strlen(name) != MODULE_KEY_DIGITS || strcmp(name, key) == 0)
			continue;
		fd = openat(dirfd(dir), name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) < 0)
			continue;
		path = path_join(folder, name);
		leftover = path_joinf(folder, ".%s.%.6s", temporary_prefix, name);
		// Half deleted, it must not have the name of a result.
		if (rename(path, leftover) < 0)
			err = error_create_os(errno, "rename %s", path);
		if (!err)
			err = directory_remove(leftover);
	}
	closedir(dir);
	return err;
}

/** Names of the modules that make made, from its own list of them. */
static struct error *list_modules(const char *source, struct string_list *ret)
{
	struct error *err;

	_cleanup_free_ char *path = NULL;
	_cleanup_free_ char *text = NULL;

	path = path_join(source, "modules.order");
	err = file_read(path, NAME_LIST_BYTES, &text, NULL);
	if (err && !error_is(err, ERROR_NOT_FOUND))
		return err;
	error_destroy(err);

	char *rest = text;

	// `fs/foo.o`, or with a path and as .ko in older kernels.
	for (char *line; (line = strsep(&rest, "\n"));) {
		char *dot = strrchr(line, '.');

		if (!dot)
			continue;
		*dot = '\0';
		string_list_addf(ret, "%s.ko", line);
	}
	if (!ret->count)
		return error_create(ERROR_OTHER,
				    "make made no module; does the Makefile set obj-m?");
	return NULL;
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/** Find a module of modules.order, whose paths begin anywhere. */
static const char *find_module(const struct string_list *files, const char *name)
{
	for (size_t i = 0; i < files->count; i++) {
		if (strcmp(base_name(files->items[i]), base_name(name)) == 0)
			return files->items[i];
	}
	return NULL;
}

/** Fill a result's folder. */
static struct error *collect(const char *source, const char *result)
{
	struct error *err;

	_cleanup_string_list_ struct string_list names = STRING_LIST_INIT;
	_cleanup_string_list_ struct string_list files = STRING_LIST_INIT;
	_cleanup_string_builder_ struct string_builder sb = STRING_BUILDER_INIT;
	_cleanup_free_ char *text = NULL;
	_cleanup_free_ char *list = NULL;

	err = list_modules(source, &names);
	if (err)
		return err;
	err = tree_list(source, NULL, &files);
	if (err)
		return err;
	for (size_t i = 0; i < names.count; i++) {
		const char *name = base_name(names.items[i]);
		const char *file = find_module(&files, name);
		_cleanup_free_ char *from = NULL;
		_cleanup_free_ char *to = NULL;

		if (!file)
			return error_create(ERROR_OTHER, "make did not make %s",
					    name);
		from = path_join(source, file);
		to = path_join(result, name);
		err = file_copy(from, to);
		if (err)
			return err;
		string_builder_appendf(&sb, "%s\n", name);
	}
	text = string_builder_take(&sb);
	list = path_join(result, list_name);
	return file_write(list, text, strlen(text));
}

struct error *module_result_create(const char *folder, const char *key,
				   const char *source, struct module *ret)
{
	struct error *err;

	_cleanup_directory_ char *temporary = NULL;
	_cleanup_close_ int lock_fd = -1;
	_cleanup_free_ char *path = NULL;

	err = directory_create_temporary(folder, temporary_prefix, &temporary,
					 &lock_fd);
	if (err)
		return err;
	err = collect(source, temporary);
	if (err)
		return err;
	path = path_join(folder, key);
	// What is there has been damaged, or it would have been found.
	err = directory_remove(path);
	if (err)
		return err;
	if (chmod(temporary, 0755) < 0 || rename(temporary, path) < 0)
		return error_create_os(errno, "rename %s to %s", temporary, path);
	free(take_ptr(temporary));
	close(take_fd(&lock_fd));
	err = module_result_open(folder, key, ret);
	if (err)
		return err;
	if (!ret->path)
		return error_create(ERROR_OTHER, "%s is gone again", path);
	return remove_others(folder, key);
}

struct error *module_result_remove_stale(const char *folder)
{
	return directory_remove_stale(folder, temporary_prefix);
}
