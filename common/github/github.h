// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef COMMON_GITHUB_GITHUB_H
#define COMMON_GITHUB_GITHUB_H

/**
 * @file
 *
 * GitHub's REST API. All calls block. What GitHub answers is not trusted:
 * whatever is not of the type, the range or the characters that its description
 * promises is refused with a line that names the field.
 * https://docs.github.com/en/rest
 */

#include <stdbool.h>
#include <stddef.h>

#include "common/base/cleanup.h"
#include "common/base/json.h"
#include "common/http/http.h"

enum {
	/** Most items that a page of a list may have. */
	GITHUB_PER_PAGE = 100,
};

#define GITHUB_ACCEPT_JSON "Accept: application/vnd.github+json"
#define GITHUB_API_VERSION "X-GitHub-Api-Version: 2022-11-28"

/**
 * Read the token that authorises us to GitHub from the environment:
 * GITHUB_TOKEN, else GH_TOKEN. It is printed nowhere, put on no command line,
 * and goes to no host but GitHub's (http.h). Children do not inherit it, and
 * other processes do not see it (process.h).
 *
 * @param[out] ret NULL if there is none; end it with github_token_destroy().
 * @return ERROR_USAGE if it holds characters that no token has.
 */
_must_check_ struct error *github_token_read(char **ret);

/** Wipe it from memory. */
void github_token_destroy(char *token);

/** A repository, and how to get at it. */
struct github {
	/** Borrowed. */
	struct http *http;
	/** Without a final slash. */
	char *api_url;
	/** `OWNER/REPO` */
	char *repository;
	/** NULL if there is none. */
	char *token;
};

/**
 * Whether text is made of letters, digits, `-_.` and some others and does not,
 * as a part of a URL's path, lead elsewhere.
 */
bool github_is_plain(const char *text, const char *others);

/**
 * Touches neither network nor disk.
 *
 * @param[in] repository `OWNER/REPO`
 * @return ERROR_USAGE if it, or the environment (GITHUB_API_URL, GITHUB_TOKEN,
 * GH_TOKEN), is malformed.
 */
_must_check_ struct error *github_init(struct github *github,
				       const char *repository, struct http *http);
void github_deinit(struct github *github);

#define _cleanup_github_ _cleanup_(github_deinit)

/**
 * Check a URL that GitHub's answer names: it must be of the API's host, or, as
 * api.github.com has uploads.github.com and github.com, of the host that is
 * named after it; by https where the API is; and without a user. Whatever else
 * it is gets neither the token nor a request.
 *
 * @param[in] name What the answer calls it, for messages: `upload_url`.
 * @param[in] label What stands in the place of `api.`: `uploads.`, "".
 */
_must_check_ struct error *github_check_url(const struct github *github,
					    const char *name, const char *url,
					    const char *label);

/**
 * @param[in] permission What a token needs to write: `contents`, `issues`.
 * @return ERROR_USAGE if there is no token, without which nothing can be
 * written.
 */
_must_check_ struct error *github_require_token(const struct github *github,
						const char *permission);

enum github_method {
	GITHUB_GET,
	GITHUB_DELETE,
	GITHUB_PATCH,
	GITHUB_POST,
	/**
	 * Not idempotent, so it is not retried: ERROR_RETRY if it is not known
	 * whether it was done, which the caller must find out.
	 */
	GITHUB_POST_ONCE,
};

/**
 * Ask the API about a repository; the format is that of a path below
 * /repos/OWNER/REPO, whose parts are plain.
 *
 * @param[in] body Consumed. NULL is an error of PATCH and POST: json_pack()
 * returns it for text that is not UTF-8.
 * @param[out] ret The answer; value_deinit(). May be NULL.
 * @return If the status is no success, what the answer says and what to do:
 * ERROR_NOT_FOUND (404, 410), ERROR_EXISTS (already_exists). ERROR_USAGE if
 * there is no token to write with.
 */
_must_check_ _printf_(5, 6) struct error *github_call(const struct github *github,
						      enum github_method method,
						      struct json_t *body,
						      struct value *ret,
						      const char *format, ...);

/**
 * Ask the API for a list, a page of a hundred at a time.
 *
 * @param[in] pages_max The list is cut off there.
 * @param[in,out] vector As value_items() wants it, with the reader and the
 * size.
 * @param[in] format Of a path up to `?` or `&`, as of github_call().
 */
_must_check_ _printf_(6, 7) struct error *github_list(
	const struct github *github, unsigned int pages_max, value_reader *read,
	size_t size_bytes, void *vector, const char *format, ...);

/** Whether an error's body holds this code: `already_exists`. */
bool github_error_has_code(const char *text, size_t size, const char *code);

/** The error of an answer, as of github_call(). */
_must_check_ struct error *
github_answer_error(const struct github *github, const char *path,
		    const struct http_request *request,
		    const struct http_response *response);

#endif /* COMMON_GITHUB_GITHUB_H */
