// SPDX-License-Identifier: LGPL-2.1-or-later

#include "common/kernel/remote.h"

#include <git2.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "common/base/error.h"
#include "common/base/file.h"
#include "common/base/interrupt.h"
#include "common/base/memory.h"
#include "common/cli/progress.h"
#include "common/kernel/libgit.h"

#define HAS_DEPTH                                                              \
	(LIBGIT2_VER_MAJOR > 1 ||                                              \
	 (LIBGIT2_VER_MAJOR == 1 && LIBGIT2_VER_MINOR >= 7))

enum {
	LIMIT_OBJECTS_DEFAULT = 1000000
};

static const char tag_prefix[] = "refs/tags/";
/** What the name of a ref may lack in front, in order of preference. */
static const char *const ref_prefixes[] = { "", "refs/tags/", "refs/heads/" };
/** The suffix of the second entry of an annotated tag, which is its commit. */
static const char peeled_suffix[] = "^{}";

static void cleanup_remote(git_remote **remote)
{
	git_remote_free(*remote);
}

static void cleanup_repository(git_repository **repository)
{
	git_repository_free(*repository);
}

static void cleanup_reference(git_reference **reference)
{
	git_reference_free(*reference);
}

static void cleanup_object(git_object **object)
{
	git_object_free(*object);
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
	struct error *err = interrupt_check();

	// libgit_error() asks again, and makes the error from the answer.
	if (err) {
		error_destroy(err);
		return GIT_EUSER;
	}
	if (stats->total_objects > transfer->limit_objects) {
		transfer->refused_objects = stats->total_objects;
		return GIT_EUSER;
	}
	progress_update(transfer->progress, stats->received_objects,
			stats->total_objects);
	return 0;
}

/** While the server counts and compresses, before anything is transferred. */
static int on_sideband(const char *text, int length, void *payload)
{
	struct error *err = interrupt_check();

	(void)text;
	(void)length;
	(void)payload;
	if (!err)
		return 0;
	error_destroy(err);
	return GIT_EUSER;
}

static void oid_format(const git_oid *oid,
		       char text_ret[static REMOTE_COMMIT_SIZE])
{
	git_oid_tostr(text_ret, REMOTE_COMMIT_SIZE, oid);
}

static bool is_local(const char *url)
{
	return strncmp(url, "file://", 7) == 0 ||
	       (!strstr(url, "://") && directory_exists(url));
}

/** libgit2 says of a path that is not there that it knows no such protocol. */
static struct error *check_url(const char *url)
{
	if (strstr(url, "://") || is_local(url))
		return NULL;
	return error_create(ERROR_NOT_FOUND,
			    "%s is neither a folder nor a URL of a git repository",
			    url);
}

static int hex_value(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *digit = c ? strchr(digits, c | 0x20) : NULL;

	return digit ? (int)(digit - digits) : -1;
}

/** The path of a local repository, with the %XX of a URL decoded. */
static void local_path(const char *url, char **ret)
{
	char *path;

	if (strncmp(url, "file://", 7) != 0) {
		path = string_copy(url);
		*ret = path;
		return;
	}
	path = string_copy(url + 7);
	char *out = path;
	for (const char *in = path; *in; in++) {
		int high = *in == '%' ? hex_value(in[1]) : -1;
		int low = high >= 0 ? hex_value(in[2]) : -1;

		if (low >= 0 && high * 16 + low != 0) {
			*out++ = (char)(high * 16 + low);
			in += 2;
		} else {
			*out++ = *in;
		}
	}
	*out = '\0';
	*ret = path;
}

/** Connect for reading. */
static struct error *remote_connect(const char *url, git_remote **ret)
{
	git_remote_callbacks callbacks;
	git_proxy_options proxy;
	_cleanup_(cleanup_remote) git_remote *remote = NULL;
	_cleanup_progress_ struct progress *progress =
		progress_create("connect to the git server", PROGRESS_TIME);
	int code;

	git_remote_init_callbacks(&callbacks, GIT_REMOTE_CALLBACKS_VERSION);
	callbacks.sideband_progress = on_sideband;
	git_proxy_options_init(&proxy, GIT_PROXY_OPTIONS_VERSION);
	proxy.type = GIT_PROXY_AUTO;
	code = git_remote_create_detached(&remote, url);
	if (code < 0)
		return libgit_error(code, "read address %s", url);
	code = git_remote_connect(remote, GIT_DIRECTION_FETCH, &callbacks,
				  &proxy, NULL);
	if (code < 0)
		return libgit_error(code, "connect to %s", url);
	*ret = take_ptr(remote);
	return NULL;
}

