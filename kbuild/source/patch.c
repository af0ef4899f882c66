// SPDX-License-Identifier: LGPL-2.1-or-later

#include "kbuild/source/patch.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/base/error.h"
#include "common/base/file.h"
#include "common/base/log.h"
#include "common/base/memory.h"
#include "common/base/string_builder.h"
#include "common/base/string_list.h"
#include "common/process/process.h"
#include "kbuild/config/bounds.h"

enum {
	PATCH_LIMIT_BYTES = 16 << 20,
	OUTPUT_SIZE = 64 << 10,
};

static const char suffix[] = ".patch";
static const char bounds_mark[] = "# vmtest:";
static const char diff_mark[] = "diff --git ";

static void patch_deinit(struct patch *patch)
{
	free(patch->name);
	free(patch->path);
}

void patch_list_deinit(struct patch_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		patch_deinit(&list->items[i]);
	free(list->items);
	*list = (struct patch_list){ 0 };
}

static bool begins_with(const char *text, const char *prefix)
{
	return strncmp(text, prefix, strlen(prefix)) == 0;
}

/** What the `# vmtest:` line of a patch says; free(). */
static struct error *bounds_find(const char *text, char **ret)
{
	_cleanup_free_ char *bounds = NULL;

	for (const char *line = text, *next; *line; line = next) {
		size_t length = strcspn(line, "\n");

		next = line + length + (line[length] != '\0');
		if (begins_with(line, diff_mark))
			break;
		if (!begins_with(line, bounds_mark))
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

/** @param[out] wanted_ret Whether it is for the kernel. */
static struct error *patch_read(const char *path,
				const struct bounds_target *target,
				char digest_ret[static DIGEST_TEXT_SIZE],
				bool *wanted_ret)
{
	struct error *err;
	_cleanup_free_ char *text = NULL;
	_cleanup_free_ char *bounds = NULL;
	size_t size_bytes;

	err = file_read(path, PATCH_LIMIT_BYTES, &text, &size_bytes);
	if (err)
		return err;
	err = bounds_find(text, &bounds);
	if (!err)
		err = bounds_hold(bounds, target, wanted_ret);
	if (err)
		return error_wrap(err, "patch %s", path);
	digest_buffer(text, size_bytes, digest_ret);
	return NULL;
}

static struct error *patch_load(const char *directory, const char *name,
				const struct bounds_target *target,
				struct patch_list *list)
{
	struct error *err;
	_cleanup_(patch_deinit) struct patch patch = { 0 };
	bool is_wanted;

	patch.name = string_copy(name);
	patch.path = string_format("%s/%s", directory, name);
	err = patch_read(patch.path, target, patch.digest, &is_wanted);
	if (err)
		return err;
	if (is_wanted)
		vector_add(list) = take(patch);
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
		return error_create_os(errno, "read directory %s", directory);
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
	*ret = take(list);
	return NULL;
}

void patch_list_digest(const struct patch_list *list,
		       char text_ret[static DIGEST_TEXT_SIZE])
{
	_cleanup_digest_ struct digest *digest = digest_create();

	text_ret[0] = '\0';
	if (list->count == 0)
		return;
	for (size_t i = 0; i < list->count; i++) {
		const struct patch *patch = &list->items[i];

		digest_update(digest, patch->name, strlen(patch->name) + 1);
		digest_update(digest, patch->digest, sizeof(patch->digest));
	}
	digest_finish(digest, text_ret);
}

/** Where it finds no file, it quotes all that is above the first hunk. */
static bool is_quoted(const char *line)
{
	static const char *const marks[] = {
		"|",
		"-----",
		"Perhaps you used the wrong -p",
		"The text leading up to this was",
	};

	// The one line that names the file.
	if (begins_with(line, "|+++ "))
		return false;
	for (size_t i = 0; i < array_size(marks); i++) {
		if (begins_with(line, marks[i]))
			return true;
	}
	return false;
}

/** What patch(1) wrote, in one line; free(). */
static struct error *read_output(int fd, char **ret)
{
	_cleanup_string_builder_ struct string_builder sb = STRING_BUILDER_INIT;
	_cleanup_free_ char *text = memory_allocate(1, OUTPUT_SIZE);
	char *rest = text, *line;

	if (pread(fd, text, OUTPUT_SIZE - 1, 0) < 0)
		return error_create_os(errno, "read the output of patch");
	while ((line = strsep(&rest, "\n"))) {
		if (*line && !is_quoted(line))
			string_builder_appendf(&sb, "%s%s",
					       sb.length ? "; " : "", line);
	}
	*ret = string_builder_take(&sb);
	return NULL;
}

enum action {
	/** See whether the source has the patch. */
	ACTION_CHECK,
	ACTION_APPLY,
};

/**
 * Run patch(1). It refuses by itself names with `..` and symbolic links that
 * lead out of the tree, and takes absolute names for relative ones.
 *
 * @param[out] said_ret What it wrote, in one line; free().
 */
static struct error *patch_run(const struct patch *patch, const char *tree,
			       enum action action, bool *succeeded_ret,
			       char **said_ret)
{
	struct error *err;
	_cleanup_process_ struct process *process = NULL;
	_cleanup_close_ int output_fd = memfd_create("output", MFD_CLOEXEC);
	_cleanup_close_ int patch_fd = open(patch->path, O_RDONLY | O_CLOEXEC);
	struct process_status status;

	if (output_fd < 0)
		return error_create_os(errno, "memfd_create");
	if (patch_fd < 0)
		return error_create_os(errno, "open %s", patch->path);

	const char *const arguments[] = {
		"patch",
		// Asks nothing, and does not take a patch for its reverse.
		"--force",
		"--strip=1",
		"--fuzz=0",
		"--no-backup-if-mismatch",
		"--reject-file=-",
		action == ACTION_CHECK ? "--reverse" : NULL,
		"--dry-run",
		NULL,
	};
	const char *const environment[] = { "LC_ALL=C", NULL };
	const struct process_options options = {
		.arguments = arguments,
		.environment = environment,
		.directory = tree,
		.stdin_fd = &patch_fd,
		.stdout_fd = &output_fd,
		.stderr_fd = &output_fd,
	};

	err = process_spawn(&options, &process);
	if (!err)
		err = process_wait(process, 0, &status);
	if (err)
		return err;
	if (status.signal)
		return error_create(ERROR_OTHER, "patch was killed by signal %d",
				    status.signal);
	*succeeded_ret = status.exit_status == 0;
	return read_output(output_fd, said_ret);
}

static struct error *patch_apply(const struct patch *patch, const char *tree,
				 struct string_list *applied_ret)
{
	struct error *err;
	_cleanup_free_ char *said_of_check = NULL;
	_cleanup_free_ char *said = NULL;
	bool has_it, applies;

	// First: what adds lines may leave its context as it was, and would
	// apply a second time.
	err = patch_run(patch, tree, ACTION_CHECK, &has_it, &said_of_check);
	if (err)
		return err;
	if (has_it) {
		log_info("patch %s: the source has it already, skipped",
			 patch->name);
		return NULL;
	}
	err = patch_run(patch, tree, ACTION_APPLY, &applies, &said);
	if (err)
		return err;
	if (!applies)
		return error_create(ERROR_OTHER,
				    "the source does not have it, and it does not apply: %s",
				    said);
	string_list_add(applied_ret, patch->name);
	return NULL;
}

struct error *patch_list_apply(const struct patch_list *list, const char *tree,
			       struct string_list *applied_ret)
{
	for (size_t i = 0; i < list->count; i++) {
		const struct patch *patch = &list->items[i];
		struct error *err = patch_apply(patch, tree, applied_ret);

		if (err)
			return error_wrap(err, "patch %s", patch->name);
	}
	return NULL;
}
