// SPDX-License-Identifier: LGPL-2.1-or-later

#include "kbuild/source/patch_fit.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/error.h"
#include "common/base/file.h"
#include "common/base/string_builder.h"
#include "common/kernel/libgit.h"
#include "kbuild/source/patch_lines.h"

enum {
	SOURCE_FILE_LIMIT_BYTES = 64 << 20
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

static void sides_init(const git_diff_delta *delta,
		       enum patch_direction direction, struct side *from_ret,
		       struct side *to_ret)
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

	*from_ret = direction == PATCH_FORWARD ? old : new;
	*to_ret = direction == PATCH_FORWARD ? new : old;
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
				enum patch_direction direction,
				struct place *place, struct patch_fit *fit,
				struct string_builder *sb)
{
	const git_diff_hunk *git = hunk->git;
	_cleanup_free_ char *text = NULL;
	int start = direction == PATCH_FORWARD ? git->old_start : git->new_start;
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
	text = string_builder_take(&hunk->text);
	string_builder_append(sb, text);
	place->next = index + hunk->from.count;
	place->offset = (long)index - nominal;
	place->growth += (long)hunk->to.count - (long)hunk->from.count;
	fit->distance += labs(place->offset);
	return NULL;
}

struct error *patch_fit_file(git_patch *file, const char *tree,
			     enum patch_direction direction,
			     struct patch_fit *fit, struct string_builder *sb)
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
		path = path_join(tree, from.path);
		err = file_read(path, SOURCE_FILE_LIMIT_BYTES, &text, &size);
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
