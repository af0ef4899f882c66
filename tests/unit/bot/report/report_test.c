// SPDX-License-Identifier: LGPL-2.1-or-later

#include "bot/report/report.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "bot/build/build.h"
#include "bot/plan/failure.h"
#include "bot/plan/plan.h"
#include "common/base/memory.h"
#include "common/base/table.h"
#include "common/base/text.h"
#include "common/kernel/catalog.h"
#include "common/store/store.h"
#include "kbuild/config/config.h"
#include "kbuild/package/package.h"
#include "tests/unit/errors.h"
#include "tests/unit/files.h"

enum {
	VERDICTS_MAX = 600,
};

TestSuite(issue, .init = setup_tmp, .fini = teardown_tmp);

static const struct failure_list none_failed;
static const struct catalog_arch x86_64 = { .name = "x86_64" };
static struct plan_item planned[VERDICTS_MAX];
static struct build_result results[VERDICTS_MAX];
static struct verdict items[VERDICTS_MAX];

/**
 * The first half of 6.12.117 for x86_64: failed, skipped, built, and so on; the
 * others of 6.1.50, all built. PATCH counts from 1. The next call makes the
 * same anew.
 *
 * @param[in] log Of each that has a result; borrowed.
 */
static struct verdict_list make_verdicts(size_t count, const char *log)
{
	struct verdict_list list = { .items = items, .count = count };

	for (size_t i = 0; i < count; i++) {
		bool is_older = i >= count / 2;
		enum verdict_kind kind =
			is_older ? VERDICT_BUILT
				 : (enum verdict_kind)(i % VERDICT_KIND_COUNT);

		snprintf(planned[i].release_text, RELEASE_TEXT_SIZE,
			 "%s-vmtest1.0.%zutiny",
			 is_older ? "6.1.50" : "6.12.117", i + 1);
		cr_assert(release_parse(planned[i].release_text,
					&planned[i].release));
		planned[i].arch = &x86_64;
		results[i] = (struct build_result){
			.log = (char *)log,
			.size_bytes = 83900000,
			.clock.duration_ms = { [PHASE_BUILD] = 512340 },
		};
		items[i] = (struct verdict){
			.item = &planned[i],
			.kind = kind,
			.result = kind == VERDICT_SKIPPED ? NULL : &results[i],
			.phase = kind == VERDICT_FAILED ? "boot" : NULL,
			.reason = kind == VERDICT_FAILED    ? "a | b @user"
				  : kind == VERDICT_SKIPPED ? "cancelled"
							    : "",
		};
		list.counts[kind]++;
	}
	return list;
}

static size_t count_of(const char *text, const char *part)
{
	size_t count = 0;

	for (const char *p = text; (p = strstr(p, part)); p++)
		count++;
	return count;
}

/** The parts, ended by NULL, must be somewhere in the text. */
static void expect_parts(const char *text, const char *const *parts)
{
	for (; *parts; parts++)
		cr_expect(strstr(text, *parts), "no '%s' in:\n%s", *parts, text);
}

#define expect_text(text, ...)                                                 \
	expect_parts((text), (const char *const[]){ __VA_ARGS__, NULL })

static char *format_text(const struct verdict_list *verdicts)
{
	_cleanup_table_ struct table table = { 0 };
	struct string_builder sb = { 0 };

	report_verdicts(verdicts, &table);
	table_append_text(&sb, &table, 0);
	return string_builder_take(&sb);
}

Test(report, failures_come_first)
{
	const struct verdict_list verdicts = make_verdicts(12, "");
	_cleanup_free_ char *text = format_text(&verdicts);
	_cleanup_free_ char *markdown = report_summary(&verdicts, 7, 100000);

	expect_text(text,
		    "architecture  result          size    build\n"
		    "6.12.117-vmtest1.0.1tiny  x86_64        boot failed        -  512.3 s  a | b @user\n",
		    "x86_64        built        83.9 MB  512.3 s\n",
		    "x86_64        skipped            -        -  cancelled\n");
	cr_expect_eq(count_of(text, "\n"), 1 + 12);
	expect_text(
		markdown,
		"### Kernels: 8 built, 2 failed, 2 skipped, 7 left for the next run\n\n"
		"| kernel | architecture | result | | size | build |\n",
		"| 6.12.117-vmtest1.0.1tiny | x86\\_64 | **boot failed** | ` a \\| b @user ` | | 512.3 s |\n",
		"| 6.12.117-vmtest1.0.2tiny | x86\\_64 | skipped | ` cancelled ` | | |\n",
		"| 6.1.50-vmtest1.0.7tiny | x86\\_64 | built | | 83.9 MB | 512.3 s |\n");
	cr_expect_lt(strstr(markdown, "boot failed"),
		     strstr(markdown, "skipped |"));
	cr_expect_null(strstr(markdown, "<details>"));
}

