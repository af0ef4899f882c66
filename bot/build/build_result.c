// SPDX-License-Identifier: LGPL-2.1-or-later

#include "bot/build/build.h"

#include <fnmatch.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "bot/plan/plan.h"
#include "common/base/error.h"
#include "common/base/file.h"
#include "common/base/json.h"
#include "common/base/log.h"
#include "common/base/memory.h"
#include "common/base/text.h"
#include "common/store/store.h"
#include "kbuild/package/package.h"

enum {
	/** A year: what takes longer was not measured. */
	SECONDS_MAX = 366 * 24 * 3600,
	/** A result has a log of some kilobytes. */
	RESULT_BYTES_MAX = 1 << 20,
	/** Of why a build failed: an issue has that of each kernel. */
	CAUSE_BYTES = 500,
	/** As many fit into a cell of a table; the package names all. */
	NAMES_MAX = 5,
};

static const char *const outcome_names[] = {
	[BUILD_BUILT] = "built",
	[BUILD_FAILED] = "failed",
	[BUILD_UNAVAILABLE] = "unavailable",
};

void build_result_deinit(struct build_result *result)
{
	free(result->compiler);
	free(result->error);
	free(result->log);
	string_list_deinit(&result->lost_options);
	*result = (struct build_result){ 0 };
}

void build_result_end(struct build_result *result, const struct error *failure)
{
	bool is_missing = error_is(failure, ERROR_NOT_FOUND) &&
			  result->clock.current == PHASE_SOURCE;
	result->outcome = !failure     ? BUILD_BUILT
			  : is_missing ? BUILD_UNAVAILABLE
				       : BUILD_FAILED;
	if (!failure)
		return;
	const char *message = error_message(failure);
	struct string_builder sb = { 0 };
	// A path or a server's words need not be UTF-8, all that is made of it must.
	text_append_plain(&sb, message, strlen(message));
	result->error = string_builder_take(&sb);
}

char *build_result_format(const struct build_result *result)
{
	bool built = result->outcome == BUILD_BUILT;
	bool failed = result->outcome == BUILD_FAILED;
	json_t *json = plan_release_json(&result->release, result->arch);
	json_t *seconds = json_object();

	for (int i = 0; i < PHASE_COUNT; i++) {
		double ms = (double)result->clock.duration_ms[i];

		if (ms > 0)
			json_object_set_new(seconds, phase_names[i],
					    json_real(ms / 1000));
	}
	json_object_update_new(
		json,
		json_pack("{s:s, s:s?, s:s?, s:o, s:o, s:o, s:o, s:s?, s:o}",
			  "outcome", outcome_names[result->outcome], "phase",
			  failed ? phase_names[result->clock.current] : NULL,
			  "compiler", result->compiler, "error",
			  text_json(result->error), "log",
			  text_json(result->log), "seconds", seconds, "size",
			  built ? json_integer((json_int_t)result->size_bytes)
				: json_null(),
			  "sha256", built ? result->digest : NULL,
			  "lost_options", strings_json(&result->lost_options)));
	return json_text(json, JSON_INDENT(2) | JSON_REAL_PRECISION(10));
}

/** Text, cleaned of what cannot be shown. */
static struct error *read_plain(const struct value *value, void *ret)
{
	struct error *err;
	const char *text;

	err = value_string(value, &text);
	if (err)
		return err;
	_cleanup_string_builder_ struct string_builder sb = { 0 };
	text_append_plain(&sb, text, strlen(text));
	*(char **)ret = string_builder_take(&sb);
	return NULL;
}

/** An error of any length, as an issue and a table can take it. */
static struct error *read_cause(const struct value *value, void *ret)
{
	char **cause = ret;
	struct error *err = read_plain(value, cause);

	size_t size = err ? 0 : strlen(*cause);
	if (size <= CAUSE_BYTES)
		return err;
	size_t shown = utf8_cut(*cause, size, CAUSE_BYTES - strlen("..."));
	memcpy(*cause + shown, "...", sizeof("..."));
	return NULL;
}

static struct error *read_seconds(const struct value *value, void *ret)
{
	uint64_t *duration_ms = ret;

