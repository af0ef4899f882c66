// SPDX-License-Identifier: LGPL-2.1-or-later

#include "common/github/workflow_command.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "common/base/error.h"
#include "common/base/string_builder.h"

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
					       (unsigned int)(unsigned char)*text);
		else
			string_builder_append_char(sb, *text);
	}
}

void workflow_append_message(struct string_builder *sb, const char *text)
{
	append_encoded(sb, text, "%\r\n");
}

void workflow_append_property(struct string_builder *sb, const char *text)
{
	append_encoded(sb, text, "%\r\n:,");
}

void workflow_append_annotation(struct string_builder *sb,
				enum workflow_level level, const char *title,
				const char *message)
{
	string_builder_appendf(sb, "::%s title=", level_names[level]);
	workflow_append_property(sb, title);
	string_builder_append(sb, "::");
	workflow_append_message(sb, message);
	string_builder_append_char(sb, '\n');
}

void workflow_append_mask(struct string_builder *sb, const char *secret)
{
	string_builder_append(sb, "::add-mask::");
	workflow_append_message(sb, secret);
	string_builder_append_char(sb, '\n');
}

struct error *workflow_make_token(char token_ret[static WORKFLOW_TOKEN_SIZE])
{
	unsigned long long random[2];

	if (getrandom(random, sizeof(random), 0) != sizeof(random))
		return error_create_os(errno, "getrandom");
	snprintf(token_ret, WORKFLOW_TOKEN_SIZE, "%016llx%016llx", random[0],
		 random[1]);
	return NULL;
}

void workflow_append_group_begin(struct string_builder *sb, const char *title,
				 const char *token)
{
	string_builder_append(sb, "::group::");
	workflow_append_message(sb, title);
	string_builder_appendf(sb, "\n::stop-commands::%s\n", token);
}

void workflow_append_group_end(struct string_builder *sb, const char *token)
{
	string_builder_appendf(sb, "::%s::\n::endgroup::\n", token);
}

void workflow_append_group(struct string_builder *sb, const char *title,
			   const char *text, const char *token)
{
	size_t length = strlen(text);

	workflow_append_group_begin(sb, title, token);
	string_builder_append(sb, text);
	if (length && text[length - 1] != '\n')
		string_builder_append_char(sb, '\n');
	workflow_append_group_end(sb, token);
}
