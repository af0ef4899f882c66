// SPDX-License-Identifier: LGPL-2.1-or-later

#include "tests/unit/files.h"

#include <string.h>

#include <criterion/criterion.h>

#include "common/base/directory.h"
#include "common/base/error.h"
#include "common/base/file.h"

void put_file(const char *root, const char *name, const char *text)
{
	_cleanup_free_ char *path = NULL;
	_cleanup_free_ char *folder = NULL;

	path = path_join(root, name);
	folder = strndup(path, (size_t)(strrchr(path, '/') - path));
	cr_assert_null(directory_create(folder));
	cr_assert_null(file_write(path, text, strlen(text)));
}
