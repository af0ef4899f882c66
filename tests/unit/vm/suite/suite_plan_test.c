// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/suite/suite.h"

#include <criterion/criterion.h>
#include <string.h>
#include <sys/utsname.h>

#include "common/base/error.h"
#include "common/base/text.h"
#include "common/kernel/catalog.h"
#include "common/store/store.h"
#include "tests/unit/common/kernel/two_archs.h"
#include "vm/kernel/kernel.h"

enum {
	ARCHS = 2,
	LIMIT = 16,
};

static struct catalog *catalog;

static void setup(void)
{
	struct utsname host;

	uname(&host);
	catalog = two_archs_catalog("x86_64", "s390x", host.machine);
}

static void teardown(void)
{
	catalog_destroy(catalog);
}

TestSuite(suite_plan, .init = setup, .fini = teardown);

static const struct {
	const char *arch;
	const char *release;
} on_disk[] = {
	{ "x86_64", "6.12.117-vmtest1.1default" },
	{ "x86_64", "6.12.111-vmtest1.0tiny" },
	{ "x86_64", "4.4.1-vmtest1.1default" },
	{ "s390x", "6.1.9-vmtest1.0tiny" },
};
static const char *const in_store[] = {
	"kernel-6.12.117-vmtest1.1default.x86_64.tar.zst",
	"kernel-6.12.117-vmtest1.0tiny.x86_64.tar.zst",
	"kernel-6.12.115-vmtest1.0tiny.x86_64.tar.zst",
	"kernel-6.12.115-vmtest1.0.1tiny.x86_64.tar.zst",
	"kernel-6.1.9-vmtest1.0tiny.x86_64.tar.zst",
	"kernel-7.2.1-vmtest1.1default.s390x.tar.zst",
	"kernel-6.12.117-vmtest1.0tiny.s390x.tar.zst",
	"kernel-6.1.9-vmtest1.0tiny.s390x.tar.zst",
	"README.md",
};

/** What is chosen from. */
struct sources {
	struct kernel_entry entries[ARCHS][LIMIT];
	struct kernel_list disks[ARCHS];
	struct asset assets[LIMIT];
	struct asset_list store;
};

static void fill_sources(struct sources *sources,
			 const struct catalog_arch *const *archs,
			 size_t arch_count)
{
	for (size_t i = 0; i < arch_count; i++) {
		struct kernel_list *disk = &sources->disks[i];

		disk->items = sources->entries[i];
		for (size_t j = 0; j < array_size(on_disk); j++) {
			struct kernel_entry *entry = &disk->items[disk->count];

			if (strcmp(on_disk[j].arch, archs[i]->name) != 0)
				continue;
			cr_assert(release_parse(on_disk[j].release,
						&entry->release));
			strcpy(entry->text, on_disk[j].release);
			entry->path = (char *)"/disk";
			disk->count++;
		}
	}
	sources->store.items = sources->assets;
	sources->store.count = array_size(in_store);
	for (size_t i = 0; i < array_size(in_store); i++)
		sources->assets[i].name = (char *)in_store[i];
}

/** Architectures of a command line, which are all there. */
static size_t find_archs(const char *names,
			 const struct catalog_arch *ret[static ARCHS])
{
	_cleanup_string_list_ struct string_list list = { 0 };
	const struct string_list none = { 0 };

	string_list_add_split(&list, names);
	cr_assert_null(catalog_resolve_names(catalog, &list, &none));
	cr_assert_leq(list.count, ARCHS);
	for (size_t i = 0; i < list.count; i++)
		cr_assert_null(catalog_find_arch(catalog, list.items[i], &ret[i]));
	return list.count;
}

/** What is chosen, a word each; those to be downloaded with a `+`. */
static char *plan(enum suite_choice choice, const char *arch_names,
		  const char *patterns, const char *flavors, bool supported,
		  struct error **err_ret)
{
	struct sources sources = { 0 };
	const struct catalog_arch *archs[ARCHS];
	_cleanup_string_list_ struct string_list pattern_list = { 0 };
	_cleanup_string_list_ struct string_list flavor_list = { 0 };
	const struct suite_request request = {
		.choice = choice,
		.archs = archs,
		.disks = sources.disks,
		.arch_count = find_archs(arch_names, archs),
		.assets = &sources.store,
		.patterns = &pattern_list,
		.catalog = supported ? catalog : NULL,
		.flavors = &flavor_list,
	};
	_cleanup_suite_ struct suite suite = { 0 };
	_cleanup_string_builder_ struct string_builder sb = { 0 };

	fill_sources(&sources, archs, request.arch_count);
	string_list_add_split(&pattern_list, patterns);
	string_list_add_split(&flavor_list, flavors);
	*err_ret = suite_plan(&request, &suite);
	for (size_t i = 0; i < suite.count; i++) {
		const struct suite_item *item = &suite.items[i];

		cr_expect_eq(strncmp(item->name, item->kernel,
				     strlen(item->kernel)),
			     0);
		string_builder_appendf(&sb, "%s%s%s", i ? " " : "",
				       item->path ? "" : "+", item->name);
	}
	return string_builder_take(&sb);
}

