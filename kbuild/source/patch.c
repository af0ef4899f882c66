// SPDX-License-Identifier: LGPL-2.1-or-later

#include "kbuild/source/source.h"

#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <stdbool.h>
#include <string.h>

#include "common/base/error.h"
#include "common/base/file.h"
#include "common/base/log.h"
#include "common/base/memory.h"
#include "common/base/text.h"
#include "common/kernel/catalog.h"
#include "common/kernel/compiler.h"
#include "common/process/process.h"
#include "kbuild/config/config.h"

enum {
	PATCH_LIMIT_BYTES = 16 << 20,
};

static const char bounds_mark[] = "# vmtest:";
static const char diff_mark[] = "diff --git ";

static bool begins_with(const char *text, const char *prefix)
{
	return strncmp(text, prefix, strlen(prefix)) == 0;
}

/** What the `# vmtest:` line of a patch says; free(). */
static struct error *bounds_find(const char *text, char **ret)
{
	_cleanup_free_ char *bounds = NULL;

	for (const char *line = text; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (begins_with(line, diff_mark))
			break;
		if (!begins_with(line, bounds_mark))
			continue;
		if (bounds)
			return error_create(ERROR_USAGE, "two lines '%s'",
					    bounds_mark);
		const char *terms = line + strlen(bounds_mark);
		bounds = string_copy_n(terms, strcspn(terms, "\n"));
	}
	if (!bounds)
		return error_create(ERROR_USAGE,
				    "no line '%s' before the first '%s'",
				    bounds_mark, diff_mark);
	*ret = take_ptr(bounds);
	return NULL;
}

/** Add a patch to the list, and to its digest, if it is for the kernel. */
static struct error *patch_load(const char *path,
				const struct bounds_target *target,
				struct string_list *paths, struct digest *digest)
{
	struct error *err;

	_cleanup_free_ char *text = NULL;
	size_t size_bytes;
	err = file_read(path, PATCH_LIMIT_BYTES, &text, &size_bytes);
	if (err)
		return err;
	_cleanup_free_ char *bounds = NULL;
	bool is_wanted;
	err = bounds_find(text, &bounds);
	if (!err)
		err = bounds_hold(bounds, target, &is_wanted);
	if (err)
		return error_wrap(err, "patch %s", path);
	if (!is_wanted)
		return NULL;
	char own_digest[DIGEST_TEXT_SIZE];
	const char *name = path_name(path);
	digest_buffer(text, size_bytes, own_digest);
	digest_update(digest, name, strlen(name) + 1);
	digest_update(digest, own_digest, sizeof(own_digest));
	string_list_add(paths, path);
	return NULL;
}

struct error *patches_find(const struct bounds_target *target,
			   struct string_list *paths_ret,
			   char digest_ret[static DIGEST_TEXT_SIZE])
{
	struct error *err;

	_cleanup_free_ char *directory =
		path_join(target->catalog->directory, "patches");
	_cleanup_string_list_ struct string_list files = { 0 }, paths = { 0 };
	if (directory_exists(directory)) {
		err = tree_list(directory, NULL, &files);
		if (err)
			return err;
	}
	_cleanup_digest_ struct digest *digest = digest_create();
	for (size_t i = 0; i < files.count; i++) {
		_cleanup_free_ char *path = path_join(directory, files.items[i]);

		if (fnmatch("*.patch", files.items[i],
			    FNM_PATHNAME | FNM_PERIOD) != 0)
			continue;
		err = patch_load(path, target, &paths, digest);
		if (err)
			return err;
	}
	digest_ret[0] = '\0';
	if (paths.count)
		digest_finish(digest, digest_ret);
	*paths_ret = take(paths);
	return NULL;
}

/**
 * Whether a line of patch(1)'s is about what it did. Where it finds no file, it
 * quotes all that is above the first hunk, of which one line names the file.
 */
