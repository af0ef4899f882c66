// SPDX-License-Identifier: LGPL-2.1-or-later

#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/error.h"
#include "common/base/memory.h"
#include "common/kernel/catalog.h"

/** Where in the document we are, for messages. */
struct reader {
	const char *file;
	const char *section;
};

_printf_(2, 3) static struct error *reader_error(const struct reader *reader,
						 const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	_cleanup_free_ char *what = string_vformat(format, ap);
	va_end(ap);
	return error_create(ERROR_USAGE, "%s: %s: %s", reader->file,
			    reader->section, what);
}

static struct error *get_string(const struct reader *reader, json_t *object,
				const char *key, bool optional, const char **ret)
{
	json_t *value = json_object_get(object, key);

	*ret = NULL;
	if (!value && optional)
		return NULL;
	if (!json_is_string(value))
		return reader_error(reader, "\"%s\" must be a string", key);
	*ret = json_string_value(value);
	return NULL;
}

static struct error *get_number(const struct reader *reader, json_t *object,
				const char *key, unsigned int *ret)
{
	json_t *value = json_object_get(object, key);

	if (!json_is_integer(value) || json_integer_value(value) < 0 ||
	    json_integer_value(value) > 99999999)
		return reader_error(reader, "\"%s\" must be a whole number", key);
	*ret = (unsigned int)json_integer_value(value);
	return NULL;
}

static struct error *get_flag(const struct reader *reader, json_t *object,
			      const char *key, bool default_value, bool *ret)
{
	json_t *value = json_object_get(object, key);

	if (value && !json_is_boolean(value))
		return reader_error(reader, "\"%s\" must be true or false", key);
	*ret = value ? json_is_true(value) : default_value;
	return NULL;
}

static struct error *get_strings(const struct reader *reader, json_t *object,
				 const char *key, struct string_list *ret)
{
	json_t *array = json_object_get(object, key), *item;
	size_t i;

	if (!array)
		return NULL;
	if (!json_is_array(array))
		return reader_error(reader, "\"%s\" must be a list of strings",
				    key);
	json_array_foreach(array, i, item)
	{
		if (!json_is_string(item))
			return reader_error(reader,
					    "\"%s\" must be a list of strings",
					    key);
		string_list_add(ret, json_string_value(item));
	}
	return NULL;
}

/** @param[out] present_ret Whether the object has the key at all. */
static struct error *get_version(const struct reader *reader, json_t *object,
				 const char *key, bool *present_ret,
				 struct kernel_version *ret)
{
	struct error *err;
	const char *text;

	err = get_string(reader, object, key, true, &text);
	if (err)
		return err;
	*present_ret = text != NULL;
	if (text && !kernel_version_parse(text, ret))
		return reader_error(reader, "\"%s\": \"%s\" is no kernel version",
				    key, text);
	return NULL;
}

static struct error *get_required_version(const struct reader *reader,
					  json_t *object, const char *key,
					  struct kernel_version *ret)
{
	struct error *err;
	bool present;

	err = get_version(reader, object, key, &present, ret);
	if (!err && !present)
		err = reader_error(reader, "\"%s\" must be a kernel version",
				   key);
	return err;
}

static struct error *get_range(const struct reader *reader, json_t *object,
			       struct version_range *ret)
{
	struct error *err;

	err = get_version(reader, object, "min", &ret->has_min, &ret->min);
	if (!err)
		err = get_version(reader, object, "below", &ret->has_below,
				  &ret->below);
	return err;
}

static struct error *get_section(const struct reader *reader, json_t *root,
				 const char *key, bool array, json_t **ret)
{
	json_t *value = json_object_get(root, key);

	if (array ? !json_is_array(value) : !json_is_object(value))
		return reader_error(reader, "\"%s\" must be %s", key,
				    array ? "a list" : "an object");
	*ret = value;
	return NULL;
}

