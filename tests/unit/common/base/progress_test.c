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

/** Let stderr be a file. */
static int capture(enum log_level level, uint64_t silence_ms)
{
	int fd = memfd_create("stderr", MFD_CLOEXEC);

	cr_assert_geq(fd, 0);
	cr_assert_eq(dup2(fd, STDERR_FILENO), STDERR_FILENO);
	log_init("test", level, silence_ms);
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

Test(progress, shows_no_passwords)
{
	int fd = capture(LOG_INFO, 100);
	_cleanup_progress_ struct progress *progress =
		progress_createf(PROGRESS_TIME, "GET %s", "http://me:s3cret@h/x");

	be_busy(500);
	log_info("GET %s", "http://me:s3cret@h/y");
	cr_expect(strstr(captured(fd), "GET http://h/x: "), "%s", captured(fd));
	cr_expect(strstr(captured(fd), "GET http://h/y\n"));
	cr_expect_null(strstr(captured(fd), "s3cret"));
}

Test(progress, what_is_quoted_moves_no_terminal_and_is_no_command)
{
	int fd = capture(LOG_INFO, 100);
	_cleanup_progress_ struct progress *progress =
		progress_createf(PROGRESS_TIME, "GET a%s", "\033c##[error]x");

	be_busy(500);
	log_error("a\tb\n%s", "::error::c\r\033[2Jd\xe2\x80\xae");
	cr_expect(strstr(captured(fd), "test: error: a\tb\n?:error::c??[2Jd?\n"),
		  "%s", captured(fd));
	cr_expect(strstr(captured(fd), "GET a?c##?error]x: "));
}

Test(progress, numbers_have_a_unit)
{
	static const struct {
		enum progress_unit unit;
		uint64_t done, total;
		const char *running, *end;
	} rows[] = {
		{ PROGRESS_TIME, 0, 0, "0 s\n", "0." },
		{ PROGRESS_COMPILED, 512, 1476,
		  "512 of about 1476 files compiled, 0 s\n",
		  "512 files compiled, 0." },
		// It was too low.
		{ PROGRESS_COMPILED, 1476, 1476, "1476 files compiled, 0 s\n",
		  "1476 files compiled, 0." },
		{ PROGRESS_COMPILED, 3, 0, "3 files compiled, 0 s\n",
		  "3 files compiled, 0." },
		{ PROGRESS_OBJECTS, 5, 90, "5 of 90 git objects, 0 s\n",
		  "5 of 90 git objects, 0." },
		{ PROGRESS_FILES, 5, 90, "5 of 90 files, 0 s\n",
		  "5 of 90 files, 0." },
		{ PROGRESS_BYTES, 20000000, 0, "20.0 MB, 0 s\n", "20.0 MB, 0." },
	};

	for (size_t i = 0; i < array_size(rows); i++) {
		_cleanup_close_ int fd = capture(LOG_INFO, 20);
		struct progress *progress =
			progress_createf(rows[i].unit, "step %zu", i);
		char running[64], end[64];

		progress_update(progress, rows[i].done, rows[i].total);
		be_busy(100);
		progress_finish(progress);
		progress_destroy(progress);
		snprintf(running, sizeof(running), "test: step %zu: %s", i,
			 rows[i].running);
		snprintf(end, sizeof(end), "test: step %zu: %s", i, rows[i].end);
		cr_expect(strstr(captured(fd), running), "%s", captured(fd));
		cr_expect(strstr(captured(fd), end), "%s", captured(fd));
	}
}

Test(progress, bytes_have_a_rate)
{
	int fd = capture(LOG_INFO, 60000);
	struct progress *progress = progress_createf(PROGRESS_BYTES, "get a");
	double rate, seconds;

	progress_update(progress, 20000000, 80000000);
	be_busy(200);
	progress_finish(progress);
	progress_destroy(progress);
	cr_assert_eq(sscanf(captured(fd),
			    "test: get a: 20.0 of 80.0 MB, %lf MB/s, %lf s\n",
			    &rate, &seconds),
		     2, "%s", captured(fd));
	cr_expect(rate * seconds > 10 && rate * seconds < 30);
}

Test(progress, a_log_is_not_silent_while_a_step_hangs)
{
	int fd = capture(LOG_INFO, 50);
	struct progress *progress =
		progress_createf(PROGRESS_COMPILED, "build a");

	progress_update(progress, 0, 1500);
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
	int fd = capture(LOG_INFO, 50);
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
	cr_expect_geq(count(captured(fd), "test: outer: "), 2);
}

Test(progress, a_log_that_says_enough_or_nothing_gets_nothing_more)
{
	static const struct {
		enum log_level level;
		uint64_t silence_ms;
		const char *text;
	} rows[] = {
		{ LOG_INFO, 5000, "test: line\ntest: line\ntest: line\n" },
		{ LOG_ERROR, 20, "" },
	};

	for (size_t i = 0; i < array_size(rows); i++) {
		int fd = capture(rows[i].level, rows[i].silence_ms);
		struct progress *progress =
			progress_createf(PROGRESS_TIME, "outer");

		for (int j = 0; j < 3; j++) {
			log_info("line");
			be_busy(50);
		}
		progress_destroy(progress);
		cr_expect_str_eq(captured(fd), rows[i].text);
	}
}

Test(progress, a_line_is_cut_by_columns_between_characters)
{
	// Two bytes and one column each, then three and two.
	static const char what[] = "\xc3\xa4\xc3\xb6\xe7\x8c\xab";
	static const struct {
		size_t columns;
		const char *text;
	} rows[] = {
		{ 1, "\xc3\xa4" },
		{ 3, "\xc3\xa4\xc3\xb6" },
		{ 7, "\xc3\xa4\xc3\xb6\xe7\x8c\xab: 0" },
		{ 80, "\xc3\xa4\xc3\xb6\xe7\x8c\xab: 0 s  a b" },
	};
	struct progress *progress = progress_createf(PROGRESS_TIME, "%s", what);
	// It is first in it.
	struct log_status *status = (struct log_status *)progress;

	progress_detail(progress, "a\033b");
	for (size_t i = 0; i < array_size(rows); i++) {
		const struct log_size size = { 24, rows[i].columns };
		_cleanup_string_builder_ struct string_builder sb = { 0 };

		status->append(status, &size, &sb);
		cr_expect_str_eq(sb.text, rows[i].text, "%zu", i);
	}
	progress_destroy(progress);
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
	// What has not changed is not drawn again.
	cr_expect_leq(count(text, "\r"), 6);
	cr_expect_eq(count(text, "\n"), 0);
}
