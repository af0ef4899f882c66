// SPDX-License-Identifier: LGPL-2.1-or-later

#include "common/github/workflow_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/error.h"
#include "common/base/file.h"
#include "common/base/memory.h"
#include "common/base/string_builder.h"
#include "common/github/workflow_command.h"

static const char outputs_variable[] = "GITHUB_OUTPUT";
static const char summary_variable[] = "GITHUB_STEP_SUMMARY";

void workflow_append_output(struct string_builder *sb, const char *name,
			    const char *value)
{
	char token[WORKFLOW_TOKEN_SIZE];

	if (!value[strcspn(value, "\r\n")]) {
		string_builder_appendf(sb, "%s=%s\n", name, value);
		return;
	}
	workflow_make_token(token);
	string_builder_appendf(sb, "%s<<%s\n%s\n%s\n", name, token, value, token);
}

static const char *get_path(const char *variable)
{
	const char *path = getenv(variable);

	return path && *path ? path : NULL;
}

static struct error *append(const char *variable, const char *path,
			    const char *text)
{
	_cleanup_close_ int fd =
		open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
	int errnum;

	if (fd < 0)
		return error_create_os(errno, "%s: open %s", variable, path);
	errnum = write_all(fd, text, strlen(text));
	if (errnum)
		return error_create_os(errnum, "%s: write %s", variable, path);
	return NULL;
}

struct error *workflow_outputs_write(const char *text)
{
	const char *path = get_path(outputs_variable);

	if (!path)
		return error_create(ERROR_USAGE,
				    "%s is not set: this is no step of a GitHub Actions workflow",
				    outputs_variable);
	return append(outputs_variable, path, text);
}

struct error *workflow_summary_room(size_t *room_bytes_ret)
{
	const char *path = get_path(summary_variable);
	struct stat st = { 0 };

	*room_bytes_ret = 0;
	if (!path)
		return NULL;
	if (stat(path, &st) < 0 && errno != ENOENT)
		return error_create_os(errno, "%s: %s", summary_variable, path);
	if (st.st_size < WORKFLOW_SUMMARY_LIMIT)
		*room_bytes_ret = WORKFLOW_SUMMARY_LIMIT - (size_t)st.st_size;
	return NULL;
}

struct error *workflow_summary_write(const char *markdown)
{
	static const char note[] = "\nThere is no room for more.\n";
	struct error *err;
	const char *path = get_path(summary_variable);
	_cleanup_free_ char *cut = NULL;
	size_t room_bytes;

	if (!path)
		return NULL;
	err = workflow_summary_room(&room_bytes);
	if (err)
		return err;
	if (strlen(markdown) <= room_bytes)
		return append(summary_variable, path, markdown);
	if (room_bytes < strlen(note))
		return NULL;

	const char *end = memrchr(markdown, '\n', room_bytes - strlen(note));

	cut = string_format("%.*s%s", end ? (int)(end + 1 - markdown) : 0,
			    markdown, note);
	return append(summary_variable, path, cut);
}
