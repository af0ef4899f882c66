// SPDX-License-Identifier: LGPL-2.1-or-later

#include "common/archive/unpack_writer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>

#include "common/base/error.h"
#include "common/base/memory.h"

enum {
	/** The kernel's own tree is 12 deep. Each level is an open descriptor. */
	UNPACK_DEPTH_MAX = 64,
	/** What Linux lets a path be. */
	UNPACK_NAME_BYTES = 4096,
};

/** A name taken apart: `parts` point into `text`. */
struct unpack_name {
	char text[UNPACK_NAME_BYTES];
	const char *parts[UNPACK_DEPTH_MAX];
	size_t count;
};

struct unpack_writer {
	unsigned int strip_components;
	/**
	 * The folders on the way to the latest entry's: tarballs are mostly in
	 * order, so the next entry's is mostly the same. fds[0] is the root,
	 * fds[i + 1] is open for current.parts[i] where i < depth.
	 */
	int fds[UNPACK_DEPTH_MAX + 1];
	size_t depth;
	struct unpack_name current;
	/** The name that is being written; here because of its size. */
	struct unpack_name name;
	struct unpack_name target;
};

struct error *unpack_writer_create(const char *directory,
				   unsigned int strip_components,
				   struct unpack_writer **ret)
{
	_cleanup_unpack_writer_ struct unpack_writer *writer =
		memory_allocate(1, sizeof(*writer));
	writer->strip_components = strip_components;
	writer->fds[0] = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (writer->fds[0] < 0)
		return error_create_os(errno, "open %s", directory);
	*ret = take_ptr(writer);
	return NULL;
}

static void unpack_writer_leave(struct unpack_writer *writer, size_t depth)
{
	while (writer->depth > depth)
		close(writer->fds[writer->depth--]);
}

void unpack_writer_destroy(struct unpack_writer *writer)
{
	if (!writer)
		return;
	unpack_writer_leave(writer, 0);
	if (writer->fds[0] >= 0)
		close(writer->fds[0]);
	free(writer);
}

/** Take a name apart. @p ret has no parts if nothing is left to write. */
static struct error *unpack_name_parse(const char *text, unsigned int strip,
				       struct unpack_name *ret)
{
	size_t length = strlen(text);
	char *rest, *part;

	ret->count = 0;
	if (text[0] == '/')
		return error_create(ERROR_OTHER, "the name is absolute");
	if (length >= sizeof(ret->text))
		return error_create(ERROR_OTHER, "the name is too long");
	memcpy(ret->text, text, length + 1);
	rest = ret->text;
	while ((part = strsep(&rest, "/"))) {
		if (!*part || strcmp(part, ".") == 0)
			continue;
		if (strcmp(part, "..") == 0) {
			return error_create(ERROR_OTHER,
					    "the name leads outside by '..'");
		}
		if (strip) {
			strip--;
			continue;
		}
		if (ret->count == UNPACK_DEPTH_MAX) {
			return error_create(ERROR_OTHER,
					    "folders nest deeper than %d",
					    UNPACK_DEPTH_MAX);
		}
		ret->parts[ret->count++] = part;
	}
	return NULL;
}

/** Enter a folder, which is made if it is not there and @p create says so. */
static struct error *enter(int parent_fd, const char *part, bool create,
			   int *fd_ret)
{
	enum {
		FLAGS = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC
	};
	int fd = openat(parent_fd, part, FLAGS);

	if (fd < 0 && errno == ENOENT && create) {
		if (mkdirat(parent_fd, part, 0755) < 0)
			return error_create_os(errno, "create the folder");
		fd = openat(parent_fd, part, FLAGS);
	}
	if (fd < 0 && (errno == ELOOP || errno == ENOTDIR)) {
		return error_create(ERROR_OTHER,
				    "'%s' on the way is a link or a file, not a folder",
				    part);
	}
	if (fd < 0)
		return error_create_os(errno, "open the folder '%s'", part);
	*fd_ret = fd;
	return NULL;
}

/** Open the folder that the last part of writer->name belongs in. */
static struct error *unpack_writer_enter(struct unpack_writer *writer, int *fd_ret)
{
	struct error *err;
	struct unpack_name *name = &writer->name;
	size_t common = 0, wanted = name->count - 1;

	while (common < writer->depth && common < wanted &&
	       strcmp(writer->current.parts[common], name->parts[common]) == 0)
		common++;
	unpack_writer_leave(writer, common);
	// parts point into their own text, so copying means taking apart again.
	memcpy(writer->current.text, name->text, sizeof(name->text));
	for (size_t i = 0; i < wanted; i++) {
		writer->current.parts[i] =
			writer->current.text + (name->parts[i] - name->text);
	}
	while (writer->depth < wanted) {
		int fd;

		err = enter(writer->fds[writer->depth],
			    name->parts[writer->depth], true, &fd);
		if (err)
			return err;
		writer->fds[++writer->depth] = fd;
	}
	*fd_ret = writer->fds[wanted];
	return NULL;
}

/**
 * Prepare for writing an entry.
 *
 * @param[out] part_ret Its name in the folder; NULL if nothing is left of it.
 */
