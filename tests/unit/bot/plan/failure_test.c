// SPDX-License-Identifier: LGPL-2.1-or-later

#include "bot/plan/failure.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/text.h"
#include "common/store/store.h"

enum {
	DAY_S = 24 * 3600,
	/** 2026-11-30, shortly before midnight. */
	NOW_S = 1796082000,
};

static const char recipe[] = "0123456789abcdef";

static struct release make_release(const char *text)
{
	struct release release;

	cr_assert(release_parse(text, &release));
	return release;
}

static void add(struct failure_list *list, const char *text, time_t now)
{
	const struct release release = make_release(text);

	failures_add(list, &release, "x86_64", "build", recipe, NULL, now);
}

Test(failure, is_tried_again_after_1_2_4_and_then_7_days)
{
	static const char *const days[] = { "2026-12-01", "2026-12-02",
					    "2026-12-04", "2026-12-07",
					    "2026-12-07" };
	_cleanup_failure_list_ struct failure_list list = { 0 };

	for (size_t i = 0; i < array_size(days); i++) {
		// A rebuild is of the same kernel.
		add(&list,
		    i % 2 ? "6.12.117-vmtest1.0.3tiny" : "6.12.117-vmtest1.0tiny",
		    NOW_S);
		cr_assert_eq(list.count, 1);
		cr_expect_eq(list.items[0].count, i + 1);
		cr_expect_str_eq(list.items[0].not_before, days[i]);
	}
	_cleanup_free_ char *text = failure_text(&list.items[0]);
	cr_expect_str_eq(text,
			 "failed 5 times: build; not tried again before 2026-12-07");
	cr_expect(failure_waits(&list.items[0], NOW_S));
	cr_expect(failure_waits(&list.items[0], NOW_S + 6 * DAY_S));
	cr_expect_not(failure_waits(&list.items[0], NOW_S + 7 * DAY_S));
	// Nobody waits longer than a week, whatever the page says.
	cr_expect_not(failure_waits(&list.items[0], NOW_S - DAY_S));

	const struct release release = make_release("6.12.117-vmtest1.0tiny");
	failures_add(&list, &release, "x86_64", "boot", "fedcba9876543210",
		     NULL, NOW_S);
	cr_expect_eq(list.items[0].count, 1, "another recipe counts anew");
	cr_expect_str_eq(list.items[0].failed, "boot");
}

Test(failure, a_machine_fails_once_and_a_kernel_twice)
{
	static const struct {
		const char *phase;
		unsigned int times;
		const char *not_before;
		bool is_fault;
	} rows[] = {
		{ "build", 1, "2026-12-01", false },
		{ "build", 2, "2026-12-02", true },
		{ "boot", 2, "2026-12-02", true },
		// The next run tries again what left no result; then it waits.
		{ "job", 1, "2026-11-30", false },
		{ "job", 2, "2026-12-01", false },
		{ "job", 9, "2026-12-07", false },
	};
	const struct release release = make_release("6.12.117-vmtest1.0tiny");

	cr_expect_not(failure_is_fault(NULL));
	for (size_t i = 0; i < array_size(rows); i++) {
		_cleanup_failure_list_ struct failure_list list = { 0 };

		for (unsigned int time = 0; time < rows[i].times; time++)
			failures_add(&list, &release, "x86_64", rows[i].phase,
				     recipe, NULL, NOW_S);
		cr_expect_str_eq(list.items[0].not_before, rows[i].not_before,
				 "row %zu", i);
		cr_expect_eq(failure_is_fault(&list.items[0]), rows[i].is_fault,
			     "row %zu", i);
		// A machine that failed, and then a kernel, are one of each.
		failures_add(&list, &release, "x86_64",
			     strcmp(rows[i].phase, "job") == 0 ? "build" : "job",
			     recipe, NULL, NOW_S);
		cr_expect_eq(list.items[0].count, 1, "row %zu", i);
	}
}

Test(failure, a_run_that_is_run_again_counts_once)
{
	static const struct {
		const char *phase, *run;
		unsigned int count;
	} rows[] = {
		{ "build", "12345678901", 1 }, { "build", "12345678901", 1 },
		{ "build", "12345678902", 2 }, { "boot", "12345678902", 2 },
		{ "build", NULL, 3 },	       { "build", NULL, 4 },
		{ "build", "--> x", 5 },       { "job", "12345678903", 1 },
		{ "job", "12345678903", 1 },   { "build", "12345678903", 1 },
	};
	const struct release release = make_release("6.12.117-vmtest1.0tiny");
	_cleanup_failure_list_ struct failure_list list = { 0 };

	for (size_t i = 0; i < array_size(rows); i++) {
		_cleanup_string_builder_ struct string_builder page = { 0 };

		failures_add(&list, &release, "x86_64", rows[i].phase, recipe,
			     rows[i].run, NOW_S);
		failures_append(&page, &list);
		failure_list_deinit(&list);
		// As the next attempt finds it.
		failures_read(page.text, &list);
		cr_assert_eq(list.count, 1, "row %zu: %s", i, page.text);
		cr_expect_eq(list.items[0].count, rows[i].count, "row %zu: %u",
			     i, list.items[0].count);
	}
}

