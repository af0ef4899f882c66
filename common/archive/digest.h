// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef COMMON_ARCHIVE_DIGEST_H
#define COMMON_ARCHIVE_DIGEST_H

/** @file SHA-256 (FIPS 180-4), written as 64 lower-case hexadecimal digits. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/cleanup.h"

struct digest;
struct error;

enum {
	DIGEST_TEXT_SIZE = 65
};

struct digest *digest_create(void);
void digest_destroy(struct digest *digest);

static inline void cleanup_digest(struct digest **digest)
{
	digest_destroy(*digest);
}

#define _cleanup_digest_ _cleanup_(cleanup_digest)

void digest_update(struct digest *digest, const void *data, size_t size_bytes);

/** Write the digest of all data so far; the object cannot be updated after. */
void digest_finish(struct digest *digest, char text_ret[static DIGEST_TEXT_SIZE]);

/** @param[out] size_ret Size of the file in bytes; may be NULL. */
_must_check_ struct error *digest_file(const char *path,
				       char text_ret[static DIGEST_TEXT_SIZE],
				       uint64_t *size_ret);

void digest_buffer(const void *data, size_t size_bytes,
		   char text_ret[static DIGEST_TEXT_SIZE]);

/** Whether the text is 64 hexadecimal digits in lower case. */
bool digest_is_valid(const char *text);

#endif /* COMMON_ARCHIVE_DIGEST_H */
