// SPDX-License-Identifier: LGPL-2.1-or-later

#include "common/kernel/remote.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <glob.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/file.h"
#include "common/base/interrupt.h"
#include "common/base/memory.h"
#include "common/base/system.h"
#include "common/http/http.h"
#include "common/process/process.h"
#include "tests/unit/errors.h"
#include "tests/unit/files.h"

static struct http *http;

#define REPOSITORY "a repository"

/** Run git in the repository; the last argument is NULL. */
#define git(...) run_git((const char *const[]){ "git", __VA_ARGS__, NULL })

static void run_git(const char *const *arguments)
{
	static const char *const environment[] = {
		"GIT_CONFIG_NOSYSTEM=1",
		"GIT_CONFIG_GLOBAL=/dev/null",
		"GIT_AUTHOR_NAME=A",
		"GIT_AUTHOR_EMAIL=a@example.org",
		"GIT_COMMITTER_NAME=A",
		"GIT_COMMITTER_EMAIL=a@example.org",
		NULL,
	};
	const struct process_options options = {
		.arguments = arguments,
		.environment = environment,
		.directory = REPOSITORY,
	};

	expect_success(process_run(&options));
}

/** Find a ref and fetch its commit to out. */
static struct error *fetch(const char *url, const char *name, struct ref *ret)
{
	struct error *err = remote_resolve(http, url, name, ret);

	return err ? err : remote_fetch(http, url, ret, "out", 100);
}

static void cleanup_ref(struct ref *ref)
{
	free(ref->name);
}

#define _cleanup_ref_ _cleanup_(cleanup_ref)

static const struct limits limits = { .stall_ms = 1000 };

/** A repository with v1 (annotated), v2 (not), and one more commit. */
static void setup(void)
{
	http = http_create("vmtest-test", &limits);
	enter_tmp();
	cr_assert_null(directory_create(REPOSITORY));
	cr_assert_null(directory_create("out"));
	git("init", "-q", "-b", "main", ".");
	git("config", "core.safecrlf", "false");
	put_file(REPOSITORY, "Makefile", "one\n");
	put_file(REPOSITORY, ".gitattributes", "*.txt eol=crlf\n");
	put_file(REPOSITORY, "a.txt", "line\n");
	git("add", ".");
	git("commit", "-q", "-m", "one");
	git("tag", "-a", "-m", "one", "v1");
	put_file(REPOSITORY, "Makefile", "two\n");
	git("commit", "-q", "-a", "-m", "two");
	git("tag", "v2");
	git("rm", "-q", "a.txt");
	git("commit", "-q", "-a", "-m", "three");
}

static void teardown(void)
{
	http_destroy(http);
	teardown_tmp();
}

TestSuite(remote, .init = setup, .fini = teardown, .timeout = 120);

/** A stand-in for kernel.org, which serves git over HTTP. */
static struct process *serve(const char *argument, const char *value,
			     char **url_ret)
{
	static const char name[] = "KERNEL_ORG_GIT=";
	const char *arguments[] = { VMTEST_SOURCE_DIR
				    "/tests/fixtures/kernel_org.py",
				    "--cache",
				    ".",
				    argument,
				    value,
				    NULL };
	struct process *process = NULL;
	int fds[2];

	cr_assert_eq(pipe(fds), 0);
	const struct process_options options = { .arguments = arguments,
						 .stdout_fd = &fds[1] };
	cr_assert_null(process_spawn(&options, &process));
	close(fds[1]);

	_cleanup_fclose_ FILE *stream = fdopen(fds[0], "r");
	_cleanup_free_ char *line = NULL;
	size_t size = 0;
	while (getline(&line, &size, stream) > 0) {
		if (strncmp(line, name, strlen(name)) != 0)
			continue;
		line[strcspn(line, "\n")] = '\0';
		*url_ret = strdup(line + strlen(name));
		return process;
	}
	cr_assert_fail("the stand-in did not start");
	return NULL;
}

