// SPDX-License-Identifier: LGPL-2.1-or-later

#include "common/store/store_internal.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/base/error.h"
#include "common/base/file.h"
#include "common/base/memory.h"

enum {
	SIDECAR_BYTES_MAX = 4096,
};

static char *sidecar_path(const char *directory, const char *name)
{
	return path_joinf(directory, "%s.sha256", name);
}

struct error *sidecar_read(const char *directory, const char *name,
			   char digest_ret[static DIGEST_TEXT_SIZE])
{
	struct error *err;
	_cleanup_free_ char *sidecar = sidecar_path(directory, name);
	_cleanup_free_ char *text = NULL;
	size_t size;

	digest_ret[0] = '\0';
	err = file_read(sidecar, SIDECAR_BYTES_MAX, &text, &size);
	if (error_catch(&err, ERROR_NOT_FOUND))
		return NULL;
	if (err)
		return err;
	if (size >= DIGEST_TEXT_SIZE && text[DIGEST_TEXT_SIZE - 1] == ' ') {
		text[DIGEST_TEXT_SIZE - 1] = '\0';
		if (digest_is_valid(text)) {
			memcpy(digest_ret, text, DIGEST_TEXT_SIZE);
			return NULL;
		}
	}
	return error_create(ERROR_OTHER, "%s: not a line of sha256sum", sidecar);
}

struct error *sidecar_write(const char *directory, const char *name,
			    const char *digest)
{
	_cleanup_free_ char *sidecar = sidecar_path(directory, name);
	_cleanup_free_ char *partial =
		path_joinf(directory, ".put.%s.sha256", name);
	_cleanup_fclose_ FILE *file = fopen(partial, "we");

	if (!file)
		return error_create_os(errno, "write %s", sidecar);
	if (fprintf(file, "%s  %s\n", digest, name) < 0 || fflush(file) != 0 ||
	    fsync(fileno(file)) < 0 || rename(partial, sidecar) < 0) {
		struct error *err = error_create_os(errno, "write %s", sidecar);

		unlink(partial);
		return err;
	}
	return NULL;
}

struct error *sidecar_delete(const char *directory, const char *name)
{
	_cleanup_free_ char *sidecar = sidecar_path(directory, name);

	if (unlink(sidecar) < 0 && errno != ENOENT)
		return error_create_os(errno, "delete %s", sidecar);
	return NULL;
}
