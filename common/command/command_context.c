// SPDX-License-Identifier: LGPL-2.1-or-later

#include "common/command/command.h"

#include <errno.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/base/error.h"
#include "common/base/file.h"
#include "common/base/memory.h"
#include "common/kernel/catalog.h"
#include "common/kernel/release.h"
#include "common/store/store.h"

const char *command_variable(const char *name)
{
	const char *value = getenv(name);

	return value && *value ? value : NULL;
}

static struct error *open_catalog(struct command_context *context)
{
	struct error *err;

	if (context->catalog)
		return NULL;
	err = catalog_load(context->common->catalog,
			   command_variable("VMTEST_KERNEL_ORG"),
			   &context->catalog);
	if (err)
		return err;
	return catalog_resolve_names(context->catalog, &context->common->archs,
				     &context->common->flavors);
}

static struct error *open_directory(struct command_context *context)
{
	struct error *err;

	const char *path = context->common->directory;
	// Without one, after the XDG Base Directory Specification.
	const char *cache = command_variable("XDG_CACHE_HOME");
	const char *home = command_variable("HOME");
	if (context->directory)
		return NULL;
	if (path) {
		err = directory_create(path);
		if (err)
			return error_wrap(err, "--directory");
		context->directory = realpath(path, NULL);
		if (!context->directory)
			return error_create_os(errno, "--directory %s", path);
	} else if (cache && cache[0] == '/') {
		context->directory = path_join(cache, "vmtest");
	} else if (home) {
		context->directory = path_join(home, ".cache/vmtest");
	} else {
		return error_create(
			ERROR_USAGE,
			"neither HOME nor XDG_CACHE_HOME is set; choose a directory with --directory");
	}
	return NULL;
}

static struct error *open_store(struct command_context *context)
{
	const struct program *program = context->program;
	const char *given = context->common->store;
	const char *repository = program->repository ? program->repository()
						     : NULL;

	if (context->store)
		return NULL;
	if (!given)
		given = command_variable("VMTEST_STORE");
	_cleanup_free_ char *usual =
		string_format("github:%s@%s",
			      repository ? repository
					 : context->catalog->repository,
			      context->catalog->tag);
	return store_create(given ? given : usual, context->http,
			    &context->store);
}

struct error *command_open(struct command_context *context, unsigned int parts)
{
	struct error *err;

	if (parts & (COMMAND_CATALOG | COMMAND_STORE)) {
		err = open_catalog(context);
		if (err)
			return err;
	}
	if (parts & COMMAND_DIRECTORY) {
		err = open_directory(context);
		if (err)
			return err;
	}
	return parts & COMMAND_STORE ? open_store(context) : NULL;
}

struct release_selection command_selection(const struct command_context *context)
{
	return (struct release_selection){
		.kernels = &context->common->kernels,
		.archs = &context->common->archs,
		.flavors = &context->common->flavors,
	};
}

struct error *command_arch(const struct command_context *context,
			   const struct catalog_arch **ret)
{
	const struct string_list *archs = &context->common->archs;

	if (archs->count > 1)
		return error_create(ERROR_USAGE, "--arch: name one architecture");
	if (archs->count)
		return catalog_find_arch(context->catalog, archs->items[0], ret);
	return catalog_host_arch(context->catalog, ret);
}

void command_row_add(struct command_context *context, json_t *row)
{
	if (!context->rows)
		context->rows = json_array();
	if (json_array_append_new(context->rows, row))
		memory_exhausted();
}

void command_row(struct command_context *context, json_t *row,
		 const char *format, ...)
{
	va_list ap;

	if (context->common->json) {
		command_row_add(context, row);
		return;
	}
	json_decref(row);
	va_start(ap, format);
	vprintf(format, ap);
	va_end(ap);
	putchar('\n');
}

struct error *command_rows_print(struct command_context *context)
{
	if (!context->common->json)
		return NULL;
	json_t *rows = context->rows ? take_ptr(context->rows) : json_array();
	return command_print_json(rows);
}

struct error *command_print_json(json_t *json)
{
	if (!json)
		memory_exhausted();
	int result = json_dumpf(json, stdout,
				JSON_INDENT(2) | JSON_REAL_PRECISION(4));
	json_decref(json);
	if (result < 0 || putchar('\n') == EOF)
		return error_create_os(errno, "write JSON");
	return NULL;
}
