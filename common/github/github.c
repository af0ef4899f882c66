// SPDX-License-Identifier: LGPL-2.1-or-later

#include "common/github/github.h"

#include <jansson.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/base/error.h"
#include "common/base/memory.h"

static const char *const methods[] = {
	[GITHUB_GET] = NULL,	     [GITHUB_DELETE] = "DELETE",
	[GITHUB_PATCH] = "PATCH",    [GITHUB_POST] = "POST",
	[GITHUB_POST_ONCE] = "POST",
};

// clang-format off
/** What to do about an answer; the first row that fits. */
static const struct {
	long status;
	bool has_token;
	/** What the path begins with. */
	const char *path;
	/** Word in the answer that tells it from others. */
	const char *word;
	const char *remedy;
} remedies[] = {
	{ 401, false, "", "", "set GITHUB_TOKEN" },
	{ 401, true, "", "", "the token is wrong, or has expired: make a new one" },
	{ 403, false, "", "", "set GITHUB_TOKEN" },
	{ 403, true, "", "archived", "nothing can be written to it: unarchive it, or use another repository" },
	{ 403, true, "/issues", "", "the token needs the permission 'issues: write' (in a workflow: 'permissions:')" },
	{ 403, true, "", "", "the token needs the permission 'contents: write' (in a workflow: 'permissions:')" },
	{ 404, false, "", "", "check the repository's name; if it is private, set GITHUB_TOKEN" },
	{ 404, true, "", "", "check the repository's name, and that the token may see and write it" },
	{ 410, false, "/issues", "", "turn issues on in the repository's settings" },
	{ 410, true, "/issues", "", "turn issues on in the repository's settings" },
	{ 422, true, "", "immutable", "an immutable GitHub release cannot be a store: use another tag, in a repository where immutable releases are off" },
	{ 422, true, "", "file_count", "prune it, or use another tag" },
	{ 422, true, "", "rule violations", "the repository's rules do not let the token make this tag: except it from them, or use another" },
};
// clang-format on

struct error *github_token_read(char **ret)
{
	const char *name = "GITHUB_TOKEN", *value = getenv(name);

	*ret = NULL;
	if (!value || !*value) {
		name = "GH_TOKEN";
		value = getenv(name);
	}
	if (!value || !*value)
		return NULL;
	// Secrets are often pasted with a newline.
	size_t length = strlen(value);
	while (length && strchr(" \t\r\n", value[length - 1]))
		length--;
	for (size_t i = 0; i < length; i++) {
		if (value[i] <= ' ' || value[i] > '~')
			return error_create(ERROR_USAGE,
					    "%s holds characters that no token has",
					    name);
	}
	*ret = string_copy_n(value, length);
	return NULL;
}

void github_token_destroy(char *token)
{
	if (!token)
		return;
	explicit_bzero(token, strlen(token));
	free(token);
}

bool github_is_plain(const char *text, const char *others)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyz"
				    "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789-_.";

	if (!*text || *text == '.' || *text == '/' || strstr(text, ".."))
		return false;
	for (; *text; text++) {
		if (!strchr(plain, *text) && !strchr(others, *text))
			return false;
	}
	return true;
}

struct error *github_init(struct github *github, const char *repository,
			  struct http *http)
{
	struct error *err;

	const char *slash = strchr(repository, '/');
	if (!slash || !github_is_plain(repository, "/") ||
	    !github_is_plain(slash + 1, ""))
		return error_create(ERROR_USAGE,
				    "'%s': a repository of GitHub is written OWNER/REPO, in letters, digits and '-_.'",
				    repository);
	const char *url = getenv("GITHUB_API_URL");
	if (!url || !*url)
		url = "https://api.github.com";
	if (!http_is_url(url))
		return error_create(ERROR_USAGE,
				    "GITHUB_API_URL: '%s' is not an http or https URL; unset it for github.com",
				    url);
	size_t length = strlen(url);
	while (url[length - 1] == '/')
		length--;
	char *token;
	err = github_token_read(&token);
	if (err)
		return err;
	*github = (struct github){
		.http = http,
		.api_url = string_copy_n(url, length),
		.repository = string_copy(repository),
		.token = token,
	};
	return NULL;
}

void github_deinit(struct github *github)
{
	free(github->api_url);
	free(github->repository);
	github_token_destroy(github->token);
	*github = (struct github){ 0 };
}

