// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/suite/suite_plan.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/error.h"
#include "common/base/memory.h"
#include "common/base/string_builder.h"
#include "common/base/string_list.h"
#include "common/kernel/catalog.h"
#include "common/store/store.h"
#include "vm/kernel/kernel.h"
#include "vm/suite/suite.h"

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
	/** Index of its architecture. */
	size_t arch;
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
			  const struct suite_request *request, size_t arch,
			  const struct release *release, const char *path)
{
	struct candidate *candidate = &candidates->items[candidates->count];

	candidate->arch = arch;
	candidate->release = *release;
	candidate->path = path;
	release_format(release, candidate->text);
	if (!kernel_is_wanted(release, candidate->text, NULL, request->flavors))
		return;
	for (size_t i = 0; i < candidates->count; i++) {
		if (candidates->items[i].arch == arch &&
		    strcmp(candidates->items[i].text, candidate->text) == 0)
			return;
	}
	candidates->count++;
}

static void add_asset(struct candidates *candidates,
		      const struct suite_request *request, const char *name)
{
	struct release release;
	char arch[ARCH_SIZE];

	if (!package_name_parse(name, &release, arch))
		return;
	for (size_t i = 0; i < request->arch_count; i++) {
		if (strcmp(arch, request->archs[i]->name) == 0)
			add_candidate(candidates, request, i, &release, NULL);
	}
}

/** The disk's come first, so that none of them is downloaded. */
static void find_candidates(const struct suite_request *request,
			    struct candidates *ret)
{
	size_t count = request->assets->count;

	for (size_t i = 0; i < request->arch_count; i++)
		count += request->disks[i].count;
	ret->items = memory_allocate(count + 1, sizeof(*ret->items));
	for (size_t i = 0; i < request->arch_count; i++) {
		const struct kernel_list *disk = &request->disks[i];

		for (size_t j = 0; j < disk->count; j++)
			add_candidate(ret, request, i, &disk->items[j].release,
				      disk->items[j].path);
	}
	for (size_t i = 0; i < request->assets->count; i++)
		add_asset(ret, request, request->assets->items[i].name);
}

/** Whether only the newer of two is taken. */
static bool is_superseded_by(enum suite_choice choice, const struct candidate *x,
			     const struct candidate *y)
{
	const struct release *a = &x->release;
	const struct release *b = &y->release;
	bool same = choice == SUITE_NEWEST_OF_SERIES
			    ? release_same_kind(a, b)
			    : kernel_version_compare(&a->version, &b->version) ==
					      0 &&
				      strcmp(a->flavor, b->flavor) == 0;

	return same && x->arch == y->arch && release_compare(a, b) < 0;
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
			superseded = candidates->items[j].matches &&
				     is_superseded_by(choice, candidate,
						      &candidates->items[j]);
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

static void choose_supported(struct candidates *candidates,
			     enum suite_choice choice,
			     const struct catalog *catalog)
{
	for (size_t i = 0; i < candidates->count; i++) {
		struct candidate *candidate = &candidates->items[i];

		candidate->matches =
			!catalog ||
			catalog_keeps(catalog, &candidate->release.version);
	}
	choose(candidates, choice);
}

static int compare_newest_first(const void *a, const void *b)
{
	const struct candidate *x = a;
	const struct candidate *y = b;

	if (x->arch != y->arch)
		return x->arch < y->arch ? -1 : 1;
	return release_compare(&y->release, &x->release);
}

static int compare_oldest_first(const void *a, const void *b)
{
	const struct candidate *x = a;
	const struct candidate *y = b;

	if (x->arch != y->arch)
		return x->arch < y->arch ? -1 : 1;
	return release_compare(&x->release, &y->release);
}

static void add_chosen(const struct suite_request *request,
		       const struct candidates *candidates, struct suite *ret)
{
	for (size_t i = 0; i < candidates->count; i++) {
		const struct candidate *candidate = &candidates->items[i];
		struct suite_item *item;

		if (!candidate->chosen)
			continue;
		item = suite_add(ret);
		if (!item)
			memory_exhausted();
		item->arch = request->archs[candidate->arch]->name;
		snprintf(item->name, sizeof(item->name), "%s%s%s",
			 candidate->text, request->arch_count > 1 ? "." : "",
			 request->arch_count > 1 ? item->arch : "");
		item->release = candidate->release;
		item->has_release = true;
		item->kernel = string_copy(candidate->text);
		if (!candidate->path)
			continue;
		item->path = string_copy(candidate->path);
	}
}

/** @param[in] pattern NULL for any. */
static struct error *no_kernel(const char *pattern,
			       const struct catalog_arch *const *archs,
			       size_t arch_count)
{
	_cleanup_string_builder_ struct string_builder sb = STRING_BUILDER_INIT;
	_cleanup_free_ char *names = NULL;

	for (size_t i = 0; i < arch_count; i++)
		string_builder_appendf(&sb, "%s%s", i ? " or " : "",
				       archs[i]->name);
	names = string_builder_take(&sb);
	return error_create(ERROR_NOT_FOUND,
			    "no kernel '%s' for %s; see vmtest-vm list",
			    pattern ? pattern : "*", names);
}

/** That the kernels of no architecture are left out altogether. */
static struct error *check_archs(const struct suite_request *request,
				 const struct candidates *candidates)
{
	for (size_t i = 0; i < request->arch_count; i++) {
		bool any = false;

		for (size_t j = 0; j < candidates->count && !any; j++)
			any = candidates->items[j].chosen &&
			      candidates->items[j].arch == i;
		if (!any)
			return no_kernel(NULL, &request->archs[i], 1);
	}
	return NULL;
}

struct error *suite_plan(const struct suite_request *request, struct suite *ret)
{
	struct error *err;

	const struct string_list *patterns = request->patterns;
	_cleanup_(cleanup_candidates) struct candidates candidates = { 0 };

	find_candidates(request, &candidates);
	for (size_t i = 0; i < patterns->count; i++) {
		if (!choose_pattern(&candidates, request->choice,
				    patterns->items[i]))
			return no_kernel(patterns->items[i], request->archs,
					 request->arch_count);
	}
	if (!patterns->count)
		choose_supported(&candidates, request->choice, request->catalog);
	err = check_archs(request, &candidates);
	if (err)
		return err;
	qsort(candidates.items, candidates.count, sizeof(*candidates.items),
	      request->choice == SUITE_NEWEST_OF_SERIES ? compare_newest_first
							: compare_oldest_first);
	add_chosen(request, &candidates, ret);
	return NULL;
}

static bool has_name(const struct suite *suite, const char *name)
{
	for (size_t i = 0; i < suite->count; i++) {
		if (strcmp(suite->items[i].name, name) == 0)
			return true;
	}
	return false;
}

void suite_add_folder(struct suite *suite, const char *release,
		      const char *arch, const char *path)
{
	char name[SUITE_NAME_SIZE];
	struct suite_item *item;

	snprintf(name, sizeof(name), "%s", release);
	for (unsigned int i = 2; has_name(suite, name); i++)
		snprintf(name, sizeof(name), "%s-%u", release, i);
	item = suite_add(suite);
	if (!item)
		memory_exhausted();
	strcpy(item->name, name);
	item->has_release = release_parse(release, &item->release);
	item->arch = arch;
	item->kernel = string_copy(path);
	item->path = string_copy(path);
}
