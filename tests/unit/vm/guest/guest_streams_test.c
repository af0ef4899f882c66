// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/guest/guest_streams.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/error.h"
#include "vm/guest/guest.h"

/** The pipes of a command's stdin and stdout. */
static int in[2], out[2];
/** The guest's ports: our end, then its own. */
static int control[2], stdin_port[2], stdout_port[2];
static struct guest_streams streams;

static void setup(void)
{
	int *const ports[] = { control, stdin_port, stdout_port };

	signal(SIGPIPE, SIG_IGN);
	cr_assert_eq(pipe2(in, O_NONBLOCK), 0);
	cr_assert_eq(pipe2(out, O_NONBLOCK), 0);
	for (size_t i = 0; i < array_size(ports); i++)
		cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0,
					ports[i]),
			     0);

	const struct guest_config config = {
		.stdin_fd = in[0],
		.stdout_fd = out[1],
		.stderr_fd = -1,
	};
	const int port_fds[PORT_COUNT] = { -1, control[0], stdin_port[0],
					   stdout_port[0], -1 };

	guest_streams_init(&streams, &config, port_fds);
}

static void teardown(void)
{
	guest_streams_deinit(&streams);
}

TestSuite(guest_streams, .init = setup, .fini = teardown);

/** Poll and move until nothing moves. */
static void pump(void)
{
	bool moved = true;

	while (moved) {
		struct pollfd fds[GUEST_STREAM_POLL_COUNT];

		moved = false;
		guest_streams_prepare(&streams, fds);
		cr_assert_geq(poll(fds, array_size(fds), 0), 0);
		cr_assert_null(guest_streams_move(&streams, fds, &moved));
	}
}

static void say(int fd, const char *text)
{
	cr_assert_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
}

static void expect_text(int fd, const char *text)
{
	char data[64] = "";

	cr_expect_eq(read(fd, data, sizeof(data) - 1), (ssize_t)strlen(text));
	cr_expect_str_eq(data, text);
}

Test(guest_streams, move_both_ways_and_pass_the_end_of_input_on)
{
	say(in[1], "to");
	say(stdout_port[1], "from");
	pump();
	expect_text(stdin_port[1], "to");
	expect_text(out[0], "from");
	cr_expect_eq(read(stdin_port[1], &(char){ 0 }, 1), -1);
	close(in[1]);
	pump();
	expect_text(stdin_port[1], "");
}

Test(guest_streams, what_has_arrived_is_collected_and_handed_on)
{
	say(stdout_port[1], "last");
	cr_assert_null(guest_streams_collect(&streams));
	say(stdout_port[1], "late");
	cr_expect_not(guest_streams_is_flushed(&streams));
	pump();
	cr_expect(guest_streams_is_flushed(&streams));
	expect_text(out[0], "last");
}

Test(guest_streams, what_has_arrived_is_collected_behind_much_else)
{
	struct guest_stream *stream = &streams.items[GUEST_STREAM_STDOUT];

	stream->limit_bytes = 4;
	string_builder_append(&stream->data, "1234");
	say(stdout_port[1], "last");
	cr_assert_null(guest_streams_collect(&streams));
	pump();
	expect_text(out[0], "1234last");
}

Test(guest_streams, what_is_more_than_the_limit_is_dropped)
{
	streams.items[GUEST_STREAM_STDOUT].allowed_bytes = 6;
	say(stdout_port[1], "123456");
	pump();
	cr_expect_not(guest_streams_is_flooded(&streams));
	say(stdout_port[1], "7");
	pump();
	say(stdout_port[1], "8");
	cr_assert_null(guest_streams_collect(&streams));
	pump();
	cr_expect(guest_streams_is_flooded(&streams));
	expect_text(out[0], "123456");
}

Test(guest_streams, nothing_is_kept_for_a_guest_that_does_not_read)
{
	const struct guest_stream *stream = &streams.items[GUEST_STREAM_CONTROL];

	// As when a terminal is resized again and again.
	for (int i = 0; i < 2 * GUEST_INPUT_LIMIT_BYTES; i += 6)
		guest_streams_say(&streams, "24 80\n");
	cr_expect_leq(stream->data.length, (size_t)GUEST_INPUT_LIMIT_BYTES + 6);
}

Test(guest_streams, stop_reading_when_the_reader_is_behind)
{
	static char data[1 << 20];
	size_t written = 0;

	for (int i = 0; i < 1000; i++) {
		ssize_t n = write(stdout_port[1], data, sizeof(data));

		written += n > 0 ? (size_t)n : 0;
		pump();
	}
	cr_expect(guest_streams_is_full(&streams));
	cr_expect_gt(written, (size_t)GUEST_OUTPUT_LIMIT_BYTES);
	cr_expect_lt(written, GUEST_OUTPUT_LIMIT_BYTES + ((size_t)2 << 20));
}

Test(guest_streams, a_reader_that_has_gone_is_noticed)
{
	close(out[0]);
	say(stdout_port[1], "hello");
	pump();
	cr_expect(guest_streams_is_broken(&streams));
}

Test(guest_streams, a_key_typed_three_times_in_a_row_ends_the_guest)
{
	static const struct {
		const char *typed;
		bool ends;
	} rows[] = {
		{ "\x1d\x1d", false },
		// It begins anew.
		{ "x\x1d\x1d", false },
		{ "\x1d", true },
	};

	streams.interactive = true;
	for (size_t i = 0; i < array_size(rows); i++) {
		struct pollfd fds[GUEST_STREAM_POLL_COUNT];
		bool moved = false;

		say(in[1], rows[i].typed);
		guest_streams_prepare(&streams, fds);
		cr_assert_geq(poll(fds, array_size(fds), 0), 0);

		struct error *err = guest_streams_move(&streams, fds, &moved);

		cr_expect_eq(error_catch(&err, ERROR_CANCELLED), rows[i].ends,
			     "row %zu", i);
	}
}

Test(guest_streams, what_is_said_arrives_whole)
{
	static const size_t more = 200000;
	static char said[200005];
	static char got[sizeof(said)];
	size_t size = 0;

	for (size_t i = 0; i < more; i++)
		said[i] = (char)('0' + i * 31 % 64);
	guest_streams_say(&streams, said);
	strcpy(said + more, "more");
	guest_streams_say(&streams, said + more);
	while (size < strlen(said)) {
		ssize_t n;

		pump();
		n = read(control[1], got + size, sizeof(got) - 1 - size);
		cr_assert_gt(n, 0);
		size += (size_t)n;
	}
	cr_expect_str_eq(got, said);
}