Test(remote, finds_a_ref_among_thousands_over_http)
{
	_cleanup_free_ char *url = NULL;
	_cleanup_ref_list_ struct ref_list refs = { 0 };
	_cleanup_ref_ struct ref found = { 0 };
	size_t tags = 0;
	FILE *file = fopen("tags", "w");

	cr_assert(file);
	for (int i = 0; i < 5000; i++)
		fprintf(file, "v5.%d.%d\n", i / 100, i % 100);
	fclose(file);
	_cleanup_process_ struct process *server = serve("--tags", "tags", &url);
	cr_assert_null(remote_resolve(http, url, "v5.49.99", &found));
	cr_assert_null(ref_list_request(http, url, &refs));
	for (size_t i = 0; i < refs.count; i++) {
		if (!ref_tag(&refs.items[i]))
			continue;
		tags++;
		cr_assert_str_eq(refs.items[i].commit, found.commit);
	}
	cr_expect_eq(tags, 5000);
	expect_kind(remote_resolve(http, url, "v9", &found), ERROR_NOT_FOUND,
		    "v9");
}

Test(remote, takes_nothing_but_smart_http_for_a_list_of_refs)
{
	_cleanup_free_ char *url = NULL;
	_cleanup_http_ struct http *bot = http_create("some-bot/1", &limits);
	_cleanup_ref_ struct ref found = { 0 };

	put_file(".", "tags", "v5.4.1\n");
	_cleanup_process_ struct process *server = serve("--tags", "tags", &url);
	_cleanup_free_ char *slashes = string_format("%s//", url);
	_cleanup_free_ char *elsewhere = string_format("%s/elsewhere", url);
	cr_assert_null(remote_resolve(http, slashes, "v5.4.1", &found));

	expect_kind(remote_resolve(http, elsewhere, "v5.4.1", &found),
		    ERROR_NOT_FOUND, "/elsewhere/info/refs?");

	// A page, with status 200.
	expect_kind(remote_resolve(bot, url, "v5.4.1", &found), ERROR_OTHER,
		    "blocked: the answer is a web page");
}

Test(remote, fetches_one_commit_from_where_it_lies)
{
	static const struct {
		const char *ref, *makefile;
		bool has_a;
	} cases[] = {
		{ "v1", "one\n", true },
		{ "refs/tags/v2", "two\n", true },
		{ "main", "two\n", false },
		{ "HEAD", "two\n", false },
	};
	_cleanup_free_ char *path = in_tmp(REPOSITORY);
	_cleanup_free_ char *url =
		string_format("file://%s/a%%20repository", tmp);
	const char *const urls[] = { path, url };

	// Of refs that are not asked for, none matters.
	git("symbolic-ref", "refs/remotes/origin/HEAD",
	    "refs/remotes/origin/gone");
	for (size_t i = 0; i < array_size(cases) * 2; i++) {
		const char *ref = cases[i / 2].ref;
		_cleanup_ref_ struct ref found = { 0 };

		expect_success(fetch(urls[i % 2], ref, &found));
		expect_contents("out", "Makefile", cases[i / 2].makefile);
		cr_expect_eq(is_there("out", "a.txt"), cases[i / 2].has_a, "%s",
			     ref);
		// As it is in the repository, whatever .gitattributes says.
		if (cases[i / 2].has_a)
			expect_contents("out", "a.txt", "line\n");
		cr_expect_not(is_there("out", ".git"));
		cr_assert_null(directory_clear("out"));
	}
	// Nor is the repository's own working tree touched.
	expect_contents(REPOSITORY, "Makefile", "two\n");
	cr_expect_not(is_there(REPOSITORY, "a.txt"));
}

