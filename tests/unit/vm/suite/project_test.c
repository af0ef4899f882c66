// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/suite/suite.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/text.h"
#include "tests/unit/errors.h"
#include "tests/unit/files.h"

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
		{ "{\"hide\": [\"a\"]}", "hide", "/home/me/it/a " },
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
		{ "{\"kdump\": \"auto\"}", "kdump", "auto " },
		{ "{\"kdump\": false}", "kdump", "no " },
		{ "{\"discard\": true}", "discard", "" },
		{ "{\"discard\": false}", "discard", "no " },
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
		{ "{\"expect_failure\": {}}", "expect_failure: expected a list" },
		{ "{\"expect_failure\": [{\"reason\": \"x\"}]}", "expect_failure[0].until: expected a date" },
		{ "{\"expect_failure\": [{\"until\": \"2027-01-31\"}]}", "expect_failure[0].reason: expected a string" },
		{ "{\"expect_failure\": [{\"flavor\": \"tiny\"}]}", "expect_failure[0].flavor: unknown key; there are kernels, architectures" },
		{ "{\"expect_failure\": [{\"pattern\": \"x\"}]}", "expect_failure[0].pattern: unknown key" },
		{ "{\"expect_failure\": [{\"kernels\": {\"max\": \"6.1\"}}]}", "expect_failure[0].kernels.max: unknown key" },
		{ "{\"expect_failure\": [{\"kernels\": {\"min\": \"six\"}}]}", "expect_failure[0].kernels.min: " },
		{ "{\"expect_failure\": [{\"kernels\": \"6.1\"}]}", "expect_failure[0].kernels: expected an object" },
		{ "{\"expect_failure\": [{\"reason\": \"x\", \"until\": \"2027-1-31\"}]}", "until: expected a date, as 2027-01-31" },
		{ "{\"expect_failure\": [{\"reason\": \"x\", \"until\": \"2027-01- 1\"}]}", "until: expected a date" },
		{ "{\"expect_failure\": [{\"reason\": \"x\", \"until\": \"2027-13-01\"}]}", "until: expected a date" },
		{ "{\"splats\": {\"ignored\": []}}", "splats.ignored: unknown key" },
		{ "{\"splats\": {\"ignore\": [{\"reason\": \"x\", \"until\": \"2027-01-31\"}]}}", "splats.ignore[0].pattern: expected a string" },
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

/** What is said against a project's only key; NULL for nothing. */
static void expect_objection(const char *json, const char *directory,
			     const char *words)
{
	_cleanup_project_ struct project project = { 0 };

	expect_success(project_parse(json, "vmtest.json", directory, &project));
	cr_assert_leq(project.count, 1);
	struct error *objection = project.count ? project.settings[0].objection
						: NULL;
	cr_expect_eq(!objection, !words, "%s", json);
	if (!objection || !words)
		return;
	cr_expect(strstr(error_message(objection), words), "no '%s' in: %s",
		  words, error_message(objection));
	cr_expect(strstr(error_message(objection), "say --trust-project"));
	cr_expect(error_is(objection, ERROR_USAGE));
}

