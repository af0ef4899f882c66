// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef VM_QEMU_QEMU_H
#define VM_QEMU_QEMU_H

/**
 * @file
 *
 * QEMU: the virtual machine that is asked for; its shares, disks and network;
 * the command line that follows from them; and the process that runs.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "common/base/cleanup.h"
#include "common/base/text.h"

struct catalog_arch;
struct catalog_machine;
struct confinement;
struct error;
struct kernel;
struct process;
struct qemu_link;
struct virtiofs_server;

/* How the guest's instructions are executed. */

/** In the order of --accel's words. */
enum accel {
	/** KVM where it can work, else TCG. */
	ACCEL_AUTO,
	ACCEL_KVM,
	/** QEMU's emulation: anywhere, for any architecture. */
	ACCEL_TCG,
};

/**
 * What keeps KVM from working for guests of this machine's architecture, and
 * what to do about it; NULL if nothing does. That /dev/kvm opens says little:
 * under some hypervisors (kvm_pvm) it makes a VM that then hangs or aborts, so
 * the processor must also offer virtualization.
 *
 * @param[in] open_error errno of opening /dev/kvm; 0 if it has opened.
 * @param[in] cpuinfo What /proc/cpuinfo says on x86; NULL elsewhere.
 */
const char *accel_obstacle(int open_error, const char *cpuinfo);

/**
 * Decide, by looking at this machine if the request is ACCEL_AUTO.
 *
 * @param[out] denied_ret The obstacle, if ACCEL_AUTO means emulation because
 * /dev/kvm is closed to us; else NULL.
 * @return ERROR_USAGE for KVM with a guest of another architecture.
 */
_must_check_ struct error *accel_choose(enum accel request,
					const struct catalog_arch *arch,
					enum accel *ret, const char **denied_ret);

/**
 * The time stamp counter's frequency, to some 20 parts per million; 0 if there
 * is none, or it cannot be told. Takes 5 ms.
 */
uint64_t tsc_khz(void);

/* The virtual machine that is asked for. */

/** How a debugger gets at the kernel. */
enum qemu_stub {
	STUB_NONE,
	/** QEMU's, which stops the guest at its first instruction. */
	STUB_GDB,
	/** The kernel's own, on a second serial line. */
	STUB_KGDB,
};

struct qemu_config {
	const struct kernel *kernel;
	const struct catalog_arch *arch;
	/** Program to use; NULL to look for one. */
	const char *program;
	/** One of the architecture's; NULL for the first that fits. */
	const char *machine;
	enum accel accel;
	/** 0 for the default. */
	uint64_t memory_bytes;
	/** 0 for the default. */
	unsigned int cpus;
	/** Nodes, with a share of memory and processors each; 0 for none. */
	unsigned int numa;
	/** Set memory aside for a crash kernel. */
	bool kdump;
	/** The guest is on the host's network, as an ordinary program is. */
	bool network;
	enum qemu_stub stub;
	/** A socket that listens, for the debugger; QEMU inherits it. */
	int stub_fd;
	/** HOST:GUEST: TCP ports of the loopback that lead into the guest. */
	struct string_list published;
	/** Last on the kernel's command line, and on QEMU's. */
	struct string_list append;
	struct string_list arguments;
};

/** The guest's memory, of all nodes. */
uint64_t qemu_memory_bytes(const struct qemu_config *config);

/*
 * Which directories of the host a guest sees, and where.
 *
 * Every share but those asked for with --rw is read-only at its server, so that
 * nothing that the guest does can reach the host. To let it write nevertheless,
 * overlays on a tmpfs lie on top.
 */

/** Which shares virtiofs serves; QEMU serves the others by 9p. */
enum virtiofs_use {
	VIRTIOFS_NEVER,
	VIRTIOFS_WRITABLE,
	/** For a kernel that has no 9p. */
	VIRTIOFS_ALWAYS,
};

struct share {
	/** At most 31 characters, for 9p. */
	char *tag;
	/** The directory on the host. */
	char *path;
	bool writable;
	/** Whether it is served by virtiofs, not by 9p. */
	bool is_virtiofs;
	/** Then, connected to its server, which QEMU inherits; borrowed. */
	int server_fd;
};

