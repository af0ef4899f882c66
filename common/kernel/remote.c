// SPDX-License-Identifier: LGPL-2.1-or-later

#include "common/kernel/remote.h"

#include <ctype.h>
#include <git2.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "common/base/error.h"
#include "common/base/file.h"
#include "common/base/interrupt.h"
#include "common/base/memory.h"
#include "common/base/progress.h"
#include "common/http/http.h"

#define SINCE_1_7                                                              \
	(LIBGIT2_VER_MAJOR > 1 ||                                              \
	 (LIBGIT2_VER_MAJOR == 1 && LIBGIT2_VER_MINOR >= 7))

DEFINE_CLEANUP(remote, git_remote *, git_remote_free)
DEFINE_CLEANUP(repository, git_repository *, git_repository_free)
DEFINE_CLEANUP(object, git_object *, git_object_free)

/**
 * An error of what libgit2 returned, a negative code, and of its last message.
 * ERROR_CANCELLED if a signal of interrupt.h has arrived, ERROR_NOT_FOUND for
 * GIT_ENOTFOUND, ERROR_RETRY for a fault of the network.
 */
_must_check_ _printf_(2, 3) static struct error *libgit_error(int code,
							      const char *format,
							      ...)
{
	struct error *err;
	const git_error *last = git_error_last();
	va_list ap;

	if (last && last->klass == GIT_ERROR_NOMEMORY)
		memory_exhausted();
	// A server's messages pass through libgit2; ours are one line.
	_cleanup_free_ char *reason =
		string_copy(last && last->message ? last->message
						  : "libgit2 gives no reason");
	reason[strcspn(reason, "\r\n")] = '\0';
	va_start(ap, format);
	_cleanup_free_ char *context = string_vformat(format, ap);
	va_end(ap);

	err = interrupt_check();
	if (err)
		return error_wrap(err, "%s", context);
	enum error_kind kind = ERROR_OTHER;
	if (code == GIT_ENOTFOUND)
		kind = ERROR_NOT_FOUND;
	else if (last &&
		 (last->klass == GIT_ERROR_NET || last->klass == GIT_ERROR_HTTP))
		kind = ERROR_RETRY;
	return error_create(kind, "%s: %s", context, reason);
}

static void cleanup_signals(const bool *is_open)
{
	if (*is_open)
		interrupt_catch();
}

#define _cleanup_signals_ _cleanup_(cleanup_signals)

/**
 * Before anything else of libgit2, and cheap when it has been called. A signal
 * that is caught does not end its waits, so from here one ends the program. The
 * next run removes what it left.
 *
 * @param[out] is_open_ret Of _cleanup_signals_, which catches signals again.
 */
static struct error *libgit_start(const struct http *http, bool *is_open_ret)
{
	struct error *err;

	int code = git_libgit2_init();
	if (code < 0)
		return libgit_error(code, "start libgit2");
	err = interrupt_check();
	if (err)
		return err;
#if SINCE_1_7
	int stall_ms = (int)http_limits(http)->stall_ms;

	git_libgit2_opts(GIT_OPT_SET_SERVER_CONNECT_TIMEOUT, stall_ms);
	git_libgit2_opts(GIT_OPT_SET_SERVER_TIMEOUT, stall_ms);
#else
	(void)http;
#endif
	interrupt_release();
	*is_open_ret = true;
	return NULL;
}

/** A fetch at work: how far it is, and why it was ended. */
struct transfer {
	struct progress *progress;
	uint64_t limit_objects;
	uint64_t refused_objects;
};

static int on_transfer(const git_indexer_progress *stats, void *payload)
{
	struct transfer *transfer = payload;

	if (stats->total_objects > transfer->limit_objects) {
		transfer->refused_objects = stats->total_objects;
		return GIT_EUSER;
	}
	progress_update(transfer->progress, stats->received_objects,
			stats->total_objects);
	return 0;
}

/**
 * The path of a local repository, of which a URL's %XX are decoded; free().
 * NULL for one elsewhere.
 */
static char *local_path(const char *url)
{
	if (strncmp(url, "file://", 7) != 0)
		return !strstr(url, "://") && directory_exists(url)
			       ? string_copy(url)
			       : NULL;
	char *path = string_copy(url + 7), *out = path;
	for (const char *in = path; *in; in++) {
		unsigned int byte = (unsigned char)*in;

		if (*in == '%' && isxdigit((unsigned char)in[1]) &&
		    isxdigit((unsigned char)in[2])) {
			sscanf(in + 1, "%2x", &byte);
			in += 2;
		}
		*out++ = (char)byte;
	}
	*out = '\0';
	return path;
}

