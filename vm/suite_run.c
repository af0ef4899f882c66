// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/suite_run.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/error.h"
#include "common/file.h"
#include "common/interrupt.h"
#include "common/process.h"
#include "common/string_list.h"
#include "vm/log_text.h"
#include "vm/run_result.h"
#include "vm/suite.h"

enum {
	TICK_MS = 200,
	/** For children that are asked to end, to remove what they were making. */
	END_LIMIT_MS = 10000,
	RESULT_LIMIT_BYTES = 1 << 20,
};

/** A child and the kernel that it works on; idle if it has no process. */
struct worker {
	struct process *process;
	struct suite_item *item;
	/** What a download or a module prints, in memory. */
	int output_fd;
	/** What a run writes. */
	char *result_path;
};

struct suite_runner {
	const struct suite_run_options *options;
	struct suite_item *items;
	size_t count;
	struct suite_observer *observer;
	/** The first one downloads, the others run guests. */
	struct worker *workers;
	size_t worker_count;
	int interrupt_fd;
};

static bool worker_is_idle(const struct worker *worker)
{
	return !worker->process;
}

static void worker_reset(struct worker *worker)
{
	process_destroy(worker->process);
	cleanup_close(&worker->output_fd);
	free(worker->result_path);
	*worker = (struct worker){ .output_fd = -1 };
}

static void runner_deinit(struct suite_runner *runner)
{
	for (size_t i = 0; i < runner->worker_count; i++)
		worker_reset(&runner->workers[i]);
	free(runner->workers);
	cleanup_close(&runner->interrupt_fd);
}

#define _cleanup_runner_ _cleanup_(runner_deinit)

static struct error *runner_init(struct suite_runner *runner)
{
	size_t count = (size_t)runner->options->jobs + 1;

	// More than there are kernels would have nothing to do.
	if (count > runner->count + 1)
		count = runner->count + 1;
	runner->workers = calloc(count, sizeof(*runner->workers));
	if (!runner->workers)
		return error_no_memory();
	runner->worker_count = count;
	for (size_t i = 0; i < count; i++)
		runner->workers[i].output_fd = -1;
	return interrupt_open(&runner->interrupt_fd);
}

/** Note a state that the item has come into, and tell. */
static void runner_announce(struct suite_runner *runner, struct suite_item *item)
{
	item->since_ms = monotonic_ms();
	runner->observer->changed(runner->observer, item);
}

/** A file of the item's in the folder of logs: `NAME.json`, `NAME.2.json`. */
static struct error *log_path(const struct suite_runner *runner,
			      const struct suite_item *item, const char *suffix,
			      char **ret)
{
	char number[16] = "";

	free(take_ptr(*ret));
	if (item->attempts > 1)
		snprintf(number, sizeof(number), ".%u", item->attempts);
	return path_joinf(ret, runner->options->log_directory, "%s%s%s",
			  item->name, number, suffix);
}

/** Open the item's log; a download and the run after it share one. */
static struct error *open_log(const struct suite_runner *runner,
			      struct suite_item *item, int *fd_ret)
{
	struct error *err;

	_cleanup_free_ char *path = NULL;
	int flags = O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC;

	err = log_path(runner, item, ".log", &path);
	if (err)
		return err;
	// Of an earlier run in this folder.
	if (!item->log_path || strcmp(item->log_path, path) != 0)
		flags |= O_TRUNC;
	*fd_ret = open(path, flags, 0666);
	if (*fd_ret < 0)
		return error_create_os(errno, "open %s", path);
	free(item->log_path);
	item->log_path = take_ptr(path);
	return NULL;
}

static void add_all(struct string_list *list, const struct string_list *more)
{
	for (size_t i = 0; i < more->count; i++)
		string_list_add(list, more->items[i]);
}

static void add_kernel(struct string_list *arguments,
		       const struct suite_item *item)
{
	string_list_addf(arguments, "--arch=%s", item->arch);
	string_list_addf(arguments, "--kernel=%s", item->kernel);
}

