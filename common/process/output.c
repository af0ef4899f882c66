// SPDX-License-Identifier: LGPL-2.1-or-later

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "common/base/memory.h"
#include "common/base/text.h"
#include "common/process/process.h"

const char *output_last_lines(const char *text, size_t lines)
{
	const char *p = text + strlen(text);

	for (; p > text; p--) {
		bool begins_line = p[-1] == '\n' && *p;

		if (begins_line && --lines == 0)
			break;
	}
	return p;
}

/** The end of a file. @return Its size, or -1 with errno. */
static ssize_t read_end(const char *path, char *data, size_t size_bytes)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;

	if (fd < 0)
		return errno == ENOENT ? 0 : -1;
	if (fstat(fd, &st) < 0)
		return -1;
	return pread(fd, data, size_bytes,
		     st.st_size > (off_t)size_bytes ? st.st_size - (off_t)size_bytes
						    : 0);
}

char *output_tail(const char *path, size_t lines, size_t limit_bytes)
{
	_cleanup_free_ char *data = memory_allocate(1, limit_bytes);
	ssize_t size = path ? read_end(path, data, limit_bytes) : 0;
	_cleanup_string_builder_ struct string_builder sb = { 0 };

	if (size < 0)
		return string_format("read %s: %s\n", path, strerror(errno));
	text_append_plain(&sb, data, (size_t)size);
	if (!sb.length)
		return string_copy("");
	if (sb.text[sb.length - 1] != '\n')
		string_builder_append_char(&sb, '\n');
	return string_copy(output_last_lines(sb.text, lines));
}
