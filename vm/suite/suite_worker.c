// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/suite/suite_worker.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "common/base/error.h"
#include "common/base/file.h"
#include "common/base/json.h"
#include "common/base/memory.h"
#include "common/base/string_list.h"
#include "common/base/system.h"
#include "common/process/process.h"
#include "vm/guest/run_result.h"
#include "vm/suite/logs.h"
#include "vm/suite/suite.h"
#include "vm/suite/suite_run.h"

enum {
	RESULT_LIMIT_BYTES = 1 << 20,
};

void suite_worker_reset(struct suite_worker *worker)
{
	process_destroy(worker->process);
	cleanup_close(&worker->output_fd);
	free(worker->result_path);
	*worker = (struct suite_worker)SUITE_WORKER_INIT;
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

/** Begin a command line of vmtest-vm about the worker's kernel. */
static void add_words(const struct suite_worker *worker, const char *program,
		      const char *command, const struct string_list *options,
		      struct string_list *arguments)
{
	string_list_add(arguments, program);
	string_list_add(arguments, command);
	for (size_t i = 0; i < options->count; i++)
		string_list_add(arguments, options->items[i]);
	string_list_addf(arguments, "--arch=%s", worker->item->arch);
	string_list_addf(arguments, "--kernel=%s", worker->item->kernel);
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
	_cleanup_string_list_ struct string_list arguments = STRING_LIST_INIT;
	add_words(worker, options->program, is_download ? "download" : "module",
		  is_download ? options->download_options
			      : options->module_options,
		  &arguments);
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
	worker->result_path = log_path(options, item, ".json");
	free(item->console_path);
	item->console_path = log_path(options, item, ".console.log");
	err = file_delete(worker->result_path);
	if (err)
		return err;
	_cleanup_string_list_ struct string_list arguments = STRING_LIST_INIT;
	add_words(worker, options->program, "run", options->run_options,
		  &arguments);
	string_list_addf(&arguments, "--result=%s", worker->result_path);
	string_list_addf(&arguments, "--console-log=%s", item->console_path);
	string_list_add(&arguments, "--");
	for (char *const *word = options->command; *word; word++)
		string_list_add(&arguments, *word);
	return spawn(worker, &arguments, log_fd, log_fd, SUITE_RUNNING);
}

struct error *suite_worker_start(struct suite_worker *worker,
				 const struct suite_run_options *options,
				 struct suite_item *item)
{
	worker->item = item;
	if (!item->path || item->needs_module)
		return start_preparation(worker, options);
	return start_run(worker, options);
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

static struct error *read_download_item(const struct value *value, void *ret)
{
	static const struct value_row rows[] = {
		VALUE_REQUIRED("path", value_copy, struct suite_item, path),
		VALUE_NUMBER("download_ms", 0, INT64_MAX, struct suite_item,
			     phase_ms[SUITE_DOWNLOAD]),
		VALUE_NUMBER("unpack_ms", 0, INT64_MAX, struct suite_item,
			     phase_ms[SUITE_UNPACK]),
	};

	return value_read(value, rows, array_size(rows), ret);
}

/** Read what `download --json` has printed of its one kernel. */
static struct error *read_download(struct suite_item *item, int output_fd)
{
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
	return read_download_item(&download, item);
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

static struct error *finish_run(struct suite_worker *worker,
				const struct process_status *status)
{
	struct error *err;

	_cleanup_free_ char *text = NULL;
	_cleanup_run_result_ struct run_result result = { 0 };
	err = file_read(worker->result_path, RESULT_LIMIT_BYTES, &text, NULL);
	// It was killed, or did not get so far.
	if (error_catch(&err, ERROR_NOT_FOUND)) {
		if (!status->signal) {
			explain(worker->item, status);
			return NULL;
		}
		result.outcome = RUN_LOST;
		result.reason = describe_status(status);
	} else if (!err) {
		err = run_result_parse(text, worker->result_path, &result);
	}
	if (!err)
		suite_item_conclude(worker->item, &result);
	return err;
}

struct error *suite_worker_finish(struct suite_worker *worker)
{
	struct error *err;

	struct process_status status;
	err = process_wait(worker->process, 0, &status);
	if (!err && worker->item->state == SUITE_DOWNLOADING)
		finish_download(worker, &status);
	else if (!err && worker->item->state == SUITE_BUILDING)
		finish_module(worker->item, &status);
	else if (!err)
		err = finish_run(worker, &status);
	suite_worker_reset(worker);
	return err;
}
