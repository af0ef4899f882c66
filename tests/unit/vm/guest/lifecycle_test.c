// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/guest/guest_internal.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <string.h>

#include "common/base/cleanup.h"

enum {
	/** When the made-up clock starts. */
	START = 1000000,
	BOOT_MS = 60000,
	TIMEOUT_MS = 90000,
	/** What a guest that starts as it should takes to boot. */
	BOOTED_MS = 2000,
	STATUS = 7,
};

/** What happens, so many milliseconds later, and what is to come of it. */
struct step {
	uint64_t after_ms;
	enum lifecycle_event event;
	enum lifecycle_state state;
	enum lifecycle_action action;
};

static void play(struct lifecycle *lifecycle, const char *name,
		 const struct step *steps, size_t count, uint64_t *now)
{
	for (size_t i = 0; i < count; i++) {
		enum lifecycle_action action;

		*now += steps[i].after_ms;
		action = lifecycle_step(lifecycle, steps[i].event, STATUS, *now);
		cr_expect_eq(action, steps[i].action, "%s, step %zu: action %d",
			     name, i, action);
		cr_assert_eq(lifecycle->state, steps[i].state,
			     "%s, step %zu: state %d", name, i, lifecycle->state);
	}
}

static void start(struct lifecycle *lifecycle, uint64_t timeout_ms)
{
	lifecycle->boot_limit_ms = BOOT_MS;
	lifecycle->timeout_ms = timeout_ms;
	lifecycle_start(lifecycle, START);
}

// clang-format off

/** A guest whose command runs. */
#define BOOTED                                                                 \
	{ 0, EVENT_HELLO, LIFECYCLE_BOOT, 0 },                                   \
	{ BOOTED_MS, EVENT_READY, LIFECYCLE_COMMAND, 0 }

/** The same, when its command has ended. */
#define EXITED BOOTED, { 500, EVENT_EXIT, LIFECYCLE_DRAIN, 0 }

/** The same, when QEMU, which may have something to write, is told to end. */
#define TOLD                                                                   \
	EXITED,                                                                  \
	{ 1, EVENT_DONE, LIFECYCLE_FLUSH, ACTION_COLLECT },                      \
	{ 1, EVENT_FLUSHED, LIFECYCLE_QUIT, ACTION_TERMINATE }

/** What a guest is started with. */
#define KDUMP { .kdump = true }
#define MAY_WRITE { .may_write = true }
#define KEEPS { .keeps = true }

/** A guest whose command has failed, and that goes on. */
#define KEPT                                                                   \
	EXITED,                                                                  \
	{ 1, EVENT_DONE, LIFECYCLE_FLUSH, ACTION_COLLECT },                      \
	{ 1, EVENT_FLUSHED, LIFECYCLE_KEPT, ACTION_KEEP }

enum {
	STEP_LIMIT = 12
};

