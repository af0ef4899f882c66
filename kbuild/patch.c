// SPDX-License-Identifier: LGPL-2.1-or-later

#include "kbuild/patch.h"

#include <dirent.h>
#include <errno.h>
#include <git2.h>
#include <git2/sys/repository.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "common/error.h"
#include "common/file.h"
#include "common/libgit.h"
#include "common/log.h"
#include "common/string_builder.h"
#include "common/string_list.h"
#include "kbuild/bounds.h"
#include "kbuild/patch_lines.h"

enum {
	PATCH_LIMIT_BYTES = 16 << 20,
	SOURCE_FILE_LIMIT_BYTES = 64 << 20,
};

static const char suffix[] = ".patch";
static const char bounds_mark[] = "# vmtest:";
static const char diff_mark[] = "diff --git ";

static void cleanup_repository(git_repository **repository)
{
	git_repository_free(*repository);
}

static void cleanup_config(git_config **config)
{
	git_config_free(*config);
}

static void cleanup_diff(git_diff **diff)
{
	git_diff_free(*diff);
}

static void cleanup_file_patch(git_patch **patch)
{
	git_patch_free(*patch);
}

static void patch_deinit(struct patch *patch)
{
	free(patch->name);
	free(patch->text);
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
		bounds = strndup(line + strlen(bounds_mark),
				 length - strlen(bounds_mark));
		if (!bounds)
			return error_no_memory();
	}
	if (!bounds)
		return error_create(ERROR_USAGE,
				    "no line '%s' before the first '%s'",
				    bounds_mark, diff_mark);
	*ret = take_ptr(bounds);
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

	err = path_join(directory, name, &path);
	if (!err)
		err = file_read(path, PATCH_LIMIT_BYTES, &patch.text,
				&patch.size_bytes);
	if (err)
		return err;
	err = patch_bounds(&patch, &bounds);
	if (!err)
		err = bounds_hold(bounds, target, &is_wanted);
	if (err)
		return error_wrap(err, "patch %s", path);
	if (!is_wanted)
		return NULL;
	patch.name = strdup(name);
	if (!patch.name)
		return error_no_memory();
	struct patch *items =
		reallocarray(list->items, list->count + 1, sizeof(*items));
	if (!items)
		return error_no_memory();
	list->items = items;
	list->items[list->count++] = patch;
	patch = (struct patch){ 0 };
	return NULL;
}

static int is_patch(const struct dirent *entry)
{
	size_t length = strlen(entry->d_name);

	return entry->d_name[0] != '.' && length > strlen(suffix) &&
	       strcmp(entry->d_name + length - strlen(suffix), suffix) == 0;
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

		// Neither contains a NUL, so that one ends each.
		digest_update(digest, patch->name, strlen(patch->name) + 1);
		digest_update(digest, patch->text, patch->size_bytes + 1);
	}
	digest_finish(digest, text_ret);
	return NULL;
}

static bool path_is_inside(const char *path)
{
	for (const char *part = path;;) {
		size_t length = strcspn(part, "/");

		if (length == 0 || (length == 1 && part[0] == '.') ||
		    (length == 2 && strncmp(part, "..", 2) == 0) ||
		    (length == 4 && strncasecmp(part, ".git", 4) == 0))
			return false;
		if (!part[length])
			return true;
		part += length + 1;
	}
}

/** Refuse a path that leads out of the tree, by its name or by a link. */
static struct error *path_check(const char *tree, const char *path)
{
	struct error *err;
	_cleanup_free_ char *whole = NULL;

	if (!path || !path_is_inside(path))
		return error_create(ERROR_OTHER,
				    "'%s' is not a path inside the source",
				    path ? path : "");
	err = path_join(tree, path, &whole);
	if (err)
		return err;
	char *inside = whole + strlen(whole) - strlen(path);
	for (char *p = inside;; p++) {
		struct stat st;
		char c = *p;

		if (c && c != '/')
			continue;
		*p = '\0';
		if (lstat(whole, &st) == 0 && S_ISLNK(st.st_mode))
			return error_create(ERROR_OTHER,
					    "%s is a symbolic link, which no patch may touch or follow",
					    inside);
		*p = c;
		if (!c)
			return NULL;
	}
}

static bool mode_is_plain(unsigned int mode)
{
	return mode == GIT_FILEMODE_UNREADABLE || mode == GIT_FILEMODE_BLOB ||
	       mode == GIT_FILEMODE_BLOB_EXECUTABLE;
}

