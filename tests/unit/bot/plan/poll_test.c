// SPDX-License-Identifier: LGPL-2.1-or-later

#include "bot/plan/plan.h"

#include <criterion/criterion.h>

#include "common/kernel/catalog.h"
#include "tests/unit/errors.h"
#include "tests/unit/files.h"

static void expect_versions(const struct series_list *list,
			    const char *const *versions, size_t count)
{
	cr_assert_eq(list->count, count);
	for (size_t i = 0; i < count; i++) {
		char text[KERNEL_VERSION_TEXT_SIZE];

		kernel_version_format(&list->items[i].version, text);
		cr_expect_str_eq(text, versions[i]);
	}
}

static const char releases[] =
	"{\"latest_stable\": {\"version\": \"7.2.13\"}, \"releases\": ["
	"{\"moniker\": \"longterm\", \"version\": \"6.12.117\", \"source\": \"x\"},"
	"{\"moniker\": \"mainline\", \"version\": \"7.3-rc2\", \"source\": null},"
	"{\"moniker\": \"stable\", \"version\": \"7.2.13\"},"
	"{\"moniker\": \"stable\", \"version\": \"7.2.12\"},"
	"{\"moniker\": \"longterm\", \"version\": \"4.4.302\"},"
	"{\"moniker\": \"linux-next\", \"version\": \"next-20261120\"}]}";

Test(poll, tags_speak_only_for_series_that_are_not_alive)
{
	_cleanup_catalog_ struct catalog *catalog = load_catalog();
	_cleanup_series_list_ struct series_list list = { 0 };
	static const char *const alive[] = { "7.3-rc2", "7.2.13", "6.12.117" };
	static const char *const all[] = {
		"7.3-rc2", "7.2.13", "6.12.117", "6.11.9", "5.4.300",
	};
	static const char *const tags[] = {
		"v6.11",     "v6.11.9",	      "v6.11-rc7", "v6.11.2",
		"v6.12.118", "v7.3-rc1",      "v5.4.300",  "v5.5.1",
		"v4.4.1",    "next-20261120", "6.11.10",   "v6.11.x",
	};

	cr_assert_null(series_list_add_releases(&list, catalog, releases, "r"));
	expect_versions(&list, alive, array_size(alive));
	cr_expect(list.has_latest_stable);
	cr_expect_eq(list.latest_stable.patch, 13);
	for (size_t i = 0; i < array_size(tags); i++)
		series_list_add_tag(&list, catalog, tags[i]);
	expect_versions(&list, all, array_size(all));
}

Test(poll, malformed_documents_are_errors_of_one_line)
{
	_cleanup_catalog_ struct catalog *catalog = load_catalog();
	static const char *const cases[] = {
		"",
		"{",
		"[]",
		"null",
		"{\"releases\": {}}",
		"{\"releases\": [{\"moniker\": \"stable\"}]}",
		"{\"releases\": [{\"version\": 6.12}]}",
		"{\"releases\": [7]}",
		"{\"latest_stable\": {\"version\": \"../..\"}, \"releases\": []}",
		"{\"releases\": []}",
		"{\"releases\": [{\"version\": \"next-20261124\"}]}",
		"<html>Service unavailable</html>",
	};

	for (size_t i = 0; i < array_size(cases); i++) {
		_cleanup_series_list_ struct series_list list = { 0 };

		expect_failure(series_list_add_releases(&list, catalog, cases[i],
							"releases.json"),
			       "releases.json");
	}
}
