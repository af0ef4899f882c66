// SPDX-License-Identifier: LGPL-2.1-or-later

#include "common/base/path.h"

#include "common/base/memory.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/base/error.h"

char *path_join(const char *directory, const char *name)
{
	size_t length = strlen(directory);

	while (length > 1 && directory[length - 1] == '/')
		length--;
	if (name[0] == '/' || length == 0)
		return string_copy(name);
	return string_format("%.*s%s%s", (int)length, directory,
			     directory[length - 1] == '/' ? "" : "/", name);
}

char *path_joinf(const char *directory, const char *format, ...)
{
	va_list ap;
	char *name;

	va_start(ap, format);
	if (vasprintf(&name, format, ap) < 0)
		memory_exhausted();
	va_end(ap);
	char *path = path_join(directory, name);
	free(name);
	return path;
}
