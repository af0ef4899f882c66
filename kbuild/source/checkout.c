// SPDX-License-Identifier: LGPL-2.1-or-later

#include "kbuild/source/source.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/error.h"
#include "common/base/file.h"
#include "common/base/memory.h"
#include "common/base/progress.h"
#include "common/kernel/repository.h"

/*
 * git(1) and not libgit2: only its read-tree has an index for a directory that
 * is not the repository's, and writes what has changed there.
 */

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

static struct error *run_git(const struct checkout *checkout,
			     const char *const *words, char **ret)
{
	return repository_run(checkout->repository,
			      (const char *const *)checkout->environment.items,
			      words, ret);
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
	err = repository_find_path(checkout->repository, "objects", &objects);
	if (!err)
		err = repository_find_path(checkout->repository, "index",
					   &their_index);
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
	static const char *const words[] = { "rev-parse", "--show-cdup", NULL };
	_cleanup_free_ char *git = path_join(repository, ".git");
	_cleanup_free_ char *up = NULL;
	_cleanup_error_ struct error *err = NULL;

	// git itself would say on stderr that there is none.
	if (access(git, F_OK) == 0)
		err = repository_run(repository, NULL, words, &up);
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
	err = ref ? repository_find_commit(repository, ref, &tree)
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
