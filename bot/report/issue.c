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
#include "common/base/text.h"
#include "common/github/github.h"
#include "common/http/http.h"
#include "common/kernel/catalog.h"
#include "common/store/store.h"

enum {
	ATTEMPTS_MAX = 5,
	/** Of a list: many more issues than there are series. */
	PAGES_MAX = 50,
};

/** The label of all of them. */
static const char label[] = "vmtest";

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

struct updater {
	struct issue_facts *facts;
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
	struct issue_facts *facts = updater->facts;
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
	_cleanup_free_ char *text = issue_closing(version, facts->run_url);
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

/**
 * Whether a store has a version as the catalog wants it: for each architecture
 * that is on, in each flavor.
 */
static bool is_complete(const struct catalog *catalog,
			const struct inventory *inventory,
			const struct kernel_version *version)
{
	size_t count = catalog->arch_count * catalog->flavor_count;

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
		if (!inventory_has(inventory, &release, arch->name, &patch))
			return false;
	}
	return true;
}

/** That of a verdict's series, unless an earlier verdict is of the same. */
static struct error *update_series(struct updater *updater, size_t first)
{
	const struct issue_facts *facts = updater->facts;
	const struct verdict *verdicts = facts->verdicts->items;
	const struct kernel_version *version =
		&verdicts[first].item->release.version;
	bool is_failed = false, is_fault = false;

	for (size_t i = 0; i < facts->verdicts->count; i++) {
		const struct plan_item *item = verdicts[i].item;

		if (!verdict_is_of_series(&verdicts[i], version))
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
	return is_fault || (is_failed && issue)
		       ? open_or_update(updater, version, issue)
		       : NULL;
}

/** @return The newest version of an issue's series that is planned or stored. */
static const struct kernel_version *
find_newest(const struct issue *issue, const struct verdict_list *verdicts,
	    const struct inventory *inventory)
{
	const struct kernel_version *newest = NULL;

	for (size_t i = 0; i < verdicts->count + inventory->count; i++) {
		const struct kernel_version *version =
			i < verdicts->count
				? &verdicts->items[i].item->release.version
				: &inventory->items[i - verdicts->count].release.version;

		if (issue_is_about(issue->body, version) &&
		    (!newest || kernel_version_compare(version, newest) > 0))
			newest = version;
	}
	return newest;
}

/**
 * Close each issue of which all kernels are there, whoever built them: a run
 * that did may have been cut before it came to this.
 */
static struct error *close_issues(const struct updater *updater)
{
	struct error *err = NULL;

	const struct issue_facts *facts = updater->facts;
	_cleanup_inventory_ struct inventory inventory = { 0 };
	inventory_read(facts->assets, &inventory);
	for (size_t i = 0; i < updater->issues.count && !err; i++) {
		const struct issue *issue = &updater->issues.items[i];
		if (issue->is_pull_request || !issue->body)
			continue;
		const struct kernel_version *version =
			find_newest(issue, facts->verdicts, &inventory);
		if (version && !failures_has_series(facts->failures, version) &&
		    is_complete(facts->catalog, &inventory, version))
			err = close_issue(updater, version, issue->number);
	}
	return err;
}

struct error *issues_update(struct issue_facts *facts)
{
	struct error *err;

	struct updater updater = { .facts = facts };
	err = list_issues(&updater);
	for (size_t i = 0; i < facts->verdicts->count && !err; i++)
		err = update_series(&updater, i);
	if (!err)
		err = close_issues(&updater);
	issue_list_deinit(&updater.issues);
	return error_wrap(err, "update the issues of %s",
			  facts->github->repository);
}
