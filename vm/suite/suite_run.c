// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/suite/suite.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/base/error.h"
#include "common/base/file.h"
#include "common/base/interrupt.h"
#include "common/base/log.h"
#include "common/base/memory.h"
#include "common/base/system.h"
#include "common/base/text.h"
#include "common/cache/cache.h"
#include "common/process/process.h"
#include "vm/guest/guest.h"
#include "vm/module/module.h"

enum {
	RESULT_LIMIT_BYTES = 1 << 20,
	/** Of a failure's log. */
	REPORT_LINES = 200,
	REPORT_BYTES = 32 << 10,
	END_POLL_MS = 200,
	/** For children that are asked to end, to remove what they were making. */
	END_LIMIT_MS = 10000,
};

struct suite_runner {
	const struct suite_run_options *options;
	const struct suite *suite;
	struct suite_observer *observer;
	/**
	 * For each item what downloads it, builds its module, or runs its
	 * guest; NULL while nothing does.
	 */
	struct process **children;
	/** One for each child, and the last for signals. */
	struct pollfd *fds;
};

/** End the child, if there is one still. */
static void runner_reset(struct suite_runner *runner, size_t index)
{
	process_destroy(take_ptr(runner->children[index]));
}

static void runner_deinit(struct suite_runner *runner)
{
	for (size_t i = 0; i < runner->suite->count; i++)
		runner_reset(runner, i);
	free(runner->children);
	free(runner->fds);
}

#define _cleanup_runner_ _cleanup_(runner_deinit)

/** `20260131-120000-4711`, so that the order of names is that of time. */
static int is_log_directory(const struct dirent *entry)
{
	const char *name = entry->d_name;

	return strlen(name) > strlen("20260131-120000-") && name[8] == '-' &&
	       name[15] == '-' && !name[strspn(name, "0123456789-")];
}

struct error *suite_log_directory_create(const char *parent, int keep,
					 char **path_ret)
{
	struct error *err;

	time_t now = time(NULL);
	struct tm local;
	char text[32];
	strftime(text, sizeof(text), "%Y%m%d-%H%M%S", localtime_r(&now, &local));
	_cleanup_free_ char *path =
		path_joinf(parent, "%s-%ld", text, (long)getpid());
	err = directory_create(path);
	if (err)
		return err;
	struct dirent **entries;
	int count = scandir(parent, &entries, is_log_directory, alphasort);
	if (count < 0)
		return error_create_os(errno, "read %s", parent);
	for (int i = 0; i < count; i++) {
		_cleanup_free_ char *old = path_join(parent, entries[i]->d_name);

		if (!err && i < count - keep)
			err = directory_remove(old);
		free(entries[i]);
	}
	free(entries);
	if (!err)
		*path_ret = take_ptr(path);
	return err;
}

/** A file of a guest's in the directory of logs: `NAME.json`, `NAME.2.json`. */
static char *log_path(const struct suite_run_options *options,
		      const struct suite_item *item, unsigned int guest,
		      const char *suffix)
{
	if (guest <= 1)
		return path_joinf(options->log_directory, "%s%s", item->name,
				  suffix);
	return path_joinf(options->log_directory, "%s.%u%s", item->name, guest,
			  suffix);
}

/** Open a guest's log, which it shares with a download before it. */
static struct error *open_log(const struct suite_run_options *options,
			      struct suite_item *item, unsigned int guest,
			      int *fd_ret)
{
	struct error *err;

	_cleanup_free_ char *path = log_path(options, item, guest, ".log");
	if (item->log_path && strcmp(item->log_path, path) == 0) {
		*fd_ret =
			open(path, O_WRONLY | O_APPEND | O_NOFOLLOW | O_CLOEXEC);
		if (*fd_ret < 0)
			return error_create_os(errno, "open %s", path);
		return NULL;
	}
	// In place of that of an earlier run in this directory.
	err = file_create(path, fd_ret);
	if (err)
		return err;
	free(item->log_path);
	item->log_path = take_ptr(path);
	return NULL;
}

