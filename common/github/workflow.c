// SPDX-License-Identifier: LGPL-2.1-or-later

#include "common/github/workflow.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
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
				const char *message,
				const struct workflow_place *place)
{
	string_builder_appendf(sb, "::%s ", level_names[level]);
	if (place && place->file) {
		string_builder_append(sb, "file=");
		append_encoded(sb, place->file, ENCODED_IN_PROPERTY);
		string_builder_appendf(sb, ",line=%u,", place->line);
	}
	string_builder_append(sb, "title=");
	append_encoded(sb, title, ENCODED_IN_PROPERTY);
	string_builder_append(sb, "::");
	append_encoded(sb, message, ENCODED_IN_MESSAGE);
	string_builder_append_char(sb, '\n');
}

void workflow_append_errors(struct string_builder *sb,
			    const struct string_list *titles,
			    const struct string_list *messages,
			    const struct workflow_place *places)
{
	size_t count = titles->count;
	size_t shown = count > ANNOTATION_LIMIT ? ANNOTATION_LIMIT - 1 : count;

	for (size_t i = 0; i < shown; i++)
		workflow_append_annotation(sb, WORKFLOW_ERROR, titles->items[i],
					   messages->items[i],
					   places ? &places[i] : NULL);
	if (shown == count)
		return;
	_cleanup_free_ char *more =
		string_format("%zu more kernels", count - shown);
	workflow_append_annotation(sb, WORKFLOW_ERROR, more,
				   "The step's summary has them all.", NULL);
}

void workflow_log_annotation(enum workflow_level level, const char *title,
			     const char *format, ...)
{
	if (!workflow_is_active())
		return;
	va_list ap;
	va_start(ap, format);
	_cleanup_free_ char *message = string_vformat(format, ap);
	va_end(ap);
	_cleanup_string_builder_ struct string_builder sb = { 0 };
	workflow_append_annotation(&sb, level, title, message, NULL);
	print(&sb);
}

void workflow_log_mask_token(void)
{
	if (!workflow_is_active())
		return;
	char *token;
	// One that is none is refused by whoever wants to use it. One that is
	// needs no encoding.
	error_destroy(github_token_read(&token));
	if (!token)
		return;
	fprintf(stderr, "::add-mask::%s\n", token);
	fflush(stderr);
	github_token_destroy(token);
}

static void append_group_begin(struct string_builder *sb, const char *title,
			       char token_ret[static WORKFLOW_TOKEN_SIZE])
{
	unsigned long random[2];

	arc4random_buf(random, sizeof(random));
	snprintf(token_ret, WORKFLOW_TOKEN_SIZE, "%016lx%016lx", random[0],
		 random[1]);
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
	*group = (struct workflow_group){ "" };
	if (!workflow_is_active())
		return;
	va_list ap;
	va_start(ap, format);
	_cleanup_free_ char *title = string_vformat(format, ap);
	va_end(ap);
	_cleanup_string_builder_ struct string_builder sb = { 0 };
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

static struct error *append(const char *variable, const char *text)
{
	const char *path = getenv(variable);

	_cleanup_close_ int fd =
		open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
	if (fd < 0)
		return error_create_os(errno, "%s: open %s", variable, path);
	int errnum = write_all(fd, text, strlen(text));
	if (errnum)
		return error_create_os(errnum, "%s: write %s", variable, path);
	return NULL;
}

struct error *workflow_outputs_write(const char *text)
{
	static const char variable[] = "GITHUB_OUTPUT";
	const char *path = getenv(variable);

	if (!path || !*path)
		return error_create(ERROR_USAGE,
				    "%s is not set: this is not a step of a GitHub Actions workflow",
				    variable);
	return append(variable, text);
}

static const char summary_variable[] = "GITHUB_STEP_SUMMARY";

size_t workflow_summary_room(void)
{
	const char *path = getenv(summary_variable);
	struct stat st;

	if (!path || !*path)
		return 0;
	if (stat(path, &st) < 0)
		return WORKFLOW_SUMMARY_LIMIT;
	return st.st_size < WORKFLOW_SUMMARY_LIMIT
		       ? WORKFLOW_SUMMARY_LIMIT - (size_t)st.st_size
		       : 0;
}

struct error *workflow_summary_write(const char *markdown)
{
	size_t length = strlen(markdown);

	if (!length || length > workflow_summary_room())
		return NULL;
	return append(summary_variable, markdown);
}
