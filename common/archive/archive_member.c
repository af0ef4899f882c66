// SPDX-License-Identifier: LGPL-2.1-or-later

#include "common/archive/archive.h"

#include <archive.h>
#include <archive_entry.h>
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

struct error *archive_member_read(const char *path, const char *member,
				  size_t limit_bytes, char **ret)
{
	_cleanup_(cleanup_archive) struct archive *archive = archive_read_new();
	struct archive_entry *entry;
	const char *name = NULL;

	if (!archive)
		memory_exhausted();
	archive_read_support_filter_zstd(archive);
	archive_read_support_format_tar(archive);
	if (archive_read_open_filename(archive, path, READ_BLOCK_BYTES) !=
	    ARCHIVE_OK)
		return archive_failure(archive, path);
	while (!name || strcmp(name, member) != 0) {
		int code = archive_read_next_header(archive, &entry);

		if (code == ARCHIVE_EOF)
			return error_create(ERROR_NOT_FOUND, "%s has no %s",
					    path, member);
		if (code != ARCHIVE_OK && code != ARCHIVE_WARN)
			return archive_failure(archive, path);
		name = archive_entry_pathname(entry);
	}

	_cleanup_free_ char *text = memory_allocate(1, limit_bytes + 1);
	// Asking for one byte more than allowed tells what is too large.
	la_ssize_t size = archive_read_data(archive, text, limit_bytes + 1);

	if (size < 0)
		return archive_failure(archive, path);
	if ((size_t)size > limit_bytes)
		return error_create(ERROR_OTHER, "%s: %s has more than %zu bytes",
				    path, member, limit_bytes);
	text[size] = '\0';
	*ret = take_ptr(text);
	return NULL;
}
