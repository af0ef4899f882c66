// SPDX-License-Identifier: LGPL-2.1-or-later

#include "bot/plan/failure.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/error.h"
#include "common/base/json.h"
#include "common/base/log.h"
#include "common/base/memory.h"
#include "common/base/text.h"
#include "kbuild/phase.h"

enum {
	DAY_S = 24 * 3600,
	WAIT_MAX_DAYS = 7,
	/** Whoever does not try it for so long does not want it. */
	FORGOTTEN_DAYS = 30,
};

static const char begin[] = "<!-- vmtest failures ";
static const char end[] = " -->\n";

static const char job_phase[] = "job";

/** Where a failure is the kernel's own, or its job's. */
static const char *const phases[] = { "patch",	 "config", "build",
				      "package", "boot",   job_phase };

/** Whether a job left no result, so that nobody knows where it failed. */
static bool is_job_phase(const char *name)
{
	return name && strcmp(name, job_phase) == 0;
}

/** @return NULL if it does not count. */
static const char *find_phase(const char *name)
{
	for (size_t i = 0; i < array_size(phases); i++) {
		if (strcmp(phases[i], name) == 0)
			return phases[i];
	}
	return NULL;
}

bool failure_counts(const char *phase)
{
	return find_phase(phase);
}

void day_format(time_t now, int days, char day_ret[static DAY_SIZE])
{
	time_t then = now + (time_t)days * DAY_S;
	struct tm tm;

	day_ret[0] = '\0';
	if (gmtime_r(&then, &tm))
		strftime(day_ret, DAY_SIZE, "%Y-%m-%d", &tm);
}

static struct error *read_phase(const struct value *value, void *ret)
{
	const char *name = json_string_value(value->json);
	const char *phase = name ? find_phase(name) : NULL;

	if (!phase)
		return value_error(value, "expected a phase");
	*(const char **)ret = phase;
	return NULL;
}

static struct error *read_day(const struct value *value, void *ret)
{
	const char *text = json_string_value(value->json);
	struct tm tm = { 0 };
	const char *rest = text ? strptime(text, "%Y-%m-%d", &tm) : NULL;

	if (!rest || *rest || strlen(text) != DAY_SIZE - 1)
		return value_error(value, "expected a day");
	memcpy(ret, text, DAY_SIZE);
	return NULL;
}

static struct error *read_recipe(const struct value *value, void *ret)
{
	const char *text = json_string_value(value->json);

	if (!text || strlen(text) != RECIPE_SIZE - 1 ||
	    strspn(text, "0123456789abcdef") != RECIPE_SIZE - 1)
		return value_error(value, "expected a part of a digest");
	memcpy(ret, text, RECIPE_SIZE);
	return NULL;
}

static bool is_run(const char *text)
{
	return text && strlen(text) < RUN_SIZE &&
	       strspn(text, "0123456789") == strlen(text);
}

static struct error *read_run(const struct value *value, void *ret)
{
	const char *text = json_string_value(value->json);

	if (!is_run(text))
		return value_error(value, "expected a run's number");
	memcpy(ret, text, strlen(text) + 1);
	return NULL;
}

static struct error *read_failure(const struct value *value, void *ret)
{
	static const struct value_row rows[] = {
		VALUE_REQUIRED("release", value_release, struct failure, release),
		VALUE_REQUIRED("arch", value_arch, struct failure, arch),
		VALUE_REQUIRED("failed", read_phase, struct failure, failed),
		VALUE_NUMBER("failures", 1, INT_MAX, struct failure, count),
		VALUE_REQUIRED("not_before", read_day, struct failure, not_before),
		VALUE_REQUIRED("recipe", read_recipe, struct failure, recipe),
		VALUE_OPTIONAL("run", read_run, struct failure, run),
	};

	return value_read(value, rows, array_size(rows), ret);
}

void failures_read(const char *page, struct failure_list *ret)
{
	*ret = (struct failure_list){ 0 };
	if (!page || strncmp(page, begin, strlen(begin)) != 0)
		return;
	const char *text = page + strlen(begin);
	// Whoever edits the page in a browser ends its lines with CR, too.
	const char *line_end = text + strcspn(text, "\r\n");
	const char *text_end = memmem(text, (size_t)(line_end - text), " -->", 4);
	_cleanup_value_ struct value document = { 0 };
	_cleanup_error_ struct error *err =
		value_parse(text,
			    (size_t)((text_end ? text_end : line_end) - text),
			    "the failures in the store's page", ERROR_OTHER,
			    &document);
	if (!err)
		err = value_items(&document, read_failure, sizeof(*ret->items),
				  ret);
	if (!err)
		return;
	// Somebody has edited it: all are tried again, which repairs it.
	log_warning("%s", error_message(err));
	failure_list_deinit(ret);
}

void failures_append(struct string_builder *sb, const struct failure_list *list)
{
	json_t *array = json_array();

	for (size_t i = 0; i < list->count && i < FAILURES_MAX; i++) {
		const struct failure *failure = &list->items[i];
		char text[RELEASE_TEXT_SIZE];

		release_format(&failure->release, text);
		json_array_append_new(
			array, json_pack("{s:s, s:s, s:s, s:I, s:s, s:s, s:s*}",
					 "release", text, "arch", failure->arch,
					 "failed", failure->failed, "failures",
					 (json_int_t)failure->count,
					 "not_before", failure->not_before,
					 "recipe", failure->recipe, "run",
					 *failure->run ? failure->run : NULL));
	}
	_cleanup_free_ char *text = json_text(array, JSON_COMPACT);
	if (list->count)
		string_builder_appendf(sb, "%s%s%s", begin, text, end);
}

