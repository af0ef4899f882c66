// SPDX-License-Identifier: LGPL-2.1-or-later

/**
 * @file
 *
 * Runs a fuzz target on the files of a folder: each as it is, cut short at
 * places spread over it, and with a byte changed, so many times. Which bytes is
 * decided by a fixed sequence, so that a failure can be had again.
 */

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/base/error.h"
#include "common/base/file.h"
#include "tests/fuzz/fuzz.h"

enum {
	FILE_LIMIT_BYTES = 1 << 20
};

/** xorshift32: George Marsaglia, "Xorshift RNGs", 2003. */
static uint32_t next_random(uint32_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 17;
	*state ^= *state << 5;
	return *state;
}

/** On memory of exactly this size, so that reading beyond it is noticed. */
static void try_copy(const char *data, size_t size)
{
	_cleanup_free_ uint8_t *copy = malloc(size ? size : 1);

	if (!copy)
		abort();
	memcpy(copy, data, size);
	LLVMFuzzerTestOneInput(copy, size);
}

static void try_damaged(char *data, size_t size, unsigned int times)
{
	uint32_t state = 2463534242;

	for (size_t i = 0; i < times; i++) {
		try_copy(data, size * i / times);
		if (!size)
			continue;

		size_t place = next_random(&state) % size;
		char before = data[place];

		data[place] = (char)next_random(&state);
		try_copy(data, size);
		data[place] = before;
	}
}

static struct error *replay(const char *folder, unsigned int times,
			    unsigned int *count_ret)
{
	struct error *err;
	struct dirent **entries;
	int count = scandir(folder, &entries, NULL, alphasort);

	if (count < 0)
		return error_create(ERROR_NOT_FOUND, "no folder %s", folder);
	err = NULL;
	for (int i = 0; i < count; i++) {
		_cleanup_free_ char *path = NULL, *data = NULL;
		size_t size;

		if (!err && entries[i]->d_name[0] != '.') {
			path = path_join(folder, entries[i]->d_name);
			err = file_read(path, FILE_LIMIT_BYTES, &data, &size);
			if (!err) {
				try_copy(data, size);
				try_damaged(data, size, times);
				++*count_ret;
			}
		}
		free(entries[i]);
	}
	free(entries);
	return err;
}

int main(int argc, char **argv)
{
	unsigned int count = 0;

	if (argc != 3) {
		fprintf(stderr, "usage: %s CORPUS TIMES\n", argv[0]);
		return 2;
	}

	_cleanup_error_ struct error *err =
		replay(argv[1], (unsigned int)strtoul(argv[2], NULL, 10), &count);

	if (err) {
		fprintf(stderr, "%s: error: %s\n", argv[0], error_message(err));
		return 1;
	}
	printf("%u files\n", count);
	return count ? 0 : 1;
}
