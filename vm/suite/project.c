// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/suite/suite.h"

#include <ctype.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/error.h"
#include "common/base/file.h"
#include "common/base/json.h"
#include "common/base/memory.h"
#include "common/base/text.h"
#include "common/store/store.h"
#include "vm/guest/guest.h"
#include "vm/kernel/kernel.h"
#include "vm/qemu/qemu.h"

enum {
	LIMIT_BYTES = 1 << 20,
	NUMBER_LIMIT = 1000000000,
};

enum kind {
	KEY_TEXT,
	KEY_PATH,
	/** A path if it is of a directory. */
	KEY_STORE,
	/** A path or a pattern. */
	KEY_KERNEL,
	/** A name, or what else apt(8) takes for a package. */
	KEY_PACKAGE,
	/** A path or a size. */
	KEY_DISK,
	/** From 1, and from 0, which is for no limit. */
	KEY_NUMBER,
	KEY_LIMIT,
	/** Without a value; what is false is as if it were not there. */
	KEY_FLAG,
	/** The same, or a word, and false is said, too. */
	KEY_SWITCH,
	KEY_VARIABLES,
	/** No options. */
	KEY_FAILURES,
	KEY_SPLATS,
};

enum shape {
	ONE,
	LIST,
	ONE_OR_LIST,
};

// clang-format off
static const struct key {
	const char *name;
	enum kind kind;
	enum shape shape;
	/** The option that it stands for; NULL for the command. */
	const char *option;
	/** What it does on the host, unless is_harmless(). */
	const char *objection;
} keys[] = {
	{ "command", KEY_TEXT, LIST, NULL, NULL },
	{ "kernels", KEY_KERNEL, LIST, "kernel", "has makefiles, which the host runs" },
	{ "flavors", KEY_TEXT, LIST, "flavor", NULL },
	{ "arch", KEY_TEXT, ONE_OR_LIST, "arch", NULL },
	{ "store", KEY_STORE, ONE, "store", "has kernels with makefiles, which the host runs" },
	{ "jobs", KEY_NUMBER, ONE, "jobs", NULL },
	{ "discard", KEY_SWITCH, ONE, "discard", NULL },
	{ "root", KEY_PATH, ONE, "root", NULL },
	{ "packages", KEY_PACKAGE, LIST, "package", "is no name of a package: apt could take it for a file or an option" },
	{ "timeout", KEY_LIMIT, ONE, "timeout", NULL },
	{ "output_limit", KEY_TEXT, ONE, "output-limit", NULL },
	{ "accel", KEY_TEXT, ONE, "accel", NULL },
	{ "machine", KEY_TEXT, ONE, "machine", NULL },
	{ "qemu", KEY_TEXT, ONE, "qemu", "is run on the host" },
	{ "rw", KEY_PATH, LIST, "rw", NULL },
	{ "hide", KEY_PATH, LIST, "hide", NULL },
	{ "memory", KEY_TEXT, ONE, "memory", NULL },
	{ "cpus", KEY_NUMBER, ONE, "cpus", NULL },
	{ "numa", KEY_NUMBER, ONE, "numa", NULL },
	{ "module", KEY_TEXT, ONE, "module", NULL },
	{ "module_source", KEY_PATH, ONE, "module-source", "has makefiles, which the host runs" },
	{ "disk", KEY_DISK, ONE_OR_LIST, "disk", NULL },
	{ "network", KEY_FLAG, ONE, "network", "lets the guest send away what it reads of your files" },
	{ "publish", KEY_TEXT, LIST, "publish", NULL },
	{ "kdump", KEY_SWITCH, ONE, "kdump", NULL },
	{ "overlay_size", KEY_TEXT, ONE, "overlay-size", NULL },
	{ "user", KEY_TEXT, ONE, "user", NULL },
	{ "hostname", KEY_TEXT, ONE, "hostname", NULL },
	{ "append", KEY_TEXT, LIST, "append", NULL },
	{ "qemu_options", KEY_TEXT, LIST, "qemu-option", "can have QEMU do anything on the host" },
	{ "environment", KEY_VARIABLES, ONE, "env", NULL },
	{ "fail_on_splat", KEY_FLAG, ONE, "fail-on-splat", NULL },
	{ "expect_failure", KEY_FAILURES, LIST, NULL, NULL },
	{ "splats", KEY_SPLATS, ONE, NULL, NULL },
	{ "dump", KEY_TEXT, ONE_OR_LIST, "dump", NULL },
	{ "dump_directory", KEY_PATH, ONE, "dump-directory", NULL },
	{ "log_directory", KEY_PATH, ONE, "log-directory", NULL },
	{ "junit", KEY_PATH, ONE, "junit", NULL },
};
// clang-format on

