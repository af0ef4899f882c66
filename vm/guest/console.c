// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/guest/guest_internal.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/param.h>

#include "common/base/memory.h"
#include "common/base/text.h"

static const char panic_text[] = "Kernel panic - not syncing";

// A line that begins with `start` and, unless that is NULL, contains `then`.
static const struct {
	const char *start;
	const char *then;
} splats[] = {
	// KASAN, KFENCE, null pointers, bad pages, sleeping while atomic …
	{ "BUG: ", NULL },
	{ "kernel BUG at ", NULL },
	// WARN_ON() and lockdep. Before the CPU, 6.14 and later say `[#1]`.
	{ "WARNING: ", NULL },
	{ "Oops: ", NULL },
	{ "Oops", " - " },
	{ "Internal error: ", NULL },
	{ "general protection fault", NULL },
	{ "Unable to handle kernel ", NULL },
	{ "UBSAN: ", NULL },
	{ "watchdog: BUG: soft lockup", NULL },
	{ "watchdog: CPU", "detected hard LOCKUP" },
	{ "NMI watchdog: ", "LOCKUP" },
	{ "rcu: INFO: rcu_", NULL },
	{ "INFO: rcu_", NULL },
	{ "INFO: task ", " blocked" },
	{ "INFO: trying to register non-static key", NULL },
	{ "INFO: possible ", " detected" },
	{ "DEBUG_LOCKS_WARN_ON", NULL },
	// SLUB's checks: `BUG kmalloc-64 (Not tainted): Poison overwritten`.
	{ "BUG ", "): " },
	{ "kmemleak: unreferenced object ", NULL },
};

// Of ppc64, at each boot of a machine whose NVRAM was never written.
static const char notice[] = "WARNING: nvram ";

void console_deinit(struct console *console)
{
	string_builder_deinit(&console->log);
	free(console->panic);
	string_list_deinit(&console->splats);
	*console = (struct console){ 0 };
}

/** A line without the kernel's `[    1.234567] [  T1] ` in front. */
static const char *line_text(const char *line)
{
	// printk.time, then CONFIG_PRINTK_CALLER.
	for (int i = 0; i < 2 && *line == '['; i++) {
		const char *p = line + 1;

		p += strspn(p, " TC0123456789.");
		if (*p != ']')
			break;
		line = p + 1;
		line += *line == ' ';
	}
	// Some of lockdep's headlines are framed: `[ BUG: Invalid wait context ]`.
	return line + (strncmp(line, "[ ", 2) == 0 ? 2 : 0);
}

/** Whether a line, without its prefix, is the first line of a splat. */
static bool line_is_splat(const char *text)
{
	for (size_t i = 0; i < array_size(splats); i++) {
		if (strncmp(text, splats[i].start, strlen(splats[i].start)) == 0 &&
		    (!splats[i].then || strstr(text, splats[i].then)))
			return strncmp(text, notice, strlen(notice)) != 0;
	}
	return false;
}

static void console_scan(struct console *console)
{
	_cleanup_string_builder_ struct string_builder line = { 0 };

	if (console->log.length)
		text_append_plain(&line, console->log.text + console->line,
				  MIN(console->log.length - console->line,
				      (size_t)CONSOLE_LINE_BYTES));
	if (!line.length)
		return;

	const char *text = line_text(line.text);

	if (strncmp(text, panic_text, strlen(panic_text)) == 0) {
		if (!console->panic)
			console->panic = string_copy(text);
		return;
	}
	if (!line_is_splat(text))
		return;
	if (console->splat_count < CONSOLE_TRACE_LIMIT)
		console->traces[console->splat_count] = console->line;
	if (console->splats.count < CONSOLE_SPLAT_LIMIT)
		string_list_add(&console->splats, text);
	console->splat_count += console->splat_count < INT_MAX;
}

/** Keep the newest part. A line that never ends is cut as well. */
static void console_cut(struct console *console)
{
	size_t *const offsets[] = { &console->line, &console->boot,
				    &console->shown, &console->tasks };
	struct string_builder *log = &console->log;
	size_t cut = log->length - CONSOLE_KEEP_BYTES;

	log->length = CONSOLE_KEEP_BYTES;
	memmove(log->text, log->text + cut, log->length + 1);
	for (size_t i = 0; i < array_size(offsets); i++)
		*offsets[i] = *offsets[i] > cut ? *offsets[i] - cut : 0;
	for (size_t i = 0; i < CONSOLE_TRACE_LIMIT; i++)
		console->traces[i] =
			console->traces[i] > cut ? console->traces[i] - cut : 0;
}

void console_feed(struct console *console, const char *data, size_t size_bytes)
{
	console->size_bytes += size_bytes;
	for (size_t i = 0; i < size_bytes; i++) {
		if (data[i] == '\r' || data[i] == '\0')
			continue;
		if (data[i] == '\n')
			console_scan(console);
		string_builder_append_char(&console->log, data[i]);
		if (data[i] == '\n')
			console->line = console->log.length;
		if (console->log.length >= 2 * (size_t)CONSOLE_KEEP_BYTES)
			console_cut(console);
	}
}

