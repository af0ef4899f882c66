// SPDX-License-Identifier: LGPL-2.1-or-later

#include "kbuild/package/package.h"

#include <stdlib.h>
#include <sys/utsname.h>

#include <criterion/criterion.h>
#include <jansson.h>

#include "common/base/memory.h"
#include "common/base/text.h"
#include "common/kernel/catalog.h"
#include "common/kernel/release.h"
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
	_cleanup_source_ struct source source = { .url = string_copy("u") };
	string_list_add(&source.patches, "one.patch");
	_cleanup_string_list_ struct string_list lost = { 0 };
	string_list_add(&lost, "CONFIG_A=y");
	const struct package_input input = { &release, &source, &lost };
	cr_assert_null(package_info_write(&input, &arch, tmp));

	struct utsname host;
	uname(&host);
	json_t *wanted = json_pack(
		"{s:s, s:s, s:s, s:s, s:s, s:i, s:{s:s, s:n}, s:[s], s:[s], s:s, s:s}",
		"release", "6.12.117-vmtest1.0tiny", "version", "6.12.117",
		"architecture", "x86_64", "host", host.machine, "flavor",
		"tiny", "revision", 1, "source", "url", "u", "digest",
		"patches", "one.patch", "lost_options", "CONFIG_A=y",
		"compiler", "gcc 12", "linker", "24000");
	_cleanup_free_ char *path = in_tmp("vmtest.json");
	json_t *json = json_load_file(path, 0, NULL);
	cr_expect(wanted && json && json_equal(json, wanted));
	json_decref(json);
	json_decref(wanted);
}

/** Pack a directory that holds such a vmtest.json, and read from it. */
static struct error *read_lost(const char *info, struct string_list *ret)
{
	_cleanup_free_ char *tree = in_tmp("tree"),
			    *package = in_tmp("p.tar.zst");

	put_file(tmp, "tree/vmlinuz", "");
	if (info)
		put_file(tmp, "tree/vmtest.json", info);
	cr_assert_null(package_pack(tree, package));
	return package_info_read_lost(package, ret);
}

Test(package_info, a_package_says_what_it_lost)
{
	static const struct {
		const char *info;
		size_t count;
		const char *error;
	} cases[] = {
		{ NULL, 0, NULL },
		{ "{\"lost_options\": [\"CONFIG_A=y\", \"CONFIG_B=\\\"x\\\"\"]}",
		  2, NULL },
		{ "{\"lost_options\": []}", 0, NULL },
		{ "{}", 0, NULL },
		{ "{\"lost_options\": [\"A=y\"]}", 0,
		  "vmtest.json: lost_options: expected CONFIG_NAME=value" },
		{ "{\"lost_options\": [\"CONFIG_A=\\n\"]}", 0,
		  "expected CONFIG_NAME=value, not \"CONFIG_A=?\"" },
		{ "{\"lost_options\": [1]}", 0,
		  "vmtest.json: lost_options[0]: expected a string" },
		{ "{", 0, "vmtest.json: not valid JSON: line 1" },
	};

	for (size_t i = 0; i < array_size(cases); i++) {
		_cleanup_string_list_ struct string_list lost = { 0 };
		struct error *err = read_lost(cases[i].info, &lost);

		expect_outcome(err, cases[i].error);
		cr_expect_eq(lost.count, cases[i].count, "row %zu", i);
	}
}
