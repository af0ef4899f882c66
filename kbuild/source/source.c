// SPDX-License-Identifier: LGPL-2.1-or-later

#include "kbuild/source/source.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/archive/unpack.h"
#include "common/base/directory.h"
#include "common/base/error.h"
#include "common/base/file.h"
#include "common/base/log.h"
#include "common/base/memory.h"
#include "common/cache/cache.h"
#include "common/cli/progress.h"
#include "common/kernel/catalog.h"
#include "common/kernel/git_refs.h"
#include "common/kernel/remote.h"
#include "common/kernel/tarball.h"
#include "kbuild/config/bounds.h"
#include "kbuild/phase.h"
#include "kbuild/source/kernel_org.h"
#include "kbuild/source/patch.h"
#include "kbuild/source/source_facts.h"
#include "kbuild/source/source_version.h"

enum {
	/** Digits of a digest that tell folders of the cache apart. */
	KEY_DIGITS = 16,
};

/** What a folder in the cache is the contents of. */
struct origin {
	/** Its name there, without the patches' digest. */
	char *name;
	char *url;
	char digest[DIGEST_TEXT_SIZE];
};

static void origin_deinit(struct origin *origin)
{
	free(origin->name);
	free(origin->url);
}

void source_deinit(struct source *source)
{
	free(source->path);
	free(source->url);
	string_list_deinit(&source->patches);
	cache_release(source->entry);
	*source = (struct source){ 0 };
}

_printf_(2, 3) static struct error *format(char **ret, const char *text, ...)
{
	char *formatted;
	va_list ap;
	int size;

	va_start(ap, text);
	size = vasprintf(&formatted, text, ap);
	va_end(ap);
	if (size < 0)
		memory_exhausted();
	*ret = formatted;
	return NULL;
}

static struct error *version_identify(const struct source_request *request,
				      struct origin *origin)
{
	struct error *err;
	const struct kernel_version *version = &request->spec->version;
	char text[KERNEL_VERSION_TEXT_SIZE];

	kernel_version_format(version, text);
	err = format(&origin->name, "linux-%s", text);
	if (!err)
		err = kernel_org_url(request->catalog, version, &origin->url);
	if (!err && request->spec->path)
		err = digest_file(request->spec->path, origin->digest, NULL);
	// The next that is made need not have the same.
	if (kernel_version_is_rc(version))
		origin->digest[0] = '\0';
	return err;
}

/** Where others find it: kernel.org, though a mirror was asked. */
static struct error *origin_published_url(const struct source_request *request,
					  struct origin *origin, char **ret)
{
	const char *base = request->catalog->kernel_org.tarballs_url;
	size_t length = strlen(base);

	if (!origin->url || strncmp(origin->url, base, length) != 0) {
		*ret = take_ptr(origin->url);
		return NULL;
	}
	return format(ret, "%s%s",
		      request->catalog->kernel_org.published_tarballs_url,
		      origin->url + length);
}

static const struct unpack_options unpack_options = { .strip_components = 1 };

static struct error *version_fill(const struct source_request *request,
				  struct origin *origin, const char *directory)
{
	const struct tarball_request get = {
		.http = request->http,
		.url = origin->url,
		.directory = directory,
		.strip_components = 1,
		// Made on the fly, those of release candidates have no digest.
		.is_unsigned = kernel_version_is_rc(&request->spec->version),
	};

	if (request->spec->path)
		return unpack_file(request->spec->path, directory,
				   &unpack_options);
	return tarball_fetch(&get, origin->digest);
}

static struct error *tarball_identify(const struct source_request *request,
				      struct origin *origin)
{
	struct error *err;
	const char *path = request->spec->path;
	const char *slash = strrchr(path, '/');

	err = digest_file(path, origin->digest, NULL);
	if (!err)
		err = format(&origin->name, "tarball-%.*s", KEY_DIGITS,
			     origin->digest);
	if (!err)
		err = format(&origin->url, "%s", slash ? slash + 1 : path);
	return err;
}

static struct error *tarball_fill(const struct source_request *request,
				  struct origin *origin, const char *directory)
{
	(void)origin;
	return unpack_file(request->spec->path, directory, &unpack_options);
}

/**
 * Where the user of a URL ends, who may come with a password: neither belongs
 * in a package.
 */
static const char *url_after_user(const char *url, size_t *scheme_length_ret)
{
	const char *host = strstr(url, "://");
	size_t length;

	*scheme_length_ret = 0;
	if (!host)
		return url;
	host += 3;
	*scheme_length_ret = host - url;
	length = strcspn(host, "/");
	for (size_t i = length; i > 0; i--) {
		if (host[i - 1] == '@')
			return host + i;
	}
	return host;
}

