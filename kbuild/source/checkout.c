// SPDX-License-Identifier: LGPL-2.1-or-later

#include "kbuild/source/source.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/error.h"
#include "common/base/file.h"
#include "common/base/log.h"
#include "common/base/memory.h"
#include "common/base/progress.h"
#include "common/kernel/compiler.h"
#include "common/process/process.h"

/*
 * git(1) and not libgit2: only its read-tree has an index for a directory that
 * is not the repository's, and writes what has changed there.
 */

enum {
	ANSWER_LIMIT_BYTES = 4096,
};

/** One repository and one directory. */
struct checkout {
	const char *repository;
	const char *directory;
	/** Of git's environment: `GIT_INDEX_FILE=...`. */
	struct string_list environment;
};

static void checkout_deinit(struct checkout *checkout)
{
	string_list_deinit(&checkout->environment);
}

#define _cleanup_checkout_ _cleanup_(checkout_deinit)

/**
 * Run git in the repository, with its index and hooks left out.
 *
 * @param[in] words Ended by NULL.
 * @param[out] ret What it prints; free(). NULL if that is of no interest.
 */
static struct error *run_git(const struct checkout *checkout,
			     const char *const *words, char **ret)
{
	_cleanup_string_list_ struct string_list arguments = { 0 };
	const char *const fixed[] = { "git", "-C", checkout->repository, "-c",
				      "core.hooksPath=/dev/null" };

	for (size_t i = 0; i < array_size(fixed); i++)
		string_list_add(&arguments, fixed[i]);
	for (; *words; words++)
		string_list_add(&arguments, *words);
	const struct process_options options = {
		.arguments = (const char *const *)arguments.items,
		.inherited = kernel_make_inherited,
		.environment = (const char *const *)checkout->environment.items,
	};
	return ret ? process_capture(&options, ANSWER_LIMIT_BYTES, ret)
		   : process_run(&options);
}

static struct error *find_commit(const struct checkout *checkout,
				 const char *ref, char **ret)
{
	struct error *err;

	_cleanup_free_ char *name = string_format("%s^{commit}", ref);
	const char *const words[] = { "rev-parse",	  "--verify", "--quiet",
				      "--end-of-options", name,	      NULL };
	err = run_git(checkout, words, ret);
	if (error_catch(&err, ERROR_OTHER))
		return error_create(ERROR_USAGE, "%s: git finds no commit '%s'",
				    checkout->repository, ref);
	return err;
}

/** Where the repository keeps something; free(). */
static struct error *find_path(const struct checkout *checkout,
			       const char *name, char **ret)
{
	struct error *err;

	// Not where our own index is.
	const struct checkout theirs = { .repository = checkout->repository };
	const char *const words[] = { "rev-parse", "--git-path", name, NULL };
	_cleanup_free_ char *path = NULL;
	err = run_git(&theirs, words, &path);
	if (err)
		return err;
	_cleanup_free_ char *whole = path_join(checkout->repository, path);
	*ret = realpath(whole, NULL);
	return NULL;
}

/**
 * Make a tree of what git sees in the repository's directory. Its objects go
 * into a directory of ours, since the repository is only read.
 */
static struct error *write_tree(struct checkout *checkout, char **ret)
{
	struct error *err;

	static const char *const add[] = { "add", "--all", NULL };
	static const char *const write[] = { "write-tree", NULL };
	_cleanup_free_ char *objects = NULL;
	_cleanup_free_ char *their_index = NULL;
	err = find_path(checkout, "objects", &objects);
	if (!err)
		err = find_path(checkout, "index", &their_index);
	if (err)
		return err;
	_cleanup_free_ char *our_objects =
		path_join(checkout->directory, ".vmtest-objects");
	_cleanup_free_ char *our_index =
		path_join(checkout->directory, ".vmtest-state");
	err = directory_create(our_objects);
	// What is unchanged since it was made need not be read.
	if (!err && their_index)
		err = file_copy(their_index, our_index);
	if (err)
		return err;
	string_list_addf(&checkout->environment, "GIT_OBJECT_DIRECTORY=%s",
			 our_objects);
	string_list_addf(&checkout->environment,
			 "GIT_ALTERNATE_OBJECT_DIRECTORIES=%s", objects);
	_cleanup_checkout_ struct checkout state = {
		.repository = checkout->repository,
	};
	string_list_addf(&state.environment, "GIT_INDEX_FILE=%s", our_index);
	for (size_t i = 1; i < checkout->environment.count; i++)
		string_list_add(&state.environment,
				checkout->environment.items[i]);
	err = run_git(&state, add, NULL);
	return err ? err : run_git(&state, write, ret);
}

bool checkout_is_possible(const char *repository)
{
	const struct checkout checkout = { .repository = repository };
	static const char *const words[] = { "rev-parse", "--show-cdup", NULL };
	_cleanup_free_ char *git = path_join(repository, ".git");
	_cleanup_free_ char *up = NULL;
	_cleanup_error_ struct error *err = NULL;

	// git itself would say on stderr that there is none.
	if (access(git, F_OK) == 0)
		err = run_git(&checkout, words, &up);
	return up && !*up;
}

struct error *checkout_update(const char *repository, const char *ref,
			      const char *directory)
{
	struct error *err;

	_cleanup_checkout_ struct checkout checkout = {
		.repository = repository,
		.directory = directory,
	};
	_cleanup_free_ char *index = path_join(directory, ".vmtest-index");
	_cleanup_free_ char *lock = string_format("%s.lock", index);
	_cleanup_free_ char *objects = path_join(directory, ".vmtest-objects");
	_cleanup_free_ char *tree = NULL;
	string_list_addf(&checkout.environment, "GIT_INDEX_FILE=%s", index);
	_cleanup_progress_ struct progress *progress =
		progress_createf(PROGRESS_TIME, "check out %s",
				 ref ? ref : repository);
	err = ref ? find_commit(&checkout, ref, &tree)
		  : write_tree(&checkout, &tree);
	// Of one that was killed: nobody else is here.
	if (!err)
		err = file_delete(lock);
	if (err)
		return err;
	_cleanup_free_ char *work_tree =
		string_format("--work-tree=%s", directory);
	const char *const words[] = { work_tree, "read-tree", "--reset",
				      "-u",	 tree,	      NULL };
	err = run_git(&checkout, words, NULL);
	if (!err && directory_exists(objects))
		err = directory_remove(objects);
	return err;
}