/** A range in an object of its own. */
static struct error *get_range_object(const struct reader *reader, json_t *object,
				      const char *key, struct version_range *ret)
{
	json_t *value = json_object_get(object, key);

	if (!json_is_object(value))
		return reader_error(reader,
				    "\"%s\" must be a range of versions", key);
	return get_range(reader, value, ret);
}

/** As get_range_object(), or false for no version at all. */
static struct error *get_kdump(const struct reader *reader, json_t *object,
			       struct catalog_arch *ret)
{
	if (json_is_false(json_object_get(object, "kdump")))
		return NULL;
	ret->has_kdump = true;
	return get_range_object(reader, object, "kdump", &ret->kdump);
}

static struct error *read_machine(const struct reader *reader, json_t *object,
				  struct catalog_machine *ret)
{
	struct error *err;

	err = get_string(reader, object, "name", false, &ret->name);
	if (!err)
		err = get_string(reader, object, "machine", false, &ret->machine);
	if (!err)
		err = get_string(reader, object, "cpu", true, &ret->cpu);
	if (!err)
		err = get_string(reader, object, "kernel", false, &ret->kernel);
	if (!err)
		err = get_string(reader, object, "tcg_command_line", true,
				 &ret->tcg_command_line);
	if (!err)
		err = get_strings(reader, object, "arguments", &ret->arguments);
	if (!err)
		err = get_strings(reader, object, "needs", &ret->needs);
	return err;
}

static struct error *read_arch(const char *file, const char *name,
			       json_t *object, struct catalog_arch *ret)
{
	struct error *err;
	const struct reader reader = { file, name };
	json_t *machines = NULL;

	ret->name = name;
	if (strlen(name) >= ARCH_SIZE)
		return reader_error(&reader, "the name is too long");
	err = get_string(&reader, object, "kernel_arch", false,
			 &ret->kernel_arch);
	if (!err)
		err = get_string(&reader, object, "source_arch", false,
				 &ret->source_arch);
	if (!err)
		err = get_string(&reader, object, "cross_prefix", false,
				 &ret->cross_prefix);
	if (!err)
		err = get_string(&reader, object, "image_target", false,
				 &ret->image_target);
	if (!err)
		err = get_string(&reader, object, "image_path", false,
				 &ret->image_path);
	if (!err)
		err = get_flag(&reader, object, "enabled", true, &ret->enabled);
	if (!err)
		err = get_range(&reader, object, &ret->versions);
	if (!err)
		err = get_kdump(&reader, object, ret);
	if (!err)
		err = get_string(&reader, object, "crosstool_target", false,
				 &ret->crosstool_target);
	if (!err)
		err = get_string(&reader, object, "crosstool_host", true,
				 &ret->crosstool_host);
	if (!err)
		err = get_string(&reader, object, "debian_arch", false,
				 &ret->debian_arch);
	if (!err)
		err = get_string(&reader, object, "debian_suite", false,
				 &ret->debian_suite);
	if (!err)
		err = get_string(&reader, object, "qemu", false, &ret->qemu);
	if (!err)
		err = get_string(&reader, object, "console", false,
				 &ret->console);
	if (!err)
		err = get_string(&reader, object, "sysrq", true, &ret->sysrq);
	if (!err)
		err = get_string(&reader, object, "terminal", true,
				 &ret->terminal);
	if (!err && json_object_get(object, "command_line_bytes"))
		err = get_number(&reader, object, "command_line_bytes",
				 &ret->command_line_bytes);
	if (!err)
		err = get_strings(&reader, object, "host_names",
				  &ret->host_names);
	if (!err)
		err = get_section(&reader, object, "machines", true, &machines);
	if (err)
		return err;
	if (!ret->terminal)
		ret->terminal = "hvc0";
	if (json_array_size(machines) == 0)
		return reader_error(&reader, "\"machines\" is empty");
	ret->machines = memory_allocate(json_array_size(machines),
					sizeof(*ret->machines));
	for (size_t i = 0; i < json_array_size(machines); i++) {
		err = read_machine(&reader, json_array_get(machines, i),
				   &ret->machines[ret->machine_count++]);
		if (err)
			return err;
	}
	return NULL;
}