bool failure_is_fault(const struct failure *failure)
{
	return failure && failure->count > 1 && !is_job_phase(failure->failed);
}

bool failure_is_of_series(const struct failure *failure,
			  const struct kernel_version *version)
{
	return kernel_version_compare_series(&failure->release.version,
					     version) == 0;
}

bool failures_has_series(const struct failure_list *list,
			 const struct kernel_version *version)
{
	for (size_t i = 0; i < list->count; i++) {
		if (failure_is_of_series(&list->items[i], version))
			return true;
	}
	return false;
}

char *failure_text(const struct failure *failure)
{
	return string_format("failed %u time%s: %s; not tried again before %s",
			     failure->count, failure->count == 1 ? "" : "s",
			     failure->failed, failure->not_before);
}

/** Of the same version in any PATCH. */
static bool is_of(const struct failure *failure, const struct release *release,
		  const char *arch)
{
	return kernel_version_compare(&failure->release.version,
				      &release->version) == 0 &&
	       failure->release.revision == release->revision &&
	       strcmp(failure->release.flavor, release->flavor) == 0 &&
	       strcmp(failure->arch, arch) == 0;
}

const struct failure *failures_find(const struct failure_list *list,
				    const struct release *release,
				    const char *arch)
{
	for (size_t i = 0; i < list->count; i++) {
		if (is_of(&list->items[i], release, arch))
			return &list->items[i];
	}
	return NULL;
}

bool failure_waits(const struct failure *failure, time_t now)
{
	char today[DAY_SIZE], latest[DAY_SIZE];

	day_format(now, 0, today);
	day_format(now, WAIT_MAX_DAYS, latest);
	// A day that is further away was written by no bot.
	return strcmp(today, failure->not_before) < 0 &&
	       strcmp(failure->not_before, latest) <= 0;
}

void failures_add(struct failure_list *list, const struct release *release,
		  const char *arch, const char *phase, const char *recipe,
		  const char *run, time_t now)
{
	const struct failure *found = failures_find(list, release, arch);
	struct failure *failure = found ? &list->items[found - list->items]
					: &vector_add(list);

	if (!found) {
		*failure = (struct failure){ .release = *release };
		failure->release.patch = 0;
		memccpy(failure->arch, arch, '\0', sizeof(failure->arch));
	}
	bool is_job = is_job_phase(phase);
	bool is_again = strcmp(failure->recipe, recipe) == 0 &&
			is_job == is_job_phase(failure->failed);
	bool is_same_run = run && strcmp(failure->run, run) == 0;
	failure->count = is_again ? failure->count + !is_same_run : 1;
	snprintf(failure->run, RUN_SIZE, "%s", is_run(run) ? run : "");
	failure->failed = find_phase(phase);
	memccpy(failure->recipe, recipe, '\0', sizeof(failure->recipe));
	// A job without a result was a flake of its runner, unless it is again.
	unsigned int waits = failure->count - is_job;
	int days = waits > 3 ? WAIT_MAX_DAYS : waits ? 1 << (waits - 1) : 0;
	day_format(now, days, failure->not_before);
}

static int compare_failures(const void *a, const void *b)
{
	const struct failure *x = a, *y = b;
	int order = release_compare(&y->release, &x->release);

	return order ? order : strcmp(x->arch, y->arch);
}

static bool supersedes(const struct release *release, const char *arch,
		       const struct failure *failure)
{
	return strcmp(arch, failure->arch) == 0 &&
	       release_same_kind(release, &failure->release) &&
	       release_compare(release, &failure->release) > 0;
}

static bool is_obsolete(const struct failure *failure,
			const struct failure_list *list,
			const struct inventory *inventory, const char *oldest)
{
	unsigned int patch;

	if (strcmp(failure->not_before, oldest) < 0 ||
	    inventory_has(inventory, &failure->release, failure->arch, &patch))
		return true;
	for (size_t i = 0; i < inventory->count; i++) {
		if (supersedes(&inventory->items[i].release,
			       inventory->items[i].arch, failure))
			return true;
	}
	for (size_t i = 0; i < list->count; i++) {
		if (supersedes(&list->items[i].release, list->items[i].arch,
			       failure))
			return true;
	}
	return false;
}

void failures_clean(struct failure_list *list, const struct asset_list *assets,
		    time_t now)
{
	_cleanup_inventory_ struct inventory inventory = { 0 };
	struct failure_list kept = { 0 };
	char oldest[DAY_SIZE];

	inventory_read(assets, &inventory);
	day_format(now, -FORGOTTEN_DAYS, oldest);
	for (size_t i = 0; i < list->count; i++) {
		if (!is_obsolete(&list->items[i], list, &inventory, oldest))
			vector_add(&kept) = list->items[i];
	}
	if (kept.count)
		qsort(kept.items, kept.count, sizeof(*kept.items),
		      compare_failures);
	failure_list_deinit(list);
	*list = kept;
}