static struct error *delta_check(const char *tree, const git_diff_delta *delta)
{
	struct error *err;

	err = path_check(tree, delta->old_file.path);
	if (!err)
		err = path_check(tree, delta->new_file.path);
	if (err)
		return err;
	if (!mode_is_plain(delta->old_file.mode) ||
	    !mode_is_plain(delta->new_file.mode))
		return error_create(ERROR_OTHER,
				    "%s: a patch may only touch plain files",
				    delta->new_file.path);
	if (delta->flags & GIT_DIFF_FLAG_BINARY)
		return error_create(ERROR_OTHER,
				    "%s: binary patches are not supported",
				    delta->new_file.path);
	switch (delta->status) {
	case GIT_DELTA_ADDED:
	case GIT_DELTA_DELETED:
		return NULL;
	case GIT_DELTA_MODIFIED:
	case GIT_DELTA_RENAMED:
		// libgit2 1.5 takes a file whose mode alone changes for one
		// that somebody else has changed.
		if (delta->old_file.mode == delta->new_file.mode)
			return NULL;
		return error_create(ERROR_OTHER,
				    "%s: a patch may not change a file's mode",
				    delta->new_file.path);
	default:
		return error_create(ERROR_OTHER,
				    "%s: only changes, additions, deletions and renames are supported",
				    delta->new_file.path);
	}
}

/** Which way a patch is read. */
enum direction {
	FORWARD,
	/** As the patch that undoes it. */
	REVERSE,
};

/** How a patch fits a tree. */
struct fit {
	/** Lines by which its hunks are off, in all. */
	size_t distance;
	/** Lines that it adds, less those that it removes. */
	long growth;
};

/** One side of a change. */
struct side {
	const char *path;
	unsigned int mode;
	/** `/dev/null` in a patch. */
	bool is_absent;
	/** What its lines that the other side lacks are marked with. */
	char mark;
};

static void sides_init(const git_diff_delta *delta, enum direction direction,
		       struct side *from_ret, struct side *to_ret)
{
	const struct side old = {
		.path = delta->old_file.path,
		.mode = delta->old_file.mode,
		.is_absent = delta->status == GIT_DELTA_ADDED,
		.mark = '-',
	};
	const struct side new = {
		.path = delta->new_file.path,
		.mode = delta->new_file.mode,
		.is_absent = delta->status == GIT_DELTA_DELETED,
		.mark = '+',
	};

	*from_ret = direction == FORWARD ? old : new;
	*to_ret = direction == FORWARD ? new : old;
}

static void header_write(const git_patch *file, const struct side *from,
			 const struct side *to, struct string_builder *sb)
{
	const git_diff_delta *delta = git_patch_get_delta(file);

	string_builder_appendf(sb, "diff --git a/%s b/%s\n", from->path,
			       to->path);
	if (from->is_absent)
		string_builder_appendf(sb, "new file mode %06o\n", to->mode);
	else if (to->is_absent)
		string_builder_appendf(sb, "deleted file mode %06o\n",
				       from->mode);
	if (delta->status == GIT_DELTA_RENAMED)
		string_builder_appendf(
			sb,
			"similarity index %u%%\nrename from %s\nrename to %s\n",
			delta->similarity, from->path, to->path);
	// libgit2 insists on this line in a rename, but does not look at it.
	if (delta->status == GIT_DELTA_RENAMED && git_patch_num_hunks(file))
		string_builder_appendf(sb, "index 1111111..2222222 %06o\n",
				       to->mode);
	if (git_patch_num_hunks(file))
		string_builder_appendf(sb, "--- %s%s\n+++ %s%s\n",
				       from->is_absent ? "" : "a/",
				       from->is_absent ? "/dev/null" : from->path,
				       to->is_absent ? "" : "b/",
				       to->is_absent ? "/dev/null" : to->path);
}

/** A hunk, its lines read in one direction. */
struct hunk {
	const git_diff_hunk *git;
	/** Lines of the sides it leads from and to: both hold the context. */
	struct patch_lines from;
	struct patch_lines to;
	/** Its own text, each line with its mark. */
	struct string_builder text;
	/** Lines of context before the first change, and after the last. */
	size_t context_before;
	size_t context_after;
	/** The sides that the last line belongs to. */
	bool last_is_from;
	bool last_is_to;
};