static struct error *read_archs(const char *file, json_t *root,
				struct catalog *ret)
{
	struct error *err;
	const struct reader reader = { file, "catalog" };
	json_t *section = NULL, *object;
	const char *name;

	err = get_section(&reader, root, "architectures", false, &section);
	if (err)
		return err;
	ret->archs = memory_allocate(json_object_size(section) + 1,
				     sizeof(*ret->archs));
	json_object_foreach(section, name, object)
	{
		err = read_arch(file, name, object,
				&ret->archs[ret->arch_count++]);
		if (err)
			return err;
	}
	return NULL;
}

static struct error *read_flavors(const char *file, json_t *root,
				  struct catalog *ret)
{
	struct error *err;
	const struct reader reader = { file, "flavors" };
	json_t *section = NULL, *object;
	const char *name;

	err = get_section(&reader, root, "flavors", false, &section);
	if (err)
		return err;
	ret->flavors = memory_allocate(json_object_size(section) + 1,
				       sizeof(*ret->flavors));
	json_object_foreach(section, name, object)
	{
		struct catalog_flavor *flavor =
			&ret->flavors[ret->flavor_count++];

		flavor->name = name;
		if (strlen(name) >= FLAVOR_SIZE)
			return reader_error(&reader,
					    "\"%s\" is too long a name", name);
		err = get_number(&reader, object, "minor", &flavor->minor);
		if (!err && json_object_get(object, "objects"))
			err = get_number(&reader, object, "objects",
					 &flavor->objects);
		if (!err)
			err = get_string(&reader, object, "summary", true,
					 &flavor->summary);
		if (err)
			return err;
	}
	return NULL;
}

static struct error *read_series(const char *file, json_t *root,
				 struct catalog *ret)
{
	struct error *err;
	const struct reader reader = { file, "series" };
	json_t *section = NULL, *object;
	size_t i;

	err = get_section(&reader, root, "series", true, &section);
	if (err)
		return err;
	ret->series = memory_allocate(json_array_size(section) + 1,
				      sizeof(*ret->series));
	json_array_foreach(section, i, object)
	{
		struct catalog_series *series = &ret->series[ret->series_count++];

		err = get_range(&reader, object, &series->range);
		if (!err)
			err = get_flag(&reader, object, "enabled", true,
				       &series->enabled);
		if (err)
			return err;
	}
	return NULL;
}

static struct error *read_compilers(const char *file, json_t *root,
				    struct catalog *ret)
{
	struct error *err;
	const struct reader reader = { file, "compilers" };
	json_t *section = NULL, *object;
	size_t i;

	err = get_section(&reader, root, "compilers", true, &section);
	if (err)
		return err;
	ret->compilers = memory_allocate(json_array_size(section) + 1,
					 sizeof(*ret->compilers));
	json_array_foreach(section, i, object)
	{
		struct catalog_compiler *compiler =
			&ret->compilers[ret->compiler_count++];
		struct kernel_version version;

		err = get_range(&reader, object, &compiler->kernels);
		if (!err)
			err = get_range_object(&reader, object, "gcc",
					       &compiler->gcc);
		if (!err)
			err = get_string(&reader, object, "crosstool", false,
					 &compiler->crosstool);
		if (!err)
			err = get_string(&reader, object, "reason", false,
					 &compiler->reason);
		if (!err && !kernel_version_parse(compiler->crosstool, &version))
			err = reader_error(&reader,
					   "\"crosstool\": \"%s\" is no version",
					   compiler->crosstool);
		if (err)
			return err;
	}
	return NULL;
}

/**
 * One of kernel.org's addresses; with a mirror, the address's path on it, so
 * that one server can stand for www, cdn and git.
 */
