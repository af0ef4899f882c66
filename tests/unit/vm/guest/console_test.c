// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/guest/guest_internal.h"

#include <criterion/criterion.h>
#include <string.h>

#include "common/base/text.h"

static void feed(struct console *console, const char *text)
{
	console_feed(console, text, strlen(text));
}

Test(console, splats_are_told_from_talk)
{
	static const struct {
		const char *prefix, *text;
		bool is_splat;
	} rows[] = {
		{ "[    1.234567] ", "BUG: x", true },
		{ "[    1.234567][    T1] ", "BUG: x", true },
		{ "[    1.234567] [  C0] ", "BUG: x", true },
		{ "[drm] ", "BUG: x", false },
		{ "[", "", false },
		{ "", "BUG: KASAN: slab-out-of-bounds in f+0x1/0x2", true },
		{ "", "kernel BUG at mm/slub.c:1!", true },
		{ "", "WARNING: CPU: 0 PID: 1 at kernel/x.c:1 f+0x1/0x2", true },
		{ "", "WARNING: possible circular locking dependency detected",
		  true },
		{ "",
		  "rcu: INFO: rcu_sched detected stalls on CPUs/tasks:", true },
		{ "", "INFO: task sh:12 blocked for more than 120 seconds.",
		  true },
		{ "", "watchdog: BUG: soft lockup - CPU#0 stuck for 22s!", true },
		{ "", "Oops: general protection fault, maybe", true },
		{ "", "UBSAN: array-index-out-of-bounds in x.c:1:2", true },
		{ "", "BUG kmalloc-64 (Tainted: G    B): Poison overwritten",
		  true },
		{ "[    1.234567] [ ", "BUG: Invalid wait context ]", true },
		{ "[ ", "INFO: possible circular locking dependency detected ]",
		  true },
		{ "",
		  "kmemleak: unreferenced object 0xffff888003d4e000 (size 64):",
		  true },
		{ "", "kmemleak: 1 new suspected memory leaks", false },
		{ "", "Run /sbin/init as init process", false },
		{ "", "printk: BUG: is only a word", false },
		{ "", "INFO: task manager is a program", false },
		{ "", "WARNING: nvram corruption detected: 0-length partition",
		  false },
		{ "", "", false },
	};

	for (size_t i = 0; i < array_size(rows); i++) {
		_cleanup_console_ struct console console = { 0 };

		feed(&console, rows[i].prefix);
		feed(&console, rows[i].text);
		feed(&console, "\n");
		cr_assert_eq(console.splat_count, rows[i].is_splat, "%s%s",
			     rows[i].prefix, rows[i].text);
		if (rows[i].is_splat)
			cr_expect_str_eq(console.splats.items[0], rows[i].text);
	}
}

Test(console, a_flood_keeps_the_end_and_the_count)
{
	_cleanup_console_ struct console console = { 0 };
	_cleanup_string_builder_ struct string_builder sb = { 0 };

	for (int i = 0; i < 100000; i++)
		feed(&console, "BUG: this one comes again and again and again\n");
	feed(&console, "the end");
	cr_expect_leq(console.log.capacity, 4 * (size_t)CONSOLE_KEEP_BYTES);
	cr_expect_eq(console.splat_count, 100000);
	cr_expect_eq(console.splats.count, (size_t)CONSOLE_SPLAT_LIMIT);
	console_append_tail(&console, 1, &sb);
	cr_expect_str_eq(sb.text, "the end\n");
}

Test(console, lines_without_end_are_cut)
{
	// The first is what a result holds, the other what people are shown.
	static const struct {
		const char *start, *end;
	} rows[] = {
		{ "BUG: ", "x\n" },
		{ "Kernel panic - not syncing: ", "x\n" },
		{ "a", "the end\n" },
	};

	for (size_t i = 0; i < array_size(rows); i++) {
		_cleanup_console_ struct console console = { 0 };
		_cleanup_string_builder_ struct string_builder sb = { 0 };

		feed(&console, rows[i].start);
		for (int j = 0; j < 1000000; j++)
			feed(&console, "x");
		feed(&console, rows[i].end);
		cr_expect_eq(console.size_bytes, strlen(rows[i].start) + 1000000 +
							 strlen(rows[i].end));
		if (console.panic)
			cr_expect_eq(strlen(console.panic),
				     (size_t)CONSOLE_LINE_BYTES);
		for (size_t j = 0; j < console.splats.count; j++)
			cr_expect_eq(strlen(console.splats.items[j]),
				     (size_t)CONSOLE_LINE_BYTES);
		cr_expect_eq(console.splats.count + !!console.panic, i < 2);
		console_append_tail(&console, 1, &sb);
		cr_expect_leq(sb.length, (size_t)CONSOLE_TAIL_BYTES + 1);
		// Of a panic the begin is wanted, of all else the end.
		cr_expect(strstr(sb.text, i == 1 ? rows[i].start : rows[i].end));
	}
}