/** Tell that the item has come into a state. */
static void announce(const struct suite_runner *runner, struct suite_item *item)
{
	item->since_ms = monotonic_ms();
	if (suite_state_is_failure(item->state)) {
		_cleanup_free_ char *text =
			output_tail(item->log_path, REPORT_LINES, REPORT_BYTES);

		free(item->log_end);
		item->log_end = *text ? take_ptr(text) : NULL;
	}
	runner->observer->changed(runner->observer, item);
}

/** The words of a run, which names its files by the attempt. */
static struct error *add_run_words(struct string_list *arguments,
				   const struct suite_run_options *options,
				   struct suite_item *item)
{
	struct error *err;

	free(item->console_path);
	item->console_path =
		log_path(options, item, item->guests, ".console.log");
	_cleanup_free_ char *result_path =
		log_path(options, item, item->guests, ".json");
	// A link that a project has there may lead to a terminal.
	err = file_delete(item->console_path);
	if (!err)
		err = file_delete(result_path);
	if (err)
		return err;
	string_list_addf(arguments, "--dump-directory=%s",
			 options->log_directory);
	string_list_add_all(arguments, &options->run_options);
	string_list_addf(arguments, "--result=%s", result_path);
	string_list_addf(arguments, "--console-log=%s", item->console_path);
	string_list_add(arguments, "--");
	for (char *const *word = options->command; *word; word++)
		string_list_add(arguments, *word);
	return NULL;
}

/** For a private store, and for a guest that is given one by --env. */
static bool needs_tokens(const struct suite_run_options *options,
			 enum suite_state state)
{
	bool needs = state == SUITE_DOWNLOADING;

	for (size_t i = 0; i < options->run_options.count; i++)
		needs |= state == SUITE_RUNNING &&
			 strncmp(options->run_options.items[i], "--env", 5) == 0;
	return needs;
}

/**
 * Start what a kernel waits for. What a download or a module prints is for us
 * (the module's path would be the log of a test that prints nothing), and what
 * they complain of goes to the kernel's log.
 */
static struct error *start(const struct suite_runner *runner, size_t index)
{
	static const char *const commands[] = {
		[SUITE_DOWNLOADING] = "download",
		[SUITE_BUILDING] = "module",
		[SUITE_RUNNING] = "run",
	};
	struct error *err;

	const struct suite_run_options *suite_options = runner->options;
	struct suite_item *item = &runner->suite->items[index];
	enum suite_state state = !item->path	      ? SUITE_DOWNLOADING
				 : item->needs_module ? SUITE_BUILDING
						      : SUITE_RUNNING;
	item->attempts += state == SUITE_RUNNING;
	item->guests += state == SUITE_RUNNING;
	_cleanup_close_ int log_fd = -1;
	err = open_log(suite_options, item,
		       item->guests + (state != SUITE_RUNNING), &log_fd);
	if (err)
		return err;
	_cleanup_string_list_ struct string_list arguments = { 0 };
	string_list_add(&arguments, suite_options->program);
	string_list_add(&arguments, commands[state]);
	string_list_add_all(&arguments, &suite_options->options);
	string_list_addf(&arguments, "--arch=%s", item->arch);
	string_list_addf(&arguments, "--kernel=%s", item->kernel);
	if (state != SUITE_RUNNING)
		string_list_add(&arguments, "--quiet");
	if (state == SUITE_DOWNLOADING)
		string_list_add(&arguments, "--json");
	if (state == SUITE_BUILDING)
		string_list_add_all(&arguments, &suite_options->module_options);
	if (state == SUITE_RUNNING) {
		err = add_run_words(&arguments, suite_options, item);
		if (err)
			return err;
	}
	const struct process_options options = {
		.arguments = (const char *const *)arguments.items,
		.keeps_tokens = needs_tokens(suite_options, state),
		.reads_stdout = state != SUITE_RUNNING,
		.stdout_fd = &log_fd,
		.stderr_fd = &log_fd,
	};
	err = process_spawn(&options, &runner->children[index]);
	if (err)
		return err;
	item->state = state;
	announce(runner, item);
	return NULL;
}

