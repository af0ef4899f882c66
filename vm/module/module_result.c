// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/module/module_result.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/directory.h"
#include "common/base/error.h"
#include "common/base/file.h"
#include "common/base/string_builder.h"
#include "common/base/string_list.h"
#include "common/cache/cache.h"
#include "vm/module/module.h"

enum {
	NAME_LIST_BYTES = 1 << 20,
};

/** In a result: the names of its modules, a line each, the first that counts. */
static const char list_name[] = "modules";

void module_deinit(struct module *module)
{
	free(module->path);
	cache_release(module->entry);
	*module = (struct module)MODULE_INIT;
}

struct error *module_result_find(const char *result, char **module_ret)
{
	struct error *err;

	_cleanup_free_ char *list = NULL;
	_cleanup_free_ char *names = NULL;
	_cleanup_free_ char *file = NULL;

	*module_ret = NULL;
	list = path_join(result, list_name);
	err = file_read(list, NAME_LIST_BYTES, &names, NULL);
	if (error_catch(&err, ERROR_NOT_FOUND))
		return NULL;
	if (err)
		return err;
	names[strcspn(names, "\n")] = '\0';
	file = path_join(result, names);
	*module_ret = realpath(file, NULL);
	return NULL;
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

struct error *module_result_collect(const char *source, const char *result)
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
