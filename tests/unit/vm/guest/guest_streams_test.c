// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/guest/guest_internal.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/error.h"
#include "vm/guest/guest.h"

/** A command whose stdin and stdout are pipes, and the guest's ports. */
struct stage {
	int in[2];
	int out[2];
	/** Ours, then the guest's. */
	int control[2];
	int stdin_port[2];
	int stdout_port[2];
	struct guest_streams streams;
};

static struct stage create_stage(void)
{
	struct stage stage;
	int *const ports[] = { stage.control, stage.stdin_port,
			       stage.stdout_port };

	signal(SIGPIPE, SIG_IGN);
	cr_assert_eq(pipe2(stage.in, O_NONBLOCK), 0);
	cr_assert_eq(pipe2(stage.out, O_NONBLOCK), 0);
	for (size_t i = 0; i < array_size(ports); i++)
		cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0,
					ports[i]),
			     0);

	const struct guest_config config = {
		.stdin_fd = stage.in[0],
		.stdout_fd = stage.out[1],
		.stderr_fd = -1,
	};
	const int port_fds[PORT_COUNT] = { -1, stage.control[0],
					   stage.stdin_port[0],
					   stage.stdout_port[0], -1 };

	guest_streams_init(&stage.streams, &config, port_fds);
	return stage;
}

/** Poll and move until nothing moves. */
static void pump(struct guest_streams *streams)
{
	bool moved = true;

	while (moved) {
		struct pollfd fds[GUEST_STREAM_POLL_COUNT];

		moved = false;
		guest_streams_prepare(streams, fds);
		cr_assert_geq(poll(fds, array_size(fds), 0), 0);
		cr_assert_null(guest_streams_move(streams, fds, &moved));
	}
}

static void expect_text(int fd, const char *text)
{
	char data[64] = "";

	cr_expect_eq(read(fd, data, sizeof(data) - 1), strlen(text));
	cr_expect_str_eq(data, text);
}

Test(guest_streams, move_both_ways_and_pass_the_end_of_input_on)
{
	struct stage stage = create_stage();

	cr_assert_eq(write(stage.in[1], "to", 2), 2);
	cr_assert_eq(write(stage.stdout_port[1], "from", 4), 4);
	pump(&stage.streams);
	expect_text(stage.stdin_port[1], "to");
	expect_text(stage.out[0], "from");
	cr_expect_eq(read(stage.stdin_port[1], &stage, 1), -1);
	close(stage.in[1]);
	pump(&stage.streams);
	expect_text(stage.stdin_port[1], "");
	guest_streams_deinit(&stage.streams);
}

Test(guest_streams, what_has_arrived_is_collected_and_handed_on)
{
	struct stage stage = create_stage();

	cr_assert_eq(write(stage.stdout_port[1], "last", 4), 4);
	cr_assert_null(guest_streams_collect(&stage.streams));
	cr_assert_eq(write(stage.stdout_port[1], "late", 4), 4);
	cr_expect_not(guest_streams_is_flushed(&stage.streams));
	pump(&stage.streams);
	cr_expect(guest_streams_is_flushed(&stage.streams));
	expect_text(stage.out[0], "last");
	guest_streams_deinit(&stage.streams);
}

Test(guest_streams, what_has_arrived_is_collected_behind_much_else)
{
	struct stage stage = create_stage();
	struct guest_stream *out = &stage.streams.items[GUEST_STREAM_STDOUT];

	out->limit_bytes = 4;
	string_builder_append(&out->data, "1234");
	cr_assert_eq(write(stage.stdout_port[1], "last", 4), 4);
	cr_assert_null(guest_streams_collect(&stage.streams));
	pump(&stage.streams);
	expect_text(stage.out[0], "1234last");
	guest_streams_deinit(&stage.streams);
}

Test(guest_streams, stop_reading_when_the_reader_is_behind)
{
	static char data[1 << 20];
	struct stage stage = create_stage();
	size_t written = 0;

	for (int i = 0; i < 1000; i++) {
		ssize_t n = write(stage.stdout_port[1], data, sizeof(data));

		written += n > 0 ? (size_t)n : 0;
		pump(&stage.streams);
	}
	cr_expect(guest_streams_is_full(&stage.streams));
	cr_expect_gt(written, (size_t)GUEST_OUTPUT_LIMIT_BYTES);
	cr_expect_lt(written, GUEST_OUTPUT_LIMIT_BYTES + ((size_t)2 << 20));
	guest_streams_deinit(&stage.streams);
}

Test(guest_streams, a_reader_that_has_gone_is_noticed)
{
	struct stage stage = create_stage();

	close(stage.out[0]);
	cr_assert_eq(write(stage.stdout_port[1], "hello", 5), 5);
	pump(&stage.streams);
	cr_expect(guest_streams_is_broken(&stage.streams));
	guest_streams_deinit(&stage.streams);
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
	struct stage stage = create_stage();

	stage.streams.interactive = true;
	for (size_t i = 0; i < array_size(rows); i++) {
		struct pollfd fds[GUEST_STREAM_POLL_COUNT];
		bool moved = false;
		ssize_t length = (ssize_t)strlen(rows[i].typed);

		cr_assert_eq(write(stage.in[1], rows[i].typed, (size_t)length),
			     length);
		guest_streams_prepare(&stage.streams, fds);
		cr_assert_geq(poll(fds, array_size(fds), 0), 0);

		struct error *err =
			guest_streams_move(&stage.streams, fds, &moved);

		cr_expect_eq(error_catch(&err, ERROR_CANCELLED), rows[i].ends,
			     "row %zu", i);
	}
	guest_streams_deinit(&stage.streams);
}

Test(guest_streams, what_is_said_arrives_whole)
{
	static const size_t more = 200000;
	static char said[200005];
	static char got[sizeof(said)];
	struct stage stage = create_stage();
	size_t size = 0;

	for (size_t i = 0; i < more; i++)
		said[i] = (char)('0' + i * 31 % 64);
	guest_streams_say(&stage.streams, said);
	strcpy(said + more, "more");
	guest_streams_say(&stage.streams, said + more);
	while (size < strlen(said)) {
		ssize_t n;

		pump(&stage.streams);
		n = read(stage.control[1], got + size, sizeof(got) - 1 - size);
		cr_assert_gt(n, 0);
		size += (size_t)n;
	}
	cr_expect_str_eq(got, said);
	guest_streams_deinit(&stage.streams);
}
