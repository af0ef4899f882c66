// SPDX-License-Identifier: LGPL-2.1-or-later

#include "common/process/landlock.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/base/error.h"

enum {
	/** What can be allowed for a file. */
	OF_FILES = LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_READ_FILE |
		   LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_FS_TRUNCATE |
		   LANDLOCK_FS_IOCTL_DEVICE,
};

/** The versions that brought them. */
enum {
	REFER_ABI = 2,
	TRUNCATE_ABI = 3,
	TCP_ABI = 4,
	IOCTL_DEVICE_ABI = 5,
	SCOPES_ABI = 6,
};

const char *const landlock_system_paths[] = {
	"/usr",	  "/bin",    "/sbin",	   "/lib",	 "/lib32",
	"/lib64", "/libx32", "/nix/store", "/gnu/store", "/etc/ld.so.cache",
	NULL,
};

int landlock_abi(void)
{
	return (int)syscall(SYS_landlock_create_ruleset, NULL, 0,
			    LANDLOCK_CREATE_RULESET_VERSION);
}

void landlock_limit(struct landlock_rights *rights, int abi)
{
	uint64_t unknown =
		(abi < REFER_ABI ? LANDLOCK_FS_REFER : 0) |
		(abi < TRUNCATE_ABI ? LANDLOCK_FS_TRUNCATE : 0) |
		(abi < IOCTL_DEVICE_ABI ? LANDLOCK_FS_IOCTL_DEVICE : 0);

	rights->files &= ~unknown;
	if (abi < TCP_ABI)
		rights->network = 0;
	if (abi < SCOPES_ABI)
		rights->scopes = 0;
}

struct error *landlock_create(const struct landlock_rights *rights, int *fd_ret)
{
	// A kernel takes more than it knows where that is zero.
	int fd = (int)syscall(SYS_landlock_create_ruleset, rights,
			      sizeof(*rights), 0);

	if (fd < 0)
		return error_create_os(errno, "landlock");
	*fd_ret = fd;
	return NULL;
}

struct error *landlock_allow(int fd, const struct landlock_rights *rights,
			     const char *path, int flags, uint64_t access)
{
	_cleanup_close_ int path_fd = open(path, O_PATH | O_CLOEXEC | flags);
	struct stat st;

	if (path_fd < 0 || fstat(path_fd, &st) < 0 || S_ISLNK(st.st_mode))
		return NULL;
	const struct landlock_path_beneath_attr rule = {
		.allowed_access = access & rights->files &
				  (S_ISDIR(st.st_mode) ? UINT64_MAX : OF_FILES),
		.parent_fd = path_fd,
	};
	// A namespace, as of ip-netns(8), can have none.
	if (syscall(SYS_landlock_add_rule, fd, LANDLOCK_RULE_PATH_BENEATH,
		    &rule, 0) < 0 &&
	    errno != EBADFD)
		return error_create_os(errno, "landlock: rule for %s", path);
	return NULL;
}
