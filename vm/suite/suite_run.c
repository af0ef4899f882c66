// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/suite/suite.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "common/base/error.h"
#include "common/base/file.h"
#include "common/base/interrupt.h"
#include "common/base/json.h"
#include "common/base/memory.h"
#include "common/base/system.h"
#include "common/base/text.h"
#include "common/process/process.h"
#include "vm/guest/guest.h"
#include "vm/suite/logs.h"

enum {
	RESULT_LIMIT_BYTES = 1 << 20,
	END_POLL_MS = 200,
	/** For children that are asked to end, to remove what they were making. */
	END_LIMIT_MS = 10000,
};

/** A child that downloads a kernel, builds its module, or runs its guest. */
struct suite_worker {
	/** NULL while there is nothing to do. */
	struct process *process;
	struct suite_item *item;
	/** What a download or a module prints, in memory. */
	int output_fd;
};

struct suite_runner {
	const struct suite_run_options *options;
	const struct suite *suite;
	struct suite_observer *observer;
	/** The first one downloads, the others run guests. */
	struct suite_worker *workers;
	size_t worker_count;
	/** One for each worker, and the last for signals. */
	struct pollfd *fds;
};

/** End the child, if there is one still. */
static void worker_reset(struct suite_worker *worker)
{
	process_destroy(worker->process);
	cleanup_close(&worker->output_fd);
	*worker = (struct suite_worker){ .output_fd = -1 };
}

static void runner_deinit(struct suite_runner *runner)
{
	for (size_t i = 0; i < runner->worker_count; i++)
		worker_reset(&runner->workers[i]);
	free(runner->workers);
	free(runner->fds);
}

#define _cleanup_runner_ _cleanup_(runner_deinit)

static void runner_init(struct suite_runner *runner)
{
	size_t count = (size_t)runner->options->jobs + 1;

	// More than there are kernels would have nothing to do.
	if (count > runner->suite->count + 1)
		count = runner->suite->count + 1;
	runner->workers = memory_allocate(count, sizeof(*runner->workers));
	runner->worker_count = count;
	for (size_t i = 0; i < count; i++)
		runner->workers[i].output_fd = -1;
	runner->fds = memory_allocate(count + 1, sizeof(*runner->fds));
	runner->fds[count] = (struct pollfd){ interrupt_fd(), POLLIN, 0 };
}

/** A file of the item's in the directory of logs: `NAME.json`, `NAME.2.json`. */
static char *log_path(const struct suite_run_options *options,
		      const struct suite_item *item, const char *suffix)
{
	if (item->attempts <= 1)
		return path_joinf(options->log_directory, "%s%s", item->name,
				  suffix);
	return path_joinf(options->log_directory, "%s.%u%s", item->name,
			  item->attempts, suffix);
}

/** Open the item's log; a download and the run after it share one. */
static struct error *open_log(const struct suite_run_options *options,
			      struct suite_item *item, int *fd_ret)
{
	int flags = O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC;
	_cleanup_free_ char *path = log_path(options, item, ".log");

	// Of an earlier run in this directory.
	if (!item->log_path || strcmp(item->log_path, path) != 0)
		flags |= O_TRUNC;
	*fd_ret = open(path, flags, 0666);
	if (*fd_ret < 0)
		return error_create_os(errno, "open %s", path);
	free(item->log_path);
	item->log_path = take_ptr(path);
	return NULL;
}

/** Begin a command line of vmtest-vm about a kernel. */
static void add_words(const char *program, const char *command,
		      const struct string_list *options,
		      const struct suite_item *item,
		      struct string_list *arguments)
{
	string_list_add(arguments, program);
	string_list_add(arguments, command);
	for (size_t i = 0; i < options->count; i++)
		string_list_add(arguments, options->items[i]);
	string_list_addf(arguments, "--arch=%s", item->arch);
	string_list_addf(arguments, "--kernel=%s", item->kernel);
}

static struct error *spawn(struct suite_worker *worker,
			   const struct string_list *arguments, int stdout_fd,
			   int stderr_fd, enum suite_state state)
{
	struct error *err;

	const struct process_options options = {
		.arguments = (const char *const *)arguments->items,
		// They download, too.
		.keeps_tokens = true,
		.stdout_fd = &stdout_fd,
		.stderr_fd = &stderr_fd,
	};
	err = process_spawn(&options, &worker->process);
	if (!err)
		worker->item->state = state;
	return err;
}

/**
 * Start what prepares a kernel. Its output is for us (the module's path would
 * be the log of a test that prints nothing), and what it complains of goes to
 * the kernel's log.
 */
