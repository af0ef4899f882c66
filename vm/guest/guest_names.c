// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/guest/guest_names.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/base/error.h"
#include "common/base/memory.h"
#include "common/base/system.h"
#include "common/base/text.h"
#include "vm/guest/guest_internal.h"

enum {
	NAME_LENGTH_MAX = 64,
	/** Of those who are not taken yet. */
	BACKLOG = 16,
};

/** What begins the addresses of a user's guests, as /proc/net/unix shows it. */
static char *address_start(void)
{
	return string_format("@vmtest-vm/%lu/", (unsigned long)geteuid());
}

bool guest_name_is_valid(const char *name)
{
	return strspn(name, GUEST_LETTERS "-._") == strlen(name) &&
	       strlen(name) <= NAME_LENGTH_MAX && strchr(GUEST_LETTERS, *name) &&
	       *name && name[strspn(name, "0123456789")];
}

static socklen_t make_address(const char *name, struct sockaddr_un *ret)
{
	_cleanup_free_ char *start = address_start();

	*ret = (struct sockaddr_un){ .sun_family = AF_UNIX };

	int length = snprintf(ret->sun_path, sizeof(ret->sun_path), "%s%.*s",
			      start, NAME_LENGTH_MAX, name);

	*ret->sun_path = '\0';
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) +
			   (size_t)length);
}

/** Whether who is at the other side, or listened there, is the same user. */
static bool is_ours(int fd)
{
	struct ucred peer;
	socklen_t size = sizeof(peer);

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 &&
	       peer.uid == geteuid();
}

struct error *guest_name_listen(const char *name, int *fd_ret)
{
	struct sockaddr_un address;
	socklen_t size = make_address(name, &address);
	_cleanup_close_ int fd =
		socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd >= 0 && bind(fd, (struct sockaddr *)&address, size) == 0 &&
	    listen(fd, BACKLOG) == 0) {
		*fd_ret = take_fd(&fd);
		return NULL;
	}
	if (errno == EADDRINUSE)
		return error_create(ERROR_EXISTS,
				    "another guest runs under the name '%s'; see vmtest-vm ls",
				    name);
	return error_create_os(errno, "make a socket");
}

int guest_name_accept(int listen_fd)
{
	_cleanup_close_ int fd =
		accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	return fd >= 0 && is_ours(fd) ? take_fd(&fd) : -1;
}

void guest_name_list(struct string_list *ret)
{
	_cleanup_free_ char *start = address_start();
	_cleanup_fclose_ FILE *file = fopen("/proc/net/unix", "re");
	_cleanup_free_ char *line = NULL;
	size_t capacity = 0;

	// The ends of connections have the same name.
	while (file && getline(&line, &capacity, file) > 0) {
		char *address = strrchr(line, ' ');

		if (!address || strncmp(address + 1, start, strlen(start)) != 0)
			continue;
		address += 1 + strlen(start);
		address[strcspn(address, "\n")] = '\0';
		// Others can take any address; what a shell completes is code.
		if ((guest_name_is_valid(address) ||
		     !address[strspn(address, "0123456789")]) &&
		    !string_list_contains(ret, address))
			string_list_add(ret, address);
	}
}

struct error *guest_name_connect(const char *name, int *fd_ret)
{
	struct sockaddr_un address;
	socklen_t size = make_address(name, &address);
	// Another user who listens there could have us wait.
	_cleanup_close_ int fd =
		socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return error_create_os(errno, "make a socket");
	if (connect(fd, (struct sockaddr *)&address, size) < 0 ||
	    !is_ours(fd) || fcntl(fd, F_SETFL, 0) < 0)
		return error_create(ERROR_NOT_FOUND,
				    "no guest '%s' runs; see vmtest-vm ls", name);
	*fd_ret = take_fd(&fd);
	return NULL;
}

struct error *guest_message_send(int fd, const void *data, size_t size,
				 const int *fds, size_t fd_count)
{
	if (size > GUEST_MESSAGE_BYTES)
		return error_create(ERROR_USAGE,
				    "the command and its environment are %zu bytes long, of %d at most",
				    size, GUEST_MESSAGE_BYTES);
	if (send_with_fds(fd, data, size, fds, fd_count, 0) < 0)
		return error_create_os(errno, "write to a guest's socket");
	return NULL;
}

static void take_fds(struct msghdr *message, int fds_ret[GUEST_MESSAGE_FDS])
{
	struct cmsghdr *header = CMSG_FIRSTHDR(message);
	size_t count;

	if (!header || header->cmsg_level != SOL_SOCKET ||
	    header->cmsg_type != SCM_RIGHTS)
		return;
	count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
	for (size_t i = 0; i < count; i++) {
		int fd;

		memcpy(&fd, CMSG_DATA(header) + i * sizeof(fd), sizeof(fd));
		// The buffer is aligned, and so takes more than are asked for.
		if (fds_ret && i < GUEST_MESSAGE_FDS)
			fds_ret[i] = fd;
		else
			close(fd);
	}
}

ssize_t guest_message_receive(int fd, char *data, int fds_ret[GUEST_MESSAGE_FDS])
{
	union {
		char bytes[CMSG_SPACE(GUEST_MESSAGE_FDS * sizeof(int))];
		struct cmsghdr align;
	} control;
	struct iovec vector = { data, GUEST_MESSAGE_BYTES };
	struct msghdr message = {
		.msg_iov = &vector,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof(control.bytes),
	};
	ssize_t n = recvmsg(fd, &message, MSG_CMSG_CLOEXEC);

	for (size_t i = 0; fds_ret && i < GUEST_MESSAGE_FDS; i++)
		fds_ret[i] = -1;
	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? -1 : 0;
	take_fds(&message, fds_ret);
	data[n] = '\0';
	return n;
}
