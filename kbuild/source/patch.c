// SPDX-License-Identifier: LGPL-2.1-or-later

#include "kbuild/source/patch.h"

#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/error.h"
#include "common/base/file.h"
#include "common/base/memory.h"
#include "kbuild/config/bounds.h"
#include "kbuild/source/patch_fix.h"

enum {
	PATCH_LIMIT_BYTES = 16 << 20
};

static const char patch_suffix[] = ".patch";
static const char fix_suffix[] = ".json";
static const char bounds_mark[] = "# vmtest:";
static const char diff_mark[] = "diff --git ";

static void patch_deinit(struct patch *patch)
{
	free(patch->name);
	free(patch->text);
	free(patch->commit);
	*patch = (struct patch){ 0 };
}

void patch_list_deinit(struct patch_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		patch_deinit(&list->items[i]);
	free(list->items);
	*list = (struct patch_list){ 0 };
}

/** What the `# vmtest:` line of a patch says; free(). */
static struct error *patch_bounds(const struct patch *patch, char **ret)
{
	_cleanup_free_ char *bounds = NULL;
	const char *end = patch->text + patch->size_bytes;

	if (strlen(patch->text) != patch->size_bytes)
		return error_create(ERROR_USAGE, "it is not a text");
	for (const char *line = patch->text, *next; line < end; line = next) {
		size_t length = strcspn(line, "\n");

		next = line + length + (line[length] != '\0');
		if (strncmp(line, diff_mark, strlen(diff_mark)) == 0)
			break;
		if (strncmp(line, bounds_mark, strlen(bounds_mark)) != 0)
			continue;
		if (bounds)
			return error_create(ERROR_USAGE, "two lines '%s'",
					    bounds_mark);
		bounds = string_copy_n(line + strlen(bounds_mark),
				       length - strlen(bounds_mark));
	}
	if (!bounds)
		return error_create(ERROR_USAGE,
				    "no line '%s' before the first '%s'",
				    bounds_mark, diff_mark);
	*ret = take_ptr(bounds);
	return NULL;
}

static bool has_suffix(const char *name, const char *suffix)
{
	size_t length = strlen(name);

	return length > strlen(suffix) &&
	       strcmp(name + length - strlen(suffix), suffix) == 0;
}

/** Read a patch of ours. */
static struct error *own_read(struct patch *patch, char **bounds_ret)
{
	struct error *err;

	err = digest_buffer(patch->text, patch->size_bytes, patch->digest);
	return err ? err : patch_bounds(patch, bounds_ret);
}

/** Read what names a fix of upstream's, instead of which comes its commit. */
static struct error *fix_read(struct patch *patch, char **bounds_ret)
{
	struct error *err;
	_cleanup_patch_fix_ struct patch_fix fix = { 0 };

	err = patch_fix_parse(patch->text, patch->size_bytes, &fix);
	if (err)
		return err;
	free(take_ptr(patch->text));
	patch->size_bytes = 0;
	patch->commit = take_ptr(fix.commit);
	memcpy(patch->digest, fix.digest, sizeof(patch->digest));
	*bounds_ret = take_ptr(fix.bounds);
	return NULL;
}

static struct error *patch_load(const char *directory, const char *name,
				const struct bounds_target *target,
				struct patch_list *list)
{
	struct error *err;
	_cleanup_(patch_deinit) struct patch patch = { 0 };
	_cleanup_free_ char *path = NULL;
	_cleanup_free_ char *bounds = NULL;
	bool is_wanted;

	path = path_join(directory, name);
	err = file_read(path, PATCH_LIMIT_BYTES, &patch.text, &patch.size_bytes);
	if (err)
		return err;
	err = has_suffix(name, fix_suffix) ? fix_read(&patch, &bounds)
					   : own_read(&patch, &bounds);
	if (!err)
		err = bounds_hold(bounds, target, &is_wanted);
	if (err)
		return error_wrap(err, "patch %s", path);
	if (!is_wanted)
		return NULL;
	patch.name = string_copy(name);
	struct patch *items =
		memory_resize(list->items, list->count + 1, sizeof(*items));
	list->items = items;
	list->items[list->count++] = patch;
	patch = (struct patch){ 0 };
	return NULL;
}

static int is_patch(const struct dirent *entry)
{
	return entry->d_name[0] != '.' &&
	       (has_suffix(entry->d_name, patch_suffix) ||
		has_suffix(entry->d_name, fix_suffix));
}

/** By bytes: the locale must not decide the order. */
static int compare_entries(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

struct error *patch_list_load(const char *directory,
			      const struct bounds_target *target,
			      struct patch_list *ret)
{
	struct error *err = NULL;
	_cleanup_patch_list_ struct patch_list list = { 0 };
	struct dirent **entries;
	int count = scandir(directory, &entries, is_patch, compare_entries);

	if (count < 0 && errno != ENOENT)
		return error_create_os(errno, "read folder %s", directory);
	for (int i = 0; i < count; i++) {
		if (!err)
			err = patch_load(directory, entries[i]->d_name, target,
					 &list);
		free(entries[i]);
	}
	if (count >= 0)
		free(entries);
	if (err)
		return err;
	*ret = list;
	list = (struct patch_list){ 0 };
	return NULL;
}

struct error *patch_list_fetch(struct patch_list *list,
			       const struct patch_origin *origin)
{
	for (size_t i = 0; i < list->count; i++) {
		struct patch *patch = &list->items[i];
		struct error *err;

		if (patch->text)
			continue;
		err = patch_fix_fetch(origin, patch->commit, patch->digest,
				      &patch->text);
		if (err)
			return error_wrap(err, "patch %s", patch->name);
		// Set: there is no error.
		// NOLINTNEXTLINE(clang-analyzer-core.NonNullParamChecker)
		patch->size_bytes = strlen(patch->text);
	}
	return NULL;
}

struct error *patch_list_digest(const struct patch_list *list,
				char text_ret[static DIGEST_TEXT_SIZE])
{
	struct error *err;
	_cleanup_digest_ struct digest *digest = NULL;

	if (list->count == 0) {
		text_ret[0] = '\0';
		return NULL;
	}
	err = digest_create(&digest);
	if (err)
		return err;
	for (size_t i = 0; i < list->count; i++) {
		const struct patch *patch = &list->items[i];

		digest_update(digest, patch->name, strlen(patch->name) + 1);
		digest_update(digest, patch->digest, sizeof(patch->digest));
	}
	digest_finish(digest, text_ret);
	return NULL;
}