/** What the plan depends on; all paths absolute and without symbolic links. */
struct share_request {
	/** The guest's root. */
	const char *root;
	/** The kernel's package, and where its modules belong in the root. */
	const char *package;
	const char *modules;
	/**
	 * Where the command runs, which the guest must see; NULL for none. `/`
	 * needs no share.
	 */
	const char *directory;
	/** Directories that the guest may change. */
	const struct string_list *writable;
	enum virtiofs_use virtiofs;
	/** Directories that it must see, at any path. */
	const struct string_list *extra;
	/** Directory of init.sh. */
	const char *init;
	/** Whether the kernel's overlays can rename directories of below. */
	bool renames;
};

/** The shares, and what init.sh needs to know to mount them. */
struct share_plan {
	/** The root first. */
	struct share *items;
	size_t count;
	/**
	 * fstab(5), with $state/root as the root, and the directories it wants.
	 * It has no names of the host: busybox reads 512 bytes of a line, and
	 * takes text after a `#` for a comment even if it is escaped.
	 */
	struct string_builder mounts;
	struct string_list directories;
	/**
	 * Mounted one by one before @p mounts: a directory, type, options and
	 * source each.
	 */
	struct string_list early_mounts;
	/** Where the package is then; the working directory of @p mounts. */
	char *package;
	/** The same for after @p mounts; paths are those in the new root. */
	struct string_list late_directories;
	struct string_list late_mounts;
	/** Where the guest sees each of the extra directories. */
	struct string_list extra;
	/**
	 * Whether init.sh has its own share: it is not on the root, or its path
	 * cannot be written on the kernel's command line.
	 */
	bool init_shared;
	enum virtiofs_use virtiofs;
};

/**
 * @return ERROR_USAGE if a directory cannot have its place in the guest, since
 * it would cover what the guest runs from: `/usr`, with another root.
 */
_must_check_ struct error *share_plan_compute(const struct share_request *request,
					      struct share_plan *ret);
void share_plan_deinit(struct share_plan *plan);

/** Add a line of fstab(5): a file system of the guest's own, after the shares. */
void share_plan_add_mount(struct share_plan *plan, const char *source,
			  const char *target, const char *type,
			  const char *options);

#define _cleanup_share_plan_ _cleanup_(share_plan_deinit)

/** Where init.sh keeps what is its own. */
#define SHARE_STATE "/run/vmtest"

/**
 * TMPDIR in the guest. In `/tmp`, which is the host's below an overlay, a file
 * that is mapped or watched is another inode than the one that was opened.
 */
#define SHARE_TEMPORARY SHARE_STATE "/tmp"

/** Mount options of a 9p share. */
#define SHARE_OPTIONS "trans=virtio,version=9p2000.L,msize=131072"

/** The type of a share that is only read, and its mount options: `ro`, and more. */
const char *share_read_type(enum virtiofs_use use);
const char *share_read_options(enum virtiofs_use use);

#define SHARE_ROOT_TAG "/dev/root"
#define SHARE_INIT_TAG "init"

/*
 * What serves shares by virtiofs: a virtiofsd for each, which keeps the guest's
 * files open, and so knows them without a name too. There is QEMU's own, up to
 * QEMU 7, and one that has other options.
 */

struct virtiofs_server {
	struct process *process;
	/** Connected to it; for QEMU, which inherits it. */
	int fd;
};

struct virtiofs {
	struct virtiofs_server *items;
	size_t count;
	/** Polls readable when one of them has ended, if there are any. */
	int ended_fd;
};

/** The package's module for it, if it is not built in. */
#define VIRTIOFS_MODULE "kernel/fs/fuse/virtiofs.ko"

/** Whether the guest can have such shares. */
bool virtiofs_is_possible(const struct qemu_config *config);

