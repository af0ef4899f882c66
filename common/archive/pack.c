// SPDX-License-Identifier: LGPL-2.1-or-later

#include "common/archive/archive.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <zstd.h>

#include "common/base/error.h"
#include "common/base/file.h"
#include "common/base/interrupt.h"
#include "common/base/memory.h"
#include "common/base/progress.h"
#include "common/base/system.h"
#include "common/base/text.h"

enum {
	PACK_READ_BYTES = 1 << 18,
	MAX_WORKERS = 64,
};

/**
 * A path's place: in turn those of each of `first`, the rest, and those of each
 * of `last`. A directory that holds one of the `first` comes just before it;
 * one that holds one of the `last` stays where it is.
 */
static size_t pack_rank(const struct pack_options *options, const char *path)
{
	size_t rest = 0, rank;

	while (options->first && options->first[rest])
		rest++;
	rank = rest + 1;
	for (const char *const *p = options->last; p && *p; p++, rank++) {
		if (path_is_below(path, *p))
			return rank;
	}
	for (rank = 0; rank < rest; rank++) {
		if (path_is_below(path, options->first[rank]) ||
		    path_is_below(options->first[rank], path))
			return rank;
	}
	return rest;
}

struct packer {
	int root_fd;
	int64_t mtime;
	struct archive *archive;
	/** What is read from files. */
	char *input;
	// Where the tarball goes: through the compressor into a file.
	ZSTD_CCtx *zstd;
	char *output;
	size_t output_bytes;
	int fd;
	const char *output_path;
	uint64_t size_bytes;
	/** Of what is written: what is read is a whole job ahead of it. */
	struct progress *progress;
	/** Why libarchive was told that writing failed. */
	struct error *err;
};

static void packer_deinit(struct packer *packer)
{
	// It writes what is left.
	archive_write_free(packer->archive);
	free(packer->input);
	ZSTD_freeCCtx(packer->zstd);
	free(packer->output);
	error_destroy(packer->err);
}

#define _cleanup_packer_ _cleanup_(packer_deinit)

/**
 * How everything is compressed, which decides the bytes of a package. The
 * number of workers does not: one worker already compresses in separate jobs.
 *
 * From the strategy on, it is how matches are searched. Of a kernel's 245 MB,
 * level 19 leaves 67.6 MB in 74 s, level 16 with long-distance matching 74.5 MB
 * in 38 s, and this 72.0 MB in 33 s: optimal parsing that looks at few
 * candidates, but finds each of them across the whole window, where modules and
 * vmlinux repeat each other.
 */
static struct error *packer_set(struct packer *packer)
{
	unsigned int workers = processors_usable();
	const struct {
		ZSTD_cParameter parameter;
		int value;
	} parameters[] = {
		{ ZSTD_c_checksumFlag, 1 },
		// What every reader must be ready to spend: 32 MiB.
		{ ZSTD_c_windowLog, 25 },
		// The memory of one worker, and how soon the others have work.
		{ ZSTD_c_jobSize, 64 << 20 },
		{ ZSTD_c_nbWorkers,
		  (int)(workers < MAX_WORKERS ? workers : MAX_WORKERS) },
		{ ZSTD_c_strategy, ZSTD_btopt },
		{ ZSTD_c_chainLog, 23 },
		{ ZSTD_c_hashLog, 23 },
		{ ZSTD_c_searchLog, 2 },
		{ ZSTD_c_minMatch, 3 },
		{ ZSTD_c_targetLength, 24 },
	};

	for (size_t i = 0; i < array_size(parameters); i++) {
		size_t code = ZSTD_CCtx_setParameter(packer->zstd,
						     parameters[i].parameter,
						     parameters[i].value);

		if (ZSTD_isError(code))
			return error_create(ERROR_OTHER,
					    "zstd: parameter %d = %d: %s",
					    (int)parameters[i].parameter,
					    parameters[i].value,
					    ZSTD_getErrorName(code));
	}
	return NULL;
}

