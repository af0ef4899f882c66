// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/workflow.h"

#include <stdio.h>
#include <string.h>

#include "common/string_builder.h"
#include "vm/suite.h"

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

void workflow_append_group(struct string_builder *sb, const char *title,
			   const char *text, const char *token)
{
	size_t length = strlen(text);

	string_builder_append(sb, "::group::");
	workflow_append_message(sb, title);
	string_builder_appendf(sb, "\n::stop-commands::%s\n%s%s::%s::\n", token,
			       text,
			       length && text[length - 1] != '\n' ? "\n" : "",
			       token);
	string_builder_append(sb, "::endgroup::\n");
}

void workflow_append_error(struct string_builder *sb, const char *title,
			   const char *message)
{
	string_builder_append(sb, "::error title=");
	workflow_append_property(sb, title);
	string_builder_append(sb, "::");
	workflow_append_message(sb, message);
	string_builder_append_char(sb, '\n');
}

void workflow_append_errors(struct string_builder *sb, const struct suite *suite)
{
	size_t left = 0;
	size_t shown = 0;

	for (size_t i = 0; i < suite->count; i++)
		left += suite_state_is_failure(suite->items[i].state);
	for (size_t i = 0; i < suite->count; i++) {
		const struct suite_item *item = &suite->items[i];
		char text[512];

		if (!suite_state_is_failure(item->state))
			continue;
		if (shown + 1 == WORKFLOW_ANNOTATION_LIMIT && left > 1) {
			snprintf(text, sizeof(text), "%zu more kernels", left);
			workflow_append_error(sb, text,
					      "The step's summary has them all.");
			return;
		}
		snprintf(text, sizeof(text), "%s: %s", item->name,
			 suite_state_name(item->state));
		workflow_append_error(sb, text, item->reason ? item->reason : "");
		shown++;
		left--;
	}
}
