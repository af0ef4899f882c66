// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/suite_plan.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/catalog.h"
#include "common/error.h"
#include "common/store.h"
#include "common/string_list.h"
#include "vm/kernel.h"
#include "vm/suite.h"

/** @return NULL if there is no memory. */
static struct suite_item *suite_add(struct suite *suite)
{
	struct suite_item *items =
		reallocarray(suite->items, suite->count + 1, sizeof(*items));

	if (!items)
		return NULL;
	suite->items = items;
	items[suite->count] = (struct suite_item){ 0 };
	return &items[suite->count++];
}

/** A kernel that may be chosen. */
struct candidate {
	struct release release;
	char text[RELEASE_TEXT_SIZE];
	/** Borrowed; NULL if it is only in the store. */
	const char *path;
	/** Whether the pattern that is looked at means it. */
	bool matches;
	bool chosen;
};

struct candidates {
	struct candidate *items;
	size_t count;
};

static void cleanup_candidates(struct candidates *candidates)
{
	free(candidates->items);
}

static void add_candidate(struct candidates *candidates,
			  const struct suite_request *request,
			  const struct release *release, const char *path)
{
	struct candidate *candidate = &candidates->items[candidates->count];

	candidate->release = *release;
	candidate->path = path;
	release_format(release, candidate->text);
	if (!kernel_is_wanted(release, candidate->text, NULL, request->flavors))
		return;
	for (size_t i = 0; i < candidates->count; i++) {
		if (strcmp(candidates->items[i].text, candidate->text) == 0)
			return;
	}
	candidates->count++;
}

/** The disk's come first, so that none of them is downloaded. */
static struct error *find_candidates(const struct suite_request *request,
				     struct candidates *ret)
{
	const struct kernel_list *disk = request->disk;
	const struct asset_list *assets = request->assets;

	ret->items = calloc(disk->count + assets->count + 1, sizeof(*ret->items));
	if (!ret->items)
		return error_no_memory();
	for (size_t i = 0; i < disk->count; i++)
		add_candidate(ret, request, &disk->items[i].release,
			      disk->items[i].path);
	for (size_t i = 0; i < assets->count; i++) {
		struct release release;
		char arch[ARCH_SIZE];

		if (package_name_parse(assets->items[i].name, &release, arch) &&
		    strcmp(arch, request->arch) == 0)
			add_candidate(ret, request, &release, NULL);
	}
	return NULL;
}

/** Whether only the newer of two is taken. */
static bool is_superseded_by(enum suite_choice choice, const struct release *a,
			     const struct release *b)
{
	bool same = choice == SUITE_NEWEST_OF_SERIES
			    ? release_same_kind(a, b)
			    : kernel_version_compare(&a->version, &b->version) ==
					      0 &&
				      strcmp(a->flavor, b->flavor) == 0;

	return same && release_compare(a, b) < 0;
}

/** Choose among those that match. @return Whether there are any. */
static bool choose(struct candidates *candidates, enum suite_choice choice)
{
	bool any = false;

	for (size_t i = 0; i < candidates->count; i++) {
		struct candidate *candidate = &candidates->items[i];
		bool superseded = false;

		if (!candidate->matches)
			continue;
		any = true;
		for (size_t j = 0; j < candidates->count && !superseded; j++)
			superseded =
				candidates->items[j].matches &&
				is_superseded_by(choice, &candidate->release,
						 &candidates->items[j].release);
		candidate->chosen |= !superseded;
	}
	return any;
}

static bool choose_pattern(struct candidates *candidates,
			   enum suite_choice choice, const char *pattern)
{
	for (size_t i = 0; i < candidates->count; i++) {
		struct candidate *candidate = &candidates->items[i];

		candidate->matches = release_matches(candidate->text, pattern);
	}
	return choose(candidates, choice);
}

static bool choose_supported(struct candidates *candidates,
			     enum suite_choice choice,
			     const struct catalog *catalog)
{
	for (size_t i = 0; i < candidates->count; i++) {
		struct candidate *candidate = &candidates->items[i];

		candidate->matches =
			!catalog ||
			catalog_keeps(catalog, &candidate->release.version);
	}
	return choose(candidates, choice);
}

static int compare_newest_first(const void *a, const void *b)
{
	const struct candidate *x = a;
	const struct candidate *y = b;

	return release_compare(&y->release, &x->release);
}

static int compare_oldest_first(const void *a, const void *b)
{
	return compare_newest_first(b, a);
}

static struct error *add_chosen(const struct candidates *candidates,
				struct suite *ret)
{
	for (size_t i = 0; i < candidates->count; i++) {
		const struct candidate *candidate = &candidates->items[i];
		struct suite_item *item;

		if (!candidate->chosen)
			continue;
		item = suite_add(ret);
		if (!item)
			return error_no_memory();
		strcpy(item->name, candidate->text);
		item->release = candidate->release;
		item->has_release = true;
		if (!candidate->path)
			continue;
		item->path = strdup(candidate->path);
		if (!item->path)
			return error_no_memory();
	}
	return NULL;
}

struct error *suite_plan(const struct suite_request *request, struct suite *ret)
{
	struct error *err;

	const struct string_list *patterns = request->patterns;
	_cleanup_(cleanup_candidates) struct candidates candidates = { 0 };

	err = find_candidates(request, &candidates);
	if (err)
		return err;
	for (size_t i = 0; i < patterns->count; i++) {
		if (!choose_pattern(&candidates, request->choice,
				    patterns->items[i]))
			return error_create(ERROR_NOT_FOUND,
					    "no kernel '%s' for %s; see vmtest-vm list",
					    patterns->items[i], request->arch);
	}
	if (!patterns->count &&
	    !choose_supported(&candidates, request->choice, request->catalog))
		return error_create(ERROR_NOT_FOUND,
				    "no kernels for %s; see vmtest-vm list",
				    request->arch);
	qsort(candidates.items, candidates.count, sizeof(*candidates.items),
	      request->choice == SUITE_NEWEST_OF_SERIES ? compare_newest_first
							: compare_oldest_first);
	return add_chosen(&candidates, ret);
}

static bool has_name(const struct suite *suite, const char *name)
{
	for (size_t i = 0; i < suite->count; i++) {
		if (strcmp(suite->items[i].name, name) == 0)
			return true;
	}
	return false;
}

struct error *suite_add_folder(struct suite *suite, const char *release,
			       const char *path)
{
	char name[RELEASE_TEXT_SIZE];
	struct suite_item *item;

	snprintf(name, sizeof(name), "%s", release);
	for (unsigned int i = 2; has_name(suite, name); i++)
		snprintf(name, sizeof(name), "%.100s-%u", release, i);
	item = suite_add(suite);
	if (!item)
		return error_no_memory();
	strcpy(item->name, name);
	item->has_release = release_parse(release, &item->release);
	item->is_folder = true;
	item->path = strdup(path);
	return item->path ? NULL : error_no_memory();
}