static struct error *worker_spawn(struct worker *worker,
				  const struct string_list *arguments,
				  int stdout_fd, int stderr_fd)
{
	struct error *err;

	const struct process_options options = {
		.arguments = (const char *const *)arguments->items,
		// They download, too.
		.keeps_token = true,
		.stdout_fd = stdout_fd,
		.stderr_fd = stderr_fd,
	};

	err = string_list_check(arguments);
	if (err)
		return err;
	return process_spawn(&options, &worker->process);
}

/**
 * Start what prepares a kernel: its own output is for us, what it complains of
 * goes to the kernel's log.
 */
static struct error *start_preparation(struct suite_runner *runner,
				       struct worker *worker,
				       struct suite_item *item,
				       const struct string_list *arguments,
				       enum suite_state state)
{
	struct error *err;

	_cleanup_close_ int log_fd = -1;

	err = open_log(runner, item, &log_fd);
	if (err)
		return err;
	worker->item = item;
	worker->output_fd = memfd_create("output", MFD_CLOEXEC);
	if (worker->output_fd < 0)
		return error_create_os(errno, "memfd_create");
	err = worker_spawn(worker, arguments, worker->output_fd, log_fd);
	if (err)
		return err;
	item->state = state;
	runner_announce(runner, item);
	return NULL;
}

static struct error *start_download(struct suite_runner *runner,
				    struct worker *worker,
				    struct suite_item *item)
{
	const struct suite_run_options *options = runner->options;
	_cleanup_string_list_ struct string_list arguments = STRING_LIST_INIT;

	string_list_add(&arguments, options->program);
	string_list_add(&arguments, "download");
	string_list_add(&arguments, "--quiet");
	string_list_add(&arguments, "--json");
	add_all(&arguments, options->download_options);
	add_kernel(&arguments, item);
	return start_preparation(runner, worker, item, &arguments,
				 SUITE_DOWNLOADING);
}

static struct error *start_module(struct suite_runner *runner,
				  struct worker *worker, struct suite_item *item)
{
	const struct suite_run_options *options = runner->options;
	_cleanup_string_list_ struct string_list arguments = STRING_LIST_INIT;

	string_list_add(&arguments, options->program);
	string_list_add(&arguments, "module");
	string_list_add(&arguments, "--quiet");
	add_all(&arguments, options->module_options);
	add_kernel(&arguments, item);
	// The module's path, which it prints, would be the log of a test that
	// prints nothing.
	return start_preparation(runner, worker, item, &arguments,
				 SUITE_BUILDING);
}

static struct error *start_run(struct suite_runner *runner,
			       struct worker *worker, struct suite_item *item)
{
	struct error *err;

	const struct suite_run_options *options = runner->options;
	_cleanup_string_list_ struct string_list arguments = STRING_LIST_INIT;
	_cleanup_close_ int log_fd = -1;

	item->attempts++;
	worker->item = item;
	err = open_log(runner, item, &log_fd);
	if (!err)
		err = log_path(runner, item, ".json", &worker->result_path);
	if (!err)
		err = log_path(runner, item, ".console.log", &item->console_path);
	if (!err)
		err = file_delete(worker->result_path);
	if (err)
		return err;
	string_list_add(&arguments, options->program);
	string_list_add(&arguments, "run");
	add_all(&arguments, options->run_options);
	add_kernel(&arguments, item);
	string_list_addf(&arguments, "--result=%s", worker->result_path);
	string_list_addf(&arguments, "--console-log=%s", item->console_path);
	string_list_add(&arguments, "--");
	for (char *const *word = options->command; *word; word++)
		string_list_add(&arguments, *word);
	err = worker_spawn(worker, &arguments, log_fd, log_fd);
	if (err)
		return err;
	item->state = SUITE_RUNNING;
	runner_announce(runner, item);
	return NULL;
}

static struct suite_item *next_item(const struct suite_runner *runner,
				    bool on_disk)
{
	for (size_t i = 0; i < runner->count; i++) {
		struct suite_item *item = &runner->items[i];

		if (item->state == SUITE_WAITING && !item->path == !on_disk)
			return item;
	}
	return NULL;
}

static struct error *start_next(struct suite_runner *runner,
				struct worker *worker, struct suite_item *item)
{
	if (!item->path)
		return start_download(runner, worker, item);
	if (item->needs_module)
		return start_module(runner, worker, item);
	return start_run(runner, worker, item);
}

