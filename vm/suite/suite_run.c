// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/suite/suite_run.h"

#include <poll.h>
#include <signal.h>
#include <stdlib.h>

#include "common/base/error.h"
#include "common/base/interrupt.h"
#include "common/base/memory.h"
#include "common/base/system.h"
#include "common/process/process.h"
#include "vm/suite/suite.h"
#include "vm/suite/suite_worker.h"

enum {
	END_POLL_MS = 200,
	/** For children that are asked to end, to remove what they were making. */
	END_LIMIT_MS = 10000,
};

struct suite_runner {
	const struct suite_run_options *options;
	struct suite_item *items;
	size_t count;
	struct suite_observer *observer;
	/** The first one downloads, the others run guests. */
	struct suite_worker *workers;
	size_t worker_count;
};

static void runner_deinit(struct suite_runner *runner)
{
	for (size_t i = 0; i < runner->worker_count; i++)
		suite_worker_reset(&runner->workers[i]);
	free(runner->workers);
}

#define _cleanup_runner_ _cleanup_(runner_deinit)

static void runner_init(struct suite_runner *runner)
{
	size_t count = (size_t)runner->options->jobs + 1;

	// More than there are kernels would have nothing to do.
	if (count > runner->count + 1)
		count = runner->count + 1;
	runner->workers = memory_allocate(count, sizeof(*runner->workers));
	runner->worker_count = count;
	for (size_t i = 0; i < count; i++)
		runner->workers[i] = (struct suite_worker)SUITE_WORKER_INIT;
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
	for (size_t i = 0; i < runner->count; i++) {
		struct suite_item *item = &runner->items[i];

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
		err = suite_worker_start(worker, runner->options, item);
		if (err)
			return err;
		runner_announce(runner, item);
	}
	return NULL;
}

static struct error *finish_worker(struct suite_runner *runner,
				   struct suite_worker *worker)
{
	struct suite_item *item = worker->item;
	struct error *err = suite_worker_finish(worker);

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
		const struct suite_worker *worker = &runner->workers[i];

		fds[i] = (struct pollfd){ -1, POLLIN, 0 };
		if (!worker->process)
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
		if (runner->workers[i].process)
			process_kill(runner->workers[i].process, SIGTERM);
	}
	fds[runner->worker_count].fd = -1;
	while (monotonic_ms() < deadline_ms &&
	       runner_poll(runner, fds, END_POLL_MS)) {
		for (size_t i = 0; i < runner->worker_count; i++) {
			if (fds[i].revents)
				suite_worker_reset(&runner->workers[i]);
		}
	}
	for (size_t i = 0; i < runner->worker_count; i++)
		suite_worker_reset(&runner->workers[i]);
	for (size_t i = 0; i < runner->count; i++) {
		if (suite_state_is_end(runner->items[i].state))
			continue;
		runner->items[i].state = SUITE_INTERRUPTED;
		runner_announce(runner, &runner->items[i]);
	}
}

static struct error *runner_loop(struct suite_runner *runner, struct pollfd *fds)
{
	struct error *err = interrupt_check();

	while (!err) {
		err = start_what_can_be(runner);
		if (err || !runner_poll(runner, fds, -1))
			return err;
		err = interrupt_check();
		for (size_t i = 0; i < runner->worker_count && !err; i++) {
			if (fds[i].revents)
				err = finish_worker(runner, &runner->workers[i]);
		}
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
	};
	_cleanup_free_ struct pollfd *fds = NULL;

	runner_init(&runner);
	fds = memory_allocate(runner.worker_count + 1, sizeof(*fds));
	fds[runner.worker_count] = (struct pollfd){ interrupt_fd(), POLLIN, 0 };
	err = runner_loop(&runner, fds);
	if (err)
		runner_stop(&runner, fds);
	return err;
}