static struct error *git_identify(const struct source_request *request,
				  struct origin *origin)
{
	struct error *err;
	const struct source_spec *spec = request->spec;
	char commit[REF_COMMIT_SIZE];
	size_t scheme_length;
	const char *address = url_after_user(spec->url, &scheme_length);

	err = remote_resolve(request->http, spec->url, spec->ref, commit);
	if (!err)
		err = format(&origin->name, "git-%s", commit);
	if (!err)
		err = format(&origin->url, "git+%.*s%s@%s", (int)scheme_length,
			     spec->url, address, commit);
	return err;
}

static struct error *git_fill(const struct source_request *request,
			      struct origin *origin, const char *directory)
{
	struct error *err;
	const struct source_spec *spec = request->spec;
	char commit[REF_COMMIT_SIZE];

	err = remote_fetch(request->http, spec->url, spec->ref, directory, 0,
			   commit);
	if (err)
		return err;
	if (strcmp(origin->url + strlen(origin->url) - strlen(commit), commit) !=
	    0)
		return error_create(ERROR_RETRY,
				    "%s of %s has moved meanwhile: try again",
				    spec->ref, spec->url);
	return NULL;
}

static const struct {
	/** Say what it is, without getting it. */
	struct error *(*identify)(const struct source_request *request,
				  struct origin *origin);
	/** Write its files into an empty folder. */
	struct error *(*fill)(const struct source_request *request,
			      struct origin *origin, const char *directory);
} kinds[] = {
	[SOURCE_TARBALL] = { tarball_identify, tarball_fill },
	[SOURCE_VERSION] = { version_identify, version_fill },
	[SOURCE_GIT] = { git_identify, git_fill },
};

static struct error *patches_load(const struct source_request *request,
				  const struct kernel_version *version,
				  struct patch_list *ret)
{
	struct error *err;
	_cleanup_free_ char *directory = NULL;
	const struct bounds_target target = {
		.catalog = request->catalog,
		.arch = request->arch,
		.version = version,
	};

	directory = path_join(request->catalog->directory, "patches");
	err = patch_list_load(directory, &target, ret);
	return err;
}

/** The name in the cache of an origin with the patches that it may get. */
static struct error *key_make(const struct source_request *request,
			      const struct origin *origin, char **ret)
{
	struct error *err;
	_cleanup_patch_list_ struct patch_list patches = { 0 };
	char digest[DIGEST_TEXT_SIZE];

	// Only a version says beforehand which patches are for it; of other
	// sources it is known once they are unpacked, so any patch counts.
	err = patches_load(request,
			   request->spec->kind == SOURCE_VERSION
				   ? &request->spec->version
				   : NULL,
			   &patches);
	if (err)
		return err;
	patch_list_digest(&patches, digest);
	return format(ret, "%s%s%.*s", origin->name, digest[0] ? "-" : "",
		      KEY_DIGITS, digest);
}

static char *facts_path(const char *directory)
{
	return string_format("%s/.vmtest-source.json", directory);
}

static struct error *version_check(const struct source_request *request,
				   const struct origin *origin,
				   const struct kernel_version *version)
{
	char wanted[KERNEL_VERSION_TEXT_SIZE], found[KERNEL_VERSION_TEXT_SIZE];

	if (request->spec->kind != SOURCE_VERSION ||
	    kernel_version_compare(version, &request->spec->version) == 0)
		return NULL;
	kernel_version_format(&request->spec->version, wanted);
	kernel_version_format(version, found);
	return error_create(ERROR_OTHER, "%s holds Linux %s instead of %s",
			    request->spec->path ? request->spec->path
						: origin->url,
			    found, wanted);
}

/** Write the files of an origin to a folder, and patch them. */
static struct error *source_fill(const struct source_request *request,
				 struct origin *origin, const char *directory,
				 struct source *source)
{
	struct error *err;
	_cleanup_patch_list_ struct patch_list patches = { 0 };

	err = kinds[request->spec->kind].fill(request, origin, directory);
	if (err)
		return err;
	err = source_version_read(directory, &source->version);
	if (!err)
		err = version_check(request, origin, &source->version);
	if (err)
		return err;
	phase_clock_enter(request->clock, PHASE_PATCH);
	err = patches_load(request, &source->version, &patches);
	if (!err)
		err = patch_list_apply(&patches, directory, &source->patches);
	if (err)
		return err;
	memcpy(source->digest, origin->digest, sizeof(source->digest));
	return origin_published_url(request, origin, &source->url);
}

