// SPDX-License-Identifier: LGPL-2.1-or-later

#include "common/kernel/catalog.h"

#include <criterion/criterion.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "tests/unit/common/kernel/two_archs.h"
#include "tests/unit/errors.h"
#include "tests/unit/files.h"

/** The project's own, to be changed. */
static json_t *document(void)
{
	json_t *json = json_load_file(VMTEST_SOURCE_DIR "/configs/vmtest.json",
				      0, NULL);

	cr_assert(json);
	return json;
}

static struct kernel_version version_of(const char *text)
{
	struct kernel_version version;

	cr_assert(kernel_version_parse(text, &version), "%s", text);
	return version;
}

static struct error *parse(json_t *json, struct catalog **ret)
{
	char *text = json_dumps(json, 0);
	struct error *err = catalog_parse(text, "name", NULL, ret);

	free(text);
	json_decref(json);
	return err;
}

Test(catalog, keeps_the_series_of_its_ranges)
{
	_cleanup_catalog_ struct catalog *catalog = load_catalog();
	static const struct {
		const char *version;
		bool kept;
	} cases[] = {
		{ "4.9.337", true },  { "4.10", false },   { "4.14.1", true },
		{ "5.4.200", true },  { "5.5.1", false },  { "5.10-rc1", true },
		{ "6.12.117", true }, { "7.3-rc2", true },
	};

	for (size_t i = 0; i < array_size(cases); i++) {
		struct kernel_version version = version_of(cases[i].version);

		cr_expect_eq(catalog_keeps(catalog, &version), cases[i].kept,
			     "%s", cases[i].version);
	}
}

Test(catalog, a_mirror_takes_the_place_of_every_host)
{
	_cleanup_catalog_ struct catalog *catalog = NULL;

	cr_assert_null(catalog_load(VMTEST_SOURCE_DIR "/configs/vmtest.json",
				    "http://127.0.0.1:8080/", &catalog));
	cr_expect_str_eq(catalog->kernel_org.releases_url,
			 "http://127.0.0.1:8080/releases.json");
	cr_expect_str_eq(catalog->kernel_org.tarballs_url,
			 "http://127.0.0.1:8080/pub/linux/kernel");
}

Test(catalog, names_the_release_of_a_flavor)
{
	_cleanup_catalog_ struct catalog *catalog = load_catalog();
	const struct kernel_version version = { .major = 6, .minor = 12 };
	const struct catalog_flavor *flavor;
	struct release release;
	char text[RELEASE_TEXT_SIZE];

	catalog->revision = 4;
	cr_assert_null(catalog_find_flavor(catalog, "default", &flavor));
	catalog_release(catalog, &version, flavor, 0, &release);
	release_format(&release, text);
	cr_expect_str_eq(text, "6.12.0-vmtest4.1default");
}

Test(catalog, the_projects_own_loads)
{
	_cleanup_catalog_ struct catalog *catalog = load_catalog();
	const struct catalog_flavor *flavor;
	const struct catalog_arch *arch;
	static const struct kernel_version before = { 4, 10, 0, 0 },
					   first = { 4, 11, 0, 0 },
					   kdump = { 5, 15, 0, 0 };

	cr_expect_str_eq(catalog->directory, VMTEST_SOURCE_DIR "/configs/");
	cr_assert_null(catalog_find_flavor(catalog, "tiny", &flavor));
	cr_expect_gt(flavor->objects, 1000);
	cr_assert_null(catalog_find_arch(catalog, "x86_64", &arch));
	cr_expect_str_eq(arch->source_arch, "x86");
	cr_assert_null(catalog_find_arch(catalog, "s390x", &arch));
	cr_expect(arch->enabled);
	cr_expect_str_eq(arch->source_arch, "s390");
	cr_expect(string_list_contains(&arch->host_names, "s390x"));
	cr_expect(!version_range_contains(&arch->versions, &before));
	cr_expect(version_range_contains(&arch->versions, &first));
	cr_expect(!catalog_arch_has_kdump(arch, &first));
	cr_expect(catalog_arch_has_kdump(arch, &kdump));
	cr_expect_str_eq(arch->terminal, "hvc0");
	cr_expect_not_null(arch->sysrq);
	cr_expect_eq(arch->command_line_bytes, 896);

	cr_assert_null(catalog_find_arch(catalog, "arm", &arch));
	cr_expect(!catalog_arch_has_kdump(arch, &kdump));
	cr_expect_null(arch->sysrq);
	cr_assert_null(catalog_find_arch(catalog, "ppc64", &arch));
	cr_expect_str_eq(arch->terminal, "hvc1");
}

