// SPDX-License-Identifier: LGPL-2.1-or-later

#include "bot/report/report.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "bot/build/build.h"
#include "bot/plan/failure.h"
#include "common/base/error.h"
#include "common/base/interrupt.h"
#include "common/base/log.h"
#include "common/base/memory.h"
#include "common/base/table.h"
#include "common/base/text.h"
#include "common/github/github.h"
#include "common/http/http.h"
#include "common/kernel/catalog.h"
#include "common/kernel/compiler.h"
#include "common/store/store.h"

enum {
	ATTEMPTS_MAX = 5,
	/** More than a series has kernels are of rebuilds. */
	CAUSES_MAX = 25,
	/** Of a list: many more issues than there are series. */
	PAGES_MAX = 50,
};

/** The label of all of them. */
static const char label[] = "vmtest";

static const char end_of_body[] =
	"\nEvery run that fails brings this text up to date; the first that builds all kernels of the series closes the issue.\n";

static void issue_deinit(struct issue *issue)
{
	free(issue->body);
}

#define _cleanup_issue_ _cleanup_(issue_deinit)

void issue_list_deinit(struct issue_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		issue_deinit(&list->items[i]);
	free(list->items);
	*list = (struct issue_list){ 0 };
}

/** Any value at all. */
static struct error *read_presence(const struct value *value, void *ret)
{
	*(bool *)ret = value->json;
	return NULL;
}

static const struct value_row rows[] = {
	VALUE_NUMBER("number", 1, INT64_MAX, struct issue, number),
	VALUE_OPTIONAL("body", value_copy, struct issue, body),
	VALUE_OPTIONAL("pull_request", read_presence, struct issue,
		       is_pull_request),
};

struct error *issue_read(const struct value *value, void *ret)
{
	return value_read(value, rows, array_size(rows), ret);
}

/** The first line, which GitHub does not show; free(). */
static char *format_marker(const struct kernel_version *version)
{
	char series[KERNEL_VERSION_TEXT_SIZE];

	kernel_version_format_series(version, series);
	return string_format("<!-- vmtest series %s -->", series);
}

bool issue_is_about(const char *body, const struct kernel_version *version)
{
	_cleanup_free_ char *marker = format_marker(version);

	return strncmp(body, marker, strlen(marker)) == 0;
}

char *issue_title(const struct kernel_version *version)
{
	char series[KERNEL_VERSION_TEXT_SIZE];

	kernel_version_format_series(version, series);
	return string_format("Linux %s: builds fail", series);
}

/** Append `The last run` or such, as a link where there is one. */
static void append_run(struct string_builder *sb, const char *text,
		       const char *run_url)
{
	if (run_url)
		string_builder_appendf(sb, "[%s](<%s>)", text, run_url);
	else
		string_builder_append(sb, text);
}

static bool is_of_series(const struct verdict *verdict,
			 const struct kernel_version *version)
{
	return kernel_version_compare_series(&verdict->item->release.version,
					     version) == 0;
}

/** Of the series, what is not tried by every run. */
static bool is_waiting(const struct failure *failure,
		       const struct kernel_version *version)
{
	return kernel_version_compare_series(&failure->release.version,
					     version) == 0;
}

/** The newest package of the same kind; NULL if the store has none. */
static const struct inventory_item *find_last(const struct inventory *inventory,
					      const struct plan_item *item)
{
	const struct inventory_item *last = NULL;

	for (size_t i = 0; i < inventory->count; i++) {
		const struct inventory_item *other = &inventory->items[i];

		if (strcmp(other->arch, item->arch->name) == 0 &&
		    release_same_kind(&other->release, &item->release) &&
		    (!last ||
		     release_compare(&other->release, &last->release) > 0))
			last = other;
	}
	return last;
}