Test(project, what_it_does_on_the_host_is_for_trusted_ones, .init = enter_tmp,
     .fini = teardown_tmp)
{
	static const char outside[] = " is outside of the project's directory";
	static const char repository[] = " holds a git repository";
	// clang-format off
	static const struct {
		const char *json, *words;
	} rows[] = {
		{ "{\"command\": [\"rm\", \"-rf\", \"/\"]}", NULL },
		{ "{\"rw\": [\"build\", \"in/dir\", \".\"]}", NULL },
		{ "{\"rw\": [\"build\", \"../..\"]}", "json: rw[1]: \"../..\"" },
		{ "{\"rw\": [\"build/../../x\"]}", outside },
		{ "{\"rw\": [\"link\"]}", outside },
		{ "{\"rw\": [\"link/x\"]}", outside },
		{ "{\"rw\": [\"inner\"]}", NULL },
		{ "{\"rw\": [\"loop\"]}", outside },
		{ "{\"rw\": [\"checkout\"]}", "rw[0]: \"checkout\" holds a git repository" },
		{ "{\"rw\": [\"checkout/src\"]}", NULL },
		{ "{\"rw\": [\"checkout/.git/hooks\"]}", repository },
		{ "{\"junit\": \"checkout/.git/config\"}", repository },
		{ "{\"log_directory\": \"checkout/.git\"}", repository },
		{ "{\"log_directory\": \"checkout\"}", NULL },
		{ "{\"disk\": \"checkout/.git/config\"}", repository },
		{ "{\"junit\": \"/elsewhere\"}", "junit: \"/elsewhere\" is outside" },
		{ "{\"junit\": \"j.xml\"}", NULL },
		{ "{\"log_directory\": \"link/logs\"}", outside },
		{ "{\"log_directory\": \"logs\"}", NULL },
		{ "{\"root\": \"/srv/root\"}", outside },
		{ "{\"root\": \"root\"}", NULL },
		{ "{\"disk\": \"1G\"}", NULL },
		{ "{\"disk\": [\"1G\", \"i,readonly\"]}", NULL },
		{ "{\"disk\": \"/dev/sda,readonly\"}", outside },
		{ "{\"disk\": \"link/i,interface=nvme\"}", outside },
		{ "{\"disk\": \"i,format=qcow2\"}", "may say that other files" },
		{ "{\"qemu_options\": [\"-s\"]}", "qemu_options[0]: \"-s\" can have QEMU do" },
		{ "{\"qemu\": \"./q\"}", "is run on the host" },
		{ "{\"module_source\": \"m\"}", "has makefiles, which the host runs" },
		{ "{\"module\": \"insert\"}", NULL },
		{ "{\"kernels\": [\"6.12\", \"./k\"]}", "kernels[1]: \"./k\" has makefiles" },
		{ "{\"kernels\": [\"6.12\"]}", NULL },
		{ "{\"store\": \"dir:k\"}", "store: \"dir:k\" has kernels with makefiles" },
		{ "{\"store\": \"github:o/r@t\"}", "has kernels with makefiles" },
		{ "{\"packages\": [\"g++\", \"libc6-dev\", \"python3.11\"]}", NULL },
		{ "{\"packages\": [\"gcc\", \"./p.deb\"]}", "packages[1]: \"./p.deb\" is no name of a package" },
		{ "{\"packages\": [\"gcc,./p.deb\"]}", "is no name" },
		{ "{\"packages\": [\"gcc ./p.deb\"]}", "is no name" },
		{ "{\"packages\": [\"-oDPkg::Pre-Invoke::=id\"]}", "is no name" },
		{ "{\"packages\": [\"\"]}", "is no name" },
		{ "{\"network\": true}", "network: true lets the guest send" },
		{ "{\"network\": false}", NULL },
		{ "{\"environment\": {\"CI\": null, \"GITHUB_TOKEN\": \"x\"}}", NULL },
		{ "{\"environment\": {\"GITHUB_TOKEN\": null}}", "environment.GITHUB_TOKEN: null passes on" },
		{ "{\"environment\": {\"GH_TOKEN\": null}}", "may be a secret" },
		{ "{\"environment\": {\"ACTIONS_CACHE_URL\": null}}", "may be a secret" },
		{ "{\"environment\": {\"aws_secret_access\": null}}", "may be a secret" },
		{ "{\"environment\": {\"GIT_AUTHOR_NAME\": null, \"GITHUB_ACTIONS\": null}}", NULL },
		{ "{\"qemu\": \"a\\nb\"}", "qemu: \"a\\nb\" is run" },
	};
	// clang-format on
	_cleanup_free_ char *here = realpath(".", NULL);

	cr_assert_eq(symlink("..", "link"), 0);
	cr_assert_eq(symlink("in/dir", "inner"), 0);
	cr_assert_eq(symlink("loop", "loop"), 0);
	cr_assert_eq(mkdir("checkout", 0755), 0);
	cr_assert_eq(mkdir("checkout/.git", 0755), 0);
	for (size_t i = 0; i < array_size(rows); i++)
		expect_objection(rows[i].json, here, rows[i].words);
}

