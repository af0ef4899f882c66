// SPDX-License-Identifier: LGPL-2.1-or-later

#include "bot/build/build.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/memory.h"
#include "common/store/store.h"
#include "kbuild/package/package.h"
#include "tests/unit/errors.h"
#include "tests/unit/files.h"

#define DIGEST                                                                 \
	"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static struct build_result make(enum build_outcome outcome)
{
	struct build_result result = {
		.arch = "x86_64",
		.outcome = outcome,
		.clock.current = PHASE_BOOT,
		.clock.duration_ms = { [PHASE_SOURCE] = 3100, [PHASE_BOOT] = 1 },
		.size_bytes = 83886080,
		.digest = DIGEST,
	};

	cr_assert(release_parse("6.12.117-vmtest1.0.3tiny", &result.release));
	return result;
}

Test(build_result, what_is_written_is_read)
{
	for (int i = BUILD_BUILT; i <= BUILD_UNAVAILABLE; i++) {
		struct build_result result = make((enum build_outcome)i);
		_cleanup_build_result_ struct build_result again = { 0 };

		string_list_add(&result.lost_options, "CONFIG_A=y");
		if (i != BUILD_BUILT) {
			result.error = (char *)"make failed\xff";
			result.log = (char *)"a\n\033[31mb\033[0m\n";
		}
		_cleanup_free_ char *text = build_result_format(&result);
		cr_assert_null(build_result_parse(text, "r", &again), "%s", text);
		cr_expect_eq(again.outcome, result.outcome);
		cr_expect_eq(release_compare(&again.release, &result.release), 0);
		cr_expect_str_eq(again.arch, "x86_64");
		cr_expect_eq(again.clock.duration_ms[PHASE_SOURCE], 3100);
		cr_expect_eq(again.clock.duration_ms[PHASE_BOOT], 1);
		cr_expect_eq(again.clock.duration_ms[PHASE_BUILD], 0);
		if (i == BUILD_BUILT) {
			cr_expect_eq(again.size_bytes, 83886080);
			cr_assert_eq(again.lost_options.count, 1);
			cr_expect_str_eq(again.lost_options.items[0],
					 "CONFIG_A=y");
			cr_expect_str_eq(again.digest, DIGEST);
			cr_expect_null(again.error);
		} else {
			cr_expect_str_eq(again.error, "make failed\xef\xbf\xbd");
			cr_expect_str_eq(again.log, "a\nb\n");
		}
		if (i == BUILD_FAILED)
			cr_expect_eq(again.clock.current, PHASE_BOOT);
		string_list_deinit(&result.lost_options);
	}
}

Test(build_result, has_the_parts_of_the_release)
{
	const struct build_result result = make(BUILD_FAILED);
	static const char *const parts[] = {
		"\"release\": \"6.12.117-vmtest1.0.3tiny\"",
		"\"version\": \"6.12.117\"",
		"\"series\": \"6.12\"",
		"\"flavor\": \"tiny\"",
		"\"phase\": \"boot\"",
		"\"size\": null",
		"\"sha256\": null",
	};

	_cleanup_free_ char *text = build_result_format(&result);
	for (size_t i = 0; i < array_size(parts); i++)
		cr_expect(strstr(text, parts[i]), "%s: %s", parts[i], text);
}

Test(build_result, a_cause_is_as_long_as_an_issue_takes)
{
	struct build_result result = make(BUILD_FAILED);
	char error[2000];

	for (size_t extra = 0; extra < 2; extra++) {
		_cleanup_build_result_ struct build_result again = { 0 };
		_cleanup_string_builder_ struct string_builder sb = { 0 };

		string_builder_append(&sb, extra ? "x" : "");
		while (sb.length + 2 < sizeof(error))
			string_builder_append(&sb, "\u00e9");
		result.error = strcpy(error, sb.text);
		_cleanup_free_ char *text = build_result_format(&result);
		cr_assert_null(build_result_parse(text, "r", &again));
		size_t length = strlen(again.error);
		cr_expect_leq(length, 500);
		cr_expect_geq(length, 495);
		cr_expect_str_eq(again.error + length - 5, "\u00e9...");
	}
}

Test(build_result, what_is_no_result_is_refused_in_a_line)
{
	static const struct {
		const char *was, *is, *field;
	} rows[] = {
		{ "\"6.12.117-vmtest1.0.3tiny\"", "\"6.12.117\"", "release" },
		{ "\"x86_64\"", "\"../x\"", "arch" },
		{ "\"x86_64\"", "null", "arch" },
		{ "\"built\"", "\"broken\"", "outcome" },
		{ "\"built\"", "[]", "outcome" },
		{ "\"built\"", "\"failed\"", "phase" },
		{ "\"error\": null", "\"error\": 1", "error" },
		{ "\"log\": null", "\"log\": {}", "log" },
		{ "3.1", "-3.1", "seconds" },
		{ "3.1", "1e300", "seconds" },
		{ "83886080", "-1", "size" },
		{ "83886080", "null", "size" },
		{ "\"" DIGEST "\"", "\"0\"", "sha256" },
		{ "[]", "[\"A\"]", "lost_options" },
		{ "[]", "[1]", "lost_options" },
		{ "[]", "\"CONFIG_A=y\"", "lost_options" },
		{ "\"outcome\"", "\"arch\"", "JSON" },
		{ "{", "[", "JSON" },
	};
	const struct build_result result = make(BUILD_BUILT);

	_cleanup_free_ char *text = build_result_format(&result);
	for (size_t i = 0; i < array_size(rows); i++) {
		_cleanup_build_result_ struct build_result parsed = { 0 };
		const char *at = strstr(text, rows[i].was);
		_cleanup_free_ char *changed = NULL;

		cr_assert_not_null(at, "%s", rows[i].was);
		cr_assert(asprintf(&changed, "%.*s%s%s", (int)(at - text), text,
				   rows[i].is, at + strlen(rows[i].was)) > 0);
		struct error *err =
			build_result_parse(changed, "r.json", &parsed);
		cr_expect(err && !strncmp(error_message(err), "r.json: ", 8));
		expect_failure(err, rows[i].field);
	}
}