/** Keep the first that there is to say against a key. */
static void object(struct error **objection, const struct value *value,
		   const char *reason)
{
	_cleanup_free_ char *text = NULL;

	if (*objection)
		return;
	text = json_text(json_incref(value->json),
			 JSON_ENCODE_ANY | JSON_COMPACT);
	*objection = value_error(
		value,
		"%s %s; read the file and, if you trust it, say --trust-project, or use the option on the command line",
		text, reason);
}

/** Against one that is passed on from our environment. */
static bool is_secret(const char *name)
{
	static const char *const words[] = { "TOKEN",  "SECRET",     "PASSW",
					     "KEY",    "CREDENTIAL", "AUTH_",
					     "COOKIE", "ACTIONS_" };
	size_t i = 0;

	while (i < array_size(words) && !strcasestr(name, words[i]))
		i++;
	return i < array_size(words);
}

static struct error *read_variables(const struct value *value,
				    struct project_setting *setting)
{
	struct string_list *ret = &setting->values;
	const char *name;
	json_t *item;

	if (!json_is_object(value->json))
		return value_error(value, "expected an object");
	json_object_foreach(value->json, name, item)
	{
		const struct value variable = value_member(value, name);

		if (!guest_takes_variable(name))
			return value_error(
				&variable,
				"the name of a variable has letters, digits and _");
		if (json_is_string(item))
			string_list_addf(ret, "%s=%s", name,
					 json_string_value(item));
		else if (json_is_null(item))
			string_list_add(ret, name);
		else
			return value_error(
				&variable,
				"expected a string, or null to pass on the value that it has");
		if (json_is_null(item) && is_secret(name))
			object(&setting->objection, &variable,
			       "passes on what may be a secret of yours");
	}
	return NULL;
}

/**
 * Whether a directory is a repository of git or in one, or if it can be
 * written to, holds one: what is there names programs, which git runs.
 */
static bool reaches_repository(const char *path, const char *directory,
			       bool is_writable)
{
	_cleanup_free_ char *inside = path_join(path, ".git");
	_cleanup_free_ char *below =
		string_format("/%s/", path + strlen(directory));

	return strstr(below, "/.git/") ||
	       (is_writable && access(inside, F_OK) == 0);
}

/** Add a path, which is made absolute. */
static void add_path(const struct value *value, const struct key *key,
		     const char *directory, struct project_setting *setting)
{
	struct error *err;

	const char *text = json_string_value(value->json);
	const char *name = key->kind == KEY_STORE ? store_directory_path(text)
						  : text;
	_cleanup_free_ char *path = path_join(directory, name);
	string_list_addf(&setting->values, "%.*s%s", (int)(name - text), text,
			 path);
	_cleanup_free_ char *file = key->kind == KEY_DISK ? disk_path(path)
							  : string_copy(path);
	_cleanup_path_way_ struct path_way way = { 0 };
	err = path_follow(file, &way);
	if (err || !path_is_below(way.path, directory))
		object(&setting->objection, value,
		       "is outside of the project's directory");
	else if (reaches_repository(way.path, directory,
				    strcmp(key->name, "rw") == 0))
		object(&setting->objection, value,
		       "holds a git repository, which can have git run programs");
	error_destroy(err);
	if (key->kind == KEY_DISK && strstr(text, ",format=qcow2"))
		object(&setting->objection, value,
		       "may say that other files of the host are part of the disk");
}

/** Whether a string is a path. */
static bool is_path(const char *text, enum kind kind)
{
	uint64_t size;

	switch (kind) {
	case KEY_PATH:
		return true;
	case KEY_KERNEL:
		return kernel_is_path(text);
	case KEY_DISK:
		return !amount_parse(text, size_units, 0, &size);
	case KEY_STORE:
		return store_directory_path(text);
	default:
		return false;
	}
}

/** Whether a value does nothing on the host, where others of its key do. */
static bool is_harmless(const char *text, enum kind kind)
{
	static const char name[] = "abcdefghijklmnopqrstuvwxyz0123456789+.-";

	if (kind == KEY_PACKAGE)
		return isalnum((unsigned char)*text) && !text[strspn(text, name)];
	// Which kernels, of those that the user has.
	return kind == KEY_KERNEL && !is_path(text, kind);
}

