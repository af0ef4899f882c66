// SPDX-License-Identifier: LGPL-2.1-or-later

#include "common/archive/archive.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "common/archive/unpack_entries.h"
#include "common/base/error.h"
#include "common/base/file.h"
#include "common/base/memory.h"
#include "common/base/progress.h"
#include "common/base/system.h"

enum {
	/** A header block and the padding of an entry, generously. */
	ENTRY_OVERHEAD_BYTES = 4096,
	DEFAULT_ENTRIES = 1000000,
	/** What libarchive does not ask for: a tarball may end between entries. */
	END_MARK_BYTES = 512,
	PIECES = 8,
	PIECE_BYTES = 256 << 10,
};

static const uint64_t default_bytes = UINT64_C(16) << 30;

/** Of the plain tarball; one without bytes is its end. */
struct plain_piece {
	size_t size;
	char data[PIECE_BYTES];
};

/** The caller decompresses, a thread writes: as fast as `zstd -d | tar -x`. */
struct unpack {
	struct unpack_options options;

	// The caller's.
	struct stream *stream;
	/** What the stream failed with, as libarchive was told. */
	struct error *stream_err;
	/** To libarchive a file of one entry. */
	struct archive *raw;
	uint64_t plain_bytes;
	size_t sent;

	// A ring between the two.
	struct plain_piece *pieces;
	sem_t free, full;
	/** The thread has failed, and takes no more. */
	atomic_bool has_stopped;

	// The thread's.
	struct archive *tar;
	const struct plain_piece *piece;
	size_t taken;
	int directory_fd;
};

static void unpack_deinit(struct unpack *unpack)
{
	archive_read_free(unpack->raw);
	archive_read_free(unpack->tar);
	free(unpack->pieces);
	sem_destroy(&unpack->free);
	sem_destroy(&unpack->full);
	cleanup_close(&unpack->directory_fd);
}

/** @return Whether somebody takes it. */
static bool send_plain(struct unpack *unpack, const char *data, size_t size)
{
	do {
		while (!unpack->has_stopped && sem_wait(&unpack->free) < 0)
			;
		if (unpack->has_stopped)
			return false;

		struct plain_piece *piece =
			&unpack->pieces[unpack->sent++ % PIECES];

		piece->size = size < PIECE_BYTES ? size : PIECE_BYTES;
		memcpy(piece->data, data, piece->size);
		data += piece->size;
		size -= piece->size;
		sem_post(&unpack->full);
	} while (size);
	return true;
}

static la_ssize_t take_plain(struct archive *archive, void *unpack_,
			     const void **data_ret)
{
	struct unpack *unpack = unpack_;

	(void)archive;
	if (unpack->piece && !unpack->piece->size)
		return 0;
	if (unpack->piece)
		sem_post(&unpack->free);
	while (sem_wait(&unpack->full) < 0)
		;
	unpack->piece = &unpack->pieces[unpack->taken++ % PIECES];
	*data_ret = unpack->piece->data;
	return (la_ssize_t)unpack->piece->size;
}

/** The thread. @return A struct error *, or NULL. */
static void *write_files(void *unpack_)
{
	struct unpack *unpack = unpack_;
	struct archive *tar = unpack->tar;
	struct error *err;
	const void *data;

	archive_read_support_format_tar(tar);
	if (archive_read_open(tar, unpack, NULL, take_plain, NULL) == ARCHIVE_OK)
		err = unpack_entries(tar, take_fd(&unpack->directory_fd),
				     &unpack->options);
	else
		err = unpack_read_error(tar);
	// What follows the end mark matters to the decompressor: there is the
	// checksum that proves the stream to be whole.
	while (!err && take_plain(NULL, unpack, &data))
		;
	unpack->has_stopped = true;
	sem_post(&unpack->free);
	return err;
}

