// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/guest/run_result.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/error.h"
#include "common/base/memory.h"
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

static void cleanup_json(json_t **json)
{
	json_decref(*json);
}

#define _cleanup_json_ _cleanup_(cleanup_json)

struct error *run_result_format(const struct run_result *result, char **ret)
{
	bool booted = result->boot_ms > 0;
	_cleanup_json_ json_t *json = NULL;
	json_t *splats = json_array();

	for (size_t i = 0; i < result->splats.count; i++)
		json_array_append_new(splats, text_json(result->splats.items[i]));
	json = json_pack("{s:o, s:s, s:i, s:o, s:o, s:o, s:o, s:o, s:I}",
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
			 "splats", splats, "splat_count",
			 (json_int_t)result->splat_count);
	*ret = json ? json_dumps(json, JSON_INDENT(2)) : NULL;
	if (!*ret)
		memory_exhausted();
	return NULL;
}

static struct error *parse_outcome(const char *text, const char *name,
				   enum run_outcome *ret)
{
	for (size_t i = 0; i < array_size(outcome_names); i++) {
		if (strcmp(outcome_names[i], text) == 0) {
			*ret = (enum run_outcome)i;
			return NULL;
		}
	}
	return error_create(ERROR_OTHER, "%s: unknown outcome '%s'", name, text);
}

struct error *run_result_parse(const char *text, const char *name,
			       struct run_result *ret)
{
	struct error *err;
	json_error_t problem;
	const char *outcome;
	json_t *release, *reason, *splats, *exit_status, *boot_ms, *command_ms,
		*splat;
	json_int_t splat_count;
	size_t i;
	_cleanup_json_ json_t *json = json_loads(text, 0, &problem);
	_cleanup_run_result_ struct run_result result = { 0 };

	if (!json ||
	    json_unpack_ex(json, &problem, 0,
			   "{s:o, s:s, s:i, s:o, s:o, s:o, s:o, s:o, s:I}",
			   "release", &release, "outcome", &outcome, "status",
			   &result.status, "exit_status", &exit_status, "reason",
			   &reason, "boot_ms", &boot_ms, "command_ms", &command_ms,
			   "splats", &splats, "splat_count", &splat_count) < 0)
		return error_create(ERROR_OTHER, "%s: %s", name, problem.text);
	err = parse_outcome(outcome, name, &result.outcome);
	if (err)
		return err;
	snprintf(result.release, sizeof(result.release), "%s",
		 json_is_string(release) ? json_string_value(release) : "");
	result.exit_status = (int)json_integer_value(exit_status);
	result.boot_ms = (uint64_t)json_integer_value(boot_ms);
	result.command_ms = (uint64_t)json_integer_value(command_ms);
	result.splat_count = (size_t)splat_count;
	json_array_foreach(splats, i, splat)
	{
		const char *line = json_string_value(splat);

		if (line)
			string_list_add(&result.splats, line);
	}
	if (json_is_string(reason)) {
		result.reason = string_copy(json_string_value(reason));
	}
	*ret = result;
	result = (struct run_result){ 0 };
	return NULL;
}