/**
 * Start a server for each share that is to have one. It can write to a share
 * that is writable and to nothing else, and reads what QEMU may of others. It
 * is killed when we die.
 *
 * @param[in] request A virtiofsd; it is QEMU's own if it is in a directory
 * `qemu`. NULL to look for one.
 * @param[in] confinement QEMU's.
 * @param[in,out] shares
 * @return Why it does not work, as it may not: for lack of a virtiofsd, of the
 * rights that it needs, or of open files.
 */
_must_check_ struct error *virtiofs_start(const char *request,
					  const struct confinement *confinement,
					  struct share_plan *shares,
					  struct virtiofs *ret);
void virtiofs_deinit(struct virtiofs *servers);

#define _cleanup_virtiofs_ _cleanup_(virtiofs_deinit)

/*
 * Disks: empty ones that are gone with QEMU, and files of the user's,
 * `FILE[,readonly][,format=qcow2][,interface=NAME]`. The format is raw unless
 * it is given, and never probed: a guest could make its disk look like a qcow2
 * image that refers to other files.
 */

enum {
	DISK_LIMIT = 20
};

enum disk_use {
	/** Of the user's. */
	DISK_FILE,
	/** Empty, for the command. */
	DISK_EMPTY,
	/** Empty, as swap for what the guest writes elsewhere. */
	DISK_OVERLAY,
};

struct disk_interface;

struct disk {
	enum disk_use use;
	/** QEMU inherits it. */
	int fd;
	bool readonly;
	bool qcow2;
	const struct disk_interface *interface;
};

struct disk_list {
	struct disk items[DISK_LIMIT];
	size_t count;
};

/**
 * @return ERROR_USAGE if it is neither a size (amount_parse()), of an empty
 * disk, nor a file that is there.
 */
_must_check_ struct error *disk_check(const char *text);

/** The path of a file; NULL if it is a size; free(). */
char *disk_path(const char *text);

/**
 * Open a file, and add it.
 *
 * @param[in] config The kernel's; an error if it lacks what the disk needs.
 */
_must_check_ struct error *disk_list_open(struct disk_list *list,
					  const char *text, const char *config);

/**
 * Make an empty disk, and add it: a sparse file without a name, whose blocks
 * are taken from the directory's file system when they are written, and given
 * back when the last descriptor is closed, however that happens.
 */
_must_check_ struct error *
disk_list_create(struct disk_list *list, enum disk_use use,
		 const char *directory, uint64_t size_bytes, const char *config);
void disk_list_deinit(struct disk_list *list);

/** Device nodes in the guest, separated by spaces; empty for none; free(). */
char *disk_list_nodes(const struct disk_list *list, enum disk_use use);

/** The same of those that are only read. */
char *disk_list_readonly(const struct disk_list *list);

/** Modules of a package that the guest may need for them. */
void disk_list_add_modules(const struct disk_list *list,
			   struct string_list *modules);

/** Add QEMU's arguments. */
void disk_list_add_arguments(const struct disk_list *list,
			     struct string_list *arguments);

/*
 * QEMU's user-mode network, in which addresses are fixed: the guest's are
 * 10.0.2.15 and fec0::15, the gateway's 10.0.2.2 and fec0::2, which lead to the
 * host's loopback too, and names are resolved at 10.0.2.3.
 */

/** The package's module for it, if it is not built in. */
#define NETWORK_MODULE "kernel/drivers/net/virtio_net.ko"

/** Whether it is HOST:GUEST, two TCP ports, as those of a config must be. */
bool network_takes_ports(const char *text);

/** @return An error if the kernel lacks an option or a port is in use. */
_must_check_ struct error *network_check(const struct qemu_config *config);

/** Add QEMU's arguments, if there is to be one. */
void network_add(const struct qemu_config *config, struct string_list *arguments);

/*
 * QEMU's command line, as it follows from what is asked for. Nothing is started
 * here; qemu_link_create() does that.
 */

/** Ports of the virtio-serial bus. Port 0 can only be a console. */
enum qemu_port {
	PORT_TERMINAL,
	PORT_CONTROL,
	PORT_STDIN,
	PORT_STDOUT,
	PORT_STDERR,
	PORT_COUNT,
};

