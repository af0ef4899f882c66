// SPDX-License-Identifier: LGPL-2.1-or-later

/** @file Reads vmtest.json of a package. */

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/base/error.h"
#include "common/base/file.h"
#include "common/base/text.h"
#include "kbuild/package/package.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t padding[3 * FUZZ_TAR_BLOCK];
	_cleanup_close_ int fd = memfd_create("package", MFD_CLOEXEC);
	_cleanup_package_notes_ struct package_notes notes = { 0 };
	char header[FUZZ_TAR_BLOCK] = "./vmtest.json";
	char path[32];

	snprintf(header + 100, 24, "0000644%c0000000%c0000000", 0, 0);
	snprintf(header + 124, 12, "%011zo", size);
	snprintf(header + 136, 12, "%011o", 0);
	header[156] = '0';
	strcpy(header + 257, "ustar");
	memcpy(header + 263, "00", 2);
	fuzz_seal_tar((uint8_t *)header, sizeof(header));
	if (fd < 0 || write_all(fd, header, sizeof(header)) ||
	    write_all(fd, data, size) ||
	    write_all(fd, padding,
		      2 * FUZZ_TAR_BLOCK +
			      (FUZZ_TAR_BLOCK - size % FUZZ_TAR_BLOCK) %
				      FUZZ_TAR_BLOCK))
		abort();
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	error_destroy(package_notes_load(path, &notes));
	// What is taken can be shown anywhere.
	if (notes.signature && strpbrk(notes.signature, "\n\033"))
		abort();
	for (size_t i = 0; i < notes.lost_options.count; i++) {
		if (strpbrk(notes.lost_options.items[i], "\n\033"))
			abort();
	}
	return 0;
}
