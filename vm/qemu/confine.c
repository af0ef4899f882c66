// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/qemu/confine.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/base/error.h"
#include "common/base/file.h"
#include "common/base/memory.h"
#include "common/process/process.h"

/** What older headers lack is written as numbers. */
enum {
	READ = LANDLOCK_ACCESS_FS_READ_FILE,
	WRITE = LANDLOCK_ACCESS_FS_WRITE_FILE,
	CHANGE = WRITE | LANDLOCK_ACCESS_FS_REMOVE_DIR |
		 LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_CHAR |
		 LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG |
		 LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_MAKE_FIFO |
		 LANDLOCK_ACCESS_FS_MAKE_BLOCK | LANDLOCK_ACCESS_FS_MAKE_SYM,
	/** To rename from one directory to another. */
	REFER = 1 << 13,
	TRUNCATE = 1 << 14,
	IOCTL_DEVICE = 1 << 15,
	/** Those that a file can have a rule for. */
	OF_FILE = READ | WRITE | TRUNCATE | IOCTL_DEVICE,
	/** To bind and to connect. */
	TCP = 3,
	/** To reach others by abstract sockets and by signals. */
	SCOPES = 3,
};

/** The versions of Landlock that brought them. */
enum {
	REFER_ABI = 2,
	TRUNCATE_ABI = 3,
	TCP_ABI = 4,
	IOCTL_DEVICE_ABI = 5,
	SCOPES_ABI = 6,
};

// What a program needs, and no secret.
static const char *const devices[] = { "/dev/kvm", "/dev/null", "/dev/random",
				       "/dev/urandom", "/dev/zero" };

struct ruleset {
	int fd;
	uint64_t handled;
	const struct confinement *confinement;
};

bool confinement_rights(const struct confinement *confinement, int abi,
			struct confinement_rights *ret)
{
	*ret = (struct confinement_rights){ 0 };
	// All confined programs lack what an ABI does not have.
	if (abi < (confinement->writable.count ? REFER_ABI : 1))
		return false;
	ret->files = READ | (abi >= REFER_ABI ? REFER : 0);
	if (confinement->is_open)
		return true;
	ret->files |= CHANGE | (abi >= TRUNCATE_ABI ? TRUNCATE : 0) |
		      (abi >= IOCTL_DEVICE_ABI ? IOCTL_DEVICE : 0);
	ret->network = abi >= TCP_ABI && !confinement->has_network ? TCP : 0;
	ret->scopes = abi >= SCOPES_ABI ? SCOPES : 0;
	return true;
}

static bool holds_hidden(const struct confinement *confinement, const char *path)
{
	bool holds = false;

	for (size_t i = 0; i < confinement->hidden.count; i++)
		holds |= path_is_below(confinement->hidden.items[i], path);
	return holds;
}

static struct error *allow(const struct ruleset *ruleset, const char *path,
			   uint64_t access)
{
	_cleanup_close_ int fd = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;

	// One that has gone meanwhile is missed by nobody.
	if (fd < 0 || fstat(fd, &st) < 0 || S_ISLNK(st.st_mode))
		return NULL;
	const struct landlock_path_beneath_attr rule = {
		.allowed_access = access & ruleset->handled &
				  (S_ISDIR(st.st_mode) ? UINT64_MAX : OF_FILE),
		.parent_fd = fd,
	};
	// A namespace, as of ip-netns(8), can have none.
	if (syscall(SYS_landlock_add_rule, ruleset->fd,
		    LANDLOCK_RULE_PATH_BENEATH, &rule, 0) < 0 &&
	    errno != EBADFD)
		return error_create_os(errno, "landlock: rule for %s", path);
	return NULL;
}

/**
 * There is no rule that forbids: where something is hidden below a directory,
 * all else that is there now is allowed.
 */
static struct error *allow_shown(const struct ruleset *ruleset, const char *path)
{
	const struct confinement *confinement = ruleset->confinement;
	struct error *err = NULL;

	if (!holds_hidden(confinement, path))
		return allow(ruleset, path, READ | REFER);
	_cleanup_closedir_ DIR *directory = opendir(path);
	// What is closed to us is to the program.
	while (directory && !err) {
		const struct dirent *entry = readdir(directory);

		if (!entry)
			break;
		_cleanup_free_ char *child = path_join(path, entry->d_name);
		if (strcmp(entry->d_name, ".") != 0 &&
		    strcmp(entry->d_name, "..") != 0 &&
		    !string_list_contains(&confinement->hidden, child))
			err = allow_shown(ruleset, child);
	}
	return err;
}

static struct error *add_rules(const struct ruleset *ruleset)
{
	struct error *err = NULL;
	const struct confinement *confinement = ruleset->confinement;

	if (confinement->reads_host)
		err = allow_shown(ruleset, "/");
	for (size_t i = 0; i < array_size(devices) && !err; i++)
		err = allow(ruleset, devices[i], READ | WRITE | IOCTL_DEVICE);
	for (size_t i = 0; i < confinement->shown.count && !err; i++)
		err = allow_shown(ruleset, confinement->shown.items[i]);
	for (size_t i = 0; i < confinement->writable.count && !err; i++)
		err = allow(ruleset, confinement->writable.items[i],
			    READ | CHANGE | REFER | TRUNCATE);
	return err;
}

struct error *confinement_make(const struct confinement *confinement, int *fd_ret)
{
	struct error *err;

	struct confinement_rights rights;
	int abi = (int)syscall(SYS_landlock_create_ruleset, NULL, 0,
			       LANDLOCK_CREATE_RULESET_VERSION);

	*fd_ret = -1;
	if (!confinement_rights(confinement, abi, &rights)) {
		if (!confinement->is_required)
			return NULL;
		return error_create(
			ERROR_OTHER,
			"--hide: the kernel has no Landlock (from 5.13 on, and with --rw from 5.19), or it is switched off");
	}
	// A kernel takes more than it knows where that is zero.
	_cleanup_close_ int fd = (int)syscall(SYS_landlock_create_ruleset,
					      &rights, sizeof(rights), 0);
	if (fd < 0)
		return error_create_os(errno, "landlock");
	const struct ruleset ruleset = { fd, rights.files, confinement };
	err = add_rules(&ruleset);
	if (err)
		return err;
	*fd_ret = take_fd(&fd);
	return NULL;
}

void confinement_show(struct confinement *confinement, const char *path)
{
	_cleanup_free_ char *real = realpath(path, NULL);

	if (real)
		string_list_add(&confinement->shown, real);
}

void confinement_add_program(struct confinement *confinement, const char *name)
{
	_cleanup_free_ char *path = process_program_path(name);
	_cleanup_free_ char *real = path ? realpath(path, NULL) : NULL;
	_cleanup_free_ char *directory = path_parent(real ? real : "");
	const char *libraries = getenv("LD_LIBRARY_PATH");
	_cleanup_free_ char *list = string_copy(libraries ? libraries : "");
	char *rest = list;

	if (real)
		confinement_show(confinement, directory);
	for (char *part; (part = strsep(&rest, ":"));) {
		if (*part == '/')
			confinement_show(confinement, part);
	}
}

void confinement_deinit(struct confinement *confinement)
{
	string_list_deinit(&confinement->hidden);
	string_list_deinit(&confinement->shown);
	string_list_deinit(&confinement->writable);
}
