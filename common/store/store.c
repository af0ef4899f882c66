// SPDX-License-Identifier: LGPL-2.1-or-later

#include "common/store/store.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/base/error.h"
#include "common/base/file.h"
#include "common/base/interrupt.h"
#include "common/base/memory.h"
#include "common/base/system.h"
#include "common/base/text.h"
#include "common/http/http.h"
#include "common/store/store_internal.h"

enum {
	/** Leaves room for what a temporary name or a digest's adds to it. */
	ASSET_NAME_MAX = 200,
	/** For how long what was put may be missing from the list. */
	SHOWS_LIMIT_MS = 60000,
};

static const struct store_operations *const kinds[] = {
	&store_directory_operations,
	&store_github_operations,
};

void asset_deinit(struct asset *asset)
{
	free(asset->name);
	free(asset->url);
	free(asset->label);
	*asset = (struct asset){ 0 };
}

void asset_list_deinit(struct asset_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		asset_deinit(&list->items[i]);
	free(list->items);
	*list = (struct asset_list){ 0 };
}

const struct asset *asset_list_find(const struct asset_list *list,
				    const char *name)
{
	for (size_t i = 0; i < list->count; i++) {
		if (strcmp(list->items[i].name, name) == 0)
			return &list->items[i];
	}
	return NULL;
}

bool asset_name_is_valid(const char *name)
{
	static const char suffix[] = ".tar.zst";
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyz"
				      "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789.-_";
	size_t length = strlen(name), suffix_length = strlen(suffix);

	return length > suffix_length && length <= ASSET_NAME_MAX &&
	       !strchr(".-_", name[0]) && strspn(name, allowed) == length &&
	       strcmp(name + length - suffix_length, suffix) == 0;
}

struct error *store_create(const char *name, struct http *http, struct store **ret)
{
	struct error *err;

	for (size_t i = 0; i < array_size(kinds); i++) {
		_cleanup_store_ struct store *store = NULL;
		size_t length = strlen(kinds[i]->prefix);

		if (strncmp(name, kinds[i]->prefix, length) != 0)
			continue;
		err = kinds[i]->create(name + length, http, &store);
		if (err)
			return error_wrap(err, "store '%s'", name);
		store->name = string_copy(name);
		*ret = take_ptr(store);
		return NULL;
	}
	_cleanup_string_builder_ struct string_builder forms = { 0 };
	for (size_t i = 0; i < array_size(kinds); i++)
		string_builder_appendf(&forms, "%s%s", i ? " or " : "",
				       kinds[i]->form);
	return error_create(ERROR_USAGE, "store '%s': a store is written %s",
			    name, forms.text);
}

void store_destroy(struct store *store)
{
	if (!store)
		return;
	free(store->name);
	store->operations->destroy(store);
}

const char *store_name(const struct store *store)
{
	return store->name;
}

const char *store_repository(const struct store *store)
{
	return store->operations->repository
		       ? store->operations->repository(store)
		       : NULL;
}

static int asset_compare(const void *a, const void *b)
{
	return strcmp(((const struct asset *)a)->name,
		      ((const struct asset *)b)->name);
}

struct error *store_list(struct store *store, struct asset_list *ret)
{
	struct error *err;

	_cleanup_asset_list_ struct asset_list list = { 0 };
	err = store->operations->list(store, &list);
	if (err)
		return error_wrap(err, "list %s", store->name);
	if (list.count)
		qsort(list.items, list.count, sizeof(*list.items), asset_compare);
	*ret = take(list);
	return NULL;
}

struct error *store_open(struct store *store, const struct asset *asset,
			 struct stream **ret)
{
	return error_wrap(store->operations->open(store, asset, ret),
			  "get %s from %s", asset->name, store->name);
}

struct error *store_put(struct store *store, const char *path, const char *label,
			struct progress *progress, char **url_ret)
{
	struct error *err;
	_cleanup_free_ char *url = NULL;
	const char *name = path_name(path);

	if (!asset_name_is_valid(name))
		return error_create(ERROR_USAGE,
				    "put %s: an asset's name is made of letters, digits and '.-_', and ends in .tar.zst",
				    path);
	err = store->operations->put(store, path, name, label, progress, &url);
	if (err)
		return error_wrap(err, "put %s into %s", name, store->name);
	if (url_ret)
		*url_ret = take_ptr(url);
	return NULL;
}

struct error *store_check_writable(struct store *store)
{
	return error_wrap(store->operations->check_writable(store),
			  "write to %s", store->name);
}

static bool has_all(const struct asset_list *list, const struct string_list *names)
{
	for (size_t i = 0; i < names->count; i++) {
		if (!asset_list_find(list, names->items[i]))
			return false;
	}
	return true;
}

struct error *store_list_until(struct store *store, const struct string_list *names,
			       uint64_t limit_ms, struct asset_list *ret)
{
	struct error *err;

	uint64_t end_ms = monotonic_ms() + limit_ms;
	for (unsigned int waits = 0;; waits++) {
		_cleanup_asset_list_ struct asset_list list = { 0 };

		err = store_list(store, &list);
		if (err)
			return err;
		if (has_all(&list, names) || monotonic_ms() > end_ms) {
			*ret = take(list);
			return NULL;
		}
		err = interrupt_sleep(backoff_ms(&backoff_failure, waits));
		if (err)
			return err;
	}
}

static struct error *put_and_delete(struct store *store)
{
	static char name[] = "vmtest-probe.tar.zst";
	static char *items[] = { name, NULL };
	static const struct string_list names = { items, 1 };
	struct error *err;

	_cleanup_close_ int fd = memfd_create(name, MFD_CLOEXEC);
	if (fd < 0 || write(fd, name, sizeof(name)) != (ssize_t)sizeof(name))
		return error_create_os(errno, "memfd_create");
	_cleanup_free_ char *path = string_format("/proc/self/fd/%d", fd);
	_cleanup_free_ char *url = NULL;
	err = store->operations->put(store, path, name, NULL, NULL, &url);
	if (err)
		return err;
	_cleanup_asset_list_ struct asset_list list = { 0 };
	err = store_list_until(store, &names, SHOWS_LIMIT_MS, &list);
	if (err)
		return err;
	const struct asset *asset = asset_list_find(&list, name);
	if (!asset)
		return error_create(ERROR_RETRY,
				    "%s was put, but does not show; try again later",
				    name);
	return store->operations->delete (store, asset);
}

struct error *store_prove(struct store *store)
{
	return error_wrap(put_and_delete(store), "write to %s", store->name);
}

struct error *store_delete(struct store *store, const struct asset *asset)
{
	return error_wrap(store->operations->delete (store, asset),
			  "delete %s from %s", asset->name, store->name);
}

void store_get_room(const struct store *store, struct store_room *ret)
{
	*ret = (struct store_room){ store->used, store->operations->limit };
}

char *store_page(struct store *store)
{
	return store->operations->page(store);
}

struct error *store_describe(struct store *store, const char *markdown)
{
	size_t characters = 0;

	// Every byte of UTF-8 that does not continue a character begins one.
	for (const char *p = markdown; *p; p++)
		characters += (*p & 0xc0) != 0x80;
	if (characters > STORE_PAGE_MAX)
		return error_create(ERROR_OTHER,
				    "describe %s: %zu characters are more than the %d that a page may have",
				    store->name, characters, STORE_PAGE_MAX);
	return error_wrap(store->operations->describe(store, markdown),
			  "describe %s", store->name);
}
