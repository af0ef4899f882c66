// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/qemu/qemu.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/base/error.h"

enum {
	/**
	 * Before, whoever is confined cannot rename from one directory to
	 * another, which --rw is for.
	 */
	NEEDED_ABI = 2,
	TRUNCATE_ABI = 3,
	/** Renaming is listed since it is forbidden to all others. */
	ACCESS = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_REFER,
	CHANGE = LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR |
		 LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_CHAR |
		 LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG |
		 LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_MAKE_FIFO |
		 LANDLOCK_ACCESS_FS_MAKE_BLOCK | LANDLOCK_ACCESS_FS_MAKE_SYM,
	/** LANDLOCK_ACCESS_FS_TRUNCATE, which older headers lack. */
	TRUNCATE = 1 << 14,
};

static struct error *add_rule(int ruleset_fd, int fd, uint64_t access,
			      const char *name)
{
	const struct landlock_path_beneath_attr rule = {
		.allowed_access = access,
		.parent_fd = fd,
	};

	if (syscall(SYS_landlock_add_rule, ruleset_fd,
		    LANDLOCK_RULE_PATH_BENEATH, &rule, 0) < 0)
		return error_create_os(errno, "landlock: rule for %s", name);
	return NULL;
}

static struct error *allow(int ruleset_fd, int directory_fd, const char *name,
			   uint64_t access)
{
	_cleanup_close_ int fd =
		openat(directory_fd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;

	// One that has gone meanwhile is missed by nobody.
	if (fd < 0 || fstat(fd, &st) < 0 || S_ISLNK(st.st_mode))
		return NULL;
	if (!S_ISDIR(st.st_mode))
		access &= ~(uint64_t)LANDLOCK_ACCESS_FS_REFER;
	return add_rule(ruleset_fd, fd, access, name);
}

static bool is_allowed(const char *name)
{
	return strcmp(name, ".") != 0 && strcmp(name, "..") != 0 &&
	       strcmp(name, "proc") != 0;
}

/** There is no rule that forbids: so all else is allowed. */
static struct error *allow_all_but_proc(int ruleset_fd)
{
	struct error *err;
	_cleanup_closedir_ DIR *root = opendir("/");

	if (!root)
		return error_create_os(errno, "open /");
	for (struct dirent *entry; (entry = readdir(root));) {
		if (!is_allowed(entry->d_name))
			continue;
		err = allow(ruleset_fd, dirfd(root), entry->d_name, ACCESS);
		if (err)
			return err;
	}
	// KVM on ppc64 needs it.
	return allow(ruleset_fd, dirfd(root), "proc/cpuinfo", ACCESS);
}

/**
 * A server of files looks at itself in /proc. That others show their
 * environment and memory there is for who may trace them, which Landlock forbids.
 */
static struct error *allow_changes(int ruleset_fd, int directory_fd,
				   uint64_t access, bool maps_ids)
{
	struct error *err;

	err = add_rule(ruleset_fd, directory_fd, access, "the directory");
	if (err)
		return err;
	return allow(ruleset_fd, AT_FDCWD, "/proc",
		     maps_ids ? ACCESS | LANDLOCK_ACCESS_FS_WRITE_FILE : ACCESS);
}

struct error *qemu_confine(int directory_fd, bool maps_ids, int *fd_ret)
{
	struct error *err;

	struct landlock_ruleset_attr attributes = {
		.handled_access_fs = ACCESS,
	};
	int abi = (int)syscall(SYS_landlock_create_ruleset, NULL, 0,
			       LANDLOCK_CREATE_RULESET_VERSION);

	*fd_ret = -1;
	if (abi < NEEDED_ABI)
		return NULL;
	if (directory_fd >= 0)
		attributes.handled_access_fs |=
			CHANGE | (abi < TRUNCATE_ABI ? 0 : TRUNCATE);

	_cleanup_close_ int fd = (int)syscall(SYS_landlock_create_ruleset,
					      &attributes, sizeof(attributes), 0);

	if (fd < 0)
		return error_create_os(errno, "landlock");
	err = allow_all_but_proc(fd);
	if (!err && directory_fd >= 0)
		err = allow_changes(fd, directory_fd,
				    attributes.handled_access_fs, maps_ids);
	if (err)
		return err;
	*fd_ret = take_fd(&fd);
	return NULL;
}
