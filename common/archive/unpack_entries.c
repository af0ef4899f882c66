// SPDX-License-Identifier: LGPL-2.1-or-later

#include "common/archive/unpack_entries.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/archive/archive.h"
#include "common/base/error.h"
#include "common/base/memory.h"
#include "common/base/text.h"

enum {
	/** The kernel's own tree is 12 deep. */
	DEPTH_MAX = 64,
	TAR_BLOCK_BYTES = 256 << 10,
};

struct writer {
	const char *directory;
	const struct unpack_options *options;
	struct archive *tar;
	struct archive *disk;
	bool is_root;
	/** The latest directory that was found to be real, or not there yet. */
	char *parent;
	/** So far, of the options' limits. */
	uint64_t bytes;
	uint64_t entries;
};

static void cleanup_tar(struct archive **archive)
{
	archive_read_free(*archive);
}

static void cleanup_disk(struct archive **archive)
{
	archive_write_free(*archive);
}

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

/**
 * Turn a name of the tarball into a path on disk.
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
	string_builder_append(&path, writer->directory);
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
		string_builder_append_char(&path, '/');
		string_builder_append_n(&path, part, length);
	}
	// From there on libarchive would change our working directory.
	if (path.length >= PATH_MAX)
		return refuse("the name is too long");
	*path_ret = string_builder_take(&path);
	*depth_ret = depth;
	return NULL;
}

/**
 * Refuse a path that leads through a link: whatever else would lead outside has
 * been refused. As nothing is ever replaced, what was a directory once stays
 * one. (ARCHIVE_EXTRACT_SECURE_SYMLINKS looks at each part of the whole path
 * again for each file: ten times the system calls.)
 */
static struct error *check_parents(struct writer *writer, const char *path)
{
	size_t root = strlen(writer->directory);
	const char *end = strrchr(path, '/');
	struct stat st;

	if (end < path + root)
		return NULL;
	_cleanup_free_ char *parent = string_copy_n(path, (size_t)(end - path));
	if (writer->parent && strcmp(parent, writer->parent) == 0)
		return NULL;
	for (size_t at = root; path[at] == '/' && path + at < end;) {
		at += 1 + strcspn(path + at + 1, "/");
		parent[at] = '\0';
		if (lstat(parent, &st) < 0) {
			// It will be made, and all below it.
			if (errno == ENOENT)
				break;
			return error_create_os(errno, "'%s' on the way",
					       parent + root + 1);
		}
		if (!S_ISDIR(st.st_mode))
			return error_create(ERROR_OTHER,
					    "'%s' on the way is a link or a file, not a directory",
					    parent + root + 1);
		parent[at] = path[at];
	}
	free(writer->parent);
	writer->parent = string_copy_n(path, (size_t)(end - path));
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

/** Let a hard link lead to the earlier file's path. */
static struct error *set_hardlink(struct writer *writer,
				  struct archive_entry *entry, const char *target)
{
	struct error *err;
	_cleanup_free_ char *path = NULL;
	size_t depth;
	struct stat st;

	err = find_path(writer, target, &path, &depth);
	if (!err)
		err = check_parents(writer, path);
	if (err)
		return error_wrap(err, "hard link to '%s'", target);
	if (lstat(path, &st) < 0)
		return error_create_os(errno, "hard link to '%s'", target);
	if (!S_ISREG(st.st_mode) && !writer->options->is_system)
		return error_create(ERROR_OTHER,
				    "hard link to '%s', which is no file",
				    target);
	archive_entry_copy_hardlink(entry, path);
	// With contents, libarchive would write them over those of the file.
	archive_entry_set_size(entry, 0);
	return NULL;
}

/** A name that libarchive cannot say in the locale's encoding is in UTF-8. */
static const char *either(const char *name, const char *utf8)
{
	return name ? name : utf8;
}

/** Whether an entry is one to write, which is then made harmless. */
static struct error *check_kind(const struct writer *writer,
				struct archive_entry *entry, size_t depth,
				bool *wanted_ret)
{
	bool is_system = writer->options->is_system;
	mode_t type = archive_entry_filetype(entry);
	mode_t needed = type == AE_IFDIR ? 0700 : 0600;
	mode_t mode = archive_entry_perm(entry);
	const char *target = either(archive_entry_symlink(entry),
				    archive_entry_symlink_utf8(entry));

	*wanted_ret = archive_entry_hardlink(entry) || type == AE_IFREG ||
		      type == AE_IFDIR || type == AE_IFLNK;
	if (!*wanted_ret)
		return is_system
			       ? NULL
			       : refuse("device nodes, FIFOs and sockets are refused");
	if (!is_system)
		archive_entry_set_perm(entry, (mode & 0755) | needed);
	else if (!writer->is_root)
		archive_entry_set_perm(entry, mode | needed);
	// Of a package, make goes by the times of the files.
	if (!is_system && type != AE_IFREG)
		archive_entry_unset_mtime(entry);
	if (type != AE_IFLNK)
		return NULL;
	if (!is_system) {
		struct error *err = check_symlink(target ? target : "", depth);

		if (err)
			return err;
	}
	archive_entry_copy_symlink(entry, target);
	return NULL;
}

/** @return Unless the code is a success. Of a package, metadata may be amiss. */
static struct error *write_error(const struct writer *writer, int code)
{
	const char *text = archive_error_string(writer->disk);
	int errnum = archive_errno(writer->disk);

