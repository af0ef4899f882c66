// SPDX-License-Identifier: LGPL-2.1-or-later

#include "common/cache/cache.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <glob.h>
#include <signal.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/file.h"
#include "common/base/interrupt.h"
#include "common/base/log.h"
#include "common/base/memory.h"
#include "tests/unit/errors.h"
#include "tests/unit/files.h"

static const char path[] = "entry";

static void setup(void)
{
	interrupt_catch();
	log_init("cache_test", LOG_ERROR, LOG_SILENCE_MS);
	enter_tmp();
}

TestSuite(cache, .init = setup, .fini = teardown_tmp, .timeout = 120);

/** How many paths there are. */
static size_t count(const char *pattern)
{
	_cleanup_(globfree) glob_t found = { 0 };

	glob(pattern, 0, NULL, &found);
	return found.gl_pathc;
}

/** Leaves its mark in the directory, and one for each time outside of it. */
static struct error *make(void *arg, const char *directory)
{
	static int number;
	_cleanup_free_ char *mark =
		string_format("made.%d.%d", getpid(), number++);
	struct error *err = file_write(mark, "", 0);

	usleep(20000);
	put_file(directory, "a", arg);
	usleep(20000);
	put_file(directory, "z", arg);
	return err;
}

static struct error *make_and_hang(void *arg, const char *directory)
{
	put_file(directory, "left", arg);
	for (;;)
		pause();
	return NULL;
}

static struct error *make_and_fail(void *arg, const char *directory)
{
	put_file(directory, "left", arg);
	return error_create(ERROR_OTHER, "as it must");
}

/** @param[in] text What the files hold. */
#define RECIPE(how, text, ...)                                                 \
	{                                                                      \
		.make = how, .arg = (void *)text, __VA_ARGS__                  \
	}

static const struct cache_recipe recipe = { .make = make, .arg = (void *)"text" };

static void expect_whole(const struct cache_entry *entry)
{
	cr_assert(entry);
	cr_expect(faccessat(entry->fd, "a", F_OK, 0) == 0);
	cr_expect(faccessat(entry->fd, "z", F_OK, 0) == 0);
}

/** Nothing that is to be deleted is left after the next run. */
static void expect_clean(void)
{
	cr_assert_null(cache_clean(".", false));
	cr_expect_eq(count(".[!.]*"), 0);
}

static struct cache_entry *get(const struct cache_recipe *how)
{
	struct cache_entry *entry = NULL;

	expect_success(cache_get(path, how, &entry));
	return entry;
}

static bool evict(void)
{
	bool gone = false;

	cr_assert_null(cache_evict(path, false, &gone));
	return gone;
}

static void end(pid_t pid)
{
	kill(pid, SIGKILL);
	cr_assert_eq(waitpid(pid, NULL, 0), pid);
}

/** Start to make the entry, and die of it. */
static void die_making(bool keeps_partial)
{
	const struct cache_recipe hanging =
		RECIPE(make_and_hang, "", .keeps_partial = keeps_partial);
	pid_t pid = fork();

	if (pid == 0) {
		get(&hanging);
		_exit(1);
	}
	while (!count(".partial.entry/left"))
		usleep(1000);
	end(pid);
}

/** In four processes at once. @param[in] work Whether all went well. */
static void in_four(bool (*work)(void), int rounds)
{
	for (int i = 0; i < 4; i++) {
		bool is_good = true;

		if (fork() != 0)
			continue;
		for (int j = 0; j < rounds && is_good; j++)
			is_good = work();
		_exit(is_good ? 0 : 1);
	}
	for (int i = 0; i < 4; i++) {
		int status;

		cr_assert(wait(&status) > 0);
		cr_expect_eq(status, 0);
	}
}

/** What is there is whole. */
static bool use(void)
{
	_cleanup_cache_entry_ struct cache_entry *entry = get(&recipe);

	return is_there(path, "a") && is_there(path, "z");
}

