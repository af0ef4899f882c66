// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/qemu/qemu.h"

#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <poll.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/base/error.h"
#include "common/base/file.h"
#include "common/base/log.h"
#include "common/base/memory.h"
#include "common/kernel/catalog.h"
#include "common/kernel/kernel_config.h"
#include "common/process/process.h"
#include "vm/kernel/kernel.h"
#include "vm/qemu/confine.h"

enum {
	/** A server takes some milliseconds. */
	START_MS = 5000,
	/** It holds each file open that the guest remembers. */
	FILES_WANTED = 1000000,
	FILES_ENOUGH = 200000,
};

bool virtiofs_is_possible(const struct qemu_config *config)
{
	const struct kernel *kernel = config->kernel;
	_cleanup_free_ char *module = kernel_module(kernel, VIRTIOFS_MODULE);

	// A crash kernel would find that its server speaks with another. And
	// what is said is in the order of the guest's bytes.
	return !config->kdump && strcmp(config->arch->name, "s390x") != 0 &&
	       (kernel_config_has(kernel->config, "CONFIG_VIRTIO_FS") || module);
}

static const char *find_program(const char *request)
{
	// In PATH, of Debian 13 and its kin, Arch and its kin, and QEMU's own,
	// up to 7.
	static const char *const programs[] = {
		"virtiofsd",
		"/usr/libexec/virtiofsd",
		"/usr/lib/virtiofsd",
		"/usr/lib/qemu/virtiofsd",
	};

	for (size_t i = 0; !request && i < array_size(programs); i++) {
		if (process_program_exists(programs[i]))
			return programs[i];
	}
	return request ? request : programs[0];
}

/** How many files a server may hold open. */
static rlim_t find_limit(void)
{
	struct rlimit limit = { 0 };

	getrlimit(RLIMIT_NOFILE, &limit);
	const struct rlimit more = { limit.rlim_cur, FILES_WANTED };
	if (limit.rlim_max >= FILES_WANTED)
		return FILES_WANTED;
	// Root of a user namespace has the capability, and may not raise it.
	if (setrlimit(RLIMIT_NOFILE, &more) < 0)
		return limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
	return FILES_WANTED;
}

/**
 * Whether the directory leaves room for the files that the guest makes. Where
 * a lot may be open, that is not worth counting.
 */
static bool is_within(rlim_t limit, const char *directory)
{
	char *const paths[] = { (char *)directory, NULL };
	FTS *tree;
	rlim_t count = 0;

	if (limit >= FILES_ENOUGH)
		return true;
	tree = fts_open(paths, FTS_PHYSICAL | FTS_NOCHDIR | FTS_NOSTAT, NULL);
	while (tree && count <= limit / 2 && fts_read(tree))
		count++;
	if (tree)
		fts_close(tree);
	return count <= limit / 2;
}

/**
 * Make a socket to listen on and one that is connected to it. It has a name
 * for this moment, by which others could connect too; only one can.
 */
static struct error *connect_sockets(int *ours_ret, int *servers_ret)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	socklen_t size = sizeof(address);
	const int type = SOCK_STREAM | SOCK_CLOEXEC;
	_cleanup_close_ int server = socket(AF_UNIX, type, 0);
	_cleanup_close_ int ours = socket(AF_UNIX, type | SOCK_NONBLOCK, 0);

	// The kernel chooses a name that is not in the file system.
	if (server < 0 || ours < 0 ||
	    bind(server, (struct sockaddr *)&address, sizeof(sa_family_t)) < 0 ||
	    getsockname(server, (struct sockaddr *)&address, &size) < 0 ||
	    listen(server, 0) < 0 ||
	    connect(ours, (struct sockaddr *)&address, size) < 0)
		return error_create_os(errno, "connect sockets");
	*ours_ret = take_fd(&ours);
	*servers_ret = take_fd(&server);
	return NULL;
}

/** QEMU's own has other options, and insists on chroot(2). */
static bool is_qemus(const char *program)
{
	return strstr(program, "/qemu/");
}

