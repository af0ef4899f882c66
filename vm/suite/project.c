// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/suite/project.h"

#include <errno.h>
#include <jansson.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/error.h"
#include "common/base/file.h"
#include "common/base/memory.h"
#include "common/base/string_builder.h"
#include "vm/guest/setup.h"
#include "vm/kernel/kernel.h"

enum {
	LIMIT_BYTES = 1 << 20,
	NUMBER_LIMIT = 1000000000,
};

static const char default_name[] = "vmtest.json";

enum value_type {
	VALUE_STRING,
	VALUE_PATH,
	VALUE_STORE,
	VALUE_NUMBER,
	VALUE_FLAG,
	VALUE_STRINGS,
	VALUE_NAMES,
	VALUE_PATHS,
	VALUE_KERNELS,
	VALUE_VARIABLES,
};

// clang-format off
static const struct key {
	const char *name;
	enum value_type type;
	/** The option that it stands for; NULL for the command. */
	const char *option;
} keys[] = {
	{ "command", VALUE_STRINGS, NULL },
	{ "kernels", VALUE_KERNELS, "kernel" },
	{ "flavors", VALUE_STRINGS, "flavor" },
	{ "arch", VALUE_NAMES, "arch" },
	{ "store", VALUE_STORE, "store" },
	{ "jobs", VALUE_NUMBER, "jobs" },
	{ "root", VALUE_PATH, "root" },
	{ "packages", VALUE_STRINGS, "package" },
	{ "timeout", VALUE_NUMBER, "timeout" },
	{ "accel", VALUE_STRING, "accel" },
	{ "machine", VALUE_STRING, "machine" },
	{ "rw", VALUE_PATHS, "rw" },
	{ "memory", VALUE_STRING, "memory" },
	{ "cpus", VALUE_NUMBER, "cpus" },
	{ "module", VALUE_STRING, "module" },
	{ "module_source", VALUE_PATH, "module-source" },
	{ "disk", VALUE_STRING, "disk" },
	{ "kdump", VALUE_FLAG, "kdump" },
	{ "append", VALUE_STRINGS, "append" },
	{ "qemu_options", VALUE_STRINGS, "qemu-option" },
	{ "environment", VALUE_VARIABLES, "env" },
	{ "fail_on_splat", VALUE_FLAG, "fail-on-splat" },
	{ "log_directory", VALUE_PATH, "log-directory" },
	{ "junit", VALUE_PATH, "junit" },
};
// clang-format on

/** Where we are in the document. */
struct reader {
	const char *file;
	const char *key;
	/** What paths are relative to. */
	const char *directory;
};

/** Read a value. @return Whether it is of the type; the first failure sticks. */
typedef bool (*value_reader)(const struct reader *reader, json_t *value,
			     struct string_list *ret);

static void add_path(const struct reader *reader, const char *path,
		     struct string_list *ret)
{
	_cleanup_free_ char *joined = path_join(reader->directory, path);

	string_list_add(ret, joined);
}

static bool read_string(const struct reader *reader, json_t *value,
			struct string_list *ret)
{
	(void)reader;
	if (!json_is_string(value))
		return false;
	string_list_add(ret, json_string_value(value));
	return true;
}

static bool read_path(const struct reader *reader, json_t *value,
		      struct string_list *ret)
{
	const char *text = json_string_value(value);

	if (!text || !*text)
		return false;
	add_path(reader, text, ret);
	return true;
}

static bool read_store(const struct reader *reader, json_t *value,
		       struct string_list *ret)
{
	static const char prefix[] = "dir:";
	const char *text = json_string_value(value);
	_cleanup_free_ char *path = NULL;

	if (!text || strncmp(text, prefix, strlen(prefix)) != 0)
		return read_string(reader, value, ret);
	path = path_join(reader->directory, text + strlen(prefix));
	string_list_addf(ret, "%s%s", prefix, path);
	return true;
}

static bool read_number(const struct reader *reader, json_t *value,
			struct string_list *ret)
{
	json_int_t number = json_integer_value(value);

	(void)reader;
	if (!json_is_integer(value) || number < 1 || number > NUMBER_LIMIT)
		return false;
	string_list_addf(ret, "%lld", (long long)number);
	return true;
}

static bool read_flag(const struct reader *reader, json_t *value,
		      struct string_list *ret)
{
	(void)reader;
	(void)ret;
	return json_is_boolean(value);
}

static bool read_list(const struct reader *reader, json_t *value,
		      value_reader read_item, struct string_list *ret)
{
	json_t *item;
	size_t i;

	if (!json_is_array(value) || !json_array_size(value))
		return false;
	json_array_foreach(value, i, item)
	{
		if (!read_item(reader, item, ret))
			return false;
	}
	return true;
}