/** What failed first, and what was different when it last worked. */
static void append_cause(struct string_builder *sb,
			 const struct inventory *inventory,
			 const struct verdict *verdict)
{
	const struct plan_item *item = verdict->item;
	const struct build_result *result = verdict->result;
	_cleanup_free_ char *first =
		result && result->log ? kernel_make_first_error(result->log)
				      : NULL;
	_cleanup_free_ char *title = report_title(item, verdict->phase);

	string_builder_append(sb, "* ");
	string_builder_append_markdown(sb, title);
	string_builder_append(sb, ": ");
	markdown_append_code(sb, first ? first : verdict->reason);
	const struct inventory_item *last = find_last(inventory, item);
	if (!last) {
		string_builder_append(sb,
				      ". No package of its kind has worked so far.\n");
		return;
	}
	char release[RELEASE_TEXT_SIZE], from[KERNEL_VERSION_TEXT_SIZE],
		to[KERNEL_VERSION_TEXT_SIZE], day[DAY_SIZE];
	release_format(&last->release, release);
	kernel_version_format(&last->release.version, from);
	kernel_version_format(&item->release.version, to);
	day_format((time_t)last->asset->created, 0, day);
	string_builder_append(sb, ". The last that worked is ");
	string_builder_append_markdown(sb, release);
	string_builder_appendf(sb, ", of %s; ", day);
	if (strcmp(from, to) == 0)
		string_builder_append(sb, "its source is the same.\n");
	else
		string_builder_appendf(sb, "what is new is v%s..v%s.\n", from,
				       to);
}

static void append_causes(struct string_builder *sb,
			  const struct asset_list *assets,
			  const struct verdict_list *failures)
{
	_cleanup_inventory_ struct inventory inventory = { 0 };

	inventory_read(assets, &inventory);
	for (size_t i = 0; i < failures->count && i < CAUSES_MAX; i++)
		append_cause(sb, &inventory, &failures->items[i]);
	string_builder_append_char(sb, '\n');
}

static void append_waiting(struct string_builder *sb,
			   const struct failure_list *failures,
			   const struct kernel_version *version)
{
	for (size_t i = 0; i < failures->count; i++) {
		const struct failure *failure = &failures->items[i];
		char release[RELEASE_TEXT_SIZE];

		if (!is_waiting(failure, version))
			continue;
		_cleanup_free_ char *text = failure_text(failure);
		release_format(&failure->release, release);
		string_builder_append(sb, "* ");
		string_builder_append_markdown(sb, release);
		string_builder_append(sb, " for ");
		string_builder_append_markdown(sb, failure->arch);
		string_builder_appendf(sb, " %s.\n", text);
	}
	string_builder_append_char(sb, '\n');
}

char *issue_body(const struct issue_facts *facts,
		 const struct kernel_version *version)
{
	const struct verdict_list *verdicts = facts->verdicts;
	_cleanup_verdict_list_ struct verdict_list failures = { 0 };
	for (size_t i = 0; i < verdicts->count; i++) {
		const struct verdict *verdict = &verdicts->items[i];

		if (verdict->kind == VERDICT_FAILED &&
		    is_of_series(verdict, version))
			vector_add(&failures) = *verdict;
	}
	_cleanup_string_builder_ struct string_builder sb = { 0 };
	_cleanup_free_ char *marker = format_marker(version);
	string_builder_appendf(&sb, "%s\n", marker);
	append_run(&sb, "The last run", facts->run_url);
	string_builder_append(&sb, " failed to build these kernels.\n\n");
	append_causes(&sb, facts->assets, &failures);
	append_waiting(&sb, facts->failures, version);
	_cleanup_table_ struct table table = { 0 };
	report_verdicts(&failures, &table);
	table_append_markdown(&sb, &table,
			      ISSUE_BODY_LIMIT - strlen(end_of_body));
	string_builder_append(&sb, end_of_body);
	return string_builder_take(&sb);
}

