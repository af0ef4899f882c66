// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/suite/suite_list.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/error.h"
#include "common/base/file.h"
#include "common/base/memory.h"
#include "common/base/text.h"

enum {
	LIMIT_BYTES = 1 << 20,
};

void suite_list_deinit(struct suite_list *list)
{
	for (size_t i = 0; i < list->count; i++) {
		free(list->items[i].kernel);
		free(list->items[i].digest);
	}
	free(list->items);
	*list = (struct suite_list){ 0 };
}

json_t *suite_item_json(const struct suite_item *item)
{
	return json_pack("{s:o, s:s, s:s, s:s}", "kernel",
			 text_json(item->kernel), "arch", item->arch, "flavor",
			 item->release.flavor, "sha256", item->digest);
}

char *suite_list_format(const struct suite *suite, bool failed_only)
{
	json_t *list = json_array();

	for (size_t i = 0; i < suite->count; i++) {
		if (!failed_only || suite_state_is_failure(suite->items[i].state))
			json_array_append_new(list,
					      suite_item_json(&suite->items[i]));
	}
	_cleanup_free_ char *text = json_text(list, JSON_INDENT(2));
	return string_format("%s\n", text);
}

static struct error *read_listed(const struct value *value, void *ret)
{
	static const struct value_row rows[] = {
		VALUE_REQUIRED("kernel", value_copy, struct suite_listed, kernel),
		VALUE_REQUIRED("arch", value_arch, struct suite_listed, arch),
		VALUE_REQUIRED("sha256", value_copy, struct suite_listed, digest),
	};

	return value_read(value, rows, array_size(rows), ret);
}

struct error *suite_list_read(const char *path, struct suite_list *ret)
{
	struct error *err;

	_cleanup_free_ char *text = NULL;
	size_t size;
	err = file_read(path, LIMIT_BYTES, &text, &size);
	if (err)
		return err;
	_cleanup_value_ struct value document = { 0 };
	err = value_parse(text, size, path, ERROR_USAGE, &document);
	if (err)
		return err;
	_cleanup_suite_list_ struct suite_list list = { 0 };
	err = value_items(&document, read_listed, sizeof(*list.items), &list);
	if (err)
		return err;
	*ret = take(list);
	return NULL;
}

static bool is_listed(const struct suite_listed *listed,
		      const struct suite_item *item)
{
	return strcmp(listed->kernel, item->kernel) == 0 &&
	       strcmp(listed->arch, item->arch) == 0;
}

/** Whether it is another package of the same name. */
static bool has_changed(const struct suite_listed *listed,
			const struct suite_item *item)
{
	return *listed->digest && *item->digest &&
	       strcmp(listed->digest, item->digest) != 0;
}

void suite_keep_listed(struct suite *suite, const struct suite_list *list,
		       bool listed)
{
	struct suite kept = { 0 };
	struct suite rest = { 0 };

	for (size_t i = 0; i < suite->count; i++) {
		struct suite_item *item = &suite->items[i];
		bool found = false;

		for (size_t j = 0; j < list->count; j++)
			found |= is_listed(&list->items[j], item) &&
				 (listed || !has_changed(&list->items[j], item));
		struct suite *to = found == listed ? &kept : &rest;

		vector_add(to) = take(*item);
	}
	suite_deinit(suite);
	suite_deinit(&rest);
	*suite = kept;
}

const struct suite_listed *suite_list_find_kind(const struct suite_list *list,
						const struct suite_item *item)
{
	for (size_t i = 0; i < list->count; i++) {
		const struct suite_listed *listed = &list->items[i];
		struct release release;

		if (strcmp(listed->arch, item->arch) == 0 &&
		    release_parse(listed->kernel, &release) &&
		    release_same_kind(&release, &item->release))
			return listed;
	}
	return NULL;
}

struct error *suite_check_list(const struct suite *suite,
			       const struct suite_list *list, const char *name)
{
	for (size_t i = 0; i < list->count; i++) {
		const struct suite_listed *listed = &list->items[i];
		const struct suite_item *item = NULL;

		for (size_t j = 0; j < suite->count && !item; j++) {
			if (is_listed(listed, &suite->items[j]))
				item = &suite->items[j];
		}
		if (!item)
			return error_create(ERROR_NOT_FOUND,
					    "%s: %s for %s is neither on disk nor in the store any more; choose anew with vmtest-vm lock --update",
					    name, listed->kernel, listed->arch);
		if (has_changed(listed, item))
			return error_create(ERROR_OTHER,
					    "%s: the store's %s for %s has the digest %s, and not %s: it is another package",
					    name, listed->kernel, listed->arch,
					    item->digest, listed->digest);
	}
	return NULL;
}