/** How a guest ends, with --timeout, and what that is called. */
static const struct {
	const char *name;
	struct lifecycle start;
	struct step steps[STEP_LIMIT];
	enum run_outcome outcome;
	enum lifecycle_cause cause;
	uint64_t command_ms;
} endings[] = {
	{ "exit", { 0 }, {
	    EXITED, { 1, EVENT_DONE, LIFECYCLE_FLUSH, ACTION_COLLECT } },
	  RUN_EXITED, CAUSE_NONE, 500 },
	{ "QEMU does not start", { 0 }, {
	    { 1, EVENT_QEMU_FAILED, LIFECYCLE_ENDED, 0 } },
	  RUN_NOT_RUN, CAUSE_QEMU, 0 },
	{ "QEMU fails after a guest that was late", { 0 }, {
	    BOOTED,
	    { TIMEOUT_MS, EVENT_TIME, LIFECYCLE_DUMP, ACTION_SHOW_MESSAGES },
	    { 1, EVENT_QEMU_FAILED, LIFECYCLE_FLUSH, ACTION_COLLECT } },
	  RUN_TIMED_OUT, CAUSE_NONE, TIMEOUT_MS },
	{ "the guest cannot mount", { 0 }, {
	    { 1, EVENT_HELLO, LIFECYCLE_BOOT, 0 },
	    { 1, EVENT_FAIL, LIFECYCLE_ENDED, 0 } },
	  RUN_NOT_RUN, CAUSE_GUEST, 0 },
	{ "QEMU dies after hello", { 0 }, {
	    { 1, EVENT_HELLO, LIFECYCLE_BOOT, 0 },
	    { 1, EVENT_QEMU_FAILED, LIFECYCLE_FLUSH, ACTION_COLLECT } },
	  RUN_LOST, CAUSE_END_IN_BOOT, 0 },
	{ "the kernel does not find its init", { 0 }, {
	    { 1, EVENT_PANIC, LIFECYCLE_BOOT, 0 },
	    { 1, EVENT_QEMU_ENDED, LIFECYCLE_FLUSH, ACTION_COLLECT } },
	  RUN_LOST, CAUSE_END_IN_BOOT, 0 },
	{ "the boot hangs", { 0 }, {
	    { BOOT_MS - 1, EVENT_TIME, LIFECYCLE_BOOT, 0 },
	    { 1, EVENT_TIME, LIFECYCLE_FLUSH, ACTION_COLLECT } },
	  RUN_LOST, CAUSE_BOOT, 0 },
	{ "the command powers off", { 0 }, {
	    BOOTED, { 9, EVENT_QEMU_ENDED, LIFECYCLE_FLUSH, ACTION_COLLECT } },
	  RUN_LOST, CAUSE_END, 9 },
	{ "a share has no server any more", { 0 }, {
	    BOOTED, { 9, EVENT_SERVER_ENDED, LIFECYCLE_FLUSH, ACTION_COLLECT } },
	  RUN_LOST, CAUSE_SERVER, 9 },
	{ "panic without a crash kernel", { 0 }, {
	    BOOTED,
	    { 9, EVENT_PANIC, LIFECYCLE_COMMAND, 0 },
	    { 1, EVENT_QEMU_ENDED, LIFECYCLE_FLUSH, ACTION_COLLECT } },
	  RUN_LOST, CAUSE_END, 10 },
	{ "QEMU ends before the output has", { 0 }, {
	    EXITED, { 1, EVENT_QEMU_ENDED, LIFECYCLE_FLUSH, ACTION_COLLECT } },
	  RUN_LOST, CAUSE_END, 500 },
	{ "the guest runs on after the command", { 0 }, {
	    EXITED,
	    { LIFECYCLE_DRAIN_MS - 1, EVENT_TIME, LIFECYCLE_DRAIN, 0 },
	    { 1, EVENT_TIME, LIFECYCLE_FLUSH, ACTION_COLLECT } },
	  RUN_LOST, CAUSE_DRAIN, 500 },
	{ "output that takes long", { 0 }, {
	    EXITED,
	    { LIFECYCLE_DRAIN_MS - 1, EVENT_OUTPUT, LIFECYCLE_DRAIN, 0 },
	    { LIFECYCLE_DRAIN_MS - 1, EVENT_OUTPUT, LIFECYCLE_DRAIN, 0 },
	    { LIFECYCLE_DRAIN_MS - 1, EVENT_TIME, LIFECYCLE_DRAIN, 0 },
	    // Later than the command may take, which has ended.
	    { 0, EVENT_DONE, LIFECYCLE_FLUSH, ACTION_COLLECT } },
	  RUN_EXITED, CAUSE_NONE, 500 },
	{ "output that has no end", { 0 }, {
	    EXITED,
	    { LIFECYCLE_DRAIN_MS, EVENT_OUTPUT, LIFECYCLE_DRAIN, 0 },
	    { LIFECYCLE_DRAIN_MS, EVENT_OUTPUT, LIFECYCLE_DRAIN, 0 },
	    { LIFECYCLE_DRAIN_MS, EVENT_OUTPUT, LIFECYCLE_DRAIN, 0 },
	    { LIFECYCLE_DRAIN_MS - 1, EVENT_OUTPUT, LIFECYCLE_DRAIN, 0 },
	    { 1, EVENT_TIME, LIFECYCLE_FLUSH, ACTION_COLLECT } },
	  RUN_LOST, CAUSE_DRAIN, 500 },
	{ "timeout", { 0 }, {
	    BOOTED,
	    { TIMEOUT_MS - 1, EVENT_TIME, LIFECYCLE_COMMAND, 0 },
	    { 1, EVENT_TIME, LIFECYCLE_DUMP, ACTION_SHOW_MESSAGES },
	    { LIFECYCLE_QUIET_MS - 1, EVENT_TIME, LIFECYCLE_DUMP, 0 },
	    { 1, EVENT_TIME, LIFECYCLE_DUMP, ACTION_LIST_TASKS },
	    { LIFECYCLE_QUIET_MS - 1, EVENT_CONSOLE, LIFECYCLE_DUMP, 0 },
	    { LIFECYCLE_QUIET_MS - 1, EVENT_TIME, LIFECYCLE_DUMP, 0 },
	    { 1, EVENT_TIME, LIFECYCLE_FLUSH, ACTION_COLLECT } },
	  RUN_TIMED_OUT, CAUSE_NONE, TIMEOUT_MS },
	{ "timeout, and the kernel talks without end", { 0 }, {
	    BOOTED,
	    { TIMEOUT_MS, EVENT_TIME, LIFECYCLE_DUMP, ACTION_SHOW_MESSAGES },
	    { LIFECYCLE_QUIET_MS, EVENT_TIME, LIFECYCLE_DUMP, ACTION_LIST_TASKS },
	    { LIFECYCLE_DUMP_MS - LIFECYCLE_QUIET_MS - 1, EVENT_CONSOLE, LIFECYCLE_DUMP, 0 },
	    { 0, EVENT_TIME, LIFECYCLE_DUMP, 0 },
	    { 1, EVENT_TIME, LIFECYCLE_FLUSH, ACTION_COLLECT } },
	  RUN_TIMED_OUT, CAUSE_NONE, TIMEOUT_MS },
	{ "timeout, and the rest comes while tasks are listed", KDUMP, {
	    BOOTED,
	    { TIMEOUT_MS, EVENT_TIME, LIFECYCLE_DUMP, ACTION_SHOW_MESSAGES },
	    { 1, EVENT_EXIT, LIFECYCLE_DUMP, 0 },
	    { 1, EVENT_DONE, LIFECYCLE_DUMP, 0 },
	    { 1, EVENT_HELLO, LIFECYCLE_DUMP, 0 },
	    { 1, EVENT_PANIC, LIFECYCLE_DUMP, 0 },
	    { 1, EVENT_UNREAD, LIFECYCLE_DUMP, 0 },
	    { 1, EVENT_QEMU_ENDED, LIFECYCLE_FLUSH, ACTION_COLLECT } },
	  RUN_TIMED_OUT, CAUSE_NONE, TIMEOUT_MS },
	{ "a crash kernel runs the command again", KDUMP, {
	    BOOTED,
	    { 9, EVENT_PANIC, LIFECYCLE_CRASH, 0 },
	    { 0, EVENT_PANIC, LIFECYCLE_CRASH, 0 },
	    { 1, EVENT_HELLO, LIFECYCLE_BOOT, ACTION_TAKE_OVER },
	    { 1, EVENT_READY, LIFECYCLE_COMMAND, 0 },
	    { 1, EVENT_EXIT, LIFECYCLE_DRAIN, 0 },
	    { 1, EVENT_DONE, LIFECYCLE_FLUSH, ACTION_COLLECT } },
	  RUN_EXITED, CAUSE_NONE, 12 },
	{ "an oops takes a crash kernel too, without a panic's words", KDUMP, {
	    EXITED,
	    { 1, EVENT_HELLO, LIFECYCLE_BOOT, ACTION_TAKE_OVER },
	    { 1, EVENT_READY, LIFECYCLE_COMMAND, 0 },
	    { 1, EVENT_QEMU_ENDED, LIFECYCLE_FLUSH, ACTION_COLLECT } },
	  RUN_LOST, CAUSE_END, 503 },
	{ "the crash kernel does not come up", KDUMP, {
	    EXITED,
	    { 1, EVENT_PANIC, LIFECYCLE_CRASH, 0 },
	    { BOOT_MS - 1, EVENT_TIME, LIFECYCLE_CRASH, 0 },
	    { 1, EVENT_TIME, LIFECYCLE_FLUSH, ACTION_COLLECT } },
	  RUN_LOST, CAUSE_BOOT, 501 + BOOT_MS },
	{ "the crash kernel's boot is the command's time", KDUMP, {
	    BOOTED,
	    { TIMEOUT_MS - 10, EVENT_PANIC, LIFECYCLE_CRASH, 0 },
	    { 1, EVENT_HELLO, LIFECYCLE_BOOT, ACTION_TAKE_OVER },
	    { 8, EVENT_TIME, LIFECYCLE_BOOT, 0 },
	    { 1, EVENT_TIME, LIFECYCLE_DUMP, ACTION_SHOW_MESSAGES },
	    { 1, EVENT_QEMU_ENDED, LIFECYCLE_FLUSH, ACTION_COLLECT } },
	  RUN_TIMED_OUT, CAUSE_NONE, TIMEOUT_MS },
	{ "the time is for both boots", KDUMP, {
	    BOOTED,
	    { TIMEOUT_MS - 10, EVENT_PANIC, LIFECYCLE_CRASH, 0 },
	    { 1, EVENT_HELLO, LIFECYCLE_BOOT, ACTION_TAKE_OVER },
	    { 1, EVENT_READY, LIFECYCLE_COMMAND, 0 },
	    { 8, EVENT_TIME, LIFECYCLE_DUMP, ACTION_SHOW_MESSAGES },
	    { 1, EVENT_QEMU_ENDED, LIFECYCLE_FLUSH, ACTION_COLLECT } },
	  RUN_TIMED_OUT, CAUSE_NONE, TIMEOUT_MS },
	{ "a crash kernel crashes", KDUMP, {
	    BOOTED,
	    { 9, EVENT_PANIC, LIFECYCLE_CRASH, 0 },
	    { 1, EVENT_HELLO, LIFECYCLE_BOOT, ACTION_TAKE_OVER },
	    { 1, EVENT_READY, LIFECYCLE_COMMAND, 0 },
	    { 1, EVENT_PANIC, LIFECYCLE_CRASH, 0 },
	    { 1, EVENT_QEMU_ENDED, LIFECYCLE_FLUSH, ACTION_COLLECT } },
	  RUN_LOST, CAUSE_END, 13 },
	{ "a crash kernel takes over from a crash kernel", KDUMP, {
	    BOOTED,
	    { 1, EVENT_HELLO, LIFECYCLE_BOOT, ACTION_TAKE_OVER },
	    { 1, EVENT_READY, LIFECYCLE_COMMAND, 0 },
	    { 1, EVENT_HELLO, LIFECYCLE_FLUSH, ACTION_COLLECT } },
	  RUN_LOST, CAUSE_PROTOCOL, 3 },
	{ "what was said before a crash arrives after it", KDUMP, {
	    BOOTED,
	    { 9, EVENT_PANIC, LIFECYCLE_CRASH, 0 },
	    { 0, EVENT_FULL, LIFECYCLE_CRASH, 0 },
	    { 0, EVENT_EXIT, LIFECYCLE_CRASH, 0 },
	    { 0, EVENT_DONE, LIFECYCLE_CRASH, 0 },
	    { 1, EVENT_HELLO, LIFECYCLE_BOOT, ACTION_TAKE_OVER },
	    { 1, EVENT_READY, LIFECYCLE_COMMAND, 0 },
	    { 1, EVENT_EXIT, LIFECYCLE_DRAIN, 0 },
	    { 1, EVENT_DONE, LIFECYCLE_FLUSH, ACTION_COLLECT } },
	  RUN_EXITED, CAUSE_NONE, 12 },
	{ "output without end", { 0 }, {
	    BOOTED, { 9, EVENT_FLOOD, LIFECYCLE_FLUSH, ACTION_COLLECT } },
	  RUN_EXITED, CAUSE_FLOOD, 9 },
	{ "output without end after the command", { 0 }, {
	    EXITED, { 9, EVENT_FLOOD, LIFECYCLE_FLUSH, ACTION_COLLECT } },
	  RUN_EXITED, CAUSE_FLOOD, 500 },
	{ "a kernel that talks without end as it boots", { 0 }, {
	    { 1, EVENT_FLOOD, LIFECYCLE_FLUSH, ACTION_COLLECT } },
	  RUN_LOST, CAUSE_FLOOD, 0 },
	// As in a pipeline.
	{ "nobody reads the output", { 0 }, {
	    BOOTED, { 9, EVENT_UNREAD, LIFECYCLE_FLUSH, ACTION_COLLECT } },
	  RUN_EXITED, CAUSE_NONE, 9 },
	{ "nobody reads the last output", { 0 }, {
	    EXITED, { 9, EVENT_UNREAD, LIFECYCLE_FLUSH, ACTION_COLLECT } },
	  RUN_EXITED, CAUSE_NONE, 500 },
	{ "cancelled in a boot", { 0 }, {
	    { 1, EVENT_CANCELLED, LIFECYCLE_ENDED, 0 } },
	  RUN_NOT_RUN, CAUSE_CANCELLED, 0 },
	{ "cancelled while the output is handed on", { 0 }, {
	    EXITED,
	    { 1, EVENT_DONE, LIFECYCLE_FLUSH, ACTION_COLLECT },
	    { 1, EVENT_CANCELLED, LIFECYCLE_ENDED, 0 } },
	  RUN_NOT_RUN, CAUSE_CANCELLED, 500 },
	{ "nothing to write", { 0 }, {
	    EXITED,
	    { 1, EVENT_DONE, LIFECYCLE_FLUSH, ACTION_COLLECT },
	    { 1, EVENT_TIME, LIFECYCLE_FLUSH, 0 },
	    { 1, EVENT_FLUSHED, LIFECYCLE_ENDED, 0 },
	    { 1, EVENT_TIME, LIFECYCLE_ENDED, 0 } },
	  RUN_EXITED, CAUSE_NONE, 500 },
	{ "QEMU writes and ends", MAY_WRITE, {
	    TOLD,
	    { LIFECYCLE_QUIT_MS - 1, EVENT_TIME, LIFECYCLE_QUIT, 0 },
	    { 0, EVENT_QEMU_ENDED, LIFECYCLE_ENDED, 0 } },
	  RUN_EXITED, CAUSE_NONE, 500 },
	{ "QEMU does not end", MAY_WRITE, {
	    TOLD,
	    { LIFECYCLE_QUIT_MS - 1, EVENT_CONSOLE, LIFECYCLE_QUIT, 0 },
	    { 1, EVENT_TIME, LIFECYCLE_ENDED, 0 } },
	  RUN_EXITED, CAUSE_NONE, 500 },
	{ "the user does not wait for QEMU", MAY_WRITE, {
	    TOLD,
	    { 1, EVENT_FLUSHED, LIFECYCLE_QUIT, 0 },
	    { 1, EVENT_CANCELLED, LIFECYCLE_ENDED, 0 } },
	  RUN_EXITED, CAUSE_NONE, 500 },
	{ "QEMU has ended before it is told", MAY_WRITE, {
	    EXITED,
	    { 1, EVENT_DONE, LIFECYCLE_FLUSH, ACTION_COLLECT },
	    { 1, EVENT_QEMU_ENDED, LIFECYCLE_FLUSH, 0 },
	    { 1, EVENT_FLUSHED, LIFECYCLE_ENDED, 0 },
	    { 1, EVENT_CANCELLED, LIFECYCLE_ENDED, 0 } },
	  RUN_EXITED, CAUSE_NONE, 500 },
	{ "a kept guest is stopped", KEEPS, {
	    KEPT,
	    { 99999, EVENT_TIME, LIFECYCLE_KEPT, 0 },
	    { 1, EVENT_SESSION_EXIT, LIFECYCLE_KEPT, 0 },
	    { 1, EVENT_SESSION_DONE, LIFECYCLE_KEPT, 0 },
	    { 1, EVENT_UNREAD, LIFECYCLE_KEPT, 0 },
	    { 1, EVENT_CANCELLED, LIFECYCLE_ENDED, 0 } },
	  RUN_EXITED, CAUSE_NONE, 500 },
	{ "a kept guest ends", KEEPS, {
	    KEPT, { 1, EVENT_QEMU_ENDED, LIFECYCLE_ENDED, 0 } },
	  RUN_EXITED, CAUSE_NONE, 500 },
	{ "a kept guest talks nonsense", KEEPS, {
	    KEPT, { 1, EVENT_NONSENSE, LIFECYCLE_ENDED, 0 } },
	  RUN_EXITED, CAUSE_NONE, 500 },
	{ "a kept guest whose QEMU has something to write", { .keeps = true, .may_write = true }, {
	    KEPT,
	    { 1, EVENT_CANCELLED, LIFECYCLE_QUIT, ACTION_TERMINATE },
	    { 1, EVENT_QEMU_ENDED, LIFECYCLE_ENDED, 0 } },
	  RUN_EXITED, CAUSE_NONE, 500 },
	{ "kept when it has had its time", KEEPS, {
	    BOOTED,
	    { TIMEOUT_MS, EVENT_TIME, LIFECYCLE_DUMP, ACTION_SHOW_MESSAGES },
	    { LIFECYCLE_DUMP_MS, EVENT_TIME, LIFECYCLE_FLUSH, ACTION_COLLECT },
	    { 1, EVENT_FLUSHED, LIFECYCLE_KEPT, ACTION_KEEP },
	    // The command goes on.
	    { 1, EVENT_FULL, LIFECYCLE_KEPT, 0 },
	    { 1, EVENT_EXIT, LIFECYCLE_KEPT, 0 },
	    { 1, EVENT_DONE, LIFECYCLE_KEPT, 0 },
	    { 1, EVENT_CANCELLED, LIFECYCLE_ENDED, 0 } },
	  RUN_TIMED_OUT, CAUSE_NONE, TIMEOUT_MS },
	{ "what nobody reads is not kept", KEEPS, {
	    BOOTED,
	    { 9, EVENT_UNREAD, LIFECYCLE_FLUSH, ACTION_COLLECT },
	    { 1, EVENT_FLUSHED, LIFECYCLE_ENDED, 0 } },
	  RUN_EXITED, CAUSE_NONE, 9 },
	{ "a lost guest is not kept", KEEPS, {
	    BOOTED,
	    { 9, EVENT_QEMU_ENDED, LIFECYCLE_FLUSH, ACTION_COLLECT },
	    { 1, EVENT_FLUSHED, LIFECYCLE_ENDED, 0 } },
	  RUN_LOST, CAUSE_END, 9 },
};