TestSuite(build_results, .init = setup_tmp, .fini = teardown_tmp);

#define RESULT(arch)                                                           \
	"{\"release\": \"6.12.117-vmtest1.0tiny\", \"arch\": \"" arch          \
	"\", \"outcome\": \"failed\", \"phase\": \"boot\", \"seconds\": {}}"

Test(build_results, are_found_at_any_depth_and_bad_ones_passed_over)
{
	_cleanup_build_results_ struct build_results results = { 0 };
	_cleanup_free_ char *link = NULL, *slashes = NULL;

	put_file(tmp, "a/result.json", RESULT("x86_64"));
	put_file(tmp, "b/c/d/other.json", RESULT("arm"));
	put_file(tmp, "b/bad.json", "{");
	put_file(tmp, "b/build.log", RESULT("s390x"));
	put_file(tmp, "b/.json", RESULT("ppc64"));
	link = in_tmp("loop.json");
	cr_assert_eq(symlink(tmp, link), 0);
	slashes = string_format("%s//", tmp);
	cr_assert_null(build_results_load(slashes, &results));
	cr_assert_eq(results.count, 2);
	cr_expect_str_neq(results.items[0].arch, results.items[1].arch);
	// One that is not there has none.
	cr_assert_null(build_results_load("/nonexistent", &results));
	cr_expect_eq(results.count, 2);
}

Test(build_results, of_two_the_better_one_counts)
{
	struct build_result items[] = { make(BUILD_FAILED), make(BUILD_BUILT),
					make(BUILD_UNAVAILABLE),
					make(BUILD_FAILED) };
	const struct build_results results = { items, array_size(items) };
	const struct release *release = &items[0].release;
	struct release other;

	cr_assert(release_parse("6.12.117-vmtest1.0.1tiny", &other));
	strcpy(items[3].arch, "arm");
	cr_expect_eq(build_results_find(&results, release, "x86_64"), &items[1]);
	cr_expect_eq(build_results_find(&results, release, "arm"), &items[3]);
	cr_expect_null(build_results_find(&results, release, "s390x"));
	cr_expect_null(build_results_find(&results, &other, "x86_64"));
}

#define NAME "kernel-7.4-vmtest1.0tiny.x86_64.tar.zst"

static void fill(struct string_list *list, int count)
{
	for (int i = 0; i < count; i++)
		string_list_addf(list, "CONFIG_%c=y", 'A' + i);
}

Test(lost_options, names_as_many_as_fit)
{
	static const struct {
		int count;
		const char *text;
	} rows[] = {
		{ 0, "" },
		{ 1, "without CONFIG_A=y" },
		{ 5,
		  "without CONFIG_A=y, CONFIG_B=y, CONFIG_C=y, CONFIG_D=y, CONFIG_E=y" },
		{ 7,
		  "without CONFIG_A=y, CONFIG_B=y, CONFIG_C=y, CONFIG_D=y, CONFIG_E=y and 2 more" },
	};

	for (size_t i = 0; i < array_size(rows); i++) {
		_cleanup_string_list_ struct string_list list = { 0 };

		fill(&list, rows[i].count);
		_cleanup_free_ char *text = lost_options_format(&list);
		cr_expect_str_eq(text, rows[i].text);
	}
}

Test(lost_options, a_label_gives_back_what_it_was_made_of)
{
	static const char lost[] = "without CONFIG_A=y, CONFIG_B=y";
	_cleanup_package_notes_ struct package_notes notes = { 0 };

	cr_expect_null(asset_label_format(NAME, &notes));
	notes.signature = string_copy("A. Name, 0123");
	_cleanup_free_ char *is_signed = asset_label_format(NAME, &notes);
	fill(&notes.lost_options, 2);
	_cleanup_free_ char *both = asset_label_format(NAME, &notes);
	free(take_ptr(notes.signature));
	_cleanup_free_ char *label = asset_label_format(NAME, &notes);
	const struct {
		const char *label, *lost, *signer;
	} rows[] = {
		{ label, lost, NULL },
		{ is_signed, "", "A. Name" },
		{ both, lost, "A. Name" },
		{ NAME " and without CONFIG_A=y", "", NULL },
		{ NULL, "", NULL },
		{ "", "", NULL },
		{ "my kernel", "", NULL },
		{ NAME, "", NULL },
		{ NAME " with", "", NULL },
		{ "x without CONFIG_A=y", "", NULL },
	};
	for (size_t i = 0; i < array_size(rows); i++) {
		const struct asset asset = {
			.name = (char *)NAME,
			.label = (char *)rows[i].label,
		};

		cr_expect_str_eq(asset_label_lost(&asset), rows[i].lost,
				 "row %zu", i);
		_cleanup_free_ char *signer = asset_label_signer(&asset);
		cr_expect_str_eq(signer ? signer : "none",
				 rows[i].signer ? rows[i].signer : "none",
				 "row %zu", i);
	}
}
