// SPDX-License-Identifier: LGPL-2.1-or-later

/** @file Unpacks a zstd tarball: nothing of it may land outside its folder. */

#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/archive/archive.h"
#include "common/base/cleanup.h"
#include "common/base/error.h"
#include "common/base/file.h"
#include "tests/fuzz/fuzz.h"

static void unpack_into(const char *folder, const uint8_t *data, size_t size)
{
	static const struct unpack_options options = {
		.limit_bytes = 1 << 20,
		.limit_entries = 100,
	};
	_cleanup_error_ struct error *err = NULL;
	_cleanup_stream_ struct stream *stream = NULL;
	int fd = memfd_create("archive", MFD_CLOEXEC);

	if (fd < 0 || write_all(fd, data, size) || lseek(fd, 0, SEEK_SET) < 0)
		abort();
	stream = stream_open_fd(fd, "archive");
	err = unpack(stream, folder, &options);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct stat before, after;
	_cleanup_free_ char *inner = NULL;
	_cleanup_directory_ char *folder = NULL;
	_cleanup_close_ int lock_fd = -1;
	_cleanup_error_ struct error *err =
		directory_create_temporary("/tmp", "vmtest-fuzz", &folder,
					   &lock_fd);

	if (!err)
		inner = path_join(folder, "inner");
	if (err || mkdir(inner, 0700) < 0 || stat(folder, &before) < 0)
		abort();
	unpack_into(inner, data, size);
	if (stat(folder, &after) < 0 || before.st_nlink != after.st_nlink ||
	    before.st_mtim.tv_sec != after.st_mtim.tv_sec ||
	    before.st_mtim.tv_nsec != after.st_mtim.tv_nsec)
		abort();
	return 0;
}
