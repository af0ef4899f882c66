// SPDX-License-Identifier: LGPL-2.1-or-later

#include "kbuild/package/package.h"

#include <stdlib.h>
#include <sys/utsname.h>

#include <criterion/criterion.h>
#include <jansson.h>

#include "common/base/memory.h"
#include "common/base/text.h"
#include "common/kernel/catalog.h"
#include "common/kernel/compiler.h"
#include "common/kernel/release.h"
#include "kbuild/make.h"
#include "kbuild/source/source.h"
#include "tests/unit/errors.h"
#include "tests/unit/files.h"

TestSuite(package_info, .init = setup_tmp, .fini = teardown_tmp);

Test(package_info, tells_how_a_package_was_made)
{
	put_file(tmp, "build/.config",
		 "CONFIG_CC_VERSION_TEXT=\"gcc 12\"\nCONFIG_LD_VERSION=24000\n");

	struct release release;
	cr_assert(release_parse("6.12.117-vmtest1.0tiny", &release));
	const struct catalog_arch arch = { .name = "x86_64" };
	const struct compiler compiler = { .version = (char *)"12.2.0" };
	const struct make make = { .arch = &arch, .compiler = &compiler };
	_cleanup_source_ struct source source = {
		.url = string_copy("u"),
		.signature = string_copy("A. Name, 0123"),
	};
	string_list_add(&source.patches, "one.patch");
	_cleanup_string_list_ struct string_list lost = { 0 };
	string_list_add(&lost, "CONFIG_A=y");
	const struct package_input input = { &release, &source, &lost };
	cr_assert_null(package_info_write(&input, &make, tmp));

	struct utsname host;
	uname(&host);
	json_t *wanted = json_pack(
		"{s:s, s:s, s:s, s:s, s:s, s:i, s:{s:s, s:n, s:s}, s:[s], s:[s], s:s, s:s}",
		"release", "6.12.117-vmtest1.0tiny", "version", "6.12.117",
		"architecture", "x86_64", "host", host.machine, "flavor", "tiny",
		"revision", 1, "source", "url", "u", "digest", "signature",
		"A. Name, 0123", "patches", "one.patch", "lost_options",
		"CONFIG_A=y", "compiler", "gcc 12", "linker", "24000");
	_cleanup_free_ char *path = in_tmp("vmtest.json");
	json_t *json = json_load_file(path, 0, NULL);
	cr_expect(wanted && json && json_equal(json, wanted));
	json_decref(json);
	// Kernels before 5.8 do not say what compiled them.
	put_file(tmp, "build/.config", "CONFIG_X=y\n");
	cr_assert_null(package_info_write(&input, &make, tmp));
	json = json_load_file(path, 0, NULL);
	cr_expect_str_eq(json_string_value(json_object_get(json, "compiler")),
			 "12.2.0");
	json_decref(json);
	json_decref(wanted);
}

/** Pack a directory that holds such a vmtest.json, and read from it. */
static struct error *read_notes(const char *info, struct package_notes *ret)
{
	_cleanup_free_ char *tree = in_tmp("tree"),
			    *package = in_tmp("p.tar.zst");

	put_file(tmp, "tree/vmlinuz", "");
	if (info)
		put_file(tmp, "tree/vmtest.json", info);
	cr_assert_null(package_pack(tree, package));
	return package_notes_load(package, ret);
}

Test(package_info, a_package_says_what_it_lost_and_who_signed)
{
	static const struct {
		const char *info;
		size_t count;
		const char *error;
		const char *signature;
	} cases[] = {
		{ NULL, 0, NULL, NULL },
		{ "{\"lost_options\": [\"CONFIG_A=y\", \"CONFIG_B=\\\"x\\\"\"]}",
		  2, NULL, NULL },
		{ "{\"lost_options\": []}", 0, NULL, NULL },
		{ "{}", 0, NULL, NULL },
		{ "{\"source\": {\"signature\": \"A, 01\\u001b\"}}", 0, NULL,
		  "A, 01?" },
		{ "{\"source\": {\"signature\": \"unsigned\"}}", 0, NULL, NULL },
		{ "{\"source\": {}}", 0, NULL, NULL },
		{ "{\"source\": 1}", 0, NULL, NULL },
		{ "{\"lost_options\": [\"A=y\"]}", 0,
		  "vmtest.json: lost_options: expected CONFIG_NAME=value", NULL },
		{ "{\"lost_options\": [\"CONFIG_A=\\n\"]}", 0,
		  "expected CONFIG_NAME=value, not \"CONFIG_A=?\"", NULL },
		{ "{\"lost_options\": [1]}", 0,
		  "vmtest.json: lost_options[0]: expected a string", NULL },
		{ "{", 0, "vmtest.json: not valid JSON: line 1", NULL },
	};

	for (size_t i = 0; i < array_size(cases); i++) {
		_cleanup_package_notes_ struct package_notes notes = { 0 };
		const char *wanted = cases[i].signature;
		struct error *err = read_notes(cases[i].info, &notes);

		expect_outcome(err, cases[i].error);
		cr_expect_eq(notes.lost_options.count, cases[i].count,
			     "row %zu", i);
		cr_expect_str_eq(notes.signature ? notes.signature : "none",
				 wanted ? wanted : "none", "row %zu", i);
	}
}
