// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/guest/guest_internal.h"

#include <limits.h>
#include <signal.h>
#include <sys/param.h>

#include "common/kernel/kernel_config.h"

static uint64_t earlier(uint64_t a, uint64_t b)
{
	return a && (!b || a < b) ? a : b;
}

uint64_t lifecycle_boot_limit_ms(bool is_emulated, const char *config)
{
	uint64_t limit = is_emulated ? LIFECYCLE_TCG_BOOT_MS
				     : LIFECYCLE_KVM_BOOT_MS;

	return kernel_config_has(config, "CONFIG_KASAN")
		       ? limit * LIFECYCLE_KASAN_FACTOR
		       : limit;
}

static enum lifecycle_action enter(struct lifecycle *lifecycle,
				   enum lifecycle_state state,
				   uint64_t deadline_ms,
				   enum lifecycle_action action)
{
	lifecycle->state = state;
	lifecycle->deadline_ms = deadline_ms;
	return action;
}

/** What the command took, until it or the guest has ended. */
static void measure_command(struct lifecycle *lifecycle, uint64_t now)
{
	if (lifecycle->boot_ms)
		lifecycle->command_ms = now - lifecycle->start_ms -
					lifecycle->boot_ms - lifecycle->still_ms;
}

/** When a guest has had its time for what is no command; 0 for never. */
static uint64_t after(const struct lifecycle *lifecycle, uint64_t now,
		      uint64_t limit_ms)
{
	return lifecycle->is_debugged ? 0 : now + limit_ms;
}

/** Where a kernel boots, the first or a crash kernel. */
static uint64_t boot_deadline(const struct lifecycle *lifecycle, uint64_t now)
{
	return earlier(after(lifecycle, now, lifecycle->boot_limit_ms),
		       lifecycle->command_deadline_ms);
}

static enum lifecycle_action enter_command(struct lifecycle *lifecycle,
					   uint64_t now)
{
	if (!lifecycle->boot_ms) {
		lifecycle->boot_ms = now - lifecycle->start_ms;
		if (lifecycle->timeout_ms)
			lifecycle->command_deadline_ms =
				now + lifecycle->timeout_ms;
	}
	return enter(lifecycle, LIFECYCLE_COMMAND,
		     lifecycle->command_deadline_ms, ACTION_NONE);
}

static enum lifecycle_action conclude(struct lifecycle *lifecycle,
				      enum run_outcome outcome, uint64_t now)
{
	// A command that has ended, or had its time, is measured already.
	if (lifecycle->state < LIFECYCLE_DRAIN)
		measure_command(lifecycle, now);
	lifecycle->outcome = outcome;
	return enter(lifecycle, LIFECYCLE_FLUSH, 0, ACTION_COLLECT);
}

/** There is no result of a run: its output does not matter either. */
static enum lifecycle_action give_up(struct lifecycle *lifecycle,
				     enum lifecycle_cause cause)
{
	lifecycle->outcome = RUN_NOT_RUN;
	lifecycle->cause = cause;
	return enter(lifecycle, LIFECYCLE_ENDED, 0, ACTION_NONE);
}

static bool is_late(const struct lifecycle *lifecycle, uint64_t now)
{
	return lifecycle->deadline_ms && now >= lifecycle->deadline_ms;
}

/** If it is late: whether that is because the command had its time. */
static bool is_timed_out(const struct lifecycle *lifecycle, uint64_t now)
{
	return lifecycle->state != LIFECYCLE_DRAIN &&
	       lifecycle->command_deadline_ms &&
	       now >= lifecycle->command_deadline_ms;
}

/**
 * Whether the guest says what init.sh would not say now: then something else
 * does, and nothing that it says can be relied on.
 */
static bool is_out_of_turn(const struct lifecycle *lifecycle,
			   enum lifecycle_event event)
{
	enum lifecycle_state state = lifecycle->state;
	bool greeted = lifecycle->kernels > 0;

	// Not all consoles show a crash before the crash kernel takes over.
	bool may_greet = !greeted ||
			 (lifecycle->kdump && state != LIFECYCLE_BOOT &&
			  lifecycle->kernels < LIFECYCLE_KERNEL_LIMIT);

	switch (event) {
	case EVENT_HELLO:
		return !may_greet;
	case EVENT_SESSION_READY:
	case EVENT_SESSION_EXIT:
	case EVENT_SESSION_DONE:
	case EVENT_SESSION_GONE:
		return state == LIFECYCLE_BOOT;
	case EVENT_READY:
	case EVENT_FAIL:
		return state != LIFECYCLE_BOOT || !greeted;
	case EVENT_FULL:
	case EVENT_EXIT:
		// Said before a crash, it may arrive after.
		return state != LIFECYCLE_COMMAND && state != LIFECYCLE_CRASH;
	case EVENT_DONE:
		return state != LIFECYCLE_DRAIN && state != LIFECYCLE_CRASH;
	default:
		return event == EVENT_NONSENSE;
	}
}

