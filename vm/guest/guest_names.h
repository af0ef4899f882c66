// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef VM_GUEST_GUEST_NAMES_H
#define VM_GUEST_GUEST_NAMES_H

/**
 * @file
 *
 * How the guests of a user are found: each has an abstract socket (unix(7)), which
 * is no file. It is gone with its process, however that ends. Such a socket has no
 * owner that the kernel would check, so both sides look who the other one is.
 */

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "common/base/cleanup.h"

struct error;
struct string_list;

enum {
	/** What one message has at most: a command with its environment. */
	GUEST_MESSAGE_BYTES = 128 << 10,
	/** With which come so many descriptors. */
	GUEST_MESSAGE_FDS = 3,
};

/** Whether a guest can be found by a name, which is no number: those are pids. */
bool guest_name_is_valid(const char *name);

/**
 * Have others find a guest. The socket does not block.
 *
 * @return ERROR_EXISTS if another guest has the name.
 */
_must_check_ struct error *guest_name_listen(const char *name, int *fd_ret);

/** Take one who has come, if he is the same user; else -1. */
int guest_name_accept(int listen_fd);

/** Add the names of this user's guests. */
void guest_name_list(struct string_list *ret);

/** @return ERROR_NOT_FOUND if this user has no such guest. */
_must_check_ struct error *guest_name_connect(const char *name, int *fd_ret);

/** Send a message, whole, with descriptors. */
_must_check_ struct error *guest_message_send(int fd, const void *data,
					      size_t size, const int *fds,
					      size_t fd_count);

/**
 * Receive one, without waiting if the socket does not block.
 *
 * @param[out] data Of GUEST_MESSAGE_BYTES + 1; with a null byte behind the message.
 * @param[out] fds_ret -1 for what has not come; NULL to take none.
 * @return Its size, 0 at the end of the connection, negative if there is none.
 */
ssize_t guest_message_receive(int fd, char *data, int fds_ret[GUEST_MESSAGE_FDS]);

#endif /* VM_GUEST_GUEST_NAMES_H */