static struct error *read_item(const struct value *value, const struct key *key,
			       const char *directory,
			       struct project_setting *setting)
{
	static const char *const expected[] = {
		[KEY_TEXT] = "expected a string",
		[KEY_PATH] = "expected a path",
		[KEY_STORE] = "expected dir:PATH or github:OWNER/REPO@TAG",
		[KEY_KERNEL] = "expected a string",
		[KEY_DISK] = "expected a string",
		[KEY_PACKAGE] = "expected a string",
		[KEY_SWITCH] = "expected true, false or a string",
	};
	struct error *err;
	const enum kind kind = key->kind;

	if (kind == KEY_SWITCH && json_is_boolean(value->json)) {
		if (json_is_false(value->json))
			string_list_add(&setting->values, "no");
		return NULL;
	}
	if (kind == KEY_FLAG) {
		bool flag = false;

		err = value_flag(value, &flag);
		if (flag && key->objection)
			object(&setting->objection, value, key->objection);
		return err;
	}
	if (kind == KEY_VARIABLES)
		return read_variables(value, setting);
	if (kind == KEY_NUMBER || kind == KEY_LIMIT) {
		int64_t number;

		err = value_integer(value, kind == KEY_NUMBER, NUMBER_LIMIT,
				    &number);
		if (!err)
			string_list_addf(&setting->values, "%lld",
					 (long long)number);
		return err;
	}
	const char *text = json_string_value(value->json);
	if (!text || (kind == KEY_PATH && !*text))
		return value_error(value, "%s", expected[kind]);
	if (key->objection && !is_harmless(text, kind))
		object(&setting->objection, value, key->objection);
	if (is_path(text, kind))
		add_path(value, key, directory, setting);
	else
		string_list_add(&setting->values, text);
	return NULL;
}

void project_deinit(struct project *project)
{
	for (size_t i = 0; i < project->count; i++) {
		string_list_deinit(&project->settings[i].values);
		error_destroy(project->settings[i].objection);
	}
	free(project->settings);
	string_list_deinit(&project->command);
	expectation_list_deinit(&project->failures);
	expectation_list_deinit(&project->splats);
	free(project->directory);
	free(project->path);
	*project = (struct project){ 0 };
}

static struct error *read_key(const struct value *value, struct project *project)
{
	struct error *err;

	_cleanup_string_builder_ struct string_builder names = { 0 };
	const struct key *key = NULL;
	for (size_t i = 0; i < array_size(keys); i++) {
		if (strcmp(keys[i].name, value->key) == 0)
			key = &keys[i];
		string_builder_appendf(&names, "%s%s", i ? ", " : "",
				       keys[i].name);
	}
	if (!key)
		return value_error(value, "unknown key; there are %s",
				   names.text);
	if (key->kind == KEY_FAILURES)
		return value_expected_failures(value, &project->failures);
	if (key->kind == KEY_SPLATS)
		return value_splats(value, &project->splats);
	// What is left of a value that is wrong is destroyed with the others.
	struct project_setting *setting = &project->settings[project->count];
	if (!json_is_false(value->json) || key->kind == KEY_SWITCH)
		project->count++;
	setting->option = key->option;
	if (key->shape == ONE ||
	    (key->shape == ONE_OR_LIST && !json_is_array(value->json)))
		return read_item(value, key, project->directory, setting);
	if (!json_array_size(value->json))
		return value_error(value,
				   "expected a list of strings, at least one");
	for (size_t i = 0; i < json_array_size(value->json); i++) {
		const struct value item = value_item(value, i);

		err = read_item(&item, key, project->directory, setting);
		if (err)
			return err;
	}
	if (!key->option) {
		project->command = take(setting->values);
		project->count--;
	}
	return NULL;
}

struct error *project_parse(const char *text, const char *name,
			    const char *directory, struct project *ret)
{
	struct error *err;

	_cleanup_value_ struct value document = { 0 };
	err = value_parse(text, strlen(text), name, ERROR_USAGE, &document);
	if (err)
		return err;
	if (!json_is_object(document.json))
		return value_error(&document, "expected an object");
	_cleanup_project_ struct project project = {
		.directory = string_copy(directory),
		.settings = memory_allocate(json_object_size(document.json),
					    sizeof(*project.settings)),
	};
	const char *key;
	json_t *json;
	json_object_foreach(document.json, key, json)
	{
		const struct value value = value_member(&document, key);

		err = read_key(&value, &project);
		if (err)
			return err;
	}
	*ret = take(project);
	return NULL;
}
