// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/guest/guest_internal.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/error.h"
#include "common/base/file.h"
#include "common/base/memory.h"
#include "common/kernel/catalog.h"
#include "common/kernel/kernel_config.h"
#include "common/kernel/release.h"
#include "vm/kernel/kernel.h"

enum {
	NODES_LIMIT_BYTES = 1 << 20,
	/** What the kernel lets limits of open files be, unless it is told. */
	FILES_LIMIT_DEFAULT = 1 << 20,
};

#define CLOSED "nosuid,nodev,noexec"

// What every guest needs, and what systemd mounts.
static const struct {
	/** NULL for every kernel. */
	const char *option;
	const char *type;
	const char *target;
	const char *options;
	/** Whether the directory is to be made. */
	bool is_new;
	/** Of the architecture; NULL for all. */
	const char *source_arch;
} mounts[] = {
	{ NULL, "proc", "/proc", CLOSED, false, NULL },
	{ NULL, "sysfs", "/sys", CLOSED, false, NULL },
	{ NULL, "devtmpfs", "/dev", "mode=0755", false, NULL },
	{ "CONFIG_UNIX98_PTYS", "devpts", "/dev/pts",
	  "gid=5,mode=620,ptmxmode=666", false, NULL },
	{ NULL, "tmpfs", "/dev/shm", "mode=1777", false, NULL },
	{ NULL, "tmpfs", SHARE_TEMPORARY, "mode=1777", true, NULL },
	{ NULL, "tmpfs", "/run/lock", CLOSED ",mode=1777", true, NULL },
	{ "CONFIG_CGROUPS", "cgroup2", "/sys/fs/cgroup", CLOSED, false, NULL },
	{ "CONFIG_BPF_SYSCALL", "bpf", "/sys/fs/bpf", "mode=0700", false, NULL },
	{ "CONFIG_DEBUG_FS", "debugfs", "/sys/kernel/debug", "mode=0700", false,
	  NULL },
	{ "CONFIG_TRACING", "tracefs", "/sys/kernel/tracing", "mode=0700",
	  false, NULL },
	{ "CONFIG_BINFMT_MISC", "binfmt_misc", "/proc/sys/fs/binfmt_misc",
	  CLOSED, false, NULL },
	{ "CONFIG_POSIX_MQUEUE", "mqueue", "/dev/mqueue", CLOSED, true, NULL },
	// Others may find that their machine has no huge pages.
	{ "CONFIG_HUGETLBFS", "hugetlbfs", "/dev/hugepages", "nosuid,nodev",
	  true, "x86" },
	{ "CONFIG_HUGETLBFS", "hugetlbfs", "/dev/hugepages", "nosuid,nodev",
	  true, "arm64" },
	{ "CONFIG_SECURITYFS", "securityfs", "/sys/kernel/security", CLOSED,
	  false, NULL },
	{ "CONFIG_CONFIGFS_FS", "configfs", "/sys/kernel/config", CLOSED, false,
	  NULL },
	{ "CONFIG_FUSE_FS", "fusectl", "/sys/fs/fuse/connections", CLOSED,
	  false, NULL },
	{ "CONFIG_PSTORE", "pstore", "/sys/fs/pstore", CLOSED, false, NULL },
};

static void add_mount(struct guest_plan *plan, const char *type,
		      const char *target, const char *options)
{
	share_plan_add_mount(&plan->shares, type, target, type, options);
}

/**
 * Whether there is a securityfs: from 6.19 on, one without security modules
 * never makes the directory of it that its configuration asks for.
 */
static bool has_securityfs(const struct kernel *kernel)
{
	return kernel_config_has(kernel->config, "CONFIG_SECURITY") ||
	       !kernel_is_since(kernel, 6, 19);
}

