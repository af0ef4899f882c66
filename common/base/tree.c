// SPDX-License-Identifier: LGPL-2.1-or-later

#include "common/base/tree.h"

#include <errno.h>
#include <fnmatch.h>
#include <fts.h>
#include <stdbool.h>
#include <string.h>

#include "common/base/error.h"
#include "common/base/file.h"
#include "common/base/interrupt.h"
#include "common/base/string_list.h"

static void cleanup_fts(FTS **fts)
{
	if (*fts)
		fts_close(*fts);
}

static int compare_entries(const FTSENT **a, const FTSENT **b)
{
	return strcmp((*a)->fts_name, (*b)->fts_name);
}

static bool is_skipped(const FTSENT *entry, const char *const *skip)
{
	for (; skip && *skip; skip++) {
		if (entry->fts_level > 0 &&
		    fnmatch(*skip, entry->fts_name, 0) == 0)
			return true;
	}
	return false;
}

static struct error *check_entry(const FTSENT *entry)
{
	switch (entry->fts_info) {
	case FTS_DNR:
	case FTS_ERR:
	case FTS_NS:
		return error_create_os(entry->fts_errno, "read %s",
				       entry->fts_path);
	default:
		return interrupt_check();
	}
}

struct error *tree_list(const char *path, const char *const *skip,
			struct string_list *ret)
{
	struct error *err;

	_cleanup_string_list_ struct string_list list = STRING_LIST_INIT;
	char *roots[] = { (char *)path, NULL };
	_cleanup_(cleanup_fts) FTS *fts =
		fts_open(roots, FTS_LOGICAL | FTS_NOCHDIR, compare_entries);

	if (!fts)
		return error_create_os(errno, "read %s", path);
	for (;;) {
		errno = 0;

		FTSENT *entry = fts_read(fts);

		if (!entry && errno)
			return error_create_os(errno, "read %s", path);
		if (!entry)
			break;
		if (is_skipped(entry, skip)) {
			fts_set(fts, entry, FTS_SKIP);
			continue;
		}
		err = check_entry(entry);
		if (err)
			return err;
		if (entry->fts_info == FTS_F)
			string_list_add(&list,
					entry->fts_path + strlen(path) + 1);
	}
	*ret = list;
	list = (struct string_list)STRING_LIST_INIT;
	return NULL;
}

struct error *tree_copy(const char *from, const struct string_list *files,
			const char *to)
{
	struct error *err;

	err = directory_create(to);
	if (err)
		return err;
	for (size_t i = 0; i < files->count; i++) {
		_cleanup_free_ char *source = NULL;
		_cleanup_free_ char *target = NULL;

		err = interrupt_check();
		if (err)
			return err;
		source = path_join(from, files->items[i]);
		target = path_join(to, files->items[i]);

		char *slash = strrchr(target, '/');

		*slash = '\0';
		err = directory_create(target);
		if (err)
			return err;
		*slash = '/';
		err = file_copy(source, target);
		if (err)
			return err;
	}
	return NULL;
}