static void hunk_deinit(struct hunk *hunk)
{
	patch_lines_deinit(&hunk->from);
	patch_lines_deinit(&hunk->to);
	string_builder_deinit(&hunk->text);
}

/** The last line was not one: it ends without the newline it was given. */
static void hunk_cut_newline(struct hunk *hunk)
{
	if (hunk->last_is_from && hunk->from.count)
		hunk->from.items[hunk->from.count - 1].length--;
	if (hunk->last_is_to && hunk->to.count)
		hunk->to.items[hunk->to.count - 1].length--;
	string_builder_append(&hunk->text, "\\ No newline at end of file\n");
}

static struct error *hunk_add(struct hunk *hunk, const git_diff_line *line,
			      const struct side *from, const struct side *to)
{
	struct error *err = NULL;
	bool is_from = line->origin != to->mark;
	bool is_to = line->origin != from->mark;

	switch (line->origin) {
	case GIT_DIFF_LINE_CONTEXT:
	case GIT_DIFF_LINE_ADDITION:
	case GIT_DIFF_LINE_DELETION:
		break;
	case GIT_DIFF_LINE_CONTEXT_EOFNL:
	case GIT_DIFF_LINE_ADD_EOFNL:
	case GIT_DIFF_LINE_DEL_EOFNL:
		hunk_cut_newline(hunk);
		return NULL;
	default:
		return error_create(ERROR_OTHER, "%s: unknown kind of line",
				    from->path);
	}
	if (is_from)
		err = patch_lines_add(&hunk->from, line->content,
				      line->content_len);
	if (!err && is_to)
		err = patch_lines_add(&hunk->to, line->content,
				      line->content_len);
	if (is_from && is_to) {
		hunk->context_after++;
		if (hunk->context_before == hunk->from.count - 1 &&
		    hunk->context_before == hunk->to.count - 1)
			hunk->context_before++;
	} else {
		hunk->context_after = 0;
	}
	hunk->last_is_from = is_from;
	hunk->last_is_to = is_to;
	string_builder_append_char(&hunk->text, is_from && is_to ? ' '
						: is_from	 ? '-'
								 : '+');
	string_builder_append_n(&hunk->text, line->content, line->content_len);
	return err;
}

static struct error *hunk_read(git_patch *file, size_t index,
			       const struct side *from, const struct side *to,
			       struct hunk *hunk)
{
	size_t line_count;
	int code = git_patch_get_hunk(&hunk->git, &line_count, file, index);

	for (size_t i = 0; code == 0 && i < line_count; i++) {
		const git_diff_line *line;
		struct error *err;

		code = git_patch_get_line_in_hunk(&line, file, index, i);
		if (code < 0)
			break;
		err = hunk_add(hunk, line, from, to);
		if (err)
			return err;
	}
	return code < 0 ? libgit_error(code, "%s", from->path) : NULL;
}

/** A file that hunks are being placed in. */
struct place {
	struct patch_lines lines;
	/** Where the hunk before ended. */
	size_t next;
	/** How far that was from where the patch has it. */
	long offset;
	/** Lines that the hunks before add, less those that they remove. */
	long growth;
};

static void place_deinit(struct place *place)
{
	patch_lines_deinit(&place->lines);
}

/** Find where a hunk goes, and write it with that place in its header. */
static struct error *hunk_write(struct hunk *hunk, const struct side *from,
				enum direction direction, struct place *place,
				struct fit *fit, struct string_builder *sb)
{
	struct error *err;
	const git_diff_hunk *git = hunk->git;
	_cleanup_free_ char *text = NULL;
	int start = direction == FORWARD ? git->old_start : git->new_start;
	// Without lines on its side, a hunk's number is that of the line before.
	long nominal = start - (hunk->from.count ? 1 : 0);
	long expected = nominal + place->offset;
	size_t index = nominal > 0 ? nominal : 0;
	// As git has it: without context after it, the file ended there. At its
	// start, a hunk that had room for no more context must be there again.
	const struct patch_search search = {
		.wanted = &hunk->from,
		.first = place->next,
		.expected = expected > 0 ? expected : 0,
		.at_start = hunk->context_before < hunk->context_after &&
			    nominal <= 0,
		.at_end = hunk->context_after == 0,
	};