/** @param[in] writable Overlays cannot lie on mounts that are announced. */
static void add_arguments(struct string_list *list, const char *program,
			  rlim_t files, int socket_fd, int directory_fd,
			  bool writable)
{
	// Files of the guest's are to be no more than files.
	static const char capabilities[] = "modcaps=-fsetid:-mknod:-setfcap";
	const bool is_root = geteuid() == 0;

	if (is_qemus(program) && !is_root) {
		string_list_add(list, "unshare");
		string_list_add(list, "--map-current-user");
		string_list_add(list, "--keep-caps");
	}
	string_list_add(list, program);
	string_list_addf(list, "--fd=%d", socket_fd);
	string_list_addf(list, "--rlimit-nofile=%llu", (unsigned long long)files);
	// A path may have commas, which this has not.
	if (is_qemus(program)) {
		string_list_add(list, "-o");
		string_list_addf(list,
				 "source=/proc/self/fd/%d/.,sandbox=chroot,cache=auto,timeout=0,xattr,%s%s",
				 directory_fd,
				 writable ? "announce_submounts," : "",
				 capabilities);
		return;
	}
	string_list_addf(list, "--shared-dir=/proc/self/fd/%d/.", directory_fd);
	string_list_addf(list, "--sandbox=%s", is_root ? "chroot" : "none");
	string_list_addf(list, "--%s", capabilities);
	string_list_add(list, "--cache=auto");
	string_list_add(list, "--xattr");
	if (writable)
		string_list_add(list, "--announce-submounts");
}

/**
 * It reads its libraries and limits, and changes a directory alone, or reads
 * what QEMU may.
 */
static struct error *confine(const char *program, const struct share *share,
			     const struct confinement *of_qemu, int *ret)
{
	_cleanup_confinement_ struct confinement confinement = { 0 };

	for (const char *const *path = landlock_system_paths; *path; path++)
		confinement_show(&confinement, *path);
	confinement_show(&confinement, "/proc/sys/fs");
	confinement_add_program(&confinement, program);
	if (share->writable) {
		string_list_add(&confinement.writable, share->path);
	} else {
		confinement.reads_host = true;
		string_list_add_all(&confinement.hidden, &of_qemu->hidden);
		string_list_add_all(&confinement.shown, &of_qemu->shown);
	}
	return confinement_make(&confinement, ret);
}

/** Wait until it answers: QEMU would not do without it. */
static struct error *ask(int fd)
{
	// VHOST_USER_GET_FEATURES, which QEMU asks for again.
	static const uint32_t request[] = { 1, 1, 0 };
	char answer[20];
	size_t size = 0;
	struct pollfd polled = { fd, POLLIN, 0 };

	// What cannot be sent will have no answer.
	send(fd, request, sizeof(request), MSG_NOSIGNAL);
	// It may come in two parts.
	while (size < sizeof(answer) && poll(&polled, 1, START_MS) == 1) {
		ssize_t n = recv(fd, answer + size, sizeof(answer) - size, 0);

		if (n <= 0)
			break;
		size += (size_t)n;
	}
	if (size == sizeof(answer))
		return NULL;
	return error_create(ERROR_OTHER, "it does not answer");
}

/** @return Why, if nothing but its own word keeps a server where it is to be. */
static struct error *check_confined(const char *program, const struct share *share)
{
	if (!share->writable)
		return error_create(ERROR_OTHER,
				    "nothing would keep it from changing %s: the kernel has no Landlock (from 5.13 on), or it is switched off",
				    share->path);
	// Without chroot(2), it opens `../name` too, if a guest asks for it.
	if (is_qemus(program) || geteuid() == 0)
		return NULL;
	return error_create(ERROR_OTHER,
			    "nothing would keep it in %s: the kernel has no Landlock (from 5.19 on), or it is switched off",
			    share->path);
}

/** To its own directory in /proc, by Landlock. */
static uint64_t own_access(const char *program, const struct share *share)
{
	// The guest would read it, too.
	if (!share->writable)
		return 0;
	// In a user namespace, it says who is who. It could write to its own
	// memory then: not one that opens whatever name a guest asks for.
	return LANDLOCK_ACCESS_FS_READ_FILE |
	       (is_qemus(program) && geteuid() != 0 ? LANDLOCK_ACCESS_FS_WRITE_FILE
						    : 0);
}