char *issue_closing(const struct verdict_list *verdicts,
		    const struct kernel_version *version, const char *run_url)
{
	struct string_builder sb = { 0 };
	const char *separator = " ";

	append_run(&sb, "This run", run_url);
	string_builder_append(&sb, " has built all of them:");
	for (size_t i = 0; i < verdicts->count; i++) {
		const struct verdict *verdict = &verdicts->items[i];

		if (!is_of_series(verdict, version))
			continue;
		string_builder_append(&sb, separator);
		string_builder_append_markdown(&sb, verdict->item->release_text);
		string_builder_append(&sb, " for ");
		string_builder_append_markdown(&sb, verdict->item->arch->name);
		separator = ", ";
	}
	string_builder_append_char(&sb, '.');
	return string_builder_take(&sb);
}

struct updater {
	const struct issue_facts *facts;
	/** That are open, in the order in which they were made. */
	struct issue_list issues;
};

static struct error *list_issues(struct updater *updater)
{
	issue_list_deinit(&updater->issues);
	return github_list(updater->facts->github, PAGES_MAX, issue_read,
			   sizeof(*updater->issues.items), &updater->issues,
			   "/issues?state=open&labels=%s&sort=created&direction=asc&",
			   label);
}

/** @return NULL if the series has none; the oldest if somebody made more. */
static const struct issue *find_issue(const struct updater *updater,
				      const struct kernel_version *version)
{
	for (size_t i = 0; i < updater->issues.count; i++) {
		const struct issue *issue = &updater->issues.items[i];

		if (!issue->is_pull_request && issue->body &&
		    issue_is_about(issue->body, version))
			return issue;
	}
	return NULL;
}

static bool has_label(const json_t *issue)
{
	const json_t *item;
	size_t i;

	json_array_foreach(json_object_get(issue, "labels"), i, item)
	{
		// GitHub describes both forms.
		const char *name = json_string_value(
			json_is_object(item) ? json_object_get(item, "name")
					     : item);

		if (name && strcmp(name, label) == 0)
			return true;
	}
	return false;
}

/**
 * Make an issue, and its label if the repository does not have it.
 *
 * @return ERROR_RETRY if it may have been made, or not.
 */
static struct error *make_issue(const struct github *github, const char *title,
				const char *body)
{
	struct error *err;

	_cleanup_value_ struct value answer = { 0 };
	err = github_call(github, GITHUB_POST_ONCE,
			  json_pack("{s:s, s:s, s:[s]}", "title", title, "body",
				    body, "labels", label),
			  &answer, "/issues");
	if (err)
		return err;
	_cleanup_issue_ struct issue issue = { 0 };
	err = issue_read(&answer, &issue);
	if (err)
		return err;
	log_info("opened issue %" PRIu64 ": %s", issue.number, title);
	// Where a token may make issues, but not label them, GitHub says nothing.
	if (has_label(answer.json))
		return NULL;
	_cleanup_error_ struct error *problem =
		github_call(github, GITHUB_POST,
			    json_pack("{s:[s]}", "labels", label), NULL,
			    "/issues/%" PRIu64 "/labels", issue.number);
	// The issue is there: to try all of it again would make another.
	if (error_is(problem, ERROR_RETRY))
		return error_create(ERROR_OTHER, "label issue %" PRIu64 ": %s",
				    issue.number, error_message(problem));
	return error_wrap(take_ptr(problem), "label issue %" PRIu64,
			  issue.number);
}

/** Have an issue that is not there; after a lost answer, look for it first. */
static struct error *create_issue(struct updater *updater,
				  const struct kernel_version *version,
				  const char *title, const char *body)
{
	struct error *err;

	for (unsigned int failures = 0;; failures++) {
		err = make_issue(updater->facts->github, title, body);
		if (!error_is(err, ERROR_RETRY) || failures + 1 >= ATTEMPTS_MAX)
			return err;
		log_debug("%s; looking, and trying again", error_message(err));
		error_destroy(err);
		err = interrupt_sleep(backoff_ms(&backoff_failure, failures));
		if (!err)
			err = list_issues(updater);
		if (err || find_issue(updater, version))
			return err;
	}
}

