// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/suite/suite.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/error.h"
#include "common/base/file.h"
#include "common/base/memory.h"

enum {
	LIMIT_BYTES = 1 << 20,
};

/** Below our directory of state. */
static const char marks[] = "trusted";

struct project_owners project_owners_of(uid_t caller, const char *sudo)
{
	struct project_owners owners = { caller, caller };
	char *end;

	if (caller != 0 || !sudo)
		return owners;
	unsigned long uid = strtoul(sudo, &end, 10);
	if (end != sudo && !*end && uid < (uid_t)-1)
		owners.sudo = (uid_t)uid;
	return owners;
}

/** Whether nobody else has a say in what a file or a directory holds. */
static struct error *check_owner(const char *project, const char *path,
				 const struct stat *st,
				 const struct project_owners *owners)
{
	_cleanup_free_ char *exposure =
		path_exposure(path, st, owners->caller, owners->sudo);

	if (!exposure)
		return NULL;
	return error_create(ERROR_USAGE,
			    "project %s is not read: %s %s; copy the project to a directory of your own, or make it yours alone: chown, chmod go-w",
			    project, path, exposure);
}

/** The directory of a file: who can write there can replace the file. */
static struct error *check_parent(const char *project, const char *path,
				  const struct project_owners *owners)
{
	_cleanup_free_ char *copy = string_copy(path);
	const char *parent = dirname(copy);
	struct stat st;

	if (stat(parent, &st) < 0)
		return error_create_os(errno, "project %s", parent);
	return check_owner(project, parent, &st, owners);
}

/** @param[in] name As it was given, which may be a link, to @p path. */
static struct error *check_owners(const char *name, const char *path,
				  const struct stat *st,
				  const struct project_owners *owners)
{
	struct error *err;

	err = check_owner(name, path, st, owners);
	if (!err)
		err = check_parent(name, path, owners);
	return err ? err : check_parent(name, name, owners);
}

static void compute_digest(const char *path, const char *text,
			   char ret[static DIGEST_TEXT_SIZE])
{
	_cleanup_digest_ struct digest *digest = digest_create();

	digest_update(digest, path, strlen(path) + 1);
	digest_update(digest, text, strlen(text));
	digest_finish(digest, ret);
}

struct error *project_load(const char *path, const struct project_owners *owners,
			   struct project *ret)
{
	struct error *err;

	const char *name = path ? path : "vmtest.json";
	struct stat st;
	// A FIFO would have us wait.
	_cleanup_close_ int fd = open(name, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT && !path) {
		*ret = (struct project){ 0 };
		return NULL;
	}
	if (fd < 0)
		return errno == ENOENT
			       ? error_create(ERROR_NOT_FOUND,
					      "project: %s: no such file", name)
			       : error_create_os(errno, "project: open %s", name);
	_cleanup_free_ char *real = realpath(name, NULL);
	if (!real || fstat(fd, &st) < 0)
		return error_create_os(errno, "project %s", name);
	if (!S_ISREG(st.st_mode))
		return error_create(ERROR_USAGE,
				    "project %s is no regular file", name);
	if (owners) {
		err = check_owners(name, real, &st, owners);
		if (err)
			return err;
	}
	_cleanup_free_ char *text = NULL;
	err = file_read_open(fd, name, LIMIT_BYTES, &text, NULL);
	if (err)
		return error_wrap(err, "project");
	_cleanup_free_ char *copy = string_copy(real);
	_cleanup_project_ struct project project = { 0 };
	err = project_parse(text, name, dirname(copy), &project);
	if (err)
		return err;
	compute_digest(real, text, project.digest);
	project.path = take_ptr(real);
	*ret = take(project);
	return NULL;
}

/** What says, by being there, that the project is trusted. */
static char *mark_path(const struct project *project, const char *state)
{
	return path_joinf(state, "%s/%s", marks, project->digest);
}

struct error *project_is_trusted(const struct project *project,
				 const char *state, bool *ret)
{
	const uid_t caller = geteuid();
	struct stat st;

	*ret = false;
	if (!state || !project->path)
		return NULL;
	_cleanup_free_ char *mark = mark_path(project, state);
	_cleanup_free_ char *parent = path_join(state, marks);
	if (stat(parent, &st) < 0)
		return NULL;
	_cleanup_free_ char *exposure =
		path_exposure(parent, &st, caller, caller);
	if (exposure)
		return error_create(ERROR_USAGE,
				    "%s %s, so that it does not say which projects you trust; delete it",
				    parent, exposure);
	*ret = file_exists(mark);
	return NULL;
}

struct error *project_trust(const struct project *project, const char *state)
{
	struct error *err;

	if (!project->path)
		return NULL;
	if (!state)
		return error_create(
			ERROR_NOT_FOUND,
			"neither HOME nor XDG_STATE_HOME is an absolute path");
	err = directory_create_private(state);
	if (err)
		return err;
	_cleanup_free_ char *mark = mark_path(project, state);
	_cleanup_free_ char *parent = path_join(state, marks);
	err = directory_create_private(parent);
	return err ? err : file_write(mark, project->path, strlen(project->path));
}

/** Whether a file still is what was trusted. */
static bool is_current(const char *path, const char *digest)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	_cleanup_free_ char *text = NULL;
	char now[DIGEST_TEXT_SIZE];

	if (fd < 0)
		return false;
	_cleanup_error_ struct error *err =
		file_read_open(fd, path, LIMIT_BYTES, &text, NULL);
	if (err)
		return false;
	compute_digest(path, text, now);
	return strcmp(now, digest) == 0;
}

struct error *project_trust_prune(const char *state, bool dry_run,
				  struct string_list *deleted)
{
	struct error *err;

	if (!state)
		return NULL;
	_cleanup_free_ char *parent = path_join(state, marks);
	if (!directory_exists(parent))
		return NULL;
	_cleanup_string_list_ struct string_list names = { 0 };
	err = tree_list_all(parent, &names);
	for (size_t i = 0; i < names.count && !err; i++) {
		_cleanup_free_ char *mark = path_join(parent, names.items[i]);
		_cleanup_free_ char *path = NULL;

		err = file_read(mark, LIMIT_BYTES, &path, NULL);
		if (err || is_current(path, names.items[i]))
			continue;
		err = dry_run ? NULL : file_delete(mark);
		if (!err)
			string_list_add(deleted, path);
	}
	return err;
}
