// SPDX-License-Identifier: LGPL-2.1-or-later

#include "tests/unit/files.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "common/base/error.h"
#include "common/base/file.h"
#include "common/base/memory.h"
#include "common/kernel/catalog.h"

char *tmp;

void setup_tmp(void)
{
	tmp = string_copy("/tmp/vmtest-unit.XXXXXX");
	cr_assert(mkdtemp(tmp));
}

void enter_tmp(void)
{
	setup_tmp();
	cr_assert_eq(chdir(tmp), 0);
}

void teardown_tmp(void)
{
	cleanup_directory(&tmp);
	tmp = NULL;
}

struct catalog *load_catalog(void)
{
	struct catalog *catalog;

	cr_assert_null(catalog_load(VMTEST_SOURCE_DIR "/configs/vmtest.json",
				    NULL, &catalog));
	return catalog;
}

char *in_tmp(const char *name)
{
	return path_join(tmp, name);
}

void put_file(const char *root, const char *name, const char *text)
{
	_cleanup_free_ char *path = path_join(root, name);
	_cleanup_free_ char *directory =
		strndup(path, (size_t)(strrchr(path, '/') - path));

	cr_assert_null(directory_create(directory));
	cr_assert_null(file_write(path, text, strlen(text)));
}

void put_program(const char *root, const char *name, const char *text)
{
	_cleanup_free_ char *path = path_join(root, name);

	put_file(root, name, text);
	cr_assert_eq(chmod(path, 0755), 0);
}

char *get_file(const char *root, const char *name)
{
	_cleanup_free_ char *path = path_join(root, name);
	char *text;

	cr_assert_null(file_read(path, 1 << 20, &text, NULL), "%s", path);
	return text;
}

void expect_contents(const char *root, const char *name, const char *text)
{
	_cleanup_free_ char *found = get_file(root, name);

	cr_expect_str_eq(found, text, "%s/%s", root, name);
}

bool is_there(const char *root, const char *name)
{
	_cleanup_free_ char *path = path_join(root, name);

	return faccessat(AT_FDCWD, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}