/** Give idle workers something to do. */
static struct error *start_what_can_be(struct suite_runner *runner)
{
	for (size_t i = 0; i < runner->worker_count; i++) {
		struct error *err;
		struct worker *worker = &runner->workers[i];
		struct suite_item *item = next_item(runner, i > 0);

		if (!worker_is_idle(worker) || !item)
			continue;
		err = start_next(runner, worker, item);
		if (err)
			return err;
	}
	return NULL;
}

static void describe_status(const struct process_status *status, char *text,
			    size_t size)
{
	if (status->signal)
		snprintf(text, size, "vmtest-vm was killed by signal %d",
			 status->signal);
	else
		snprintf(text, size, "vmtest-vm ended with status %d",
			 status->exit_status);
}

/** The child's own words: the last line of its log. */
static struct error *explain_by_log(struct suite_item *item,
				    const struct process_status *status)
{
	struct error *err;

	static const char prefix[] = "vmtest-vm: error: ";
	_cleanup_free_ char *line = NULL;
	char fallback[64];
	const char *text;

	describe_status(status, fallback, sizeof(fallback));
	err = log_text_tail(item->log_path, 1, 4096, &line);
	if (err)
		return err;
	line[strcspn(line, "\n")] = '\0';
	text = strncmp(line, prefix, strlen(prefix)) == 0 ? line + strlen(prefix)
							  : line;
	return suite_item_explain(item, "%s", *text ? text : fallback);
}

/** Read what `download --json` has printed of its one kernel. */
static struct error *read_download(struct worker *worker)
{
	struct suite_item *item = worker->item;
	char text[16384];
	ssize_t size = pread(worker->output_fd, text, sizeof(text), 0);
	json_t *json, *download;
	const char *path;

	if (size < 0)
		return error_create_os(errno, "read what was downloaded");
	json = json_loadb(text, (size_t)size, 0, NULL);
	download = json_array_get(json, 0);
	path = json_string_value(json_object_get(download, "path"));
	item->path = path ? strdup(path) : NULL;
	item->phase_ms[SUITE_DOWNLOAD] = (uint64_t)json_integer_value(
		json_object_get(download, "download_ms"));
	item->phase_ms[SUITE_UNPACK] = (uint64_t)json_integer_value(
		json_object_get(download, "unpack_ms"));
	json_decref(json);
	return path && !item->path ? error_no_memory() : NULL;
}

static struct error *finish_download(struct worker *worker,
				     const struct process_status *status)
{
	struct error *err;
	struct suite_item *item = worker->item;

	if (!status->exit_status && !status->signal) {
		err = read_download(worker);
		if (err)
			return err;
	}
	item->state = item->path ? SUITE_WAITING : SUITE_NOT_RUN;
	return item->path ? NULL : explain_by_log(item, status);
}

static struct error *finish_module(struct worker *worker,
				   const struct process_status *status)
{
	struct suite_item *item = worker->item;

	item->needs_module = false;
	item->phase_ms[SUITE_MODULE] = monotonic_ms() - item->since_ms;
	item->state = SUITE_WAITING;
	if (!status->exit_status && !status->signal)
		return NULL;
	item->state = SUITE_NOT_RUN;
	return explain_by_log(item, status);
}

/** A run that left no result was killed, or did not get so far. */
static struct error *conclude_without_result(struct suite_item *item,
					     const struct process_status *status)
{
	char text[64];
	const struct run_result result = {
		.outcome = RUN_LOST,
		.reason = text,
	};

	if (!status->signal) {
		item->state = SUITE_NOT_RUN;
		return explain_by_log(item, status);
	}
	describe_status(status, text, sizeof(text));
	return suite_item_conclude(item, &result);
}

static struct error *finish_run(struct worker *worker,
				const struct process_status *status)
{
	struct error *err;

	_cleanup_free_ char *text = NULL;
	_cleanup_run_result_ struct run_result result = { 0 };

	err = file_read(worker->result_path, RESULT_LIMIT_BYTES, &text, NULL);
	if (error_catch(&err, ERROR_NOT_FOUND))
		return conclude_without_result(worker->item, status);
	if (!err)
		err = run_result_parse(text, worker->result_path, &result);
	if (err)
		return err;
	return suite_item_conclude(worker->item, &result);
}

