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

#endif /* TESTS_FUZZ_FUZZ_H */
