// SPDX-License-Identifier: LGPL-2.1-or-later

#include "common/archive/unpack_entries.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/archive/archive.h"
#include "common/base/error.h"
#include "common/base/file.h"
#include "common/base/memory.h"
#include "common/base/text.h"

enum {
	/** The kernel's own tree is 12 deep. */
	DEPTH_MAX = 64,
};

/** A directory that was opened in the one before: not by a link. */
struct place {
	int fd;
	char *name;
	/** What writing in it changes. */
	struct timespec mtime;
};

struct writer {
	const struct unpack_options *options;
	struct archive *tar;
	bool is_root;
	/** So far, of the options' limits. */
	uint64_t bytes;
	uint64_t entries;
	/** From the directory to the place of the latest entry. */
	struct place places[DEPTH_MAX + 1];
	size_t count;
};

struct error *unpack_read_error(struct archive *archive)
{
	const char *text = archive_error_string(archive);

	return error_create(ERROR_OTHER,
			    "the archive is damaged or truncated: %s; replace it",
			    text ? text : "unknown format");
}

static struct error *refuse(const char *why)
{
	return error_create(ERROR_OTHER, "%s", why);
}

/** Leave all places but so many. */
static void leave(struct writer *writer, size_t count)
{
	while (writer->count > count) {
		struct place *place = &writer->places[--writer->count];
		const struct timespec times[2] = { { .tv_nsec = UTIME_OMIT },
						   place->mtime };

		if (writer->options->is_system)
			utimensat(place->fd, ".", times, 0);
		close(place->fd);
		free(place->name);
	}
}

static void writer_deinit(struct writer *writer)
{
	leave(writer, 0);
}

/** @param[in] fd Taken. */
static struct error *add_place(struct writer *writer, int fd, char *name)
{
	struct stat st;

	writer->places[writer->count++] = (struct place){ fd, name, { 0 } };
	if (fstat(fd, &st) < 0)
		return error_create_os(errno, "stat");
	writer->places[writer->count - 1].mtime = st.st_mtim;
	return NULL;
}

/**
 * Go to a directory, and make what is missing of it.
 *
 * @param[in] length Of its path: what comes after is not looked at.
 * @param[in] mode Of the last of them, if it is all of the path.
 */
