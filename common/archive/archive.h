// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef COMMON_ARCHIVE_ARCHIVE_H
#define COMMON_ARCHIVE_ARCHIVE_H

/**
 * @file
 *
 * Digests, streams, and tarballs: written, and read while they arrive.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/cleanup.h"

struct digest;
struct error;
struct progress;

/* SHA-256 (FIPS 180-4), written as 64 lower-case hexadecimal digits. */

enum {
	DIGEST_TEXT_SIZE = 65
};

struct digest *digest_create(void);
void digest_destroy(struct digest *digest);

DEFINE_CLEANUP(digest, struct digest *, digest_destroy)
#define _cleanup_digest_ _cleanup_(cleanup_digest)

void digest_update(struct digest *digest, const void *data, size_t size_bytes);

/** Write the digest of all data so far; no digest_update() may follow. */
void digest_finish(struct digest *digest, char text_ret[static DIGEST_TEXT_SIZE]);

/** @param[out] size_ret Size of the file in bytes; may be NULL. */
_must_check_ struct error *digest_file(const char *path,
				       char text_ret[static DIGEST_TEXT_SIZE],
				       uint64_t *size_ret);

void digest_buffer(const void *data, size_t size_bytes,
		   char text_ret[static DIGEST_TEXT_SIZE]);

/** Whether the text is 64 hexadecimal digits in lower case. */
bool digest_is_valid(const char *text);

/*
 * The digest of a file that was whole once, in a sidecar: PATH.sha256, as
 * sha256sum(1) writes it. Whoever writes one holds a lock on the file's name.
 */

/** @param[out] digest_ret "" if the file has no sidecar, or an empty one. */
_must_check_ struct error *sidecar_read(const char *path,
					char digest_ret[static DIGEST_TEXT_SIZE]);

_must_check_ struct error *sidecar_write(const char *path, const char *digest);

/**
 * Write a small file in place, and sync it. There is no temporary file that a
 * killed run could leave; the file may be left incomplete instead, so nobody
 * should read it before the file that it describes exists.
 *
 * @return ERROR_USAGE if the path exists and is not a regular file.
 */
_must_check_ struct error *sidecar_write_text(const char *path, const char *text);

/*
 * Bytes that are read, piece by piece, from a file or a server. A stream checks
 * size and digest, if they are known, at its end: do not use what was read
 * before stream_read() has reported the end. Not thread-safe.
 */

struct stream {
	/** Updated as the stream is read; borrowed, may be NULL. */
	struct progress *progress;
	/** Bytes that were read so far. */
	uint64_t done_bytes;
	/** How long reading took, which is mostly waiting. */
	uint64_t read_ms;
	/** Expected size in bytes; 0 if not known. */
	uint64_t size_bytes;

	// The rest is for implementations of streams.
	/** As stream_read(), without the checks. */
	struct error *(*read)(struct stream *stream, const void **data_ret,
			      size_t *size_ret);
	/** Release what the implementation added; may be NULL. */
	void (*close)(struct stream *stream);
	/** What its errors begin with. */
	char *name;
	/** Expected digest, "" if not known. */
	char expected[DIGEST_TEXT_SIZE];
	/** What to do if size or digest differs. */
	const char *remedy;
	/** NULL if no digest is needed. */
	struct digest *digest;
	/** Digest of what was read; set at the end. */
	char actual[DIGEST_TEXT_SIZE];
	bool has_ended;
};

/**
 * Take the next piece. Blocks.
 *
 * @param[out] data_ret Borrowed until the next call.
 * @param[out] size_ret 0 at the end, after size and digest were checked.
 * @return ERROR_CANCELLED (interrupt.h). After an error, only close it.
 */
_must_check_ struct error *stream_read(struct stream *stream,
				       const void **data_ret, size_t *size_ret);

/** Close a stream, also before its end; NULL is allowed. */
void stream_close(struct stream *stream);

DEFINE_CLEANUP(stream, struct stream *, stream_close)
#define _cleanup_stream_ _cleanup_(cleanup_stream)

/** Open a file; its expected size is the current one. */
_must_check_ struct error *stream_open_file(const char *path,
					    struct stream **ret);

/**
 * Read from a descriptor.
 *
 * @param[in] fd Taken.
 * @param[in] name What errors begin with.
 */
struct stream *stream_open_fd(int fd, const char *name);

