// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/guest/relay.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/error.h"

/** Poll and move until nothing moves. */
static void pump(struct relay *relay)
{
	bool moved = true;

	while (moved) {
		struct pollfd fds[2];

		moved = false;
		relay_prepare(relay, fds);
		cr_assert_geq(poll(fds, 2, 0), 0);
		cr_assert_null(relay_move(relay, fds, &moved));
	}
}

Test(relay, moves_all_and_ends)
{
	_cleanup_relay_ struct relay relay = RELAY_INIT;
	int in[2];
	int out[2];
	char data[16] = "";

	cr_assert_eq(pipe(in), 0);
	cr_assert_eq(pipe(out), 0);
	relay_init(&relay, in[0], out[1], 1 << 20);
	cr_assert_eq(write(in[1], "hello", 5), 5);
	pump(&relay);
	cr_expect_not(relay_is_done(&relay));
	close(in[1]);
	pump(&relay);
	cr_expect(relay_is_done(&relay));
	cr_expect_eq(read(out[0], data, sizeof(data)), 5);
	cr_expect_str_eq(data, "hello");
}

Test(relay, stops_reading_when_the_writer_is_behind)
{
	enum {
		LIMIT = 100000
	};
	_cleanup_relay_ struct relay relay = RELAY_INIT;
	static char data[65536];
	int in[2];
	int out[2];
	size_t written = 0;

	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, in), 0);
	cr_assert_eq(pipe(out), 0);
	relay_init(&relay, in[0], out[1], LIMIT);
	for (int i = 0; i < 100; i++) {
		ssize_t n = write(in[1], data, sizeof(data));

		written += n > 0 ? (size_t)n : 0;
		pump(&relay);
	}
	cr_expect_lt(relay.length, LIMIT + 65536);
	cr_expect_gt(written, LIMIT);
}

Test(relay, a_reader_that_has_gone_is_noticed)
{
	_cleanup_relay_ struct relay relay = RELAY_INIT;
	int in[2];
	int out[2];

	signal(SIGPIPE, SIG_IGN);
	cr_assert_eq(pipe(in), 0);
	cr_assert_eq(pipe(out), 0);
	relay_init(&relay, in[0], out[1], 1 << 20);
	close(out[0]);
	cr_assert_eq(write(in[1], "hello", 5), 5);
	pump(&relay);
	cr_expect(relay.broken);
}

Test(relay, one_that_is_not_there_is_done)
{
	struct relay relay = RELAY_INIT;
	struct pollfd fds[2];

	relay_prepare(&relay, fds);
	cr_expect_eq(fds[0].fd, -1);
	cr_expect_eq(fds[1].fd, -1);
	cr_expect(relay_is_done(&relay));
}

Test(relay, what_is_fed_is_written)
{
	_cleanup_relay_ struct relay relay = RELAY_INIT;
	static char data[200000];
	static char got[sizeof(data)];
	int fds[2];
	size_t size = 0;

	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (char)(i * 31);
	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
	relay_init(&relay, -1, fds[0], SIZE_MAX);
	relay_feed(&relay, data, 100000);
	relay_feed(&relay, data + 100000, 100000);
	while (size < sizeof(data)) {
		ssize_t n;

		pump(&relay);
		n = read(fds[1], got + size, sizeof(got) - size);
		cr_assert_gt(n, 0);
		size += (size_t)n;
	}
	cr_expect_arr_eq(got, data, sizeof(data));
}