Test(report, logs_are_there_as_far_as_there_is_room)
{
	const struct verdict_list verdicts = make_verdicts(12, "a\n```\nlog\n");
	_cleanup_free_ char *markdown = report_summary(&verdicts, 0, 100000);
	_cleanup_free_ char *cut =
		report_summary(&verdicts, 0, strlen(markdown) - 1);

	cr_expect_eq(count_of(markdown, "<details>"), 2);
	expect_text(markdown,
		    "<summary>6.12.117-vmtest1.0.1tiny for x86_64: boot failed</summary>\n\n````\na\n```\nlog\n````\n");
	cr_expect_lt(strlen(cut), strlen(markdown));
	cr_expect_eq(count_of(cut, "<details>"), 1);
	expect_text(cut, "There is no room for more.\n");
}

Test(report, says_what_a_kernel_was_built_without)
{
	const struct verdict_list verdicts = make_verdicts(1, "");

	string_list_add(&results[0].lost_options, "CONFIG_A=y");
	_cleanup_free_ char *markdown = report_summary(&verdicts, 0, 100000);
	expect_text(markdown,
		    "| built | ` without CONFIG_A=y ` | 83.9 MB | 512.3 s |\n");
	string_list_deinit(&results[0].lost_options);
}

#define DIGEST                                                                 \
	"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define OTHER "f123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
/** Of an asset in a store that nobody looks into. */
#define NOT_ASKED "?"

Test(verdict, a_kernel_is_built_if_the_store_has_what_was_built)
{
	/** No result is outcome -1; no asset is a NULL digest. */
	static const struct {
		const char *name;
		int outcome;
		const char *digest;
		enum verdict_kind kind;
		const char *phase;
	} rows[] = {
		{ "published", BUILD_BUILT, DIGEST, VERDICT_BUILT, NULL },
		{ "published long ago", BUILD_BUILT, "", VERDICT_BUILT, NULL },
		{ "not published", BUILD_BUILT, NULL, VERDICT_FAILED, "publish" },
		{ "another is there", BUILD_BUILT, OTHER, VERDICT_FAILED,
		  "publish" },
		{ "failed", BUILD_FAILED, NULL, VERDICT_FAILED, "boot" },
		{ "failed here only", BUILD_FAILED, OTHER, VERDICT_FAILED,
		  "boot" },
		{ "not there yet", BUILD_UNAVAILABLE, NULL, VERDICT_SKIPPED,
		  NULL },
		{ "no result", -1, NULL, VERDICT_FAILED, "job" },
		{ "from elsewhere", -1, DIGEST, VERDICT_SKIPPED, NULL },
		{ "by this run", BUILD_BUILT, NOT_ASKED, VERDICT_BUILT, NULL },
		{ "failed in it", BUILD_FAILED, NOT_ASKED, VERDICT_FAILED,
		  "boot" },
	};
	struct plan_item item = { .arch = &x86_64,
				  .release_text = "6.12.117-vmtest1.0tiny" };
	const struct plan plan = { .items = &item, .count = 1 };

	cr_assert(release_parse(item.release_text, &item.release));
	for (size_t i = 0; i < array_size(rows); i++) {
		struct build_result result = {
			.release = item.release,
			.arch = "x86_64",
			.outcome = (enum build_outcome)rows[i].outcome,
			.clock.current = PHASE_BOOT,
			.error = (char *)"why",
			.digest = DIGEST,
		};
		const struct build_results made = { &result,
						    rows[i].outcome >= 0 };
		const char *digest = rows[i].digest;
		struct asset asset = {
			.name = (char *)"kernel-6.12.117-vmtest1.0tiny.x86_64.tar.zst",
		};
		const struct asset_list assets = { &asset, digest != NULL };
		bool is_asked = !digest || strcmp(digest, NOT_ASKED) != 0;
		_cleanup_verdict_list_ struct verdict_list list = { 0 };

		strcpy(asset.digest, digest ? digest : "");
		verdicts_compute(&plan, &made, is_asked ? &assets : NULL, &list);
		cr_assert_eq(list.count, 1);
		cr_expect_eq(list.items[0].kind, rows[i].kind, "%s",
			     rows[i].name);
		cr_expect_eq(list.counts[rows[i].kind], 1, "%s", rows[i].name);
		cr_expect_str_eq(list.items[0].phase ? list.items[0].phase : "",
				 rows[i].phase ? rows[i].phase : "", "%s",
				 rows[i].name);
		cr_expect_eq(*list.items[0].reason == '\0',
			     rows[i].kind == VERDICT_BUILT, "%s", rows[i].name);
	}
}

