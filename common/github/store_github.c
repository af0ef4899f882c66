// SPDX-License-Identifier: LGPL-2.1-or-later

#include <stdlib.h>

#include "common/base/error.h"
#include "common/base/memory.h"
#include "common/github/github.h"
#include "common/store/store_internal.h"

/** A store that is a GitHub release. */
struct store_github {
	struct store store;
	struct github github;
};

static struct github *get_github(struct store *store)
{
	return &((struct store_github *)store)->github;
}

static void store_github_destroy(struct store *store)
{
	github_deinit(get_github(store));
	free(store);
}

static struct error *store_github_create(const char *location,
					 struct http *http, struct store **ret)
{
	_cleanup_free_ struct store_github *store =
		memory_allocate(1, sizeof(*store));
	struct error *err = github_init(&store->github, location, http);
	if (err)
		return err;
	store->store.operations = &store_github_operations;
	*ret = &take_ptr(store)->store;
	return NULL;
}

static struct error *store_github_list(struct store *store, struct asset_list *ret)
{
	struct error *err;

	struct github *github = get_github(store);
	err = github_find_release(github);
	if (err)
		return err;
	_cleanup_asset_list_ struct asset_list all = take(github->release.assets);
	store->used = 0;
	for (size_t i = 0; i < all.count; i++) {
		if (all.items[i].is_partial)
			continue;
		store->used++;
		// Drop assets that are not packages.
		if (asset_name_is_valid(all.items[i].name))
			vector_add(ret) = take(all.items[i]);
	}
	return NULL;
}

static struct error *store_github_open(struct store *store,
				       const struct asset *asset,
				       struct stream **ret)
{
	*ret = github_open(get_github(store), asset);
	return NULL;
}

static struct error *store_github_delete(struct store *store,
					 const struct asset *asset)
{
	return github_delete_asset(get_github(store), asset->id);
}

static struct error *store_github_put(struct store *store, const char *path,
				      const char *name, const char *label,
				      struct progress *progress, char **url_ret)
{
	return github_upload(get_github(store), path, name, label, progress,
			     url_ret);
}

static struct error *store_github_describe(struct store *store,
					   const char *markdown)
{
	struct error *err;

	struct github *github = get_github(store);
	err = github_require_token(github, "contents");
	if (err)
		return err;
	if (!github->release.id)
		err = github_find_release(github);
	if (err)
		return err;
	return github->release.id ? github_update_release(github, markdown)
				  : github_create_release(github, markdown);
}

const struct store_operations store_github_operations = {
	.prefix = "github:",
	.form = "github:OWNER/REPO@TAG",
	.create = store_github_create,
	.destroy = store_github_destroy,
	.list = store_github_list,
	.open = store_github_open,
	.put = store_github_put,
	.delete = store_github_delete,
	.limit = GITHUB_ASSETS_MAX,
	.describe = store_github_describe,
};