// clang-format on

Test(lifecycle, endings_have_one_name_each)
{
	for (size_t i = 0; i < array_size(endings); i++) {
		struct lifecycle lifecycle = endings[i].start;
		uint64_t now = START;
		size_t count = STEP_LIMIT;

		start(&lifecycle, TIMEOUT_MS);
		// No guest ends where it began.
		while (!endings[i].steps[count - 1].state)
			count--;
		play(&lifecycle, endings[i].name, endings[i].steps, count, &now);
		cr_expect_geq(lifecycle.state, LIFECYCLE_FLUSH, "%s",
			      endings[i].name);
		cr_expect_eq(lifecycle.outcome, endings[i].outcome, "%s",
			     endings[i].name);
		cr_expect_eq(lifecycle.cause, endings[i].cause, "%s: %d",
			     endings[i].name, lifecycle.cause);
		cr_expect_eq(lifecycle.command_ms, endings[i].command_ms,
			     "%s: %llu", endings[i].name,
			     (unsigned long long)lifecycle.command_ms);
		if (lifecycle.outcome == RUN_EXITED)
			cr_expect_eq(lifecycle.exit_status,
				     strstr(endings[i].name, "nobody")
					     ? 128 + SIGPIPE
				     : lifecycle.cause == CAUSE_FLOOD
					     ? 128 + SIGXFSZ
					     : STATUS,
				     "%s", endings[i].name);
	}
}

