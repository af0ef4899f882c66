// SPDX-License-Identifier: LGPL-2.1-or-later

/**
 * @file
 *
 * Unpacks a tarball, plain or compressed: nothing of it may land outside its
 * folder. Then reads two members.
 */

#include <stdio.h>
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
	_cleanup_error_ struct error *member_err = NULL;
	_cleanup_stream_ struct stream *stream = NULL, *again = NULL;
	struct archive_member members[] = { { "./a", 1000, NULL },
					    { "./vmtest.json", 1000, NULL } };
	_cleanup_free_ uint8_t *sealed = malloc(size + 1);
	char path[32];
	int fd = memfd_create("archive", MFD_CLOEXEC);

	if (fd < 0 || !sealed)
		abort();
	memcpy(sealed, data, size);
	fuzz_seal_tar(sealed, size);
	if (write_all(fd, sealed, size) || lseek(fd, 0, SEEK_SET) < 0)
		abort();
	stream = stream_open_fd(fd, "archive");
	err = unpack(stream, folder, &options);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	member_err = stream_open_file(path, &again);
	if (member_err)
		abort();
	member_err = archive_members_read(again, members, 2);
	free(members[0].text);
	free(members[1].text);
}

static char *folder;

static void remove_folder(void)
{
	error_destroy(directory_remove(folder));
	free(folder);
}

/** In memory, where there is such a place: a disk is most of the time. */
static void create_folder(void)
{
	int lock_fd;

	if (directory_create_temporary("/dev/shm", "vmtest-fuzz", &folder,
				       &lock_fd))
		abort();
	atexit(remove_folder);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct stat before, after;

	if (!folder)
		create_folder();

	_cleanup_directory_ char *inner = path_join(folder, "inner");

	if (mkdir(inner, 0700) < 0 || stat(folder, &before) < 0)
		abort();
	unpack_into(inner, data, size);
	if (stat(folder, &after) < 0 || before.st_nlink != after.st_nlink ||
	    before.st_mtim.tv_sec != after.st_mtim.tv_sec ||
	    before.st_mtim.tv_nsec != after.st_mtim.tv_nsec)
		abort();
	return 0;
}