static struct error *start_preparation(struct suite_worker *worker,
				       const struct suite_run_options *options)
{
	struct error *err;

	struct suite_item *item = worker->item;
	bool is_download = !item->path;
	_cleanup_close_ int log_fd = -1;
	err = open_log(options, item, &log_fd);
	if (err)
		return err;
	worker->output_fd = memfd_create("output", MFD_CLOEXEC);
	if (worker->output_fd < 0)
		return error_create_os(errno, "memfd_create");
	_cleanup_string_list_ struct string_list arguments = { 0 };
	add_words(options->program, is_download ? "download" : "module",
		  is_download ? options->download_options
			      : options->module_options,
		  item, &arguments);
	string_list_add(&arguments, "--quiet");
	if (is_download)
		string_list_add(&arguments, "--json");
	return spawn(worker, &arguments, worker->output_fd, log_fd,
		     is_download ? SUITE_DOWNLOADING : SUITE_BUILDING);
}

static struct error *start_run(struct suite_worker *worker,
			       const struct suite_run_options *options)
{
	struct error *err;

	struct suite_item *item = worker->item;
	_cleanup_close_ int log_fd = -1;
	item->attempts++;
	err = open_log(options, item, &log_fd);
	if (err)
		return err;
	free(item->console_path);
	item->console_path = log_path(options, item, ".console.log");
	_cleanup_free_ char *result_path = log_path(options, item, ".json");
	err = file_delete(result_path);
	if (err)
		return err;
	_cleanup_string_list_ struct string_list arguments = { 0 };
	add_words(options->program, "run", options->run_options, item,
		  &arguments);
	string_list_addf(&arguments, "--result=%s", result_path);
	string_list_addf(&arguments, "--console-log=%s", item->console_path);
	string_list_add(&arguments, "--");
	for (char *const *word = options->command; *word; word++)
		string_list_add(&arguments, *word);
	return spawn(worker, &arguments, log_fd, log_fd, SUITE_RUNNING);
}

static char *describe_status(const struct process_status *status)
{
	if (status->signal)
		return string_format("vmtest-vm was killed by signal %d",
				     status->signal);
	return string_format("vmtest-vm ended with status %d",
			     status->exit_status);
}

/** What failed is not run; why, say the child's own words: its log's last. */
static void explain(struct suite_item *item, const struct process_status *status)
{
	static const char prefix[] = "vmtest-vm: error: ";
	_cleanup_free_ char *line = logs_tail(item->log_path, 1, 4096);
	_cleanup_free_ char *fallback = describe_status(status);
	const char *text = line;

	if (strncmp(text, prefix, strlen(prefix)) == 0)
		text += strlen(prefix);
	item->state = SUITE_NOT_RUN;
	suite_item_explain(item, "%s", *text && *text != '\n' ? text : fallback);
}

static bool has_failed(const struct process_status *status)
{
	return status->exit_status || status->signal;
}

/** Read what `download --json` has printed of its one kernel. */
static struct error *read_download(struct suite_item *item, int output_fd)
{
	static const struct value_row rows[] = {
		VALUE_REQUIRED("path", value_copy, struct suite_item, path),
		VALUE_NUMBER("download_ms", 0, INT64_MAX, struct suite_item,
			     phase_ms[SUITE_DOWNLOAD]),
		VALUE_NUMBER("unpack_ms", 0, INT64_MAX, struct suite_item,
			     phase_ms[SUITE_UNPACK]),
	};
	struct error *err;
	char text[16384];

	ssize_t size = pread(output_fd, text, sizeof(text), 0);
	if (size < 0)
		return error_create_os(errno, "read what was downloaded");
	_cleanup_value_ struct value document = { 0 };
	err = value_parse(text, (size_t)size, "what was downloaded",
			  ERROR_OTHER, &document);
	if (err)
		return err;
	const struct value download = value_item(&document, 0);
	return value_read(&download, rows, array_size(rows), item);
}

static void finish_download(struct suite_worker *worker,
			    const struct process_status *status)
{
	struct suite_item *item = worker->item;

	if (has_failed(status)) {
		explain(item, status);
		return;
	}
	_cleanup_error_ struct error *err =
		read_download(item, worker->output_fd);
	item->state = err ? SUITE_NOT_RUN : SUITE_WAITING;
	if (err)
		suite_item_explain(item, "%s", error_message(err));
}

static void finish_module(struct suite_item *item,
			  const struct process_status *status)
{
	item->needs_module = false;
	item->phase_ms[SUITE_MODULE] = monotonic_ms() - item->since_ms;
	item->state = SUITE_WAITING;
	if (has_failed(status))
		explain(item, status);
}