	if (code >= (writer->options->is_system ? ARCHIVE_OK : ARCHIVE_WARN))
		return NULL;
	if (!text)
		text = "write";
	return errnum > 0 ? error_create_os(errnum, "%s", text) : refuse(text);
}

static struct error *write_contents(struct writer *writer)
{
	struct error *err = NULL;

	while (!err) {
		const void *data;
		size_t size;
		int64_t offset;
		int code = archive_read_data_block(writer->tar, &data, &size,
						   &offset);

		if (code == ARCHIVE_EOF)
			return NULL;
		if (code != ARCHIVE_OK)
			return unpack_read_error(writer->tar);
		code = (int)archive_write_data_block(writer->disk, data, size,
						     offset);
		// A full disk is but a warning to libarchive.
		err = write_error(writer,
				  code < ARCHIVE_OK ? ARCHIVE_FATAL : code);
	}
	return err;
}

static struct error *write_entry(struct writer *writer,
				 struct archive_entry *entry, const char *name)
{
	struct error *err;
	const char *link = either(archive_entry_hardlink(entry),
				  archive_entry_hardlink_utf8(entry));
	_cleanup_free_ char *path = NULL;
	size_t depth;
	bool is_wanted;
	struct stat st;

	err = find_path(writer, name, &path, &depth);
	if (err || (!depth && !writer->options->is_system))
		return err;
	err = check_kind(writer, entry, depth, &is_wanted);
	if (err || !is_wanted)
		return err;
	err = check_parents(writer, path);
	if (err)
		return err;
	if (link) {
		err = set_hardlink(writer, entry, link);
		if (err)
			return err;
	}
	if (lstat(path, &st) == 0 &&
	    !(S_ISDIR(st.st_mode) && archive_entry_filetype(entry) == AE_IFDIR))
		return refuse(
			"the archive has the name twice, or the directory was not empty");
	archive_entry_copy_pathname(entry, path);
	err = write_error(writer, archive_write_header(writer->disk, entry));
	if (!err && archive_entry_size(entry) > 0)
		err = write_contents(writer);
	if (!err)
		err = write_error(writer,
				  archive_write_finish_entry(writer->disk));
	return err;
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

/** Put the entry's name in front, and take out what a terminal would obey. */
static struct error *wrap_entry(struct error *err, const char *name)
{
	_cleanup_error_ struct error *wrapped =
		error_wrap(err, "entry '%.200s'", name);
	_cleanup_free_ char *text = NULL;

	if (!err)
		return NULL;
	text = string_copy(error_message(wrapped));
	for (char *p = text; *p; p++) {
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			*p = '?';
	}
	return refuse(text);
}

static struct error *write_entries(struct writer *writer)
{
	struct error *err = NULL;

	while (!err) {
		struct archive_entry *entry;
		_cleanup_free_ char *name = NULL;
		int code = archive_read_next_header(writer->tar, &entry);

		if (code == ARCHIVE_EOF)
			break;
		// A warning is about a name that has no form in the locale.
		if (code != ARCHIVE_OK && code != ARCHIVE_WARN)
			return unpack_read_error(writer->tar);
		name = string_copy(either(archive_entry_pathname(entry),
					  archive_entry_pathname_utf8(entry)));
		if (!name)
			return refuse("an entry without a usable name");
		err = count_entry(writer, archive_entry_size(entry));
		if (!err)
			err = write_entry(writer, entry, name);
		err = wrap_entry(err, name);
	}
	// Directories get their times and modes last.
	return err ? err : write_error(writer, archive_write_close(writer->disk));
}

struct error *unpack_entries(int fd, const char *directory,
			     const struct unpack_options *options)
{
	int flags = ARCHIVE_EXTRACT_TIME | ARCHIVE_EXTRACT_SECURE_NODOTDOT;
	_cleanup_(cleanup_tar) struct archive *tar = archive_read_new();
	_cleanup_(cleanup_disk) struct archive *disk = archive_write_disk_new();
	struct error *err;
	struct writer writer = {
		.directory = directory,
		.options = options,
		.tar = tar,
		.disk = disk,
		.is_root = geteuid() == 0,
	};

	if (!tar || !disk)
		memory_exhausted();
	if (!options->is_system)
		flags |= ARCHIVE_EXTRACT_NO_OVERWRITE;
	else
		flags |= ARCHIVE_EXTRACT_PERM |
			 (writer.is_root ? ARCHIVE_EXTRACT_OWNER : 0);
	archive_write_disk_set_options(disk, flags);
	archive_read_support_format_tar(tar);
	if (archive_read_open_fd(tar, fd, TAR_BLOCK_BYTES) != ARCHIVE_OK)
		return unpack_read_error(tar);
	err = write_entries(&writer);
	free(writer.parent);
	return err;
}