static struct error *conclude(struct worker *worker,
			      const struct process_status *status)
{
	switch (worker->item->state) {
	case SUITE_DOWNLOADING:
		return finish_download(worker, status);
	case SUITE_BUILDING:
		return finish_module(worker, status);
	default:
		return finish_run(worker, status);
	}
}

static struct error *finish_worker(struct suite_runner *runner,
				   struct worker *worker)
{
	struct error *err;

	struct suite_item *item = worker->item;
	struct process_status status;

	err = process_wait(worker->process, 0, &status);
	if (!err)
		err = conclude(worker, &status);
	worker_reset(worker);
	if (!err)
		runner_announce(runner, item);
	return err;
}

/** @return Whether there was anything to wait for. */
static bool runner_poll(struct suite_runner *runner, struct pollfd *fds,
			int timeout_ms)
{
	bool any = false;

	for (size_t i = 0; i < runner->worker_count; i++) {
		const struct worker *worker = &runner->workers[i];

		fds[i] = (struct pollfd){ -1, POLLIN, 0 };
		if (worker_is_idle(worker))
			continue;
		fds[i].fd = process_fd(worker->process);
		any = true;
	}
	// Interrupted or failed, it says that nothing has happened.
	if (any && poll(fds, runner->worker_count + 1, timeout_ms) <= 0) {
		for (size_t i = 0; i <= runner->worker_count; i++)
			fds[i].revents = 0;
	}
	return any;
}

/** End what runs, letting it clean up. */
static void runner_stop(struct suite_runner *runner, struct pollfd *fds)
{
	uint64_t deadline_ms = monotonic_ms() + END_LIMIT_MS;

	for (size_t i = 0; i < runner->worker_count; i++) {
		if (!worker_is_idle(&runner->workers[i]))
			process_kill(runner->workers[i].process, SIGTERM);
	}
	fds[runner->worker_count].fd = -1;
	while (monotonic_ms() < deadline_ms && runner_poll(runner, fds, TICK_MS)) {
		for (size_t i = 0; i < runner->worker_count; i++) {
			if (fds[i].revents)
				worker_reset(&runner->workers[i]);
		}
	}
	for (size_t i = 0; i < runner->worker_count; i++)
		worker_reset(&runner->workers[i]);
	for (size_t i = 0; i < runner->count; i++) {
		if (suite_state_is_end(runner->items[i].state))
			continue;
		runner->items[i].state = SUITE_INTERRUPTED;
		runner_announce(runner, &runner->items[i]);
	}
}

static struct error *runner_loop(struct suite_runner *runner, struct pollfd *fds)
{
	struct suite_observer *observer = runner->observer;
	struct error *err = interrupt_check();

	while (!err) {
		err = start_what_can_be(runner);
		if (err || !runner_poll(runner, fds, TICK_MS))
			return err;
		err = interrupt_check();
		for (size_t i = 0; i < runner->worker_count && !err; i++) {
			if (fds[i].revents)
				err = finish_worker(runner, &runner->workers[i]);
		}
		if (!err && observer->tick)
			observer->tick(observer);
	}
	return err;
}

struct error *suite_run(const struct suite_run_options *options,
			struct suite_item *items, size_t count,
			struct suite_observer *observer)
{
	struct error *err;

	_cleanup_runner_ struct suite_runner runner = {
		.options = options,
		.items = items,
		.count = count,
		.observer = observer,
		.interrupt_fd = -1,
	};
	_cleanup_free_ struct pollfd *fds = NULL;

	err = runner_init(&runner);
	if (err)
		return err;
	fds = calloc(runner.worker_count + 1, sizeof(*fds));
	if (!fds)
		return error_no_memory();
	fds[runner.worker_count] =
		(struct pollfd){ runner.interrupt_fd, POLLIN, 0 };
	err = runner_loop(&runner, fds);
	if (err)
		runner_stop(&runner, fds);
	return err;
}
