// SPDX-License-Identifier: LGPL-2.1-or-later

#include "common/archive/unpack.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>

#include "common/archive/byte_queue.h"
#include "common/archive/unpack_writer.h"
#include "common/base/error.h"
#include "common/base/file.h"
#include "common/base/memory.h"

enum {
	/** What may wait between the caller and the threads. */
	COMPRESSED_QUEUE_BYTES = 4 << 20,
	PLAIN_QUEUE_BYTES = 4 << 20,
	/** A header block and the padding of an entry, generously. */
	UNPACK_ENTRY_OVERHEAD_BYTES = 4096,
	UNPACK_DEFAULT_ENTRIES = 1000000,
};

static const uint64_t unpack_default_bytes = UINT64_C(16) << 30;

/**
 * One thread decompresses, another takes the tarball apart and writes: as
 * `zstd -d | tar -x` would, and as fast. Whoever fails closes both queues, so
 * that the others end too.
 */
struct unpack {
	struct unpack_options options;
	struct unpack_writer *writer;
	struct byte_queue *compressed;
	struct byte_queue *plain;
	pthread_t decompressor;
	pthread_t extractor;
	bool decompressor_runs;
	bool extractor_runs;

	pthread_mutex_t mutex;
	/** The first failure; others follow from it. */
	struct error *err;

	// The decompressor's.
	/** To libarchive a file of one entry. */
	struct archive *raw;
	uint64_t decompressed;
	/** Zeroes that the plain stream has ended in, so far. */
	size_t trailing_zeroes;

	// The extractor's.
	struct archive *tar;
};

static void unpack_close(struct unpack *unpack)
{
	byte_queue_close(unpack->compressed);
	byte_queue_close(unpack->plain);
}

/** @param[in] err Consumed; may be NULL. */
static void unpack_fail(struct unpack *unpack, struct error *err)
{
	if (!err)
		return;
	pthread_mutex_lock(&unpack->mutex);
	if (unpack->err)
		error_destroy(err);
	else
		unpack->err = err;
	pthread_mutex_unlock(&unpack->mutex);
	unpack_close(unpack);
}

/** Feed libarchive from a queue. */
static la_ssize_t queue_callback(struct archive *archive, void *queue,
				 const void **data_ret)
{
	size_t size;

	if (!byte_queue_take(queue, data_ret, &size)) {
		archive_set_error(archive, ECANCELED, "stopped");
		return -1;
	}
	return (la_ssize_t)size;
}

static struct error *archive_failure(struct archive *archive)
{
	const char *text = archive_error_string(archive);

	return error_create(ERROR_OTHER,
			    "the archive is damaged or truncated: %s; replace it",
			    text ? text : "unknown format");
}

static size_t count_trailing_zeroes(const char *data, size_t size, size_t before)
{
	enum {
		ENOUGH = 1024
	};
	size_t count = 0;

	while (count < size && count < ENOUGH && !data[size - 1 - count])
		count++;
	return count == size ? before + count : count;
}

/** Account for a piece of the plain stream. */
static struct error *count_plain(struct unpack *unpack, const void *data,
				 size_t size)
{
	unpack->decompressed += size;
	// A stream may be endless where no entry is: in padding, say.
	if (unpack->decompressed / UNPACK_ENTRY_OVERHEAD_BYTES >
	    unpack->options.limit_bytes / UNPACK_ENTRY_OVERHEAD_BYTES +
		    unpack->options.limit_entries) {
		return error_create(ERROR_OTHER,
				    "the archive is larger than any of its kind");
	}
	unpack->trailing_zeroes =
		count_trailing_zeroes(data, size, unpack->trailing_zeroes);
	return NULL;
}

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
	if (archive_read_open(unpack->raw, unpack->compressed, NULL,
			      queue_callback, NULL) != ARCHIVE_OK ||
	    archive_read_next_header(unpack->raw, &entry) != ARCHIVE_OK)
		return archive_failure(unpack->raw);
	for (;;) {
		const void *data;
		size_t size;
		int64_t offset;
		int code = archive_read_data_block(unpack->raw, &data, &size,
						   &offset);

		if (code == ARCHIVE_EOF)
			break;
		if (code != ARCHIVE_OK)
			return archive_failure(unpack->raw);
		err = count_plain(unpack, data, size);
		if (err)
			return err;
		// Closed: the extractor knows why.
		if (!byte_queue_push(unpack->plain, data, size))
			return NULL;
	}
	byte_queue_end(unpack->plain);
	return NULL;
}

static void *decompressor_main(void *arg)
{
	struct unpack *unpack = arg;

	unpack_fail(unpack, decompress(unpack));
	return NULL;
}

