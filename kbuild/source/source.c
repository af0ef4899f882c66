// SPDX-License-Identifier: LGPL-2.1-or-later

#include "kbuild/source/source.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/archive/archive.h"
#include "common/base/error.h"
#include "common/base/file.h"
#include "common/base/log.h"
#include "common/base/memory.h"
#include "common/base/progress.h"
#include "common/base/text.h"
#include "common/cache/cache.h"
#include "common/kernel/catalog.h"
#include "common/kernel/remote.h"
#include "kbuild/config/config.h"
#include "kbuild/phase.h"

enum {
	/** Digits of a digest that tell directories of the cache apart. */
	KEY_DIGITS = 16,
	/**
	 * Of a git server: one commit of the kernel has a tenth of it, its
	 * history ten times as many.
	 */
	GIT_OBJECTS_MAX = 1000000,
};

void source_deinit(struct source *source)
{
	free(source->path);
	free(source->url);
	free(source->signature);
	string_list_deinit(&source->patches);
	cache_release(source->entry);
	*source = (struct source){ 0 };
}

/** One that is to be in the cache. */
struct source_making {
	const struct source_request *request;
	/** The cache's directory of sources. */
	char *parent;
	/** Its name there, without the patches' digest. */
	char *name;
	/** What is known of it so far. */
	struct source source;
	/** Of a git repository. */
	struct ref ref;
};

static void source_making_deinit(struct source_making *making)
{
	free(making->parent);
	free(making->name);
	source_deinit(&making->source);
	free(making->ref.name);
}

/** Say what a git repository's is, without getting it. */
static struct error *identify_git(struct source_making *making)
{
	struct error *err;

	const char *url = making->request->url;
	err = remote_resolve(making->request->http, url, making->request->ref,
			     &making->ref);
	if (err)
		return err;
	making->name = string_format("git-%s", making->ref.commit);
	// No user, who may come with a password, belongs in a package.
	_cleanup_free_ char *shown = text_hide_credentials(string_copy(url));
	making->source.url =
		string_format("git+%s@%s", shown, making->ref.commit);
	return NULL;
}

/** Say what it is, without getting it. */
static struct error *identify(struct source_making *making)
{
	struct error *err;

	const struct source_request *request = making->request;
	struct source *source = &making->source;
	source->signature = string_copy(SOURCE_UNSIGNED);
	if (request->kind == SOURCE_GIT)
		return identify_git(making);
	if (request->path) {
		err = digest_file(request->path, source->digest, NULL);
		if (err)
			return err;
	}
	if (request->kind == SOURCE_TARBALL) {
		making->name = string_format("tarball-%.*s", KEY_DIGITS,
					     source->digest);
		source->url = string_copy(path_name(request->path));
		return NULL;
	}
	char text[KERNEL_VERSION_TEXT_SIZE];
	kernel_version_format(&request->version, text);
	making->name = string_format("linux-%s", text);
	source->url = kernel_org_url(request->catalog, &request->version, true);
	// The next that is made on the fly need not have the same.
	if (kernel_version_is_rc(&request->version))
		source->digest[0] = '\0';
	return NULL;
}

/** A version of kernel.org, until its files are proven. */
struct proving {
	struct source_making *making;
	const char *directory;
	struct string_builder proof;
};

/** Unpack what a stream brings, in place of what another one has brought. */
static struct error *prove(void *arg, struct stream *stream)
{
	struct error *err;

	struct proving *proving = arg;
	const struct source_request *request = proving->making->request;
	struct source *source = &proving->making->source;
	err = directory_clear(proving->directory);
	if (err)
		return err;
	free(take_ptr(source->signature));
	err = proof_unpack(&proving->proof, request->catalog, &request->version,
			   stream, proving->directory, &source->signature);
	// The next that is made on the fly need not have the same.
	if (!err && !kernel_version_is_rc(&request->version))
		memcpy(source->digest, stream->actual, DIGEST_TEXT_SIZE);
	return err;
}

static struct error *prove_download(struct proving *proving)
{
	struct error *err;

