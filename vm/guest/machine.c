// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/guest/machine.h"

#include <signal.h>

static uint64_t earlier(uint64_t a, uint64_t b)
{
	return a && (!b || a < b) ? a : b;
}

static enum machine_action enter(struct machine *machine,
				 enum machine_state state, uint64_t deadline_ms,
				 enum machine_action action)
{
	machine->state = state;
	machine->deadline_ms = deadline_ms;
	return action;
}

/** What the command took, until it or the guest has ended. */
static void measure_command(struct machine *machine, uint64_t now)
{
	if (machine->boot_ms)
		machine->command_ms = now - machine->start_ms - machine->boot_ms;
}

/** Where a kernel boots, the first or a crash kernel. */
static uint64_t boot_deadline(const struct machine *machine, uint64_t now)
{
	return earlier(now + machine->boot_limit_ms,
		       machine->command_deadline_ms);
}

static enum machine_action enter_command(struct machine *machine, uint64_t now)
{
	if (!machine->boot_ms) {
		machine->boot_ms = now - machine->start_ms;
		if (machine->timeout_ms)
			machine->command_deadline_ms = now + machine->timeout_ms;
	}
	return enter(machine, MACHINE_COMMAND, machine->command_deadline_ms,
		     ACTION_NONE);
}

static enum machine_action conclude(struct machine *machine,
				    enum run_outcome outcome, uint64_t now)
{
	// A command that has ended, or had its time, is measured already.
	if (machine->state < MACHINE_DRAIN)
		measure_command(machine, now);
	machine->outcome = outcome;
	return enter(machine, MACHINE_FLUSH, 0, ACTION_COLLECT);
}

/** There is no result of a run: its output does not matter either. */
static enum machine_action give_up(struct machine *machine,
				   enum machine_cause cause)
{
	machine->outcome = RUN_NOT_RUN;
	machine->cause = cause;
	return enter(machine, MACHINE_ENDED, 0, ACTION_NONE);
}

static bool is_late(const struct machine *machine, uint64_t now)
{
	return machine->deadline_ms && now >= machine->deadline_ms;
}

/** If it is late: whether that is because the command had its time. */
static bool is_timed_out(const struct machine *machine, uint64_t now)
{
	return machine->state != MACHINE_DRAIN && machine->command_deadline_ms &&
	       now >= machine->command_deadline_ms;
}

/** What decides that a guest is lost. */
static enum machine_cause find_loss(const struct machine *machine,
				    enum machine_event event, uint64_t now)
{
	if (event == EVENT_QEMU_ENDED)
		return machine->state == MACHINE_BOOT ? CAUSE_END_IN_BOOT
						      : CAUSE_END;
	if (event == EVENT_HELLO && machine->kernels >= MACHINE_KERNEL_LIMIT)
		return CAUSE_RESTART;
	if (event == EVENT_TIME && is_late(machine, now) &&
	    !is_timed_out(machine, now))
		return machine->state == MACHINE_DRAIN ? CAUSE_DRAIN : CAUSE_BOOT;
	return CAUSE_NONE;
}