static struct error *packer_write(struct packer *packer, const void *data,
				  size_t size_bytes, ZSTD_EndDirective directive)
{
	ZSTD_inBuffer in = { .src = data, .size = size_bytes };
	size_t left;

	do {
		ZSTD_outBuffer out = {
			.dst = packer->output,
			.size = packer->output_bytes,
		};
		int errnum;

		left = ZSTD_compressStream2(packer->zstd, &out, &in, directive);
		if (ZSTD_isError(left))
			return error_create(ERROR_OTHER, "zstd: %s",
					    ZSTD_getErrorName(left));
		errnum = write_all(packer->fd, packer->output, out.pos);
		if (errnum)
			return error_create_os(errnum, "write %s",
					       packer->output_path);
		packer->size_bytes += out.pos;
		progress_update(packer->progress, packer->size_bytes, 0);
	} while (directive == ZSTD_e_end ? left > 0 : in.pos < in.size);
	return NULL;
}

static la_ssize_t write_callback(struct archive *archive, void *packer_,
				 const void *data, size_t size_bytes)
{
	struct packer *packer = packer_;

	error_destroy(packer->err);
	packer->err = packer_write(packer, data, size_bytes, ZSTD_e_continue);
	if (!packer->err)
		return (la_ssize_t)size_bytes;
	archive_set_error(archive, EIO, "write");
	return -1;
}

DEFINE_CLEANUP(archive_entry, struct archive_entry *, archive_entry_free)

/** The reason that a call of libarchive failed for, if it is not in `err`. */
static struct error *packer_error(const struct packer *packer)
{
	const char *text = archive_error_string(packer->archive);

	return error_create(ERROR_OTHER, "%s", text ? text : "libarchive failed");
}

static struct error *packer_put_contents(struct packer *packer, int fd,
					 uint64_t size_bytes)
{
	struct error *err;
	uint64_t done = 0;

	for (;;) {
		ssize_t count;

		err = interrupt_check();
		if (err)
			return err;
		count = read(fd, packer->input, PACK_READ_BYTES);
		if (count < 0)
			return error_create_os(errno, "read");
		if (count == 0)
			break;
		done += (uint64_t)count;
		if (done > size_bytes)
			break;
		if (archive_write_data(packer->archive, packer->input,
				       (size_t)count) != count)
			return packer_error(packer);
	}
	if (done != size_bytes)
		return error_create(ERROR_OTHER,
				    "the file changed while it was packed");
	return NULL;
}

static struct error *packer_put(struct packer *packer, const char *path)
{
	struct error *err;
	_cleanup_(cleanup_archive_entry) struct archive_entry *entry =
		archive_entry_new();
	_cleanup_free_ char *name = string_format("./%s", path);
	_cleanup_close_ int fd = -1;
	char target[PATH_MAX];
	struct stat st;

