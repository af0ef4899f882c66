// SPDX-License-Identifier: LGPL-2.1-or-later

#include "common/kernel/remote.h"

#include <dirent.h>
#include <errno.h>
#include <git2.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/error.h"
#include "common/base/file.h"
#include "common/base/interrupt.h"
#include "common/base/memory.h"
#include "common/base/text.h"

struct tree_entry {
	/** As it is sorted: a directory's ends in a slash. */
	char *name;
	git_filemode_t mode;
	git_oid id;
};

struct tree {
	struct tree_entry *items;
	size_t count;
};

static void tree_deinit(struct tree *tree)
{
	for (size_t i = 0; i < tree->count; i++)
		free(tree->items[i].name);
	free(tree->items);
}

static int compare_entries(const void *a, const void *b)
{
	const struct tree_entry *x = a, *y = b;

	return strcmp(x->name, y->name);
}

static struct error *hash_tree(const char *path, git_oid *ret);

static struct error *hash_entry(const char *directory, const char *name,
				struct tree *tree)
{
	struct error *err = NULL;

	struct tree_entry entry = { .mode = GIT_FILEMODE_BLOB };
	_cleanup_free_ char *path = path_join(directory, name);
	char target[PATH_MAX];
	struct stat st;
	if (lstat(path, &st) < 0)
		return error_create_os(errno, "read %s", path);
	int code = 0;
	if (S_ISDIR(st.st_mode)) {
		entry.mode = GIT_FILEMODE_TREE;
		err = hash_tree(path, &entry.id);
	} else if (S_ISLNK(st.st_mode)) {
		ssize_t size = readlink(path, target, sizeof(target));

		entry.mode = GIT_FILEMODE_LINK;
		code = size < 0 ? -1
				: git_odb_hash(&entry.id, target, (size_t)size,
					       GIT_OBJECT_BLOB);
	} else {
		if (st.st_mode & S_IXUSR)
			entry.mode = GIT_FILEMODE_BLOB_EXECUTABLE;
		code = git_odb_hashfile(&entry.id, path, GIT_OBJECT_BLOB);
	}
	if (!err && code < 0)
		err = error_create(ERROR_OTHER, "cannot read %s", path);
	if (err)
		return err;
	entry.name = string_format("%s%s", name, S_ISDIR(st.st_mode) ? "/" : "");
	vector_add(tree) = entry;
	return NULL;
}

static struct error *hash_tree(const char *path, git_oid *ret)
{
	struct error *err;

	err = interrupt_check();
	if (err)
		return err;
	_cleanup_(tree_deinit) struct tree tree = { 0 };
	_cleanup_closedir_ DIR *directory = opendir(path);
	if (!directory)
		return error_create_os(errno, "open directory %s", path);
	struct dirent *found;
	while (!err && (found = readdir(directory))) {
		if (strcmp(found->d_name, ".") != 0 &&
		    strcmp(found->d_name, "..") != 0)
			err = hash_entry(path, found->d_name, &tree);
	}
	if (err)
		return err;
	if (tree.count)
		qsort(tree.items, tree.count, sizeof(*tree.items),
		      compare_entries);
	_cleanup_string_builder_ struct string_builder sb = { 0 };
	for (size_t i = 0; i < tree.count; i++) {
		const struct tree_entry *entry = &tree.items[i];

		string_builder_appendf(&sb, "%o %.*s", (unsigned int)entry->mode,
				       (int)strcspn(entry->name, "/"),
				       entry->name);
		string_builder_append_char(&sb, '\0');
		string_builder_append_n(&sb, (const char *)entry->id.id,
					sizeof(entry->id.id));
	}
	if (git_odb_hash(ret, sb.text ? sb.text : "", sb.length,
			 GIT_OBJECT_TREE) < 0)
		return error_create(ERROR_OTHER, "cannot hash %s", path);
	return NULL;
}

struct error *tree_digest(const char *directory, char ret[static REF_COMMIT_SIZE])
{
	struct error *err;
	git_oid id;

	git_libgit2_init();
	err = hash_tree(directory, &id);
	if (!err)
		git_oid_tostr(ret, REF_COMMIT_SIZE, &id);
	return err;
}