/** What failed is not run; why, say the child's own words: its log's last. */
static void explain(struct suite_item *item, const struct process_status *status)
{
	static const char prefix[] = "vmtest-vm: error: ";
	_cleanup_free_ char *line = output_tail(item->log_path, 1, 4096);
	_cleanup_free_ char *fallback = process_status_text(status, "vmtest-vm");
	const char *text = line;

	if (strncmp(text, prefix, strlen(prefix)) == 0)
		text += strlen(prefix);
	item->state = SUITE_NOT_RUN;
	suite_item_explain(item, "%s", *text && *text != '\n' ? text : fallback);
}

/** Read what `download --json` has printed of its one kernel. */
static void read_download(struct suite_item *item, const char *text, size_t size)
{
	static const struct value_row rows[] = {
		VALUE_REQUIRED("path", value_copy, struct suite_item, path),
		VALUE_NUMBER("download_ms", 0, INT64_MAX, struct suite_item,
			     phase_ms[SUITE_DOWNLOAD]),
		VALUE_NUMBER("unpack_ms", 0, INT64_MAX, struct suite_item,
			     phase_ms[SUITE_UNPACK]),
	};
	_cleanup_value_ struct value document = { 0 };
	_cleanup_error_ struct error *err = value_parse(text, size,
							"what was downloaded",
							ERROR_OTHER, &document);

	if (!err) {
		const struct value download = value_item(&document, 0);

		err = value_read(&download, rows, array_size(rows), item);
	}
	item->is_downloaded = !err;
	if (!err)
		return;
	item->state = SUITE_NOT_RUN;
	suite_item_explain(item, "%s", error_message(err));
}

/** Make room for the kernels that are still to come. */
static void discard(const struct suite_run_options *options,
		    const struct suite_item *item)
{
	const char *directory = options->discard_from;
	bool gone = false;

	if (!directory || !item->is_downloaded ||
	    !suite_state_is_end(item->state))
		return;
	_cleanup_error_ struct error *err = cache_evict(item->path, false, &gone);
	if (!err && gone)
		err = module_remove_all(directory, item->arch, item->path);
	if (err)
		log_warning("--discard: %s", error_message(err));
}

static void finish_run(const struct suite_run_options *options,
		       struct suite_item *item,
		       const struct process_status *status)
{
	_cleanup_error_ struct error *err = NULL;

	_cleanup_free_ char *path =
		log_path(options, item, item->guests, ".json");
	_cleanup_free_ char *text = NULL;
	_cleanup_run_result_ struct run_result result = { 0 };
	err = file_read(path, RESULT_LIMIT_BYTES, &text, NULL);
	if (text)
		err = run_result_parse(text, path, &result);
	if (error_catch(&err, ERROR_NOT_FOUND) && !status->signal) {
		explain(item, status);
		return;
	}
	if (!text || err) {
		result.outcome = RUN_LOST;
		// A guest may have got at it. The other kernels go on.
		result.reason = err ? string_copy(error_message(err))
				    : process_status_text(status, "vmtest-vm");
	}
	suite_item_read_tests(item);
	suite_item_conclude(item, &result, &options->expected);
}

/** Start what there is room for, in order. */
static struct error *start_what_can_be(const struct suite_runner *runner)
{
	struct error *err;
	const struct suite *suite = runner->suite;
	unsigned int downloads = 0, others = 0, ahead = 0;

	for (size_t i = 0; i < suite->count; i++) {
		const struct suite_item *item = &suite->items[i];

		if (runner->children[i])
			++*(item->path ? &others : &downloads);
		ahead += item->is_downloaded && !suite_state_is_end(item->state);
	}
	// Those that are deleted after their tests would fill the disk before.
	if (runner->options->discard_from && ahead > runner->options->jobs)
		downloads++;
	for (size_t i = 0; i < suite->count; i++) {
		bool has_path = suite->items[i].path;
		unsigned int *count = has_path ? &others : &downloads;
		unsigned int limit = has_path ? runner->options->jobs : 1;

		if (suite->items[i].state != SUITE_WAITING || *count >= limit)
			continue;
		err = start(runner, i);
		if (err)
			return err;
		++*count;
	}
	return NULL;
}