Test(lifecycle, what_the_guest_says_has_one_place)
{
	// In which state, by the message: what has happened, and what may be said.
	// clang-format off
	static const struct {
		const char *name;
		struct step before[STEP_LIMIT];
		bool may_say[EVENT_NONSENSE + 1];
		bool may_greet_for_kdump;
	} rows[] = {
		{ "nothing yet", { { 0 } }, { [EVENT_HELLO] = true }, true },
		{ "boot", { { 0, EVENT_HELLO, LIFECYCLE_BOOT, 0 } },
		  { [EVENT_READY] = true, [EVENT_FAIL] = true }, false },
		{ "command", { BOOTED },
		  { [EVENT_FULL] = true, [EVENT_EXIT] = true,
		    [EVENT_SESSION_READY] = true, [EVENT_SESSION_EXIT] = true,
		    [EVENT_SESSION_DONE] = true, [EVENT_SESSION_GONE] = true }, true },
		{ "end", { EXITED },
		  { [EVENT_DONE] = true, [EVENT_SESSION_READY] = true,
		    [EVENT_SESSION_EXIT] = true, [EVENT_SESSION_DONE] = true,
		    [EVENT_SESSION_GONE] = true }, true },
	};
	// clang-format on

	for (size_t i = 0; i < 2 * array_size(rows); i++) {
		size_t row = i / 2;

		for (int event = EVENT_HELLO; event <= EVENT_NONSENSE; event++) {
			struct lifecycle lifecycle = { .kdump = i % 2 };
			size_t count = 0;
			uint64_t now = START;
			bool may_say = rows[row].may_say[event] ||
				       (event == EVENT_HELLO && i % 2 &&
					rows[row].may_greet_for_kdump);

			start(&lifecycle, TIMEOUT_MS);
			while (rows[row].before[count].state ||
			       rows[row].before[count].after_ms ||
			       (!count && row))
				count++;
			play(&lifecycle, rows[row].name, rows[row].before,
			     count, &now);
			lifecycle_step(&lifecycle, (enum lifecycle_event)event,
				       STATUS, now);
			cr_expect_eq(lifecycle.cause == CAUSE_PROTOCOL, !may_say,
				     "%s, event %d", rows[row].name, event);
			if (!may_say)
				cr_expect_eq(lifecycle.outcome, RUN_LOST);
		}
	}
}

