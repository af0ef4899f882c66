// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/suite/log_folder.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/base/directory.h"
#include "common/base/error.h"
#include "common/base/file.h"

/** `20260131-120000-4711`, so that the order of names is that of time. */
static int is_log_folder(const struct dirent *entry)
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
	int count = scandir(parent, &entries, is_log_folder, alphasort);

	if (count < 0)
		return error_create_os(errno, "read %s", parent);
	for (int i = 0; i < count; i++) {
		_cleanup_free_ char *path = NULL;

		if (!err && i + (int)keep < count)
			path = path_join(parent, entries[i]->d_name);
		if (!err && path)
			err = directory_remove(path);
		free(entries[i]);
	}
	free(entries);
	return err;
}

struct error *log_folder_create(const char *parent, unsigned int keep,
				char **path_ret)
{
	struct error *err;

	_cleanup_free_ char *path = NULL;
	time_t now = time(NULL);
	struct tm local;
	char text[32];

	strftime(text, sizeof(text), "%Y%m%d-%H%M%S", localtime_r(&now, &local));
	path = path_joinf(parent, "%s-%ld", text, (long)getpid());
	err = directory_create(path);
	if (!err)
		err = delete_oldest(parent, keep);
	if (err)
		return err;
	*path_ret = take_ptr(path);
	return NULL;
}
