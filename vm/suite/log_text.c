// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/suite/log_text.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/error.h"
#include "common/base/memory.h"
#include "common/base/string_builder.h"
#include "common/base/text.h"

const char *log_text_last_lines(const char *text, size_t lines)
{
	const char *p = text + strlen(text);

	for (; p > text; p--) {
		bool begins_line = p[-1] == '\n' && *p;

		if (begins_line && --lines == 0)
			break;
	}
	return p;
}

struct error *log_text_tail(const char *path, size_t lines, size_t limit_bytes,
			    char **ret)
{
	_cleanup_close_ int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	_cleanup_free_ char *data = NULL;
	_cleanup_string_builder_ struct string_builder clean =
		STRING_BUILDER_INIT;
	_cleanup_string_builder_ struct string_builder tail = STRING_BUILDER_INIT;
	struct stat st;
	off_t offset;
	ssize_t size;

	if (fd < 0 && path && errno != ENOENT)
		return error_create_os(errno, "open %s", path);
	if (fd < 0) {
		*ret = string_builder_take(&tail);
		return NULL;
	}
	if (fstat(fd, &st) < 0)
		return error_create_os(errno, "read %s", path);
	data = memory_allocate(1, limit_bytes);
	offset = st.st_size > (off_t)limit_bytes ? st.st_size - (off_t)limit_bytes
						 : 0;
	size = pread(fd, data, limit_bytes, offset);
	if (size < 0)
		return error_create_os(errno, "read %s", path);
	text_append_plain(&clean, data, (size_t)size);
	if (clean.length && clean.text[clean.length - 1] != '\n')
		string_builder_append_char(&clean, '\n');
	if (clean.length)
		string_builder_append(&tail,
				      log_text_last_lines(clean.text, lines));
	*ret = string_builder_take(&tail);
	return NULL;
}
