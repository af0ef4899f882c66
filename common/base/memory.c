// SPDX-License-Identifier: LGPL-2.1-or-later

#include "common/base/memory.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void memory_exhausted(void)
{
	static const char message[] = ": error: out of memory\n";

	// Without what stdio would allocate.
	if (write(STDERR_FILENO, program_invocation_short_name,
		  strlen(program_invocation_short_name)) < 0 ||
	    write(STDERR_FILENO, message, sizeof(message) - 1) < 0)
		_exit(EXIT_FAILURE);
	_exit(EXIT_FAILURE);
}

void *memory_allocate(size_t count, size_t size_bytes)
{
	// calloc() of nothing may be NULL.
	void *memory = calloc(count ? count : 1, size_bytes ? size_bytes : 1);

	if (!memory)
		memory_exhausted();
	return memory;
}

void *memory_resize(void *memory, size_t count, size_t size_bytes)
{
	void *resized = reallocarray(memory, count ? count : 1,
				     size_bytes ? size_bytes : 1);

	if (!resized)
		memory_exhausted();
	return resized;
}

char *string_copy(const char *text)
{
	return text ? string_copy_n(text, strlen(text)) : NULL;
}

char *string_copy_n(const char *text, size_t length)
{
	char *copy = strndup(text, length);

	if (!copy)
		memory_exhausted();
	return copy;
}

char *string_vformat(const char *format, va_list ap)
{
	char *text;

	if (vasprintf(&text, format, ap) < 0)
		memory_exhausted();
	return text;
}

char *string_format(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	char *text = string_vformat(format, ap);
	va_end(ap);
	return text;
}