static struct error *remote_heads(git_remote *remote, const char *url,
				  const git_remote_head ***ret, size_t *count_ret)
{
	int code = git_remote_ls(ret, count_ret, remote);

	if (code < 0)
		return libgit_error(code, "list %s", url);
	return NULL;
}

void remote_tags_deinit(struct remote_tags *tags)
{
	for (size_t i = 0; i < tags->count; i++)
		free(tags->items[i].name);
	free(tags->items);
	*tags = (struct remote_tags){ 0 };
}

static bool name_is_valid(const char *ref)
{
	int valid = 0;

	return git_reference_name_is_valid(&valid, ref) == 0 && valid;
}

/** Add a ref, or give the tag before it the commit that it is peeled to. */
static struct error *tags_add(struct remote_tags *tags,
			      const git_remote_head *head)
{
	_cleanup_free_ char *ref = NULL;
	size_t length = strlen(head->name);
	size_t suffix = strlen(peeled_suffix);
	bool is_peeled = length > suffix && strcmp(head->name + length - suffix,
						   peeled_suffix) == 0;
	const char *name;
	struct remote_tag *tag;

	if (strncmp(head->name, tag_prefix, strlen(tag_prefix)) != 0)
		return NULL;
	ref = string_copy_n(head->name, is_peeled ? length - suffix : length);
	if (!name_is_valid(ref))
		return NULL;
	name = ref + strlen(tag_prefix);
	tag = tags->count ? &tags->items[tags->count - 1] : NULL;
	if (is_peeled) {
		if (tag && strcmp(tag->name, name) == 0)
			oid_format(&head->oid, tag->commit);
		return NULL;
	}
	// The list was allocated for every ref of the server.
	tag = &tags->items[tags->count];
	tag->name = string_copy(name);
	oid_format(&head->oid, tag->commit);
	tags->count++;
	return NULL;
}

struct error *remote_tags_list(const char *url, struct remote_tags *ret)
{
	struct error *err;
	_cleanup_libgit_ bool is_open = false;
	_cleanup_(cleanup_remote) git_remote *remote = NULL;
	_cleanup_remote_tags_ struct remote_tags tags = { 0 };
	const git_remote_head **heads;
	size_t count;

	err = libgit_open();
	if (err)
		return err;
	is_open = true;
	err = remote_connect(url, &remote);
	if (!err)
		err = remote_heads(remote, url, &heads, &count);
	if (err)
		return err;
	if (count == 0) {
		*ret = tags;
		return NULL;
	}
	tags.items = memory_allocate(count, sizeof(*tags.items));
	for (size_t i = 0; i < count && !err; i++)
		err = tags_add(&tags, heads[i]);
	if (err)
		return err;
	*ret = tags;
	tags = (struct remote_tags){ 0 };
	return NULL;
}

/** Whether the prefix can stand before this name. */
static bool prefix_is_for(const char *prefix, const char *ref)
{
	return *prefix || strncmp(ref, "refs/", 5) == 0 ||
	       strcmp(ref, "HEAD") == 0;
}

static struct error *error_no_ref(const char *url, const char *ref)
{
	return error_create(ERROR_NOT_FOUND, "%s has no tag or branch '%s'",
			    url, ref);
}

/** Find the name that the server has for a ref, and its peeled commit. */
static struct error *remote_find(git_remote *remote, const char *url,
				 const char *ref, char **name_ret,
				 char commit_ret[static REMOTE_COMMIT_SIZE])
{
	const git_remote_head **heads;
	size_t count;
	struct error *err = remote_heads(remote, url, &heads, &count);

	if (err)
		return err;
	for (size_t p = 0; p < array_size(ref_prefixes); p++) {
		_cleanup_free_ char *name = NULL;
		_cleanup_free_ char *peeled = NULL;
		const git_oid *oid = NULL;

		if (!prefix_is_for(ref_prefixes[p], ref))
			continue;
		name = string_format("%s%s", ref_prefixes[p], ref);
		peeled = string_format("%s%s", name, peeled_suffix);
		for (size_t i = 0; i < count; i++) {
			if (strcmp(heads[i]->name, peeled) == 0 ||
			    (!oid && strcmp(heads[i]->name, name) == 0))
				oid = &heads[i]->oid;
		}
		if (oid) {
			oid_format(oid, commit_ret);
			*name_ret = take_ptr(name);
			return NULL;
		}
	}
	return error_no_ref(url, ref);
}

