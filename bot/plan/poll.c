// SPDX-License-Identifier: LGPL-2.1-or-later

#include "bot/plan/plan.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/error.h"
#include "common/base/json.h"
#include "common/base/memory.h"
#include "common/http/http.h"
#include "common/kernel/catalog.h"
#include "common/kernel/remote.h"

static int compare_items(const void *a, const void *b)
{
	const struct series_item *x = a, *y = b;

	return kernel_version_compare(&y->version, &x->version);
}

/** Keep the newest of each series, in order. */
static void series_list_add(struct series_list *list,
			    const struct catalog *catalog,
			    const struct kernel_version *version, bool alive)
{
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
	vector_add(list) = (struct series_item){ *version, alive };
	qsort(list->items, list->count, sizeof(*list->items), compare_items);
}

/** What releases.json says. */
struct releases {
	const char **items;
	size_t count;
	/** NULL if it names none. */
	const char *latest_stable;
};

static struct error *read_version(const struct value *value, void *ret)
{
	const struct value version = value_member(value, "version");

	return value_string(&version, ret);
}

struct error *series_list_add_releases(struct series_list *list,
				       const struct catalog *catalog,
				       const char *text, const char *name)
{
	static const struct value_row rows[] = {
		VALUE_ITEMS("releases", read_version, struct releases, items),
		VALUE_OPTIONAL("latest_stable", read_version, struct releases,
			       latest_stable),
	};
	struct error *err;

	_cleanup_value_ struct value document = { 0 };
	err = value_parse_answer(text, strlen(text), name, &document);
	if (err)
		return err;
	struct releases releases = { 0 };
	err = value_read(&document, rows, array_size(rows), &releases);
	_cleanup_free_ const char **versions = releases.items;
	if (err)
		return err;
	list->has_latest_stable = releases.latest_stable;
	if (releases.latest_stable &&
	    !kernel_version_parse(releases.latest_stable, &list->latest_stable))
		return error_create(ERROR_OTHER,
				    "%s: \"latest_stable\" is not a version",
				    name);
	size_t count = 0;
	for (size_t i = 0; i < releases.count; i++) {
		struct kernel_version version;

		if (!kernel_version_parse(versions[i], &version))
			continue;
		count++;
		series_list_add(list, catalog, &version, true);
	}
	// Not even one: to go on would mean that there is nothing to build.
	if (!count)
		return error_create(ERROR_OTHER, "%s: it lists no kernel", name);
	return NULL;
}

void series_list_add_tag(struct series_list *list,
			 const struct catalog *catalog, const char *tag)
{
	struct kernel_version version;

	if (tag[0] == 'v' && kernel_version_parse(tag + 1, &version))
		series_list_add(list, catalog, &version, false);
}

static struct error *ask(const struct catalog *catalog, struct http *http,
			 struct series_list *list)
{
	struct error *err;

	const struct http_request request = {
		.url = catalog->kernel_org.releases_url,
	};
	_cleanup_http_response_ struct http_response response = { 0 };
	err = http_perform_ok(http, &request, &response);
	if (err)
		return err;
	err = series_list_add_releases(list, catalog, response.body, request.url);
	if (err)
		return err;
	_cleanup_ref_list_ struct ref_list refs = { 0 };
	const char *mirror = catalog->kernel_org.mirror_url;
	err = ref_list_request(http, catalog->kernel_org.git_url, &refs);
	if (mirror_is_asked(err, mirror))
		err = mirror_settle(err, ref_list_request(http, mirror, &refs),
				    mirror);
	if (err)
		return err;
	for (size_t i = 0; i < refs.count; i++) {
		const char *tag = ref_tag(&refs.items[i]);

		if (tag)
			series_list_add_tag(list, catalog, tag);
	}
	return NULL;
}

struct error *poll_kernels(const struct catalog *catalog, struct http *http,
			   struct series_list *ret)
{
	return error_wrap(ask(catalog, http, ret), "ask kernel.org for kernels");
}