	const struct source_request *request = proving->making->request;
	err = proof_request(request->catalog, request->http, &request->version,
			    &proving->proof);
	if (err)
		return err;
	return kernel_org_download(request->catalog, request->http,
				   &request->version, prove, proving);
}

static struct error *prove_copy(struct proving *proving)
{
	struct error *err;

	const struct source_request *request = proving->making->request;
	err = proof_read(request->path, &proving->proof);
	if (error_catch(&err, ERROR_NOT_FOUND))
		err = proof_request(request->catalog, request->http,
				    &request->version, &proving->proof);
	if (err)
		return err;
	_cleanup_progress_ struct progress *progress =
		progress_createf(PROGRESS_BYTES, "unpack %s",
				 path_name(request->path));
	_cleanup_stream_ struct stream *stream = NULL;
	err = stream_open_file(request->path, &stream);
	if (err)
		return err;
	stream->progress = progress;
	return prove(proving, stream);
}

/** Write its files into an empty directory. */
static struct error *fill(struct source_making *making, const char *directory)
{
	struct error *err;

	const struct source_request *request = making->request;
	if (request->kind == SOURCE_GIT)
		return remote_fetch(request->http, request->url, &making->ref,
				    directory, GIT_OBJECTS_MAX);
	const struct unpack_options options = { .strip_components = 1 };
	if (request->kind == SOURCE_TARBALL)
		return unpack_file(request->path, directory, &options);
	struct proving proving = { making, directory, { 0 } };
	err = request->path ? prove_copy(&proving) : prove_download(&proving);
	string_builder_deinit(&proving.proof);
	return error_is(err, ERROR_OTHER)
		       ? error_wrap(err, "not proven to be kernel.org's")
		       : kernel_org_missing(err);
}

static struct error *version_check(const struct source_request *request,
				   const struct kernel_version *version)
{
	if (request->kind != SOURCE_VERSION ||
	    kernel_version_compare(version, &request->version) == 0)
		return NULL;
	char wanted[KERNEL_VERSION_TEXT_SIZE], found[KERNEL_VERSION_TEXT_SIZE];
	kernel_version_format(&request->version, wanted);
	kernel_version_format(version, found);
	_cleanup_free_ char *url =
		kernel_org_url(request->catalog, &request->version, false);
	return error_create(ERROR_OTHER, "%s holds Linux %s instead of %s",
			    request->path ? request->path : url, found, wanted);
}

/** What messages call it. */
static const char *making_title(const struct source_making *making)
{
	return making->request->kind == SOURCE_VERSION ? making->name
						       : making->source.url;
}

/** Say of what, and where: the directory of the failure was a temporary one. */
static struct error *wrap_failure(struct error *err,
				  const struct source_making *making)
{
	return error_wrap(err, "prepare %s in %s", making_title(making),
			  making->parent);
}

/** Whether it is what it says, and of the same tarball. */
static struct error *making_check(void *arg, const char *path, bool *good_ret)
{
	const struct source_making *making = arg;
	_cleanup_source_ struct source facts = { 0 };
	_cleanup_error_ struct error *err = source_facts_read(path, &facts);

	if (!err && *making->source.digest &&
	    strcmp(facts.digest, making->source.digest) != 0)
		err = error_create(ERROR_OTHER, "of another tarball");
	if (err)
		log_debug("make %s again: %s", path, error_message(err));
	*good_ret = !err;
	return NULL;
}

/** Write the files, and patch them. */
static struct error *making_make(void *arg, const char *path)
{
	struct error *err;

