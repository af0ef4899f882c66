// SPDX-License-Identifier: LGPL-2.1-or-later

#include "common/archive/archive.h"

#include <archive.h>
#include <archive_entry.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/error.h"
#include "common/base/memory.h"

enum {
	READ_BLOCK_BYTES = 64 << 10,
};

static void cleanup_archive(struct archive **archive)
{
	archive_read_free(*archive);
}

static struct error *archive_failure(struct archive *archive, const char *path)
{
	const char *text = archive_error_string(archive);

	return error_create(ERROR_OTHER, "%s: %s", path,
			    text ? text : "not a tarball");
}

/** Read the member whose header was read last. */
static struct error *read_data(struct archive *archive, const char *path,
			       const char *member, size_t limit_bytes, char **ret)
{
	_cleanup_free_ char *text = memory_allocate(1, limit_bytes + 1);
	size_t size = 0;
	for (;;) {
		// Asking for one byte more than allowed tells what is too large.
		la_ssize_t count = archive_read_data(archive, text + size,
						     limit_bytes + 1 - size);
		if (count < 0)
			return archive_failure(archive, path);
		if (count == 0)
			break;
		size += (size_t)count;
		if (size > limit_bytes)
			return error_create(ERROR_OTHER,
					    "%s: %s has more than %zu bytes",
					    path, member, limit_bytes);
	}
	text[size] = '\0';
	*ret = take_ptr(text);
	return NULL;
}

struct error *archive_member_read(const char *path, const char *member,
				  size_t limit_bytes, char **ret)
{
	_cleanup_(cleanup_archive) struct archive *archive = archive_read_new();
	if (!archive)
		memory_exhausted();
	archive_read_support_filter_zstd(archive);
	archive_read_support_format_tar(archive);
	if (archive_read_open_filename(archive, path, READ_BLOCK_BYTES) !=
	    ARCHIVE_OK)
		return archive_failure(archive, path);
	for (;;) {
		struct archive_entry *entry;
		int code = archive_read_next_header(archive, &entry);

		if (code == ARCHIVE_EOF)
			return error_create(ERROR_NOT_FOUND, "%s has no %s",
					    path, member);
		if (code != ARCHIVE_OK && code != ARCHIVE_WARN)
			return archive_failure(archive, path);
		const char *name = archive_entry_pathname(entry);
		if (name && strcmp(name, member) == 0)
			return read_data(archive, path, member, limit_bytes, ret);
	}
}