static const struct kernel_version v6_12 = { 6, 12, 117, 0 };
static const struct kernel_version v6_1 = { 6, 1, 50, 0 };

#define LAST "kernel-6.12.116-vmtest1.0tiny.x86_64.tar.zst"

/**
 * Put an older kernel of 6.12 into a store: of its options, CONFIG_9P_FS was
 * not asked for, and CONFIG_UNIX was lost.
 */
static void put_last(const struct catalog *catalog, const char *info)
{
	struct config_request request = { .catalog = catalog };
	_cleanup_option_set_ struct option_set options = { 0 };
	_cleanup_string_builder_ struct string_builder sb = { 0 };

	cr_assert_null(catalog_find_arch(catalog, "x86_64", &request.arch));
	cr_assert_null(catalog_find_flavor(catalog, "tiny", &request.flavor));
	cr_assert(release_parse("6.12.116-vmtest1.0tiny", &request.release));
	cr_assert_null(config_compose(&request, &options));
	for (size_t i = 0; i < options.count; i++) {
		const struct config_option *option = &options.items[i];

		if (strcmp(option->name, "CONFIG_9P_FS") != 0 &&
		    strcmp(option->name, "CONFIG_UNIX") != 0)
			string_builder_appendf(&sb, "%s=%s\n", option->name,
					       option->value);
	}
	put_file(tmp, "tree/build/.config", sb.text);
	put_file(tmp, "tree/vmtest.json", info);
	put_file(tmp, "store/x", "");
	_cleanup_free_ char *tree = in_tmp("tree"), *path = in_tmp("store/" LAST);
	cr_assert_null(package_pack(tree, path));
}

/** Of 6.12, in a store with an older kernel of it. */
static char *make_body(const struct verdict_list *verdicts,
		       const struct failure_list *failures, const char *run_url)
{
	struct asset asset = { .name = (char *)LAST, .created = 1795046400 };
	const struct asset_list assets = { &asset, 1 };
	_cleanup_catalog_ struct catalog *catalog = load_catalog();
	_cleanup_free_ char *name = string_format("dir:%s/store", tmp);
	_cleanup_store_ struct store *store = NULL;
	cr_assert_null(store_create(name, NULL, &store));
	struct issue_facts facts = {
		.catalog = catalog,
		.store = store,
		.assets = &assets,
		.verdicts = verdicts,
		.failures = failures,
		.run_url = run_url,
	};

	return issue_body(&facts, &v6_12);
}

Test(issue, a_body_says_what_failed_first_and_what_is_new)
{
	const struct verdict_list verdicts = make_verdicts(
		2,
		"  CC      fs/a.o\nfs/a.c:7:1: error: unknown type name 'x'\nmake: *** Error 2\n");
	_cleanup_free_ char *body = make_body(&verdicts, &none_failed, NULL);

	expect_text(body,
		    "* 6.12.117-vmtest1.0.1tiny for x86\\_64: boot failed: ` fs/a.c:7:1: error: unknown type name 'x' `. The last that worked is 6.12.116-vmtest1.0tiny, of 2026-11-19. What is new since: ` v6.12.116..v6.12.117 `. How it was made cannot be read.\n");
	cr_assert(release_parse("6.12.117-vmtest1.1default", &planned[0].release));
	_cleanup_free_ char *first = make_body(&verdicts, &none_failed, NULL);
	expect_text(first, "No package of its kind has worked so far.\n");
}

