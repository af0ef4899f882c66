// SPDX-License-Identifier: LGPL-2.1-or-later

#include "common/base/progress.h"

#include <criterion/criterion.h>
#include <pty.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/base/interrupt.h"
#include "common/base/log.h"
#include "common/base/text.h"

static const struct {
	struct progress_state state;
	const char *text;
	const char *end;
} lines[] = {
	{ { "configure a", PROGRESS_TIME, 0, 0, 0, 65400 },
	  "configure a: 65 s",
	  "configure a: 65.4 s" },
	{ { "build a", PROGRESS_COMPILED, 512, 0, 1476, 300000 },
	  "build a: 512 of about 1476 files compiled, 300 s",
	  "build a: 512 files compiled, 300.0 s" },
	// It was too low.
	{ { "build a", PROGRESS_COMPILED, 1476, 0, 1476, 300000 },
	  "build a: 1476 files compiled, 300 s",
	  "build a: 1476 files compiled, 300.0 s" },
	{ { "build a", PROGRESS_COMPILED, 3, 0, 0, 1000 },
	  "build a: 3 files compiled, 1 s",
	  "build a: 3 files compiled, 1.0 s" },
	{ { "fetch a", PROGRESS_OBJECTS, 5, 90, 0, 1000 },
	  "fetch a: 5 of 90 git objects, 1 s",
	  "fetch a: 5 of 90 git objects, 1.0 s" },
	{ { "write a", PROGRESS_FILES, 5, 90, 0, 1000 },
	  "write a: 5 of 90 files, 1 s",
	  "write a: 5 of 90 files, 1.0 s" },
	{ { "download a", PROGRESS_BYTES, 20000000, 80000000, 0, 2000 },
	  "download a: 20.0 of 80.0 MB, 10.0 MB/s, 2 s",
	  "download a: 20.0 of 80.0 MB, 10.0 MB/s, 2.0 s" },
	{ { "pack a", PROGRESS_BYTES, 20000000, 0, 0, 2000 },
	  "pack a: 20.0 MB, 2 s",
	  "pack a: 20.0 MB, 2.0 s" },
};

Test(progress, numbers_have_a_unit)
{
	for (size_t i = 0; i < array_size(lines); i++) {
		_cleanup_string_builder_ struct string_builder text = { 0 },
							       end = { 0 };

		progress_append(&text, &lines[i].state, false);
		cr_expect_str_eq(text.text, lines[i].text);
		progress_append(&end, &lines[i].state, true);
		cr_expect_str_eq(end.text, lines[i].end);
	}
}

/** Let stderr be a file. */
static int capture(void)
{
	int fd = memfd_create("stderr", MFD_CLOEXEC);

	cr_assert_geq(fd, 0);
	cr_assert_eq(dup2(fd, STDERR_FILENO), STDERR_FILENO);
	return fd;
}

/** What has been written; at most some lines. */
static const char *captured(int fd)
{
	static char text[4096];
	ssize_t size = pread(fd, text, sizeof(text) - 1, 0);

	cr_assert_geq(size, 0);
	text[size] = '\0';
	return text;
}

static size_t count(const char *text, const char *part)
{
	size_t n = 0;

	while ((text = strstr(text, part))) {
		text += strlen(part);
		n++;
	}
	return n;
}

/** As a library that does not return: nothing is reported meanwhile. */
static void be_busy(unsigned int ms)
{
	cr_assert_null(interrupt_sleep(ms));
}

Test(progress, a_log_is_not_silent_while_a_step_hangs)
{
	int fd = capture();

	log_init("test", LOG_INFO, 50);

	struct progress *progress =
		progress_createf(PROGRESS_COMPILED, "build a");

	progress_estimate(progress, 1500);
	progress_update(progress, 512, 0);
	progress_detail(progress, "fs/foo.o");
	be_busy(400);
	progress_destroy(progress);

	const char *text = captured(fd);
	size_t n =
		count(text,
		      "test: build a: 512 of about 1500 files compiled, 0 s\n");

	cr_expect_geq(n, 2, "%s", text);
	cr_expect_eq(n, count(text, "\n"), "%s", text);
	cr_expect_null(strpbrk(text, "\r\033"));
}

Test(progress, the_latest_step_is_shown_and_then_the_one_before_it)
{
	int fd = capture();

	log_init("test", LOG_INFO, 50);

	struct progress *outer = progress_createf(PROGRESS_TIME, "outer");
	struct progress *inner = progress_createf(PROGRESS_TIME, "inner %d", 1);

	be_busy(300);
	progress_finish(inner);
	progress_destroy(inner);

	const char *text = captured(fd);

	cr_expect_geq(count(text, "test: inner 1: 0 s\n"), 2, "%s", text);
	cr_expect_eq(count(text, "outer"), 0, "%s", text);
	cr_expect_not_null(strstr(text, "test: inner 1: 0."));
	be_busy(300);
	progress_destroy(outer);
	text = captured(fd);
	cr_expect_geq(count(text, "test: outer: "), 2, "%s", text);
}

Test(progress, a_log_that_says_enough_gets_nothing_more)
{
	int fd = capture();

	log_init("test", LOG_INFO, 5000);

	struct progress *progress = progress_createf(PROGRESS_TIME, "outer");

	for (int i = 0; i < 10; i++) {
		log_info("line");
		be_busy(50);
	}
	progress_destroy(progress);
	cr_expect_eq(count(captured(fd), "outer"), 0);
}

Test(progress, quiet_users_are_told_nothing)
{
	int fd = capture();

	log_init("test", LOG_ERROR, 20);

	struct progress *progress = progress_createf(PROGRESS_TIME, "outer");

	be_busy(100);
	progress_finish(progress);
	progress_destroy(progress);
	cr_expect_str_eq(captured(fd), "");
}

#define ERASE_LINE "\r\033[K"

static bool ends_with(const char *text, const char *end)
{
	size_t length = strlen(text);

	return length >= strlen(end) &&
	       strcmp(text + length - strlen(end), end) == 0;
}

Test(progress, the_time_goes_on_on_a_terminal_where_nothing_else_does,
     .timeout = 30)
{
	char text[4096];
	int master, slave;

	cr_assert_eq(openpty(&master, &slave, NULL, NULL, NULL), 0);
	cr_assert_eq(dup2(slave, STDERR_FILENO), STDERR_FILENO);
	log_init("test", LOG_INFO, 60000);

	struct progress *progress =
		progress_createf(PROGRESS_COMPILED, "build a");

	progress_update(progress, 512, 0);
	progress_detail(progress, "fs/foo.o");
	be_busy(2500);
	progress_destroy(progress);

	size_t size = 0;

	// A terminal gives what has got through it so far.
	do {
		ssize_t part = read(master, text + size, sizeof(text) - 1 - size);

		cr_assert_gt(part, 0);
		size += (size_t)part;
		text[size] = '\0';
	} while (!ends_with(text, "  fs/foo.o" ERASE_LINE));
	cr_expect(strstr(text, "512 files compiled, 1 s  fs/foo.o") ||
		  strstr(text, "512 files compiled, 2 s  fs/foo.o"));
	cr_expect_eq(count(text, "\n"), 0);
}
