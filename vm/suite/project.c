// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/suite/suite.h"

#include <errno.h>
#include <jansson.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/error.h"
#include "common/base/file.h"
#include "common/base/json.h"
#include "common/base/memory.h"
#include "common/base/text.h"
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
	/** A path or a size. */
	KEY_DISK,
	/** From 1, and from 0, which is for no limit. */
	KEY_NUMBER,
	KEY_LIMIT,
	/** Without a value; what is false is as if it were not there. */
	KEY_FLAG,
	KEY_VARIABLES,
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
} keys[] = {
	{ "command", KEY_TEXT, LIST, NULL },
	{ "kernels", KEY_KERNEL, LIST, "kernel" },
	{ "flavors", KEY_TEXT, LIST, "flavor" },
	{ "arch", KEY_TEXT, ONE_OR_LIST, "arch" },
	{ "store", KEY_STORE, ONE, "store" },
	{ "jobs", KEY_NUMBER, ONE, "jobs" },
	{ "root", KEY_PATH, ONE, "root" },
	{ "packages", KEY_TEXT, LIST, "package" },
	{ "timeout", KEY_LIMIT, ONE, "timeout" },
	{ "accel", KEY_TEXT, ONE, "accel" },
	{ "machine", KEY_TEXT, ONE, "machine" },
	{ "qemu", KEY_TEXT, ONE, "qemu" },
	{ "rw", KEY_PATH, LIST, "rw" },
	{ "memory", KEY_TEXT, ONE, "memory" },
	{ "cpus", KEY_NUMBER, ONE, "cpus" },
	{ "numa", KEY_NUMBER, ONE, "numa" },
	{ "module", KEY_TEXT, ONE, "module" },
	{ "module_source", KEY_PATH, ONE, "module-source" },
	{ "disk", KEY_DISK, ONE_OR_LIST, "disk" },
	{ "network", KEY_FLAG, ONE, "network" },
	{ "publish", KEY_TEXT, LIST, "publish" },
	{ "kdump", KEY_FLAG, ONE, "kdump" },
	{ "overlay_size", KEY_TEXT, ONE, "overlay-size" },
	{ "user", KEY_TEXT, ONE, "user" },
	{ "hostname", KEY_TEXT, ONE, "hostname" },
	{ "append", KEY_TEXT, LIST, "append" },
	{ "qemu_options", KEY_TEXT, LIST, "qemu-option" },
	{ "environment", KEY_VARIABLES, ONE, "env" },
	{ "fail_on_splat", KEY_FLAG, ONE, "fail-on-splat" },
	{ "log_directory", KEY_PATH, ONE, "log-directory" },
	{ "junit", KEY_PATH, ONE, "junit" },
};
// clang-format on

static struct error *read_variables(const struct value *value,
				    struct string_list *ret)
{
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
	}
	return NULL;
}

/** A value; of a string, what is a path is made absolute. */
static struct error *read_item(const struct value *value, enum kind kind,
			       const char *directory, struct string_list *ret)
{
	static const char *const expected[] = {
		[KEY_TEXT] = "expected a string",
		[KEY_PATH] = "expected a path",
		[KEY_STORE] = "expected dir:PATH or github:OWNER/REPO@TAG",
		[KEY_KERNEL] = "expected a string",
		[KEY_DISK] = "expected a string",
	};
	static const char prefix[] = "dir:";
	struct error *err;

	if (kind == KEY_FLAG) {
		bool flag;

		return value_flag(value, &flag);
	}
	if (kind == KEY_VARIABLES)
		return read_variables(value, ret);
	if (kind == KEY_NUMBER || kind == KEY_LIMIT) {
		int64_t number;

		err = value_integer(value, kind == KEY_NUMBER, NUMBER_LIMIT,
				    &number);
		if (!err)
			string_list_addf(ret, "%lld", (long long)number);
		return err;
	}
	const char *text = json_string_value(value->json);
	if (!text || (kind == KEY_PATH && !*text))
		return value_error(value, "%s", expected[kind]);
	size_t skip = kind == KEY_STORE ? strlen(prefix) : 0;
	uint64_t size;
	if (kind == KEY_PATH || (kind == KEY_KERNEL && kernel_is_path(text)) ||
	    (kind == KEY_DISK && !amount_parse(text, size_units, 0, &size)) ||
	    (kind == KEY_STORE && strncmp(text, prefix, skip) == 0)) {
		_cleanup_free_ char *path = path_join(directory, text + skip);

		string_list_addf(ret, "%.*s%s", (int)skip, text, path);
	} else {
		string_list_add(ret, text);
	}
	return NULL;
}

void project_deinit(struct project *project)
{
	for (size_t i = 0; i < project->count; i++)
		string_list_deinit(&project->settings[i].values);
	free(project->settings);
	string_list_deinit(&project->command);
	free(project->directory);
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
	struct string_list *values = &project->command;
	// What is left of a value that is wrong is destroyed with the others.
	if (key->option && !json_is_false(value->json)) {
		struct project_setting *setting =
			&project->settings[project->count++];

		setting->option = key->option;
		values = &setting->values;
	}
	if (key->shape == ONE ||
	    (key->shape == ONE_OR_LIST && !json_is_array(value->json)))
		return read_item(value, key->kind, project->directory, values);
	if (!json_array_size(value->json))
		return value_error(value,
				   "expected a list of strings, at least one");
	for (size_t i = 0; i < json_array_size(value->json); i++) {
		const struct value item = value_item(value, i);

		err = read_item(&item, key->kind, project->directory, values);
		if (err)
			return err;
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

struct error *project_load(const char *path, struct project *ret)
{
	struct error *err;

	const char *name = path ? path : "vmtest.json";
	_cleanup_free_ char *text = NULL;
	err = file_read(name, LIMIT_BYTES, &text, NULL);
	if (!path && error_catch(&err, ERROR_NOT_FOUND)) {
		*ret = (struct project){ 0 };
		return NULL;
	}
	if (err)
		return error_wrap(err, "project");
	_cleanup_free_ char *real = realpath(name, NULL);
	if (!real)
		return error_create_os(errno, "project %s", name);
	return project_parse(text, name, dirname(real), ret);
}
