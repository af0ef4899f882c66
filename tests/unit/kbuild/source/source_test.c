// SPDX-License-Identifier: LGPL-2.1-or-later

#include "kbuild/source/source.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/file.h"
#include "common/base/memory.h"
#include "common/http/http.h"
#include "common/kernel/catalog.h"
#include "common/process/process.h"
#include "kbuild/phase.h"
#include "tests/unit/errors.h"
#include "tests/unit/files.h"

// The directory holds `configs`, `www` (kernel.org), `cache` and `tree`.
static struct process *server;
static struct catalog *catalog;
static struct http *http;
static const struct catalog_arch *arch;

static const char patch[] =
	"# vmtest: >=6.12 x86_64\n"
	"diff --git a/lib.c b/lib.c\n--- a/lib.c\n+++ b/lib.c\n"
	"@@ -1 +1 @@\n-old\n+new\n";

static void make_directory(const char *name)
{
	_cleanup_free_ char *path = in_tmp(name);

	cr_assert_null(directory_create(path));
}

/** Run a program in the test's directory. */
#define run(...) run_program((const char *const[]){ __VA_ARGS__, NULL })

static void run_program(const char *const *arguments)
{
	const struct process_options options = { .arguments = arguments,
						 .directory = tmp };

	expect_success(process_run(&options));
}

/** Number of entries of a directory that match a pattern, hidden ones too. */
static unsigned int count(const char *pattern)
{
	_cleanup_free_ char *text = NULL;
	const char *arguments[] = {
		"find",	 "cache/sources", "-mindepth", "1", "-maxdepth", "1",
		"-name", pattern,	  "-printf",   "x", NULL
	};
	const struct process_options options = { .arguments = arguments,
						 .directory = tmp };

	cr_assert_null(process_capture(&options, 4096, &text));
	return strlen(text);
}

static void serve(void)
{
	static const char *const arguments[] = {
		"python3", "-u",	"-m",	       "http.server", "0",
		"--bind",  "127.0.0.1", "--directory", "www",	      NULL
	};
	_cleanup_free_ char *base = NULL,
			    *configs = in_tmp("configs/vmtest.json");
	_cleanup_free_ char *line = NULL;
	size_t size = 0;
	unsigned int port;
	int fds[2];

	cr_assert_eq(pipe(fds), 0);
	const struct process_options options = { .arguments = arguments,
						 .directory = tmp,
						 .stdout_fd = &fds[1] };
	cr_assert_null(process_spawn(&options, &server));
	close(fds[1]);
	_cleanup_fclose_ FILE *stream = fdopen(fds[0], "r");
	cr_assert(getline(&line, &size, stream) > 0);
	cr_assert_eq(sscanf(line, "Serving HTTP on 127.0.0.1 port %u", &port),
		     1, "%s", line);
	cr_assert(asprintf(&base, "http://127.0.0.1:%u", port) > 0);
	cr_assert_null(catalog_load(configs, base, &catalog));
}

/** Make a tarball of `tree`, whose Makefile says 6.12.SUBLEVEL. */
static void make_tarball(const char *sublevel, const char *extra,
			 const char *tarball)
{
	_cleanup_free_ char *makefile = string_format(
		"# SPDX\nVERSION = 6\nPATCHLEVEL = 12\nSUBLEVEL = %s\nEXTRAVERSION =%s\n",
		sublevel, extra);

	put_file(tmp, "tree/Makefile", makefile);
	run("tar", "-caf", tarball, "tree");
}

static const char tarball_path[] =
	"www/pub/linux/kernel/v6.x/linux-6.12.117.tar.xz";

/** Sign what is there; the key is one that the catalog trusts. */
static void sign(void)
{
	run("python3", VMTEST_SOURCE_DIR "/tests/fixtures/signer.py", "configs",
	    tarball_path);
}

/** kernel.org has 6.12.117, signed. @p digest_ret is its digest. */
static void publish(char digest_ret[static DIGEST_TEXT_SIZE])
{
	_cleanup_free_ char *path = in_tmp(tarball_path);

	make_tarball("117", "", tarball_path);
	cr_assert_null(digest_file(path, digest_ret, NULL));
	sign();
}