Test(project, root_by_sudo_takes_files_of_who_has_called_it)
{
	static const struct {
		uid_t caller;
		const char *variable;
		uid_t sudo;
	} rows[] = {
		{ 0, NULL, 0 },		{ 0, "1000", 1000 }, { 7, "1000", 7 },
		{ 0, "", 0 },		{ 0, "1000x", 0 },   { 0, "-1", 0 },
		{ 0, "4294967295", 0 },
	};

	for (size_t i = 0; i < array_size(rows); i++) {
		struct project_owners owners =
			project_owners_of(rows[i].caller, rows[i].variable);

		cr_expect_eq(owners.caller, rows[i].caller, "row %zu", i);
		cr_expect_eq(owners.sudo, rows[i].sudo, "row %zu", i);
	}
}

static bool is_trusted(const char *state)
{
	const struct project_owners owners = project_owners_of(geteuid(), NULL);
	_cleanup_project_ struct project project = { 0 };
	bool trusted = true;

	expect_success(project_load(NULL, &owners, &project));
	expect_success(project_is_trusted(&project, state, &trusted));
	return trusted;
}

Test(project, trust_is_in_what_a_file_says_and_where_it_is, .init = enter_tmp,
     .fini = teardown_tmp)
{
	static const char text[] = "{\"qemu_options\": [\"-s\"]}";
	_cleanup_free_ char *state = in_tmp("state");
	_cleanup_project_ struct project project = { 0 };

	put_file(".", "vmtest.json", text);
	cr_expect_not(is_trusted(NULL));
	cr_expect_not(is_trusted(state));
	expect_success(project_load(NULL, NULL, &project));
	expect_success(project_trust(&project, state));
	cr_expect(is_trusted(state));
	put_file(".", "vmtest.json", "{\"qemu_options\": [\"-S\"]}");
	cr_expect_not(is_trusted(state));
	put_file(".", "copy/vmtest.json", text);
	cr_assert_eq(chdir("copy"), 0);
	cr_expect_not(is_trusted(state));
	cr_assert_eq(chdir(".."), 0);
	put_file(".", "vmtest.json", text);
	cr_expect(is_trusted(state));
	// Others could say that it is.
	bool trusted;
	cr_assert_eq(chmod("state/trusted", 0777), 0);
	expect_kind(project_is_trusted(&project, state, &trusted), ERROR_USAGE,
		    "may be written to by others");
	expect_failure(project_trust(&project, NULL), "neither HOME nor");
}

Test(project, one_that_others_can_change_is_not_read, .init = enter_tmp,
     .fini = teardown_tmp)
{
	static const struct {
		const char *path;
		mode_t directory, file;
		const char *words;
	} rows[] = {
		{ NULL, 0755, 0644, NULL },
		{ NULL, 0755, 0646, "vmtest.json may be written to by others" },
		{ NULL, 0777, 0644, "may be written to by others (mode 777)" },
		{ NULL, 01777, 0644, "may be written to by others (mode 777)" },
		// By the link's directory, and by the file's.
		{ "open/link", 0755, 0644, "open may be written to by others" },
		{ "link", 0755, 0644, "open may be written to by others" },
	};
	const struct project_owners owners = project_owners_of(geteuid(), NULL);

	put_file(".", "vmtest.json", "{}");
	put_file(".", "open/other.json", "{}");
	cr_assert_eq(symlink("../vmtest.json", "open/link"), 0);
	cr_assert_eq(symlink("open/other.json", "link"), 0);
	cr_assert_eq(chmod("open", 0777), 0);
	for (size_t i = 0; i < array_size(rows); i++) {
		_cleanup_project_ struct project project = { 0 };

		cr_assert_eq(chmod(".", rows[i].directory), 0);
		cr_assert_eq(chmod("vmtest.json", rows[i].file), 0);
		expect_outcome(project_load(rows[i].path, &owners, &project),
			       rows[i].words);
	}
}
