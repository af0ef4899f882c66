// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/qemu/confine.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/error.h"
#include "common/base/file.h"
#include "common/base/memory.h"
#include "common/process/process.h"

enum {
	READ = LANDLOCK_ACCESS_FS_READ_FILE,
	WRITE = LANDLOCK_ACCESS_FS_WRITE_FILE,
	CHANGE = LANDLOCK_FS_CHANGE | LANDLOCK_FS_DEVICES,
};

// What a program needs, and no secret.
static const char *const devices[] = { "/dev/kvm", "/dev/null", "/dev/random",
				       "/dev/urandom", "/dev/zero" };

struct ruleset {
	int fd;
	struct landlock_rights rights;
	const struct confinement *confinement;
};

bool confinement_rights(const struct confinement *confinement, int abi,
			struct landlock_rights *ret)
{
	*ret = (struct landlock_rights){ .files = READ | LANDLOCK_FS_REFER };
	if (!confinement->is_open) {
		ret->files |= CHANGE | LANDLOCK_FS_IOCTL_DEVICE;
		ret->network = confinement->has_network ? 0 : LANDLOCK_TCP;
		ret->scopes = LANDLOCK_SCOPES;
	}
	landlock_limit(ret, abi);
	// Renaming from one directory to another is what --rw is for.
	if (abi >= 1 &&
	    (!confinement->writable.count || ret->files & LANDLOCK_FS_REFER))
		return true;
	*ret = (struct landlock_rights){ 0 };
	return false;
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
	return landlock_allow(ruleset->fd, &ruleset->rights, path, O_NOFOLLOW,
			      access);
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
		return allow(ruleset, path, READ | LANDLOCK_FS_REFER);
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
		err = allow(ruleset, devices[i],
			    READ | WRITE | LANDLOCK_FS_IOCTL_DEVICE);
	for (size_t i = 0; i < confinement->shown.count && !err; i++)
		err = allow_shown(ruleset, confinement->shown.items[i]);
	for (size_t i = 0; i < confinement->writable.count && !err; i++)
		err = allow(ruleset, confinement->writable.items[i],
			    READ | CHANGE);
	return err;
}

struct error *confinement_make(const struct confinement *confinement, int *fd_ret)
{
	struct error *err;

	struct ruleset ruleset = { .confinement = confinement };

	*fd_ret = -1;
	if (!confinement_rights(confinement, landlock_abi(), &ruleset.rights)) {
		if (!confinement->is_required)
			return NULL;
		return error_create(
			ERROR_OTHER,
			"--hide: the kernel has no Landlock (from 5.13 on, and with --rw from 5.19), or it is switched off");
	}
	_cleanup_close_ int fd = -1;
	err = landlock_create(&ruleset.rights, &fd);
	if (err)
		return err;
	ruleset.fd = fd;
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
