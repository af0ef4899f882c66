// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/guest/guest_link.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/error.h"
#include "common/base/log.h"
#include "common/base/string_builder.h"
#include "common/process/process.h"
#include "vm/guest/confinement.h"
#include "vm/guest/guest.h"

void guest_link_init(struct guest_link *link)
{
	*link = (struct guest_link){ .console_fd = -1, .output_fd = -1 };
	for (int i = 0; i < PORT_COUNT; i++)
		link->port_fds[i] = -1;
}

void guest_link_deinit(struct guest_link *link)
{
	process_destroy(link->qemu);
	cleanup_close(&link->console_fd);
	cleanup_close(&link->output_fd);
	for (int i = 0; i < PORT_COUNT; i++)
		cleanup_close(&link->port_fds[i]);
	guest_link_init(link);
}

/** Whether a command is to have this port. */
static bool has_port(const struct guest_config *config, enum guest_port port)
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

static struct error *create_descriptors(const struct guest_config *config,
					struct guest_link *ours,
					struct guest_link *qemus)
{
	struct error *err;
	int output[2];

	err = create_socket(&ours->console_fd, &qemus->console_fd);
	if (err)
		return err;
	for (int i = 0; i < PORT_COUNT; i++) {
		if (!has_port(config, (enum guest_port)i))
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

static void log_arguments(const struct string_list *arguments)
{
	_cleanup_string_builder_ struct string_builder sb = STRING_BUILDER_INIT;

	for (size_t i = 0; i < arguments->count; i++) {
		string_builder_append(&sb, i ? " " : "");
		string_builder_append_shell(&sb, arguments->items[i]);
	}
	log_debug("%s", sb.text);
}

static struct error *spawn(struct qemu_options *options,
			   const struct guest_link *side, struct process **ret)
{
	struct error *err;

	_cleanup_string_list_ struct string_list arguments = STRING_LIST_INIT;
	int keep[PORT_COUNT + 2];
	unsigned int count = 0;
	_cleanup_close_ int ruleset_fd = -1;

	options->console_fd = side->console_fd;
	keep[count++] = side->console_fd;
	if (options->disk_fd >= 0)
		keep[count++] = options->disk_fd;
	for (int i = 0; i < PORT_COUNT; i++) {
		options->port_fds[i] = side->port_fds[i];
		if (side->port_fds[i] >= 0)
			keep[count++] = side->port_fds[i];
	}
	err = qemu_arguments(options, &arguments);
	if (err)
		return err;
	log_arguments(&arguments);
	err = confinement_create(&ruleset_fd);
	if (err)
		return err;

	const struct process_options process_options = {
		.arguments = (const char *const *)arguments.items,
		// The guest could read it in the host's /proc.
		.inherited = qemu_variables,
		.ruleset_fd = &ruleset_fd,
		.stdout_fd = &side->output_fd,
		.stderr_fd = &side->output_fd,
		.keep_fds = keep,
		.keep_fd_count = count,
	};

	return process_spawn(&process_options, ret);
}

struct error *guest_link_create(const struct guest_config *config,
				struct qemu_options *options,
				struct guest_link *link_ret)
{
	struct error *err;

	_cleanup_guest_link_ struct guest_link ours;
	// Closed here: otherwise nothing would tell us that QEMU has closed it.
	_cleanup_guest_link_ struct guest_link qemus;

	guest_link_init(&ours);
	guest_link_init(&qemus);
	err = create_descriptors(config, &ours, &qemus);
	if (err)
		return err;
	err = spawn(options, &qemus, &ours.qemu);
	if (err)
		return err;
	*link_ret = ours;
	guest_link_init(&ours);
	return NULL;
}