Test(console, the_tail_is_the_last_lines_or_all_from_a_panic)
{
	static const struct {
		const char *text;
		unsigned int lines;
		const char *tail;
	} rows[] = {
		{ "", 5, "" },
		{ "a\nb\nc\n", 2, "b\nc\n" },
		{ "a\nb\nc", 5, "a\nb\nc\n" },
		{ "a\nKernel panic - not syncing: x\nb\nc\n", 1,
		  "Kernel panic - not syncing: x\nb\nc\n" },
	};

	for (size_t i = 0; i < array_size(rows); i++) {
		_cleanup_console_ struct console console = { 0 };
		_cleanup_string_builder_ struct string_builder sb = { 0 };

		feed(&console, rows[i].text);
		console_append_tail(&console, rows[i].lines, &sb);
		cr_expect_str_eq(sb.text ? sb.text : "", rows[i].tail);
	}
}

Test(console, a_crash_kernel_s_panic_is_its_own)
{
	_cleanup_console_ struct console console = { 0 };
	_cleanup_string_builder_ struct string_builder sb = { 0 };

	feed(&console, "WARNING: first\nKernel panic - not syncing: first\na\n");
	console_restart(&console);
	cr_expect_null(console.panic);
	cr_expect_eq(console.splat_count, 1);
	feed(&console, "b\nKernel panic - not syncing: second\nc\n");
	cr_expect_str_eq(console.panic, "Kernel panic - not syncing: second");
	console_append_tail(&console, 1, &sb);
	cr_expect_str_eq(sb.text, "Kernel panic - not syncing: second\nc\n");
}

Test(console, only_tasks_worth_seeing_are_listed)
{
	static const char text[] =
		"[ 1.0] sysrq: Show State\n"
		"[ 1.0] task:init.sh         state:S stack:0     pid:1     tgid:1     ppid:0      flags:0x00000000\n"
		"[ 1.0] Call Trace:\n"
		"[ 1.0]  init_trace+0x1/0x2\n"
		"[ 1.0] task:kthreadd        state:S stack:0     pid:2     tgid:2     ppid:0      flags:0x00004000\n"
		"[ 1.0] task:kworker/0:0     state:I stack:0     pid:7     tgid:7     ppid:2      flags:0x00004000\n"
		"[ 1.0]  idle_trace+0x1/0x2\n"
		"[ 1.0] task:kworker/0:1     state:D stack:0     pid:8     tgid:8     ppid:2      flags:0x00004000\n"
		"[ 1.0] task:sleep           state:S stack:0     pid:90    tgid:90    ppid:80     flags:0x00000000\n"
		"[ 1.0] Call Trace:\n"
		"[ 1.0]  <TASK>\n"
		"[ 1.0]  do_nanosleep+0x1/0x2\n"
		"[ 1.0] Showing busy workqueues and worker pools:\n";
	_cleanup_console_ struct console console = { 0 };
	_cleanup_string_builder_ struct string_builder sb = { 0 };

	feed(&console, "[ 0.5] task:earlier state:S pid:91 ppid:80\n");
	console_expect_tasks(&console);
	feed(&console, text);
	cr_assert(console_append_tasks(&console, &sb));
	cr_expect_str_eq(sb.text,
			 "task:kworker/0:1     state:D stack:0     pid:8     tgid:8     ppid:2      flags:0x00004000\n"
			 "task:sleep           state:S stack:0     pid:90    tgid:90    ppid:80     flags:0x00000000\n"
			 "Call Trace:\n <TASK>\n do_nanosleep+0x1/0x2\n");
}

Test(console, nothing_that_comes_out_moves_a_terminal_s_cursor)
{
	static const char text[] =
		"\033c\033[?7l\033[2JSeaBIOS\r\n"
		"\033[31m[ 1.0] WARNING: \033]0;title\ared\033[0m\r\n"
		"[ 1.0] task:a\033[1m state:S pid:90 ppid:80\n"
		"\033[0m[ 1.0] Kernel panic - not syncing: \033[5mx\n"
		"\x9b[31mrest";
	static const char plain[] =
		"[ 1.0] Kernel panic - not syncing: x\n" UTF8_REPLACEMENT
		"[31mrest\n";
	_cleanup_console_ struct console console = { 0 };
	_cleanup_string_builder_ struct string_builder tail = { 0 };
	_cleanup_string_builder_ struct string_builder tasks = { 0 };

	for (const char *p = text; *p; p++)
		console_feed(&console, p, 1);
	cr_assert_eq(console.splat_count, 1);
	cr_expect_str_eq(console.splats.items[0], "WARNING: red");
	cr_expect_str_eq(console.panic, "Kernel panic - not syncing: x");
	console_append_tail(&console, 2, &tail);
	cr_expect_str_eq(tail.text, plain);
	cr_assert(console_append_tasks(&console, &tasks));
	cr_expect_str_eq(tasks.text, "task:a state:S pid:90 ppid:80\n");
}

Test(console, lines_are_new_once_and_when_they_are_whole)
{
	_cleanup_console_ struct console console = { 0 };
	_cleanup_string_builder_ struct string_builder sb = { 0 };

	console_append_new(&console, &sb);
	feed(&console, "a\nb\033[3");
	console_append_new(&console, &sb);
	console_append_new(&console, &sb);
	cr_expect_str_eq(sb.text, "a\n");
	feed(&console, "1mc\n");
	console_append_new(&console, &sb);
	cr_expect_str_eq(sb.text, "a\nbc\n");
}