/**
 * Set what is expected.
 *
 * @param[in] size_bytes 0 if not known.
 * @param[in] digest NULL or "" if not known.
 * @param[in] remedy What to do if it is damaged; a constant.
 */
void stream_expect(struct stream *stream, uint64_t size_bytes,
		   const char *digest, const char *remedy);

/** Read to the end: the digest of it all is `actual` then. */
_must_check_ struct error *stream_digest(struct stream *stream);

/**
 * Read to the end and write a file, mode 0644, and its sidecar. The file is
 * renamed from @p partial last.
 *
 * @param[in] partial Temporary name; the caller holds its lock.
 * @param[in] fd Open descriptor of @p partial.
 */
_must_check_ struct error *stream_save(struct stream *stream, int fd,
				       const char *partial, const char *path);

/** For implementations, whose own struct begins with the stream. */
void stream_init(struct stream *stream,
		 struct error *(*read)(struct stream *, const void **, size_t *),
		 void (*close)(struct stream *), const char *name);

/*
 * Write a directory as a zstd-compressed tarball (GNU tar's format; RFC 8878),
 * the same bytes for the same contents: order, times, owners and modes do not
 * depend on the file system, the user or the time.
 */

struct pack_options {
	/**
	 * Relative paths of files or directories, ended by NULL: these come
	 * first, in this order. Each directory's contents are in order of name.
	 */
	const char *const *first;
	/** These come last, in this order. */
	const char *const *last;
	/** Modification time of every entry, in seconds since the epoch. */
	int64_t mtime;
};

/**
 * Pack the contents of a directory; names in the tarball are `./PATH`. The file
 * appears under its name when whole; memory is bounded whatever the size.
 */
_must_check_ struct error *pack_directory(const char *directory,
					  const char *output_path,
					  const struct pack_options *options);

/*
 * Unpack a tarball (zstd, xz, gzip, …: by its own magic) while it arrives.
 *
 * What arrives is not trusted: absolute paths, `..`, links that lead outside,
 * device nodes, FIFOs, sockets and absurd sizes are refused, setuid bits are
 * dropped, and nothing is ever written outside the directory. A tarball that is
 * damaged or does not end as it should is an error, even if all files had come.
 */

struct unpack_options {
	/** Leading parts of each name to drop (a kernel tarball has one). */
	unsigned int strip_components;
	/** Most bytes that the files may hold in all; 0 for 16 GiB. */
	uint64_t limit_bytes;
	/** Most entries; 0 for a million. */
	uint64_t limit_entries;
	/**
	 * A pipe that gets the plain tarball too, to its last byte; NULL for
	 * none. Nothing is said if nobody reads it: its reader says so.
	 */
	const int *plain_fd;
	/**
	 * It is a root file system, made here: links to absolute paths, modes
	 * and times are kept. Owners and setuid bits are kept if we are root;
	 * otherwise all files are ours. Device nodes, FIFOs and sockets are
	 * left out: a guest mounts its own /dev.
	 */
	bool is_system;
};

/**
 * Unpack what a stream brings, to its end. When it fails, what is on disk is
 * the caller's to remove. A thread writes the files while the caller waits for
 * more.
 *
 * @param[in] directory Exists and is empty.
 */
_must_check_ struct error *unpack(struct stream *stream, const char *directory,
				  const struct unpack_options *options);

/** Unpack a local file, and show the progress. */
_must_check_ struct error *unpack_file(const char *path, const char *directory,
				       const struct unpack_options *options);

struct archive_member {
	/** As the tarball names it: `./vmtest.json`. */
	const char *name;
	/** Most that it may hold. */
	size_t limit_bytes;
	/** NULL until it was read; with a null byte behind it, free(). */
	char *text;
};

/**
 * Read a member of a zstd-compressed tarball, and no farther than its end: fast
 * for what lies at the beginning. The stream's digest is not checked.
 *
 * @param[in] stream Used up.
 * @param[in,out] members The last one is looked for; the others are read if they
 * come before it. Those that were read are the caller's after an error, too.
 * @return ERROR_NOT_FOUND if the tarball has no such member.
 */
_must_check_ struct error *archive_members_read(struct stream *stream,
						struct archive_member *members,
						size_t count);

#endif /* COMMON_ARCHIVE_ARCHIVE_H */