Test(suite_plan, kernels_are_chosen)
{
	static const struct {
		enum suite_choice choice;
		const char *archs;
		const char *patterns;
		const char *flavors;
		bool supported;
		const char *expected;
	} rows[] = {
		// 4.4 is on disk, but not in the catalog.
		{ SUITE_NEWEST_OF_SERIES, "x86_64", "", "", true,
		  "6.12.117-vmtest1.1default +6.12.117-vmtest1.0tiny +6.1.9-vmtest1.0tiny" },
		{ SUITE_NEWEST_OF_SERIES, "x86_64", "", "default", true,
		  "6.12.117-vmtest1.1default" },
		{ SUITE_NEWEST_OF_SERIES, "x86_64", "6.12", "", false,
		  "6.12.117-vmtest1.1default +6.12.117-vmtest1.0tiny" },
		{ SUITE_NEWEST_OF_SERIES, "x86_64", "tiny", "", false,
		  "+6.12.117-vmtest1.0tiny +6.1.9-vmtest1.0tiny" },
		{ SUITE_NEWEST_OF_SERIES, "x86_64", "6.12.111,6.12.115", "",
		  false, "+6.12.115-vmtest1.0.1tiny 6.12.111-vmtest1.0tiny" },
		{ SUITE_NEWEST_OF_SERIES, "x86_64", "6.12.115-vmtest1.0tiny",
		  "", false, "+6.12.115-vmtest1.0tiny" },
		{ SUITE_NEWEST_OF_SERIES, "x86_64", "4.4,6.1,tiny", "", false,
		  "+6.12.117-vmtest1.0tiny +6.1.9-vmtest1.0tiny 4.4.1-vmtest1.1default" },
		{ SUITE_EVERY_VERSION, "x86_64", "", "tiny", false,
		  "+6.1.9-vmtest1.0tiny 6.12.111-vmtest1.0tiny +6.12.115-vmtest1.0.1tiny +6.12.117-vmtest1.0tiny" },
		{ SUITE_EVERY_VERSION, "x86_64", "6.12.11?-*tiny", "", false,
		  "6.12.111-vmtest1.0tiny +6.12.115-vmtest1.0.1tiny +6.12.117-vmtest1.0tiny" },
		// Of one architecture, the names need not tell.
		{ SUITE_NEWEST_OF_SERIES, "foreign", "6.1", "", false,
		  "6.1.9-vmtest1.0tiny" },
		{ SUITE_NEWEST_OF_SERIES, "x86_64,s390x", "6.1", "", false,
		  "+6.1.9-vmtest1.0tiny.x86_64 6.1.9-vmtest1.0tiny.s390x" },
		{ SUITE_NEWEST_OF_SERIES, "s390x,x86_64", "6.12.*tiny", "", false,
		  "+6.12.117-vmtest1.0tiny.s390x +6.12.117-vmtest1.0tiny.x86_64" },
		// One of them has no 4.4.
		{ SUITE_NEWEST_OF_SERIES, "all", "4.4,6.1", "", false,
		  "+6.1.9-vmtest1.0tiny.x86_64 4.4.1-vmtest1.1default.x86_64 6.1.9-vmtest1.0tiny.s390x" },
		{ SUITE_NEWEST_OF_SERIES, "all", "", "", true,
		  "6.12.117-vmtest1.1default.x86_64 +6.12.117-vmtest1.0tiny.x86_64 +6.1.9-vmtest1.0tiny.x86_64 "
		  "+7.2.1-vmtest1.1default.s390x +6.12.117-vmtest1.0tiny.s390x 6.1.9-vmtest1.0tiny.s390x" },
	};

	for (size_t i = 0; i < array_size(rows); i++) {
		struct error *err;
		_cleanup_free_ char *chosen =
			plan(rows[i].choice, rows[i].archs, rows[i].patterns,
			     rows[i].flavors, rows[i].supported, &err);

		cr_assert_null(err);
		cr_expect_str_eq(chosen, rows[i].expected, "row %zu: %s", i,
				 chosen);
	}
}

Test(suite_plan, a_pattern_that_means_nothing_is_an_error)
{
	static const struct {
		const char *archs;
		const char *patterns;
		const char *flavors;
		const char *word;
	} rows[] = {
		{ "x86_64", "6.12,6.13", "", "'6.13'" },
		{ "x86_64", "7.2", "", "'7.2' for x86_64;" },
		{ "x86_64", "6.1", "default", "'6.1'" },
		{ "x86_64", "", "alternative", "no kernel '*' for x86_64;" },
		{ "all", "6.13", "", "'6.13' for x86_64 or s390x;" },
		{ "all", "7.2", "", "'*' for x86_64;" },
		{ "all", "6.12", "default", "'*' for s390x;" },
	};

	for (size_t i = 0; i < array_size(rows); i++) {
		struct error *err;
		_cleanup_free_ char *chosen =
			plan(SUITE_NEWEST_OF_SERIES, rows[i].archs,
			     rows[i].patterns, rows[i].flavors, true, &err);

		cr_assert_not_null(err);
		cr_expect(strstr(error_message(err), rows[i].word), "%s",
			  error_message(err));
		cr_expect(error_catch(&err, ERROR_NOT_FOUND));
	}
}

Test(suite_plan, directories_have_names_of_their_own)
{
	_cleanup_suite_ struct suite suite = { 0 };

	suite_add_directory(&suite, "6.1.2-vmtest1.0tiny", "arm", "/a");
	suite_add_directory(&suite, "6.1.2-vmtest1.0tiny", "arm", "/b");
	suite_add_directory(&suite, "6.1.0-amd64", "arm", "/c");
	cr_expect_str_eq(suite.items[0].name, "6.1.2-vmtest1.0tiny");
	cr_expect_str_eq(suite.items[1].name, "6.1.2-vmtest1.0tiny-2");
	cr_expect(suite.items[1].has_release);
	cr_expect_not(suite.items[2].has_release);
	cr_expect_str_eq(suite.items[2].arch, "arm");
	cr_expect_str_eq(suite.items[2].kernel, "/c");
	cr_expect_str_eq(suite.items[2].path, "/c");
}