/** What decides that a guest is lost. */
static enum lifecycle_cause find_loss(const struct lifecycle *lifecycle,
				      enum lifecycle_event event, uint64_t now)
{
	if (event == EVENT_QEMU_ENDED)
		return lifecycle->state == LIFECYCLE_BOOT ? CAUSE_END_IN_BOOT
							  : CAUSE_END;
	if (is_out_of_turn(lifecycle, event))
		return CAUSE_PROTOCOL;
	// What waits for an answer of its would wait for ever.
	if (event == EVENT_SERVER_ENDED)
		return CAUSE_SERVER;
	if (event == EVENT_FLOOD && lifecycle->state == LIFECYCLE_BOOT)
		return CAUSE_FLOOD;
	if (event == EVENT_TIME && is_late(lifecycle, now) &&
	    !is_timed_out(lifecycle, now))
		return lifecycle->state == LIFECYCLE_DRAIN ? CAUSE_DRAIN
							   : CAUSE_BOOT;
	return CAUSE_NONE;
}

/** Where the guest is not lost, until something else is decided. */
static enum lifecycle_action step_run(struct lifecycle *lifecycle,
				      enum lifecycle_event event, int status,
				      uint64_t now)
{
	bool runs = lifecycle->state == LIFECYCLE_COMMAND;
	bool drains = lifecycle->state == LIFECYCLE_DRAIN;

	if (event == EVENT_HELLO && lifecycle->kernels++)
		return enter(lifecycle, LIFECYCLE_BOOT,
			     boot_deadline(lifecycle, now), ACTION_TAKE_OVER);
	if (event == EVENT_READY)
		return enter_command(lifecycle, now);
	if (event == EVENT_FAIL)
		return give_up(lifecycle, CAUSE_GUEST);
	if (event == EVENT_QEMU_FAILED)
		return give_up(lifecycle, CAUSE_QEMU);
	if (event == EVENT_EXIT && runs) {
		lifecycle->exit_status = status;
		measure_command(lifecycle, now);
		// What is slow may take as long as the command, and ends.
		if (lifecycle->timeout_ms)
			lifecycle->drain_deadline_ms =
				after(lifecycle, now,
				      LIFECYCLE_DRAIN_MS + lifecycle->timeout_ms);
		return enter(lifecycle, LIFECYCLE_DRAIN,
			     after(lifecycle, now, LIFECYCLE_DRAIN_MS),
			     ACTION_NONE);
	}
	if (event == EVENT_PANIC && lifecycle->kdump && (runs || drains))
		return enter(lifecycle, LIFECYCLE_CRASH,
			     boot_deadline(lifecycle, now), ACTION_NONE);
	if (event == EVENT_OUTPUT && drains)
		lifecycle->deadline_ms =
			earlier(after(lifecycle, now, LIFECYCLE_DRAIN_MS),
				lifecycle->drain_deadline_ms);
	if (event == EVENT_DONE && drains)
		return conclude(lifecycle, RUN_EXITED, now);
	if (event == EVENT_UNREAD) {
		// As in a pipeline.
		lifecycle->exit_status = 128 + SIGPIPE;
		lifecycle->keeps = false;
		return conclude(lifecycle, RUN_EXITED, now);
	}
	if (event == EVENT_FLOOD) {
		// As RLIMIT_FSIZE would have ended it.
		lifecycle->exit_status = 128 + SIGXFSZ;
		lifecycle->cause = CAUSE_FLOOD;
		return conclude(lifecycle, RUN_EXITED, now);
	}
	if (event == EVENT_TIME && is_late(lifecycle, now)) {
		measure_command(lifecycle, now);
		lifecycle->dump_deadline_ms = now + LIFECYCLE_DUMP_MS;
		return enter(lifecycle, LIFECYCLE_DUMP,
			     now + LIFECYCLE_QUIET_MS, ACTION_SHOW_MESSAGES);
	}
	return ACTION_NONE;
}

/**
 * A second BREAK that comes before the kernel has read the first is not seen as
 * one, so keys are pressed one by one, once it is silent. The command has had
 * its time, whatever happens now.
 */
static enum lifecycle_action step_dump(struct lifecycle *lifecycle,
				       enum lifecycle_event event, uint64_t now)
{
	uint64_t quiet =
		earlier(now + LIFECYCLE_QUIET_MS, lifecycle->dump_deadline_ms);

