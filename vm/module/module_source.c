// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/module/module_source.h"

#include <string.h>

#include "common/base/directory.h"
#include "common/base/error.h"
#include "common/base/file.h"
#include "common/base/string_list.h"

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

	_cleanup_string_list_ struct string_list files = STRING_LIST_INIT;

	if (!directory_exists(path))
		return error_create(ERROR_USAGE,
				    "module source %s: no such folder", path);
	err = tree_list(path, skipped, &files);
	if (err)
		return error_wrap(err, "module source");
	if (!string_list_contains(&files, "Makefile") &&
	    !string_list_contains(&files, "Kbuild"))
		return error_create(ERROR_USAGE,
				    "module source %s has no Makefile or Kbuild",
				    path);
	*ret = files;
	files = (struct string_list)STRING_LIST_INIT;
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
		_cleanup_free_ char *file = NULL;
		char text[DIGEST_TEXT_SIZE];

		file = path_join(path, files.items[i]);
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
