// SPDX-License-Identifier: LGPL-2.1-or-later

#include "common/cache/cache.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/error.h"
#include "common/base/file.h"
#include "common/base/interrupt.h"
#include "common/base/memory.h"
#include "common/base/text.h"

enum {
	/** An entry gets its name, or loses it, while it is locked. */
	RENAME_TRIES = 100,
	RENAME_TRY_MS = 10,
};

static const char partial_prefix[] = ".partial.";
static const char deleted_prefix[] = "vmtest-deleted";

void cache_release(struct cache_entry *entry)
{
	if (!entry)
		return;
	close(entry->fd);
	free(entry->path);
	free(entry);
}

struct error *cache_hold(const char *path, struct cache_entry **ret)
{
	struct error *err;

	*ret = NULL;
	for (int i = 0; i < RENAME_TRIES; i++) {
		_cleanup_close_ int fd =
			open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

		if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
			return NULL;
		if (fd < 0)
			return error_create_os(errno, "open %s", path);
		if (flock(fd, LOCK_SH | LOCK_NB) < 0 && errno == EWOULDBLOCK) {
			err = interrupt_sleep(RENAME_TRY_MS);
			if (err)
				return err;
			continue;
		}
		if (!lock_is_of(fd, path))
			continue;
		*ret = memory_allocate(1, sizeof(**ret));
		**ret = (struct cache_entry){ .path = string_copy(path),
					      .fd = take_fd(&fd) };
		return NULL;
	}
	return NULL;
}

void cache_touch(const struct cache_entry *entry)
{
	// Who may not write there may still use it.
	futimens(entry->fd, NULL);
}

/** Take a directory's name away. @param[out] deleted_ret Its new one. */
static struct error *retire(const char *path, char **deleted_ret)
{
	struct error *err;
	_cleanup_free_ char *parent = path_parent(path);
	_cleanup_free_ char *deleted = NULL;
	_cleanup_close_ int lock_fd = -1;

	err = directory_create_temporary(parent, deleted_prefix, &deleted,
					 &lock_fd);
	if (err)
		return err;
	// It takes the place of the empty one.
	if (rename(path, deleted) < 0) {
		err = error_create_os(errno, "rename %s to %s", path, deleted);
		rmdir(deleted);
		return err;
	}
	*deleted_ret = take_ptr(deleted);
	return NULL;
}

struct error *cache_replace(const char *from, const char *to)
{
	struct error *err;

	_cleanup_free_ char *parent = path_parent(to);
	_cleanup_free_ char *aside = NULL, *deleted = NULL;
	if (rename(from, to) == 0)
		return NULL;
	if (errno != ENOTEMPTY && errno != EEXIST)
		return error_create_os(errno, "rename %s to %s", from, to);
	// What is replaced gets a name under which it may be deleted at once.
	err = retire(from, &aside);
	if (err)
		return err;
	if (renameat2(AT_FDCWD, aside, AT_FDCWD, to, RENAME_EXCHANGE) < 0) {
		// Not all file systems can.
		err = retire(to, &deleted);
		if (err)
			return err;
		if (rename(aside, to) < 0)
			return error_create_os(errno, "rename %s to %s", aside,
					       to);
	}
	return directory_remove_stale(parent, deleted_prefix);
}

struct error *cache_discard(const char *path)
{
	struct error *err;
	_cleanup_free_ char *deleted = NULL;

	err = retire(path, &deleted);
	return err ? err : directory_remove(deleted);
}

struct error *cache_evict(const char *path, bool dry_run, bool *gone_ret)
{
	_cleanup_close_ int fd =
		open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0 && errno != ENOENT && errno != ENOTDIR)
		return error_create_os(errno, "open %s", path);
	*gone_ret = fd < 0 || flock(fd, LOCK_EX | LOCK_NB) == 0;
	if (!*gone_ret && errno != EWOULDBLOCK)
		return error_create_os(errno, "lock %s", path);
	if (dry_run || !*gone_ret)
		return NULL;
	if (fd < 0 && unlink(path) < 0 && errno != ENOENT)
		return error_create_os(errno, "delete %s", path);
	// Somebody else may have been faster.
	return fd >= 0 && lock_is_of(fd, path) ? cache_discard(path) : NULL;
}