Test(lifecycle, a_command_without_a_limit_has_all_the_time)
{
	static const struct step steps[] = {
		BOOTED,
		{ UINT64_C(1) << 60, EVENT_TIME, LIFECYCLE_COMMAND, 0 },
		{ 0, EVENT_CONSOLE, LIFECYCLE_COMMAND, 0 },
	};
	struct lifecycle lifecycle = { 0 };
	uint64_t now = START;

	start(&lifecycle, 0);
	cr_expect_eq(lifecycle.deadline_ms, START + BOOT_MS);
	play(&lifecycle, "no limit", steps, array_size(steps), &now);
	cr_expect_eq(lifecycle.deadline_ms, 0);
	cr_expect_eq(lifecycle.boot_ms, BOOTED_MS);
}

Test(lifecycle, what_a_debugger_holds_has_all_the_time_but_for_the_commands)
{
	static const struct step steps[] = {
		{ 100 * BOOT_MS, EVENT_TIME, LIFECYCLE_BOOT, 0 },
		BOOTED,
		{ TIMEOUT_MS - 1, EVENT_EXIT, LIFECYCLE_DRAIN, 0 },
		{ 1, EVENT_OUTPUT, LIFECYCLE_DRAIN, 0 },
		{ 100 * TIMEOUT_MS, EVENT_TIME, LIFECYCLE_DRAIN, 0 },
		{ 1, EVENT_DONE, LIFECYCLE_FLUSH, ACTION_COLLECT },
	};
	static const struct step late[] = {
		BOOTED,
		{ TIMEOUT_MS, EVENT_TIME, LIFECYCLE_DUMP, ACTION_SHOW_MESSAGES },
	};
	struct lifecycle lifecycle = { .is_debugged = true };
	uint64_t now = START;

	start(&lifecycle, TIMEOUT_MS);
	play(&lifecycle, "held", steps, array_size(steps), &now);
	cr_expect_eq(lifecycle.outcome, RUN_EXITED);
	lifecycle = (struct lifecycle){ .is_debugged = true };
	now = START;
	start(&lifecycle, TIMEOUT_MS);
	play(&lifecycle, "late", late, array_size(late), &now);
}