/** Open a local repository and find a commit in it. */
static struct error *local_find(const char *url, const char *ref,
				git_repository **repository_ret,
				git_object **commit_ret)
{
	_cleanup_free_ char *path = NULL;
	_cleanup_(cleanup_repository) git_repository *repository = NULL;
	int code;

	local_path(url, &path);
	code = git_repository_open(&repository, path);
	if (code < 0)
		return libgit_error(code, "open git repository %s", url);
	for (size_t p = 0; p < array_size(ref_prefixes); p++) {
		_cleanup_free_ char *name = NULL;
		_cleanup_(cleanup_reference) git_reference *reference = NULL;

		if (!prefix_is_for(ref_prefixes[p], ref))
			continue;
		name = string_format("%s%s", ref_prefixes[p], ref);
		code = git_reference_lookup(&reference, repository, name);
		if (code == GIT_ENOTFOUND || code == GIT_EINVALIDSPEC)
			continue;
		if (code == 0)
			code = git_reference_peel(commit_ret, reference,
						  GIT_OBJECT_COMMIT);
		if (code < 0)
			return libgit_error(code, "read %s of %s", name, url);
		*repository_ret = take_ptr(repository);
		return NULL;
	}
	return error_no_ref(url, ref);
}

struct error *remote_resolve(const char *url, const char *ref,
			     char commit_ret[static REMOTE_COMMIT_SIZE])
{
	struct error *err;
	_cleanup_libgit_ bool is_open = false;
	_cleanup_(cleanup_remote) git_remote *remote = NULL;
	_cleanup_(cleanup_repository) git_repository *repository = NULL;
	_cleanup_(cleanup_object) git_object *commit = NULL;
	_cleanup_free_ char *name = NULL;

	err = check_url(url);
	if (!err)
		err = libgit_open();
	if (err)
		return err;
	is_open = true;
	if (is_local(url)) {
		err = local_find(url, ref, &repository, &commit);
		if (!err)
			oid_format(git_object_id(commit), commit_ret);
		return err;
	}
	err = remote_connect(url, &remote);
	if (!err)
		err = remote_find(remote, url, ref, &name, commit_ret);
	return err;
}

static void on_checkout(const char *path, size_t done, size_t total, void *payload)
{
	(void)path;
	progress_update(payload, done, total);
}

static int on_checkout_notify(git_checkout_notify_t why, const char *path,
			      const git_diff_file *baseline,
			      const git_diff_file *target,
			      const git_diff_file *workdir, void *payload)
{
	struct error *err = interrupt_check();

	(void)why;
	(void)path;
	(void)baseline;
	(void)target;
	(void)workdir;
	(void)payload;
	if (!err)
		return 0;
	error_destroy(err);
	return GIT_EUSER;
}

/** Write a commit's files as they are in the repository, unfiltered. */
static struct error *commit_checkout(git_repository *repository,
				     const git_object *commit, const char *url,
				     const char *ref, const char *directory)
{
	git_checkout_options options;
	_cleanup_progress_ struct progress *progress = NULL;
	git_index *nothing = NULL;
	int code = git_index_new(&nothing);

	if (code < 0)
		return libgit_error(code, "write the files of %s", ref);
	progress = progress_create("write files", PROGRESS_FILES);
	git_checkout_options_init(&options, GIT_CHECKOUT_OPTIONS_VERSION);
	options.checkout_strategy = GIT_CHECKOUT_FORCE |
				    GIT_CHECKOUT_DONT_UPDATE_INDEX;
	options.disable_filters = 1;
	options.target_directory = directory;
	// What the repository's own working tree has checked out is not what
	// lies in the target.
	options.baseline_index = nothing;
	options.progress_cb = on_checkout;
	options.progress_payload = progress;
	options.notify_flags = GIT_CHECKOUT_NOTIFY_UPDATED;
	options.notify_cb = on_checkout_notify;
	code = git_checkout_tree(repository, commit, &options);
	git_index_free(nothing);
	if (code < 0)
		return libgit_error(code, "write the files of %s at %s to %s",
				    url, ref, directory);
	return NULL;
}

static struct error *error_refused(const struct transfer *transfer,
				   const char *url, const char *ref)
{
#if HAS_DEPTH
	return error_create(ERROR_OTHER,
			    "fetch %s of %s: %llu objects are more than %llu",
			    ref, url,
			    (unsigned long long)transfer->refused_objects,
			    (unsigned long long)transfer->limit_objects);
#else
	return error_create(
		ERROR_OTHER,
		"fetch %s of %s: it would bring the whole history, %llu objects, because libgit2 %s cannot fetch one commit (1.7 and later can); use a tarball or a local clone",
		ref, url, (unsigned long long)transfer->refused_objects,
		LIBGIT2_VERSION);
#endif
}

