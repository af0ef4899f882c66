// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/suite/suite_worker.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "common/base/error.h"
#include "common/base/file.h"
#include "common/base/string_list.h"
#include "common/process/process.h"
#include "vm/suite/suite.h"
#include "vm/suite/suite_outcome.h"
#include "vm/suite/suite_run.h"

bool suite_worker_is_idle(const struct suite_worker *worker)
{
	return !worker->process;
}

void suite_worker_reset(struct suite_worker *worker)
{
	process_destroy(worker->process);
	cleanup_close(&worker->output_fd);
	free(worker->result_path);
	*worker = (struct suite_worker)SUITE_WORKER_INIT;
}

/** A file of the item's in the folder of logs: `NAME.json`, `NAME.2.json`. */
static struct error *log_path(const struct suite_run_options *options,
			      const struct suite_item *item, const char *suffix,
			      char **ret)
{
	char number[16] = "";

	free(take_ptr(*ret));
	if (item->attempts > 1)
		snprintf(number, sizeof(number), ".%u", item->attempts);
	*ret = path_joinf(options->log_directory, "%s%s%s", item->name, number,
			  suffix);
	return NULL;
}

/** Open the item's log; a download and the run after it share one. */
static struct error *open_log(const struct suite_run_options *options,
			      struct suite_item *item, int *fd_ret)
{
	struct error *err;

	_cleanup_free_ char *path = NULL;
	int flags = O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC;

	err = log_path(options, item, ".log", &path);
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

static struct error *worker_spawn(struct suite_worker *worker,
				  const struct string_list *arguments,
				  int stdout_fd, int stderr_fd)
{
	const struct process_options options = {
		.arguments = (const char *const *)arguments->items,
		// They download, too.
		.keeps_tokens = true,
		.stdout_fd = &stdout_fd,
		.stderr_fd = &stderr_fd,
	};

	return process_spawn(&options, &worker->process);
}

/**
 * Start what prepares a kernel: its own output is for us, what it complains of
 * goes to the kernel's log.
 */
static struct error *start_preparation(struct suite_worker *worker,
				       const struct suite_run_options *options,
				       struct suite_item *item,
				       const struct string_list *arguments,
				       enum suite_state state)
{
	struct error *err;

	_cleanup_close_ int log_fd = -1;

	err = open_log(options, item, &log_fd);
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
	return NULL;
}

static struct error *start_download(struct suite_worker *worker,
				    const struct suite_run_options *options,
				    struct suite_item *item)
{
	_cleanup_string_list_ struct string_list arguments = STRING_LIST_INIT;

	string_list_add(&arguments, options->program);
	string_list_add(&arguments, "download");
	string_list_add(&arguments, "--quiet");
	string_list_add(&arguments, "--json");
	add_all(&arguments, options->download_options);
	add_kernel(&arguments, item);
	return start_preparation(worker, options, item, &arguments,
				 SUITE_DOWNLOADING);
}

static struct error *start_module(struct suite_worker *worker,
				  const struct suite_run_options *options,
				  struct suite_item *item)
{
	_cleanup_string_list_ struct string_list arguments = STRING_LIST_INIT;

	string_list_add(&arguments, options->program);
	string_list_add(&arguments, "module");
	string_list_add(&arguments, "--quiet");
	add_all(&arguments, options->module_options);
	add_kernel(&arguments, item);
	// The module's path, which it prints, would be the log of a test that
	// prints nothing.
	return start_preparation(worker, options, item, &arguments,
				 SUITE_BUILDING);
}

static struct error *start_run(struct suite_worker *worker,
			       const struct suite_run_options *options,
			       struct suite_item *item)
{
	struct error *err;

	_cleanup_string_list_ struct string_list arguments = STRING_LIST_INIT;
	_cleanup_close_ int log_fd = -1;

	item->attempts++;
	worker->item = item;
	err = open_log(options, item, &log_fd);
	if (!err)
		err = log_path(options, item, ".json", &worker->result_path);
	if (!err)
		err = log_path(options, item, ".console.log",
			       &item->console_path);
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
	return NULL;
}

struct error *suite_worker_start(struct suite_worker *worker,
				 const struct suite_run_options *options,
				 struct suite_item *item)
{
	if (!item->path)
		return start_download(worker, options, item);
	if (item->needs_module)
		return start_module(worker, options, item);
	return start_run(worker, options, item);
}

static struct error *conclude(struct suite_worker *worker,
			      const struct process_status *status)
{
	struct suite_item *item = worker->item;

	switch (item->state) {
	case SUITE_DOWNLOADING:
		return suite_outcome_of_download(item, status, worker->output_fd);
	case SUITE_BUILDING:
		return suite_outcome_of_module(item, status);
	default:
		return suite_outcome_of_run(item, status, worker->result_path);
	}
}

struct error *suite_worker_finish(struct suite_worker *worker)
{
	struct error *err;

	struct process_status status;

	err = process_wait(worker->process, 0, &status);
	if (!err)
		err = conclude(worker, &status);
	suite_worker_reset(worker);
	return err;
}