static void setup(void)
{
	static const struct limits limits = { .retry_ms = 1000,
					      .stall_ms = 60000 };

	setup_tmp();
	make_directory("www/pub/linux/kernel/v6.x");
	make_directory("www/torvalds/t");
	make_directory("configs/patches");
	make_directory("tree");
	make_directory("cache");
	_cleanup_free_ char *configs = in_tmp("configs/vmtest.json");
	cr_assert_null(
		file_copy(VMTEST_SOURCE_DIR "/configs/vmtest.json", configs));
	put_file(tmp, "tree/lib.c", "old\n");
	// The catalog names it when it is read.
	run("python3", VMTEST_SOURCE_DIR "/tests/fixtures/signer.py", "configs");
	serve();
	cr_assert_null(catalog_find_arch(catalog, "x86_64", &arch));
	http = http_create("test", &limits);
}

static void teardown(void)
{
	http_destroy(http);
	catalog_destroy(catalog);
	process_destroy(server);
	teardown_tmp();
}

TestSuite(source, .init = setup, .fini = teardown, .timeout = 120);

/** Of what is set, and the rest as in all tests. */
static struct error *prepare(struct source_request request, struct source *ret)
{
	_cleanup_free_ char *cache = in_tmp("cache");

	request.catalog = catalog;
	request.arch = arch;
	request.http = http;
	request.cache_directory = cache;
	return source_prepare(&request, ret);
}

/** @param[in] path A copy of its tarball; NULL for none. */
static struct error *prepare_copy(const char *version, const char *path,
				  struct source *ret)
{
	struct source_request request = { .kind = SOURCE_VERSION, .path = path };

	cr_assert(kernel_version_parse(version, &request.version));
	return prepare(request, ret);
}

static struct error *prepare_version(const char *version, struct source *ret)
{
	return prepare_copy(version, NULL, ret);
}

/** Nothing is left in the cache. */
static void expect_nothing_made(const char *what)
{
	cr_expect_eq(count("*"), 0, "%s", what);
}

Test(source, a_version_comes_proven_and_patched)
{
	_cleanup_source_ struct source source = { 0 };
	char digest[DIGEST_TEXT_SIZE];

	put_file(tmp, "configs/patches/0001-new.patch", patch);
	publish(digest);
	expect_success(prepare_version("6.12.117", &source));
	expect_contents(source.path, "lib.c", "new\n");
	cr_expect_str_eq(source.digest, digest);
	cr_expect_eq(source.version.patch, 117);
	cr_expect(strstr(source.url,
			 "/pub/linux/kernel/v6.x/linux-6.12.117.tar.xz"));
	cr_assert_eq(source.patches.count, 1);
	cr_expect_str_eq(source.patches.items[0], "0001-new.patch");
	cr_expect(strstr(source.path, "/sources/linux-6.12.117-"));
	cr_expect_eq(strncmp(source.signature, "Stand In, ", 10), 0, "%s",
		     source.signature);
	cr_expect_eq(count(".*"), 0);
}

Test(source, is_used_again_without_the_network)
{
	_cleanup_source_ struct source first = { 0 }, second = { 0 },
				       patched = { 0 };
	char digest[DIGEST_TEXT_SIZE];

	publish(digest);
	cr_assert_null(prepare_version("6.12.117", &first));
	process_destroy(take_ptr(server));
	cr_assert_null(prepare_version("6.12.117", &second));
	cr_expect_str_eq(second.path, first.path);
	cr_expect_str_eq(second.url, first.url);
	cr_expect_str_eq(second.digest, digest);
	cr_expect_str_eq(second.signature, first.signature);
	cr_expect_eq(kernel_version_compare(&second.version, &first.version), 0);
	cr_expect_eq(second.patches.count, 0);

	// With another patch it is another source, which must be fetched.
	put_file(tmp, "configs/patches/0001-new.patch", patch);
	expect_kind(prepare_version("6.12.117", &patched), ERROR_RETRY,
		    "6.12.117");
}