	if (hunk->from.count && !patch_lines_find(&place->lines, &search, &index))
		return error_create(ERROR_OTHER,
				    "%s: hunk @@ -%d,%d +%d,%d @@ does not match",
				    from->path, git->old_start, git->old_lines,
				    git->new_start, git->new_lines);
	long to_index = (long)index + place->growth;
	string_builder_appendf(sb, "@@ -%zu,%zu +%ld,%zu @@\n",
			       index + (hunk->from.count ? 1 : 0),
			       hunk->from.count,
			       to_index + (hunk->to.count ? 1 : 0),
			       hunk->to.count);
	err = string_builder_finish(&hunk->text, &text);
	if (err)
		return err;
	string_builder_append(sb, text);
	place->next = index + hunk->from.count;
	place->offset = (long)index - nominal;
	place->growth += (long)hunk->to.count - (long)hunk->from.count;
	fit->distance += labs(place->offset);
	return NULL;
}

/** Write the change of one file so that it fits the tree. */
static struct error *file_patch_write(git_patch *file, const char *tree,
				      enum direction direction, struct fit *fit,
				      struct string_builder *sb)
{
	struct error *err;
	_cleanup_(place_deinit) struct place place = { 0 };
	_cleanup_free_ char *path = NULL;
	_cleanup_free_ char *text = NULL;
	struct side from, to;
	size_t size = 0;

	sides_init(git_patch_get_delta(file), direction, &from, &to);
	header_write(file, &from, &to, sb);
	if (!from.is_absent) {
		err = path_join(tree, from.path, &path);
		if (!err)
			err = file_read(path, SOURCE_FILE_LIMIT_BYTES, &text,
					&size);
		if (error_catch(&err, ERROR_NOT_FOUND))
			return error_create(ERROR_OTHER, "%s: no such file",
					    from.path);
		if (!err)
			err = patch_lines_split(&place.lines, text, size);
		if (err)
			return err;
	}
	for (size_t i = 0; i < git_patch_num_hunks(file); i++) {
		_cleanup_(hunk_deinit) struct hunk hunk = { 0 };

		err = hunk_read(file, i, &from, &to, &hunk);
		if (!err)
			err = hunk_write(&hunk, &from, direction, &place, fit,
					 sb);
		if (err)
			return err;
	}
	fit->growth += place.growth;
	return NULL;
}

static struct error *diff_parse(const char *text, size_t size_bytes,
				git_diff **ret)
{
	int code = git_diff_from_buffer(ret, text, size_bytes);

	if (code == GIT_ENOTFOUND)
		return error_create(
			ERROR_USAGE,
			"no 'diff --git' in it: make it with git format-patch");
	if (code < 0)
		return libgit_error(code, "read");
	return NULL;
}

/** Refuse what no patch of ours does. */
static struct error *diff_check(git_diff *diff, const char *tree)
{
	for (size_t i = 0; i < git_diff_num_deltas(diff); i++) {
		_cleanup_(cleanup_file_patch) git_patch *file = NULL;
		// This is what finds out whether it is binary.
		int code = git_patch_from_diff(&file, diff, i);
		struct error *err;

		if (code < 0)
			return libgit_error(code, "read");
		err = delta_check(tree, git_diff_get_delta(diff, i));
		if (err)
			return err;
	}
	return NULL;
}

/** Remember which file libgit2 is at. */
static int on_delta(const git_diff_delta *delta, void *payload)
{
	const char **path = payload;

	*path = delta->new_file.path;
	return 0;
}

static struct error *diff_apply(git_repository *repository, git_diff *diff,
				unsigned int flags)
{
	git_apply_options options;
	const char *path = "apply";
	int code;

	git_apply_options_init(&options, GIT_APPLY_OPTIONS_VERSION);
	options.delta_cb = on_delta;
	options.payload = &path;
	options.flags = flags;
	code = git_apply(repository, diff, GIT_APPLY_LOCATION_WORKDIR, &options);
	return code < 0 ? libgit_error(code, "%s", path) : NULL;
}

/** Make a diff fit the tree, and check that all of it applies. */
static struct error *diff_fit(git_repository *repository, git_diff *diff,
			      const char *tree, enum direction direction,
			      struct fit *fit, git_diff **ret)
{
	struct error *err = NULL;
	_cleanup_string_builder_ struct string_builder sb = STRING_BUILDER_INIT;
	_cleanup_(cleanup_diff) git_diff *fitted = NULL;
	_cleanup_free_ char *text = NULL;

