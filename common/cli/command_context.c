// SPDX-License-Identifier: LGPL-2.1-or-later

#include "common/cli/command.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/directory.h"
#include "common/base/error.h"
#include "common/base/file.h"
#include "common/base/memory.h"
#include "common/http/http.h"
#include "common/http/limits.h"
#include "common/kernel/catalog.h"
#include "common/kernel/release.h"
#include "common/store/store.h"

static const char *get_variable(const char *name)
{
	const char *value = getenv(name);

	return value && *value ? value : NULL;
}

struct error *command_load_catalog(const struct command_context *context,
				   struct catalog **ret)
{
	struct error *err;
	_cleanup_catalog_ struct catalog *catalog = NULL;

	err = catalog_load(context->common->catalog,
			   get_variable("VMTEST_KERNEL_ORG"), &catalog);
	if (!err)
		err = catalog_resolve_names(catalog, &context->common->archs,
					    &context->common->flavors);
	if (err)
		return err;
	*ret = take_ptr(catalog);
	return NULL;
}

void command_selection(const struct command_context *context,
		       struct release_selection *ret)
{
	*ret = (struct release_selection){
		.kernels = &context->common->kernels,
		.archs = &context->common->archs,
		.flavors = &context->common->flavors,
	};
}

/** `$XDG_CACHE_HOME/vmtest`, after the XDG Base Directory Specification. */
static struct error *cache_directory(char **ret)
{
	const char *cache = get_variable("XDG_CACHE_HOME");
	const char *home = get_variable("HOME");

	if (cache && cache[0] == '/') {
		*ret = path_join(cache, "vmtest");
		return NULL;
	}
	if (!home)
		return error_create(
			ERROR_USAGE,
			"neither HOME nor XDG_CACHE_HOME is set; choose a folder with --directory");
	*ret = path_join(home, ".cache/vmtest");
	return NULL;
}

struct error *command_directory(const struct command_context *context, char **ret)
{
	struct error *err;
	_cleanup_free_ char *path = NULL;

	if (!context->common->directory)
		return cache_directory(ret);
	err = directory_create(context->common->directory);
	if (err)
		return error_wrap(err, "--directory");
	path = realpath(context->common->directory, NULL);
	if (!path)
		return error_create_os(errno, "--directory %s",
				       context->common->directory);
	*ret = take_ptr(path);
	return NULL;
}

struct error *command_http(struct http **ret)
{
	struct error *err;
	struct http_options options = { .user_agent = "vmtest/" VMTEST_VERSION };
	struct limits limits;

	err = limits_read(&limits);
	if (err)
		return err;
	// To the client, 0 is its default.
	options.retry_limit_ms = limits.retry_ms ? limits.retry_ms : 1;
	options.stall_limit_ms = limits.stall_ms;
	return http_create(&options, ret);
}

struct error *command_store(const struct command_context *context,
			    const struct catalog *catalog, const char *repository,
			    struct http *http, struct store **ret)
{
	_cleanup_free_ char *name = NULL;
	const char *given = context->common->store;

	if (!given)
		given = get_variable("VMTEST_STORE");
	if (given)
		return store_create(given, http, ret);
	name = string_format("github:%s@%s", repository, catalog->tag);
	return store_create(name, http, ret);
}