Test(failure, only_what_says_something_of_the_kernel_counts)
{
	static const struct {
		const char *phase;
		bool counts;
	} rows[] = { { "build", true },	  { "boot", true },
		     { "config", true },  { "job", true },
		     { "source", false }, { "publish", false } };

	for (size_t i = 0; i < array_size(rows); i++)
		cr_expect_eq(failure_counts(rows[i].phase), rows[i].counts,
			     "%s", rows[i].phase);
}

Test(failure, what_a_page_says_is_read_again)
{
	_cleanup_failure_list_ struct failure_list list = { 0 }, again = { 0 };
	_cleanup_string_builder_ struct string_builder sb = { 0 };

	add(&list, "6.12.117-vmtest1.0tiny", NOW_S);
	add(&list, "6.1.50-vmtest1.1default", NOW_S);
	failures_append(&sb, &list);
	cr_assert_not_null(strchr(sb.text, '\n'));
	cr_expect_str_eq(strchr(sb.text, '\n'), "\n", "it is one line");
	string_builder_append(&sb, "\r\nother text -->\n");
	failures_read(sb.text, &again);
	cr_assert_eq(again.count, 2);
	cr_expect_eq(memcmp(&again.items[1].release, &list.items[1].release,
			    sizeof(struct release)),
		     0);
	cr_expect_str_eq(again.items[0].arch, "x86_64");
	cr_expect_str_eq(again.items[0].recipe, recipe);
	cr_expect_str_eq(again.items[0].not_before, "2026-12-01");
}

Test(failure, a_page_that_is_damaged_has_none)
{
#define ITEM(release, day, recipe)                                             \
	"<!-- vmtest failures [{\"release\":\"" release                        \
	"\",\"arch\":\"x86_64\",\"failed\":\"build\",\"failures\":1,"          \
	"\"not_before\":\"" day "\",\"recipe\":\"" recipe "\"}] -->\n"
	static const char *const pages[] = {
		NULL,
		"",
		"Linux kernels",
		"<!-- vmtest failures ",
		"<!-- vmtest failures -->",
		"<!-- vmtest failures {} -->",
		"<!-- vmtest failures [{}] -->",
		"<!-- vmtest failures [{\"release\": \"x\"}] -->",
		" " ITEM("6.12.117-vmtest1.0tiny", "2026-12-01",
			 "0123456789abcdef"),
		ITEM("6.12.117", "2026-12-01", "0123456789abcdef"),
		ITEM("6.12.117-vmtest1.0tiny", "tomorrow", "0123456789abcdef"),
		ITEM("6.12.117-vmtest1.0tiny", "2026-12-01", "--><script>xxxxxx"),
		ITEM("6.12.117-vmtest1.0tiny", "2026-12-01",
		     "0123456789abcdef\",\"run\":\"x"),
	};

	for (size_t i = 0; i < array_size(pages); i++) {
		struct failure_list list;

		failures_read(pages[i], &list);
		cr_expect_eq(list.count, 0, "row %zu", i);
	}
}

Test(failure, is_forgotten_once_something_newer_is_known)
{
	static const struct {
		const char *failed, *asset, *other;
		time_t later_s;
		size_t count;
	} rows[] = {
		// clang-format off
		{ "6.12.117-vmtest1.0tiny", NULL, NULL, 0, 1 },
		{ "6.12.117-vmtest1.0tiny", "kernel-6.12.117-vmtest1.0.1tiny.x86_64.tar.zst", NULL, 0, 0 },
		{ "6.12.117-vmtest1.0tiny", "kernel-6.12.118-vmtest1.0tiny.x86_64.tar.zst", NULL, 0, 0 },
		{ "6.12.117-vmtest1.0tiny", "kernel-6.12.116-vmtest1.0tiny.x86_64.tar.zst", NULL, 0, 1 },
		{ "6.12.117-vmtest1.0tiny", "kernel-6.12.118-vmtest1.0tiny.arm.tar.zst", NULL, 0, 1 },
		{ "6.12.117-vmtest1.0tiny", "kernel-6.12.118-vmtest1.1default.x86_64.tar.zst", NULL, 0, 1 },
		{ "6.12.117-vmtest1.0tiny", NULL, "6.12.118-vmtest1.0tiny", 0, 1 },
		{ "6.12.117-vmtest1.0tiny", NULL, "6.13.1-vmtest1.0tiny", 0, 2 },
		{ "6.12.117-vmtest1.0tiny", NULL, NULL, 40 * DAY_S, 0 },
		// clang-format on
	};

	for (size_t i = 0; i < array_size(rows); i++) {
		struct asset asset = { .name = (char *)rows[i].asset };
		const struct asset_list assets = { &asset, rows[i].asset ? 1 : 0 };
		_cleanup_failure_list_ struct failure_list list = { 0 };

		add(&list, rows[i].failed, NOW_S);
		if (rows[i].other)
			add(&list, rows[i].other, NOW_S);
		failures_clean(&list, &assets, NOW_S + rows[i].later_s);
		cr_expect_eq(list.count, rows[i].count, "row %zu: %zu", i,
			     list.count);
	}
}
