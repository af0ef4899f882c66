// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/suite/bisection.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/error.h"
#include "common/base/file.h"
#include "common/base/memory.h"
#include "common/base/text.h"
#include "common/kernel/repository.h"

/** As git's own messages name commits. */
static const char first_bad[] = "# first bad commit: [";
static const char possible[] = "# possible first bad commit: [";

void bisection_deinit(struct bisection *bisect)
{
	free(bisect->repository);
	free(bisect->directory);
	*bisect = (struct bisection){ 0 };
}

void bisection_end_deinit(struct bisection_end *end)
{
	string_list_deinit(&end->commits);
}

bool bisection_read_end(const char *log, struct bisection_end *ret)
{
	*ret = (struct bisection_end){ 0 };
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

/** Run git in our repository. */
static struct error *run_git(const struct bisection *bisect,
			     const char *const *words, char **ret)
{
	_cleanup_free_ char *variable =
		string_format("GIT_DIR=%s", bisect->directory);
	const char *const environment[] = { variable, NULL };

	return repository_run(bisect->directory, environment, words, ret);
}

struct error *bisection_show(const struct bisection *bisect, const char *format,
			     const char *commit, char **ret)
{
	_cleanup_free_ char *word = string_format("--format=%s", format);
	const char *const words[] = { "log", "-1",   "--no-color",
				      word,  commit, NULL };

	struct error *err = repository_run(bisect->repository, NULL, words, ret);

	// What authors have written is shown.
	if (!err)
		text_make_line(*ret, '?');
	return err;
}

bool bisection_is_started(const struct bisection *bisect)
{
	_cleanup_free_ char *path = path_join(bisect->directory, "BISECT_LOG");

	return file_exists(path);
}

/** Have all objects of the user's repository, without a copy. */
static struct error *borrow_objects(const struct bisection *bisect)
{
	struct error *err;

	_cleanup_free_ char *objects = NULL;
	_cleanup_free_ char *shallow = NULL;
	err = repository_find_path(bisect->repository, "objects", &objects);
	if (!err)
		err = repository_find_path(bisect->repository, "shallow",
					   &shallow);
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

struct error *bisection_start(const struct bisection *bisect, const char *good,
			      const char *bad)
{
	struct error *err;

	const char *const init[] = { "init", "--quiet", "--bare", NULL };
	const char *const head[] = { "update-ref", "--no-deref", "HEAD", bad,
				     NULL };
	const char *const start[] = { "bisect", "start", "--no-checkout",
				      bad,	good,	 NULL };
	err = directory_create(bisect->directory);
	if (!err)
		err = run_git(bisect, init, NULL);
	if (!err)
		err = borrow_objects(bisect);
	if (!err)
		err = run_git(bisect, head, NULL);
	return err ? err : run_git(bisect, start, NULL);
}

struct error *bisection_next(const struct bisection *bisect,
			     struct bisection_end *end_ret, char **commit_ret)
{
	struct error *err;

	const char *const log[] = { "bisect", "log", NULL };
	const char *const head[] = { "rev-parse", "--verify", "BISECT_HEAD",
				     NULL };
	_cleanup_free_ char *text = NULL;
	err = run_git(bisect, log, &text);
	if (err)
		return err;
	if (bisection_read_end(text, end_ret))
		return NULL;
	return run_git(bisect, head, commit_ret);
}

struct error *bisection_mark(const struct bisection *bisect, const char *commit,
			     const char *verdict)
{
	struct error *err;

	const char *const words[] = { "bisect", verdict, commit, NULL };
	_cleanup_bisection_end_ struct bisection_end end = { 0 };
	_cleanup_free_ char *next = NULL;
	err = run_git(bisect, words, NULL);
	if (!err || !error_is(err, ERROR_OTHER))
		return err;
	// It fails as well where only skipped ones are left, which is an end.
	_cleanup_error_ struct error *failure = err;
	err = bisection_next(bisect, &end, &next);
	if (!err && !end.commits.count)
		err = take_ptr(failure);
	return err;
}
