// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef COMMON_ARCHIVE_STREAM_H
#define COMMON_ARCHIVE_STREAM_H

/**
 * @file
 *
 * Bytes that one pulls, piece by piece, from a file or a server. A stream knows
 * how many must come and with which digest, and is an error if they do not: so
 * nothing that came may be used before the end has. One thread a stream.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/archive/digest.h"
#include "common/base/cleanup.h"

struct error;
struct progress;

struct stream {
	/** What it is told its progress; borrowed, may be NULL. */
	struct progress *progress;
	/** Bytes that came so far. */
	uint64_t done_bytes;
	/** How long that took, which is mostly waiting. */
	uint64_t read_ms;
	/** Bytes that must come; 0 if not known. */
	uint64_t size_bytes;

	// Below only for kinds of stream.
	/** As stream_read(), without the checks. */
	struct error *(*read)(struct stream *stream, const void **data_ret,
			      size_t *size_ret);
	/** Release what the kind has added; may be NULL. */
	void (*close)(struct stream *stream);
	/** What its errors begin with. */
	char *name;
	/** What must come, "" if not known, and what to do if it did not. */
	char expected[DIGEST_TEXT_SIZE];
	const char *remedy;
	/** NULL if nobody asks. */
	struct digest *digest;
	/** What came, at the end. */
	char actual[DIGEST_TEXT_SIZE];
	bool has_ended;
};

/**
 * Take the next piece. Blocks.
 *
 * @param[out] data_ret Borrowed until the next call.
 * @param[out] size_ret 0 at the end, once what came is known to be whole.
 * @return ERROR_CANCELLED (interrupt.h). After an error, only close it.
 */
_must_check_ struct error *stream_read(struct stream *stream,
				       const void **data_ret, size_t *size_ret);

/** Also before its end; NULL is no stream. */
void stream_close(struct stream *stream);

static inline void cleanup_stream(struct stream **stream)
{
	stream_close(*stream);
}

#define _cleanup_stream_ _cleanup_(cleanup_stream)

/** A file, of which what it holds now must come. */
_must_check_ struct error *stream_open_file(const char *path,
					    struct stream **ret);

/**
 * A descriptor.
 *
 * @param[in] fd Taken.
 * @param[in] name What errors begin with.
 */
struct stream *stream_open_fd(int fd, const char *name);

/**
 * Say what must come.
 *
 * @param[in] size_bytes 0 if not known.
 * @param[in] digest NULL or "" if not known.
 * @param[in] remedy What to do if it is damaged; a constant.
 */
void stream_expect(struct stream *stream, uint64_t size_bytes,
		   const char *digest, const char *remedy);

/**
 * Write all that comes to a descriptor, and sync it, as a file that all may
 * read.
 *
 * @param[in] path Of the descriptor, for errors.
 * @param[out] digest_ret Of what came.
 */
_must_check_ struct error *stream_save(struct stream *stream, int fd,
				       const char *path,
				       char digest_ret[static DIGEST_TEXT_SIZE]);

/** For kinds: the first member of what they have allocated. */
void stream_init(struct stream *stream,
		 struct error *(*read)(struct stream *, const void **, size_t *),
		 void (*close)(struct stream *), const char *name);

#endif /* COMMON_ARCHIVE_STREAM_H */
