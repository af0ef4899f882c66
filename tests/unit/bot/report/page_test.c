// SPDX-License-Identifier: LGPL-2.1-or-later

#include "bot/report/report.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "common/base/error.h"
#include "common/kernel/catalog.h"
#include "common/store/store.h"

static struct catalog *catalog;

static void setup(void)
{
	cr_assert_null(catalog_load(VMTEST_SOURCE_DIR "/configs/vmtest.json",
				    NULL, &catalog));
}

static void teardown(void)
{
	catalog_destroy(catalog);
}

TestSuite(page, .init = setup, .fini = teardown);

Test(page, a_row_has_a_column_for_each_flavor)
{
	struct asset items[] = {
		{ .name = (char *)"kernel-6.12.115-vmtest1.0tiny.x86_64.tar.zst",
		  .size_bytes = 1000000 },
		{ .name = (char *)"kernel-6.12.117-vmtest1.0tiny.x86_64.tar.zst",
		  .size_bytes = 76543210,
		  .created = 1795046400,
		  .url = (char *)"https://x/y" },
		{ .name = (char *)"kernel-7.4-vmtest1.0tiny.x86_64.tar.zst",
		  .label = (char *)"kernel-7.4-vmtest1.0tiny.x86_64.tar.zst without CONFIG_A=y",
		  .size_bytes = 1000000 },
		{ .name = (char *)"notes.txt" },
	};
	struct asset_list assets = { items, array_size(items) };
	_cleanup_free_ char *text = NULL;

	text = page_format(catalog, &assets, "github:o/r@t");
	cr_expect(
		strstr(text,
		       "| Series | Architecture | default | alternative | tiny |\n"));
	cr_expect(strstr(
		text,
		"| 6.12 | x86\\_64 | | | [6.12.117](<https://x/y>), 76.5 MB, 2026-11-19 |\n"));
	cr_expect(strstr(
		text,
		"| 7.4 | x86\\_64 | | | 7.4, 1.0 MB, 1970-01-01, without CONFIG\\_A=y |\n"));
	cr_expect_null(strstr(text, "6.12.115"));
	cr_expect_null(strstr(text, "notes"));
}

Test(page, a_thousand_assets_fit_into_what_github_takes)
{
	enum {
		COUNT = 1000
	};
	static struct asset items[COUNT];
	static char names[COUNT][128];
	struct asset_list assets = { items, COUNT };
	_cleanup_free_ char *text = NULL;

	for (int i = 0; i < COUNT; i++) {
		snprintf(names[i], sizeof(names[i]),
			 "kernel-%d.%d.117-vmtest1.0%s.%s.tar.zst", 5 + i / 500,
			 i / 5 % 100, i % 2 ? "tiny" : "alternative",
			 (const char *[]){ "x86_64", "aarch64", "arm", "s390x",
					   "ppc64" }[i % 5]);
		items[i] = (struct asset){
			.name = names[i],
			.size_bytes = 80000000,
			.url = (char *)"https://github.com/owner-of-it/repository-name/releases/download/vmtest-assets/kernel-6.12.117-vmtest1.0alternative.x86_64.tar.zst",
		};
	}
	text = page_format(catalog, &assets, "github:o/r@t");
	cr_expect_leq(strlen(text), STORE_PAGE_MAX);
}
