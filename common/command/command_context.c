// SPDX-License-Identifier: LGPL-2.1-or-later

#include "common/command/command.h"

#include <errno.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/base/error.h"
#include "common/base/file.h"
#include "common/base/log.h"
#include "common/base/memory.h"
#include "common/cache/cache.h"
#include "common/http/http.h"
#include "common/kernel/catalog.h"
#include "common/kernel/release.h"
#include "common/store/store.h"

const char *command_variable(const char *name)
{
	const char *value = getenv(name);

	return value && *value ? value : NULL;
}

char *command_home(const char *name, const char *usual)
{
	const char *given = command_variable(name);
	const char *home = command_variable("HOME");

	if (given && given[0] == '/')
		return path_join(given, "vmtest");
	return home && home[0] == '/' ? path_joinf(home, "%s/vmtest", usual)
				      : NULL;
}

const char *command_temporary(const char *usual)
{
	const char *given = command_variable("TMPDIR");

	if (!given || (given[0] == '/' && directory_exists(given)))
		return given ? given : usual;
	log_warning("TMPDIR=%s is no absolute path of a directory: %s is used",
		    given, usual);
	return usual;
}

static struct error *open_catalog(struct command_context *context)
{
	struct error *err;

	if (context->catalog)
		return NULL;
	const char *kernel_org = command_variable("VMTEST_KERNEL_ORG");
	if (kernel_org && !http_is_url(kernel_org))
		return error_create(ERROR_USAGE,
				    "VMTEST_KERNEL_ORG: '%s' is not an http or https URL; unset it for kernel.org",
				    kernel_org);
	const char *path = context->common->catalog;
	const char *usual = path ? NULL : command_variable("VMTEST_CATALOG");
	err = catalog_load(usual ? usual : path, kernel_org, &context->catalog);
	if (usual)
		err = error_wrap(err, "VMTEST_CATALOG");
	if (err)
		return err;
	context->catalog->gcc.trusts_list = context->common->allow_unverified;
	struct string_list none = { 0 };
	err = catalog_resolve_names(context->catalog, &context->common->archs,
				    &none);
	if (err)
		return command_line_wrap(&context->line, "arch", err);
	return catalog_resolve_names(context->catalog, &none,
				     &context->common->flavors);
}

static struct error *open_directory(struct command_context *context)
{
	struct error *err;

	const char *path = context->common->directory;
	if (context->directory)
		return NULL;
	_cleanup_free_ char *directory = NULL;
	if (path) {
		err = directory_create(path);
		if (err)
			return error_wrap(err, "--directory");
		directory = realpath(path, NULL);
		if (!directory)
			return error_create_os(errno, "--directory %s", path);
	} else {
		directory = command_home("XDG_CACHE_HOME", ".cache");
		if (!directory)
			return error_create(
				ERROR_USAGE,
				"neither HOME nor XDG_CACHE_HOME is an absolute path; choose a directory with --directory");
		// Where that fails, so does who needs it.
		error_destroy(directory_create_private(directory));
	}
	err = cache_check(directory, geteuid());
	if (!err)
		context->directory = take_ptr(directory);
	return err;
}

static struct error *open_store(struct command_context *context)
{
	struct error *err;
	const struct program *program = context->program;
	const char *given = context->common->store;
	const char *variable = given ? NULL : command_variable("VMTEST_STORE");
	const char *repository = program->repository ? program->repository()
						     : NULL;

	if (context->store)
		return NULL;
	if (!given)
		given = variable;
	_cleanup_free_ char *usual =
		string_format("github:%s@%s",
			      repository ? repository
					 : context->catalog->repository,
			      context->catalog->tag);
	err = store_create(given ? given : usual, context->http, &context->store);
	return variable ? error_wrap(err, "VMTEST_STORE") : err;
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
		return command_line_wrap(
			&context->line, "arch",
			error_create(ERROR_USAGE,
				     "--arch: name one architecture"));
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
