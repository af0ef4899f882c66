// SPDX-License-Identifier: LGPL-2.1-or-later

#include "bot/report/issue.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>

#include "bot/plan/planned.h"
#include "bot/report/issue_text.h"
#include "bot/report/verdict.h"
#include "common/base/error.h"
#include "common/base/interrupt.h"
#include "common/base/log.h"
#include "common/github/github.h"
#include "common/github/github_issues.h"
#include "common/http/backoff.h"
#include "common/kernel/version.h"

enum {
	ATTEMPTS_MAX = 5,
};

struct updater {
	const struct github *github;
	const struct verdict_list *verdicts;
	const char *run_url;
	/** That are open. */
	struct github_issue_list issues;
};

static struct error *list_issues(struct updater *updater)
{
	github_issue_list_deinit(&updater->issues);
	return github_list_issues(updater->github, ISSUE_LABEL, &updater->issues);
}

/** @return NULL if the series has none; the oldest if somebody made more. */
static const struct github_issue *find_issue(const struct updater *updater,
					     const struct kernel_version *version)
{
	for (size_t i = 0; i < updater->issues.count; i++) {
		if (issue_is_about(updater->issues.items[i].body, version))
			return &updater->issues.items[i];
	}
	return NULL;
}

/** Wait, if it is worth to try again. @return The error, if it is not. */
static struct error *wait_after(struct error *err, unsigned int failures)
{
	if (!error_is(err, ERROR_RETRY) || failures + 1 >= ATTEMPTS_MAX)
		return err;
	log_debug("%s; looking, and trying again", error_message(err));
	error_destroy(err);
	return interrupt_sleep(backoff_ms(&backoff_failure, failures));
}

/** Have an issue that is not there; after a lost answer, look for it first. */
static struct error *create_issue(struct updater *updater,
				  const struct kernel_version *version,
				  const char *title, const char *body)
{
	struct error *err;
	uint64_t number;

	for (unsigned int failures = 0;; failures++) {
		err = github_create_issue(updater->github, title, body,
					  ISSUE_LABEL, &number);
		if (!err) {
			log_info("opened issue %" PRIu64 ": %s", number, title);
			return NULL;
		}
		err = wait_after(err, failures);
		if (!err)
			err = list_issues(updater);
		if (err || find_issue(updater, version))
			return err;
	}
}

static struct error *comment(const struct updater *updater, uint64_t number,
			     const char *text)
{
	struct error *err;

	for (unsigned int failures = 0;; failures++) {
		bool is_there = false;

		err = github_comment_issue(updater->github, number, text);
		if (!err)
			return NULL;
		err = wait_after(err, failures);
		if (!err)
			err = github_issue_has_comment(updater->github, number,
						       text, &is_there);
		if (err || is_there)
			return err;
	}
}

static struct error *open_or_update(struct updater *updater,
				    const struct kernel_version *version)
{
	const struct github_issue *issue = find_issue(updater, version);
	_cleanup_free_ char *title = NULL, *body = NULL;

	title = issue_title(version);
	body = issue_body(updater->verdicts, version, updater->run_url);
	if (!issue)
		return create_issue(updater, version, title, body);
	log_info("issue %" PRIu64 " brought up to date: %s", issue->number,
		 title);
	return github_update_issue(updater->github, issue->number, title, body);
}

static struct error *close_if_open(struct updater *updater,
				   const struct kernel_version *version)
{
	struct error *err;
	const struct github_issue *issue = find_issue(updater, version);
	_cleanup_free_ char *text = NULL;

	if (!issue)
		return NULL;
	text = issue_closing(updater->verdicts, version, updater->run_url);
	err = comment(updater, issue->number, text);
	if (!err)
		err = github_close_issue(updater->github, issue->number);
	if (!err)
		log_info("closed issue %" PRIu64, issue->number);
	return err;
}

/** Whether an earlier verdict is of the same series. */
static bool is_repeated(const struct verdict_list *verdicts, size_t index,
			const struct kernel_version *version)
{
	for (size_t i = 0; i < index; i++) {
		if (kernel_version_compare_series(
			    &verdicts->items[i].planned->release.version,
			    version) == 0)
			return true;
	}
	return false;
}

static struct error *update_series(struct updater *updater,
				   const struct kernel_version *version)
{
	const struct verdict_list *verdicts = updater->verdicts;
	size_t counts[VERDICT_KIND_COUNT] = { 0 };

	for (size_t i = 0; i < verdicts->count; i++) {
		if (kernel_version_compare_series(
			    &verdicts->items[i].planned->release.version,
			    version) == 0)
			counts[verdicts->items[i].kind]++;
	}
	if (counts[VERDICT_FAILED])
		return open_or_update(updater, version);
	return counts[VERDICT_SKIPPED] ? NULL : close_if_open(updater, version);
}

static struct error *update_all(struct updater *updater)
{
	struct error *err;
	const struct verdict_list *verdicts = updater->verdicts;

	err = list_issues(updater);
	for (size_t i = 0; !err && i < verdicts->count; i++) {
		const struct kernel_version *version =
			&verdicts->items[i].planned->release.version;

		if (!is_repeated(verdicts, i, version))
			err = update_series(updater, version);
	}
	return err;
}

struct error *issues_update(const struct github *github,
			    const struct verdict_list *verdicts,
			    const char *run_url)
{
	struct error *err;
	struct updater updater = {
		.github = github,
		.verdicts = verdicts,
		.run_url = run_url,
	};

	if (!verdicts->count)
		return NULL;
	err = update_all(&updater);
	github_issue_list_deinit(&updater.issues);
	return error_wrap(err, "update the issues of %s", github->repository);
}
