// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef COMMON_GITHUB_GITHUB_H
#define COMMON_GITHUB_GITHUB_H

/**
 * @file
 *
 * GitHub's REST API, as far as a release goes; github_assets.h has its assets.
 * https://docs.github.com/en/rest/releases
 */

#include <stdint.h>

#include "common/base/cleanup.h"
#include "common/github/github_json.h"
#include "common/http/http.h"

struct error;

#define GITHUB_ACCEPT_JSON "Accept: application/vnd.github+json"
#define GITHUB_API_VERSION "X-GitHub-Api-Version: 2022-11-28"

/** A release of a repository, and how to get at it. */
struct github {
	/** Borrowed. */
	struct http *http;
	/** Without a final slash. */
	char *api_url;
	/** `OWNER/REPO` */
	char *repository;
	char *tag;
	/** NULL if there is none. */
	char *token;
	/** The release as it was last seen; id 0 if it has not been. */
	struct github_release release;
};

/**
 * Touches neither network nor disk.
 *
 * @param[in] location `OWNER/REPO@TAG`
 * @return ERROR_USAGE if it, or the environment (GITHUB_API_URL, GITHUB_TOKEN,
 * GH_TOKEN), is malformed.
 */
_must_check_ struct error *github_init(struct github *github,
				       const char *location, struct http *http);
void github_deinit(struct github *github);

/** ERROR_USAGE if there is no token, without which nothing can be written. */
_must_check_ struct error *github_require_token(const struct github *github);

/** A URL below /repos/OWNER/REPO/releases; the rest is already plain. */
_must_check_ _printf_(3, 4) struct error *github_releases_url(
	const struct github *github, char **ret, const char *format, ...);

/** GET from the API; any status is a success. */
_must_check_ struct error *github_ask(const struct github *github,
				      const char *url,
				      struct http_request *request_ret,
				      struct http_response *ret);

/** What an answer says, and what to do about it. */
_must_check_ struct error *
github_answer_error(const struct github *github,
		    const struct http_request *request,
		    const struct http_response *response);

/** Delete what a URL stands for. No error if it has gone already. */
_must_check_ struct error *github_delete(const struct github *github,
					 const char *url);

/**
 * Look the release up, with all its assets. If there is none, its id is 0
 * afterwards.
 */
_must_check_ struct error *github_find_release(struct github *github);

/**
 * Make the release: a prerelease, never the latest. On success GitHub shows it,
 * or one that somebody else has made meanwhile.
 */
_must_check_ struct error *github_create_release(struct github *github,
						 const char *markdown);

/** An error if the release, which is known, is immutable. */
_must_check_ struct error *github_check_mutable(const struct github *github);

/** The release, which is made if it is not there; an immutable one is refused. */
_must_check_ struct error *github_require_release(struct github *github);

/** Replace the body of the release, which is known. */
_must_check_ struct error *github_update_release(struct github *github,
						 const char *markdown);

#endif /* COMMON_GITHUB_GITHUB_H */
