// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/suite/logs.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/base/error.h"
#include "common/base/file.h"
#include "common/base/memory.h"
#include "common/base/text.h"

/** `20260131-120000-4711`, so that the order of names is that of time. */
static int is_log_directory(const struct dirent *entry)
{
	const char *name = entry->d_name;

	return strlen(name) > strlen("20260131-120000-") &&
	       isdigit((unsigned char)name[0]) && name[8] == '-' &&
	       name[15] == '-' && !name[strspn(name, "0123456789-")];
}

static struct error *delete_oldest(const char *parent, unsigned int keep)
{
	struct error *err = NULL;
	struct dirent **entries;
	int count = scandir(parent, &entries, is_log_directory, alphasort);

	if (count < 0)
		return error_create_os(errno, "read %s", parent);
	for (int i = 0; i < count; i++) {
		_cleanup_free_ char *path = path_join(parent, entries[i]->d_name);

		if (!err && i + (int)keep < count)
			err = directory_remove(path);
		free(entries[i]);
	}
	free(entries);
	return err;
}

struct error *logs_create(const char *parent, unsigned int keep, char **path_ret)
{
	struct error *err;

	time_t now = time(NULL);
	struct tm local;
	char text[32];
	strftime(text, sizeof(text), "%Y%m%d-%H%M%S", localtime_r(&now, &local));
	_cleanup_free_ char *path =
		path_joinf(parent, "%s-%ld", text, (long)getpid());
	err = directory_create(path);
	if (!err)
		err = delete_oldest(parent, keep);
	if (err)
		return err;
	*path_ret = take_ptr(path);
	return NULL;
}

const char *logs_last_lines(const char *text, size_t lines)
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

char *logs_tail(const char *path, size_t lines, size_t limit_bytes)
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
	return string_copy(logs_last_lines(sb.text, lines));
}
