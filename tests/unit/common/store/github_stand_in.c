// SPDX-License-Identifier: LGPL-2.1-or-later

#include "tests/unit/common/store/github_stand_in.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/file.h"
#include "common/base/memory.h"
#include "common/http/http.h"
#include "common/process/process.h"
#include "common/store/store.h"
#include "tests/unit/errors.h"
#include "tests/unit/files.h"

#define FIXTURE VMTEST_SOURCE_DIR "/tests/fixtures/github.py"

static struct process *github;
static char *control_url;

struct http *the_http;
struct store *the_store;

/** Put the `NAME=URL` lines of the stand-in into the environment. */
static void take_environment(char *text)
{
	char *line, *rest = text;

	while ((line = strsep(&rest, "\n"))) {
		char *value = strchr(line, '=');

		if (!value)
			continue;
		*value++ = '\0';
		setenv(line, value, 1);
		if (strcmp(line, "GITHUB_CONTROL") == 0)
			control_url = strdup(value);
	}
}

void open_store(const char *name, const char *token)
{
	store_destroy(the_store);
	the_store = NULL;
	unsetenv("GH_TOKEN");
	if (token)
		setenv("GITHUB_TOKEN", token, 1);
	else
		unsetenv("GITHUB_TOKEN");
	cr_assert_null(store_create(name, the_http, &the_store));
}

struct http *make_client(uint64_t stall_limit_ms)
{
	// Three failures, on a machine that is busy.
	return http_create("vmtest-test", &(struct limits){
						  .retry_ms = 8000,
						  .stall_ms = stall_limit_ms,
					  });
}

void github_stand_in_start(void)
{
	static const char ready[] = "ready";
	const char *const arguments[] = { FIXTURE,	  "--folder", "github",
					  "--ready-file", ready,      NULL };
	_cleanup_free_ char *text = NULL;

	enter_tmp();
	// It says on stdout what it writes into the file.
	_cleanup_close_ int null_fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
	cr_assert_null(
		process_spawn(&(struct process_options){ .arguments = arguments,
							 .stdout_fd = &null_fd },
			      &github));
	for (int i = 0; i < 2400 && !file_exists(ready); i++)
		usleep(25000);
	cr_assert_null(file_read(ready, 1 << 16, &text, NULL));
	take_environment(text);
	the_http = make_client(2000);
	open_store("github:octo/kernels@kernels", "write-token");
}

void github_stand_in_stop(void)
{
	store_destroy(the_store);
	http_destroy(the_http);
	process_destroy(github);
	free(control_url);
	teardown_tmp();
}

char *control(const char *json)
{
	struct http_request request = {
		.method = "POST",
		.url = control_url,
		.body = json,
		.body_size_bytes = strlen(json),
	};
	struct http_response response = { 0 };

	cr_assert_null(http_perform(the_http, &request, &response));
	cr_assert_eq(response.status, 200, "%s: %s", json, response.body);
	return response.body;
}

void set(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	_cleanup_free_ char *json = string_vformat(format, ap);
	va_end(ap);
	for (char *p = json; *p; p++) {
		if (*p == '\'')
			*p = '"';
	}
	free(control(json));
}

static struct error *put_text_into(struct store *into, const char *name,
				   const char *text)
{
	put_file(".", name, text);
	return store_put(into, name, NULL, NULL, NULL);
}

struct error *put_text(const char *name, const char *text)
{
	return put_text_into(the_store, name, text);
}

/** What somebody else puts. */
struct other {
	const char *name, *text;
};

static void *other_puts(void *arg)
{
	const struct other *other = arg;
	_cleanup_http_ struct http *client = make_client(20000);
	_cleanup_store_ struct store *store = NULL;

	expect_success(store_create(store_name(the_store), client, &store));
	expect_success(put_text_into(store, other->name, other->text));
	return NULL;
}

void put_beside(const char *theirs, const char *ours, const char *text,
		unsigned int later_us)
{
	struct other other = { theirs, text };
	pthread_t thread;

	cr_assert_eq(pthread_create(&thread, NULL, other_puts, &other), 0);
	usleep(later_us);
	expect_success(put_text(ours, text));
	cr_assert_eq(pthread_join(thread, NULL), 0);
}