/** Say of what, and where: the folder of the failure was a temporary one. */
static struct error *wrap_failure(struct error *err,
				  const struct source_request *request,
				  const struct origin *origin, const char *parent)
{
	bool is_version = request->spec->kind == SOURCE_VERSION;
	bool is_asked = is_version && !request->spec->path;
	_cleanup_error_ struct error *missing = NULL;

	if (is_asked && error_is(err, ERROR_NOT_FOUND)) {
		missing = err;
		err = error_create(ERROR_NOT_FOUND,
				   "%s; does kernel.org have it?",
				   error_message(missing));
	}
	return error_wrap(err, "prepare %s in %s",
			  is_version ? origin->name : origin->url, parent);
}

/** One that is to be in the cache. */
struct making {
	const struct source_request *request;
	struct origin origin;
	/** The cache's folder of sources. */
	char *parent;
};

static void making_deinit(struct making *making)
{
	origin_deinit(&making->origin);
	free(making->parent);
}

/** Whether it is what it says, and of the same tarball. */
static struct error *making_check(void *arg, const char *path, bool *good_ret)
{
	struct error *err;
	const struct making *making = arg;
	_cleanup_source_ struct source facts = { 0 };

	_cleanup_free_ char *file = facts_path(path);
	err = source_facts_read(file, &facts);
	if (!err && *making->origin.digest &&
	    strcmp(facts.digest, making->origin.digest) != 0)
		err = error_create(ERROR_OTHER, "of another tarball");
	*good_ret = !err;
	if (err)
		log_debug("make %s again: %s", path, error_message(err));
	error_destroy(err);
	return NULL;
}

static struct error *making_make(void *arg, const char *path)
{
	struct error *err;
	struct making *making = arg;
	const struct source_request *request = making->request;
	_cleanup_source_ struct source source = { 0 };
	_cleanup_progress_ struct progress *progress =
		progress_createf(PROGRESS_TIME, "prepare %s",
				 request->spec->kind == SOURCE_VERSION
					 ? making->origin.name
					 : making->origin.url);

	err = directory_remove_stale(making->parent, "patch");
	if (!err)
		err = directory_remove_stale(making->parent, "fetch");
	if (!err)
		err = source_fill(request, &making->origin, path, &source);
	if (err)
		return err;
	_cleanup_free_ char *file = facts_path(path);
	return source_facts_write(&source, file);
}

/** Find the source in the cache, or make it there. */
static struct error *cached_prepare(const struct source_request *request,
				    struct source *source)
{
	struct error *err;
	_cleanup_(making_deinit) struct making making = { .request = request };
	_cleanup_free_ char *key = NULL;
	_cleanup_free_ char *parent =
		string_format("%s/sources", request->cache_directory);
	const struct cache_recipe recipe = {
		.check = making_check,
		.make = making_make,
		.arg = &making,
	};

	err = kinds[request->spec->kind].identify(request, &making.origin);
	if (err)
		return err;
	phase_clock_enter(request->clock, PHASE_PATCH);
	err = key_make(request, &making.origin, &key);
	if (err)
		return err;
	phase_clock_enter(request->clock, PHASE_SOURCE);
	err = directory_create(parent);
	if (err)
		return err;
	making.parent = realpath(parent, NULL);
	if (!making.parent)
		return error_create_os(errno, "open folder %s", parent);
	source->path = string_format("%s/%s", making.parent, key);
	err = cache_get(source->path, &recipe, &source->entry);
	if (err)
		return wrap_failure(err, request, &making.origin, making.parent);
	_cleanup_free_ char *file = facts_path(source->path);
	_cleanup_source_ struct source facts = { 0 };
	err = source_facts_read(file, &facts);
	if (err)
		return err;
	facts.path = take(source->path);
	facts.entry = take(source->entry);
	*source = take(facts);
	return NULL;
}

static struct error *folder_prepare(const char *path, struct source *source)
{
	source->path = realpath(path, NULL);
	if (!source->path)
		return errno == ENOENT
			       ? error_create(ERROR_USAGE, "%s: no such folder",
					      path)
			       : error_create_os(errno, "open folder %s", path);
	if (!directory_exists(source->path))
		return error_create(ERROR_USAGE,
				    "%s is not a folder; --tarball takes a file",
				    path);
	return error_wrap(source_version_read(source->path, &source->version),
			  "%s", source->path);
}

struct error *source_prepare(const struct source_request *request,
			     struct source *ret)
{
	struct error *err;
	_cleanup_source_ struct source source = { 0 };

	phase_clock_enter(request->clock, PHASE_SOURCE);
	if (request->spec->kind == SOURCE_FOLDER)
		err = folder_prepare(request->spec->path, &source);
	else
		err = cached_prepare(request, &source);
	if (err)
		return err;
	*ret = source;
	source = (struct source){ 0 };
	return NULL;
}
