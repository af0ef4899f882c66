// SPDX-License-Identifier: LGPL-2.1-or-later

#include "common/archive/archive.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

#include "common/base/error.h"
#include "common/base/file.h"
#include "common/base/interrupt.h"
#include "common/base/memory.h"
#include "common/base/progress.h"
#include "common/base/system.h"

enum {
	PIECE_BYTES = 1 << 18
};

void stream_init(struct stream *stream,
		 struct error *(*read)(struct stream *, const void **, size_t *),
		 void (*close)(struct stream *), const char *name)
{
	stream->read = read;
	stream->close = close;
	stream->name = string_copy(name);
}

void stream_expect(struct stream *stream, uint64_t size_bytes,
		   const char *digest, const char *remedy)
{
	stream->size_bytes = size_bytes;
	stream->remedy = remedy;
	if (!digest || !*digest)
		return;
	memcpy(stream->expected, digest, DIGEST_TEXT_SIZE);
	stream->digest = digest_create();
}

void stream_close(struct stream *stream)
{
	if (!stream)
		return;
	if (stream->close)
		stream->close(stream);
	digest_destroy(stream->digest);
	free(stream->name);
	free(stream);
}

static struct error *check_end(struct stream *stream)
{
	stream->has_ended = true;
	if (stream->size_bytes && stream->done_bytes != stream->size_bytes)
		return error_create(ERROR_OTHER,
				    "it holds %" PRIu64
				    " bytes, it should be %" PRIu64 "; %s",
				    stream->done_bytes, stream->size_bytes,
				    stream->remedy);
	if (!stream->digest)
		return NULL;
	digest_finish(stream->digest, stream->actual);
	if (!*stream->expected || strcmp(stream->actual, stream->expected) == 0)
		return NULL;
	return error_create(ERROR_OTHER,
			    "the digest is %s, it should be %s: damaged, or another file; %s",
			    stream->actual, stream->expected, stream->remedy);
}

static struct error *read_checked(struct stream *stream, const void **data_ret,
				  size_t *size_ret)
{
	struct error *err;
	uint64_t start_ms = monotonic_ms();

	err = stream->read(stream, data_ret, size_ret);
	stream->read_ms += monotonic_ms() - start_ms;
	if (err)
		return err;
	if (!*size_ret)
		return check_end(stream);
	if (stream->size_bytes &&
	    *size_ret > stream->size_bytes - stream->done_bytes)
		return error_create(ERROR_OTHER,
				    "there are more than the %" PRIu64
				    " bytes that there should be; %s",
				    stream->size_bytes, stream->remedy);
	if (stream->digest)
		digest_update(stream->digest, *data_ret, *size_ret);
	stream->done_bytes += *size_ret;
	progress_update(stream->progress, stream->done_bytes, stream->size_bytes);
	return NULL;
}

struct error *stream_read(struct stream *stream, const void **data_ret,
			  size_t *size_ret)
{
	*size_ret = 0;
	if (stream->has_ended)
		return NULL;
	return error_wrap(read_checked(stream, data_ret, size_ret), "%s",
			  stream->name);
}

struct error *stream_digest(struct stream *stream)
{
	const void *data;
	size_t size;

	if (!stream->digest)
		stream->digest = digest_create();
	do {
		struct error *err = stream_read(stream, &data, &size);
		if (err)
			return err;
	} while (size);
	return NULL;
}

struct error *stream_save(struct stream *stream, int fd, const char *partial,
			  const char *path)
{
	struct error *err;
	const void *data;
	size_t size;
	int errnum;

	if (!stream->digest)
		stream->digest = digest_create();
	// It may be what a run that died has left.
	if (ftruncate(fd, 0) < 0)
		return error_create_os(errno, "write %s", partial);
	do {
		err = stream_read(stream, &data, &size);
		if (err)
			return err;
		errnum = write_all(fd, data, size);
		if (errnum)
			return error_create_os(errnum, "write %s", partial);
	} while (size);
	if (fchmod(fd, 0644) < 0 || fsync(fd) < 0)
		return error_create_os(errno, "write %s", partial);
	// First, while the lock holds. Of a file that is replaced, it says that
	// it is not whole.
	err = sidecar_write(path, stream->actual);
	if (err)
		return err;
	if (rename(partial, path) < 0)
		return error_create_os(errno, "rename to %s", path);

	_cleanup_free_ char *directory = path_parent(path);
	_cleanup_close_ int directory_fd =
		open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	// Not every file system can; then the rename is as good as it gets.
	if (directory_fd >= 0)
		fsync(directory_fd);
	return NULL;
}

struct fd_stream {
	struct stream stream;
	int fd;
	char data[PIECE_BYTES];
};

static struct error *fd_stream_read(struct stream *stream,
				    const void **data_ret, size_t *size_ret)
{
	struct error *err;
	struct fd_stream *file = (struct fd_stream *)stream;
	ssize_t count;

	err = interrupt_check();
	if (err)
		return err;
	do
		count = read(file->fd, file->data, sizeof(file->data));
	while (count < 0 && errno == EINTR);
	if (count < 0)
		return error_create_os(errno, "read");
	*data_ret = file->data;
	*size_ret = (size_t)count;
	return NULL;
}

static void fd_stream_close(struct stream *stream)
{
	close(((struct fd_stream *)stream)->fd);
}

struct stream *stream_open_fd(int fd, const char *name)
{
	struct fd_stream *file = memory_allocate(1, sizeof(*file));

	stream_init(&file->stream, fd_stream_read, fd_stream_close, name);
	file->fd = fd;
	return &file->stream;
}

struct error *stream_open_file(const char *path, struct stream **ret)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return error_create_os(errno, "open %s", path);
	*ret = stream_open_fd(take_fd(&fd), path);
	stream_expect(*ret, (uint64_t)st.st_size, NULL,
		      "it changed while it was read; try again");
	return NULL;
}
