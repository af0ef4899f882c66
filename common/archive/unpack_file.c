// SPDX-License-Identifier: LGPL-2.1-or-later

#include "common/archive/unpack.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "common/base/error.h"
#include "common/base/file.h"
#include "common/cli/progress.h"

/** A file on its way into the unpacking. */
struct unpack_feed {
	struct unpack *unpack;
	struct progress *progress;
	uint64_t done_bytes;
	uint64_t size_bytes;
};

static struct error *unpack_feed_take(void *arg, const void *data,
				      size_t size_bytes)
{
	struct unpack_feed *feed = arg;

	feed->done_bytes += size_bytes;
	progress_update(feed->progress, feed->done_bytes, feed->size_bytes);
	return unpack_write(feed->unpack, data, size_bytes);
}

struct error *unpack_file(const char *path, const char *directory,
			  const struct unpack_options *options)
{
	struct error *err;
	_cleanup_unpack_ struct unpack *unpack = NULL;
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	const char *slash = strrchr(path, '/');
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return error_create_os(errno, "open %s", path);
	_cleanup_progress_ struct progress *progress =
		progress_createf(PROGRESS_BYTES, "unpack %s",
				 slash ? slash + 1 : path);
	struct unpack_feed feed = {
		.progress = progress,
		.size_bytes = (uint64_t)st.st_size,
	};
	err = unpack_create(directory, options, &unpack);
	feed.unpack = unpack;
	if (!err)
		err = file_stream(fd, unpack_feed_take, &feed);
	if (!err)
		err = unpack_finish(unpack);
	return error_wrap(err, "%s", path);
}
