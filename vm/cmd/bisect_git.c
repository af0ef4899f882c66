// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/cmd/bisect_git.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/archive/archive.h"
#include "common/base/error.h"
#include "common/base/file.h"
#include "common/base/log.h"
#include "common/base/memory.h"
#include "common/cache/cache.h"
#include "common/kernel/catalog.h"
#include "common/kernel/repository.h"
#include "vm/kernel/kernel.h"

enum {
	/** Digits of a commit in messages, and in the names of logs. */
	SHOWN_DIGITS = 12,
	RANGE_LIMIT_BYTES = 1024,
};

void bisect_git_deinit(struct bisect_git *bisect)
{
	bisection_deinit(&bisect->git);
	free(bisect->directory);
	string_list_deinit(&bisect->range);
	cache_release(bisect->entry);
}

/** Where a search is kept: one for each command and what it is asked of; free(). */
static char *find_directory(const struct suite_setup *setup,
			    const struct bisect_git *bisect)
{
	const struct common_options *common = setup->context->common;
	const struct kernel_source *source = bisect->source;
	const struct string_list *lists[] = { &common->kernels, &common->flavors,
					      &setup->run.run_options };
	_cleanup_string_builder_ struct string_builder sb = { 0 };
	char digest[DIGEST_TEXT_SIZE];

	string_builder_appendf(&sb, "%s\n%s\n%s\n%s\n%s\n%d%d",
			       bisect->git.repository, setup->archs.items[0],
			       setup->command, bisect->good ? bisect->good : "",
			       bisect->bad ? bisect->bad : "",
			       source->keep_config, source->llvm);
	for (size_t i = 0; i < array_size(lists); i++) {
		for (size_t j = 0; j < lists[i]->count; j++)
			string_builder_appendf(&sb, "\n%s", lists[i]->items[j]);
	}
	digest_buffer(sb.text, sb.length, digest);
	return path_joinf(setup->context->directory, "bisections/%.16s", digest);
}

/** Read the range that an earlier call has found: good, bad, flavor. */
static struct error *read_range(struct bisect_git *bisect)
{
	struct error *err;

	_cleanup_free_ char *path = path_join(bisect->directory, "range");
	_cleanup_free_ char *text = NULL;
	err = file_read(path, RANGE_LIMIT_BYTES, &text, NULL);
	if (error_catch(&err, ERROR_NOT_FOUND))
		return NULL;
	if (err)
		return err;
	for (char *word, *next = text; (word = strsep(&next, "\n"));) {
		if (*word)
			string_list_add(&bisect->range, word);
	}
	return NULL;
}

struct error *bisect_git_set_range(struct bisect_git *bisect, const char *good,
				   const char *bad, const char *flavor)
{
	struct error *err;

	const char *const refs[] = { good, bad };
	_cleanup_free_ char *path = path_join(bisect->directory, "range");
	_cleanup_string_builder_ struct string_builder sb = { 0 };
	for (size_t i = 0; i < array_size(refs); i++) {
		_cleanup_free_ char *commit = NULL;

		err = repository_find_commit(bisect->git.repository, refs[i],
					     &commit);
		if (err)
			return err;
		string_list_add(&bisect->range, commit);
		string_builder_appendf(&sb, "%s\n", commit);
	}
	string_list_add(&bisect->range, flavor);
	string_builder_appendf(&sb, "%s\n", flavor);
	return file_write(path, sb.text, sb.length);
}

struct error *bisect_git_open(struct bisect_git *bisect, struct suite_setup *setup)
{
	struct error *err;
	const struct string_list *flavors = &setup->context->common->flavors;