Test(source, a_directory_without_facts_is_made_again)
{
	_cleanup_source_ struct source first = { 0 }, second = { 0 };
	char digest[DIGEST_TEXT_SIZE];

	publish(digest);
	cr_assert_null(prepare_version("6.12.117", &first));
	put_file(first.path, ".vmtest-source.json", "{}");
	cr_assert_null(prepare_version("6.12.117", &second));
	cr_expect_str_eq(second.digest, digest);
	expect_contents(second.path, "lib.c", "old\n");
}

/** Beside the tarball lies what proves it, as 'fetch' leaves it. */
static void put_proof(void)
{
	sign();
	run("sh", "-c", "cp \"${0%.xz}.sign\" \"$0.sign\"", tarball_path);
}

Test(source, a_copy_needs_no_network_and_is_the_same_source)
{
	_cleanup_source_ struct source copied = { 0 }, again = { 0 },
				       other = { 0 };
	_cleanup_free_ char *path = in_tmp(tarball_path);
	char digest[DIGEST_TEXT_SIZE];

	publish(digest);
	put_proof();
	process_destroy(take_ptr(server));
	cr_assert_null(prepare_copy("6.12.117", path, &copied));
	cr_expect_str_eq(copied.digest, digest);
	cr_expect_str_eq(
		copied.url,
		"https://cdn.kernel.org/pub/linux/kernel/v6.x/linux-6.12.117.tar.xz");
	// As if it had been downloaded.
	cr_assert_null(prepare_version("6.12.117", &again));
	cr_expect_str_eq(again.path, copied.path);

	// What another copy holds is not what is there.
	put_file(tmp, "tree/lib.c", "newer\n");
	make_tarball("117", "", tarball_path);
	expect_failure(prepare_copy("6.12.117", path, &other),
		       "the signature is not that of these files");
	put_proof();
	cr_assert_null(prepare_copy("6.12.117", path, &other));
	cr_expect_str_neq(other.digest, digest);
	expect_contents(other.path, "lib.c", "newer\n");
}

Test(source, phases_say_where_it_failed)
{
	_cleanup_free_ char *path = in_tmp(tarball_path);
	struct phase_clock clock = { 0 };
	const struct source_request request = { .kind = SOURCE_VERSION,
						.version = { 6, 12, 117, 0 },
						.path = path,
						.clock = &clock };
	_cleanup_source_ struct source source = { 0 };

	struct error *err = prepare_copy("6.12.117", "/nonexistent/x", &source);
	cr_expect(err && !strstr(error_message(err), "kernel.org does not"));
	expect_failure(err, "/nonexistent/x");
	make_tarball("116", "", tarball_path);
	put_proof();
	expect_failure(prepare(request, &source), "6.12.116 instead of 6.12.117");
	cr_expect_eq(clock.current, PHASE_SOURCE);

	put_file(tmp, "configs/patches/0001-new.patch", patch);
	put_file(tmp, "tree/lib.c", "not what the patch expects\n");
	make_tarball("117", "", tarball_path);
	put_proof();
	expect_failure(prepare(request, &source),
		       "/sources: patch 0001-new.patch: the source does not have it");
	cr_expect_eq(clock.current, PHASE_PATCH);
	expect_nothing_made("failed patch");
}

/** Another tarball than the signature's, of one byte. */
static void tamper(void)
{
	char digest[DIGEST_TEXT_SIZE];

	publish(digest);
	put_file(tmp, "tree/lib.c", "0ld\n");
	make_tarball("117", "", tarball_path);
}

/** The same, but damaged. */
static void damage(void)
{
	char digest[DIGEST_TEXT_SIZE];

	publish(digest);
	run("sh", "-c", "printf x >> \"$0\"", tarball_path);
}

/** Another kernel than its name's. */
static void mislabel(void)
{
	make_tarball("116", "", tarball_path);
	sign();
}

/** The tarball comes before its signature. */
static void publish_unsigned(void)
{
	run("rm", "-f", "www/pub/linux/kernel/v6.x/linux-6.12.117.tar.sign");
}

