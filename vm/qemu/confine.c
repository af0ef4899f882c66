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
	/** Renaming is listed since it is forbidden to all others. */
	ACCESS = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_REFER,
};

static struct error *allow(int ruleset_fd, int directory_fd, const char *name)
{
	struct landlock_path_beneath_attr rule = { .allowed_access = ACCESS };
	_cleanup_close_ int fd =
		openat(directory_fd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;

	// One that has gone meanwhile is missed by nobody.
	if (fd < 0 || fstat(fd, &st) < 0 || S_ISLNK(st.st_mode))
		return NULL;
	if (!S_ISDIR(st.st_mode))
		rule.allowed_access = LANDLOCK_ACCESS_FS_READ_FILE;
	rule.parent_fd = fd;
	if (syscall(SYS_landlock_add_rule, ruleset_fd,
		    LANDLOCK_RULE_PATH_BENEATH, &rule, 0) < 0)
		return error_create_os(errno, "landlock: /%s", name);
	return NULL;
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
		err = allow(ruleset_fd, dirfd(root), entry->d_name);
		if (err)
			return err;
	}
	// KVM on ppc64 needs it.
	return allow(ruleset_fd, dirfd(root), "proc/cpuinfo");
}

struct error *qemu_confine(int *fd_ret)
{
	struct error *err;

	const struct landlock_ruleset_attr attributes = {
		.handled_access_fs = ACCESS,
	};

	*fd_ret = -1;
	if (syscall(SYS_landlock_create_ruleset, NULL, 0,
		    LANDLOCK_CREATE_RULESET_VERSION) < NEEDED_ABI)
		return NULL;

	_cleanup_close_ int fd = (int)syscall(SYS_landlock_create_ruleset,
					      &attributes, sizeof(attributes), 0);

	if (fd < 0)
		return error_create_os(errno, "landlock");
	err = allow_all_but_proc(fd);
	if (err)
		return err;
	*fd_ret = take_fd(&fd);
	return NULL;
}
