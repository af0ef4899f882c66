// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/qemu/qemu.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/error.h"
#include "common/base/log.h"
#include "common/base/memory.h"
#include "common/base/text.h"
#include "common/process/process.h"
#include "vm/qemu/confine.h"

/** What QEMU inherits of our environment, which the guest could read there. */
static const char *const inherited[] = {
	// For a wrapper around it.
	"PATH",
	"HOME",
	// For one that is not where it was meant to be installed.
	"LD_LIBRARY_PATH",
	"QEMU_MODULE_DIR",
	// For the file behind a disk with snapshot=on.
	"TMPDIR",
	NULL,
};

void qemu_link_deinit(struct qemu_link *link)
{
	process_destroy(link->qemu);
	cleanup_close(&link->console_fd);
	cleanup_close(&link->output_fd);
	cleanup_close(&link->monitor_fd);
	for (int i = 0; i < PORT_COUNT; i++)
		cleanup_close(&link->port_fds[i]);
	*link = (struct qemu_link)QEMU_LINK_INIT;
}

static struct error *create_socket(int *ours_ret, int *qemus_ret)
{
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0)
		return error_create_os(errno, "socketpair");
	*ours_ret = fds[0];
	*qemus_ret = fds[1];
	// QEMU's side has a file status of its own.
	fcntl(fds[0], F_SETFL, O_NONBLOCK);
	return NULL;
}

/** The descriptors that QEMU inherits. */
struct kept {
	int *items;
	size_t count;
};

static void keep(struct kept *kept, int fd)
{
	if (fd >= 0)
		vector_add(kept) = fd;
}

/** Without those that would make files of the guest's more than files. */
static uint64_t find_capabilities(const struct confinement *confinement)
{
	static const uint64_t network = 1ULL << CAP_NET_BIND_SERVICE |
					1ULL << CAP_NET_RAW;

	if (confinement->is_open)
		return ~(1ULL << CAP_FSETID | 1ULL << CAP_MKNOD |
			 1ULL << CAP_SETFCAP);
	return 1ULL << CAP_CHOWN | 1ULL << CAP_DAC_OVERRIDE |
	       1ULL << CAP_DAC_READ_SEARCH | 1ULL << CAP_FOWNER |
	       (confinement->has_network ? network : 0);
}

static struct error *spawn(struct qemu_options *options,
			   const struct qemu_link *side, struct process **ret)
{
	struct error *err;

	_cleanup_string_list_ struct string_list arguments = { 0 };
	struct kept kept = { 0 };
	_cleanup_close_ int ruleset_fd = -1;
	const struct confinement *confinement = options->confinement;

	options->sockets = side;
	err = qemu_arguments(options, &arguments);
	if (err)
		return err;
	_cleanup_free_ char *line = string_list_quote(&arguments, " ");
	log_debug("%s", line);
	err = confinement_make(confinement, &ruleset_fd);
	if (err)
		return err;
	if (ruleset_fd < 0)
		log_warning(
			"the guest can read the host's /proc, /sys, /dev and /run: the kernel has no Landlock (from 5.13 on, and with --rw from 5.19), or it is switched off");
	keep(&kept, side->console_fd);
	keep(&kept, side->monitor_fd);
	for (int i = 0; i < PORT_COUNT; i++)
		keep(&kept, side->port_fds[i]);
	if (options->config->stub != STUB_NONE)
		keep(&kept, options->config->stub_fd);
	for (size_t i = 0; i < options->disks.count; i++)
		keep(&kept, options->disks.items[i].fd);
	for (size_t i = 0; i < options->shares->count; i++)
		keep(&kept, options->shares->items[i].server_fd);

	_cleanup_free_ int *fds = kept.items;

	return process_spawn(
		&(struct process_options){
			.arguments = (const char *const *)arguments.items,
			.inherited = inherited,
			.ruleset_fd = &ruleset_fd,
			.capabilities = find_capabilities(confinement),
			.filter = confinement->writable.count
					  ? server_filter(SERVER_WRITES)
					  : NULL,
			.stdout_fd = &side->output_fd,
			.stderr_fd = &side->output_fd,
			.keep_fds = fds,
			.keep_fd_count = (unsigned int)kept.count,
		},
		ret);
}

static struct error *create_sockets(unsigned int ports, struct qemu_link *ours,
				    struct qemu_link *qemus)
{
	struct error *err;

	err = create_socket(&ours->console_fd, &qemus->console_fd);
	if (!err)
		err = create_socket(&ours->monitor_fd, &qemus->monitor_fd);
	for (int i = 0; !err && i < PORT_COUNT; i++) {
		if (ports & (1U << i))
			err = create_socket(&ours->port_fds[i],
					    &qemus->port_fds[i]);
	}
	return err;
}

struct error *qemu_show(struct qemu_options *options, unsigned int ports,
			FILE *file)
{
	struct error *err;

	_cleanup_qemu_link_ struct qemu_link ours = QEMU_LINK_INIT;
	_cleanup_qemu_link_ struct qemu_link qemus = QEMU_LINK_INIT;
	_cleanup_string_list_ struct string_list arguments = { 0 };
	err = create_sockets(ports, &ours, &qemus);
	if (err)
		return err;
	options->sockets = &qemus;
	err = qemu_arguments(options, &arguments);
	if (err)
		return err;
	_cleanup_free_ char *text = string_list_quote(&arguments, " \\\n  ");
	fprintf(file, "%s\n", text);
	return NULL;
}

struct error *qemu_link_create(struct qemu_options *options, unsigned int ports,
			       struct qemu_link *link_ret)
{
	struct error *err;

	_cleanup_qemu_link_ struct qemu_link ours = QEMU_LINK_INIT;
	// Closed here: otherwise nothing would tell us that QEMU has closed it.
	_cleanup_qemu_link_ struct qemu_link qemus = QEMU_LINK_INIT;
	err = create_sockets(ports, &ours, &qemus);
	if (err)
		return err;
	int output[2];
	if (pipe2(output, O_CLOEXEC) < 0)
		return error_create_os(errno, "pipe");
	ours.output_fd = output[0];
	qemus.output_fd = output[1];
	fcntl(ours.output_fd, F_SETFL, O_NONBLOCK);
	err = spawn(options, &qemus, &ours.qemu);
	if (err)
		return err;
	*link_ret = ours;
	ours = (struct qemu_link)QEMU_LINK_INIT;
	return NULL;
}