/**
 * Bring a child that has ended to account: its kernel comes into the state,
 * with the reason, that follow from its status and what it has left.
 */
static struct error *finish(struct suite_runner *runner, size_t index)
{
	struct error *err;

	struct process *child = runner->children[index];
	struct suite_item *item = &runner->suite->items[index];
	char text[16384];
	size_t size = 0;
	if (item->state == SUITE_DOWNLOADING) {
		err = process_read(child, 0, text, sizeof(text), &size);
		if (err)
			return err;
	}
	struct process_status status;
	err = process_wait(child, 0, &status);
	if (err)
		return err;
	if (item->state == SUITE_RUNNING) {
		finish_run(runner->options, item, &status);
	} else {
		if (item->state == SUITE_BUILDING) {
			item->needs_module = false;
			item->phase_ms[SUITE_MODULE] =
				monotonic_ms() - item->since_ms;
		}
		bool was_download = item->state == SUITE_DOWNLOADING;
		item->state = SUITE_WAITING;
		if (status.exit_status || status.signal)
			explain(item, &status);
		else if (was_download)
			read_download(item, text, size);
	}
	runner_reset(runner, index);
	announce(runner, item);
	discard(runner->options, item);
	return NULL;
}

/** @return Whether there was anything to wait for. */
static bool runner_poll(struct suite_runner *runner, int timeout_ms)
{
	size_t count = runner->suite->count;
	bool any = false;

	for (size_t i = 0; i < count; i++) {
		const struct process *child = runner->children[i];

		any |= child != NULL;
		runner->fds[i] = (struct pollfd){
			.fd = child ? process_fd(child) : -1,
			.events = POLLIN,
		};
	}
	// Interrupted or failed, it says that nothing has happened.
	if (any)
		poll(runner->fds, count + 1, timeout_ms);
	return any;
}

/** End what runs, letting it clean up. */
static void runner_stop(struct suite_runner *runner)
{
	uint64_t deadline_ms = monotonic_ms() + END_LIMIT_MS;
	size_t count = runner->suite->count;

	for (size_t i = 0; i < count; i++) {
		if (runner->children[i])
			process_kill(runner->children[i], SIGTERM);
	}
	runner->fds[count].fd = -1;
	while (monotonic_ms() < deadline_ms && runner_poll(runner, END_POLL_MS)) {
		for (size_t i = 0; i < count; i++) {
			if (runner->fds[i].revents)
				runner_reset(runner, i);
		}
	}
	for (size_t i = 0; i < count; i++) {
		struct suite_item *item = &runner->suite->items[i];

		runner_reset(runner, i);
		if (suite_state_is_end(item->state))
			continue;
		item->state = SUITE_INTERRUPTED;
		announce(runner, item);
	}
}

static struct error *runner_loop(struct suite_runner *runner)
{
	struct error *err = interrupt_check();

	while (!err) {
		err = start_what_can_be(runner);
		if (err || !runner_poll(runner, -1))
			return err;
		err = interrupt_check();
		for (size_t i = 0; i < runner->suite->count && !err; i++) {
			if (runner->fds[i].revents)
				err = finish(runner, i);
		}
	}
	return err;
}

struct error *suite_run(const struct suite_run_options *options,
			const struct suite *suite,
			struct suite_observer *observer)
{
	struct error *err;

	_cleanup_runner_ struct suite_runner runner = {
		.options = options,
		.suite = suite,
		.observer = observer,
		.children =
			memory_allocate(suite->count, sizeof(*runner.children)),
		.fds = memory_allocate(suite->count + 1, sizeof(*runner.fds)),
	};
	runner.fds[suite->count] = (struct pollfd){ interrupt_fd(), POLLIN, 0 };
	err = runner_loop(&runner);
	if (err)
		runner_stop(&runner);
	return err;
}