static bool read_strings(const struct reader *reader, json_t *value,
			 struct string_list *ret)
{
	return read_list(reader, value, read_string, ret);
}

static bool read_names(const struct reader *reader, json_t *value,
		       struct string_list *ret)
{
	return json_is_array(value) ? read_strings(reader, value, ret)
				    : read_string(reader, value, ret);
}

static bool read_paths(const struct reader *reader, json_t *value,
		       struct string_list *ret)
{
	return read_list(reader, value, read_path, ret);
}

static bool read_kernel(const struct reader *reader, json_t *value,
			struct string_list *ret)
{
	const char *text = json_string_value(value);

	return text && kernel_is_path(text) ? read_path(reader, value, ret)
					    : read_string(reader, value, ret);
}

static bool read_kernels(const struct reader *reader, json_t *value,
			 struct string_list *ret)
{
	return read_list(reader, value, read_kernel, ret);
}

static bool read_variables(const struct reader *reader, json_t *value,
			   struct string_list *ret)
{
	const char *name;
	json_t *item;

	(void)reader;
	if (!json_is_object(value))
		return false;
	json_object_foreach(value, name, item)
	{
		if (!setup_is_variable_name(name))
			return false;
		if (json_is_string(item))
			string_list_addf(ret, "%s=%s", name,
					 json_string_value(item));
		else if (json_is_null(item))
			string_list_add(ret, name);
		else
			return false;
	}
	return true;
}

// clang-format off
static const struct {
	value_reader read;
	const char *allowed;
} types[] = {
	[VALUE_STRING] = { read_string, "a string" },
	[VALUE_PATH] = { read_path, "a path" },
	[VALUE_STORE] = { read_store, "a string, dir:PATH or github:OWNER/REPO@TAG" },
	[VALUE_NUMBER] = { read_number, "a whole number, 1 or more" },
	[VALUE_FLAG] = { read_flag, "true or false" },
	[VALUE_STRINGS] = { read_strings, "a list of strings, at least one" },
	[VALUE_NAMES] = { read_names, "a string, or a list of strings, at least one" },
	[VALUE_PATHS] = { read_paths, "a list of paths, at least one" },
	[VALUE_KERNELS] = { read_kernels, "a list of patterns or folders, at least one" },
	[VALUE_VARIABLES] = { read_variables, "an object: names of letters, digits and _, each with a string, or null to pass on the value that it has" },
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

static struct error *unknown_key(const struct reader *reader)
{
	_cleanup_string_builder_ struct string_builder sb = STRING_BUILDER_INIT;
	_cleanup_free_ char *allowed = NULL;

	for (size_t i = 0; i < array_size(keys); i++)
		string_builder_appendf(&sb, "%s%s", i ? ", " : "", keys[i].name);
	allowed = string_builder_take(&sb);
	return error_create(ERROR_USAGE, "%s: unknown key \"%s\"; there are %s",
			    reader->file, reader->key, allowed);
}

static struct error *read_key(const struct reader *reader, json_t *value,
			      struct project *project)
{
	const struct key *key = find_key(reader->key);
	struct project_setting *setting = &project->settings[project->count];
	struct string_list *target;

	if (!key)
		return unknown_key(reader);
	*setting = (struct project_setting){ .option = key->option };
	target = key->option ? &setting->values : &project->command;
	// What is left of a value that is wrong is destroyed with the others.
	project->count += key->option != NULL;
	if (!types[key->type].read(reader, value, target))
		return error_create(ERROR_USAGE, "%s: \"%s\" must be %s",
				    reader->file, key->name,
				    types[key->type].allowed);
	if (json_is_false(value))
		project->count--;
	return NULL;
}

static void cleanup_json(json_t **json)
{
	json_decref(*json);
}

struct error *project_parse(const char *text, const char *name,
			    const char *directory, struct project *ret)
{
	struct error *err;

	struct reader reader = { .file = name, .directory = directory };
	json_error_t problem;
	_cleanup_(cleanup_json) json_t *json =
		json_loads(text, JSON_REJECT_DUPLICATES, &problem);
	_cleanup_project_ struct project project = { 0 };
	json_t *value;

	if (!json)
		return error_create(ERROR_USAGE, "%s: line %d, column %d: %s",
				    name, problem.line, problem.column,
				    problem.text);
	if (!json_is_object(json))
		return error_create(ERROR_USAGE, "%s: must be an object", name);
	project.directory = strdup(directory);
	project.settings =
		calloc(json_object_size(json) + 1, sizeof(*project.settings));
	if (!project.directory || !project.settings)
		memory_exhausted();
	json_object_foreach(json, reader.key, value)
	{
		err = read_key(&reader, value, &project);
		if (err)
			return err;
	}
	*ret = project;
	project = (struct project){ 0 };
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