Test(source, what_does_not_match_is_not_used)
{
	static const struct {
		void (*prepare)(void);
		const char *version, *message;
	} cases[] = {
		{ tamper, "6.12.117", "the signature is not that of these files" },
		{ damage, "6.12.117", "linux-6.12.117.tar.xz" },
		{ mislabel, "6.12.117", "6.12.116 instead of 6.12.117" },
		{ publish_unsigned, "6.12.117",
		  "kernel.org does not have it yet" },
		// No such major version.
		{ publish_unsigned, "5.4", "kernel.org does not have it yet" },
	};

	for (size_t i = 0; i < array_size(cases); i++) {
		_cleanup_source_ struct source source = { 0 };

		cases[i].prepare();
		expect_failure(prepare_version(cases[i].version, &source),
			       cases[i].message);
		expect_nothing_made(cases[i].message);
	}
}

Test(source, a_tarball_is_known_by_its_contents)
{
	_cleanup_source_ struct source first = { 0 }, second = { 0 };
	_cleanup_free_ char *path = in_tmp("a.tar.xz"),
			    *other = in_tmp("b.tar.xz");
	const struct source_request spec = { .kind = SOURCE_TARBALL,
					     .path = path };
	const struct source_request same = { .kind = SOURCE_TARBALL,
					     .path = other };
	char digest[DIGEST_TEXT_SIZE];

	put_file(tmp, "configs/patches/0001-new.patch", patch);
	put_file(tmp, "configs/patches/0002-old.patch",
		 "# vmtest: <6.12\ndiff --git a/b b/b\n");
	make_tarball("117", "", "a.tar.xz");
	cr_assert_null(digest_file(path, digest, NULL));
	cr_assert_null(prepare(spec, &first));
	cr_expect_str_eq(first.url, "a.tar.xz");
	cr_expect_str_eq(first.digest, digest);
	cr_expect_str_eq(first.signature, "unsigned");
	cr_expect_eq(first.patches.count, 1);
	expect_contents(first.path, "lib.c", "new\n");

	cr_assert_eq(rename(path, other), 0);
	cr_assert_null(prepare(same, &second));
	cr_expect_str_eq(second.path, first.path);
	expect_failure(prepare(spec, &second), "a.tar.xz");
}

Test(source, a_directory_is_used_as_it_is)
{
	_cleanup_source_ struct source source = { 0 };
	_cleanup_free_ char *tree = in_tmp("tree");
	const struct source_request spec = { .kind = SOURCE_DIRECTORY,
					     .path = tree };

	put_file(tmp, "configs/patches/0001-new.patch", patch);
	make_tarball("117", "", "unused.tar.gz");
	cr_assert_null(prepare(spec, &source));
	cr_expect_str_eq(source.path, tree);
	cr_expect_null(source.url);
	cr_expect_str_eq(source.digest, "");
	cr_expect_str_eq(source.signature, "unsigned");
	cr_expect_eq(source.patches.count, 0);
	expect_contents(tree, "lib.c", "old\n");
}

Test(source, git_is_known_by_its_commit)
{
	_cleanup_source_ struct source first = { 0 }, second = { 0 };
	_cleanup_free_ char *tree = in_tmp("tree");
	const struct source_request spec = { .kind = SOURCE_GIT,
					     .url = tree,
					     .ref = "v6.12.117" };

	put_file(tmp, "configs/patches/0001-new.patch", patch);
	make_tarball("117", "", "unused.tar.gz");
	run("git", "init", "-q", "tree");
	run("git", "-C", "tree", "add", ".");
	run("git", "-C", "tree", "-c", "user.name=A", "-c", "user.email=a@b",
	    "commit", "-q", "-m", "one");
	run("git", "-C", "tree", "tag", "v6.12.117");
	cr_assert_null(prepare(spec, &first));
	expect_contents(first.path, "lib.c", "new\n");
	expect_contents(tree, "lib.c", "old\n");
	cr_expect_eq(strncmp(first.url, "git+/tmp/", 9), 0);
	cr_assert_null(prepare(spec, &second));
	cr_expect_str_eq(second.path, first.path);
	cr_expect_eq(second.patches.count, 1);
}
