// SPDX-License-Identifier: LGPL-2.1-or-later

#include "common/github/workflow_log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/base/error.h"
#include "common/base/string_builder.h"
#include "common/github/github_token.h"

/** What cannot be shown is missed, and no reason to fail. */
static void print(struct string_builder *sb)
{
	_cleanup_free_ char *text = NULL;

	text = string_builder_take(sb);
	if (text)
		fputs(text, stderr);
	fflush(stderr);
}

/** @return NULL if there is no memory. */
_printf_(1, 0) static char *format_text(const char *format, va_list ap)
{
	char *text;

	return vasprintf(&text, format, ap) < 0 ? NULL : text;
}

void workflow_log_annotation(enum workflow_level level, const char *title,
			     const char *format, ...)
{
	_cleanup_string_builder_ struct string_builder sb = STRING_BUILDER_INIT;
	_cleanup_free_ char *message = NULL;
	va_list ap;

	if (!workflow_is_active())
		return;
	va_start(ap, format);
	message = format_text(format, ap);
	va_end(ap);
	if (!message)
		return;
	workflow_append_annotation(&sb, level, title, message);
	print(&sb);
}

void workflow_log_mask_token(void)
{
	_cleanup_string_builder_ struct string_builder sb = STRING_BUILDER_INIT;
	char *token;

	if (!workflow_is_active())
		return;
	// One that is none is refused by whoever wants to use it.
	error_destroy(github_token_read(&token));
	if (!token)
		return;
	workflow_append_mask(&sb, token);
	github_token_destroy(token);
	fputs(sb.text, stderr);
	fflush(stderr);
	explicit_bzero(sb.text, sb.capacity);
}

void workflow_group_begin(struct workflow_group *group, const char *format, ...)
{
	_cleanup_string_builder_ struct string_builder sb = STRING_BUILDER_INIT;
	_cleanup_free_ char *title = NULL;
	va_list ap;

	*group = (struct workflow_group){ "" };
	if (!workflow_is_active())
		return;
	va_start(ap, format);
	title = format_text(format, ap);
	va_end(ap);

	_cleanup_error_ struct error *err = workflow_make_token(group->token);

	if (err || !title)
		return;
	workflow_append_group_begin(&sb, title, group->token);
	print(&sb);
}

void workflow_group_end(struct workflow_group *group)
{
	_cleanup_string_builder_ struct string_builder sb = STRING_BUILDER_INIT;

	if (!*group->token)
		return;
	workflow_append_group_end(&sb, group->token);
	group->token[0] = '\0';
	print(&sb);
}