Test(lifecycle, nothing_moves_a_machine_that_has_ended)
{
	for (int event = EVENT_HELLO; event <= EVENT_TIME; event++) {
		struct lifecycle lifecycle = { 0 };

		start(&lifecycle, TIMEOUT_MS);
		lifecycle_step(&lifecycle, EVENT_HELLO, 0, START);
		lifecycle_step(&lifecycle, EVENT_FAIL, 0, START);
		cr_expect_eq(lifecycle_step(&lifecycle,
					    (enum lifecycle_event)event, 0,
					    2 * START),
			     ACTION_NONE, "event %d", event);
		cr_expect_eq(lifecycle.state, LIFECYCLE_ENDED, "event %d", event);
		cr_expect_eq(lifecycle.cause, CAUSE_GUEST, "event %d", event);
	}
}

Test(lifecycle, a_kernel_that_checks_its_memory_has_longer_to_boot)
{
	for (int is_emulated = 0; is_emulated < 2; is_emulated++) {
		uint64_t limit = lifecycle_boot_limit_ms(is_emulated, "");

		cr_expect_geq(limit, LIFECYCLE_KVM_BOOT_MS);
		cr_expect_eq(lifecycle_boot_limit_ms(is_emulated,
						     "CONFIG_KASAN=y\n"),
			     limit * LIFECYCLE_KASAN_FACTOR);
	}
}