Test(issue, a_body_says_what_made_the_last_package)
{
	static const struct {
		const char *info, *compiler, *text;
	} rows[] = {
		{ "{\"patches\": [\"0000-gone.patch\", \"0002-piix4-power-off-on-x86.patch\"], \"compiler\": \"gcc-12 (Debian) 12.2.0\"}",
		  "13.1.0",
		  "since: ` v6.12.116..v6.12.117 `, ` GCC 13.1.0, which was gcc-12 (Debian) 12.2.0 `, ` no 0000-gone.patch `, ` CONFIG_UNIX=y `, ` CONFIG_9P_FS=y `.\n" },
		{ "{\"lost_options\": [\"CONFIG_UNIX=y\"], \"compiler\": \"gcc-12 (Debian) 12.2.0\"}",
		  "12.2.0",
		  "since: ` v6.12.116..v6.12.117 `, ` 0002-piix4-power-off-on-x86.patch `, ` CONFIG_9P_FS=y `.\n" },
		{ "{}", NULL, ", ` CONFIG_9P_FS=y `.\n" },
	};
	_cleanup_catalog_ struct catalog *catalog = load_catalog();

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		const struct verdict_list verdicts = make_verdicts(2, "");

		put_last(catalog, rows[i].info);
		results[0].compiler = (char *)rows[i].compiler;
		_cleanup_free_ char *body =
			make_body(&verdicts, &none_failed, NULL);
		expect_text(body, rows[i].text);
	}
}

Test(issue, an_issue_is_known_by_its_first_line)
{
	const struct verdict_list verdicts = make_verdicts(6, "");
	_cleanup_free_ char *body = make_body(&verdicts, &none_failed, NULL);

	cr_expect(issue_is_about(body, &v6_12));
	cr_expect_not(issue_is_about(body, &v6_1));
	cr_expect_not(issue_is_about("", &v6_12));
	cr_expect_not(issue_is_about("I see <!-- vmtest series 6.12 -->", &v6_12));
	// GitHub's editor ends lines as it likes.
	cr_expect(issue_is_about("<!-- vmtest series 6.12 -->\r\nx", &v6_12));
}

Test(issue, texts_are_about_their_series_alone)
{
	const struct verdict_list verdicts = make_verdicts(12, "the log\n");
	_cleanup_free_ char *title = issue_title(&v6_12);
	_cleanup_free_ char *body = make_body(&verdicts, &none_failed,
					      "https://g/o/r/actions/runs/1");
	_cleanup_free_ char *end = issue_closing(&v6_1, NULL);

	cr_expect_str_eq(title, "Linux 6.12: builds fail");
	expect_text(body, "[The last run](<https://g/o/r/actions/runs/1>) failed",
		    "| 6.12.117-vmtest1.0.1tiny | x86\\_64 | **boot failed** | ` a \\| b @user ` | 512.3 s |\n");
	cr_expect_eq(count_of(body, "| **boot failed** |"), 2);
	cr_expect_eq(count_of(body, "<details>"), 2);
	cr_expect_null(strstr(body, "1.0.2tiny"));
	cr_expect_null(strstr(body, "6.1.50"));
	cr_expect_str_eq(end,
			 "This run has found all kernels of 6.1.50 in the store.");
}

Test(issue, a_body_says_when_all_that_failed_of_the_series_is_tried_again)
{
	const struct verdict_list verdicts = make_verdicts(6, "");
	_cleanup_failure_list_ struct failure_list failures = { 0 };
	static const char *const releases[] = { "6.12.117-vmtest1.0tiny",
						"6.1.50-vmtest1.0tiny" };

	for (size_t i = 0; i < array_size(releases); i++) {
		struct release release;

		cr_assert(release_parse(releases[i], &release));
		failures_add(&failures, &release, "x86_64", "boot",
			     "0123456789abcdef", NULL, 1796082000);
	}
	_cleanup_free_ char *body = make_body(&verdicts, &failures, NULL);
	expect_text(body,
		    "\n* 6.12.117-vmtest1.0tiny for x86\\_64 failed 1 time: boot; not tried again before 2026-12-01.\n");
	cr_expect_null(strstr(body, "6.1.50"));
}

