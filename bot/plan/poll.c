// SPDX-License-Identifier: LGPL-2.1-or-later

#include "bot/plan/poll.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/error.h"
#include "common/base/memory.h"
#include "common/http/http.h"
#include "common/kernel/catalog.h"
#include "common/kernel/git_refs.h"

void series_list_deinit(struct series_list *list)
{
	free(list->items);
	*list = (struct series_list){ 0 };
}

/** Newest first. */
static int compare_items(const void *a, const void *b)
{
	const struct series_item *x = a, *y = b;

	return kernel_version_compare(&y->version, &x->version);
}

/** Keep the newest of each series. */
static void series_list_add(struct series_list *list,
			    const struct catalog *catalog,
			    const struct kernel_version *version, bool alive)
{
	struct series_item *items;

	if (!catalog_keeps(catalog, version))
		return;
	for (size_t i = 0; i < list->count; i++) {
		struct series_item *item = &list->items[i];

		if (kernel_version_compare_series(&item->version, version) != 0)
			continue;
		if (item->alive == alive &&
		    kernel_version_compare(version, &item->version) > 0)
			item->version = *version;
		return;
	}
	items = memory_resize(list->items, list->count + 1, sizeof(*items));
	list->items = items;
	items[list->count++] = (struct series_item){ *version, alive };
}

static struct error *bad_releases(const char *name, const char *what)
{
	return error_create(ERROR_OTHER,
			    "%s: %s: not what kernel.org's releases.json looks like",
			    name, what);
}

static struct error *add_releases(struct series_list *list,
				  const struct catalog *catalog, json_t *root,
				  const char *name)
{
	json_t *releases = json_object_get(root, "releases"), *entry;
	json_t *latest = json_object_get(root, "latest_stable");
	const char *stable =
		json_string_value(json_object_get(latest, "version"));
	size_t i, count = 0;

	if (!json_is_array(releases))
		return bad_releases(name, "\"releases\" is no list");
	if (stable) {
		if (!kernel_version_parse(stable, &list->latest_stable))
			return bad_releases(name,
					    "\"latest_stable\" is no version");
		list->has_latest_stable = true;
	}
	json_array_foreach(releases, i, entry)
	{
		struct kernel_version version;
		const char *text =
			json_string_value(json_object_get(entry, "version"));

		if (!text)
			return bad_releases(name, "an entry has no \"version\"");
		if (!kernel_version_parse(text, &version))
			continue;
		count++;
		series_list_add(list, catalog, &version, true);
	}
	// Not even one: to go on would mean that there is nothing to build.
	if (!count)
		return bad_releases(name, "it lists no kernel");
	return NULL;
}

struct error *series_list_add_releases(struct series_list *list,
				       const struct catalog *catalog,
				       const char *text, const char *name)
{
	struct error *err;
	json_error_t json_error;
	json_t *root = json_loads(text, 0, &json_error);

	if (!root)
		return error_create(ERROR_OTHER,
				    "%s: not JSON: line %d: %s; it may be cut short, or a proxy's: try again",
				    name, json_error.line, json_error.text);
	err = add_releases(list, catalog, root, name);
	json_decref(root);
	if (list->count)
		qsort(list->items, list->count, sizeof(*list->items),
		      compare_items);
	return err;
}

struct error *series_list_add_tag(struct series_list *list,
				  const struct catalog *catalog, const char *tag)
{
	struct kernel_version version;

	if (tag[0] != 'v' || !kernel_version_parse(tag + 1, &version))
		return NULL;
	series_list_add(list, catalog, &version, false);
	return NULL;
}

struct error *poll_kernels(const struct catalog *catalog, struct http *http,
			   struct series_list *ret)
{
	struct error *err;
	_cleanup_series_list_ struct series_list list = { 0 };
	_cleanup_http_response_ struct http_response response = { 0 };
	_cleanup_ref_list_ struct ref_list refs = { 0 };
	const struct http_request request = {
		.url = catalog->kernel_org.releases_url,
	};

	err = http_perform(http, &request, &response);
	if (!err && response.status != 200)
		err = http_response_error(&request, &response);
	if (!err)
		err = series_list_add_releases(&list, catalog, response.body,
					       request.url);
	if (!err)
		err = ref_list_request(http, catalog->kernel_org.git_url, &refs);
	for (size_t i = 0; !err && i < refs.count; i++) {
		const char *tag = ref_tag(&refs.items[i]);

		if (tag)
			err = series_list_add_tag(&list, catalog, tag);
	}
	if (err)
		return error_wrap(err, "ask kernel.org for kernels");
	if (list.count)
		qsort(list.items, list.count, sizeof(*list.items), compare_items);
	*ret = list;
	list = (struct series_list){ 0 };
	return NULL;
}
