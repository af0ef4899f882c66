// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/suite/git_bisect.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/error.h"
#include "common/base/file.h"
#include "common/base/memory.h"
#include "common/process/process.h"

enum {
	/** Of a log: some lines for each step, and each commit that is skipped. */
	LOG_LIMIT_BYTES = 1 << 20,
};

/** As git's own messages name commits. */
static const char first_bad[] = "# first bad commit: [";
static const char possible[] = "# possible first bad commit: [";

void git_bisect_deinit(struct git_bisect *bisect)
{
	free(bisect->repository);
	free(bisect->directory);
	*bisect = (struct git_bisect){ 0 };
}

void git_bisect_end_deinit(struct git_bisect_end *end)
{
	string_list_deinit(&end->commits);
}

bool git_bisect_read_end(const char *log, struct git_bisect_end *ret)
{
	*ret = (struct git_bisect_end){ 0 };
	for (const char *line = log; *line;) {
		const char *end = strchrnul(line, '\n');
		const char *id = NULL;

		ret->is_certain |=
			strncmp(line, first_bad, strlen(first_bad)) == 0;
		if (strncmp(line, first_bad, strlen(first_bad)) == 0)
			id = line + strlen(first_bad);
		else if (strncmp(line, possible, strlen(possible)) == 0)
			id = line + strlen(possible);
		if (id)
			string_list_addf(&ret->commits, "%.*s",
					 (int)strcspn(id, "]\n"), id);
		line = end + (*end == '\n');
	}
	return ret->commits.count;
}

/** @param[in] inside Whether in our own repository, else in the user's. */
static struct error *run_git(const struct git_bisect *bisect, bool inside,
			     const char *const *words, char **ret)
{
	struct error *err;

	_cleanup_string_list_ struct string_list arguments = { 0 };
	_cleanup_free_ char *variable =
		string_format("GIT_DIR=%s", bisect->directory);
	const char *const environment[] = { inside ? variable : "GIT_DIR",
					    "GIT_INDEX_FILE", "GIT_WORK_TREE",
					    "GIT_OBJECT_DIRECTORY", NULL };
	_cleanup_free_ char *unused = NULL;

	string_list_add(&arguments, "git");
	string_list_add(&arguments, "-C");
	string_list_add(&arguments,
			inside ? bisect->directory : bisect->repository);
	for (; *words; words++)
		string_list_add(&arguments, *words);
	const struct process_options options = {
		.arguments = (const char *const *)arguments.items,
		.environment = environment,
	};
	err = process_capture(&options, LOG_LIMIT_BYTES, ret ? ret : &unused);
	return err;
}

/** A file or directory of the user's repository; free(). */
static struct error *find_path(const struct git_bisect *bisect,
			       const char *name, char **ret)
{
	struct error *err;

	const char *const words[] = { "rev-parse", "--git-path", name, NULL };
	_cleanup_free_ char *path = NULL;
	err = run_git(bisect, false, words, &path);
	if (err)
		return err;
	_cleanup_free_ char *whole = path_join(bisect->repository, path);
	*ret = realpath(whole, NULL);
	return NULL;
}

struct error *git_bisect_resolve(const struct git_bisect *bisect,
				 const char *ref, char **ret)
{
	struct error *err;

	_cleanup_free_ char *name = string_format("%s^{commit}", ref);
	const char *const words[] = { "rev-parse",	  "--verify", "--quiet",
				      "--end-of-options", name,	      NULL };
	err = run_git(bisect, false, words, ret);
	if (error_catch(&err, ERROR_OTHER))
		return error_create(ERROR_USAGE, "%s: git finds no commit '%s'",
				    bisect->repository, ref);
	return err;
}

struct error *git_bisect_show(const struct git_bisect *bisect,
			      const char *format, const char *commit, char **ret)
{
	_cleanup_free_ char *word = string_format("--format=%s", format);
	const char *const words[] = { "log", "-1",   "--no-color",
				      word,  commit, NULL };

	return run_git(bisect, false, words, ret);
}

bool git_bisect_is_started(const struct git_bisect *bisect)
{
	_cleanup_free_ char *path = path_join(bisect->directory, "BISECT_LOG");

	return file_exists(path);
}

/** Have all objects of the user's repository, without a copy. */
static struct error *borrow_objects(const struct git_bisect *bisect)
{
	struct error *err;

	_cleanup_free_ char *objects = NULL;
	_cleanup_free_ char *shallow = NULL;
	err = find_path(bisect, "objects", &objects);
	if (!err)
		err = find_path(bisect, "shallow", &shallow);
	if (err)
		return err;
	_cleanup_free_ char *line = string_format("%s\n", objects);
	_cleanup_free_ char *alternates =
		path_join(bisect->directory, "objects/info/alternates");
	_cleanup_free_ char *ours = path_join(bisect->directory, "shallow");
	err = file_write(alternates, line, strlen(line));
	if (!err && shallow)
		err = file_copy(shallow, ours);
	return err;
}

struct error *git_bisect_start(const struct git_bisect *bisect,
			       const char *good, const char *bad)
{
	struct error *err;

	const char *const init[] = { "init", "--quiet", "--bare", NULL };
	const char *const head[] = { "update-ref", "--no-deref", "HEAD", bad,
				     NULL };
	const char *const start[] = { "bisect", "start", "--no-checkout",
				      bad,	good,	 NULL };
	err = directory_create(bisect->directory);
	if (!err)
		err = run_git(bisect, true, init, NULL);
	if (!err)
		err = borrow_objects(bisect);
	if (!err)
		err = run_git(bisect, true, head, NULL);
	return err ? err : run_git(bisect, true, start, NULL);
}

struct error *git_bisect_next(const struct git_bisect *bisect,
			      struct git_bisect_end *end_ret, char **commit_ret)
{
	struct error *err;

	const char *const log[] = { "bisect", "log", NULL };
	const char *const head[] = { "rev-parse", "--verify", "BISECT_HEAD",
				     NULL };
	_cleanup_free_ char *text = NULL;
	err = run_git(bisect, true, log, &text);
	if (err)
		return err;
	if (git_bisect_read_end(text, end_ret))
		return NULL;
	return run_git(bisect, true, head, commit_ret);
}

struct error *git_bisect_mark(const struct git_bisect *bisect,
			      const char *commit, const char *verdict)
{
	struct error *err;

	const char *const words[] = { "bisect", verdict, commit, NULL };
	_cleanup_git_bisect_end_ struct git_bisect_end end = { 0 };
	_cleanup_free_ char *next = NULL;
	err = run_git(bisect, true, words, NULL);
	if (!err || !error_is(err, ERROR_OTHER))
		return err;
	// It fails as well where only skipped ones are left, which is an end.
	_cleanup_error_ struct error *failure = err;
	err = git_bisect_next(bisect, &end, &next);
	if (!err && !end.commits.count)
		err = take_ptr(failure);
	return err;
}