	for (int i = 0; i < PHASE_COUNT; i++) {
		const struct value phase = value_member(value, phase_names[i]);
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
	VALUE_OPTIONAL("compiler", read_plain, struct build_result, compiler),
	VALUE_OPTIONAL("error", read_cause, struct build_result, error),
	VALUE_OPTIONAL("log", read_plain, struct build_result, log),
	VALUE_OPTIONAL("seconds", read_seconds, struct build_result, clock.duration_ms),
	VALUE_OPTIONAL("lost_options", value_lost_options, struct build_result, lost_options),
};

static const struct value_row built_rows[] = {
	VALUE_NUMBER("size", 1, INT64_MAX, struct build_result, size_bytes),
	VALUE_REQUIRED("sha256", read_digest, struct build_result, digest),
};

static const struct value_row failed_rows[] = {
	VALUE_NAME("phase", phase_names, struct build_result, clock.current),
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

struct error *build_result_load(const char *path, struct build_result *ret)
{
	struct error *err;

	_cleanup_free_ char *text = NULL;
	err = file_read(path, RESULT_BYTES_MAX, &text, NULL);
	return err ? err : build_result_parse(text, path, ret);
}

struct error *build_result_check(const struct build_result *result,
				 const char *path)
{
	struct error *err;

	char release[RELEASE_TEXT_SIZE], name[PACKAGE_NAME_SIZE];
	release_format(&result->release, release);
	package_name_format(release, result->arch, name);
	if (strcmp(path_name(path), name) != 0)
		return error_create(ERROR_OTHER, "%s: the result is that of %s",
				    path, name);
	if (result->outcome != BUILD_BUILT)
		return error_create(ERROR_OTHER,
				    "%s: the result says that it was not built",
				    path);
	char digest[DIGEST_TEXT_SIZE];
	uint64_t size_bytes;
	err = digest_file(path, digest, &size_bytes);
	if (err)
		return err;
	if (size_bytes != result->size_bytes ||
	    strcmp(digest, result->digest) != 0)
		return error_create(ERROR_OTHER,
				    "%s: it is not what was built: its digest is %s, the result's %s",
				    path, digest, result->digest);
	return package_info_check(path, &result->release, result->arch);
}

void build_results_deinit(struct build_results *results)
{
	for (size_t i = 0; i < results->count; i++)
		build_result_deinit(&results->items[i]);
	free(results->items);
	*results = (struct build_results){ 0 };
}

struct error *build_results_load(const char *directory, struct build_results *ret)
{
	struct error *err;

	if (!directory_exists(directory)) {
		log_warning("%s: no such directory, and so no results",
			    directory);
		return NULL;
	}
	_cleanup_string_list_ struct string_list files = { 0 };
	err = tree_list(directory, NULL, &files);
	if (err)
		return err;
	for (size_t i = 0; i < files.count; i++) {
		if (fnmatch("*[!/].json", files.items[i], 0) != 0)
			continue;
		_cleanup_free_ char *path = path_join(directory, files.items[i]);
		struct build_result result = { 0 };
		err = build_result_load(path, &result);
		if (err)
			log_warning("%s", error_message(err));
		else
			vector_add(ret) = result;
		error_destroy(err);
	}
	return NULL;
}

const struct build_result *build_results_find(const struct build_results *results,
					      const struct release *release,
					      const char *arch)
{
	const struct build_result *found = NULL;

	for (size_t i = 0; i < results->count; i++) {
		const struct build_result *result = &results->items[i];

		if (release_compare(&result->release, release) != 0 ||
		    strcmp(result->arch, arch) != 0)
			continue;
		if (!found || result->outcome == BUILD_BUILT)
			found = result;
	}
	return found;
}

static const char without[] = " without ", signed_by[] = " signed by ";

char *lost_options_format(const struct string_list *lost)
{
	_cleanup_string_builder_ struct string_builder sb = { 0 };

	for (size_t i = 0; i < lost->count && i < NAMES_MAX; i++)
		string_builder_appendf(&sb, "%s%s", i ? ", " : without + 1,
				       lost->items[i]);
	if (lost->count > NAMES_MAX)
		string_builder_appendf(&sb, " and %zu more",
				       lost->count - NAMES_MAX);
	return string_builder_take(&sb);
}

char *asset_label_format(const char *asset_name, const struct package_notes *notes)
{
	_cleanup_string_builder_ struct string_builder sb = { 0 };

	string_builder_append(&sb, asset_name);
	// A fingerprint, which the package has, is not for a page.
	if (notes->signature)
		string_builder_appendf(&sb, "%s%.*s", signed_by,
				       (int)strcspn(notes->signature, ","),
				       notes->signature);
	_cleanup_free_ char *lost = lost_options_format(&notes->lost_options);
	if (*lost)
		string_builder_appendf(&sb, " %s", lost);
	return sb.length > strlen(asset_name) ? string_builder_take(&sb) : NULL;
}

/** What follows the name; "" if there is no such label. */
static const char *label_rest(const struct asset *asset)
{
	size_t length = strlen(asset->name);

	return asset->label && strncmp(asset->label, asset->name, length) == 0
		       ? asset->label + length
		       : "";
}

const char *asset_label_lost(const struct asset *asset)
{
	const char *rest = label_rest(asset), *found = strstr(rest, without);
	bool is_next = found == rest ||
		       strncmp(rest, signed_by, strlen(signed_by)) == 0;

	return found && is_next ? found + 1 : "";
}

char *asset_label_signer(const struct asset *asset)
{
	const char *rest = label_rest(asset), *end = strstr(rest, without);
	size_t length = strlen(signed_by);

	if (strncmp(rest, signed_by, length) != 0)
		return NULL;
	rest += length;
	return end ? string_copy_n(rest, (size_t)(end - rest))
		   : string_copy(rest);
}