Test(catalog, roots_have_packages)
{
	_cleanup_catalog_ struct catalog *catalog = load_catalog();
	_cleanup_catalog_ struct catalog *without = NULL;
	json_t *json = document();

	cr_expect(string_list_contains(&catalog->rootfs.packages,
				       "busybox-static"));
	json_object_del(json, "rootfs");
	cr_assert_null(parse(json, &without));
	cr_expect_eq(without->rootfs.packages.count, 0);
}

Test(catalog, a_line_switches_a_series_off)
{
	_cleanup_catalog_ struct catalog *catalog = NULL;
	json_t *json = document();
	struct kernel_version off = version_of("6.11.9"), on = version_of("6.12");

	json_array_append_new(json_object_get(json, "series"),
			      json_pack("{s:s, s:s, s:b}", "min", "6.11",
					"below", "6.12", "enabled", 0));
	cr_assert_null(parse(json, &catalog));
	cr_expect(!catalog_keeps(catalog, &off));
	cr_expect(catalog_keeps(catalog, &on));
}

Test(catalog, every_series_has_a_compiler)
{
	static const struct {
		const char *version;
		unsigned int newest;
	} cases[] = {
		{ "4.9.337", 12 },  { "5.4.300", 12 },	{ "5.10-rc1", 14 },
		{ "5.10.262", 14 }, { "6.12.117", 15 }, { "7.2.13", 15 },
	};
	_cleanup_catalog_ struct catalog *catalog = load_catalog();

	for (size_t i = 0; i < array_size(cases); i++) {
		struct kernel_version version = version_of(cases[i].version);
		const struct catalog_gcc *gcc;

		cr_assert_null(catalog_find_gcc(catalog, &version, &gcc));
		cr_expect_eq(gcc->newest, cases[i].newest, "%s",
			     cases[i].version);
	}
	cr_expect_eq(catalog->gcc.crosstool.major, catalog->gcc.reference);
}

Test(catalog, a_flavor_has_bounds)
{
	static const struct {
		const char *arch;
		const char *version;
		bool is_for;
	} rows[] = {
		{ "x86_64", "5.9.16", false },	 { "x86_64", "5.10-rc1", true },
		{ "x86_64", "7.3.4", true },	 { "s390x", "7.3.4", false },
		{ "aarch64", "5.10.262", true },
	};
	struct catalog_flavor flavor = {
		.name = "bpf",
		.versions.min = { 5, 10, 0, 0 },
		.reason = "why",
	};
	const struct catalog_flavor all = { .name = "tiny" };
	_cleanup_string_builder_ struct string_builder sb = { 0 };

	string_list_add(&flavor.archs, "x86_64");
	string_list_add(&flavor.archs, "aarch64");
	for (size_t i = 0; i < array_size(rows); i++) {
		const struct catalog_arch arch = { .name = rows[i].arch };
		struct kernel_version version = version_of(rows[i].version);

		cr_expect_eq(catalog_flavor_is_for(&flavor, &arch, &version),
			     rows[i].is_for, "%s %s", rows[i].arch,
			     rows[i].version);
		cr_expect(catalog_flavor_is_for(&all, &arch, &version));
	}
	const struct catalog_arch young = {
		.name = "riscv64",
		.versions.min = { 6, 12, 0, 0 },
	};
	struct kernel_version version = version_of("6.11.9");
	expect_failure(catalog_flavor_check(&all, &young, &version),
		       "no Linux 6.11.9 for riscv64: this architecture is only from 6.12;");
	version = version_of("6.12-rc1");
	expect_success(catalog_flavor_check(&all, &young, &version));
	catalog_flavor_append_bounds(&all, &sb);
	cr_expect_eq(sb.length, 0);
	catalog_flavor_append_bounds(&flavor, &sb);
	cr_expect_str_eq(sb.text, " for x86_64, aarch64 from 5.10: why");
	string_list_deinit(&flavor.archs);
}