/** Ask for the refs of a repository that is not served over HTTP. */
static struct error *libgit_refs(const char *url, struct ref_list *ret)
{
	_cleanup_(cleanup_remote) git_remote *remote = NULL;
	_cleanup_progress_ struct progress *progress =
		progress_createf(PROGRESS_TIME, "connect to %s", url);
	const git_remote_head **heads;
	size_t count = 0;
	int code = git_remote_create_detached(&remote, url);

	if (code == 0)
		code = git_remote_connect(remote, GIT_DIRECTION_FETCH, NULL,
					  NULL, NULL);
	if (code == 0)
		code = git_remote_ls(&heads, &count, remote);
	if (code < 0)
		return libgit_error(code, "connect to %s", url);
	for (size_t i = 0; i < count; i++) {
		char commit[REF_COMMIT_SIZE];

		git_oid_tostr(commit, sizeof(commit), &heads[i]->oid);
		ref_list_add(ret, heads[i]->name, commit);
	}
	return NULL;
}

static struct error *local_open(const char *path, git_repository **ret)
{
	int code = git_repository_open(ret, path);

	return code < 0 ? libgit_error(code, "open git repository %s", path)
			: NULL;
}

/** List those refs of a local repository that a name may mean. */
static struct error *local_refs(const char *path, const char *name,
				struct ref_list *ret)
{
	struct error *err;

	_cleanup_(cleanup_repository) git_repository *repository = NULL;
	err = local_open(path, &repository);
	if (err)
		return err;
	for (unsigned int choice = 0;; choice++) {
		_cleanup_free_ char *full = ref_full_name(name, choice);
		_cleanup_(cleanup_object) git_object *commit = NULL;
		git_reference *reference = NULL;

		if (!full)
			return NULL;
		int code = git_reference_lookup(&reference, repository, full);
		if (code == GIT_ENOTFOUND || code == GIT_EINVALIDSPEC)
			continue;
		if (code == 0)
			code = git_reference_peel(&commit, reference,
						  GIT_OBJECT_COMMIT);
		git_reference_free(reference);
		if (code < 0)
			return libgit_error(GIT_ERROR, "read %s of %s", full,
					    path);
		char text[REF_COMMIT_SIZE];
		git_oid_tostr(text, sizeof(text), git_object_id(commit));
		ref_list_add(ret, full, text);
	}
}

struct error *remote_resolve(struct http *http, const char *url,
			     const char *name, struct ref *ret)
{
	struct error *err;

	_cleanup_ref_list_ struct ref_list refs = { 0 };
	_cleanup_free_ char *path = local_path(url);
	if (http_is_url(url)) {
		err = ref_list_request(http, url, &refs);
	} else if (!path && !strstr(url, "://")) {
		// libgit2 would say that it knows no such protocol.
		err = error_create(ERROR_NOT_FOUND,
				   "%s is neither a directory nor a URL of a git repository",
				   url);
	} else {
		_cleanup_signals_ bool is_open = false;

		err = libgit_start(http, &is_open);
		if (err)
			return err;
		err = path ? local_refs(path, name, &refs)
			   : libgit_refs(url, &refs);
	}
	if (err)
		return err;
	const struct ref *found = ref_list_find(&refs, name);
	if (!found)
		return error_create(ERROR_NOT_FOUND,
				    "%s has no tag or branch '%s'", url, name);
	*ret = *found;
	ret->name = string_copy(found->name);
	return NULL;
}

static void on_checkout(const char *path, size_t done, size_t total, void *payload)
{
	(void)path;
	progress_update(payload, done, total);
}