	bisect->setup = setup;
	bisect->git.repository = realpath(bisect->source->path, NULL);
	if (!bisect->git.repository)
		return error_create(ERROR_USAGE, "--git %s: %s",
				    bisect->source->path, strerror(errno));
	bisect->directory = find_directory(setup, bisect);
	bisect->git.directory = path_join(bisect->directory, "git");
	err = directory_create(bisect->directory);
	if (!err)
		err = cache_hold(bisect->directory, &bisect->entry);
	if (err)
		return err;
	if (bisect->entry)
		cache_touch(bisect->entry);
	if (!bisect->has_log_directory) {
		free(setup->run.log_directory);
		setup->run.log_directory = path_join(bisect->directory, "logs");
		err = directory_create(setup->run.log_directory);
		if (err)
			return err;
	}
	err = read_range(bisect);
	if (err || bisect->range.count || !bisect->good)
		return err;
	return bisect_git_set_range(bisect, bisect->good, bisect->bad,
				    flavors->count ? flavors->items[0]
						   : "default");
}

/** Build and test a commit. @param[out] ret Its item; one that does not build
 * is not run. */
static struct error *test_commit(struct bisect_git *bisect, const char *commit,
				 struct suite *ret)
{
	struct error *err;

	struct suite_setup *setup = bisect->setup;
	struct kernel_source source = *bisect->source;
	const struct catalog_arch *arch;
	_cleanup_free_ char *name = string_copy_n(commit, SHOWN_DIGITS);
	_cleanup_kernel_ struct kernel kernel = { 0 };

	source.ref = commit;
	// All are built in one place, each from what the one before has left.
	source.slot = "bisect";
	err = command_arch(setup->context, &arch);
	if (!err)
		err = command_build(setup->context, &source, arch, &kernel);
	if (err && error_is(err, ERROR_OTHER)) {
		suite_add_directory(ret, name, arch->name, "");
		ret->items[0].state = SUITE_NOT_RUN;
		suite_item_explain(ret->items, "%s", error_message(err));
		error_destroy(err);
		return NULL;
	}
	if (err)
		return err;
	suite_add_directory(ret, name, arch->name, kernel.path);
	return suite_run_shown(&setup->run, ret,
			       setup->view == SUITE_VIEW_LINES ? SUITE_VIEW_QUIET
							       : setup->view);
}

/** The same, told. @param[out] reason_ret NULL if it is good. */
static struct error *judge(struct bisect_git *bisect, const char *commit,
			   enum bisect_verdict *ret)
{
	struct error *err;

	_cleanup_free_ char *subject = NULL;
	_cleanup_suite_ struct suite suite = { 0 };
	err = bisection_show(&bisect->git, "%s", commit, &subject);
	if (!err)
		err = test_commit(bisect, commit, &suite);
	if (err)
		return err;
	const struct suite_item *item = suite.items;
	*ret = bisect_verdict_of(item);
	log_info("step %u: %s (%s) is %s%s%s", ++bisect->steps, item->name,
		 subject, bisect_verdict_names[*ret], item->reason ? ": " : "",
		 item->reason ? item->reason : "");
	return NULL;
}

/** That one end is what the user says, before anything is made of it. */
static struct error *check_end(struct bisect_git *bisect, size_t index,
			       enum bisect_verdict wanted)
{
	struct error *err;

	const char *commit = bisect->range.items[index];
	enum bisect_verdict verdict;
	err = judge(bisect, commit, &verdict);
	if (err || verdict == wanted)
		return err;
	// The range may have come from packages, of another compiler.
	_cleanup_free_ char *path = path_join(bisect->directory, "range");
	err = file_delete(path);
	return err ? err
		   : error_create(ERROR_OTHER,
				  "%.12s is %s here, and not %s: no commit between can be told to be the first bad one",
				  commit, bisect_verdict_names[verdict],
				  bisect_verdict_names[wanted]);
}

static struct error *search(struct bisect_git *bisect, struct bisection_end *ret)
{
	static const char *const words[] = {
		[BISECT_GOOD] = "good", [BISECT_BAD] = "bad", [BISECT_SKIPPED] = "skip"
	};
	struct error *err;

