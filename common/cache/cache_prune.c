// SPDX-License-Identifier: LGPL-2.1-or-later

#include "common/cache/cache.h"

#include <errno.h>
#include <fts.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/base/error.h"
#include "common/base/file.h"
#include "common/base/interrupt.h"
#include "common/base/memory.h"
#include "common/base/text.h"

/** Where entries lie, below the cache's directory. */
static const struct {
	const char *name;
	const char *parents;
	const char *pattern;
} kinds[] = {
	{ "kernels", "*", "kernel-*" },	 { "modules", "*/module/*/*", "*" },
	{ "roots", "*", "rootfs" },	 { "sources", "sources", "*" },
	{ "patches", "patches", "*" },	 { "compilers", "toolchains", "*" },
	{ "packages", "packages", "*" }, { "builds", "packages", ".partial.*" },
	{ "answers", "http", "*" },
};

void cache_list_deinit(struct cache_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->items[i].path);
	free(list->items);
	*list = (struct cache_list){ 0 };
}

/** @param[out] size_ret Of what can be read, and is there by then. */
static struct error *measure(const char *path, uint64_t *size_ret)
{
	char *roots[] = { (char *)path, NULL };
	FTS *fts = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR | FTS_XDEV, NULL);
	struct error *err = NULL;
	FTSENT *entry;

	if (!fts)
		return error_create_os(errno, "read %s", path);
	for (*size_ret = 0; !err && (entry = fts_read(fts));) {
		if (entry->fts_info != FTS_DP && entry->fts_info != FTS_NS)
			*size_ret += (uint64_t)entry->fts_statp->st_blocks * 512;
		err = interrupt_check();
	}
	fts_close(fts);
	return err;
}

/** All that a pattern means, where the directory's name is itself. */
static void find_all(const char *directory, const char *parents,
		     const char *pattern, glob_t *ret)
{
	_cleanup_string_builder_ struct string_builder sb = { 0 };
	for (const char *p = directory; *p; p++) {
		if (strchr("*?[\\", *p))
			string_builder_append_char(&sb, '\\');
		string_builder_append_char(&sb, *p);
	}
	string_builder_appendf(&sb, "/%s%s%s", parents, pattern ? "/" : "",
			       pattern ? pattern : "");
	if (glob(sb.text, 0, NULL, ret) == GLOB_NOSPACE)
		memory_exhausted();
}

static struct error *add(struct cache_list *list, const char *kind,
			 const char *path)
{
	struct error *err;

	struct stat st;
	if (lstat(path, &st) < 0)
		return NULL;
	uint64_t size;
	err = measure(path, &size);
	if (err)
		return err;
	vector_add(list) = (struct cache_item){
		.kind = kind,
		.path = string_copy(path),
		.size_bytes = size,
		.used_s = st.st_mtime,
	};
	return NULL;
}

struct error *cache_list_load(const char *directory, struct cache_list *ret)
{
	struct error *err;

	_cleanup_cache_list_ struct cache_list list = { 0 };
	for (size_t i = 0; i < array_size(kinds); i++) {
		_cleanup_(globfree) glob_t found = { 0 };

		find_all(directory, kinds[i].parents, kinds[i].pattern, &found);
		for (size_t j = 0; j < found.gl_pathc; j++) {
			err = add(&list, kinds[i].name, found.gl_pathv[j]);
			if (err)
				return err;
		}
	}
	*ret = take(list);
	return NULL;
}

uint64_t cache_list_size(const struct cache_list *list)
{
	uint64_t size = 0;

	for (size_t i = 0; i < list->count; i++)
		size += list->items[i].size_bytes;
	return size;
}

static int compare_use(const void *a, const void *b)
{
	const struct cache_item *x = *(struct cache_item *const *)a;
	const struct cache_item *y = *(struct cache_item *const *)b;

	return (x->used_s > y->used_s) - (x->used_s < y->used_s);
}

/** Forget those whose path was taken. */
static void compact(struct cache_list *list)
{
	size_t count = 0;

	for (size_t i = 0; i < list->count; i++) {
		if (list->items[i].path)
			list->items[count++] = list->items[i];
	}
	list->count = count;
}

struct error *cache_list_limit(struct cache_list *list,
			       const struct cache_limits *limits, bool dry_run,
			       struct string_list *deleted_ret)
{
	struct error *err = NULL;
	uint64_t size = cache_list_size(list);
	_cleanup_free_ struct cache_item **sorted =
		memory_allocate(list->count, sizeof(struct cache_item *));

	for (size_t i = 0; i < list->count; i++) {
		struct cache_item *item = &list->items[i];

		sorted[i] = item;
		// A dry run would have deleted it.
		if (string_list_contains(deleted_ret, item->path)) {
			size -= item->size_bytes;
			free(take_ptr(item->path));
		}
	}
	qsort(sorted, list->count, sizeof(struct cache_item *), compare_use);
	for (size_t i = 0; i < list->count && !err; i++) {
		struct cache_item *item = sorted[i];
		bool gone;

		if (!item->path)
			continue;
		if (item->used_s >= limits->oldest_s &&
		    (!limits->has_size || size <= limits->size_bytes))
			break;
		err = cache_evict(item->path, dry_run, &gone);
		if (err || !gone)
			continue;
		size -= item->size_bytes;
		string_list_add(deleted_ret, item->path);
		free(take_ptr(item->path));
	}
	compact(list);
	return err;
}

struct error *cache_clean_all(const char *directory)
{
	struct error *err;

	for (size_t i = 0; i < array_size(kinds); i++) {
		_cleanup_(globfree) glob_t found = { 0 };

		find_all(directory, kinds[i].parents, NULL, &found);
		for (size_t j = 0; j < found.gl_pathc; j++) {
			const char *parent = found.gl_pathv[j];
			const char *name = strrchr(parent, '/') + 1;

			if (!directory_exists(parent))
				continue;
			// A build that was killed goes on where it was.
			err = cache_clean(parent, strcmp(name, "packages") == 0);
			if (err)
				return err;
		}
	}
	return NULL;
}