	struct source_making *making = arg;
	const struct source_request *request = making->request;
	struct source *source = &making->source;
	_cleanup_progress_ struct progress *progress =
		progress_createf(PROGRESS_TIME, "prepare %s",
				 making_title(making));
	// What remote_fetch() leaves where it is killed.
	err = directory_remove_stale(making->parent, "fetch");
	if (err)
		return err;
	err = fill(making, path);
	if (err)
		return err;
	err = source_version_read(path, &source->version);
	if (err)
		return err;
	err = version_check(request, &source->version);
	if (err)
		return err;
	phase_clock_enter(request->clock, PHASE_PATCH);
	const struct bounds_target target = { request->catalog, request->arch,
					      &source->version };
	_cleanup_string_list_ struct string_list patches = { 0 };
	char digest[DIGEST_TEXT_SIZE];
	err = patches_find(&target, &patches, digest);
	if (err)
		return err;
	// What was made may have been gone again before it could be held.
	string_list_deinit(&source->patches);
	err = patches_apply(&patches, path, &source->patches);
	if (err)
		return err;
	return source_facts_write(source, path);
}

/** Find the source in the cache, or make it there. */
static struct error *cached_prepare(const struct source_request *request,
				    struct source *source)
{
	struct error *err;

	_cleanup_free_ char *parent =
		path_join(request->cache_directory, "sources");
	err = directory_create(parent);
	if (err)
		return err;
	_cleanup_(source_making_deinit) struct source_making making = {
		.request = request,
		.parent = realpath(parent, NULL),
	};
	if (!making.parent)
		return error_create_os(errno, "open directory %s", parent);
	err = identify(&making);
	if (err)
		return err;
	phase_clock_enter(request->clock, PHASE_PATCH);
	// Only a version says beforehand which patches are for it; of other
	// sources it is known once they are unpacked, so any patch counts.
	const struct bounds_target target = {
		.catalog = request->catalog,
		.arch = request->arch,
		.version = request->kind == SOURCE_VERSION ? &request->version
							   : NULL,
	};
	_cleanup_string_list_ struct string_list patches = { 0 };
	char digest[DIGEST_TEXT_SIZE];
	err = patches_find(&target, &patches, digest);
	if (err)
		return err;
	_cleanup_free_ char *path =
		string_format("%s/%s%s%.*s", making.parent, making.name,
			      *digest ? "-" : "", KEY_DIGITS, digest);
	phase_clock_enter(request->clock, PHASE_SOURCE);
	const struct cache_recipe recipe = {
		.check = making_check,
		.make = making_make,
		.arg = &making,
	};
	_cleanup_cache_entry_ struct cache_entry *entry = NULL;
	err = cache_get(path, &recipe, &entry);
	if (err)
		return wrap_failure(err, &making);
	err = source_facts_read(path, source);
	if (err)
		return err;
	source->path = take_ptr(path);
	source->entry = take_ptr(entry);
	return NULL;
}

char *source_find_built(const char *directory, const struct catalog_arch *arch)
{
	// As the Makefile of the kernel's source looks for them.
	_cleanup_free_ char *generated =
		string_format("arch/%s/include/generated", arch->source_arch);
	const char *const names[] = { ".config", "include/config", generated };

	for (size_t i = 0; i < array_size(names); i++) {
		_cleanup_free_ char *path = path_join(directory, names[i]);

		if (file_exists(path) || directory_exists(path))
			return string_copy(names[i]);
	}
	return NULL;
}

static struct error *directory_prepare(const char *path, struct source *source)
{
	source->signature = string_copy(SOURCE_UNSIGNED);
	source->path = realpath(path, NULL);
	if (!source->path && errno == ENOENT)
		return error_create(ERROR_USAGE, "%s: no such directory", path);
	if (!source->path)
		return error_create_os(errno, "open directory %s", path);
	if (!directory_exists(source->path))
		return error_create(ERROR_USAGE,
				    "%s is not a directory; --tarball takes a file",
				    path);
	return error_wrap(source_version_read(source->path, &source->version),
			  "%s", source->path);
}

struct error *source_prepare(const struct source_request *request,
			     struct source *ret)
{
	struct error *err;

	phase_clock_enter(request->clock, PHASE_SOURCE);
	_cleanup_source_ struct source source = { 0 };
	if (request->kind == SOURCE_DIRECTORY)
		err = directory_prepare(request->path, &source);
	else
		err = cached_prepare(request, &source);
	if (err)
		return err;
	*ret = take(source);
	return NULL;
}