static struct error *start(struct virtiofs *servers, const char *program,
			   rlim_t files, const struct confinement *confinement,
			   const struct share *share)
{
	struct error *err;

	static const char *const inherited[] = { "PATH", "LD_LIBRARY_PATH", NULL };
	const bool is_root = geteuid() == 0;
	const enum server_kind kind = !share->writable ? SERVER_READS
				      : is_root	       ? SERVER_WRITES
						: SERVER_WRITES_AS_CALLER;
	_cleanup_string_list_ struct string_list arguments = { 0 };
	_cleanup_close_ int socket_fd = -1;
	_cleanup_close_ int ruleset_fd = -1;
	_cleanup_close_ int directory_fd =
		open(share->path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	_cleanup_close_ int output_fd =
		log_level() >= LOG_DEBUG
			? -1
			: open("/dev/null", O_WRONLY | O_CLOEXEC);
	struct virtiofs_server *server = &vector_add(servers);

	*server = (struct virtiofs_server){ .fd = -1 };
	// For what is only read there is no other way.
	if (share->writable && !is_within(files, share->path))
		return error_create(ERROR_OTHER,
				    "%s has too many files; see ulimit -Hn",
				    share->path);
	if (directory_fd < 0)
		return error_create_os(errno, "open %s", share->path);
	err = connect_sockets(&server->fd, &socket_fd);
	if (err)
		return err;
	err = confine(program, share, confinement, &ruleset_fd);
	if (!err && ruleset_fd < 0)
		err = check_confined(program, share);
	if (err)
		return err;
	add_arguments(&arguments, program, files, socket_fd, directory_fd,
		      share->writable);
	return process_spawn(
		&(struct process_options){
			.arguments = (const char *const *)arguments.items,
			.inherited = inherited,
			.ruleset_fd = &ruleset_fd,
			.own_access = own_access(program, share),
			.filter = server_filter(kind),
			.stdout_fd = &output_fd,
			.stderr_fd = &output_fd,
			.keep_fds = (const int[]){ socket_fd, directory_fd },
			.keep_fd_count = 2,
		},
		&server->process);
}

/** That they run is known, and their end will be. */
static struct error *watch(struct virtiofs *servers)
{
	struct error *err = NULL;

	servers->ended_fd = epoll_create1(EPOLL_CLOEXEC);
	if (servers->ended_fd < 0)
		return error_create_os(errno, "epoll");
	for (size_t i = 0; i < servers->count && !err; i++) {
		struct epoll_event event = { .events = EPOLLIN };

		err = ask(servers->items[i].fd);
		if (!err && epoll_ctl(servers->ended_fd, EPOLL_CTL_ADD,
				      process_fd(servers->items[i].process),
				      &event) < 0)
			err = error_create_os(errno, "epoll");
	}
	return err;
}

struct error *virtiofs_start(const char *request,
			     const struct confinement *confinement,
			     struct share_plan *shares, struct virtiofs *ret)
{
	struct error *err = NULL;

	const char *program = find_program(request);
	const rlim_t files = find_limit();
	_cleanup_virtiofs_ struct virtiofs servers = { .ended_fd = -1 };

	// All at once, since each takes its time.
	for (size_t i = 0; i < shares->count && !err; i++) {
		struct share *share = &shares->items[i];

		if (!share->is_virtiofs)
			continue;
		err = start(&servers, program, files, confinement, share);
		share->server_fd = servers.items[servers.count - 1].fd;
	}
	if (!err && servers.count)
		err = watch(&servers);
	if (err)
		return error_wrap(err, "%s", program);
	*ret = take(servers);
	return NULL;
}

void virtiofs_deinit(struct virtiofs *servers)
{
	for (size_t i = 0; i < servers->count; i++) {
		process_destroy(servers->items[i].process);
		cleanup_close(&servers->items[i].fd);
	}
	if (servers->count)
		cleanup_close(&servers->ended_fd);
	free(servers->items);
	*servers = (struct virtiofs){ 0 };
}