	for (size_t i = 0; i < git_diff_num_deltas(diff) && !err; i++) {
		_cleanup_(cleanup_file_patch) git_patch *file = NULL;
		int code = git_patch_from_diff(&file, diff, i);

		if (code < 0)
			err = libgit_error(code, "read");
		else
			err = file_patch_write(file, tree, direction, fit, &sb);
	}
	if (!err)
		err = string_builder_finish(&sb, &text);
	if (!err)
		err = diff_parse(text, strlen(text), &fitted);
	if (!err)
		err = diff_apply(repository, fitted, GIT_APPLY_CHECK);
	if (err)
		return err;
	*ret = take_ptr(fitted);
	return NULL;
}

static struct error *patch_apply(git_repository *repository, const char *tree,
				 const struct patch *patch, bool *applied_ret)
{
	struct error *err;
	_cleanup_error_ struct error *not_present = NULL;
	_cleanup_error_ struct error *not_applicable = NULL;
	_cleanup_(cleanup_diff) git_diff *diff = NULL;
	_cleanup_(cleanup_diff) git_diff *forward = NULL;
	_cleanup_(cleanup_diff) git_diff *reverse = NULL;
	struct fit fit = { 0 }, reverse_fit = { 0 };

	err = diff_parse(patch->text, patch->size_bytes, &diff);
	if (!err)
		err = diff_check(diff, tree);
	if (err)
		return err;
	not_applicable =
		diff_fit(repository, diff, tree, FORWARD, &fit, &forward);
	not_present = diff_fit(repository, diff, tree, REVERSE, &reverse_fit,
			       &reverse);

	bool is_present = !not_present;
	// Both seem to hold where a file has similar places. What is nearer is
	// meant; at the same place one is part of the other, and the longer one
	// is what is there.
	if (is_present && !not_applicable)
		is_present =
			reverse_fit.distance < fit.distance ||
			(reverse_fit.distance == fit.distance && fit.growth > 0);
	if (is_present) {
		*applied_ret = false;
		return NULL;
	}
	if (not_applicable)
		return take_ptr(not_applicable);
	err = diff_apply(repository, forward, 0);
	if (err)
		return err;
	*applied_ret = true;
	return NULL;
}

/**
 * Make a repository whose working tree is the source. It is told so in memory
 * only: a `.git` in the tree would be looked at by the kernel's setlocalversion.
 */
static struct error *repository_create(const char *directory, const char *tree,
				       git_repository **ret)
{
	_cleanup_(cleanup_repository) git_repository *repository = NULL;
	_cleanup_(cleanup_config) git_config *config = NULL;
	int code = git_repository_init(&repository, directory, true);

	if (code == 0)
		code = git_repository_config(&config, repository);
	// The user's own configuration has no say in what a kernel is made of.
	if (code == 0)
		code = git_config_set_string(config, "core.autocrlf", "false");
	if (code == 0)
		code = git_repository_set_workdir(repository, tree, false);
	if (code < 0)
		return libgit_error(code, "make a repository in %s", directory);
	*ret = take_ptr(repository);
	return NULL;
}

struct error *patch_list_apply(const struct patch_list *list, const char *tree,
			       struct string_list *applied_ret)
{
	struct error *err;
	_cleanup_libgit_ bool is_open = false;
	_cleanup_directory_ char *directory = NULL;
	_cleanup_close_ int lock_fd = -1;
	_cleanup_(cleanup_repository) git_repository *repository = NULL;
	_cleanup_free_ char *parent = NULL;

	if (list->count == 0)
		return NULL;
	err = libgit_open();
	if (err)
		return err;
	is_open = true;
	err = path_join(tree, "..", &parent);
	if (!err)
		err = directory_create_temporary(parent, "patch", &directory,
						 &lock_fd);
	if (!err)
		err = repository_create(directory, tree, &repository);
	for (size_t i = 0; i < list->count && !err; i++) {
		const struct patch *patch = &list->items[i];
		bool is_applied = false;

		err = patch_apply(repository, tree, patch, &is_applied);
		if (err)
			return error_wrap(err, "patch %s", patch->name);
		if (is_applied)
			string_list_add(applied_ret, patch->name);
		else
			log_info("patch %s: the source has it already, skipped",
				 patch->name);
	}
	return err ? err : string_list_check(applied_ret);
}