Test(issue, a_body_is_never_longer_than_github_takes)
{
	static char log[16384], cause[ISSUE_BODY_LIMIT];

	for (size_t i = 0; i < sizeof(log) - 1; i++)
		log[i] = i % 80 ? 'x' : '\n';
	const struct verdict_list verdicts = make_verdicts(VERDICTS_MAX, log);
	_cleanup_free_ char *body = make_body(&verdicts, &none_failed, NULL);
	cr_expect_leq(strlen(body), ISSUE_BODY_LIMIT);
	expect_text(body, "* and 75 more\n");
	memset(cause, 'x', sizeof(cause) - 1);
	items[3].reason = cause;
	results[3].log = NULL;
	_cleanup_free_ char *wide = make_body(&verdicts, &none_failed, NULL);
	cr_expect_leq(strlen(wide), ISSUE_BODY_LIMIT);
	expect_text(wide, "* 6.12.117-vmtest1.0.1tiny for x86\\_64: ",
		    "* and 99 more\n", "closes the issue.\n");
	cr_expect_eq(count_of(body, "| **boot failed** |"), 100);
	cr_expect_gt(count_of(body, "<details>"), 1);
	cr_expect_eq(count_of(body, "<details>"), count_of(body, "</details>"));
	expect_text(body, "closes the issue.\n");
}

static struct error *parse_issues(const char *text, struct issue_list *list)
{
	_cleanup_value_ struct value page = { 0 };
	struct error *err =
		value_parse_answer(text, strlen(text), "GitHub's answer", &page);

	return err ? err
		   : value_items(&page, issue_read, sizeof(*list->items), list);
}

Test(issue, tells_pull_requests_apart)
{
	_cleanup_issue_list_ struct issue_list list = { 0 };

	cr_assert_null(
		parse_issues("[{\"number\": 7, \"body\": \"b\", \"labels\": [1, {}]},"
			     " {\"number\": 8, \"pull_request\": {}, \"body\": \"x\"},"
			     " {\"number\": 9, \"body\": null}]",
			     &list));
	cr_assert_eq(list.count, 3);
	cr_expect_eq(list.items[0].number, 7);
	cr_expect_str_eq(list.items[0].body, "b");
	cr_expect_not(list.items[0].is_pull_request);
	cr_expect(list.items[1].is_pull_request);
	cr_expect_null(list.items[2].body);
}

Test(issue, what_is_no_issue_is_refused_in_a_line)
{
	static const char *const texts[] = {
		"",
		"{}",
		"[1]",
		"[{}]",
		"[{\"number\": 0}]",
		"[{\"number\": -1}]",
		"[{\"number\": \"1\"}]",
		"[{\"number\": 1, \"body\": []}]",
		"[{\"number\": 1}",
	};

	for (size_t i = 0; i < array_size(texts); i++) {
		_cleanup_issue_list_ struct issue_list list = { 0 };

		expect_failure(parse_issues(texts[i], &list), "GitHub's answer");
	}
}

static char *make_page(struct asset *list, size_t count,
		       const struct failure_list *failures)
{
	_cleanup_catalog_ struct catalog *catalog = load_catalog();
	const struct asset_list assets = { list, count };

	return page_format(catalog, &assets, failures, "2026-11-30",
			   "github:o/r@t");
}