/** @param[in] issue NULL if there is none. */
static struct error *open_or_update(struct updater *updater,
				    const struct kernel_version *version,
				    const struct issue *issue)
{
	struct error *err;

	_cleanup_free_ char *title = issue_title(version);
	const struct issue_facts *facts = updater->facts;
	_cleanup_free_ char *body = issue_body(facts, version);

	if (!issue)
		return create_issue(updater, version, title, body);
	err = github_call(facts->github, GITHUB_PATCH,
			  json_pack("{s:s, s:s}", "title", title, "body", body),
			  NULL, "/issues/%" PRIu64, issue->number);
	if (!err)
		log_info("updated issue %" PRIu64 ": %s", issue->number, title);
	return err;
}

/** Close an issue, and then comment on it: only the first can be repeated. */
static struct error *close_issue(const struct updater *updater,
				 const struct kernel_version *version,
				 uint64_t number)
{
	struct error *err;

	const struct issue_facts *facts = updater->facts;
	err = github_call(facts->github, GITHUB_PATCH,
			  json_pack("{s:s, s:s}", "state", "closed",
				    "state_reason", "completed"),
			  NULL, "/issues/%" PRIu64, number);
	if (err)
		return err;
	log_info("closed issue %" PRIu64, number);
	_cleanup_free_ char *text =
		issue_closing(facts->verdicts, version, facts->run_url);
	err = github_call(facts->github, GITHUB_POST_ONCE,
			  json_pack("{s:s}", "body", text), NULL,
			  "/issues/%" PRIu64 "/comments", number);
	if (!error_is(err, ERROR_RETRY))
		return err;
	log_warning("issue %" PRIu64 " may lack a comment: %s", number,
		    error_message(err));
	error_destroy(err);
	return NULL;
}

bool store_has_version(const struct catalog *catalog,
		       const struct asset_list *assets,
		       const struct kernel_version *version)
{
	_cleanup_inventory_ struct inventory inventory = { 0 };
	size_t count = catalog->arch_count * catalog->flavor_count;

	inventory_read(assets, &inventory);
	for (size_t i = 0; i < count; i++) {
		const struct catalog_arch *arch =
			&catalog->archs[i / catalog->flavor_count];
		const struct catalog_flavor *flavor =
			&catalog->flavors[i % catalog->flavor_count];
		struct release release;
		unsigned int patch;

		if (!arch->enabled ||
		    !catalog_flavor_is_for(flavor, arch, version))
			continue;
		catalog_release(catalog, version, flavor, 0, &release);
		if (!inventory_has(&inventory, &release, arch->name, &patch))
			return false;
	}
	return true;
}

/** Of a verdict's series, unless an earlier verdict is of the same. */
static struct error *update_series(struct updater *updater, size_t first)
{
	const struct issue_facts *facts = updater->facts;
	const struct verdict *verdicts = facts->verdicts->items;
	const struct kernel_version *version =
		&verdicts[first].item->release.version;
	bool is_failed = false, is_fault = false;

	for (size_t i = 0; i < facts->verdicts->count; i++) {
		const struct plan_item *item = verdicts[i].item;

		if (!is_of_series(&verdicts[i], version))
			continue;
		if (i < first)
			return NULL;
		if (verdicts[i].kind != VERDICT_FAILED ||
		    !failure_counts(verdicts[i].phase))
			continue;
		is_failed = true;
		is_fault |= failure_is_fault(failures_find(facts->failures,
							   &item->release,
							   item->arch->name));
	}
	const struct issue *issue = find_issue(updater, version);
	if (is_fault || (is_failed && issue))
		return open_or_update(updater, version, issue);
	if (!issue || is_failed ||
	    !store_has_version(facts->catalog, facts->assets, version))
		return NULL;
	return close_issue(updater, version, issue->number);
}

struct error *issues_update(const struct issue_facts *facts)
{
	struct error *err;

	if (!facts->verdicts->count)
		return NULL;
	struct updater updater = { .facts = facts };
	err = list_issues(&updater);
	for (size_t i = 0; i < facts->verdicts->count && !err; i++)
		err = update_series(&updater, i);
	issue_list_deinit(&updater.issues);
	return error_wrap(err, "update the issues of %s",
			  facts->github->repository);
}