static struct error *enter(struct writer *writer, const char *path,
			   size_t length, mode_t mode, struct place **ret)
{
	struct error *err;
	size_t depth = 0;

	for (size_t at = 0, end; at < length; at = end + 1) {
		end = at + strcspn(path + at, "/");

		_cleanup_free_ char *name = string_copy_n(path + at, end - at);
		int parent = writer->places[depth++].fd;

		if (depth < writer->count &&
		    strcmp(writer->places[depth].name, name) == 0)
			continue;
		leave(writer, depth);
		if (mkdirat(parent, name, path[end] ? 0755 : mode) < 0 &&
		    errno != EEXIST)
			return error_create_os(errno, "make directory");

		int fd = openat(parent, name,
				O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

		if (fd < 0 && errno == ENOTDIR)
			return error_create(ERROR_OTHER,
					    "'%.*s' is a link or a file, not a directory",
					    (int)end, path);
		if (fd < 0)
			return error_create_os(errno, "open directory");
		err = add_place(writer, fd, take_ptr(name));
		if (err)
			return err;
	}
	*ret = &writer->places[depth];
	return NULL;
}

/** Go to where a path leads, up to its last part. */
static struct error *enter_parent(struct writer *writer, const char *path,
				  struct place **ret)
{
	return enter(writer, path, (size_t)(path_name(path) - path), 0755, ret);
}

/**
 * Turn a name of the tarball into a path below the directory.
 *
 * @param[out] depth_ret How many parts are left of the name after stripping.
 */
static struct error *find_path(const struct writer *writer, const char *name,
			       char **path_ret, size_t *depth_ret)
{
	_cleanup_string_builder_ struct string_builder path = { 0 };
	unsigned int strip = writer->options->strip_components;
	size_t depth = 0;

	if (*name == '/')
		return refuse("the name is absolute");
	while (*name) {
		size_t length = strcspn(name, "/");
		const char *part = name;

		name += length + (name[length] == '/');
		if (length == 0 || (length == 1 && part[0] == '.'))
			continue;
		if (length == 2 && part[0] == '.' && part[1] == '.')
			return refuse("the name leads outside by '..'");
		if (strip) {
			strip--;
			continue;
		}
		if (++depth > DEPTH_MAX)
			return error_create(ERROR_OTHER,
					    "directories nest deeper than %d",
					    DEPTH_MAX);
		string_builder_append(&path, path.length ? "/" : "");
		string_builder_append_n(&path, part, length);
	}
	*path_ret = string_builder_take(&path);
	*depth_ret = depth;
	return NULL;
}

/**
 * Refuse a link unless it leads to something below the directory.
 *
 * `..` may only come first: then it climbs real directories, as many as there
 * are above the link. After a name it would climb from wherever that name
 * leads, should it be a link itself (`a -> .`, `b -> a/..`).
 */
static struct error *check_symlink(const char *target, size_t depth)
{
	bool descended = false;

	if (!*target)
		return refuse("a symbolic link without a target");
	if (*target == '/')
		return refuse("a symbolic link to an absolute path");
	for (const char *p = target; *p;) {
		size_t length = strcspn(p, "/");

		if (length == 2 && p[0] == '.' && p[1] == '.') {
			// The last part of its depth is the link itself.
			if (descended || depth-- <= 1)
				return refuse(
					"a symbolic link that may lead outside");
		} else if (length > 1 || (length == 1 && p[0] != '.')) {
			descended = true;
		}
		p += length;
		p += strspn(p, "/");
	}
	return NULL;
}

static struct error *create_error(void)
{
	if (errno != EEXIST)
		return error_create_os(errno, "create");
	return refuse(
		"the archive has the name twice, or the directory was not empty");
}

/**
 * As nothing is ever replaced, the target's directories stay what enter() has
 * found them to be.
 */
static struct error *write_hardlink(struct writer *writer, const char *target,
				    const char *path)
{
	struct error *err;
	int root_fd = writer->places[0].fd;
	_cleanup_free_ char *target_path = NULL;
	size_t depth;
	struct place *place;
	struct stat st;

	err = find_path(writer, target, &target_path, &depth);
	if (!err)
		err = enter_parent(writer, target_path, &place);
	if (err)
		return error_wrap(err, "hard link to '%s'", target);
	if (fstatat(root_fd, depth ? target_path : ".", &st,
		    AT_SYMLINK_NOFOLLOW) < 0)
		return error_create_os(errno, "hard link to '%s'", target);
	if (!S_ISREG(st.st_mode) && !writer->options->is_system)
		return error_create(ERROR_OTHER,
				    "hard link to '%s', which is not a file",
				    target);
	err = enter_parent(writer, path, &place);
	if (err)
		return err;
	if (linkat(root_fd, target_path, place->fd, path_name(path), 0) < 0)
		return create_error();
	return NULL;
}

static struct error *write_contents(struct archive *tar, int fd,
				    int64_t size_bytes)
{
	int64_t end = 0, offset;
	const void *data;
	size_t size;
	int code;

	while ((code = archive_read_data_block(tar, &data, &size, &offset)) ==
	       ARCHIVE_OK) {
		if (offset < end || offset > size_bytes ||
		    size > (uint64_t)(size_bytes - offset))
			return refuse("it holds more than its size");
		if (offset > end && lseek(fd, offset, SEEK_SET) < 0)
			return error_create_os(errno, "seek");

		int errnum = write_all(fd, data, size);

		if (errnum)
			return error_create_os(errnum, "write");
		end = offset + (int64_t)size;
	}
	if (code != ARCHIVE_EOF)
		return unpack_read_error(tar);
	// It may end in a hole.
	if (end < size_bytes && ftruncate(fd, size_bytes) < 0)
		return error_create_os(errno, "extend");
	return NULL;
}

static struct timespec entry_mtime(struct archive_entry *entry)
{
	return (struct timespec){ archive_entry_mtime(entry),
				  archive_entry_mtime_nsec(entry) };
}

/** Of a package, make goes by the times of the files, and all else is ours. */
static struct error *set_attributes(const struct writer *writer,
				    struct archive_entry *entry, int fd,
				    const char *name)
{
	bool is_system = writer->options->is_system;
	mode_t type = archive_entry_filetype(entry);
	const struct timespec times[2] = { { .tv_nsec = UTIME_OMIT },
					   entry_mtime(entry) };

	if (is_system && writer->is_root &&
	    fchownat(fd, name, (uid_t)archive_entry_uid(entry),
		     (gid_t)archive_entry_gid(entry), AT_SYMLINK_NOFOLLOW) < 0)
		return error_create_os(errno, "change the owner");
	if (is_system && type != AE_IFLNK &&
	    fchmodat(fd, name, archive_entry_perm(entry), 0) < 0)
		return error_create_os(errno, "change the mode");
	if ((is_system || type == AE_IFREG) &&
	    utimensat(fd, name, times, AT_SYMLINK_NOFOLLOW) < 0)
		return error_create_os(errno, "change the time");
	return NULL;
}

/** What may be kept of a mode, and what we need to go on, and to delete it. */
static mode_t choose_mode(const struct writer *writer, struct archive_entry *entry)
{
	mode_t mode = archive_entry_perm(entry);
	mode_t needed = archive_entry_filetype(entry) == AE_IFDIR ? 0700 : 0600;

	if (!writer->options->is_system)
		return (mode & 0755) | needed;
	// Its files are ours: with set-user-ID, mount(8) would run as our user
	// in a guest, where it must be root.
	return writer->is_root ? mode : (mode & 01777) | needed;
}

/** A name that libarchive cannot say in the locale's encoding is in UTF-8. */
static const char *either(const char *name, const char *utf8)
{
	return name ? name : utf8;
}

static struct error *write_entry(struct writer *writer,
				 struct archive_entry *entry, const char *name)
{
	struct error *err;
	bool is_system = writer->options->is_system;
	mode_t type = archive_entry_filetype(entry);
	const char *hardlink = either(archive_entry_hardlink(entry),
				      archive_entry_hardlink_utf8(entry));
	const char *target = either(archive_entry_symlink(entry),
				    archive_entry_symlink_utf8(entry));
	_cleanup_free_ char *path = NULL;
	_cleanup_close_ int fd = -1;
	struct place *place;
	size_t depth;

	err = find_path(writer, name, &path, &depth);
	if (err || (!depth && !is_system))
		return err;
	if (hardlink)
		return write_hardlink(writer, hardlink, path);

	const char *last = path_name(path);
	mode_t mode = choose_mode(writer, entry);

	archive_entry_set_perm(entry, mode);
	switch (type) {
	case AE_IFDIR:
		err = enter(writer, path, strlen(path), mode, &place);
		if (err)
			return err;
		place->mtime = entry_mtime(entry);
		return set_attributes(writer, entry, place->fd, ".");
	case AE_IFREG:
		err = enter_parent(writer, path, &place);
		if (err)
			return err;
		fd = openat(place->fd, last,
			    O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode & 0777);
		if (fd < 0)
			return create_error();
		err = write_contents(writer->tar, fd, archive_entry_size(entry));
		if (err)
			return err;
		break;
	case AE_IFLNK:
		target = target ? target : "";
		err = is_system ? NULL : check_symlink(target, depth);
		if (err)
			return err;
		err = enter_parent(writer, path, &place);
		if (err)
			return err;
		if (symlinkat(target, place->fd, last) < 0)
			return create_error();
		break;
	default:
		return is_system
			       ? NULL
			       : refuse("device nodes, FIFOs and sockets are refused");
	}
	return set_attributes(writer, entry, place->fd, last);
}

/** The size of a sparse file includes its holes. */
static struct error *count_entry(struct writer *writer, int64_t size_bytes)
{
	const struct unpack_options *options = writer->options;

	if (++writer->entries > options->limit_entries)
		return error_create(ERROR_OTHER, "more than %" PRIu64 " entries",
				    options->limit_entries);
	if (size_bytes < 0 ||
	    (uint64_t)size_bytes > options->limit_bytes - writer->bytes)
		return error_create(ERROR_OTHER,
				    "the files hold more than %" PRIu64 " bytes",
				    options->limit_bytes);
	writer->bytes += (uint64_t)size_bytes;
	return NULL;
}

struct error *unpack_entries(struct archive *tar, int fd,
			     const struct unpack_options *options)
{
	struct error *err;

	_cleanup_(writer_deinit) struct writer writer = {
		.options = options,
		.tar = tar,
		.is_root = geteuid() == 0,
	};
	err = add_place(&writer, fd, NULL);
	if (err)
		return err;
	for (;;) {
		struct archive_entry *entry;
		int code = archive_read_next_header(tar, &entry);

		if (code == ARCHIVE_EOF)
			return NULL;
		// A warning is about a name that has no form in the locale.
		if (code != ARCHIVE_OK && code != ARCHIVE_WARN)
			return unpack_read_error(tar);

		_cleanup_free_ char *name =
			string_copy(either(archive_entry_pathname(entry),
					   archive_entry_pathname_utf8(entry)));

		if (!name)
			return refuse("an entry without a usable name");
		err = count_entry(&writer, archive_entry_size(entry));
		if (!err)
			err = write_entry(&writer, entry, name);
		if (err)
			return error_wrap(err, "entry '%.200s'", name);
	}
}