Test(remote, fetches_one_commit_over_http)
{
	_cleanup_free_ char *url = NULL;
	_cleanup_ref_ struct ref found = { 0 };

	put_file("tree", "Makefile", "VERSION = 6\n");
	_cleanup_process_ struct process *server =
		serve("--git-source", "6.12.3=tree", &url);

	// The one before it, which an older libgit2 fetches too, is in the limit.
	expect_success(fetch(url, "v6.12.3", &found));
	expect_contents("out", "Makefile", "VERSION = 6\n");
	cr_expect_not(is_there("out", ".git"));

	expect_kind(remote_fetch(http, url, &found, "out", 1), ERROR_OTHER,
		    "objects");

	struct ref moved = found;
	memset(moved.commit, 'd', 40);
	expect_kind(remote_fetch(http, url, &moved, "out", 100), ERROR_RETRY,
		    "has moved meanwhile");

	interrupt_catch();
	raise(SIGTERM);
	expect_kind(remote_fetch(http, url, &found, "out", 100),
		    ERROR_CANCELLED, "terminated");
	// Nothing of four fetches is left beside the directory.
	glob_t left;
	cr_expect_eq(glob(".fetch.*", 0, NULL, &left), GLOB_NOMATCH);
	globfree(&left);
}

Test(remote, what_is_not_there_is_not_found)
{
	static const char *const refs[] = { "v3",    "refs/tags/v3", "",
					    "v1^{}", "../config",    "a b",
					    "-x" };
	_cleanup_free_ char *path = in_tmp(REPOSITORY);

	for (size_t i = 0; i < array_size(refs); i++) {
		struct ref found = { 0 };

		expect_kind(remote_resolve(http, path, refs[i], &found),
			    ERROR_NOT_FOUND, refs[i]);
		cr_expect_null(found.name);
	}
}

Test(remote, a_server_that_is_not_there_may_come_back)
{
	static const struct {
		const char *url;
		enum error_kind kind;
	} cases[] = {
		{ "http://127.0.0.1:9/linux.git", ERROR_RETRY },
		{ "http://me:s3cret@127.0.0.1:9/linux.git", ERROR_RETRY },
		// To libgit2 it is a system call that failed.
		{ "git://127.0.0.1:9/linux.git", ERROR_OTHER },
	};

	for (size_t i = 0; i < array_size(cases); i++) {
		struct ref found;
		struct error *err =
			remote_resolve(http, cases[i].url, "v1", &found);

		cr_assert(err);
		cr_expect_null(strstr(error_message(err), "s3cret"));
		expect_kind(err, cases[i].kind, "://127.0.0.1:9/linux.git");
	}
}

/** A server that takes connections, and says nothing. */
static int listen_silently(char url_ret[static 64])
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	socklen_t size = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	cr_assert_eq(bind(fd, (struct sockaddr *)&address, size), 0);
	cr_assert_eq(listen(fd, 8), 0);
	cr_assert_eq(getsockname(fd, (struct sockaddr *)&address, &size), 0);
	snprintf(url_ret, 64, "http://127.0.0.1:%d/linux.git",
		 ntohs(address.sin_port));
	return fd;
}

Test(remote, a_server_that_says_nothing_is_given_up_or_interrupted)
{
	char url[64];
	_cleanup_close_ int fd = listen_silently(url);
	struct ref found;
	uint64_t start_ms = monotonic_ms();

	expect_kind(remote_resolve(http, url, "v1", &found), ERROR_RETRY,
		    "nothing came for 1 s");
	cr_expect_lt(monotonic_ms() - start_ms, 3000);

	interrupt_catch();
	raise(SIGTERM);
	expect_kind(remote_resolve(http, url, "v1", &found), ERROR_CANCELLED,
		    "terminated");
}

Test(remote, what_is_no_repository_is_an_error)
{
	static const char *const urls[] = { "/nowhere", "file:///nowhere",
					    "/proc/self", "ftp://a/b", "" };

	for (size_t i = 0; i < array_size(urls); i++) {
		struct ref found;
		_cleanup_error_ struct error *err =
			remote_resolve(http, urls[i], "v1", &found);

		cr_expect_not_null(err, "%s", urls[i]);
	}
}
