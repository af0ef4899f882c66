// SPDX-License-Identifier: LGPL-2.1-or-later

#include "bot/build/build_result.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/json.h"
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

void build_result_deinit(struct build_result *result)
{
	free(result->error);
	free(result->log);
	string_list_deinit(&result->lost_options);
	*result = (struct build_result){ 0 };
}

/** Text that may hold anything. */
static json_t *plain_json(const char *text)
{
	_cleanup_string_builder_ struct string_builder sb = STRING_BUILDER_INIT;
	_cleanup_free_ char *clean = NULL;

	if (!text)
		return json_null();
	text_append_plain(&sb, text, strlen(text));
	clean = string_builder_take(&sb);
	return json_string(clean);
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

	release_format(&result->release, release);
	kernel_version_format(&result->release.version, version);
	kernel_version_format_series(&result->release.version, series);
	json_t *json = json_pack(
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
	*ret = json_text(json, JSON_INDENT(2) | JSON_REAL_PRECISION(10));
	return NULL;
}

static struct error *read_phase(const struct value *value, void *ret)
{
	const char *name = json_string_value(value->json);

	if (!name || !phase_find(name, ret))
		return value_error(value, "expected the phase that failed");
	return NULL;
}

/** Text, cleaned of what cannot be shown. */
static struct error *read_plain(const struct value *value, void *ret)
{
	struct error *err;
	const char *text;

	err = value_string(value, &text);
	if (err)
		return err;
	_cleanup_string_builder_ struct string_builder sb = STRING_BUILDER_INIT;
	text_append_plain(&sb, text, strlen(text));
	*(char **)ret = string_builder_take(&sb);
	return NULL;
}

static struct error *read_seconds(const struct value *value, void *ret)
{
	uint64_t *duration_ms = ret;

	for (int i = 0; i < PHASE_COUNT; i++) {
		const struct value phase =
			value_member(value, phase_name((enum phase)i));
		double number = json_number_value(phase.json);

		if (!(number >= 0 && number <= SECONDS_MAX))
			return value_error(&phase, "expected seconds");
		duration_ms[i] = (uint64_t)(number * 1000);
	}
	return NULL;
}

static struct error *read_digest(const struct value *value, void *ret)
{
	const char *digest = json_string_value(value->json);

	if (!digest || !digest_is_valid(digest))
		return value_error(value, "expected a SHA-256 digest");
	memcpy(ret, digest, DIGEST_TEXT_SIZE);
	return NULL;
}

// clang-format off
static const struct value_row rows[] = {
	VALUE_REQUIRED("release", value_release, struct build_result, release),
	VALUE_REQUIRED("arch", value_arch, struct build_result, arch),
	VALUE_NAME("outcome", outcome_names, struct build_result, outcome),
	VALUE_OPTIONAL("error", read_plain, struct build_result, error),
	VALUE_OPTIONAL("log", read_plain, struct build_result, log),
	VALUE_OPTIONAL("seconds", read_seconds, struct build_result, duration_ms),
	VALUE_OPTIONAL("lost_options", value_lost_options, struct build_result, lost_options),
};

static const struct value_row built_rows[] = {
	VALUE_NUMBER("size", 1, INT64_MAX, struct build_result, size_bytes),
	VALUE_REQUIRED("sha256", read_digest, struct build_result, digest),
};

static const struct value_row failed_rows[] = {
	VALUE_REQUIRED("phase", read_phase, struct build_result, phase),
};
// clang-format on

struct error *build_result_parse(const char *text, const char *name,
				 struct build_result *ret)
{
	struct error *err;

	_cleanup_value_ struct value document = { 0 };
	err = value_parse(text, strlen(text), name, ERROR_OTHER, &document);
	if (err)
		return err;
	_cleanup_build_result_ struct build_result result = { 0 };
	err = value_read(&document, rows, array_size(rows), &result);
	if (!err && result.outcome == BUILD_BUILT)
		err = value_read(&document, built_rows, array_size(built_rows),
				 &result);
	if (!err && result.outcome == BUILD_FAILED)
		err = value_read(&document, failed_rows,
				 array_size(failed_rows), &result);
	if (err)
		return err;
	*ret = take(result);
	return NULL;
}