/** Evict what has a name that begins so. */
static struct error *evict_names(const char *parent, const char *prefix,
				 const char *except)
{
	struct error *err = NULL;
	struct dirent **names;
	// At once: what is read while names go may be read twice, or not at all.
	int count = scandir(parent, &names, NULL, NULL);

	if (count < 0)
		return errno == ENOENT
			       ? NULL
			       : error_create_os(errno, "read %s", parent);
	for (int i = 0; i < count; i++) {
		_cleanup_free_ struct dirent *entry = names[i];
		const char *name = entry->d_name;
		bool gone;

		if (err || strncmp(name, prefix, strlen(prefix)) != 0 ||
		    strcmp(name, ".") == 0 || strcmp(name, "..") == 0 ||
		    (except && strcmp(name, except) == 0))
			continue;
		_cleanup_free_ char *path = path_join(parent, name);
		err = cache_evict(path, false, &gone);
	}
	free(names);
	return err;
}

struct error *cache_evict_all(const char *parent, const char *except)
{
	return evict_names(parent, "", except);
}

struct error *cache_clean(const char *parent, bool keeps_partial)
{
	struct error *err;

	if (!keeps_partial) {
		err = evict_names(parent, partial_prefix, NULL);
		if (err)
			return err;
	}
	return directory_remove_stale(parent, deleted_prefix);
}

/** @param[out] ret NULL unless it is there, and will do. */
static struct error *find(const char *path, const struct cache_recipe *recipe,
			  struct cache_entry **ret)
{
	struct error *err;
	_cleanup_cache_entry_ struct cache_entry *entry = NULL;
	bool is_good = true;

	*ret = NULL;
	if (recipe->force)
		return NULL;
	err = cache_hold(path, &entry);
	if (err || !entry)
		return err;
	if (recipe->check)
		err = recipe->check(recipe->arg, path, &is_good);
	if (err || !is_good)
		return err;
	cache_touch(entry);
	*ret = take_ptr(entry);
	return NULL;
}

/** Make it under a name for now, and rename it. */
static struct error *make(const char *path, const struct cache_recipe *recipe,
			  const char *partial)
{
	struct error *err;

	_cleanup_free_ char *parent = path_parent(path);
	err = cache_clean(parent, recipe->keeps_partial);
	if (err)
		return err;
	if (!recipe->keeps_partial) {
		err = directory_clear(partial);
		if (err)
			return err;
	}
	err = recipe->make(recipe->arg, partial);
	if (err)
		return err;
	return cache_replace(partial, path);
}

/** @param[out] ret NULL if it was made, but is gone again. */
static struct error *find_or_make(const char *path,
				  const struct cache_recipe *recipe,
				  const char *partial, struct cache_entry **ret)
{
	struct error *err;

	_cleanup_close_ int lock_fd = -1;
	err = directory_lock(partial, &lock_fd);
	if (err)
		return err;
	// Who had the lock may have made it.
	err = find(path, recipe, ret);
	bool is_needed = !err && !*ret;
	if (is_needed)
		err = make(path, recipe, partial);
	if (err || !is_needed) {
		bool is_kept = is_needed && recipe->keeps_partial;

		if (!is_kept && lock_is_of(lock_fd, partial))
			error_destroy(directory_remove(partial));
		return err;
	}
	close(take_fd(&lock_fd));
	err = cache_hold(path, ret);
	if (err || !*ret)
		return err;
	(*ret)->made = true;
	cache_touch(*ret);
	return NULL;
}

struct error *cache_get(const char *path, const struct cache_recipe *recipe,
			struct cache_entry **ret)
{
	struct error *err;
	const char *name = path_name(path);
	_cleanup_free_ char *partial = string_format("%.*s%s%s",
						     (int)(name - path), path,
						     partial_prefix, name);

