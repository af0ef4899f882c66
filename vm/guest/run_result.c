// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/guest/run_result.h"

#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/json.h"
#include "common/base/text.h"

static const char *const outcome_names[] = {
	[RUN_EXITED] = "exited",
	[RUN_TIMED_OUT] = "timed_out",
	[RUN_LOST] = "lost",
	[RUN_NOT_RUN] = "not_run",
};

void run_result_deinit(struct run_result *result)
{
	free(result->reason);
	free(result->log);
	string_list_deinit(&result->splats);
	*result = (struct run_result){ 0 };
}

struct error *run_result_format(const struct run_result *result, char **ret)
{
	bool booted = result->boot_ms > 0;
	json_t *json =
		json_pack("{s:o, s:s, s:i, s:o, s:o, s:o, s:o, s:o, s:I}",
			  "release",
			  *result->release ? text_json(result->release)
					   : json_null(),
			  "outcome", outcome_names[result->outcome], "status",
			  result->status, "exit_status",
			  result->outcome == RUN_EXITED
				  ? json_integer(result->exit_status)
				  : json_null(),
			  "reason", text_json(result->reason), "boot_ms",
			  booted ? json_integer((json_int_t)result->boot_ms)
				 : json_null(),
			  "command_ms",
			  booted ? json_integer((json_int_t)result->command_ms)
				 : json_null(),
			  "splats", strings_json(&result->splats),
			  "splat_count", (json_int_t)result->splat_count);
	*ret = json_text(json, JSON_INDENT(2));
	return NULL;
}

static struct error *read_release(const struct value *value, void *ret)
{
	struct error *err;
	const char *text;

	err = value_string(value, &text);
	if (err)
		return err;
	snprintf(ret, RELEASE_TEXT_SIZE, "%s", text);
	return NULL;
}

// clang-format off
static const struct value_row rows[] = {
	VALUE_OPTIONAL("release", read_release, struct run_result, release),
	VALUE_NAME("outcome", outcome_names, struct run_result, outcome),
	VALUE_NUMBER("status", INT_MIN, INT_MAX, struct run_result, status),
	VALUE_OPTIONAL_NUMBER("exit_status", INT_MIN, INT_MAX, struct run_result, exit_status),
	VALUE_OPTIONAL("reason", value_copy, struct run_result, reason),
	VALUE_OPTIONAL_NUMBER("boot_ms", 0, INT64_MAX, struct run_result, boot_ms),
	VALUE_OPTIONAL_NUMBER("command_ms", 0, INT64_MAX, struct run_result, command_ms),
	VALUE_REQUIRED("splats", value_strings, struct run_result, splats),
	VALUE_NUMBER("splat_count", 0, INT_MAX, struct run_result, splat_count),
};
// clang-format on

struct error *run_result_parse(const char *text, const char *name,
			       struct run_result *ret)
{
	struct error *err;

	_cleanup_value_ struct value document = { 0 };
	err = value_parse(text, strlen(text), name, ERROR_OTHER, &document);
	if (err)
		return err;
	_cleanup_run_result_ struct run_result result = { 0 };
	err = value_read(&document, rows, array_size(rows), &result);
	if (err)
		return err;
	*ret = take(result);
	return NULL;
}