	if (!entry)
		memory_exhausted();
	if (fstatat(packer->root_fd, path, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return error_create_os(errno, "stat");
	if (S_ISREG(st.st_mode)) {
		fd = openat(packer->root_fd, path,
			    O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
		if (fd < 0)
			return error_create_os(errno, "open");
		if (fstat(fd, &st) < 0)
			return error_create_os(errno, "stat");
		archive_entry_set_size(entry, st.st_size);
		archive_entry_set_mode(entry,
				       S_IFREG | (st.st_mode & 0100 ? 0755
								    : 0644));
	} else if (S_ISDIR(st.st_mode)) {
		archive_entry_set_mode(entry, S_IFDIR | 0755);
	} else if (S_ISLNK(st.st_mode)) {
		ssize_t length = readlinkat(packer->root_fd, path, target,
					    sizeof(target) - 1);

		if (length < 0)
			return error_create_os(errno, "read the link");
		target[length] = '\0';
		archive_entry_set_mode(entry, S_IFLNK | 0777);
		archive_entry_set_symlink(entry, target);
	} else {
		return error_create(ERROR_OTHER,
				    "neither a file, a directory nor a symbolic link");
	}
	archive_entry_set_pathname(entry, name);
	archive_entry_set_mtime(entry, packer->mtime, 0);
	// A warning is a name that the format cannot hold as it is.
	if (archive_write_header(packer->archive, entry) != ARCHIVE_OK)
		return packer_error(packer);
	if (fd < 0)
		return NULL;
	err = packer_put_contents(packer, fd, (uint64_t)st.st_size);
	if (err)
		return err;
	if (archive_write_finish_entry(packer->archive) != ARCHIVE_OK)
		return packer_error(packer);
	return NULL;
}

static struct error *packer_run(struct packer *packer,
				const struct string_list *paths,
				const struct pack_options *options)
{
	struct error *err;
	struct archive *archive = packer->archive;

	err = packer_set(packer);
	if (err)
		return err;
	// GNU's format takes long names and any bytes in them, where pax would
	// put a header in front of every entry to say so.
	if (archive_write_set_format_gnutar(archive) != ARCHIVE_OK ||
	    archive_write_set_bytes_per_block(archive, PACK_READ_BYTES) !=
		    ARCHIVE_OK ||
	    archive_write_set_bytes_in_last_block(archive, 1) != ARCHIVE_OK ||
	    archive_write_open(archive, packer, NULL, write_callback, NULL) !=
		    ARCHIVE_OK)
		return packer_error(packer);
	for (size_t rank = 0, done = 0; done < paths->count; rank++) {
		for (size_t i = 0; i < paths->count; i++) {
			const char *path = paths->items[i];

			if (pack_rank(options, path) != rank)
				continue;
			err = packer_put(packer, path);
			if (err)
				return error_wrap(err, "%s", path);
			done++;
		}
	}
	if (archive_write_close(archive) != ARCHIVE_OK)
		return packer_error(packer);
	return packer_write(packer, NULL, 0, ZSTD_e_end);
}

struct error *pack_directory(const char *directory, const char *output_path,
			     const struct pack_options *options)
{
	struct error *err;

	_cleanup_close_ int root_fd =
		open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (root_fd < 0)
		return error_create_os(errno, "pack %s", directory);
	_cleanup_string_list_ struct string_list paths = { 0 };
	err = tree_list_all(directory, &paths);
	if (err)
		return error_wrap(err, "pack %s", directory);
	_cleanup_free_ char *temporary =
		string_format("%s.XXXXXX.tmp", output_path);
	_cleanup_close_ int fd = mkostemps(temporary, strlen(".tmp"), O_CLOEXEC);
	if (fd < 0)
		return error_create_os(errno, "pack %s: create %s", directory,
				       temporary);
	_cleanup_progress_ struct progress *progress =
		progress_createf(PROGRESS_BYTES, "pack %s",
				 path_name(output_path));
	_cleanup_packer_ struct packer packer = {
		.root_fd = root_fd,
		.mtime = options->mtime,
		.archive = archive_write_new(),
		.input = memory_allocate(1, PACK_READ_BYTES),
		.zstd = ZSTD_createCCtx(),
		.output = memory_allocate(1, ZSTD_CStreamOutSize()),
		.output_bytes = ZSTD_CStreamOutSize(),
		.fd = fd,
		.output_path = output_path,
		.progress = progress,
	};
	if (!packer.archive || !packer.zstd)
		memory_exhausted();
	err = packer_run(&packer, &paths, options);
	// Where the output failed, it matters not which file was to be next.
	if (err && packer.err) {
		error_destroy(err);
		err = take_ptr(packer.err);
	}
	if (!err && (fchmod(fd, 0644) < 0 || fsync(fd) < 0 ||
		     rename(temporary, output_path) < 0))
		err = error_create_os(errno, "write %s", output_path);
	if (err) {
		unlink(temporary);
		return error_wrap(err, "pack %s", directory);
	}
	progress_finish(progress);
	return NULL;
}