void console_restart(struct console *console)
{
	free(take_ptr(console->panic));
	console->boot = console->line;
}

void console_append_new(struct console *console, struct string_builder *sb)
{
	if (console->shown < console->line)
		text_append_plain(sb, console->log.text + console->shown,
				  console->line - console->shown);
	console->shown = console->line;
}

void console_append_tail(const struct console *console, unsigned int lines,
			 struct string_builder *sb)
{
	if (!console->log.length)
		return;

	const char *start = console->log.text;
	const char *end = start + console->log.length;
	const char *p = end - 1;
	// The trace after a panic is what one wants, however long.
	const char *panic = console->panic
				    ? strstr(start + console->boot, panic_text)
				    : NULL;

	for (; p > start; p--) {
		if (p[-1] == '\n' && --lines == 0)
			break;
	}
	while (panic && panic > start && panic[-1] != '\n')
		panic--;
	if (panic)
		p = MIN(p, panic);
	if (end - p > CONSOLE_TAIL_BYTES) {
		p = panic ? panic : end - CONSOLE_TAIL_BYTES;
		end = MIN(end, p + CONSOLE_TAIL_BYTES);
	}
	text_append_plain(sb, p, (size_t)(end - p));
	if (sb->length && sb->text[sb->length - 1] != '\n')
		string_builder_append_char(sb, '\n');
}

/**
 * Whether people want to see a task: `task:NAME state:S … pid:N … ppid:N`, as
 * kernels since 5.11 write.
 */
static bool task_is_shown(const char *text)
{
	const char *state = strstr(text, " state:");
	const char *pid = strstr(text, " pid:");
	const char *ppid = strstr(text, " ppid:");

	if (!state || !pid || !ppid)
		return false;

	unsigned long id = strtoul(pid + strlen(" pid:"), NULL, 10);
	unsigned long parent = strtoul(ppid + strlen(" ppid:"), NULL, 10);

	state += strlen(" state:");
	return id != 1 &&
	       ((id != 2 && parent != 2) || *state == 'D' || *state == 'R');
}

/** Whether a line belongs to the task above it. */
static bool line_is_trace(const char *text)
{
	static const char *const starts[] = { " ",     "RIP:", "RSP:", "RAX:",
					      "RDX:",  "RBP:", "R10:", "R13:",
					      "Call ", "pc :", "lr :", "x" };

	for (size_t i = 0; i < array_size(starts); i++) {
		if (strncmp(text, starts[i], strlen(starts[i])) == 0)
			return true;
	}
	return false;
}

/** Whether a line says what the frames below it are. */
static bool line_is_head(const char *text)
{
	static const char *const starts[] = { "Call Trace",
					      "Call trace",
					      "Backtrace",
					      "Allocated by task",
					      "Freed by task",
					      "Last potentially related work",
					      "the existing dependency chain",
					      "Kernel panic",
					      "-> #" };

	for (size_t i = 0; i < array_size(starts); i++) {
		if (strncmp(text, starts[i], strlen(starts[i])) == 0)
			return true;
	}
	return strstr(text, "+0x") && strstr(text, "/0x");
}

void console_append_trace(const struct console *console, size_t number,
			  struct string_builder *sb)
{
	_cleanup_string_builder_ struct string_builder plain = { 0 };
	const size_t start = console->traces[number];

	if (console->log.length <= start)
		return;
	text_append_plain(&plain, console->log.text + start,
			  MIN(console->log.length - start,
			      (size_t)CONSOLE_TRACE_BYTES));

	char *rest = plain.text;

	for (int i = 0; i < CONSOLE_TRACE_LINES; i++) {
		const char *line = strsep(&rest, "\n");

		if (!line)
			return;

		const char *text = line_text(line);

		if (i && (line_is_splat(text) ||
			  strncmp(text, "---[ end", strlen("---[ end")) == 0))
			return;
		// The kernel is not sure of those.
		if (i && line_is_head(text) && strncmp(text, " ? ", 3) != 0)
			string_builder_appendf(sb, "%s\n", text);
	}
}

void console_expect_tasks(struct console *console)
{
	console->tasks = console->log.length;
}

bool console_append_tasks(const struct console *console, struct string_builder *sb)
{
	_cleanup_string_builder_ struct string_builder plain = { 0 };
	bool any = false;
	bool shown = false;

	if (!console->log.length)
		return false;
	text_append_plain(&plain, console->log.text + console->tasks,
			  console->log.length - console->tasks);

	char *rest = plain.text;

	for (char *line; (line = strsep(&rest, "\n"));) {
		const char *text = line_text(line);

		if (strncmp(text, "task:", strlen("task:")) == 0) {
			shown = task_is_shown(text);
			any |= shown;
		} else if (!line_is_trace(text)) {
			shown = false;
		}
		if (shown)
			string_builder_appendf(sb, "%s\n", text);
	}
	return any;
}
