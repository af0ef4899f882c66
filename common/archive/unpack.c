// SPDX-License-Identifier: LGPL-2.1-or-later

#include "common/archive/archive.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "common/archive/unpack_entries.h"
#include "common/base/error.h"
#include "common/base/memory.h"
#include "common/base/progress.h"

enum {
	/** A header block and the padding of an entry, generously. */
	ENTRY_OVERHEAD_BYTES = 4096,
	DEFAULT_ENTRIES = 1000000,
	/** What libarchive does not ask for: a tarball may end between entries. */
	END_MARK_BYTES = 512,
};

static const uint64_t default_bytes = UINT64_C(16) << 30;

/** The caller decompresses, a thread writes: as fast as `zstd -d | tar -x`. */
struct unpack {
	struct stream *stream;
	/** What the stream failed with, as libarchive was told. */
	struct error *stream_err;
	/** To libarchive a file of one entry. */
	struct archive *raw;
	/** Of the plain tarball: how much there was, and zeroes at its end. */
	uint64_t plain_bytes;
	size_t trailing_zeroes;
	/** The two ends that the plain tarball goes through; -1 once closed. */
	int sender;
	int receiver;
	char *directory;
	struct unpack_options options;
};

static void unpack_deinit(struct unpack *unpack)
{
	error_destroy(unpack->stream_err);
	archive_read_free(unpack->raw);
	cleanup_close(&unpack->sender);
	cleanup_close(&unpack->receiver);
	free(unpack->directory);
}