static void plan_mounts(struct guest_plan *plan, const struct guest_config *config)
{
	const char *text = config->qemu.kernel->config;
	const char *source_arch = config->qemu.arch->source_arch;
	bool securityfs = has_securityfs(config->qemu.kernel);

	for (size_t i = 0; i < array_size(mounts); i++) {
		if ((mounts[i].option &&
		     !kernel_config_has(text, mounts[i].option)) ||
		    (mounts[i].source_arch &&
		     strcmp(mounts[i].source_arch, source_arch) != 0) ||
		    (!securityfs && strcmp(mounts[i].type, "securityfs") == 0))
			continue;
		add_mount(plan, mounts[i].type, mounts[i].target,
			  mounts[i].options);
		if (mounts[i].is_new)
			string_list_add(&plan->shares.directories,
					mounts[i].target);
	}

	_cleanup_free_ char *runtime =
		string_format("/run/user/%u", plan->user.uid);
	_cleanup_free_ char *options =
		string_format("nosuid,nodev,mode=700,uid=%u,gid=%u",
			      plan->user.uid, plan->user.gid);

	string_list_add(&plan->shares.directories, runtime);
	add_mount(plan, "tmpfs", runtime, options);
}

/** Whether a name is a word for a shell, and a mount table, as it is. */
static bool is_plain(const char *name)
{
	return !name[strspn(name, GUEST_LETTERS "-._/")];
}

/** Give the guest's user an empty directory in place of one that is closed. */
static void open_directory(struct guest_plan *plan, const char *path,
			   const struct stat *st)
{
	_cleanup_free_ char *options = string_format("mode=%o,uid=%u,gid=%u",
						     st->st_mode & 07777,
						     st->st_uid, st->st_gid);

	add_mount(plan, "tmpfs", path, options);
}

/**
 * What root alone may enter, the guest's root has too: its own, and empty,
 * where we cannot show the host's.
 */
static void plan_closed_directories(struct guest_plan *plan, const char *root)
{
	// Below the root.
	static const char *const parents[] = { "",	   "etc/",
					       "var/lib/", "var/cache/",
					       "var/log/", "var/spool/" };

	for (size_t i = 0; i < array_size(parents); i++) {
		_cleanup_free_ char *parent = path_join(root, parents[i]);
		_cleanup_closedir_ DIR *directory = opendir(parent);
		struct dirent *entry;

		while (directory && (entry = readdir(directory))) {
			_cleanup_free_ char *path =
				string_format("/%s%s", parents[i], entry->d_name);
			struct stat st;

			if (entry->d_type == DT_DIR && is_plain(path) &&
			    strcmp(entry->d_name, "lost+found") != 0 &&
			    faccessat(dirfd(directory), entry->d_name,
				      R_OK | X_OK, AT_EACCESS) < 0 &&
			    fstatat(dirfd(directory), entry->d_name, &st,
				    AT_SYMLINK_NOFOLLOW) == 0 &&
			    st.st_uid == 0)
				open_directory(plan, path, &st);
		}
	}
}

/** The same for the files that say who may do what. */
static void plan_closed_files(struct guest_plan *plan,
			      const struct guest_config *config)
{
	static const char *const names[] = { "shadow",	 "gshadow",   "shadow-",
					     "gshadow-", ".pwd.lock", "sudoers" };

	for (size_t i = 0; i < array_size(names); i++) {
		_cleanup_free_ char *path =
			path_joinf(config->root, "etc/%s", names[i]);

		if (file_exists(path) && access(path, R_OK) < 0)
			string_list_add(&plan->closed, names[i]);
	}

	if (guest_root_has(config, "etc/sudoers"))
		string_list_add(&plan->shares.directories,
				SHARE_STATE "/upper/etc/sudoers.d");
}

/** Directories that services have below the root's /run; they are empty. */
static void plan_run(struct guest_plan *plan, const char *root)
{
	_cleanup_free_ char *run = path_join(root, "run");
	_cleanup_closedir_ DIR *directory = opendir(run);
	struct string_list *made = &plan->shares.directories;
	struct dirent *entry;

	while (directory && (entry = readdir(directory))) {
		_cleanup_free_ char *path =
			string_format("/run/%s", entry->d_name);
		struct stat st;

		if (entry->d_type != DT_DIR || entry->d_name[0] == '.' ||
		    !is_plain(path) || string_list_contains(made, path) ||
		    fstatat(dirfd(directory), entry->d_name, &st,
			    AT_SYMLINK_NOFOLLOW) < 0)
			continue;
		string_list_add(made, path);
		// Others than root may write there.
		if (st.st_uid != 0 || (st.st_mode & 022))
			open_directory(plan, path, &st);
	}
}