	err = find(path, recipe, ret);
	while (!err && !*ret)
		err = find_or_make(path, recipe, partial, ret);
	return err;
}

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
static glob_t find_all(const char *directory, const char *parents,
		       const char *pattern)
{
	glob_t found = { 0 };
	_cleanup_string_builder_ struct string_builder sb = { 0 };

	for (const char *p = directory; *p; p++) {
		if (strchr("*?[\\", *p))
			string_builder_append_char(&sb, '\\');
		string_builder_append_char(&sb, *p);
	}
	string_builder_appendf(&sb, "/%s/%s", parents, pattern);
	if (glob(sb.text, 0, NULL, &found) == GLOB_NOSPACE)
		memory_exhausted();
	return found;
}

/** @param[in] path What is not there, or no directory, is left out. */
static struct error *check_owner(const char *path, uid_t caller)
{
	struct stat st;

	if (stat(path, &st) < 0 || !S_ISDIR(st.st_mode))
		return NULL;
	_cleanup_free_ char *exposure = path_exposure(path, &st, caller, caller);
	if (!exposure)
		return NULL;
	return error_create(ERROR_USAGE,
			    "%s %s, and programs are run from there; choose another directory with --directory, or make it yours alone: chown -R, chmod -R go-w",
			    path, exposure);
}

struct error *cache_check(const char *directory, uid_t caller)
{
	// Parents of entries, and entries.
	static const char *const patterns[] = { "", "*" };
	struct error *err;
	struct stat st;

	err = check_owner(directory, caller);
	// What others cannot get at need not be looked at.
	if (err || stat(directory, &st) < 0 || !(st.st_mode & 011))
		return err;
	for (size_t i = 0; i < array_size(patterns) && !err; i++) {
		_cleanup_(globfree)
			glob_t found = find_all(directory, "*", patterns[i]);

		for (size_t j = 0; j < found.gl_pathc && !err; j++)
			err = check_owner(found.gl_pathv[j], caller);
	}
	return err;
}

struct error *cache_list_load(const char *directory,
			      const struct cache_kind *kinds, size_t kind_count,
			      struct cache_list *ret)
{
	struct error *err;

	_cleanup_cache_list_ struct cache_list list = { 0 };
	for (size_t i = 0; i < kind_count; i++) {
		_cleanup_(globfree) glob_t found =
			find_all(directory, kinds[i].parents, kinds[i].pattern);

		for (size_t j = 0; j < found.gl_pathc; j++) {
			const char *path = found.gl_pathv[j];
			struct stat st;
			uint64_t size;

			if (lstat(path, &st) < 0)
				continue;
			err = measure(path, &size);
			if (err)
				return err;
			vector_add(&list) = (struct cache_item){
				.kind = kinds[i].name,
				.path = string_copy(path),
				.size_bytes = size,
				.used_s = st.st_mtime,
			};
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

struct error *cache_list_limit(struct cache_list *list,
			       const struct cache_limits *limits, bool dry_run,
			       struct string_list *deleted_ret)
{
	struct error *err = NULL;
	uint64_t size = 0;
	size_t count = 0;
	_cleanup_free_ struct cache_item **sorted =
		memory_allocate(list->count, sizeof(struct cache_item *));

	for (size_t i = 0; i < list->count; i++) {
		struct cache_item *item = &list->items[i];

		// A dry run would have deleted it.
		if (string_list_contains(deleted_ret, item->path))
			free(take_ptr(item->path));
		else
			sorted[count++] = item;
		size += item->path ? item->size_bytes : 0;
	}
	qsort(sorted, count, sizeof(struct cache_item *), compare_use);
	for (size_t i = 0; i < count && !err; i++) {
		struct cache_item *item = sorted[i];
		bool gone = false;

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
	count = 0;
	for (size_t i = 0; i < list->count; i++) {
		if (list->items[i].path)
			list->items[count++] = list->items[i];
	}
	list->count = count;
	return err;
}

struct error *cache_clean_all(const char *directory, const char *parents,
			      const char *keeps_partial)
{
	struct error *err;

	_cleanup_(globfree) glob_t found = find_all(directory, parents, "");
	for (size_t i = 0; i < found.gl_pathc; i++) {
		char *parent = found.gl_pathv[i];

		// A slash has kept files out.
		parent[strlen(parent) - 1] = '\0';
		bool keeps = keeps_partial &&
			     strcmp(path_name(parent), keeps_partial) == 0;
		err = cache_clean(parent, keeps);
		if (err)
			return err;
	}
	return NULL;
}
