// SPDX-License-Identifier: LGPL-2.1-or-later

// Packs a folder as packages are packed: for tests/bench/package.

#include <stdio.h>

#include "common/archive/archive.h"
#include "common/base/error.h"

int main(int argc, char **argv)
{
	static const struct pack_options options = { .mtime = 946684800 };
	_cleanup_error_ struct error *err = NULL;

	if (argc != 3) {
		fprintf(stderr, "usage: %s FOLDER OUTPUT\n", argv[0]);
		return 2;
	}
	err = pack_directory(argv[1], argv[2], &options);
	if (err) {
		fprintf(stderr, "%s: %s\n", argv[0], error_message(err));
		return 1;
	}
	return 0;
}