/** A home that is another's, and closed to us, is empty. */
static void plan_home(struct guest_plan *plan, const char *root)
{
	const char *home = plan->user.home;
	_cleanup_free_ char *path = path_join(root, home + (*home == '/'));
	struct stat st;

	if (home[0] == '/' && home[1] && is_plain(home) &&
	    strcmp(home, "/root") != 0 && stat(path, &st) == 0 &&
	    S_ISDIR(st.st_mode) &&
	    faccessat(AT_FDCWD, path, R_OK | X_OK, AT_EACCESS) < 0)
		open_directory(plan, home, &st);
}

/**
 * Nodes of modules that are loaded when one opens them: lines of
 * modules.devname are `MODULE NAME [bc]MAJOR:MINOR`.
 */
static struct error *plan_nodes(struct guest_plan *plan,
				const struct kernel *kernel)
{
	// To all users, as udev's rules have it.
	static const char *const open[] = { "fuse", "net/tun" };
	struct error *err;

	_cleanup_free_ char *path = path_join(kernel->path, "modules.devname");
	_cleanup_free_ char *text = NULL;

	err = file_read(path, NODES_LIMIT_BYTES, &text, NULL);
	if (error_catch(&err, ERROR_NOT_FOUND))
		return NULL;
	if (err)
		return err;

	char *rest = text;

	for (char *line; (line = strsep(&rest, "\n"));) {
		char name[64], type;
		unsigned int major, minor;

		if (*line == '#' ||
		    sscanf(line, "%*s %63s %c%u:%u", name, &type, &major,
			   &minor) != 4 ||
		    !is_plain(name) || strstr(name, "..") ||
		    (type != 'c' && type != 'b'))
			continue;

		const char *slash = strrchr(name, '/');
		bool is_open = false;

		for (size_t i = 0; i < array_size(open); i++)
			is_open |= strcmp(name, open[i]) == 0;
		if (slash)
			string_list_addf(&plan->shares.directories, "/dev/%.*s",
					 (int)(slash - name), name);
		string_list_add(&plan->nodes, is_open ? "666" : "600");
		string_list_add(&plan->nodes, name);
		string_list_addf(&plan->nodes, "%c", type);
		string_list_addf(&plan->nodes, "%u", major);
		string_list_addf(&plan->nodes, "%u", minor);
	}
	return NULL;
}

/**
 * A root that is a container's says so, but a guest is none: hide it by a
 * device that an overlay takes for a deleted file.
 */
static void plan_container(struct guest_plan *plan,
			   const struct guest_config *config)
{
	static const char *const node[] = { "0",
					    ".." SHARE_STATE "/upper/.dockerenv",
					    "c", "0", "0" };

	if (!guest_root_has(config, ".dockerenv"))
		return;
	for (size_t i = 0; i < array_size(node); i++)
		string_list_add(&plan->nodes, node[i]);
}

/** free() */
static char *format_limit(rlim_t limit, unsigned int unit_bytes)
{
	return limit == RLIM_INFINITY
		       ? string_copy("unlimited")
		       : string_format("%llu",
				       (unsigned long long)limit / unit_bytes);
}

