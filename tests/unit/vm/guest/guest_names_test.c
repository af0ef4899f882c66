// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/guest/guest_names.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/base/error.h"
#include "common/base/system.h"
#include "common/base/text.h"

Test(guest_names, a_name_is_a_word_and_no_number)
{
	static const char *const good[] = { "x", "a-b.c_d", "0x", "6.12" };
	static const char *const bad[] = { "",	 "12", "a/b", "a b",
					   "-x", ".x", "\xff" };
	char name[66] = "";

	for (size_t i = 0; i < array_size(good); i++)
		cr_expect(guest_name_is_valid(good[i]), "%s", good[i]);
	for (size_t i = 0; i < array_size(bad); i++)
		cr_expect_not(guest_name_is_valid(bad[i]), "%s", bad[i]);
	memset(name, 'x', 64);
	cr_expect(guest_name_is_valid(name));
	name[64] = 'x';
	cr_expect_not(guest_name_is_valid(name));
}

Test(guest_names, messages_and_descriptors_arrive_whole)
{
	static char data[GUEST_MESSAGE_BYTES + 1], big[GUEST_MESSAGE_BYTES + 1];
	char name[64];
	int listen_fd = -1, other = -1, fd = -1, fds[GUEST_MESSAGE_FDS], pair[2];
	_cleanup_string_list_ struct string_list names = { 0 };

	snprintf(name, sizeof(name), "unit-test-%d", (int)getpid());
	cr_assert_null(guest_name_listen(name, &listen_fd));
	_cleanup_error_ struct error *taken = guest_name_listen(name, &other);
	cr_expect(error_is(taken, ERROR_EXISTS));
	cr_assert_null(guest_name_connect(name, &fd));
	other = guest_name_accept(listen_fd);
	cr_assert_geq(other, 0);
	cr_expect_eq(guest_name_accept(listen_fd), -1);
	guest_name_list(&names);
	cr_expect(string_list_contains(&names, name));
	// Nothing yet; then two messages, of which one brings descriptors.
	cr_expect_lt(guest_message_receive(other, data, NULL), 0);
	cr_assert_eq(pipe2(pair, O_CLOEXEC), 0);
	cr_assert_null(guest_message_send(fd, "a\0b", 3, pair, 2));
	cr_assert_null(guest_message_send(fd, "c", 1, NULL, 0));
	cr_assert_eq(guest_message_receive(other, data, fds), 3);
	cr_expect_eq(memcmp(data, "a\0b", 4), 0);
	cr_expect_eq(fds[2], -1);
	cr_expect_eq(write(fds[1], "x", 1), 1);
	cr_expect_eq(read(pair[0], data, 1), 1);
	cr_expect_eq(guest_message_receive(other, data, fds), 1);
	cr_expect_eq(fds[0], -1);
	// The kernel has room for one more than there may be.
	const int many[] = { pair[1], pair[1], pair[1], pair[1] };

	cr_assert_eq(send_with_fds(fd, "d", 1, many, array_size(many), 0), 1);
	cr_expect_eq(guest_message_receive(other, data, fds), 1);
	for (size_t i = 0; i < array_size(fds); i++)
		cr_expect_eq(close(fds[i]), 0);
	cr_expect_lt(close(fds[2] + 1), 0);
	_cleanup_error_ struct error *large =
		guest_message_send(fd, big, sizeof(big), NULL, 0);
	cr_expect(error_is(large, ERROR_USAGE));
	cr_expect_null(guest_message_send(fd, big, GUEST_MESSAGE_BYTES, NULL, 0));
	cr_expect_eq(guest_message_receive(other, data, NULL),
		     GUEST_MESSAGE_BYTES);
	close(fd);
	cr_expect_eq(guest_message_receive(other, data, NULL), 0);
	// Its name is free as soon as it is gone.
	close(other);
	close(listen_fd);
	_cleanup_error_ struct error *gone = guest_name_connect(name, &fd);
	cr_expect(error_is(gone, ERROR_NOT_FOUND));
}

Test(guest_names, more_descriptors_than_there_are_places_are_closed)
{
	static char data[GUEST_MESSAGE_BYTES + 1];
	union {
		char bytes[CMSG_SPACE(8 * sizeof(int))];
		struct cmsghdr align;
	} control;
	int sockets[2], fds[GUEST_MESSAGE_FDS + 1], next = dup(0);

	close(next);
	cr_assert_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0,
				sockets),
		     0);
	for (size_t count = 0; count <= 8; count++) {
		struct iovec part = { (char *)"x", 1 };
		struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1 };

		memset(&control, 0, sizeof(control));
		if (count) {
			message.msg_control = control.bytes;
			message.msg_controllen = CMSG_SPACE(count * sizeof(int));
			CMSG_FIRSTHDR(&message)->cmsg_level = SOL_SOCKET;
			CMSG_FIRSTHDR(&message)->cmsg_type = SCM_RIGHTS;
			CMSG_FIRSTHDR(&message)->cmsg_len =
				CMSG_LEN(count * sizeof(int));
		}
		cr_assert_eq(sendmsg(sockets[0], &message, 0), 1);
		fds[GUEST_MESSAGE_FDS] = -5;
		cr_assert_eq(guest_message_receive(sockets[1], data, fds), 1);
		cr_expect_eq(fds[GUEST_MESSAGE_FDS], -5, "%zu", count);
		for (size_t i = 0; i < GUEST_MESSAGE_FDS; i++) {
			cr_expect_eq(fds[i] >= 0, i < count, "%zu", count);
			if (fds[i] >= 0)
				close(fds[i]);
		}
	}
	close(sockets[0]);
	close(sockets[1]);
	// None is left.
	fds[0] = dup(0);
	cr_expect_eq(fds[0], next);
	close(fds[0]);
}

/** Listen at an address of this user's guests, as any user can. */
static int squat(const char *name, int backlog)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	int length = snprintf(address.sun_path + 1, sizeof(address.sun_path) - 1,
			      "vmtest-vm/%u/%s", geteuid(), name);

	cr_assert_eq(bind(fd, (struct sockaddr *)&address,
			  (socklen_t)(sizeof(sa_family_t) + 1 + (size_t)length)),
		     0);
	cr_assert_eq(listen(fd, backlog), 0);
	return fd;
}

Test(guest_names, who_takes_nobody_keeps_nobody_waiting, .timeout = 20)
{
	char name[64];
	_cleanup_error_ struct error *err = NULL;

	snprintf(name, sizeof(name), "unit-squat-%d", (int)getpid());

	int squatter = squat(name, 0), fd = -1;

	cr_assert_null(guest_name_connect(name, &fd));
	cr_expect_eq(fcntl(fd, F_GETFL) & O_NONBLOCK, 0);
	for (int i = 0; i < 10 && !err; i++) {
		int more = -1;

		err = guest_name_connect(name, &more);
	}
	cr_expect(error_is(err, ERROR_NOT_FOUND));
	close(fd);
	close(squatter);
}

Test(guest_names, what_is_no_name_of_a_guest_is_not_listed)
{
	static const char *const names[] = { "$(reboot)", "a;b", "\033[2J",
					     "x\ty", "-f" };
	_cleanup_string_list_ struct string_list list = { 0 };
	int fds[array_size(names)];

	for (size_t i = 0; i < array_size(names); i++)
		fds[i] = squat(names[i], 1);
	guest_name_list(&list);
	for (size_t i = 0; i < array_size(names); i++) {
		cr_expect_not(string_list_contains(&list, names[i]), "%s",
			      names[i]);
		close(fds[i]);
	}
}
