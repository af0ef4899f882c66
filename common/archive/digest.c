// SPDX-License-Identifier: LGPL-2.1-or-later

#include "common/archive/archive.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include <openssl/evp.h>

#include "common/base/error.h"
#include "common/base/file.h"
#include "common/base/memory.h"

enum {
	SIDECAR_BYTES_MAX = 4096,
};

struct digest {
	EVP_MD_CTX *context;
};

/** OpenSSL has SHA-256: what its functions lack is memory. */
static void must(int success)
{
	if (!success)
		memory_exhausted();
}

struct digest *digest_create(void)
{
	struct digest *digest = memory_allocate(1, sizeof(*digest));

	digest->context = EVP_MD_CTX_new();
	must(digest->context &&
	     EVP_DigestInit_ex(digest->context, EVP_sha256(), NULL));
	return digest;
}

void digest_destroy(struct digest *digest)
{
	if (!digest)
		return;
	EVP_MD_CTX_free(digest->context);
	free(digest);
}

void digest_update(struct digest *digest, const void *data, size_t size_bytes)
{
	must(EVP_DigestUpdate(digest->context, data, size_bytes));
}

void digest_finish(struct digest *digest, char text_ret[static DIGEST_TEXT_SIZE])
{
	static const char digits[] = "0123456789abcdef";
	unsigned char bytes[EVP_MAX_MD_SIZE];
	unsigned int size = 0;

	must(EVP_DigestFinal_ex(digest->context, bytes, &size) &&
	     size == (DIGEST_TEXT_SIZE - 1) / 2);
	for (unsigned int i = 0; i < size; i++) {
		text_ret[2 * i] = digits[bytes[i] >> 4];
		text_ret[2 * i + 1] = digits[bytes[i] & 15];
	}
	text_ret[2 * size] = '\0';
}

struct error *digest_file(const char *path,
			  char text_ret[static DIGEST_TEXT_SIZE],
			  uint64_t *size_ret)
{
	struct error *err;

	_cleanup_stream_ struct stream *stream = NULL;
	err = stream_open_file(path, &stream);
	if (err)
		return err;
	err = stream_digest(stream);
	if (err)
		return err;
	memcpy(text_ret, stream->actual, DIGEST_TEXT_SIZE);
	if (size_ret)
		*size_ret = stream->done_bytes;
	return NULL;
}

void digest_buffer(const void *data, size_t size_bytes,
		   char text_ret[static DIGEST_TEXT_SIZE])
{
	_cleanup_digest_ struct digest *digest = digest_create();

	digest_update(digest, data, size_bytes);
	digest_finish(digest, text_ret);
}

bool digest_is_valid(const char *text)
{
	return strspn(text, "0123456789abcdef") == DIGEST_TEXT_SIZE - 1 &&
	       text[DIGEST_TEXT_SIZE - 1] == '\0';
}

struct error *sidecar_read(const char *path,
			   char digest_ret[static DIGEST_TEXT_SIZE])
{
	struct error *err;

	_cleanup_free_ char *sidecar = string_format("%s.sha256", path);
	_cleanup_free_ char *text = NULL;
	size_t size;
	digest_ret[0] = '\0';
	err = file_read(sidecar, SIDECAR_BYTES_MAX, &text, &size);
	if (error_catch(&err, ERROR_NOT_FOUND))
		return NULL;
	// An empty one: who wrote it has died, or had no room.
	if (err || !size)
		return err;
	if (size >= DIGEST_TEXT_SIZE && text[DIGEST_TEXT_SIZE - 1] == ' ') {
		text[DIGEST_TEXT_SIZE - 1] = '\0';
		if (digest_is_valid(text)) {
			memcpy(digest_ret, text, DIGEST_TEXT_SIZE);
			return NULL;
		}
	}
	return error_create(ERROR_OTHER,
			    "%s is not in sha256sum's format; delete it",
			    sidecar);
}

struct error *sidecar_write_text(const char *path, const char *text)
{
	_cleanup_close_ int fd =
		open(path,
		     O_WRONLY | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC,
		     0666);
	struct stat st;
	int errnum;

	if (fd < 0 || fstat(fd, &st) < 0)
		return error_create_os(errno, "write %s", path);
	if (!S_ISREG(st.st_mode))
		return error_create(ERROR_USAGE, "%s is there, and not a file",
				    path);
	errnum = write_all(fd, text, strlen(text));
	if (!errnum && (ftruncate(fd, (off_t)strlen(text)) < 0 || fsync(fd) < 0))
		errnum = errno;
	if (errnum)
		return error_create_os(errnum, "write %s", path);
	return NULL;
}

struct error *sidecar_write(const char *path, const char *digest)
{
	_cleanup_free_ char *sidecar = string_format("%s.sha256", path);
	_cleanup_free_ char *line =
		string_format("%s  %s\n", digest, path_name(path));

	return sidecar_write_text(sidecar, line);
}
