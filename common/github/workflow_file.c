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

void workflow_append_cut(struct string_builder *sb, const char *text,
			 size_t limit_bytes)
{
	static const char note[] = "\nThere is no room for more.\n";
	const char *end;

	if (strlen(text) <= limit_bytes) {
		string_builder_append(sb, text);
		return;
	}
	if (limit_bytes < strlen(note))
		return;
	end = memrchr(text, '\n', limit_bytes - strlen(note));
	string_builder_append_n(sb, text, end ? (size_t)(end + 1 - text) : 0);
	string_builder_append(sb, note);
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
	struct error *err;
	const char *path = get_path(summary_variable);
	_cleanup_string_builder_ struct string_builder sb = STRING_BUILDER_INIT;
	size_t room_bytes;

	if (!path)
		return NULL;
	err = workflow_summary_room(&room_bytes);
	if (err)
		return err;
	workflow_append_cut(&sb, markdown, room_bytes);
	return append(summary_variable, path, sb.text ? sb.text : "");
}