/** Resource limits, what a kernel starts with, and how shells set them. */
static const struct {
	int resource;
	rlim_t soft, hard;
	unsigned int unit_bytes;
	const char *letters;
	/** Of prlimit(1), where some shell has no letter. */
	const char *name;
} limits[] = {
	{ RLIMIT_CPU, RLIM_INFINITY, RLIM_INFINITY, 1, "t", NULL },
	{ RLIMIT_FSIZE, RLIM_INFINITY, RLIM_INFINITY, 512, "f", NULL },
	{ RLIMIT_DATA, RLIM_INFINITY, RLIM_INFINITY, 1024, "d", NULL },
	{ RLIMIT_STACK, 8 << 20, RLIM_INFINITY, 1024, "s", NULL },
	{ RLIMIT_CORE, 0, RLIM_INFINITY, 512, "c", NULL },
	{ RLIMIT_RSS, RLIM_INFINITY, RLIM_INFINITY, 1024, "m", NULL },
	{ RLIMIT_NPROC, 0, 0, 1, "up", NULL },
	{ RLIMIT_NOFILE, 1024, 4096, 1, "n", NULL },
	{ RLIMIT_MEMLOCK, 0, 0, 1024, "l", NULL },
	{ RLIMIT_AS, RLIM_INFINITY, RLIM_INFINITY, 1024, "v", NULL },
	{ RLIMIT_SIGPENDING, 0, 0, 1, "i", "sigpending" },
	{ RLIMIT_MSGQUEUE, 819200, 819200, 1, "q", "msgqueue" },
	{ RLIMIT_NICE, 0, 0, 1, "e", "nice" },
	{ RLIMIT_RTPRIO, 0, 0, 1, "r", NULL },
	{ RLIMIT_RTTIME, RLIM_INFINITY, RLIM_INFINITY, 1, "", "rttime" },
};

/**
 * Our umask and limits, as commands of a shell: each of the letters that shells
 * have for one is tried, then prlimit(1). What a kernel starts with is left out.
 */
static void plan_limits(struct guest_plan *plan, const struct guest_config *config)
{
	const bool has_prlimit = guest_root_has(config, "usr/bin/prlimit");
	struct string_builder sb = { 0 };
	struct rlimit limit, processes = { 0 };

	// To read it is to change it; until then, what others make is private.
	mode_t mask = umask(077);
	umask(mask);
	string_builder_appendf(&sb, "{ umask %04o; ", mask);
	getrlimit(RLIMIT_NPROC, &processes);
	for (size_t i = 0; i < array_size(limits); i++) {
		if (getrlimit((__rlimit_resource_t)limits[i].resource, &limit) <
			    0 ||
		    (limit.rlim_cur == limits[i].soft &&
		     limit.rlim_max == limits[i].hard))
			continue;
		// What both start with depends on the machine's memory.
		if (limits[i].resource == RLIMIT_SIGPENDING &&
		    limit.rlim_max == processes.rlim_max)
			continue;

		_cleanup_free_ char *soft =
			format_limit(limit.rlim_cur, limits[i].unit_bytes);
		_cleanup_free_ char *hard =
			format_limit(limit.rlim_max, limits[i].unit_bytes);

		if (limits[i].resource == RLIMIT_NOFILE &&
		    limit.rlim_max > FILES_LIMIT_DEFAULT)
			string_builder_appendf(&sb,
					       "echo %s >/proc/sys/fs/nr_open; ",
					       hard);
		for (const char *letter = limits[i].letters; *letter; letter++)
			string_builder_appendf(&sb,
					       "ulimit -%c %s && ulimit -S%c %s || ",
					       *letter, hard, *letter, soft);
		if (limits[i].name && has_prlimit)
			string_builder_appendf(&sb,
					       "set -- /usr/bin/prlimit --%s=%s:%s \"$@\"; ",
					       limits[i].name, soft, hard);
		else
			string_builder_append(&sb, ":; ");
	}
	string_builder_append(&sb, ":; } 2>/dev/null");
	plan->limits = string_builder_take(&sb);
}

struct error *guest_system_plan(struct guest_plan *plan,
				const struct guest_config *config)
{
	plan_mounts(plan, config);
	plan_closed_directories(plan, config->root);
	plan_closed_files(plan, config);
	plan_run(plan, config->root);
	plan_home(plan, config->root);
	plan_limits(plan, config);
	plan_container(plan, config);
	return plan_nodes(plan, config->qemu.kernel);
}