static la_ssize_t stream_callback(struct archive *archive, void *unpack_,
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

static struct error *raw_error(struct unpack *unpack)
{
	struct error *err;

	if (unpack->stream_err)
		return take_ptr(unpack->stream_err);
	err = unpack_read_error(unpack->raw);
	return error_wrap(err, "%s: unpack", unpack->stream->name);
}

static size_t count_trailing_zeroes(const char *data, size_t size, size_t before)
{
	size_t count = 0;

	while (count < size && count < END_MARK_BYTES && !data[size - 1 - count])
		count++;
	return count == size ? before + count : count;
}

/** Account for a piece of the plain tarball. */
static struct error *count_plain(struct unpack *unpack, const void *data,
				 size_t size)
{
	unpack->plain_bytes += size;
	unpack->trailing_zeroes =
		count_trailing_zeroes(data, size, unpack->trailing_zeroes);
	// It may be endless where no entry is: in padding, say.
	if (unpack->plain_bytes / ENTRY_OVERHEAD_BYTES <=
	    unpack->options.limit_bytes / ENTRY_OVERHEAD_BYTES +
		    unpack->options.limit_entries)
		return NULL;
	return error_create(ERROR_OTHER,
			    "%s: unpack: the archive is larger than any of its kind",
			    unpack->stream->name);
}

/** @return Whether somebody still reads it. */
static bool send_plain(int fd, const char *data, size_t size)
{
	while (size) {
		ssize_t count = send(fd, data, size, MSG_NOSIGNAL);

		if (count < 0 && errno == EINTR)
			continue;
		if (count < 0)
			return false;
		data += count;
		size -= (size_t)count;
	}
	return true;
}

/** Decompress until the stream ends, or the thread has. */
static struct error *decompress(struct unpack *unpack)
{
	struct error *err;
	struct archive_entry *entry;

	// Not all filters of libarchive: some of them run programs.
	archive_read_support_filter_zstd(unpack->raw);
	archive_read_support_filter_xz(unpack->raw);
	archive_read_support_filter_gzip(unpack->raw);
	archive_read_support_filter_bzip2(unpack->raw);
	archive_read_support_format_raw(unpack->raw);
	if (archive_read_open(unpack->raw, unpack, NULL, stream_callback,
			      NULL) != ARCHIVE_OK ||
	    archive_read_next_header(unpack->raw, &entry) != ARCHIVE_OK)
		return raw_error(unpack);
	for (;;) {
		const void *data;
		size_t size;
		int64_t offset;
		int code = archive_read_data_block(unpack->raw, &data, &size,
						   &offset);

		if (code == ARCHIVE_EOF)
			return NULL;
		if (code != ARCHIVE_OK)
			return raw_error(unpack);
		err = count_plain(unpack, data, size);
		if (err)
			return err;
		if (!send_plain(unpack->sender, data, size))
			return NULL;
	}
}

/** The thread. @return A struct error *, or NULL. */
static void *write_files(void *unpack_)
{
	struct unpack *unpack = unpack_;
	char rest[4096];
	struct error *err = unpack_entries(unpack->receiver, unpack->directory,
					   &unpack->options);

	// What follows the end mark matters to the decompressor: there is the
	// checksum that proves the stream to be whole.
	while (!err && read(unpack->receiver, rest, sizeof(rest)) > 0)
		;
	// So that a sender does not wait for us.
	shutdown(unpack->receiver, SHUT_RD);
	return err;
}

/** Start the thread with all signals blocked: they are the caller's. */
static int start_thread(pthread_t *thread, struct unpack *unpack)
{
	sigset_t all, before;
	int errnum;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	errnum = pthread_create(thread, NULL, write_files, unpack);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return errnum;
}

/** A stream may go on behind what libarchive has read: it is checked as a whole. */
static struct error *read_rest(struct unpack *unpack)
{
	struct error *err;
	const void *data = NULL;
	size_t size;

	do {
		err = stream_read(unpack->stream, &data, &size);
		if (!err)
			err = count_plain(unpack, data, size);
	} while (!err && size);
	return err;
}

static struct error *run(struct unpack *unpack)
{
	struct error *err, *thread_err;
	const char *name = unpack->stream->name;
	pthread_t thread;
	void *result;
	int errnum = start_thread(&thread, unpack);

	if (errnum)
		return error_create_os(errnum, "create a thread");
	err = decompress(unpack);
	shutdown(unpack->sender, SHUT_WR);
	pthread_join(thread, &result);
	thread_err = error_wrap(result, "%s: unpack", name);
	if (err) {
		error_destroy(thread_err);
		return err;
	}
	if (thread_err)
		return thread_err;
	if (unpack->trailing_zeroes < END_MARK_BYTES)
		return error_create(ERROR_OTHER,
				    "%s: unpack: the archive is truncated: it has no end mark; replace it",
				    name);
	return read_rest(unpack);
}

struct error *unpack(struct stream *stream, const char *directory,
		     const struct unpack_options *options)
{
	int ends[2];
	_cleanup_(unpack_deinit) struct unpack unpack = {
		.stream = stream,
		.raw = archive_read_new(),
		.sender = -1,
		.receiver = -1,
		.directory = realpath(directory, NULL),
		.options = *options,
	};

	if (!unpack.raw)
		memory_exhausted();
	if (!unpack.directory)
		return error_create_os(errno, "unpack to %s", directory);
	if (!unpack.options.limit_bytes)
		unpack.options.limit_bytes = default_bytes;
	if (!unpack.options.limit_entries)
		unpack.options.limit_entries = DEFAULT_ENTRIES;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
		return error_create_os(errno, "socketpair");
	unpack.sender = ends[0];
	unpack.receiver = ends[1];
	return run(&unpack);
}

struct error *unpack_file(const char *path, const char *directory,
			  const struct unpack_options *options)
{
	struct error *err;
	const char *slash = strrchr(path, '/');
	_cleanup_stream_ struct stream *stream = NULL;
	_cleanup_progress_ struct progress *progress =
		progress_createf(PROGRESS_BYTES, "unpack %s",
				 slash ? slash + 1 : path);

	err = stream_open_file(path, &stream);
	if (err)
		return err;
	stream->progress = progress;
	return unpack(stream, directory, options);
}
