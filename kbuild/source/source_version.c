// SPDX-License-Identifier: LGPL-2.1-or-later

#include "kbuild/source/source_version.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "common/base/error.h"
#include "common/base/file.h"
#include "common/kernel/version.h"

enum {
	MAKEFILE_LIMIT_BYTES = 1 << 20,
	VALUE_SIZE = 16
};

static const char blanks[] = " \t\r";

enum {
	VERSION,
	PATCHLEVEL,
	SUBLEVEL,
	EXTRAVERSION
};

static const char *const names[] = {
	[VERSION] = "VERSION",
	[PATCHLEVEL] = "PATCHLEVEL",
	[SUBLEVEL] = "SUBLEVEL",
	[EXTRAVERSION] = "EXTRAVERSION",
};

/** The value of the first `NAME = VALUE` line. @return Whether there is one. */
static bool value_find(const char *makefile, const char *name,
		       char value_ret[static VALUE_SIZE])
{
	size_t name_length = strlen(name);

	for (const char *line = makefile;; line++) {
		if (strncmp(line, name, name_length) == 0) {
			const char *p = line + name_length;

			p += strspn(p, blanks);
			if (*p == '=') {
				p++;
				p += strspn(p, blanks);
				size_t length = strcspn(p, "\n#");

				while (length && strchr(blanks, p[length - 1]))
					length--;
				if (length >= VALUE_SIZE)
					return false;
				memcpy(value_ret, p, length);
				value_ret[length] = '\0';
				return true;
			}
		}
		line = strchr(line, '\n');
		if (!line)
			return false;
	}
}

struct error *source_version_parse(const char *makefile,
				   struct kernel_version *ret)
{
	char values[array_size(names)][VALUE_SIZE];
	char text[array_size(names) * VALUE_SIZE];
	bool is_mainline;

	for (size_t i = 0; i < array_size(names); i++) {
		if (!value_find(makefile, names[i], values[i]))
			return error_create(ERROR_USAGE,
					    "not a kernel's: no line '%s = …'",
					    names[i]);
		if (i != EXTRAVERSION &&
		    (!values[i][0] || values[i][strspn(values[i], "0123456789")]))
			return error_create(ERROR_USAGE,
					    "%s = %s is not a number", names[i],
					    values[i]);
	}
	is_mainline = strcmp(values[SUBLEVEL], "0") == 0;
	snprintf(text, sizeof(text), "%s.%s%s%s%s", values[VERSION],
		 values[PATCHLEVEL], is_mainline ? "" : ".",
		 is_mainline ? "" : values[SUBLEVEL], values[EXTRAVERSION]);
	if (!kernel_version_parse(text, ret))
		return error_create(ERROR_USAGE,
				    "%s is not a version of kernel.org; EXTRAVERSION must be empty or -rcN",
				    text);
	return NULL;
}

struct error *source_version_read(const char *directory,
				  struct kernel_version *ret)
{
	struct error *err;
	_cleanup_free_ char *path = NULL;
	_cleanup_free_ char *text = NULL;

	path = path_join(directory, "Makefile");
	err = file_read(path, MAKEFILE_LIMIT_BYTES, &text, NULL);
	if (error_catch(&err, ERROR_NOT_FOUND))
		return error_create(ERROR_USAGE,
				    "not a kernel's source: it has no Makefile");
	if (err)
		return err;
	err = source_version_parse(text, ret);
	return error_wrap(err, "Makefile");
}
