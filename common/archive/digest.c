// SPDX-License-Identifier: LGPL-2.1-or-later

#include "common/archive/digest.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include <openssl/evp.h>

#include "common/base/error.h"
#include "common/base/memory.h"

enum {
	DIGEST_READ_BYTES = 1 << 18
};

struct digest {
	EVP_MD_CTX *context;
	bool failed;
};

struct error *digest_create(struct digest **ret)
{
	_cleanup_digest_ struct digest *digest =
		memory_allocate(1, sizeof(*digest));
	digest->context = EVP_MD_CTX_new();
	if (!digest->context)
		memory_exhausted();
	if (!EVP_DigestInit_ex(digest->context, EVP_sha256(), NULL))
		return error_create(ERROR_OTHER, "OpenSSL has no SHA-256");
	*ret = take_ptr(digest);
	return NULL;
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
	if (!EVP_DigestUpdate(digest->context, data, size_bytes))
		digest->failed = true;
}

void digest_finish(struct digest *digest, char text_ret[static DIGEST_TEXT_SIZE])
{
	static const char digits[] = "0123456789abcdef";
	unsigned char bytes[EVP_MAX_MD_SIZE];
	unsigned int size = 0;

	// An empty text is no digest, and so equal to none.
	text_ret[0] = '\0';
	if (digest->failed || !EVP_DigestFinal_ex(digest->context, bytes, &size) ||
	    size != (DIGEST_TEXT_SIZE - 1) / 2)
		return;
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
	_cleanup_digest_ struct digest *digest = NULL;
	_cleanup_close_ int fd = -1;
	_cleanup_free_ char *buffer = malloc(DIGEST_READ_BYTES);
	uint64_t size = 0;

	if (!buffer)
		memory_exhausted();
	err = digest_create(&digest);
	if (err)
		return err;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return error_create_os(errno, "open %s", path);
	for (;;) {
		ssize_t count = read(fd, buffer, DIGEST_READ_BYTES);

		if (count < 0 && errno == EINTR)
			continue;
		if (count < 0)
			return error_create_os(errno, "read %s", path);
		if (count == 0)
			break;
		digest_update(digest, buffer, (size_t)count);
		size += (uint64_t)count;
	}
	digest_finish(digest, text_ret);
	if (size_ret)
		*size_ret = size;
	return NULL;
}

struct error *digest_buffer(const void *data, size_t size_bytes,
			    char text_ret[static DIGEST_TEXT_SIZE])
{
	struct error *err;

	_cleanup_digest_ struct digest *digest = NULL;
	err = digest_create(&digest);
	if (err)
		return err;
	digest_update(digest, data, size_bytes);
	digest_finish(digest, text_ret);
	return NULL;
}

bool digest_is_valid(const char *text)
{
	return strspn(text, "0123456789abcdef") == DIGEST_TEXT_SIZE - 1 &&
	       text[DIGEST_TEXT_SIZE - 1] == '\0';
}