/** Account for what has arrived, of the plain tarball or behind it. */
static struct error *count_bytes(struct unpack *unpack, size_t size)
{
	unpack->plain_bytes += size;
	// It may be endless where no entry is: in padding, say.
	if (unpack->plain_bytes / ENTRY_OVERHEAD_BYTES <=
	    unpack->options.limit_bytes / ENTRY_OVERHEAD_BYTES +
		    unpack->options.limit_entries)
		return NULL;
	return error_create(ERROR_OTHER,
			    "the archive is larger than any of its kind");
}

static la_ssize_t take_compressed(struct archive *archive, void *unpack_,
				  const void **data_ret)
{
	struct unpack *unpack = unpack_;
	size_t size;

	unpack->stream_err = stream_read(unpack->stream, data_ret, &size);
	if (!unpack->stream_err)
		return (la_ssize_t)size;
	archive_set_error(archive, EIO, "read");
	return -1;
}

/** Give the plain tarball to who wants it, too. */
static struct error *copy_plain(const struct unpack *unpack, const void *data,
				size_t size)
{
	const int *fd = unpack->options.plain_fd;
	int errnum = fd ? write_all(*fd, data, size) : 0;

	return errnum && errnum != EPIPE
		       ? error_create_os(errnum, "hand on the plain archive")
		       : NULL;
}

/** Decompress until the stream ends, or the thread has. */
static struct error *decompress(struct unpack *unpack)
{
	struct error *err;
	struct archive *raw = unpack->raw;
	struct archive_entry *entry;
	const void *data;
	size_t size;
	int64_t offset;
	int code;

	// Not all filters of libarchive: some of them run programs.
	archive_read_support_filter_zstd(raw);
	archive_read_support_filter_xz(raw);
	archive_read_support_filter_gzip(raw);
	archive_read_support_filter_bzip2(raw);
	archive_read_support_format_raw(raw);
	if (archive_read_open(raw, unpack, NULL, take_compressed, NULL) !=
		    ARCHIVE_OK ||
	    archive_read_next_header(raw, &entry) != ARCHIVE_OK)
		return unpack_read_error(raw);
	while ((code = archive_read_data_block(raw, &data, &size, &offset)) ==
	       ARCHIVE_OK) {
		err = count_bytes(unpack, size);
		if (!err)
			err = copy_plain(unpack, data, size);
		if (err)
			return err;
		if (!send_plain(unpack, data, size))
			return NULL;
	}
	return code == ARCHIVE_EOF ? NULL : unpack_read_error(raw);
}

/** Decompress and write, and see that it is whole. */
static struct error *run(struct unpack *unpack)
{
	struct error *err;
	pthread_t thread;
	void *result;

	int errnum = thread_create(&thread, write_files, unpack);
	if (errnum)
		return error_create_os(errnum, "create a thread");
	err = decompress(unpack);
	send_plain(unpack, "", 0);
	pthread_join(thread, &result);
	_cleanup_error_ struct error *writer_err = result;
	if (err || writer_err)
		return err ? err : take_ptr(writer_err);
	if (unpack->plain_bytes <
	    END_MARK_BYTES + (uint64_t)archive_read_header_position(unpack->tar))
		return error_create(
			ERROR_OTHER,
			"the archive is truncated: it has no end mark; replace it");
	// The stream may go on behind what libarchive has read.
	for (la_ssize_t size = 1; size > 0;) {
		const void *data;

		size = take_compressed(unpack->raw, unpack, &data);
		err = size > 0 ? count_bytes(unpack, (size_t)size) : NULL;
		if (err)
			return err;
	}
	return NULL;
}

