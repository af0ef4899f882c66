// SPDX-License-Identifier: LGPL-2.1-or-later

#include "kbuild/source/patch.h"

#include <git2.h>
#include <git2/sys/repository.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/error.h"
#include "common/base/file.h"
#include "common/base/log.h"
#include "common/base/string_builder.h"
#include "common/base/string_list.h"
#include "common/kernel/libgit.h"
#include "kbuild/source/patch_check.h"
#include "kbuild/source/patch_fit.h"

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
		err = patch_check_delta(tree, git_diff_get_delta(diff, i));
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
			      const char *tree, enum patch_direction direction,
			      struct patch_fit *fit, git_diff **ret)
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
			err = patch_fit_file(file, tree, direction, fit, &sb);
	}
	if (!err)
		text = string_builder_take(&sb);
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
	struct patch_fit fit = { 0 }, reverse_fit = { 0 };

	err = diff_parse(patch->text, patch->size_bytes, &diff);
	if (!err)
		err = diff_check(diff, tree);
	if (err)
		return err;
	not_applicable =
		diff_fit(repository, diff, tree, PATCH_FORWARD, &fit, &forward);
	not_present = diff_fit(repository, diff, tree, PATCH_REVERSE,
			       &reverse_fit, &reverse);

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
	parent = path_join(tree, "..");
	err = directory_create_temporary(parent, "patch", &directory, &lock_fd);
	if (!err)
		err = repository_create(directory, tree, &repository);
	for (size_t i = 0; i < list->count && !err; i++) {
		const struct patch *patch = &list->items[i];
		bool is_applied = false;

		err = patch_apply(repository, tree, patch, &is_applied);
		if (err)
			return error_wrap(err, "patch %s", patch->name);
		if (is_applied && patch->commit)
			string_list_addf(applied_ret, "%s %.12s", patch->name,
					 patch->commit);
		else if (is_applied)
			string_list_add(applied_ret, patch->name);
		else
			log_info("patch %s: the source has it already, skipped",
				 patch->name);
	}
	return err;
}
