// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/rootfs/rootfs_unpack.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/error.h"
#include "common/base/file.h"
#include "common/base/memory.h"
#include "common/process/process.h"

struct source {
	struct process *process;
	/** Why it could not be read. */
	struct error *err;
	char data[65536];
};

static void source_destroy(struct source **source)
{
	error_destroy((*source)->err);
	free(*source);
}

static void cleanup_reader(struct archive **archive)
{
	archive_read_free(*archive);
}

static void cleanup_writer(struct archive **archive)
{
	archive_write_free(*archive);
}

static la_ssize_t read_callback(struct archive *archive, void *source_,
				const void **data_ret)
{
	struct source *source = source_;
	size_t size = 0;

	source->err = process_read(source->process, 0, source->data,
				   sizeof(source->data), &size);
	if (source->err) {
		archive_set_error(archive, EIO, "cannot read");
		return -1;
	}
	*data_ret = source->data;
	return (la_ssize_t)size;
}

static struct error *archive_failure(struct archive *archive, const char *what)
{
	return error_create(ERROR_OTHER, "%s: %s", what,
			    archive_error_string(archive));
}

/** A name that libarchive cannot say in the locale's encoding is in UTF-8. */
static const char *either(const char *name, const char *utf8)
{
	return name ? name : utf8;
}

/** Put it below the folder, whose user must be able to read and delete it. */
static struct error *move_entry(struct archive_entry *entry,
				const char *directory, bool is_root)
{
	const char *name = either(archive_entry_pathname(entry),
				  archive_entry_pathname_utf8(entry));
	const char *link = either(archive_entry_hardlink(entry),
				  archive_entry_hardlink_utf8(entry));
	const char *symlink = either(archive_entry_symlink(entry),
				     archive_entry_symlink_utf8(entry));
	_cleanup_free_ char *path = NULL;
	_cleanup_free_ char *target = NULL;

	if (!name)
		return error_create(
			ERROR_OTHER,
			"the root's tarball: an entry without a usable name");
	path = path_joinf(directory, "./%s", name);
	if (link)
		target = path_joinf(directory, "./%s", link);
	if (symlink)
		archive_entry_copy_symlink(entry, symlink);
	if (link)
		archive_entry_copy_hardlink(entry, target);
	archive_entry_copy_pathname(entry, path);
	if (!is_root)
		archive_entry_set_perm(entry, archive_entry_perm(entry) |
						      S_IRUSR | S_IWUSR |
						      (archive_entry_filetype(
							       entry) == AE_IFDIR
							       ? S_IXUSR
							       : 0));
	return NULL;
}

static struct error *write_data(struct archive *reader, struct archive *writer,
				const char *path)
{
	for (;;) {
		const void *data;
		size_t size;
		la_int64_t offset;
		int code = archive_read_data_block(reader, &data, &size, &offset);

		if (code == ARCHIVE_EOF)
			return NULL;
		if (code != ARCHIVE_OK)
			return archive_failure(reader, path);
		if (archive_write_data_block(writer, data, size, offset) !=
		    ARCHIVE_OK)
			return archive_failure(writer, path);
	}
}

static struct error *write_entry(struct archive *reader, struct archive *writer,
				 struct archive_entry *entry)
{
	struct error *err;

	const char *path = archive_entry_pathname(entry);

	if (archive_write_header(writer, entry) != ARCHIVE_OK)
		return archive_failure(writer, path);
	if (archive_entry_size(entry) > 0) {
		err = write_data(reader, writer, path);
		if (err)
			return err;
	}
	if (archive_write_finish_entry(writer) != ARCHIVE_OK)
		return archive_failure(writer, path);
	return NULL;
}

static bool is_wanted(struct archive_entry *entry)
{
	mode_t type = archive_entry_filetype(entry);

	return archive_entry_hardlink(entry) || type == AE_IFREG ||
	       type == AE_IFDIR || type == AE_IFLNK;
}

static struct error *unpack(struct archive *reader, struct archive *writer,
			    const char *directory, bool is_root)
{
	for (;;) {
		struct error *err;
		struct archive_entry *entry;
		int code = archive_read_next_header(reader, &entry);

		if (code == ARCHIVE_EOF)
			break;
		// A warning is about a name that has no form in the locale.
		if (code != ARCHIVE_OK && code != ARCHIVE_WARN)
			return archive_failure(reader, "the root's tarball");
		if (!is_wanted(entry))
			continue;
		err = move_entry(entry, directory, is_root);
		if (!err)
			err = write_entry(reader, writer, entry);
		if (err)
			return err;
	}
	// Folders get their times and modes last.
	if (archive_write_close(writer) != ARCHIVE_OK)
		return archive_failure(writer, directory);
	return NULL;
}

struct error *rootfs_unpack(struct process *process, const char *directory)
{
	struct error *err;

	bool is_root = geteuid() == 0;
	_cleanup_(source_destroy) struct source *source =
		memory_allocate(1, sizeof(*source));
	_cleanup_(cleanup_reader) struct archive *reader = archive_read_new();
	_cleanup_(cleanup_writer) struct archive *writer =
		archive_write_disk_new();

	if (!reader || !writer)
		memory_exhausted();
	source->process = process;
	archive_write_disk_set_options(writer,
				       ARCHIVE_EXTRACT_TIME |
					       ARCHIVE_EXTRACT_PERM |
					       ARCHIVE_EXTRACT_SECURE_SYMLINKS |
					       ARCHIVE_EXTRACT_SECURE_NODOTDOT |
					       (is_root ? ARCHIVE_EXTRACT_OWNER
							: 0));
	archive_read_support_format_tar(reader);
	if (archive_read_open(reader, source, NULL, read_callback, NULL) !=
	    ARCHIVE_OK)
		err = archive_failure(reader, "the root's tarball");
	else
		err = unpack(reader, writer, directory, is_root);
	if (!source->err)
		return err;
	error_destroy(err);
	return take_ptr(source->err);
}