/** Fetch a ref into a new repository. */
static struct error *network_fetch(git_repository *repository, const char *url,
				   const char *name, uint64_t limit_objects)
{
	_cleanup_progress_ struct progress *progress =
		progress_createf(PROGRESS_OBJECTS, "fetch %s", name);
	struct transfer transfer = { progress, limit_objects, 0 };
	git_fetch_options options;
	git_fetch_options_init(&options, GIT_FETCH_OPTIONS_VERSION);
	options.callbacks.transfer_progress = on_transfer;
	options.callbacks.payload = &transfer;
	options.proxy_opts.type = GIT_PROXY_AUTO;
	options.download_tags = GIT_REMOTE_DOWNLOAD_TAGS_NONE;
	options.update_fetchhead = 0;
#if SINCE_1_7
	options.depth = 1;
#endif
	git_remote_create_options create;
	git_remote_create_options_init(&create,
				       GIT_REMOTE_CREATE_OPTIONS_VERSION);
	create.repository = repository;
	// As the request that found the ref, which knows no configuration.
	create.flags = GIT_REMOTE_CREATE_SKIP_INSTEADOF |
		       GIT_REMOTE_CREATE_SKIP_DEFAULT_FETCHSPEC;
	_cleanup_(cleanup_remote) git_remote *remote = NULL;
	_cleanup_free_ char *refspec =
		string_format("+%s:refs/vmtest/source", name);
	git_strarray refspecs = { .strings = &refspec, .count = 1 };
	int code = git_remote_create_with_opts(&remote, url, &create);
	if (code == 0)
		code = git_remote_fetch(remote, &refspecs, &options, NULL);
	if (code < 0 && transfer.refused_objects)
		return error_create(
			ERROR_OTHER,
			"fetch %s of %s: %ju objects are more than %ju%s", name,
			url, (uintmax_t)transfer.refused_objects,
			(uintmax_t)limit_objects,
			SINCE_1_7
				? ""
				: ", the whole history, because libgit2 " LIBGIT2_VERSION
				  " cannot fetch one commit (1.7 and later can); use a tarball or a local clone");
	if (code < 0)
		return libgit_error(code, "fetch %s of %s", name, url);
	progress_finish(progress);
	return NULL;
}

/** Write a commit's files as they are in the repository, unfiltered. */
static struct error *commit_write(git_repository *repository, const char *url,
				  const struct ref *ref, const char *directory)
{
	_cleanup_(cleanup_object) git_object *commit = NULL;
	git_oid oid;
	int code = git_oid_fromstr(&oid, ref->commit);

	if (code == 0)
		code = git_object_lookup(&commit, repository, &oid,
					 GIT_OBJECT_ANY);
	if (code == GIT_ENOTFOUND)
		return error_create(ERROR_RETRY,
				    "%s of %s has moved meanwhile: try again",
				    ref->name, url);
	if (code < 0)
		return libgit_error(code, "read %s of %s", ref->name, url);
	if (git_object_type(commit) != GIT_OBJECT_COMMIT)
		return error_create(ERROR_OTHER, "%s of %s is not a commit",
				    ref->name, url);
	_cleanup_progress_ struct progress *progress =
		progress_createf(PROGRESS_FILES, "write files");
	git_checkout_options options;
	git_checkout_options_init(&options, GIT_CHECKOUT_OPTIONS_VERSION);
	// What the repository's own working tree has checked out is missing in
	// the target.
	options.checkout_strategy = GIT_CHECKOUT_FORCE |
				    GIT_CHECKOUT_RECREATE_MISSING |
				    GIT_CHECKOUT_DONT_UPDATE_INDEX;
	options.disable_filters = 1;
	options.target_directory = directory;
	options.progress_cb = on_checkout;
	options.progress_payload = progress;
	code = git_checkout_tree(repository, commit, &options);
	if (code < 0)
		return libgit_error(code, "write the files of %s at %s to %s",
				    url, ref->name, directory);
	return NULL;
}

struct error *remote_fetch(struct http *http, const char *url,
			   const struct ref *ref, const char *directory,
			   uint64_t limit_objects)
{
	struct error *err;

	_cleanup_signals_ bool is_open = false;
	err = libgit_start(http, &is_open);
	if (err)
		return err;
	_cleanup_(cleanup_repository) git_repository *repository = NULL;
	_cleanup_free_ char *path = local_path(url);
	if (path) {
		err = local_open(path, &repository);
		if (err)
			return err;
		return commit_write(repository, url, ref, directory);
	}
	// Beside the directory, because it is as large.
	_cleanup_free_ char *parent = path_join(directory, "..");
	_cleanup_directory_ char *git_directory = NULL;
	_cleanup_close_ int lock_fd = -1;
	err = directory_create_temporary(parent, "fetch", &git_directory,
					 &lock_fd);
	if (err)
		return err;
	int code = git_repository_init(&repository, git_directory, true);
	if (code < 0)
		return libgit_error(code, "make a repository in %s",
				    git_directory);
	err = network_fetch(repository, url, ref->name, limit_objects);
	if (err)
		return err;
	return commit_write(repository, url, ref, directory);
}