	if (event == EVENT_QEMU_ENDED)
		return conclude(lifecycle, RUN_TIMED_OUT, now);
	if (event == EVENT_CONSOLE)
		lifecycle->deadline_ms = quiet;
	if (event != EVENT_TIME || !is_late(lifecycle, now))
		return ACTION_NONE;
	if (lifecycle->lists_tasks || now >= lifecycle->dump_deadline_ms)
		return conclude(lifecycle, RUN_TIMED_OUT, now);
	lifecycle->lists_tasks = true;
	return enter(lifecycle, LIFECYCLE_DUMP, quiet, ACTION_LIST_TASKS);
}

/** Whether there is something to look at, and to look at it with. */
static bool is_kept(const struct lifecycle *lifecycle)
{
	if (!lifecycle->keeps || lifecycle->cause || lifecycle->qemu_ended)
		return false;
	return lifecycle->outcome == RUN_TIMED_OUT ||
	       (lifecycle->outcome == RUN_EXITED &&
		(lifecycle->exit_status || lifecycle->has_splats));
}

/** Have QEMU end, which may have something to write. */
static enum lifecycle_action enter_end(struct lifecycle *lifecycle, uint64_t now)
{
	if (lifecycle->may_write && !lifecycle->qemu_ended)
		return enter(lifecycle, LIFECYCLE_QUIT, now + LIFECYCLE_QUIT_MS,
			     ACTION_TERMINATE);
	return enter(lifecycle, LIFECYCLE_ENDED, 0, ACTION_NONE);
}

static enum lifecycle_action step_flush(struct lifecycle *lifecycle,
					enum lifecycle_event event, uint64_t now)
{
	if (event != EVENT_FLUSHED)
		return ACTION_NONE;
	if (is_kept(lifecycle))
		return enter(lifecycle, LIFECYCLE_KEPT, 0, ACTION_KEEP);
	return enter_end(lifecycle, now);
}

/** The result is known; but what is not as it was is of no use. */
static enum lifecycle_action step_kept(struct lifecycle *lifecycle,
				       enum lifecycle_event event, uint64_t now)
{
	switch (event) {
	case EVENT_HELLO:
	case EVENT_NONSENSE:
	case EVENT_FLOOD:
	case EVENT_QEMU_ENDED:
	case EVENT_SERVER_ENDED:
	case EVENT_CANCELLED:
		return enter_end(lifecycle, now);
	default:
		return ACTION_NONE;
	}
}

bool lifecycle_listens(const struct lifecycle *lifecycle)
{
	return lifecycle->state < LIFECYCLE_FLUSH ||
	       lifecycle->state == LIFECYCLE_KEPT;
}

void lifecycle_start(struct lifecycle *lifecycle, uint64_t now_ms)
{
	lifecycle->start_ms = now_ms;
	enter(lifecycle, LIFECYCLE_BOOT, boot_deadline(lifecycle, now_ms),
	      ACTION_NONE);
}

enum lifecycle_action lifecycle_step(struct lifecycle *lifecycle,
				     enum lifecycle_event event, int status,
				     uint64_t now_ms)
{
	// Who has said hello did start, silent as the console may be.
	if (event == EVENT_QEMU_FAILED &&
	    (lifecycle->kernels || lifecycle->state != LIFECYCLE_BOOT))
		event = EVENT_QEMU_ENDED;
	lifecycle->qemu_ended |= event == EVENT_QEMU_ENDED;
	lifecycle->full |= event == EVENT_FULL;
	if (event == EVENT_CANCELLED && lifecycle->state < LIFECYCLE_KEPT)
		return give_up(lifecycle, CAUSE_CANCELLED);
	switch (lifecycle->state) {
	case LIFECYCLE_DUMP:
		return step_dump(lifecycle, event, now_ms);
	case LIFECYCLE_FLUSH:
		return step_flush(lifecycle, event, now_ms);
	case LIFECYCLE_KEPT:
		return step_kept(lifecycle, event, now_ms);
	case LIFECYCLE_QUIT:
		if (lifecycle->qemu_ended || event == EVENT_CANCELLED ||
		    is_late(lifecycle, now_ms))
			enter(lifecycle, LIFECYCLE_ENDED, 0, ACTION_NONE);
		return ACTION_NONE;
	case LIFECYCLE_ENDED:
		return ACTION_NONE;
	default:
		lifecycle->cause = find_loss(lifecycle, event, now_ms);
		return lifecycle->cause
			       ? conclude(lifecycle, RUN_LOST, now_ms)
			       : step_run(lifecycle, event, status, now_ms);
	}
}

int lifecycle_wait_ms(const struct lifecycle *lifecycle, uint64_t now_ms)
{
	if (!lifecycle->deadline_ms)
		return -1;
	if (lifecycle->deadline_ms <= now_ms)
		return 0;
	return (int)MIN(lifecycle->deadline_ms - now_ms, INT_MAX);
}