static struct error *get_url(const struct reader *reader, json_t *object,
			     const char *key, const char *mirror, char **ret)
{
	struct error *err;
	const char *url, *path;

	err = get_string(reader, object, key, false, &url);
	if (err)
		return err;
	// Set: there is no error.
	// NOLINTNEXTLINE(clang-analyzer-core.NonNullParamChecker)
	path = strstr(url, "://");
	path = path ? strchr(path + 3, '/') : NULL;
	if (!path)
		return reader_error(reader,
				    "\"%s\": \"%s\" is no URL with a path", key,
				    url);
	if (!mirror) {
		*ret = strdup(url);
	} else {
		size_t length = strlen(mirror);

		while (length && mirror[length - 1] == '/')
			length--;
		if (asprintf(ret, "%.*s%s", (int)length, mirror, path) < 0)
			*ret = NULL;
	}
	if (!*ret)
		memory_exhausted();
	return NULL;
}

static struct error *read_kernel_org(const char *file, json_t *root,
				     const char *mirror, struct catalog *ret)
{
	struct error *err;
	const struct reader reader = { file, "kernel_org" };
	json_t *section = NULL;

	err = get_section(&reader, root, "kernel_org", false, &section);
	if (!err)
		err = get_url(&reader, section, "releases", mirror,
			      &ret->kernel_org.releases_url);
	if (!err)
		err = get_url(&reader, section, "tarballs", mirror,
			      &ret->kernel_org.tarballs_url);
	if (!err)
		err = get_string(&reader, section, "tarballs", false,
				 &ret->kernel_org.published_tarballs_url);
	if (!err)
		err = get_url(&reader, section, "git", mirror,
			      &ret->kernel_org.git_url);
	if (!err)
		err = get_url(&reader, section, "rc", mirror,
			      &ret->kernel_org.rc_url);
	if (!err)
		err = get_url(&reader, section, "crosstool", mirror,
			      &ret->kernel_org.crosstool_url);
	return err;
}

static struct error *read_rootfs(const char *file, json_t *root,
				 struct catalog *ret)
{
	struct error *err;
	const struct reader reader = { file, "rootfs" };
	json_t *section = NULL;

	if (!json_object_get(root, "rootfs"))
		return NULL;
	err = get_section(&reader, root, "rootfs", false, &section);
	if (err)
		return err;
	return get_strings(&reader, section, "packages", &ret->rootfs.packages);
}

struct error *catalog_parse(const char *text, const char *name,
			    const char *kernel_org, struct catalog **ret)
{
	struct error *err;
	const struct reader reader = { name, "catalog" };
	_cleanup_catalog_ struct catalog *catalog = NULL;
	json_error_t json_error;

	catalog = memory_allocate(1, sizeof(*catalog));
	catalog->json = json_loads(text, JSON_REJECT_DUPLICATES, &json_error);
	if (!catalog->json)
		return error_create(ERROR_USAGE, "%s:%d: %s", name,
				    json_error.line, json_error.text);
	if (!json_is_object((json_t *)catalog->json))
		return reader_error(&reader, "the document must be an object");
	err = get_string(&reader, catalog->json, "repository", false,
			 &catalog->repository);
	if (!err)
		err = get_string(&reader, catalog->json, "tag", false,
				 &catalog->tag);
	if (!err)
		err = get_number(&reader, catalog->json, "revision",
				 &catalog->revision);
	if (!err)
		err = get_required_version(&reader, catalog->json, "verified",
					   &catalog->verified);
	if (!err)
		err = read_kernel_org(name, catalog->json, kernel_org, catalog);
	if (!err)
		err = read_series(name, catalog->json, catalog);
	if (!err)
		err = read_compilers(name, catalog->json, catalog);
	if (!err)
		err = read_flavors(name, catalog->json, catalog);
	if (!err)
		err = read_archs(name, catalog->json, catalog);
	if (!err)
		err = read_rootfs(name, catalog->json, catalog);
	if (err)
		return err;
	*ret = take_ptr(catalog);
	return NULL;
}
