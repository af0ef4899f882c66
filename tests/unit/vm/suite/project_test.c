// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/suite/suite.h"

#include <criterion/criterion.h>
#include <string.h>

#include "common/base/text.h"
#include "tests/unit/errors.h"

static struct project parse(const char *text)
{
	struct project project = { 0 };

	expect_success(
		project_parse(text, "vmtest.json", "/home/me/it", &project));
	return project;
}

Test(project, keys_stand_for_options)
{
	// clang-format off
	static const struct {
		const char *json, *option, *values;
	} rows[] = {
		{ "{\"kernels\": [\"6.12\", \"*tiny\"]}", "kernel", "6.12 *tiny " },
		{ "{\"kernels\": [\"./k\", \"/k\"]}", "kernel", "/home/me/it/./k /k " },
		{ "{\"flavors\": [\"tiny\"]}", "flavor", "tiny " },
		{ "{\"arch\": \"s390x\"}", "arch", "s390x " },
		{ "{\"arch\": [\"arm\", \"ppc64\"]}", "arch", "arm ppc64 " },
		{ "{\"store\": \"dir:kernels\"}", "store", "dir:/home/me/it/kernels " },
		{ "{\"store\": \"dir:/srv\"}", "store", "dir:/srv " },
		{ "{\"store\": \"github:o/r@t\"}", "store", "github:o/r@t " },
		{ "{\"jobs\": 4}", "jobs", "4 " },
		{ "{\"root\": \"root\"}", "root", "/home/me/it/root " },
		{ "{\"timeout\": 600}", "timeout", "600 " },
		{ "{\"timeout\": 0}", "timeout", "0 " },
		{ "{\"memory\": \"4G\"}", "memory", "4G " },
		{ "{\"cpus\": 1}", "cpus", "1 " },
		{ "{\"rw\": [\"a\", \"/b\"]}", "rw", "/home/me/it/a /b " },
		{ "{\"append\": [\"a=b\"]}", "append", "a=b " },
		{ "{\"qemu_options\": [\"-s\"]}", "qemu-option", "-s " },
		{ "{\"environment\": {\"A\": \"b c\", \"D\": null}}", "env", "A=b c D " },
		{ "{\"module\": \"build\"}", "module", "build " },
		{ "{\"module_source\": \"m\"}", "module-source", "/home/me/it/m " },
		{ "{\"disk\": \"1G\"}", "disk", "1G " },
		{ "{\"qemu\": \"/opt/qemu\"}", "qemu", "/opt/qemu " },
		{ "{\"numa\": 2}", "numa", "2 " },
		{ "{\"network\": true}", "network", "" },
		{ "{\"publish\": [\"8080:80\"]}", "publish", "8080:80 " },
		{ "{\"disk\": [\"1G\", \"i,readonly\"]}", "disk", "1G /home/me/it/i,readonly " },
		{ "{\"kdump\": true}", "kdump", "" },
		{ "{\"fail_on_splat\": true}", "fail-on-splat", "" },
		{ "{\"packages\": [\"gcc\", \"make\"]}", "package", "gcc make " },
		{ "{\"junit\": \"j.xml\"}", "junit", "/home/me/it/j.xml " },
		{ "{\"log_directory\": \"logs\"}", "log-directory", "/home/me/it/logs " },
	};
	// clang-format on

	for (size_t i = 0; i < array_size(rows); i++) {
		_cleanup_project_ struct project project = parse(rows[i].json);
		_cleanup_string_builder_ struct string_builder sb = { 0 };

		cr_assert_eq(project.count, 1, "%s", rows[i].json);
		cr_expect_str_eq(project.settings[0].option, rows[i].option);
		string_builder_append(&sb, "");
		for (size_t j = 0; j < project.settings[0].values.count; j++)
			string_builder_appendf(&sb, "%s ",
					       project.settings[0].values.items[j]);
		cr_expect_str_eq(sb.text, rows[i].values);
	}
}

Test(project, a_command_is_a_list_of_words)
{
	_cleanup_project_ struct project project = parse(
		"{\"command\": [\"sh\", \"-c\", \"a b\"], \"fail_on_splat\": false}");

	_cleanup_project_ struct project empty = parse("{}");

	cr_expect_eq(empty.count + empty.command.count, 0);
	cr_expect_eq(project.count, 0);
	cr_assert_eq(project.command.count, 3);
	cr_expect_str_eq(project.command.items[2], "a b");
	cr_expect_str_eq(project.directory, "/home/me/it");
}

Test(project, mistakes_are_named_with_what_is_allowed)
{
	// clang-format off
	static const struct {
		const char *json, *message;
	} rows[] = {
		{ "", "not valid JSON: line 1" },
		{ "{\"command\": [\"a\",]}", "not valid JSON: line 1" },
		{ "{\"jobs\": 1, \"jobs\": 2}", "duplicate" },
		{ "[]", "json: expected an object" },
		{ "{\"comand\": [\"a\"]}", "comand: unknown key; there are command, kernels, " },
		{ "{\"command\": \"make\"}", "command: expected a list of strings, at least one" },
		{ "{\"command\": []}", "command: expected a list of strings, at least one" },
		{ "{\"command\": [\"a\", 1]}", "command[1]: expected a string" },
		{ "{\"arch\": []}", "arch: expected a list of strings" },
		{ "{\"arch\": 1}", "arch: expected a string" },
		{ "{\"kernels\": [1]}", "kernels[0]: expected a string" },
		{ "{\"jobs\": \"4\"}", "jobs: expected a whole number from 1" },
		{ "{\"jobs\": 0}", "jobs: expected a whole number from 1" },
		{ "{\"jobs\": 1.5}", "jobs: expected a whole number" },
		{ "{\"jobs\": -1}", "jobs: expected a whole number" },
		{ "{\"memory\": 4}", "memory: expected a string" },
		{ "{\"root\": \"\"}", "root: expected a path" },
		{ "{\"rw\": \"a\"}", "rw: expected a list" },
		{ "{\"rw\": [\"\"]}", "rw[0]: expected a path" },
		{ "{\"store\": 1}", "store: expected dir:PATH or github:" },
		{ "{\"environment\": [\"A=b\"]}", "environment: expected an object" },
		{ "{\"environment\": {\"1\": \"\"}}", "environment.1: the name of a variable has letters" },
		{ "{\"environment\": {\"A\": 1}}", "environment.A: expected a string, or null" },
		{ "{\"fail_on_splat\": 1}", "fail_on_splat: expected true or false" },
	};
	// clang-format on

	for (size_t i = 0; i < array_size(rows); i++) {
		struct project project = { 0 };
		struct error *err = project_parse(rows[i].json, "a/vmtest.json",
						  "/a", &project);

		cr_expect(err && strstr(error_message(err), "a/vmtest.json: "));
		expect_kind(err, ERROR_USAGE, rows[i].message);
	}
}