struct error *unpack(struct stream *stream, const char *directory,
		     const struct unpack_options *options)
{
	struct error *err;

	_cleanup_(unpack_deinit) struct unpack unpack = {
		.options = *options,
		.stream = stream,
		.raw = archive_read_new(),
		.tar = archive_read_new(),
		.pieces = memory_allocate(PIECES, sizeof(*unpack.pieces)),
		.directory_fd = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC),
	};
	sem_init(&unpack.free, 0, PIECES);
	sem_init(&unpack.full, 0, 0);
	if (!unpack.raw || !unpack.tar)
		memory_exhausted();
	if (unpack.directory_fd < 0)
		return error_create_os(errno, "unpack to %s", directory);
	if (!unpack.options.limit_bytes)
		unpack.options.limit_bytes = default_bytes;
	if (!unpack.options.limit_entries)
		unpack.options.limit_entries = DEFAULT_ENTRIES;
	err = run(&unpack);
	if (unpack.stream_err) {
		error_destroy(err);
		return unpack.stream_err;
	}
	return error_wrap(err, "%s: unpack", stream->name);
}

struct error *unpack_file(const char *path, const char *directory,
			  const struct unpack_options *options)
{
	struct error *err;
	_cleanup_stream_ struct stream *stream = NULL;
	_cleanup_progress_ struct progress *progress =
		progress_createf(PROGRESS_BYTES, "unpack %s", path_name(path));

	err = stream_open_file(path, &stream);
	if (err)
		return err;
	stream->progress = progress;
	return unpack(stream, directory, options);
}

DEFINE_CLEANUP(archive, struct archive *, archive_read_free)

/** @param[out] member_ret The next of them; NULL at the end. */
static struct error *find_member(struct archive *archive,
				 struct archive_member *members, size_t count,
				 struct archive_member **member_ret)
{
	struct archive_entry *entry;

	*member_ret = NULL;
	for (;;) {
		int code = archive_read_next_header(archive, &entry);

		if (code == ARCHIVE_EOF)
			return NULL;
		if (code != ARCHIVE_OK && code != ARCHIVE_WARN)
			return unpack_read_error(archive);
		const char *name = archive_entry_pathname(entry);
		for (size_t i = 0; name && i < count; i++) {
			if (members[i].text || strcmp(name, members[i].name) != 0)
				continue;
			*member_ret = &members[i];
			return NULL;
		}
	}
}

static struct error *read_member(struct archive *archive,
				 struct archive_member *member)
{
	size_t limit_bytes = member->limit_bytes;
	_cleanup_free_ char *text = memory_allocate(1, limit_bytes + 1);
	// Asking for one byte more than allowed tells what is too large.
	la_ssize_t size = archive_read_data(archive, text, limit_bytes + 1);

	if (size < 0)
		return unpack_read_error(archive);
	if ((size_t)size > limit_bytes)
		return error_create(ERROR_OTHER, "%s has more than %zu bytes",
				    member->name, limit_bytes);
	text[size] = '\0';
	member->text = take_ptr(text);
	return NULL;
}

static struct error *read_members(struct archive *archive,
				  struct archive_member *members, size_t count)
{
	struct error *err;

	struct archive_member *member, *last = &members[count - 1];
	do {
		err = find_member(archive, members, count, &member);
		if (!err && !member)
			err = error_create(ERROR_NOT_FOUND, "it has no %s",
					   last->name);
		if (!err)
			err = read_member(archive, member);
	} while (!err && member != last);
	return err;
}

struct error *archive_members_read(struct stream *stream,
				   struct archive_member *members, size_t count)
{
	struct error *err;

	struct unpack unpack = { .stream = stream };
	_cleanup_(cleanup_archive) struct archive *archive = archive_read_new();
	if (!archive)
		memory_exhausted();
	archive_read_support_filter_zstd(archive);
	archive_read_support_format_tar(archive);
	err = archive_read_open(archive, &unpack, NULL, take_compressed, NULL) ==
			      ARCHIVE_OK
		      ? read_members(archive, members, count)
		      : unpack_read_error(archive);
	if (unpack.stream_err) {
		error_destroy(err);
		return unpack.stream_err;
	}
	return error_wrap(err, "%s", stream->name);
}