/** Put a value in the place of the one that keys, or items, lead to. */
static void set(json_t *json, const char *place, const char *value)
{
	_cleanup_free_ char *copy = strdup(place);
	char *rest = copy, *key;
	json_t *wrong = json_loads(value, JSON_DECODE_ANY, NULL);

	cr_assert(wrong);
	while ((key = strsep(&rest, ".")) && rest)
		json = json_is_array(json) ? json_array_get(json, atoi(key))
					   : json_object_get(json, key);
	cr_assert_eq(json_object_set_new(json, key, wrong), 0, "%s", place);
}

Test(catalog, wrong_values_are_named)
{
	// clang-format off
	static const struct {
		const char *place;
		const char *value;
		const char *message;
	} rows[] = {
		{ "revision", "-1", "revision: expected a whole number" },
		{ "verified", "\"7\"", "verified: \"7\" is not a kernel version" },
		{ "kernel_org", "[]", "kernel_org: expected an object" },
		{ "kernel_org.git", "\"host\"", "kernel_org.git: expected a URL with a path" },
		{ "series.0.enabled", "\"no\"", "series[0].enabled: expected true or false" },
		{ "rootfs.packages", "\"kmod\"", "rootfs.packages: expected a list of strings" },
		{ "gcc.crosstool_sha256", "{\"a\": \"12\"}", "gcc.crosstool_sha256.a: expected one of SHA-256" },
		{ "attested", "1", "attested: expected true or false" },
		{ "gcc.crosstool", "\"../8.5.0\"", "gcc.crosstool: \"../8.5.0\" is not a kernel version" },
		{ "flavors.tiny.minor", "\"0\"", "flavors.tiny.minor: expected a whole number" },
		{ "flavors.aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "{}", "the name has 32 characters, and may have 31" },
		{ "flavors.no-smp", "{\"minor\": 0}", "flavors.no-smp: a name has letters, digits and _, and does not begin with a digit" },
		{ "flavors.tiny.min", "\"5.10\"", "flavors.tiny: bounds and \"reason\" need each other" },
		{ "flavors.odd", "{\"minor\": 0, \"architectures\": [\"vax\"], \"reason\": \"x\"}", "flavors.odd: unknown architecture 'vax'" },
		{ "architectures.9p", "{}", "architectures.9p: a name has letters, digits and _, and does not begin with a digit" },
		{ "architectures.aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "{}", "the name has 32 characters, and may have 31" },
		{ "architectures.arm.kdump", "true", "architectures.arm.kdump: expected an object" },
		{ "architectures.arm.kdump", "{\"min\": \"x\"}", "architectures.arm.kdump.min: \"x\" is not a kernel version" },
		{ "architectures.arm.below", "\"0.99\"", "architectures.arm.below: expected 1.0 or more" },
		{ "architectures.arm.debian_suite", "null", "architectures.arm.debian_suite: expected a string" },
		{ "architectures.arm.command_line_bytes", "\"896\"", "architectures.arm.command_line_bytes: expected a whole number" },
		{ "architectures.arm.machines", "[]", "architectures.arm: \"machines\" is empty" },
		{ "architectures.arm.machines.0.cpu", "1", "architectures.arm.machines[0].cpu: expected a string" },
	};
	// clang-format on

	for (size_t i = 0; i < array_size(rows); i++) {
		_cleanup_catalog_ struct catalog *catalog = NULL;
		json_t *json = document();

		set(json, rows[i].place, rows[i].value);
		struct error *err = parse(json, &catalog);

		cr_assert(err, "%s", rows[i].place);
		cr_expect_eq(strncmp(error_message(err), "name: ", 6), 0);
		expect_kind(err, ERROR_USAGE, rows[i].message);
	}
}

Test(catalog, an_unknown_name_is_answered_with_those_that_exist)
{
	_cleanup_catalog_ struct catalog *catalog = load_catalog();
	_cleanup_string_list_ struct string_list wrong = { 0 };
	struct string_list none = { 0 };
	const struct catalog_flavor *flavor;

	expect_kind(catalog_find_flavor(catalog, "huge", &flavor), ERROR_USAGE,
		    "default alternative tiny");
	string_list_add(&wrong, "nothing");
	cr_expect_null(catalog_resolve_names(catalog, &none, &none));
	expect_kind(catalog_resolve_names(catalog, &wrong, &none), ERROR_USAGE,
		    "nothing");
	expect_kind(catalog_resolve_names(catalog, &none, &wrong), ERROR_USAGE,
		    "nothing");
	cr_expect_eq(none.count, 0);
}

Test(catalog, words_stand_for_architectures)
{
	static const struct {
		const char *given;
		/** On a machine that is one of both, and on another. */
		const char *here;
		const char *elsewhere;
	} rows[] = {
		{ "", "", "" },
		{ "there", "there", "there" },
		{ "there,here", "there,here", "there,here" },
		{ "all", "here,there", "here,there" },
		{ "foreign", "there", "here,there" },
		{ "here,foreign", "here,there", "here,here,there" },
		{ "host", "here", NULL },
		{ "all,vax", NULL, NULL },
	};
	struct utsname host;

	uname(&host);
	for (size_t i = 0; i < 2 * array_size(rows); i++) {
		bool is_here = i % 2;
		const char *given = rows[i / 2].given;
		const char *expected = is_here ? rows[i / 2].here
					       : rows[i / 2].elsewhere;
		_cleanup_catalog_ struct catalog *catalog =
			two_archs_catalog("here", "there",
					  is_here ? host.machine : "elsewhere");
		_cleanup_string_list_ struct string_list names = { 0 };
		const struct string_list none = { 0 };
		_cleanup_string_builder_ struct string_builder sb = { 0 };
		_cleanup_error_ struct error *err = NULL;

		string_list_add_split(&names, given);
		err = catalog_resolve_names(catalog, &names, &none);
		cr_assert_eq(err == NULL, expected != NULL, "%s", given);
		if (strcmp(given, "host") == 0 && err)
			cr_expect(strstr(error_message(err), "--arch host"));
		for (size_t j = 0; j < names.count; j++)
			string_builder_appendf(&sb, "%s%s", j ? "," : "",
					       names.items[j]);
		// Refused, they are as they were.
		cr_expect_str_eq(sb.text ? sb.text : "",
				 expected ? expected : given);
	}
}

Test(catalog, no_word_means_what_is_switched_off)
{
	struct utsname host;

	uname(&host);
	_cleanup_catalog_ struct catalog *catalog =
		two_archs_catalog("here", "there", host.machine);
	_cleanup_string_list_ struct string_list names = { 0 };
	const struct string_list none = { 0 };

	catalog->archs[1].enabled = false;
	string_list_add(&names, "all");
	cr_assert_null(catalog_resolve_names(catalog, &names, &none));
	cr_assert_eq(names.count, 1);
	cr_expect_str_eq(names.items[0], "here");
	// Its own name does.
	string_list_add(&names, "there");
	cr_assert_null(catalog_resolve_names(catalog, &names, &none));
	cr_expect_eq(names.count, 2);
}
