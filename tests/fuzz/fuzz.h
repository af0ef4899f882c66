// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

/**
 * @file
 *
 * What every fuzz target is: libFuzzer's entry point. With the preset `fuzz` a
 * target explores by itself; otherwise replay.c calls it with the files of its
 * corpus and with damaged copies of them, as an ordinary test.
 */

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/** @return 0. What is wrong with the parser shows as a crash or a report. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/** The input as a string, up to a null byte; free with free(). */
static inline char *fuzz_text(const uint8_t *data, size_t size)
{
	char *text = strndup((const char *)data, size);

	if (!text)
		abort();
	return text;
}

enum {
	FUZZ_TAR_BLOCK = 512
};

/**
 * Set the checksum of each header of a plain tarball, in place, since one that
 * is wrong keeps all else of its member from being read.
 */
static inline void fuzz_seal_tar(uint8_t *data, size_t size)
{
	for (; size >= FUZZ_TAR_BLOCK; size -= FUZZ_TAR_BLOCK) {
		unsigned int sum = 0;

		if (memcmp(data + 257, "ustar", 5) == 0) {
			memset(data + 148, ' ', 8);
			for (int i = 0; i < FUZZ_TAR_BLOCK; i++)
				sum += data[i];
			snprintf((char *)data + 148, 8, "%06o", sum);
		}
		data += FUZZ_TAR_BLOCK;
	}
}

#endif /* TESTS_FUZZ_FUZZ_H */