	if (bisection_is_started(&bisect->git)) {
		log_info("going on with what is in %s", bisect->directory);
	} else {
		err = check_end(bisect, 1, BISECT_BAD);
		if (!err)
			err = check_end(bisect, 0, BISECT_GOOD);
		if (!err)
			err = bisection_start(&bisect->git,
					      bisect->range.items[0],
					      bisect->range.items[1]);
		if (err)
			return err;
	}
	for (;;) {
		enum bisect_verdict verdict = BISECT_UNTESTED;
		_cleanup_free_ char *commit = NULL;

		err = bisection_next(&bisect->git, ret, &commit);
		if (err || !commit)
			return err;
		err = judge(bisect, commit, &verdict);
		if (!err)
			err = bisection_mark(&bisect->git, commit,
					     words[verdict]);
		if (err)
			return err;
	}
}

/** The log of a commit that was tested; NULL if it was not; free(). */
static char *find_log(const struct bisect_git *bisect, const char *commit)
{
	_cleanup_free_ char *path = path_joinf(bisect->setup->run.log_directory,
					       "%.*s.log", SHOWN_DIGITS, commit);

	return file_exists(path) ? take_ptr(path) : NULL;
}

/** Of one side: the commit, its subject, and its log. */
static struct error *print_side(const struct bisect_git *bisect,
				const char *title, const char *commit,
				json_t *json)
{
	struct error *err;

	_cleanup_free_ char *id = NULL;
	_cleanup_free_ char *subject = NULL;
	err = bisection_show(&bisect->git, "%H", commit, &id);
	if (!err)
		err = bisection_show(&bisect->git, "%s", commit, &subject);
	if (err)
		return err;
	_cleanup_free_ char *log = find_log(bisect, id);
	if (json)
		json_object_set_new(json, title,
				    json_pack("{s:s, s:o, s:o}", "commit", id,
					      "subject", text_json(subject),
					      "log", text_json(log)));
	else
		printf("%s:%s%s %s\n", title, title[3] ? " " : "  ", id, subject);
	if (!json && log)
		printf("      %s\n", log);
	return NULL;
}

static struct error *print_end(const struct bisect_git *bisect,
			       const struct bisection_end *end)
{
	struct error *err = NULL;
	const struct string_list *commits = &end->commits;
	bool is_json = bisect->setup->context->common->json;
	json_t *json = is_json ? json_object() : NULL;
	json_t *others = json_array();

	if (json)
		json_object_set_new(json, "outcome",
				    json_string(end->is_certain ? "found"
								: "skipped"));
	if (end->is_certain) {
		_cleanup_free_ char *parent =
			string_format("%s^", commits->items[0]);

		err = print_side(bisect, "good", parent, json);
		if (!err)
			err = print_side(bisect, "bad", commits->items[0], json);
	}
	for (size_t i = 0; i < commits->count && !end->is_certain; i++) {
		json_array_append_new(others, json_string(commits->items[i]));
		if (!json)
			printf("one of %s\n", commits->items[i]);
	}
	if (json) {
		json_object_set_new(json, "candidates", others);
		return err ? err : command_print_json(json);
	}
	json_decref(others);
	return err;
}

struct error *bisect_git_run(struct bisect_git *bisect)
{
	struct error *err;
	struct string_list *flavors = &bisect->setup->context->common->flavors;

	if (!flavors->count)
		string_list_add(flavors, bisect->range.items[2]);
	_cleanup_bisection_end_ struct bisection_end end = { 0 };
	err = search(bisect, &end);
	if (error_is(err, ERROR_CANCELLED))
		log_info("the same command goes on where this one was");
	if (err)
		return err;
	err = print_end(bisect, &end);
	if (err)
		return err;
	// It is done with: the same command begins anew.
	_cleanup_free_ char *range = path_join(bisect->directory, "range");
	err = file_delete(range);
	if (!err)
		err = directory_remove(bisect->git.directory);
	if (err || end.is_certain)
		return err;
	return error_create(ERROR_OTHER,
			    "the first bad commit is one of %zu, of which those that were skipped cannot be told apart",
			    end.commits.count);
}
