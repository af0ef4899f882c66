// SPDX-License-Identifier: LGPL-2.1-or-later

#include "common/github/workflow.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/error.h"
#include "common/base/file.h"
#include "common/base/memory.h"
#include "common/base/text.h"
#include "common/github/github.h"

/** What would end a message, or mean a character that was encoded. */
#define ENCODED_IN_MESSAGE "%\r\n"
/** The same for the value of a property, such as `title=`. */
#define ENCODED_IN_PROPERTY "%\r\n:,"

enum {
	/** Annotations of a kind that are shown of a step. */
	ANNOTATION_LIMIT = 10,
};

static const char *const level_names[] = {
	[WORKFLOW_NOTICE] = "notice",
	[WORKFLOW_WARNING] = "warning",
	[WORKFLOW_ERROR] = "error",
};

bool workflow_is_active(void)
{
	const char *active = getenv("GITHUB_ACTIONS");

	return active && strcmp(active, "true") == 0;
}

/** Append text with each of the characters written as `%XX`. */
static void append_encoded(struct string_builder *sb, const char *text,
			   const char *characters)
{
	for (; *text; text++) {
		if (strchr(characters, *text))
			string_builder_appendf(sb, "%%%02X",
					       (unsigned char)*text);
		else
			string_builder_append_char(sb, *text);
	}
}

/** What cannot be shown is missed, and no reason to fail. */
static void print(const struct string_builder *sb)
{
	fputs(sb->text, stderr);
	fflush(stderr);
}

void workflow_append_annotation(struct string_builder *sb,
				enum workflow_level level, const char *title,
				const char *message)
{
	string_builder_appendf(sb, "::%s title=", level_names[level]);
	append_encoded(sb, title, ENCODED_IN_PROPERTY);
	string_builder_append(sb, "::");
	append_encoded(sb, message, ENCODED_IN_MESSAGE);
	string_builder_append_char(sb, '\n');
}

void workflow_append_errors(struct string_builder *sb,
			    const struct string_list *titles,
			    const struct string_list *messages)
{
	size_t count = titles->count;
	size_t shown = count > ANNOTATION_LIMIT ? ANNOTATION_LIMIT - 1 : count;

	for (size_t i = 0; i < shown; i++)
		workflow_append_annotation(sb, WORKFLOW_ERROR, titles->items[i],
					   messages->items[i]);
	if (shown == count)
		return;
	_cleanup_free_ char *more =
		string_format("%zu more kernels", count - shown);
	workflow_append_annotation(sb, WORKFLOW_ERROR, more,
				   "The step's summary has them all.");
}

void workflow_log_annotation(enum workflow_level level, const char *title,
			     const char *format, ...)
{
	_cleanup_string_builder_ struct string_builder sb = { 0 };
	va_list ap;

	if (!workflow_is_active())
		return;
	va_start(ap, format);
	_cleanup_free_ char *message = string_vformat(format, ap);
	va_end(ap);
	workflow_append_annotation(&sb, level, title, message);
	print(&sb);
}

void workflow_log_mask_token(void)
{
	char *token;

	if (!workflow_is_active())
		return;
	// One that is none is refused by whoever wants to use it. One that is
	// needs no encoding.
	error_destroy(github_token_read(&token));
	if (!token)
		return;
	fprintf(stderr, "::add-mask::%s\n", token);
	fflush(stderr);
	github_token_destroy(token);
}

static void make_token(char token_ret[static WORKFLOW_TOKEN_SIZE])
{
	uint64_t random[2];

	arc4random_buf(random, sizeof(random));
	snprintf(token_ret, WORKFLOW_TOKEN_SIZE, "%016jx%016jx",
		 (uintmax_t)random[0], (uintmax_t)random[1]);
}

static void append_group_begin(struct string_builder *sb, const char *title,
			       char token_ret[static WORKFLOW_TOKEN_SIZE])
{
	make_token(token_ret);
	string_builder_append(sb, "::group::");
	append_encoded(sb, title, ENCODED_IN_MESSAGE);
	string_builder_appendf(sb, "\n::stop-commands::%s\n", token_ret);
}

static void append_group_end(struct string_builder *sb, const char *token)
{
	string_builder_appendf(sb, "::%s::\n::endgroup::\n", token);
}

void workflow_append_group(struct string_builder *sb, const char *title,
			   const char *text)
{
	size_t length = strlen(text);
	char token[WORKFLOW_TOKEN_SIZE];

	append_group_begin(sb, title, token);
	string_builder_append(sb, text);
	if (length && text[length - 1] != '\n')
		string_builder_append_char(sb, '\n');
	append_group_end(sb, token);
}

void workflow_group_begin(struct workflow_group *group, const char *format, ...)
{
	_cleanup_string_builder_ struct string_builder sb = { 0 };
	va_list ap;

	*group = (struct workflow_group){ "" };
	if (!workflow_is_active())
		return;
	va_start(ap, format);
	_cleanup_free_ char *title = string_vformat(format, ap);
	va_end(ap);
	append_group_begin(&sb, title, group->token);
	print(&sb);
}

void workflow_group_end(struct workflow_group *group)
{
	_cleanup_string_builder_ struct string_builder sb = { 0 };

	if (!*group->token)
		return;
	append_group_end(&sb, group->token);
	group->token[0] = '\0';
	print(&sb);
}

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
	make_token(token);
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
