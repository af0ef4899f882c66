// SPDX-License-Identifier: LGPL-2.1-or-later

#include "bot/build/build_result.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/error.h"
#include "common/base/memory.h"
#include "common/base/string_builder.h"
#include "common/base/text.h"
#include "kbuild/package/package_info.h"

enum {
	/** A year: what takes longer was not measured. */
	SECONDS_MAX = 366 * 24 * 3600,
};

static const char *const outcome_names[] = {
	[BUILD_BUILT] = "built",
	[BUILD_FAILED] = "failed",
	[BUILD_CANCELLED] = "cancelled",
};

static void cleanup_json(json_t **json)
{
	json_decref(*json);
}

#define _cleanup_json_ _cleanup_(cleanup_json)

void build_result_deinit(struct build_result *result)
{
	free(result->error);
	free(result->log);
	string_list_deinit(&result->lost_options);
	*result = (struct build_result){ 0 };
}

/** Text that may hold anything; NULL if there is no memory. */
static json_t *plain_json(const char *text)
{
	_cleanup_string_builder_ struct string_builder sb = STRING_BUILDER_INIT;
	_cleanup_free_ char *clean = NULL;

	if (!text)
		return json_null();
	text_append_plain(&sb, text, strlen(text));
	clean = string_builder_take(&sb);
	return clean ? json_string(clean) : NULL;
}

static json_t *strings_json(const struct string_list *list)
{
	json_t *array = json_array();

	for (size_t i = 0; i < list->count; i++)
		json_array_append_new(array, plain_json(list->items[i]));
	return array;
}

static json_t *seconds_json(const struct build_result *result)
{
	json_t *seconds = json_object();

	for (int i = 0; i < PHASE_COUNT; i++) {
		if (result->duration_ms[i])
			json_object_set_new(seconds, phase_name((enum phase)i),
					    json_real((double)result->duration_ms[i] /
						      1000));
	}
	return seconds;
}

struct error *build_result_format(const struct build_result *result, char **ret)
{
	char release[RELEASE_TEXT_SIZE], version[KERNEL_VERSION_TEXT_SIZE],
		series[KERNEL_VERSION_TEXT_SIZE];
	bool built = result->outcome == BUILD_BUILT;
	bool failed = result->outcome == BUILD_FAILED;
	_cleanup_json_ json_t *json = NULL;

	release_format(&result->release, release);
	kernel_version_format(&result->release.version, version);
	kernel_version_format_series(&result->release.version, series);
	json = json_pack(
		"{s:s, s:s, s:s, s:s, s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o}",
		"release", release, "version", version, "series", series,
		"arch", result->arch, "flavor", result->release.flavor,
		"outcome", outcome_names[result->outcome], "phase",
		failed ? json_string(phase_name(result->phase)) : json_null(),
		"error", plain_json(result->error), "log",
		plain_json(result->log), "seconds", seconds_json(result), "size",
		built ? json_integer((json_int_t)result->size_bytes)
		      : json_null(),
		"sha256", built ? json_string(result->digest) : json_null(),
		"lost_options", strings_json(&result->lost_options));
	*ret = json ? json_dumps(json, JSON_INDENT(2) | JSON_REAL_PRECISION(10))
		    : NULL;
	if (!*ret)
		memory_exhausted();
	return NULL;
}

/** Text from outside is not repeated: it may be anything. */
static struct error *refuse(const char *field)
{
	return error_create(ERROR_OTHER,
			    "no result of a build: \"%s\" is not what it should be",
			    field);
}

static struct error *read_kernel(const json_t *json, struct build_result *result)
{
	const char *release = json_string_value(json_object_get(json, "release"));
	const char *arch = json_string_value(json_object_get(json, "arch"));
	char text[RELEASE_TEXT_SIZE], name[PACKAGE_NAME_SIZE];
	struct release parsed;

