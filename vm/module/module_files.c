// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/module/module_files.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/directory.h"
#include "common/base/error.h"
#include "common/base/file.h"
#include "common/base/string_list.h"

enum {
	LIST_LIMIT_BYTES = 1 << 20,
};

/** In a result: a link to the module that counts. */
static const char link_name[] = "module";

/**
 * An object that was built for another kernel would be taken for up to date.
 */
static const char *const skipped[] = {
	"*.o",	"*.ko",		 "*.mod",	   "*.mod.c",	    "*.cmd",
	".git", ".tmp_versions", "Module.symvers", "modules.order", NULL,
};

static struct error *list_files(const char *path, struct string_list *ret)
{
	struct error *err;

	if (!directory_exists(path))
		return error_create(ERROR_USAGE,
				    "module source %s: no such directory", path);
	err = tree_list(path, skipped, ret);
	if (err)
		return error_wrap(err, "module source");
	if (!string_list_contains(ret, "Makefile") &&
	    !string_list_contains(ret, "Kbuild"))
		return error_create(ERROR_USAGE,
				    "module source %s has no Makefile or Kbuild",
				    path);
	return NULL;
}

struct error *module_source_digest(const char *path,
				   char text_ret[static DIGEST_TEXT_SIZE])
{
	struct error *err;

	_cleanup_string_list_ struct string_list files = STRING_LIST_INIT;
	_cleanup_digest_ struct digest *digest = digest_create();

	err = list_files(path, &files);
	if (err)
		return err;
	for (size_t i = 0; i < files.count; i++) {
		_cleanup_free_ char *file = path_join(path, files.items[i]);
		char text[DIGEST_TEXT_SIZE];

		err = digest_file(file, text, NULL);
		if (err)
			return err;
		digest_update(digest, files.items[i], strlen(files.items[i]) + 1);
		digest_update(digest, text, sizeof(text));
	}
	digest_finish(digest, text_ret);
	return NULL;
}

struct error *module_source_copy(const char *path, const char *to)
{
	struct error *err;

	_cleanup_string_list_ struct string_list files = STRING_LIST_INIT;

	err = list_files(path, &files);
	if (err)
		return err;
	return tree_copy(path, &files, to);
}

char *module_result_find(const char *result)
{
	_cleanup_free_ char *link = path_join(result, link_name);

	return realpath(link, NULL);
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/** Names of the modules that make made, from its own list of them. */
static struct error *list_modules(const char *source, struct string_list *ret)
{
	struct error *err;

	_cleanup_free_ char *path = path_join(source, "modules.order");
	_cleanup_free_ char *text = NULL;

	err = file_read(path, LIST_LIMIT_BYTES, &text, NULL);
	if (err && !error_catch(&err, ERROR_NOT_FOUND))
		return err;

	char *rest = text;

	// `fs/foo.o`, or with a path and as .ko in older kernels.
	for (char *line; (line = strsep(&rest, "\n"));) {
		char *dot = strrchr(line, '.');

		if (dot)
			string_list_addf(ret, "%.*s.ko",
					 (int)(dot - base_name(line)),
					 base_name(line));
	}
	if (!ret->count)
		return error_create(ERROR_OTHER,
				    "make made no module; does the Makefile set obj-m?");
	return NULL;
}

/** Copy the module of this name, wherever it is, to a result. */
static struct error *copy_module(const char *source,
				 const struct string_list *files,
				 const char *name, const char *result)
{
	for (size_t i = 0; i < files->count; i++) {
		_cleanup_free_ char *from = path_join(source, files->items[i]);
		_cleanup_free_ char *to = path_join(result, name);

		if (strcmp(base_name(from), name) == 0)
			return file_copy(from, to);
	}
	return error_create(ERROR_OTHER, "make did not make %s", name);
}

struct error *module_result_collect(const char *source, const char *result)
{
	struct error *err;

	_cleanup_string_list_ struct string_list names = STRING_LIST_INIT;
	_cleanup_string_list_ struct string_list files = STRING_LIST_INIT;
	_cleanup_free_ char *link = path_join(result, link_name);

	err = list_modules(source, &names);
	if (err)
		return err;
	err = tree_list(source, NULL, &files);
	if (err)
		return err;
	for (size_t i = 0; i < names.count; i++) {
		err = copy_module(source, &files, names.items[i], result);
		if (err)
			return err;
	}
	// A build that failed may have left one.
	unlink(link);
	if (symlink(names.items[0], link) < 0)
		return error_create_os(errno, "link %s", link);
	return NULL;
}
