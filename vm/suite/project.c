// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/suite/project.h"

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

enum {
	LIMIT_BYTES = 1 << 20,
	NUMBER_LIMIT = 1000000000,
};

static const char default_name[] = "vmtest.json";

/** Where what a value says goes. */
struct target {
	/** What paths are relative to. */
	const char *directory;
	struct string_list *values;
};

static struct error *read_string(const struct value *value, void *ret)
{
	struct error *err;
	const char *text;

	err = value_string(value, &text);
	if (err)
		return err;
	string_list_add(((struct target *)ret)->values, text);
	return NULL;
}

static struct error *read_path(const struct value *value, void *ret)
{
	const struct target *target = ret;
	const char *text = json_string_value(value->json);
	if (!text || !*text)
		return value_error(value, "expected a path");
	_cleanup_free_ char *path = path_join(target->directory, text);
	string_list_add(target->values, path);
	return NULL;
}

static struct error *read_store(const struct value *value, void *ret)
{
	static const char prefix[] = "dir:";
	const struct target *target = ret;
	const char *text = json_string_value(value->json);
	if (!text)
		return value_error(value,
				   "expected dir:PATH or github:OWNER/REPO@TAG");
	if (strncmp(text, prefix, strlen(prefix)) != 0)
		return read_string(value, ret);
	_cleanup_free_ char *path =
		path_join(target->directory, text + strlen(prefix));
	string_list_addf(target->values, "%s%s", prefix, path);
	return NULL;
}

static struct error *read_from(int64_t min, const struct value *value,
			       struct target *target)
{
	struct error *err;
	int64_t number;

	err = value_integer(value, min, NUMBER_LIMIT, &number);
	if (err)
		return err;
	string_list_addf(target->values, "%lld", (long long)number);
	return NULL;
}

static struct error *read_number(const struct value *value, void *ret)
{
	return read_from(1, value, ret);
}

/** 0 is for no limit. */
static struct error *read_limit(const struct value *value, void *ret)
{
	return read_from(0, value, ret);
}

/** Without a value; what is false is as if it were not there. */
static struct error *read_flag(const struct value *value, void *ret)
{
	bool flag;

	(void)ret;
	return value_flag(value, &flag);
}

static struct error *read_kernel(const struct value *value, void *ret)
{
	const char *text = json_string_value(value->json);

	return text && kernel_is_path(text) ? read_path(value, ret)
					    : read_string(value, ret);
}

static struct error *read_variables(const struct value *value, void *ret)
{
	struct string_list *values = ((struct target *)ret)->values;
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
			string_list_addf(values, "%s=%s", name,
					 json_string_value(item));
		else if (json_is_null(item))
			string_list_add(values, name);
		else
			return value_error(
				&variable,
				"expected a string, or null to pass on the value that it has");
	}
	return NULL;
}

enum shape {
	ONE,
	LIST,
	ONE_OR_LIST,
};

// clang-format off
static const struct key {
	const char *name;
	value_reader *read;
	enum shape shape;
	/** The option that it stands for; NULL for the command. */
	const char *option;
} keys[] = {
	{ "command", read_string, LIST, NULL },
	{ "kernels", read_kernel, LIST, "kernel" },
	{ "flavors", read_string, LIST, "flavor" },
	{ "arch", read_string, ONE_OR_LIST, "arch" },
	{ "store", read_store, ONE, "store" },
	{ "jobs", read_number, ONE, "jobs" },
	{ "root", read_path, ONE, "root" },
	{ "packages", read_string, LIST, "package" },
	{ "timeout", read_limit, ONE, "timeout" },
	{ "accel", read_string, ONE, "accel" },
	{ "machine", read_string, ONE, "machine" },
	{ "rw", read_path, LIST, "rw" },
	{ "memory", read_string, ONE, "memory" },
	{ "cpus", read_number, ONE, "cpus" },
	{ "module", read_string, ONE, "module" },
	{ "module_source", read_path, ONE, "module-source" },
	{ "disk", read_string, ONE, "disk" },
	{ "kdump", read_flag, ONE, "kdump" },
	{ "append", read_string, LIST, "append" },
	{ "qemu_options", read_string, LIST, "qemu-option" },
	{ "environment", read_variables, ONE, "env" },
	{ "fail_on_splat", read_flag, ONE, "fail-on-splat" },
	{ "log_directory", read_path, ONE, "log-directory" },
	{ "junit", read_path, ONE, "junit" },
};
// clang-format on

void project_deinit(struct project *project)
{
	for (size_t i = 0; i < project->count; i++)
		string_list_deinit(&project->settings[i].values);
	free(project->settings);
	string_list_deinit(&project->command);
	free(project->directory);
	*project = (struct project){ 0 };
}

static const struct key *find_key(const char *name)
{
	for (size_t i = 0; i < array_size(keys); i++) {
		if (strcmp(keys[i].name, name) == 0)
			return &keys[i];
	}
	return NULL;
}

static struct error *unknown_key(const struct value *value)
{
	_cleanup_string_builder_ struct string_builder sb = { 0 };

	for (size_t i = 0; i < array_size(keys); i++)
		string_builder_appendf(&sb, "%s%s", i ? ", " : "", keys[i].name);
	return value_error(value, "unknown key; there are %s", sb.text);
}

static struct error *read_shape(const struct key *key,
				const struct value *value, struct target *target)
{
	struct error *err;

	if (key->shape == ONE ||
	    (key->shape == ONE_OR_LIST && !json_is_array(value->json)))
		return key->read(value, target);
	if (!json_array_size(value->json))
		return value_error(value,
				   "expected a list of strings, at least one");
	for (size_t i = 0; i < json_array_size(value->json); i++) {
		const struct value item = value_item(value, i);

		err = key->read(&item, target);
		if (err)
			return err;
	}
	return NULL;
}

static struct error *read_key(const struct value *value, struct project *project)
{
	const struct key *key = find_key(value->key);
	if (!key)
		return unknown_key(value);

	struct project_setting *setting = &project->settings[project->count];
	*setting = (struct project_setting){ .option = key->option };
	struct target target = {
		.directory = project->directory,
		.values = key->option ? &setting->values : &project->command,
	};
	// What is left of a value that is wrong is destroyed with the others.
	if (key->option && !json_is_false(value->json))
		project->count++;
	return read_shape(key, value, &target);
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

	const char *name = path ? path : default_name;
	_cleanup_free_ char *text = NULL;
	_cleanup_free_ char *real = NULL;

	err = file_read(name, LIMIT_BYTES, &text, NULL);
	if (!path && error_catch(&err, ERROR_NOT_FOUND)) {
		*ret = (struct project){ 0 };
		return NULL;
	}
	if (err)
		return error_wrap(err, "project");
	real = realpath(name, NULL);
	if (!real)
		return error_create_os(errno, "project %s", name);
	return project_parse(text, name, dirname(real), ret);
}
