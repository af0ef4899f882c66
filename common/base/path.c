// SPDX-License-Identifier: LGPL-2.1-or-later

#include "common/base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "common/base/error.h"
#include "common/base/memory.h"
#include "common/base/text.h"

enum {
	/** As many links as the kernel follows in one path. */
	LINK_LIMIT = 40,
};

/** A path that is being followed. */
struct follower {
	struct path_way way;
	/** What is still to be looked up. */
	char *rest;
	/** Where; the rest of the way is not there if more is missing. */
	int fd;
	size_t missing;
	unsigned int links;
};

static void follower_deinit(struct follower *follower)
{
	path_way_deinit(&follower->way);
	free(follower->rest);
	cleanup_close(&follower->fd);
}

#define _cleanup_follower_ _cleanup_(follower_deinit)

/** Go on from a directory or, at the end, from a file. @return 0, or an errno. */
static int enter(struct follower *follower, int fd)
{
	struct stat st;

	cleanup_close(&follower->fd);
	follower->fd = fd;
	if (fd < 0 || fstat(fd, &st) < 0)
		return errno;
	vector_add(&follower->way) = (struct path_step){ st.st_dev, st.st_ino };
	return 0;
}

static int enter_root(struct follower *follower)
{
	free(follower->way.path);
	follower->way.path = string_copy("/");
	return enter(follower, open("/", O_PATH | O_DIRECTORY | O_CLOEXEC));
}

/** Take the last part off the path. */
static void drop_last(char *path)
{
	char *slash = strrchr(path, '/');

	slash[slash == path] = '\0';
}

static int enter_parent(struct follower *follower)
{
	drop_last(follower->way.path);
	if (follower->missing) {
		follower->missing--;
		return 0;
	}
	return enter(follower, openat(follower->fd, "..",
				      O_PATH | O_DIRECTORY | O_CLOEXEC));
}

/** Put where a link leads before what is still to be looked up. */
static int enter_link(struct follower *follower, int link)
{
	char target[PATH_MAX];
	ssize_t length = readlinkat(link, "", target, sizeof(target) - 1);

	if (length < 0)
		return errno;
	if (++follower->links > LINK_LIMIT)
		return ELOOP;
	target[length] = '\0';
	_cleanup_free_ char *after = follower->rest;
	follower->rest = string_format("%s/%s", target, after);
	return *target == '/' ? enter_root(follower) : 0;
}

static int enter_name(struct follower *follower, const char *name)
{
	struct stat st;
	_cleanup_close_ int fd = -1;

	if (!follower->missing)
		fd = openat(follower->fd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (fd >= 0 && fstat(fd, &st) == 0 && S_ISLNK(st.st_mode))
		return enter_link(follower, fd);
	_cleanup_free_ char *parent = follower->way.path;
	follower->way.path = path_join(parent, name);
	if (fd >= 0)
		return enter(follower, take_fd(&fd));
	if (!follower->missing && errno != ENOENT && errno != ENOTDIR)
		return errno;
	follower->missing++;
	return 0;
}

/** @return 0, or an errno value. */
static int follow(struct follower *follower)
{
	int errnum = enter_root(follower);

	while (!errnum) {
		char *p = follower->rest + strspn(follower->rest, "/");
		size_t length = strcspn(p, "/");
		if (!length)
			break;
		_cleanup_free_ char *name = string_copy_n(p, length);
		memmove(follower->rest, p + length, strlen(p + length) + 1);
		if (strcmp(name, "..") == 0)
			errnum = enter_parent(follower);
		else if (strcmp(name, ".") != 0)
			errnum = enter_name(follower, name);
	}
	return errnum;
}

struct error *path_follow(const char *path, struct path_way *ret)
{
	_cleanup_free_ char *here = getcwd(NULL, 0);
	_cleanup_follower_ struct follower follower = { .fd = -1 };

	if (!here && *path != '/')
		return error_create_os(errno, "working directory");
	follower.rest = path_join(here ? here : "/", path);
	int errnum = follow(&follower);
	if (errnum)
		return error_create_os(errnum, "%s", path);
	*ret = take(follower.way);
	ret->is_there = !follower.missing;
	return NULL;
}

void path_way_deinit(struct path_way *way)
{
	free(way->path);
	free(way->items);
	*way = (struct path_way){ 0 };
}

bool path_way_passes(const struct path_way *way, const struct path_way *place)
{
	const struct path_step *end = place->items + place->count - 1;
	bool passes = false;

	for (size_t i = 0; place->is_there && i < way->count; i++)
		passes |= way->items[i].device == end->device &&
			  way->items[i].inode == end->inode;
	return passes;
}

/** A group of one user's own, as many systems give each: it has no other. */
static bool is_private_group(gid_t gid, uid_t uid)
{
	const struct passwd *user = getpwuid(uid);
	if (!user || user->pw_gid != gid)
		return false;
	_cleanup_free_ char *name = string_copy(user->pw_name);
	const struct group *group = getgrgid(gid);
	bool is_private = group && strcmp(group->gr_name, name) == 0;
	for (char **member = is_private ? group->gr_mem : NULL;
	     member && *member; member++)
		is_private &= strcmp(*member, name) == 0;
	return is_private;
}

char *path_exposure(const char *path, const struct stat *st, uid_t caller,
		    uid_t also)
{
	if (st->st_uid != 0 && st->st_uid != caller && st->st_uid != also) {
		const struct passwd *owner = getpwuid(st->st_uid);

		return owner ? string_format("belongs to %s", owner->pw_name)
			     : string_format("belongs to user %u", st->st_uid);
	}
	// With an access control list, its members may do what the group may.
	bool is_shared = st->st_mode & 020 &&
			 (!is_private_group(st->st_gid, st->st_uid) ||
			  getxattr(path, "system.posix_acl_access", NULL, 0) > 0);
	if (st->st_mode & 02 || is_shared)
		return string_format("may be written to by others (mode %03o)",
				     st->st_mode & 0777);
	return NULL;
}