static struct error *finish_run(const struct suite_run_options *options,
				struct suite_item *item,
				const struct process_status *status)
{
	struct error *err;

	_cleanup_free_ char *path = log_path(options, item, ".json");
	_cleanup_free_ char *text = NULL;
	_cleanup_run_result_ struct run_result result = { 0 };
	err = file_read(path, RESULT_LIMIT_BYTES, &text, NULL);
	// It was killed, or did not get so far.
	if (error_catch(&err, ERROR_NOT_FOUND)) {
		if (!status->signal) {
			explain(item, status);
			return NULL;
		}
		result.outcome = RUN_LOST;
		result.reason = describe_status(status);
	} else if (!err) {
		err = run_result_parse(text, path, &result);
	}
	if (!err)
		suite_item_conclude(item, &result);
	return err;
}

/** Note a state that the item has come into, and tell. */
static void runner_announce(struct suite_runner *runner, struct suite_item *item)
{
	item->since_ms = monotonic_ms();
	runner->observer->changed(runner->observer, item);
}

static struct suite_item *next_item(const struct suite_runner *runner,
				    bool on_disk)
{
	for (size_t i = 0; i < runner->suite->count; i++) {
		struct suite_item *item = &runner->suite->items[i];

		if (item->state == SUITE_WAITING && !item->path == !on_disk)
			return item;
	}
	return NULL;
}

/** Give idle workers something to do. */
static struct error *start_what_can_be(struct suite_runner *runner)
{
	for (size_t i = 0; i < runner->worker_count; i++) {
		struct error *err;
		struct suite_worker *worker = &runner->workers[i];
		struct suite_item *item = next_item(runner, i > 0);

		if (worker->process || !item)
			continue;
		worker->item = item;
		err = item->path && !item->needs_module
			      ? start_run(worker, runner->options)
			      : start_preparation(worker, runner->options);
		if (err)
			return err;
		runner_announce(runner, item);
	}
	return NULL;
}

/**
 * Bring a child that has ended to account: its kernel comes into the state,
 * with the reason, that follow from its status and what it has left.
 */
static struct error *finish_worker(struct suite_runner *runner,
				   struct suite_worker *worker)
{
	struct error *err;

	struct suite_item *item = worker->item;
	struct process_status status;
	err = process_wait(worker->process, 0, &status);
	if (err)
		return err;
	if (item->state == SUITE_DOWNLOADING)
		finish_download(worker, &status);
	else if (item->state == SUITE_BUILDING)
		finish_module(item, &status);
	else
		err = finish_run(runner->options, item, &status);
	worker_reset(worker);
	if (!err)
		runner_announce(runner, item);
	return err;
}

/** @return Whether there was anything to wait for. */
static bool runner_poll(struct suite_runner *runner, int timeout_ms)
{
	bool any = false;

	for (size_t i = 0; i < runner->worker_count; i++) {
		const struct suite_worker *worker = &runner->workers[i];

		runner->fds[i] = (struct pollfd){ -1, POLLIN, 0 };
		if (!worker->process)
			continue;
		runner->fds[i].fd = process_fd(worker->process);
		any = true;
	}
	// Interrupted or failed, it says that nothing has happened.
	if (any && poll(runner->fds, runner->worker_count + 1, timeout_ms) <= 0) {
		for (size_t i = 0; i <= runner->worker_count; i++)
			runner->fds[i].revents = 0;
	}
	return any;
}

/** End what runs, letting it clean up. */
static void runner_stop(struct suite_runner *runner)
{
	uint64_t deadline_ms = monotonic_ms() + END_LIMIT_MS;

	for (size_t i = 0; i < runner->worker_count; i++) {
		if (runner->workers[i].process)
			process_kill(runner->workers[i].process, SIGTERM);
	}
	runner->fds[runner->worker_count].fd = -1;
	while (monotonic_ms() < deadline_ms && runner_poll(runner, END_POLL_MS)) {
		for (size_t i = 0; i < runner->worker_count; i++) {
			if (runner->fds[i].revents)
				worker_reset(&runner->workers[i]);
		}
	}
	for (size_t i = 0; i < runner->worker_count; i++)
		worker_reset(&runner->workers[i]);
	for (size_t i = 0; i < runner->suite->count; i++) {
		if (suite_state_is_end(runner->suite->items[i].state))
			continue;
		runner->suite->items[i].state = SUITE_INTERRUPTED;
		runner_announce(runner, &runner->suite->items[i]);
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
		for (size_t i = 0; i < runner->worker_count && !err; i++) {
			if (runner->fds[i].revents)
				err = finish_worker(runner, &runner->workers[i]);
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
	};

	runner_init(&runner);
	err = runner_loop(&runner);
	if (err)
		runner_stop(&runner);
	return err;
}
