// SPDX-License-Identifier: LGPL-2.1-or-later

#include "common/kernel/repository.h"

#include <stdlib.h>

#include "common/base/error.h"
#include "common/base/file.h"
#include "common/base/memory.h"
#include "common/base/text.h"
#include "common/kernel/compiler.h"
#include "common/process/process.h"

enum {
	/** Of a bisection's log: some lines for each step. */
	OUTPUT_LIMIT_BYTES = 1 << 20,
};

struct error *repository_run(const char *directory,
			     const char *const *environment,
			     const char *const *words, char **ret)
{
	// Programs that a repository names; that of git itself stays behind.
	static const char *const first[] = { "git",
					     "-c",
					     "core.hooksPath=/dev/null",
					     "-c",
					     "core.fsmonitor=false",
					     "-C" };
	_cleanup_string_list_ struct string_list arguments = { 0 };

	for (size_t i = 0; i < array_size(first); i++)
		string_list_add(&arguments, first[i]);
	string_list_add(&arguments, directory);
	for (; *words; words++)
		string_list_add(&arguments, *words);
	const struct process_options options = {
		.arguments = (const char *const *)arguments.items,
		.inherited = kernel_make_inherited,
		.environment = environment,
	};
	_cleanup_free_ char *unused = NULL;

	return process_capture(&options, OUTPUT_LIMIT_BYTES, ret ? ret : &unused);
}

struct error *repository_find_commit(const char *repository, const char *ref,
				     char **ret)
{
	struct error *err;

	_cleanup_free_ char *name = string_format("%s^{commit}", ref);
	const char *const words[] = { "rev-parse",	  "--verify", "--quiet",
				      "--end-of-options", name,	      NULL };
	err = repository_run(repository, NULL, words, ret);
	if (error_catch(&err, ERROR_OTHER))
		return error_create(ERROR_USAGE, "%s: git finds no commit '%s'",
				    repository, ref);
	return err;
}

struct error *repository_find_path(const char *repository, const char *name,
				   char **ret)
{
	struct error *err;

	const char *const words[] = { "rev-parse", "--git-path", name, NULL };
	_cleanup_free_ char *path = NULL;
	err = repository_run(repository, NULL, words, &path);
	if (err)
		return err;
	// It may be relative to where git has run.
	_cleanup_free_ char *whole = path_join(repository, path);
	*ret = realpath(whole, NULL);
	return NULL;
}