Test(cache, an_entry_is_made_once)
{
	_cleanup_cache_entry_ struct cache_entry *first = get(&recipe);
	_cleanup_cache_entry_ struct cache_entry *second = get(&recipe);

	expect_whole(first);
	cr_expect(first->made);
	cr_expect_not(second->made);
	cr_expect_str_eq(second->path, path);
	cr_expect_eq(count("made.*"), 1);
	cr_expect_eq(count(".[!.]*"), 0);
}

Test(cache, who_comes_second_waits_and_finds_it)
{
	in_four(use, 1);
	cr_expect_eq(count("made.*"), 1);
}

Test(cache, who_dies_making_it_leaves_nothing_under_its_name)
{
	die_making(false);
	cr_expect_not(directory_exists(path));
	cr_assert_null(directory_create(".partial.other"));

	_cleanup_cache_entry_ struct cache_entry *entry = get(&recipe);

	expect_whole(entry);
	cr_expect_not(is_there(path, "left"));
	cr_expect_eq(count(".[!.]*"), 0);
}

Test(cache, what_a_dead_run_has_left_can_be_kept)
{
	const struct cache_recipe keeping =
		RECIPE(make, "", .keeps_partial = true);

	die_making(true);

	_cleanup_cache_entry_ struct cache_entry *entry = get(&keeping);

	expect_whole(entry);
	cr_expect(is_there(path, "left"));
}

Test(cache, a_failure_leaves_nothing_unless_it_is_kept)
{
	for (int keeps = 0; keeps < 2; keeps++) {
		const struct cache_recipe failing =
			RECIPE(make_and_fail, "", .keeps_partial = keeps);
		struct cache_entry *entry = NULL;

		expect_failure(cache_get(path, &failing, &entry), "as it must");
		cr_expect_null(entry);
		cr_expect_eq(count("*"), 0);
		cr_expect_eq(count(".partial.entry/left"), (size_t)keeps);
	}
}

Test(cache, an_entry_in_use_is_not_evicted)
{
	struct cache_entry *entry = get(&recipe);

	cr_expect_not(evict());
	expect_whole(entry);
	cache_release(entry);
	cr_expect(evict());
	cr_expect_eq(count("entry"), 0);
	cr_expect_eq(count(".[!.]*"), 0);
	cr_expect(evict());
	// A file is deleted too.
	put_file(".", "entry", "");
	cr_expect(evict());
	cr_expect_eq(count("entry"), 0);
}

Test(cache, who_dies_deleting_leaves_nothing_under_its_name)
{
	enum {
		FILES = 5000,
	};
	pid_t pid;

	cr_assert_null(directory_create(path));
	for (int i = 0; i < FILES; i++) {
		_cleanup_free_ char *link = string_format("entry/%d", i);

		cr_assert_eq(symlink("nothing", link), 0);
	}
	pid = fork();
	if (pid == 0) {
		evict();
		_exit(0);
	}
	while (count("entry/*") == FILES && !count(".vmtest-deleted.*/*"))
		;
	end(pid);
	cr_expect_not(directory_exists(path));
	expect_clean();
}

Test(cache, what_is_being_deleted_is_not_used)
{
	_cleanup_close_ int fd = -1;
	struct cache_entry *entry = NULL;

	cr_assert_null(directory_create(path));
	fd = open(path, O_RDONLY | O_DIRECTORY);
	cr_assert_eq(flock(fd, LOCK_EX | LOCK_NB), 0);
	cr_assert_null(cache_hold(path, &entry));
	cr_expect_null(entry);
	cr_assert_eq(flock(fd, LOCK_UN), 0);
	cr_assert_null(cache_hold(path, &entry));
	cr_expect(entry);
	cache_release(entry);
}

static struct error *is_new(void *arg, const char *directory, bool *good_ret)
{
	_cleanup_free_ char *file = path_join(directory, "a"), *text = NULL;
	struct error *err = file_read(file, 100, &text, NULL);

	*good_ret = !err && strcmp(text, arg) == 0;
	return err;
}