Test(page, a_row_has_a_column_for_each_flavor)
{
	struct asset list[] = {
		{ .name = (char *)"kernel-6.12.115-vmtest1.0tiny.x86_64.tar.zst",
		  .label = (char *)"kernel-6.12.115-vmtest1.0tiny.x86_64.tar.zst signed by Old",
		  .size_bytes = 1000000 },
		{ .name = (char *)"kernel-6.12.117-vmtest1.0tiny.x86_64.tar.zst",
		  .label = (char *)"kernel-6.12.117-vmtest1.0tiny.x86_64.tar.zst signed by A|B",
		  .size_bytes = 76543210,
		  .created = 1795046400,
		  .url = (char *)"https://x/y" },
		{ .name = (char *)"kernel-7.4-vmtest1.0tiny.x86_64.tar.zst",
		  .label = (char *)"kernel-7.4-vmtest1.0tiny.x86_64.tar.zst signed by A without CONFIG_A=y",
		  .size_bytes = 1000000 },
		{ .name = (char *)"kernel-7.4-vmtest1.1default.x86_64.tar.zst",
		  .label = (char *)"kernel-7.4-vmtest1.1default.x86_64.tar.zst signed by B",
		  .url = (char *)"/a|b> `c\\\n/d",
		  .size_bytes = 1000000 },
		{ .name = (char *)"notes.txt" },
	};
	_cleanup_free_ char *text =
		make_page(list, array_size(list), &none_failed);

	expect_text(
		text,
		"| Series | Architecture | default | alternative | tiny | bpf | debug | Source signed by |\n",
		"| 6.12 | x86\\_64 | | | [6.12.117](<https://x/y>), 76.5 MB, 2026-11-19 | | | A\\|B |\n",
		"| 7.4 | x86\\_64 | [7.4](</a%7Cb%3E %60c%5C%0A/d>), 1.0 MB, 1970-01-01 | | 7.4, 1.0 MB, 1970-01-01, without CONFIG\\_A=y | | | B, A |\n");
	cr_expect_null(strstr(text, "6.12.115"));
	cr_expect_null(strstr(text, "notes"));
}

Test(page, says_when_a_run_last_succeeded)
{
	_cleanup_free_ char *text = make_page(NULL, 0, &none_failed);
	char day[DAY_SIZE];

	expect_text(text, "Last successful run: 2026-11-30.\n");
	page_read_success(text, day);
	cr_expect_str_eq(day, "2026-11-30");
	static const char *const others[] = { NULL, "", "Linux kernels",
					      "Last successful run: ",
					      "Last successful run: today." };
	for (size_t i = 0; i < array_size(others); i++) {
		page_read_success(others[i], day);
		cr_expect_str_eq(day, "", "row %zu", i);
	}
}

Test(page, no_name_leaves_its_block)
{
	_cleanup_catalog_ struct catalog *catalog = load_catalog();
	struct asset asset = {
		.name = (char *)"kernel-7.4-vmtest1.0tiny.x86_64.tar.zst",
		.label = (char *)"kernel-7.4-vmtest1.0tiny.x86_64.tar.zst without &lt;b\r\n| <b>",
		.size_bytes = 1,
	};
	const struct asset_list assets = { &asset, 1 };
	_cleanup_free_ char *text = page_format(catalog, &assets, &none_failed,
						"", "dir:/x\n```\n<script>");

	cr_expect_eq(count_of(text, "```"), 2);
	cr_expect_null(strstr(text, "<script>"));
	expect_text(text, "without \\&lt;b  \\| \\<b\\> |");
}

Test(page, a_thousand_assets_fit_into_what_github_takes)
{
	static struct asset list[1000];
	static char names[1000][128];

	for (int i = 0; i < 1000; i++) {
		snprintf(names[i], sizeof(names[i]),
			 "kernel-%d.%d.117-vmtest1.0%s.%s.tar.zst", 5 + i / 500,
			 i / 5 % 100, i % 2 ? "tiny" : "alternative",
			 (const char *[]){ "x86_64", "aarch64", "arm", "s390x",
					   "ppc64" }[i % 5]);
		list[i] = (struct asset){
			.name = names[i],
			.size_bytes = 80000000,
			.url = (char *)"https://github.com/owner-of-it/repository-name/releases/download/vmtest-assets/kernel-6.12.117-vmtest1.0alternative.x86_64.tar.zst",
		};
	}
	_cleanup_failure_list_ struct failure_list failures = { 0 };
	for (unsigned int i = 0; i < 1000; i++) {
		const struct release release = {
			.version = { 4, i, 300, 0 },
			.revision = 1,
			.flavor = "alternative",
		};

		failures_add(&failures, &release, "x86_64", "package",
			     "0123456789abcdef", NULL, 1796082000);
	}
	_cleanup_free_ char *text = make_page(list, 1000, &failures);
	cr_expect_leq(strlen(text), STORE_PAGE_MAX);
}
