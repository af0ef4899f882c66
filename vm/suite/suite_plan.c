// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/suite/suite.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/error.h"
#include "common/base/memory.h"
#include "common/base/text.h"
#include "common/kernel/catalog.h"
#include "common/store/store.h"
#include "vm/kernel/kernel.h"

enum {
	/** A package of 75 MB is 260 MB of files; others are alike. */
	UNPACKED_RATIO = 3,
};

/** Whether only the newer of two is taken. */
static bool is_same_kind(enum suite_choice choice, const struct kernel_entry *x,
			 const struct kernel_entry *y)
{
	const struct release *a = &x->release;
	const struct release *b = &y->release;

	if (strcmp(x->arch, y->arch) != 0)
		return false;
	if (choice == SUITE_NEWEST_OF_SERIES)
		return release_same_kind(a, b);
	return kernel_version_compare(&a->version, &b->version) == 0 &&
	       strcmp(a->flavor, b->flavor) == 0;
}

/**
 * Choose among those that a pattern means, or, without one, that the catalog
 * keeps.
 *
 * @param[in] round Not 0, and another one each time.
 * @param[in,out] rounds In which round each was chosen last; 0 for none.
 * @return Whether there are any.
 */
static bool choose(const struct suite_request *request, const char *pattern,
		   size_t round, size_t *rounds)
{
	const struct kernel_list *list = request->kernels;
	bool any = false;

	for (size_t i = 0; i < list->count; i++) {
		const struct kernel_entry *entry = &list->items[i];
		bool chosen =
			kernel_is_wanted(entry, pattern, request->flavors) &&
			(pattern || !request->catalog ||
			 catalog_keeps(request->catalog, &entry->release.version));

		// The newest of a kind comes first.
		for (size_t j = 0; j < i && chosen; j++)
			chosen = rounds[j] != round ||
				 !is_same_kind(request->choice, entry,
					       &list->items[j]);
		if (chosen)
			rounds[i] = round;
		any |= chosen;
	}
	return any;
}

static struct error *no_kernel(const char *pattern, char *const *archs,
			       size_t arch_count)
{
	_cleanup_string_builder_ struct string_builder sb = { 0 };

	for (size_t i = 0; i < arch_count; i++)
		string_builder_appendf(&sb, "%s%s", i ? " or " : "", archs[i]);
	return error_create(ERROR_NOT_FOUND,
			    "no kernel '%s' for %s; see vmtest-vm list",
			    pattern, sb.text);
}

/** @return Whether there was any. */
static bool add_chosen(const struct suite_request *request, const char *arch,
		       const size_t *rounds, struct suite *suite)
{
	size_t before = suite->count;
	size_t count = request->kernels->count;

	for (size_t i = 0; i < count; i++) {
		size_t index = request->choice == SUITE_NEWEST_OF_SERIES
				       ? i
				       : count - 1 - i;
		const struct kernel_entry *entry =
			&request->kernels->items[index];
		bool is_one = request->archs->count == 1;

		if (!rounds[index] || strcmp(entry->arch, arch) != 0)
			continue;
		struct suite_item *item = &vector_add(suite);
		*item = (struct suite_item){
			.arch = arch,
			.release = entry->release,
			.kernel = string_copy(entry->text),
			.path = string_copy(entry->path),
		};
		if (entry->asset) {
			item->size_bytes = entry->asset->size_bytes;
			strcpy(item->digest, entry->asset->digest);
		}
		snprintf(item->name, sizeof(item->name), "%s%s%s", entry->text,
			 is_one ? "" : ".", is_one ? "" : arch);
	}
	return suite->count > before;
}

struct error *suite_plan(const struct suite_request *request, struct suite *ret)
{
	const struct string_list *patterns = request->patterns;
	const struct string_list *archs = request->archs;
	_cleanup_free_ size_t *rounds =
		memory_allocate(request->kernels->count, sizeof(*rounds));
	for (size_t i = 0; i < patterns->count; i++) {
		if (!choose(request, patterns->items[i], i + 1, rounds))
			return no_kernel(patterns->items[i], archs->items,
					 archs->count);
	}
	if (!patterns->count)
		choose(request, NULL, 1, rounds);
	_cleanup_suite_ struct suite suite = { 0 };
	for (size_t i = 0; i < archs->count; i++) {
		if (!add_chosen(request, archs->items[i], rounds, &suite))
			return no_kernel("*", &archs->items[i], 1);
	}
	*ret = take(suite);
	return NULL;
}

void suite_shuffle(struct suite *suite, unsigned int seed)
{
	for (size_t i = suite->count; i > 1; i--) {
		struct suite_item *other =
			&suite->items[(size_t)rand_r(&seed) % i];
		struct suite_item last = suite->items[i - 1];

		suite->items[i - 1] = *other;
		*other = last;
	}
}

static int compare_sizes(const void *a_, const void *b_)
{
	const uint64_t *a = a_, *b = b_;

	return (*a < *b) - (*a > *b);
}

uint64_t suite_room_bytes(const struct suite *suite, size_t at_once)
{
	_cleanup_free_ uint64_t *sizes =
		memory_allocate(suite->count + 1, sizeof(*sizes));
	uint64_t total = 0;

	for (size_t i = 0; i < suite->count; i++) {
		if (!suite->items[i].path)
			sizes[i] = suite->items[i].size_bytes;
	}
	qsort(sizes, suite->count, sizeof(*sizes), compare_sizes);
	for (size_t i = 0; i < suite->count && i < at_once; i++)
		total += sizes[i] * UNPACKED_RATIO;
	return total;
}

static bool has_name(const struct suite *suite, const char *name)
{
	for (size_t i = 0; i < suite->count; i++) {
		if (strcmp(suite->items[i].name, name) == 0)
			return true;
	}
	return false;
}

void suite_add_directory(struct suite *suite, const char *release,
			 const char *arch, const char *path)
{
	char name[sizeof(suite->items->name)];

	snprintf(name, sizeof(name), "%s", release);
	for (unsigned int i = 2; has_name(suite, name); i++)
		snprintf(name, sizeof(name), "%s-%u", release, i);

	struct suite_item *item = &vector_add(suite);

	*item = (struct suite_item){
		.arch = arch,
		.kernel = string_copy(path),
		.path = string_copy(path),
	};
	strcpy(item->name, name);
	release_parse(release, &item->release);
}