/** What is decided. */
struct qemu_options {
	const struct qemu_config *config;
	const struct catalog_machine *machine;
	enum accel accel;
	/** To boot. */
	const char *image;
	/** Its first root; NULL for none. */
	const char *initramfs;
	const struct share_plan *shares;
	/** init.sh on the root; not used if it has a share. */
	const char *init;
	/** QEMU's ends, which it inherits; qemu_link_create() sets them. */
	const struct qemu_link *sockets;
	struct disk_list disks;
	/** 0 if not known or not wanted. */
	uint64_t tsc_khz;
	/** Show all of the kernel's messages. */
	bool verbose;
	/** This QEMU cannot confine itself. */
	bool lacks_sandbox;
	/** What QEMU can do to the host. */
	const struct confinement *confinement;
};

/**
 * The QEMU to run: the one that is asked for, the architecture's in PATH, or,
 * for guests of this machine's architecture, the one that some distributions
 * keep elsewhere. It need not exist.
 */
const char *qemu_program(const struct qemu_config *config);

/**
 * Whether a guest can say where in its memory debuggers begin to read: by
 * fw_cfg.
 */
bool qemu_has_vmcoreinfo(const struct qemu_config *config);

/**
 * The first machine that the kernel can boot on, or the one that is asked for.
 *
 * @param[in] after Begin with the one after this; NULL for the first.
 * @return ERROR_USAGE for an unknown name, or NUMA nodes that no machine can
 * have; ERROR_NOT_FOUND if no (other) machine fits, or the named one does not.
 */
_must_check_ struct error *
qemu_choose_machine(const struct qemu_config *config,
		    const struct catalog_machine *after,
		    const struct catalog_machine **ret);

/** Add an option and its value. */
_printf_(3, 4) void qemu_add(struct string_list *arguments, const char *option,
			     const char *format, ...);

/**
 * @param[out] ret All arguments, the program first.
 * @return ERROR_USAGE if the kernel's command line is longer than those of the
 * architecture take, which would truncate it silently.
 */
_must_check_ struct error *qemu_arguments(const struct qemu_options *options,
					  struct string_list *ret);

/** Whether what QEMU printed means that it lacks the machine, or part of it. */
bool qemu_lacks_machine(const char *output);

/** Whether it means that QEMU or the kernel lacks what -sandbox needs. */
bool qemu_lacks_sandbox(const char *output);

/** Whether it means that QEMU was built without 9p. */
bool qemu_lacks_9p(const char *output);

/* One QEMU that runs, and the descriptors between it and us. */

/** -1 and NULL for what is not there. */
struct qemu_link {
	struct process *qemu;
	/** The guest's serial console. */
	int console_fd;
	/** Of virtio-serial, those that the command needs. */
	int port_fds[PORT_COUNT];
	/** What QEMU itself prints. */
	int output_fd;
	/** Its monitor (monitor.h). */
	int monitor_fd;
};

#define QEMU_LINK_INIT                                                         \
	{                                                                      \
		.console_fd = -1, .output_fd = -1, .monitor_fd = -1,           \
		.port_fds = {                                                  \
			[0 ... PORT_COUNT - 1] = -1                            \
		}                                                              \
	}

/**
 * Start QEMU.
 *
 * @param[in] ports Those that there are, as 1 << enum qemu_port.
 * @param[in] options All but the sockets.
 * @param[out] link_ret Its descriptors do not block.
 * @return ERROR_NOT_FOUND if there is no such program.
 */
_must_check_ struct error *qemu_link_create(struct qemu_options *options,
					    unsigned int ports,
					    struct qemu_link *link_ret);

/**
 * Write the command that qemu_link_create() would run, quoted for a shell, an
 * option a line.
 */
_must_check_ struct error *qemu_show(struct qemu_options *options,
				     unsigned int ports, FILE *file);

/** End and close what is there. */
void qemu_link_deinit(struct qemu_link *link);

#define _cleanup_qemu_link_ _cleanup_(qemu_link_deinit)

#endif /* VM_QEMU_QEMU_H */