Test(cache, one_that_will_not_do_is_replaced_and_its_users_go_on)
{
	const struct cache_recipe newer = RECIPE(make, "new", .check = is_new);
	struct cache_entry *old = get(&recipe);
	_cleanup_cache_entry_ struct cache_entry *entry = get(&newer);

	cr_expect(entry->made);
	expect_whole(entry);
	expect_whole(old);
	cache_release(old);
	old = get(&newer);
	cr_expect_not(old->made);
	cache_release(old);
	cr_expect_eq(count("made.*"), 2);
	expect_clean();
}

static struct error *make_at_once(void *arg, const char *directory)
{
	put_file(directory, "a", arg);
	return NULL;
}

Test(cache, there_is_always_one_while_it_is_replaced)
{
	const struct cache_recipe forced =
		RECIPE(make_at_once, "", .force = true);
	int status;
	pid_t pid;

	cache_release(get(&forced));
	pid = fork();
	if (pid == 0) {
		for (int i = 0; i < 200; i++) {
			struct cache_entry *entry = get(&forced);

			if (!entry->made)
				_exit(1);
			cache_release(entry);
		}
		_exit(0);
	}
	while (waitpid(pid, &status, WNOHANG) == 0)
		cr_assert(is_there(path, "a"));
	cr_expect_eq(status, 0);
}

static bool use_and_evict(void)
{
	bool is_whole = use();

	evict();
	return is_whole;
}

Test(cache, an_entry_is_whole_whoever_makes_and_evicts_it)
{
	in_four(use_and_evict, 20);
	expect_clean();
	cr_expect_eq(count("entry"), 0);
}

/** Work in the directory alone, as make does, and delete it. */
static bool work_alone(void)
{
	struct error *err;
	_cleanup_close_ int fd = -1;
	_cleanup_free_ char *file = string_format("entry/%d", getpid());
	bool is_alone;

	err = directory_lock(path, &fd);
	if (!err)
		err = file_write(file, "", 0);
	usleep(2000);
	is_alone = !err && file_exists(file) && count("entry/*") == 1;
	if (!err)
		err = cache_discard(path);
	error_destroy(err);
	return is_alone && !err;
}

Test(cache, who_works_in_a_directory_and_discards_it_is_alone)
{
	in_four(work_alone, 20);
	cr_expect_eq(count("entry"), 0);
	cr_expect_eq(count(".[!.]*"), 0);
}

Test(cache, what_others_can_change_is_not_used)
{
	static const struct {
		// Of the directory, of a parent of entries, and of an entry.
		mode_t modes[3];
		const char *words;
	} rows[] = {
		{ { 0755, 0755, 0755 }, NULL },
		{ { 0777, 0755, 0755 }, "cache may be written to by others" },
		{ { 01777, 0755, 0755 }, "cache may be written to by others" },
		{ { 0755, 0777, 0755 }, "cache/arch/ may be written to by" },
		{ { 0755, 0755, 0757 }, "cache/arch/entry may be written to by" },
		// Others do not get there.
		{ { 0700, 0777, 0777 }, NULL },
	};
	static const char *const paths[] = { "cache", "cache/arch",
					     "cache/arch/entry" };

	expect_success(cache_check("cache", geteuid()));
	put_file(".", "cache/arch/entry/file", "");
	put_file(".", "cache/arch/log", "");
	cr_assert_eq(chmod("cache/arch/log", 0666), 0);
	for (size_t i = 0; i < array_size(rows); i++) {
		for (size_t j = 0; j < array_size(paths); j++)
			cr_assert_eq(chmod(paths[j], rows[i].modes[j]), 0);
		expect_outcome(cache_check("cache", geteuid()), rows[i].words);
	}
	// Not even root takes another's; root's is everybody's.
	if (geteuid() != 0)
		return;
	expect_success(cache_check("cache", 65534));
	cr_assert_eq(chown("cache", 65534, 65534), 0);
	expect_success(cache_check("cache", 65534));
	expect_kind(cache_check("cache", 0), ERROR_USAGE, "cache belongs to ");
}