static struct error *write_contents(struct unpack *unpack, int fd,
				    uint64_t size_bytes)
{
	uint64_t end = 0;

	for (;;) {
		const void *data;
		size_t size;
		int64_t offset;
		int errnum;
		int code = archive_read_data_block(unpack->tar, &data, &size,
						   &offset);

		if (code == ARCHIVE_EOF)
			break;
		if (code != ARCHIVE_OK)
			return archive_failure(unpack->tar);
		if (offset < 0 || (uint64_t)offset < end ||
		    (uint64_t)offset > size_bytes ||
		    size > size_bytes - (uint64_t)offset) {
			return error_create(ERROR_OTHER,
					    "more contents than its size says");
		}
		if ((uint64_t)offset != end && lseek(fd, offset, SEEK_SET) < 0)
			return error_create_os(errno, "seek");
		errnum = write_all(fd, data, size);
		if (errnum)
			return error_create_os(errnum, "write");
		end = (uint64_t)offset + size;
	}
	// A file that ends in a hole.
	if (end != size_bytes && ftruncate(fd, (off_t)size_bytes) < 0)
		return error_create_os(errno, "extend");
	return NULL;
}

static struct error *write_file(struct unpack *unpack, const char *name,
				struct archive_entry *entry)
{
	struct error *err;
	_cleanup_close_ int fd = -1;
	struct timespec times[2] = {
		{ .tv_nsec = UTIME_OMIT },
		{ .tv_nsec = UTIME_OMIT },
	};

	err = unpack_writer_file(unpack->writer, name,
				 archive_entry_perm(entry), &fd);
	if (err || fd < 0)
		return err;
	err = write_contents(unpack, fd, (uint64_t)archive_entry_size(entry));
	if (err)
		return err;
	if (archive_entry_mtime_is_set(entry)) {
		times[1].tv_sec = archive_entry_mtime(entry);
		times[1].tv_nsec = archive_entry_mtime_nsec(entry);
		// make goes by it; not every file system can hold every time.
		futimens(fd, times);
	}
	return NULL;
}

static struct error *write_entry(struct unpack *unpack, const char *name,
				 struct archive_entry *entry)
{
	const char *target = archive_entry_hardlink(entry);

	if (target)
		return unpack_writer_hardlink(unpack->writer, name, target);
	switch (archive_entry_filetype(entry)) {
	case AE_IFREG:
		return write_file(unpack, name, entry);
	case AE_IFDIR:
		return unpack_writer_directory(unpack->writer, name,
					       archive_entry_perm(entry));
	case AE_IFLNK:
		target = archive_entry_symlink(entry);
		if (!target || !*target) {
			return error_create(ERROR_OTHER,
					    "a symbolic link without a target");
		}
		return unpack_writer_symlink(unpack->writer, name, target);
	default:
		return error_create(ERROR_OTHER,
				    "device nodes, FIFOs and sockets are refused");
	}
}

/** Put the entry's name in front, without what a terminal would obey. */
static struct error *wrap_entry(struct error *err, const char *name)
{
	_cleanup_free_ char *printable = strndup(name, 200);

	if (!printable)
		return err;
	for (char *p = printable; *p; p++) {
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			*p = '?';
	}
	return error_wrap(err, "entry '%s'", printable);
}

static struct error *unpack_entries(struct unpack *unpack)
{
	struct error *err;
	uint64_t bytes = 0, entries = 0;

	for (;;) {
		struct archive_entry *entry;
		const char *name;
		int64_t size;
		int code = archive_read_next_header(unpack->tar, &entry);

		if (code == ARCHIVE_EOF)
			return NULL;
		// A warning is about metadata that we do not use.
		if (code != ARCHIVE_OK && code != ARCHIVE_WARN)
			return archive_failure(unpack->tar);
		name = archive_entry_pathname(entry);
		if (!name)
			name = archive_entry_pathname_utf8(entry);
		if (!name) {
			return error_create(ERROR_OTHER,
					    "an entry without a usable name");
		}
		if (++entries > unpack->options.limit_entries) {
			return error_create(ERROR_OTHER, "more than %llu entries",
					    (unsigned long long)unpack->options
						    .limit_entries);
		}
		// The size of a sparse file includes its holes.
		size = archive_entry_size(entry);
		if (size < 0 ||
		    (uint64_t)size > unpack->options.limit_bytes - bytes) {
			err = error_create(ERROR_OTHER,
					   "the files hold more than %llu bytes",
					   (unsigned long long)
						   unpack->options.limit_bytes);
		} else {
			bytes += (uint64_t)size;
			err = write_entry(unpack, name, entry);
		}
		if (err)
			return wrap_entry(err, name);
	}
}