static bool is_telling(const char *line)
{
	static const char *const marks[] = {
		"|",
		"-----",
		"Perhaps you used the wrong -p",
		"The text leading up to this was",
	};

	if (begins_with(line, "|+++ "))
		return true;
	for (size_t i = 0; i < array_size(marks); i++) {
		if (begins_with(line, marks[i]))
			return false;
	}
	return *line;
}

/** What patch(1) writes, in one line; free(). */
static struct error *read_output(struct process *process, char **ret)
{
	struct error *err;

	_cleanup_string_builder_ struct string_builder sb = { 0 };
	char data[4096];
	size_t size_bytes;
	do {
		err = process_read(process, 0, data, sizeof(data), &size_bytes);
		if (err)
			return err;
		string_builder_append_n(&sb, data, size_bytes);
	} while (size_bytes);
	_cleanup_free_ char *text = string_builder_take(&sb);
	char *rest = text, *line;
	while ((line = strsep(&rest, "\n"))) {
		if (is_telling(line))
			string_builder_appendf(&sb, "%s%s",
					       sb.length ? "; " : "", line);
	}
	*ret = string_builder_take(&sb);
	return NULL;
}

/**
 * Run patch(1). It refuses by itself names with `..` and symbolic links that
 * lead out of the tree, and takes absolute names for relative ones.
 *
 * @param[in] check Only see whether the tree has the patch.
 * @param[out] failure_ret NULL if it succeeds, else what it says; free().
 */
static struct error *patch_run(const char *path, const char *tree, bool check,
			       char **failure_ret)
{
	struct error *err;

	_cleanup_close_ int patch_fd = open(path, O_RDONLY | O_CLOEXEC);
	if (patch_fd < 0)
		return error_create_os(errno, "open %s", path);
	const char *const arguments[] = {
		"patch",
		// Asks nothing, and does not take a patch for its reverse.
		"--force",
		"--strip=1",
		"--fuzz=0",
		"--no-backup-if-mismatch",
		"--reject-file=-",
		check ? "--reverse" : NULL,
		"--dry-run",
		NULL,
	};
	const char *const environment[] = { "LC_ALL=C", NULL };
	const struct process_options options = {
		.arguments = arguments,
		.inherited = kernel_make_inherited,
		.environment = environment,
		.directory = tree,
		.stdin_fd = &patch_fd,
		.reads_stdout = true,
		.reads_stderr = true,
		.guarded = true,
	};
	_cleanup_process_ struct process *process = NULL;
	err = process_spawn(&options, &process);
	if (err)
		return err;
	_cleanup_free_ char *said = NULL;
	err = read_output(process, &said);
	if (err)
		return err;
	struct process_status status;
	err = process_wait(process, 0, &status);
	if (err)
		return err;
	if (status.signal) {
		_cleanup_free_ char *ended =
			process_status_text(&status, "patch");

		return error_create(ERROR_OTHER, "%s", ended);
	}
	*failure_ret = status.exit_status ? take_ptr(said) : NULL;
	return NULL;
}

static struct error *patch_apply(const char *path, const char *tree,
				 struct string_list *applied_ret)
{
	struct error *err;

	// First: what adds lines may leave its context as it was, and would
	// apply a second time.
	_cleanup_free_ char *lacks = NULL;
	err = patch_run(path, tree, true, &lacks);
	if (err)
		return err;
	if (!lacks) {
		log_info("patch %s: the source has it already, skipped",
			 path_name(path));
		return NULL;
	}
	_cleanup_free_ char *failure = NULL;
	err = patch_run(path, tree, false, &failure);
	if (err)
		return err;
	if (failure)
		return error_create(ERROR_OTHER,
				    "the source does not have it, and it does not apply: %s",
				    failure);
	string_list_add(applied_ret, path_name(path));
	return NULL;
}

struct error *patches_apply(const struct string_list *paths, const char *tree,
			    struct string_list *applied_ret)
{
	struct error *err;

	for (size_t i = 0; i < paths->count; i++) {
		err = patch_apply(paths->items[i], tree, applied_ret);
		if (err)
			return error_wrap(err, "patch %s",
					  path_name(paths->items[i]));
	}
	return NULL;
}
