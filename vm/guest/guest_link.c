// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/guest/guest_link.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/error.h"
#include "vm/guest/guest.h"

void guest_link_init(struct guest_link *link)
{
	link->console_fd = -1;
	link->output_fd = -1;
	for (int i = 0; i < PORT_COUNT; i++)
		link->port_fds[i] = -1;
}

void guest_link_deinit(struct guest_link *link)
{
	cleanup_close(&link->console_fd);
	cleanup_close(&link->output_fd);
	for (int i = 0; i < PORT_COUNT; i++)
		cleanup_close(&link->port_fds[i]);
	guest_link_init(link);
}

bool guest_link_has_port(const struct guest_config *config, enum guest_port port)
{
	switch (port) {
	case PORT_TERMINAL:
		return config->interactive;
	case PORT_CONTROL:
		return true;
	case PORT_STDIN:
		return !config->interactive && config->stdin_fd >= 0;
	case PORT_STDOUT:
		return !config->interactive && config->stdout_fd >= 0;
	case PORT_STDERR:
		return !config->interactive && config->stderr_fd >= 0 &&
		       config->stderr_fd != config->stdout_fd;
	case PORT_COUNT:
		break;
	}
	return false;
}

static struct error *set_nonblocking(int fd)
{
	if (fcntl(fd, F_SETFL, O_NONBLOCK) < 0)
		return error_create_os(errno, "fcntl");
	return NULL;
}

static struct error *create_socket(int *ours_ret, int *qemus_ret)
{
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0)
		return error_create_os(errno, "socketpair");
	*ours_ret = fds[0];
	*qemus_ret = fds[1];
	return set_nonblocking(fds[0]);
}

static struct error *create(const struct guest_config *config,
			    struct guest_link *ours, struct guest_link *qemus)
{
	struct error *err;
	int output[2];

	err = create_socket(&ours->console_fd, &qemus->console_fd);
	if (err)
		return err;
	for (int i = 0; i < PORT_COUNT; i++) {
		if (!guest_link_has_port(config, (enum guest_port)i))
			continue;
		err = create_socket(&ours->port_fds[i], &qemus->port_fds[i]);
		if (err)
			return err;
	}
	if (pipe2(output, O_CLOEXEC) < 0)
		return error_create_os(errno, "pipe");
	ours->output_fd = output[0];
	qemus->output_fd = output[1];
	return set_nonblocking(ours->output_fd);
}

struct error *guest_link_create(const struct guest_config *config,
				struct guest_link *ours_ret,
				struct guest_link *qemus_ret)
{
	struct error *err;
	struct guest_link ours, qemus;

	guest_link_init(&ours);
	guest_link_init(&qemus);
	err = create(config, &ours, &qemus);
	if (err) {
		guest_link_deinit(&ours);
		guest_link_deinit(&qemus);
		return err;
	}
	*ours_ret = ours;
	*qemus_ret = qemus;
	return NULL;
}
