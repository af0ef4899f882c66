// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/guest/guest_names.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/base/error.h"
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
