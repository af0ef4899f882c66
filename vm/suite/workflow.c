// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/suite/workflow.h"

#include <stdio.h>

#include "common/base/string_builder.h"
#include "common/github/workflow_command.h"
#include "vm/suite/suite.h"

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
			workflow_append_annotation(sb, WORKFLOW_ERROR, text,
						   "The step's summary has them all.");
			return;
		}
		snprintf(text, sizeof(text), "%s: %s", item->name,
			 suite_state_name(item->state));
		workflow_append_annotation(sb, WORKFLOW_ERROR, text,
					   item->reason ? item->reason : "");
		shown++;
		left--;
	}
}
