// SPDX-License-Identifier: LGPL-2.1-or-later

#include "kbuild/source/patch_check.h"

#include <git2.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "common/base/error.h"
#include "common/base/file.h"

static bool path_is_inside(const char *path)
{
	for (const char *part = path;;) {
		size_t length = strcspn(part, "/");

		if (length == 0 || (length == 1 && part[0] == '.') ||
		    (length == 2 && strncmp(part, "..", 2) == 0) ||
		    (length == 4 && strncasecmp(part, ".git", 4) == 0))
			return false;
		if (!part[length])
			return true;
		part += length + 1;
	}
}

/** Refuse a path that leads out of the tree, by its name or by a link. */
static struct error *path_check(const char *tree, const char *path)
{
	_cleanup_free_ char *whole = NULL;

	if (!path || !path_is_inside(path))
		return error_create(ERROR_OTHER,
				    "'%s' is not a path inside the source",
				    path ? path : "");
	whole = path_join(tree, path);
	char *inside = whole + strlen(whole) - strlen(path);
	for (char *p = inside;; p++) {
		struct stat st;
		char c = *p;

		if (c && c != '/')
			continue;
		*p = '\0';
		if (lstat(whole, &st) == 0 && S_ISLNK(st.st_mode))
			return error_create(ERROR_OTHER,
					    "%s is a symbolic link, which no patch may touch or follow",
					    inside);
		*p = c;
		if (!c)
			return NULL;
	}
}

static bool mode_is_plain(unsigned int mode)
{
	return mode == GIT_FILEMODE_UNREADABLE || mode == GIT_FILEMODE_BLOB ||
	       mode == GIT_FILEMODE_BLOB_EXECUTABLE;
}

struct error *patch_check_delta(const char *tree, const git_diff_delta *delta)
{
	struct error *err;

	err = path_check(tree, delta->old_file.path);
	if (!err)
		err = path_check(tree, delta->new_file.path);
	if (err)
		return err;
	if (!mode_is_plain(delta->old_file.mode) ||
	    !mode_is_plain(delta->new_file.mode))
		return error_create(ERROR_OTHER,
				    "%s: a patch may only touch plain files",
				    delta->new_file.path);
	if (delta->flags & GIT_DIFF_FLAG_BINARY)
		return error_create(ERROR_OTHER,
				    "%s: binary patches are not supported",
				    delta->new_file.path);
	switch (delta->status) {
	case GIT_DELTA_ADDED:
	case GIT_DELTA_DELETED:
		return NULL;
	case GIT_DELTA_MODIFIED:
	case GIT_DELTA_RENAMED:
		// libgit2 1.5 takes a file whose mode alone changes for one
		// that somebody else has changed.
		if (delta->old_file.mode == delta->new_file.mode)
			return NULL;
		return error_create(ERROR_OTHER,
				    "%s: a patch may not change a file's mode",
				    delta->new_file.path);
	default:
		return error_create(ERROR_OTHER,
				    "%s: only changes, additions, deletions and renames are supported",
				    delta->new_file.path);
	}
}