/** Fetch a ref of a connected remote into a new repository. */
static struct error *commit_fetch(git_repository *repository, const char *url,
				  const char *ref, const char *name,
				  uint64_t limit_objects)
{
	git_remote_create_options create;
	git_fetch_options options;
	_cleanup_(cleanup_remote) git_remote *remote = NULL;
	_cleanup_progress_ struct progress *progress = NULL;
	_cleanup_free_ char *what = NULL;
	_cleanup_free_ char *refspec = NULL;
	struct transfer transfer = { .limit_objects = limit_objects };
	int code;

	refspec = string_format("+%s:refs/vmtest/source", name);
	what = string_format("fetch %s", ref);
	progress = progress_create(what, PROGRESS_OBJECTS);
	transfer.progress = progress;

	git_fetch_options_init(&options, GIT_FETCH_OPTIONS_VERSION);
	options.callbacks.transfer_progress = on_transfer;
	options.callbacks.sideband_progress = on_sideband;
	options.callbacks.payload = &transfer;
	options.proxy_opts.type = GIT_PROXY_AUTO;
	options.download_tags = GIT_REMOTE_DOWNLOAD_TAGS_NONE;
	options.update_fetchhead = 0;
#if HAS_DEPTH
	options.depth = 1;
#endif
	git_remote_create_options_init(&create,
				       GIT_REMOTE_CREATE_OPTIONS_VERSION);
	create.repository = repository;
	// As the connection that found the ref, which knows no configuration.
	create.flags = GIT_REMOTE_CREATE_SKIP_INSTEADOF |
		       GIT_REMOTE_CREATE_SKIP_DEFAULT_FETCHSPEC;
	code = git_remote_create_with_opts(&remote, url, &create);
	if (code == 0)
		code = git_remote_fetch(remote,
					&(git_strarray){ .strings = &refspec,
							 .count = 1 },
					&options, NULL);
	if (code < 0 && transfer.refused_objects)
		return error_refused(&transfer, url, ref);
	if (code < 0)
		return libgit_error(code, "fetch %s of %s", ref, url);
	progress_finish(progress);
	return NULL;
}

static struct error *network_fetch(const char *url, const char *ref,
				   const char *directory, uint64_t limit_objects,
				   char commit_ret[static REMOTE_COMMIT_SIZE])
{
	struct error *err;
	_cleanup_(cleanup_repository) git_repository *repository = NULL;
	_cleanup_(cleanup_reference) git_reference *reference = NULL;
	_cleanup_(cleanup_object) git_object *commit = NULL;
	_cleanup_(cleanup_remote) git_remote *remote = NULL;
	_cleanup_directory_ char *git_directory = NULL;
	_cleanup_close_ int lock_fd = -1;
	_cleanup_free_ char *parent = NULL;
	_cleanup_free_ char *name = NULL;
	char commit_name[REMOTE_COMMIT_SIZE];
	int code;

	err = remote_connect(url, &remote);
	if (!err)
		err = remote_find(remote, url, ref, &name, commit_name);
	// Beside the folder, because it is as large as the folder.
	if (!err)
		parent = path_join(directory, "..");
	if (!err)
		err = directory_create_temporary(parent, "fetch",
						 &git_directory, &lock_fd);
	if (err)
		return err;
	git_remote_disconnect(remote);
	code = git_repository_init(&repository, git_directory, true);
	if (code < 0)
		return libgit_error(code, "make a repository in %s",
				    git_directory);
	err = commit_fetch(repository, url, ref, name, limit_objects);
	if (err)
		return err;
	code = git_reference_lookup(&reference, repository, "refs/vmtest/source");
	if (code == 0)
		code = git_reference_peel(&commit, reference, GIT_OBJECT_COMMIT);
	if (code < 0)
		return libgit_error(code, "read %s of %s", ref, url);
	oid_format(git_object_id(commit), commit_ret);
	return commit_checkout(repository, commit, url, ref, directory);
}

struct error *remote_fetch(const char *url, const char *ref,
			   const char *directory, uint64_t limit_objects,
			   char commit_ret[static REMOTE_COMMIT_SIZE])
{
	struct error *err;
	_cleanup_libgit_ bool is_open = false;
	_cleanup_(cleanup_repository) git_repository *repository = NULL;
	_cleanup_(cleanup_object) git_object *commit = NULL;

	err = libgit_open();
	if (err)
		return err;
	is_open = true;
	if (!is_local(url))
		return network_fetch(url, ref, directory,
				     limit_objects ? limit_objects
						   : LIMIT_OBJECTS_DEFAULT,
				     commit_ret);
	err = local_find(url, ref, &repository, &commit);
	if (!err)
		err = commit_checkout(repository, commit, url, ref, directory);
	if (!err)
		oid_format(git_object_id(commit), commit_ret);
	return err;
}
