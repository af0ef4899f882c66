// SPDX-License-Identifier: LGPL-2.1-or-later

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/base/error.h"
#include "common/base/memory.h"
#include "common/github/github.h"
#include "common/github/github_assets.h"
#include "common/github/github_seal.h"
#include "common/github/github_upload.h"
#include "common/store/store_internal.h"

static const off_t asset_bytes_max = ((off_t)2 << 30) - 1;

/** A store that is a GitHub release. */
struct store_github {
	struct store store;
	struct github github;
	/** How many assets of any kind the latest list had. */
	size_t listed_count;
	/** For that list; "" if there is none, or it is known to be old. */
	struct github_seal seal;
};

static struct store_github *get_store(struct store *store)
{
	return (struct store_github *)store;
}

static struct github *get_github(struct store *store)
{
	return &get_store(store)->github;
}

static void store_github_destroy(struct store *store)
{
	github_deinit(get_github(store));
	free(store);
}

static struct error *store_github_create(const char *location,
					 struct http *http, struct store **ret)
{
	struct error *err;
	struct store_github *store = memory_allocate(1, sizeof(*store));
	store->store.operations = &store_github_operations;
	err = github_init(&store->github, location, http);
	if (err) {
		free(store);
		return err;
	}
	*ret = &store->store;
	return NULL;
}

/** What is not ours is nobody's business. */
static struct error *keep_valid(struct asset_list *all, struct asset_list *ret)
{
	for (size_t i = 0; i < all->count; i++) {
		if (!asset_name_is_valid(all->items[i].name))
			continue;
		asset_list_add(ret, &all->items[i]);
	}
	return NULL;
}

static struct error *store_github_list(struct store *store, struct asset_list *ret)
{
	struct error *err;
	struct store_github *self = get_store(store);
	_cleanup_github_assets_ struct github_assets assets = { 0 };

	self->listed_count = 0;
	self->seal = (struct github_seal){ 0 };
	err = github_find_release(&self->github);
	if (err || !self->github.release.id)
		return err;
	err = github_list_assets(&self->github, &assets, &self->seal);
	if (err)
		return err;
	self->listed_count = assets.uploaded.count + assets.starters.count;
	return keep_valid(&assets.uploaded, ret);
}

static void store_github_get_room(const struct store *store,
				  struct store_room *ret)
{
	*ret = (struct store_room){
		.used = ((const struct store_github *)store)->listed_count,
		.limit = GITHUB_ASSETS_MAX,
	};
}

/** Before assets change: see github_seal.h. The release is known. */
static struct error *break_seal(struct store_github *self)
{
	struct error *err;
	_cleanup_free_ char *text = NULL;
	struct github_seal seal;

	self->seal = (struct github_seal){ 0 };
	if (!github_seal_read(self->github.release.body, &seal))
		return NULL;
	err = github_seal_take_off(self->github.release.body, &text);
	if (!err)
		err = github_update_release(&self->github, text);
	return err;
}

static struct error *store_github_get(struct store *store,
				      const struct asset *asset, file_sink sink,
				      void *arg)
{
	return github_get(get_github(store), asset, sink, arg);
}

static struct error *store_github_delete(struct store *store,
					 const struct asset *asset)
{
	struct error *err;
	struct store_github *self = get_store(store);

	err = github_require_token(&self->github);
	if (!err && !self->github.release.id)
		err = github_find_release(&self->github);
	if (err || !self->github.release.id)
		return err;
	err = github_check_mutable(&self->github);
	if (!err)
		err = break_seal(self);
	if (!err)
		err = github_delete_asset(&self->github, asset->id);
	return err;
}

/** Before the file is read: GitHub would refuse it after it was sent. */
static struct error *check_size(const char *path)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return error_create_os(errno, "%s", path);
	if (st.st_size > asset_bytes_max) {
		return error_create(ERROR_OTHER,
				    "%s has %jd bytes; GitHub takes less than 2 GiB",
				    path, (intmax_t)st.st_size);
	}
	if (!st.st_size)
		return error_create(ERROR_OTHER, "%s is empty", path);
	return NULL;
}

static struct error *store_github_put(struct store *store, const char *path,
				      const char *name, const char *label,
				      progress_sink progress, void *arg,
				      char **url_ret)
{
	struct error *err;
	struct store_github *self = get_store(store);
	struct github_upload upload = {
		.path = path,
		.name = name,
		.label = label,
		.progress = progress,
		.arg = arg,
	};

	err = github_require_token(&self->github);
	if (!err)
		err = check_size(path);
	if (!err)
		err = digest_file(path, upload.digest, &upload.size_bytes);
	if (!err)
		err = github_require_release(&self->github);
	if (!err)
		err = break_seal(self);
	if (!err)
		err = github_upload(&self->github, &upload, url_ret);
	return err;
}

/** Equal but for how lines end, and for space at the end. */
static bool text_is_same(const char *a, const char *b)
{
	static const char space[] = " \t\r\n";

	for (;;) {
		while (*a == '\r')
			a++;
		while (*b == '\r')
			b++;
		if (!*a || *a != *b)
			break;
		a++;
		b++;
	}
	return !a[strspn(a, space)] && !b[strspn(b, space)];
}

/** Whether the release, as it was just written, shows other assets. */
static struct error *compare_shown(const struct store_github *self,
				   bool *changed_ret)
{
	struct error *err;
	char shown[DIGEST_TEXT_SIZE];

	err = github_seal_digest(&self->github.release.shown, shown);
	if (err)
		return err;
	*changed_ret = *self->seal.shown && strcmp(shown, self->seal.shown) != 0;
	return NULL;
}

static struct error *store_github_describe(struct store *store,
					   const char *markdown,
					   bool *changed_ret)
{
	struct error *err;
	struct store_github *self = get_store(store);
	struct github *github = &self->github;
	_cleanup_free_ char *sealed = NULL;
	const char *body = markdown;

	if (!github->release.id) {
		err = github_find_release(github);
		if (err)
			return err;
	}
	if (*self->seal.assets) {
		err = github_seal_put_on(markdown, &self->seal, &sealed);
		if (err)
			return err;
		body = sealed;
	}
	if (github->release.id && text_is_same(github->release.body, body))
		return NULL;
	err = github_require_token(github);
	if (err)
		return err;
	if (!github->release.id)
		return github_create_release(github, body);
	err = github_update_release(github, body);
	if (!err)
		err = compare_shown(self, changed_ret);
	return err;
}

const struct store_operations store_github_operations = {
	.prefix = "github:",
	.form = "github:OWNER/REPO@TAG",
	.create = store_github_create,
	.destroy = store_github_destroy,
	.list = store_github_list,
	.get = store_github_get,
	.put = store_github_put,
	.delete = store_github_delete,
	.get_room = store_github_get_room,
	.describe = store_github_describe,
};