/** Where the guest is not lost, until something else is decided. */
static enum machine_action step_run(struct machine *machine,
				    enum machine_event event, int status,
				    uint64_t now)
{
	bool boots = machine->state == MACHINE_BOOT;
	bool runs = machine->state == MACHINE_COMMAND;
	bool drains = machine->state == MACHINE_DRAIN;

	if (event == EVENT_HELLO && machine->kernels++)
		return enter(machine, MACHINE_BOOT, boot_deadline(machine, now),
			     ACTION_TAKE_OVER);
	if (event == EVENT_READY && boots)
		return enter_command(machine, now);
	if (event == EVENT_FAIL && boots)
		return give_up(machine, CAUSE_GUEST);
	if (event == EVENT_QEMU_FAILED)
		return give_up(machine, CAUSE_QEMU);
	if (event == EVENT_EXIT && runs) {
		machine->exit_status = status;
		measure_command(machine, now);
		return enter(machine, MACHINE_DRAIN, now + MACHINE_DRAIN_MS,
			     ACTION_NONE);
	}
	if (event == EVENT_PANIC && machine->kdump && (runs || drains))
		return enter(machine, MACHINE_CRASH,
			     boot_deadline(machine, now), ACTION_NONE);
	if (event == EVENT_OUTPUT && drains)
		machine->deadline_ms = now + MACHINE_DRAIN_MS;
	if (event == EVENT_DONE && drains)
		return conclude(machine, RUN_EXITED, now);
	if (event == EVENT_UNREAD) {
		// As in a pipeline.
		machine->exit_status = 128 + SIGPIPE;
		return conclude(machine, RUN_EXITED, now);
	}
	if (event == EVENT_TIME && is_late(machine, now)) {
		measure_command(machine, now);
		machine->dump_deadline_ms = now + MACHINE_DUMP_MS;
		return enter(machine, MACHINE_DUMP, now + MACHINE_QUIET_MS,
			     ACTION_SHOW_MESSAGES);
	}
	return ACTION_NONE;
}

/**
 * A second BREAK that comes before the kernel has read the first is not seen as
 * one, so keys are pressed one by one, once it is silent. The command has had
 * its time, whatever happens now.
 */
static enum machine_action step_dump(struct machine *machine,
				     enum machine_event event, uint64_t now)
{
	uint64_t quiet =
		earlier(now + MACHINE_QUIET_MS, machine->dump_deadline_ms);

	if (event == EVENT_QEMU_ENDED)
		return conclude(machine, RUN_TIMED_OUT, now);
	if (event == EVENT_CONSOLE)
		machine->deadline_ms = quiet;
	if (event != EVENT_TIME || !is_late(machine, now))
		return ACTION_NONE;
	if (machine->lists_tasks || now >= machine->dump_deadline_ms)
		return conclude(machine, RUN_TIMED_OUT, now);
	machine->lists_tasks = true;
	return enter(machine, MACHINE_DUMP, quiet, ACTION_LIST_TASKS);
}

static enum machine_action step_flush(struct machine *machine,
				      enum machine_event event, uint64_t now)
{
	if (event != EVENT_FLUSHED)
		return ACTION_NONE;
	if (machine->may_write && !machine->qemu_ended)
		return enter(machine, MACHINE_QUIT, now + MACHINE_QUIT_MS,
			     ACTION_TERMINATE);
	return enter(machine, MACHINE_ENDED, 0, ACTION_NONE);
}

void machine_start(struct machine *machine, uint64_t now_ms)
{
	machine->start_ms = now_ms;
	enter(machine, MACHINE_BOOT, boot_deadline(machine, now_ms), ACTION_NONE);
}

enum machine_action machine_step(struct machine *machine,
				 enum machine_event event, int status,
				 uint64_t now_ms)
{
	// Who has said hello did start, silent as the console may be.
	if (event == EVENT_QEMU_FAILED &&
	    (machine->kernels || machine->state != MACHINE_BOOT))
		event = EVENT_QEMU_ENDED;
	machine->qemu_ended |= event == EVENT_QEMU_ENDED;
	if (event == EVENT_CANCELLED && machine->state < MACHINE_QUIT)
		return give_up(machine, CAUSE_CANCELLED);
	switch (machine->state) {
	case MACHINE_DUMP:
		return step_dump(machine, event, now_ms);
	case MACHINE_FLUSH:
		return step_flush(machine, event, now_ms);
	case MACHINE_QUIT:
		if (machine->qemu_ended || event == EVENT_CANCELLED ||
		    is_late(machine, now_ms))
			enter(machine, MACHINE_ENDED, 0, ACTION_NONE);
		return ACTION_NONE;
	case MACHINE_ENDED:
		return ACTION_NONE;
	default:
		machine->cause = find_loss(machine, event, now_ms);
		return machine->cause ? conclude(machine, RUN_LOST, now_ms)
				      : step_run(machine, event, status, now_ms);
	}
}