static struct error *extract(struct unpack *unpack)
{
	struct error *err;
	const void *data;
	size_t size;

	archive_read_support_format_tar(unpack->tar);
	if (archive_read_open(unpack->tar, unpack->plain, NULL, queue_callback,
			      NULL) != ARCHIVE_OK)
		return archive_failure(unpack->tar);
	err = unpack_entries(unpack);
	if (err)
		return err;
	// What follows the end mark matters to the decompressor: it holds the
	// checksum that proves the stream to be whole.
	while (byte_queue_take(unpack->plain, &data, &size) && size)
		;
	return NULL;
}

static void *extractor_main(void *arg)
{
	struct unpack *unpack = arg;

	unpack_fail(unpack, extract(unpack));
	return NULL;
}

static struct error *start_thread(pthread_t *thread, bool *runs,
				  void *(*function)(void *), void *arg)
{
	int errnum = pthread_create(thread, NULL, function, arg);

	if (errnum)
		return error_create_os(errnum, "create a thread");
	*runs = true;
	return NULL;
}

/** Start the threads with all signals blocked: they are the caller's. */
static struct error *start_threads(struct unpack *unpack)
{
	struct error *err;
	sigset_t all, before;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	err = start_thread(&unpack->decompressor, &unpack->decompressor_runs,
			   decompressor_main, unpack);
	if (!err) {
		err = start_thread(&unpack->extractor, &unpack->extractor_runs,
				   extractor_main, unpack);
	}
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return err;
}

struct error *unpack_create(const char *directory,
			    const struct unpack_options *options,
			    struct unpack **ret)
{
	struct error *err;
	_cleanup_unpack_ struct unpack *unpack =
		memory_allocate(1, sizeof(*unpack));
	pthread_mutex_init(&unpack->mutex, NULL);
	unpack->options = *options;
	if (!unpack->options.limit_bytes)
		unpack->options.limit_bytes = unpack_default_bytes;
	if (!unpack->options.limit_entries)
		unpack->options.limit_entries = UNPACK_DEFAULT_ENTRIES;
	unpack->raw = archive_read_new();
	unpack->tar = archive_read_new();
	if (!unpack->raw || !unpack->tar)
		memory_exhausted();
	err = byte_queue_create(COMPRESSED_QUEUE_BYTES, &unpack->compressed);
	if (!err)
		err = byte_queue_create(PLAIN_QUEUE_BYTES, &unpack->plain);
	if (!err) {
		err = unpack_writer_create(directory, options->strip_components,
					   &unpack->writer);
	}
	if (!err)
		err = start_threads(unpack);
	if (err)
		return error_wrap(err, "unpack");
	*ret = take_ptr(unpack);
	return NULL;
}

static void join_threads(struct unpack *unpack)
{
	if (unpack->decompressor_runs)
		pthread_join(unpack->decompressor, NULL);
	if (unpack->extractor_runs)
		pthread_join(unpack->extractor, NULL);
	unpack->decompressor_runs = false;
	unpack->extractor_runs = false;
}

/** What the threads ended with. */
static struct error *unpack_result(struct unpack *unpack)
{
	join_threads(unpack);
	if (unpack->err)
		return error_wrap(take_ptr(unpack->err), "unpack");
	return NULL;
}

struct error *unpack_write(void *unpack_, const void *data, size_t size_bytes)
{
	struct error *err;
	struct unpack *unpack = unpack_;

	if (byte_queue_push(unpack->compressed, data, size_bytes))
		return NULL;
	err = unpack_result(unpack);
	if (!err)
		err = error_create(ERROR_OTHER, "unpack: has failed before");
	return err;
}

struct error *unpack_finish(struct unpack *unpack)
{
	enum {
		END_MARK_BYTES = 512
	};
	struct error *err;

	byte_queue_end(unpack->compressed);
	err = unpack_result(unpack);
	// libarchive does not mind if a tarball ends between two entries.
	if (!err && unpack->trailing_zeroes < END_MARK_BYTES) {
		err = error_create(
			ERROR_OTHER,
			"unpack: the archive is truncated: it has no end mark; replace it");
	}
	return err;
}

void unpack_destroy(struct unpack *unpack)
{
	if (!unpack)
		return;
	if (unpack->compressed && unpack->plain)
		unpack_close(unpack);
	join_threads(unpack);
	archive_read_free(unpack->tar);
	archive_read_free(unpack->raw);
	unpack_writer_destroy(unpack->writer);
	byte_queue_destroy(unpack->compressed);
	byte_queue_destroy(unpack->plain);
	error_destroy(unpack->err);
	pthread_mutex_destroy(&unpack->mutex);
	free(unpack);
}
