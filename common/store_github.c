// SPDX-License-Identifier: LGPL-2.1-or-later

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/error.h"
#include "common/github.h"
#include "common/github_assets.h"
#include "common/github_upload.h"
#include "common/store_internal.h"

static const uint64_t asset_bytes_max = (UINT64_C(2) << 30) - 1;

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
	struct error *err;
	struct store_github *store = calloc(1, sizeof(*store));

	if (!store)
		return error_no_memory();
	store->store.operations = &store_github_operations;
	err = github_init(&store->github, location, http);
	if (err) {
		free(store);
		return err;
	}
	*ret = &store->store;
	return NULL;
}

static struct error *store_github_list(struct store *store, struct asset_list *ret)
{
	struct error *err;
	struct github *github = get_github(store);
	_cleanup_asset_list_ struct asset_list starters = { 0 };
	size_t count;

	err = github_find_release(github);
	if (err || !github->release.id)
		return err;
	return github_list_assets(github, ret, &starters, &count);
}

static struct error *store_github_get(struct store *store,
				      const struct asset *asset,
				      store_sink sink, void *arg)
{
	return github_get(get_github(store), asset, sink, arg);
}

static struct error *store_github_delete(struct store *store,
					 const struct asset *asset)
{
	struct error *err;
	struct github *github = get_github(store);

	err = github_require_token(github);
	if (err)
		return err;
	return github_delete_asset(github, asset->id);
}

static struct error *store_github_put(struct store *store, const char *path,
				      const char *name, store_progress progress,
				      void *arg, char **url_ret)
{
	struct error *err;
	struct github *github = get_github(store);
	struct github_upload upload = {
		.path = path,
		.name = name,
		.progress = progress,
		.arg = arg,
	};

	err = github_require_token(github);
	if (!err)
		err = digest_file(path, upload.digest, &upload.size_bytes);
	if (err)
		return err;
	if (upload.size_bytes > asset_bytes_max) {
		return error_create(ERROR_OTHER,
				    "%" PRIu64
				    " bytes; GitHub takes less than 2 GiB",
				    upload.size_bytes);
	}
	if (!upload.size_bytes)
		return error_create(ERROR_OTHER, "the file is empty");
	err = github_require_release(github);
	if (!err)
		err = github_upload(github, &upload, url_ret);
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

static struct error *store_github_describe(struct store *store,
					   const char *markdown)
{
	struct error *err;
	struct github *github = get_github(store);

	if (!github->release.id) {
		err = github_find_release(github);
		if (err)
			return err;
	}
	if (github->release.id && text_is_same(github->release.body, markdown))
		return NULL;
	err = github_require_token(github);
	if (err)
		return err;
	if (!github->release.id)
		return github_create_release(github, markdown);
	return github_update_release(github, markdown);
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
	.describe = store_github_describe,
};
