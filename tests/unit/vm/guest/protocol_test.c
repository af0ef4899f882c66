// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/guest/protocol.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/** Read one event, in pieces of so many bytes. */
static bool read_one(struct protocol *protocol, const char *data, size_t size,
		     size_t step, enum machine_event *ret)
{
	const char *p = data;

	while (p < data + size) {
		size_t left = (size_t)(data + size - p);

		if (protocol_read(protocol, &p, p + (left < step ? left : step),
				  ret))
			return true;
	}
	return false;
}

Test(protocol, words_are_events_and_all_else_is_nonsense)
{
	static const struct {
		const char *line;
		enum machine_event event;
		int status;
	} rows[] = {
		{ "hello", EVENT_HELLO, 0 },
		{ "ready", EVENT_READY, 0 },
		{ "done", EVENT_DONE, 0 },
		{ "exit 0", EVENT_EXIT, 0 },
		{ "exit 42", EVENT_EXIT, 42 },
		{ "exit 255", EVENT_EXIT, 255 },
		{ "fail mount a share", EVENT_FAIL, 0 },
		{ "", EVENT_NONSENSE, 0 },
		{ " ", EVENT_NONSENSE, 0 },
		{ "hell", EVENT_NONSENSE, 0 },
		{ "hello ", EVENT_NONSENSE, 0 },
		{ "hello\r", EVENT_NONSENSE, 0 },
		{ "Ready", EVENT_NONSENSE, 0 },
		{ "\033[0mready", EVENT_NONSENSE, 0 },
		{ "done done", EVENT_NONSENSE, 0 },
		{ "exit", EVENT_NONSENSE, 0 },
		{ "exit ", EVENT_NONSENSE, 0 },
		{ "exit -1", EVENT_NONSENSE, 0 },
		{ "exit 256", EVENT_NONSENSE, 0 },
		{ "exit 0x1", EVENT_NONSENSE, 0 },
		{ "exit 1 2", EVENT_NONSENSE, 0 },
		{ "exit 4294967296", EVENT_NONSENSE, 0 },
		{ "fail", EVENT_NONSENSE, 0 },
		{ "fail ", EVENT_NONSENSE, 0 },
	};

	for (size_t step = 1; step < 9; step += 7) {
		struct protocol protocol = { 0 };

		for (size_t i = 0; i < array_size(rows); i++) {
			enum machine_event event = EVENT_TIME;
			char line[64];
			int length = snprintf(line, sizeof(line), "%s\n",
					      rows[i].line);

			protocol.status = 0;
			cr_assert(read_one(&protocol, line, (size_t)length,
					   step, &event));
			cr_expect_eq(event, rows[i].event, "'%s': %d",
				     rows[i].line, event);
			cr_expect_eq(protocol.status, rows[i].status, "'%s'",
				     rows[i].line);
		}
		protocol_deinit(&protocol);
	}
}

Test(protocol, lines_are_told_apart_and_kept_until_they_are_whole)
{
	static const char data[] = "hello\nready\nexit 3";
	struct protocol protocol = { 0 };
	const char *p = data;
	const char *end = data + strlen(data);
	enum machine_event event;

	cr_assert(protocol_read(&protocol, &p, end, &event));
	cr_expect_eq(event, EVENT_HELLO);
	cr_assert(protocol_read(&protocol, &p, end, &event));
	cr_expect_eq(event, EVENT_READY);
	cr_expect_not(protocol_read(&protocol, &p, end, &event));
	cr_expect_eq(p, end);
	p = "1\n";
	cr_assert(protocol_read(&protocol, &p, p + 2, &event));
	cr_expect_eq(event, EVENT_EXIT);
	cr_expect_eq(protocol.status, 31);
	protocol_deinit(&protocol);
}

Test(protocol, a_nul_is_a_byte_like_any_other)
{
	struct protocol protocol = { 0 };
	enum machine_event event;

	cr_assert(read_one(&protocol, "hello\0\n", 7, 7, &event));
	cr_expect_eq(event, EVENT_NONSENSE);
	protocol_deinit(&protocol);
}

Test(protocol, a_line_without_end_is_one_nonsense)
{
	const size_t size = 4 * (size_t)PROTOCOL_LINE_LIMIT;
	_cleanup_free_ char *data = malloc(size);
	struct protocol protocol = { 0 };
	enum machine_event event;

	cr_assert_not_null(data);
	memset(data, 'x', size);
	memcpy(data, "fail ", 5);
	cr_expect_not(read_one(&protocol, data, size, 4096, &event));
	cr_assert(read_one(&protocol, "\n", 1, 1, &event));
	cr_expect_eq(event, EVENT_NONSENSE);
	cr_expect_leq(strlen(protocol_text(&protocol)),
		      (size_t)PROTOCOL_LINE_LIMIT);
	cr_assert(read_one(&protocol, "ready\n", 6, 6, &event));
	cr_expect_eq(event, EVENT_READY);
	protocol_deinit(&protocol);
}

Test(protocol, what_failed_can_be_shown)
{
	static const struct {
		const char *line;
		const char *what;
	} rows[] = {
		{ "fail enter a share's directory\n",
		  "enter a share's directory" },
		{ "fail \033[31mmount\a\xff\n", "mount\xef\xbf\xbd" },
		{ "fail \033[0m\n", "" },
		{ "fail \rword\n", "word" },
	};

	for (size_t i = 0; i < array_size(rows); i++) {
		struct protocol protocol = { 0 };
		enum machine_event event;

		cr_assert(read_one(&protocol, rows[i].line,
				   strlen(rows[i].line), 3, &event));
		cr_expect_eq(event, EVENT_FAIL);
		cr_expect_str_eq(protocol_what(&protocol), rows[i].what);
		protocol_deinit(&protocol);
	}
}

Test(protocol, a_size_is_rows_and_columns)
{
	char line[32];

	protocol_format_size(line, 33, 101);
	cr_expect_str_eq(line, "33 101\n");
	protocol_format_size(line, -1U, -1U);
	cr_expect_str_eq(line, "4294967295 4294967295\n");
}