struct error *github_check_url(const struct github *github, const char *name,
			       const char *url, const char *label)
{
	static const char api_label[] = "api.";
	struct error *err;

	_cleanup_http_origin_ struct http_origin api = { 0 }, other = { 0 };
	err = http_origin_read(github->api_url, &api);
	if (!err)
		err = http_origin_read(url, &other);
	if (err)
		return error_wrap(err, "%s", name);
	bool has_label = strncmp(api.host, api_label, strlen(api_label)) == 0;
	_cleanup_free_ char *sibling =
		has_label ? string_format("%s%s", label,
					  api.host + strlen(api_label))
			  : string_copy(api.host);
	bool is_known = strcmp(other.host, api.host) == 0 ||
			strcmp(other.host, sibling) == 0;
	bool is_secure = strcmp(other.scheme, "https") == 0 ||
			 strcmp(api.scheme, "https") != 0;
	if (is_known && is_secure && !other.has_user)
		return NULL;
	return error_create(ERROR_OTHER,
			    "%s: GitHub's answer leads to '%s', which is not %s://%s; nothing was sent there",
			    name, url, api.scheme, sibling);
}

struct error *github_require_token(const struct github *github,
				   const char *permission)
{
	if (github->token)
		return NULL;
	return error_create(ERROR_USAGE,
			    "writing to GitHub needs a token; set GITHUB_TOKEN to one with the permission '%s: write'",
			    permission);
}

bool github_error_has_code(const char *text, size_t size, const char *code)
{
	_cleanup_json_ json_t *json = json_loadb(text, size, 0, NULL);
	const json_t *item;
	size_t i;

	json_array_foreach(json_object_get(json, "errors"), i, item)
	{
		const char *value =
			json_string_value(json_object_get(item, "code"));

		if (value && strcmp(value, code) == 0)
			return true;
	}
	return false;
}

struct error *github_answer_error(const struct github *github, const char *path,
				  const struct http_request *request,
				  const struct http_response *response)
{
	_cleanup_error_ struct error *err =
		http_response_error(request, response);
	const char *remedy = NULL;
	enum error_kind kind = ERROR_OTHER;

	for (size_t i = 0; !remedy && i < array_size(remedies); i++) {
		const char *area = remedies[i].path;

		if (remedies[i].status == response->status &&
		    remedies[i].has_token == !!github->token &&
		    strncmp(path, area, strlen(area)) == 0 &&
		    strcasestr(response->body, remedies[i].word))
			remedy = remedies[i].remedy;
	}
	if (error_is(err, ERROR_NOT_FOUND))
		kind = ERROR_NOT_FOUND;
	else if (github_error_has_code(response->body, response->body_size_bytes,
				       "already_exists"))
		kind = ERROR_EXISTS;
	else if (!remedy)
		return take(err);
	return error_create(kind, "%s%s%s", error_message(err),
			    remedy ? "; " : "", remedy ? remedy : "");
}

struct error *github_call(const struct github *github,
			  enum github_method method, json_t *body,
			  struct value *ret, const char *format, ...)
{
	struct error *err;

	va_list ap;
	va_start(ap, format);
	_cleanup_free_ char *path = string_vformat(format, ap);
	va_end(ap);
	_cleanup_free_ char *text = body ? json_dumps(body, JSON_COMPACT) : NULL;
	json_decref(body);
	if (method != GITHUB_GET) {
		err = github_require_token(github, strncmp(path, "/issues", 7) == 0
							   ? "issues"
							   : "contents");
		if (err)
			return err;
	}
	if (!text && method >= GITHUB_PATCH)
		return error_create(ERROR_OTHER, "the text is not UTF-8");
	_cleanup_free_ char *url = string_format("%s/repos/%s%s", github->api_url,
						 github->repository, path);
	const char *const headers[] = {
		GITHUB_ACCEPT_JSON,
		GITHUB_API_VERSION,
		text ? "Content-Type: application/json" : NULL,
		NULL,
	};
	const struct http_request request = {
		.method = methods[method],
		.url = url,
		.headers = headers,
		.token = github->token,
		.body = text,
		.body_size_bytes = text ? strlen(text) : 0,
		.no_retry = method == GITHUB_POST_ONCE,
	};
	_cleanup_http_response_ struct http_response response = { 0 };
	err = http_perform(github->http, &request, &response);
	if (err)
		return err;
	if (response.status < 200 || response.status > 299)
		return github_answer_error(github, path, &request, &response);
	if (!ret)
		return NULL;
	return value_parse_answer(response.body, response.body_size_bytes,
				  "GitHub's answer", ret);
}

struct error *github_list(const struct github *github, unsigned int pages_max,
			  value_reader *read, size_t size_bytes, void *vector,
			  const char *format, ...)
{
	struct error *err;

	va_list ap;
	va_start(ap, format);
	_cleanup_free_ char *path = string_vformat(format, ap);
	va_end(ap);
	for (unsigned int page = 1; page <= pages_max; page++) {
		_cleanup_value_ struct value answer = { 0 };

		err = github_call(github, GITHUB_GET, NULL, &answer,
				  "%sper_page=%d&page=%u", path,
				  GITHUB_PER_PAGE, page);
		if (err)
			return err;
		err = value_items(&answer, read, size_bytes, vector);
		if (err || json_array_size(answer.json) < GITHUB_PER_PAGE)
			return err;
	}
	return NULL;
}