static struct error *unpack_writer_begin(struct unpack_writer *writer,
					 const char *name, int *fd_ret,
					 const char **part_ret)
{
	struct error *err;

	err = unpack_name_parse(name, writer->strip_components, &writer->name);
	if (err)
		return err;
	*part_ret = NULL;
	if (!writer->name.count)
		return NULL;
	err = unpack_writer_enter(writer, fd_ret);
	if (err)
		return err;
	*part_ret = writer->name.parts[writer->name.count - 1];
	return NULL;
}

static struct error *creation_error(int errnum)
{
	if (errnum == EEXIST) {
		return error_create(
			ERROR_OTHER,
			"the archive has the name twice, or the folder was not empty");
	}
	return error_create_os(errnum, "create");
}

struct error *unpack_writer_directory(struct unpack_writer *writer,
				      const char *name, unsigned int mode)
{
	struct error *err;
	const char *part;
	int parent_fd;
	struct stat st;

	err = unpack_writer_begin(writer, name, &parent_fd, &part);
	if (err || !part)
		return err;
	if (mkdirat(parent_fd, part, (mode & 0755) | 0700) == 0)
		return NULL;
	if (errno == EEXIST &&
	    fstatat(parent_fd, part, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    S_ISDIR(st.st_mode))
		return NULL;
	return creation_error(EEXIST);
}

struct error *unpack_writer_file(struct unpack_writer *writer, const char *name,
				 unsigned int mode, int *fd_ret)
{
	struct error *err;
	const char *part;
	int parent_fd, fd = -1;

	err = unpack_writer_begin(writer, name, &parent_fd, &part);
	if (err)
		return err;
	if (part) {
		fd = openat(parent_fd, part,
			    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
			    (mode & 0755) | 0600);
		if (fd < 0)
			return creation_error(errno);
	}
	*fd_ret = fd;
	return NULL;
}

/**
 * Refuse a link unless it leads to something below the root.
 *
 * `..` may only come first: then it climbs real folders, as many as there are
 * above the link. After a name it would climb from wherever that name leads,
 * should it be a link itself (`a -> .`, `b -> a/..`).
 */
static struct error *symlink_check(const struct unpack_name *name,
				   const char *target)
{
	size_t depth = name->count - 1;
	bool descended = false;

	if (target[0] == '/') {
		return error_create(ERROR_OTHER,
				    "a symbolic link to an absolute path");
	}
	for (const char *p = target; *p;) {
		size_t length = strcspn(p, "/");

		if (length == 2 && p[0] == '.' && p[1] == '.') {
			if (descended || depth == 0) {
				return error_create(
					ERROR_OTHER,
					"a symbolic link that may lead outside");
			}
			depth--;
		} else if (length > 1 || (length == 1 && p[0] != '.')) {
			descended = true;
		}
		p += length;
		p += strspn(p, "/");
	}
	return NULL;
}

struct error *unpack_writer_symlink(struct unpack_writer *writer,
				    const char *name, const char *target)
{
	struct error *err;
	const char *part;
	int parent_fd;

	err = unpack_writer_begin(writer, name, &parent_fd, &part);
	if (err || !part)
		return err;
	err = symlink_check(&writer->name, target);
	if (err)
		return err;
	if (symlinkat(target, parent_fd, part) < 0)
		return creation_error(errno);
	return NULL;
}

/** Open the folder of a name that must be there already. */
static struct error *open_parent(int root_fd, const struct unpack_name *name,
				 int *fd_ret)
{
	struct error *err;
	_cleanup_close_ int fd = fcntl(root_fd, F_DUPFD_CLOEXEC, 0);

	if (fd < 0)
		return error_create_os(errno, "duplicate a descriptor");
	for (size_t i = 0; i + 1 < name->count; i++) {
		int next;

		err = enter(fd, name->parts[i], false, &next);
		if (err)
			return err;
		close(fd);
		fd = next;
	}
	*fd_ret = take_fd(&fd);
	return NULL;
}

struct error *unpack_writer_hardlink(struct unpack_writer *writer,
				     const char *name, const char *target)
{
	struct error *err;
	_cleanup_close_ int target_fd = -1;
	const char *part, *target_part;
	int parent_fd;
	struct stat st;

	err = unpack_writer_begin(writer, name, &parent_fd, &part);
	if (err || !part)
		return err;
	err = unpack_name_parse(target, writer->strip_components,
				&writer->target);
	if (err)
		return error_wrap(err, "hard link to '%s'", target);
	if (!writer->target.count) {
		return error_create(ERROR_OTHER,
				    "hard link to '%s', which is no file",
				    target);
	}
	err = open_parent(writer->fds[0], &writer->target, &target_fd);
	if (err)
		return error_wrap(err, "hard link to '%s'", target);
	target_part = writer->target.parts[writer->target.count - 1];
	if (fstatat(target_fd, target_part, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return error_create_os(errno, "hard link to '%s'", target);
	if (!S_ISREG(st.st_mode)) {
		return error_create(ERROR_OTHER,
				    "hard link to '%s', which is no file",
				    target);
	}
	if (linkat(target_fd, target_part, parent_fd, part, 0) < 0)
		return creation_error(errno);
	return NULL;
}