	if (!release || !release_parse(release, &result->release))
		return refuse("release");
	release_format(&result->release, text);
	// A package's name is strict about what an architecture may be.
	if (!arch || strlen(arch) >= sizeof(result->arch))
		return refuse("arch");
	package_name_format(text, arch, name);
	if (!package_name_parse(name, &parsed, result->arch) ||
	    strcmp(result->arch, arch) != 0)
		return refuse("arch");
	return NULL;
}

static struct error *read_outcome(const json_t *json, struct build_result *result)
{
	const char *outcome = json_string_value(json_object_get(json, "outcome"));
	const char *phase = json_string_value(json_object_get(json, "phase"));
	size_t i = 0;

	while (i < array_size(outcome_names) && outcome &&
	       strcmp(outcome, outcome_names[i]) != 0)
		i++;
	if (!outcome || i == array_size(outcome_names))
		return refuse("outcome");
	result->outcome = (enum build_outcome)i;
	if (result->outcome == BUILD_FAILED &&
	    (!phase || !phase_find(phase, &result->phase)))
		return refuse("phase");
	return NULL;
}

/** Text, cleaned of what cannot be shown, or null. */
static struct error *read_text(const json_t *json, const char *field, char **ret)
{
	const json_t *value = json_object_get(json, field);
	_cleanup_string_builder_ struct string_builder sb = STRING_BUILDER_INIT;

	if (!value || json_is_null(value))
		return NULL;
	if (!json_is_string(value))
		return refuse(field);
	text_append_plain(&sb, json_string_value(value),
			  json_string_length(value));
	*ret = string_builder_take(&sb);
	return NULL;
}

static struct error *read_seconds(const json_t *json, struct build_result *result)
{
	const json_t *seconds = json_object_get(json, "seconds");

	for (int i = 0; i < PHASE_COUNT; i++) {
		const json_t *value =
			json_object_get(seconds, phase_name((enum phase)i));
		double number = json_number_value(value);

		if (!(number >= 0 && number <= SECONDS_MAX))
			return refuse("seconds");
		result->duration_ms[i] = (uint64_t)(number * 1000);
	}
	return NULL;
}

static struct error *read_lost_options(const json_t *json,
				       struct build_result *result)
{
	const json_t *item, *list = json_object_get(json, "lost_options");
	size_t i;

	if (list && !json_is_array(list))
		return refuse("lost_options");
	json_array_foreach(list, i, item)
	{
		const char *text = json_string_value(item);

		if (!text || !lost_option_is_valid(text))
			return refuse("lost_options");
		string_list_add(&result->lost_options, text);
	}
	return NULL;
}

static struct error *read_package(const json_t *json, struct build_result *result)
{
	const json_t *size = json_object_get(json, "size");
	const char *digest = json_string_value(json_object_get(json, "sha256"));

	if (result->outcome != BUILD_BUILT)
		return NULL;
	if (!json_is_integer(size) || json_integer_value(size) <= 0)
		return refuse("size");
	if (!digest || !digest_is_valid(digest))
		return refuse("sha256");
	result->size_bytes = (uint64_t)json_integer_value(size);
	memcpy(result->digest, digest, sizeof(result->digest));
	return NULL;
}

struct error *build_result_parse(const char *text, const char *name,
				 struct build_result *ret)
{
	struct error *err;
	_cleanup_build_result_ struct build_result result = { 0 };
	json_error_t problem;
	_cleanup_json_ json_t *json =
		json_loads(text, JSON_REJECT_DUPLICATES, &problem);

	if (!json)
		return error_create(ERROR_OTHER, "%s: no JSON: line %d: %s",
				    name, problem.line, problem.text);
	err = read_kernel(json, &result);
	if (!err)
		err = read_outcome(json, &result);
	if (!err)
		err = read_text(json, "error", &result.error);
	if (!err)
		err = read_text(json, "log", &result.log);
	if (!err)
		err = read_seconds(json, &result);
	if (!err)
		err = read_package(json, &result);
	if (!err)
		err = read_lost_options(json, &result);
	if (err)
		return error_wrap(err, "%s", name);
	*ret = result;
	result = (struct build_result){ 0 };
	return NULL;
}
