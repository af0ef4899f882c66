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
	struct candidate candidate = {
		.arch = arch,
		.release = *release,
		.path = path,
	};

	release_format(release, candidate.text);
	if (!kernel_is_wanted(release, candidate.text, NULL, request->flavors))
		return;
	for (size_t i = 0; i < candidates->count; i++) {
		if (candidates->items[i].arch == arch &&
		    strcmp(candidates->items[i].text, candidate.text) == 0)
			return;
	}
	vector_add(candidates) = candidate;
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

/**
 * Choose among those that a pattern means, or, without one, that the catalog
 * keeps. @return Whether there are any.
 */
static bool choose(struct candidates *candidates,
		   const struct suite_request *request, const char *pattern)
{
	const struct catalog *catalog = request->catalog;
	bool any = false;

	for (size_t i = 0; i < candidates->count; i++) {
		struct candidate *x = &candidates->items[i];

		x->matches =
			pattern ? release_matches(x->text, pattern)
				: !catalog || catalog_keeps(catalog,
							    &x->release.version);
		any |= x->matches;
	}
	for (size_t i = 0; i < candidates->count; i++) {
		struct candidate *x = &candidates->items[i];
		bool superseded = !x->matches;

		for (size_t j = 0; j < candidates->count && !superseded; j++)
			superseded = candidates->items[j].matches &&
				     is_superseded_by(request->choice, x,
						      &candidates->items[j]);
		x->chosen |= !superseded;
	}
	return any;
}

static int compare_candidates(const void *a, const void *b, void *choice)
{
	const struct candidate *x = a, *y = b;
	int order = release_compare(&x->release, &y->release);

	if (x->arch != y->arch)
		return x->arch < y->arch ? -1 : 1;
	return *(enum suite_choice *)choice == SUITE_NEWEST_OF_SERIES ? -order
								      : order;
}

static void add_chosen(const struct suite_request *request,
		       const struct candidates *candidates, struct suite *ret)
{
	for (size_t i = 0; i < candidates->count; i++) {
		const struct candidate *candidate = &candidates->items[i];
		const char *arch = request->archs[candidate->arch]->name;
		bool is_one = request->arch_count == 1;

		if (!candidate->chosen)
			continue;
		struct suite_item *item = &vector_add(ret);
		*item = (struct suite_item){
			.arch = arch,
			.release = candidate->release,
			.has_release = true,
			.kernel = string_copy(candidate->text),
			.path = string_copy(candidate->path),
		};
		snprintf(item->name, sizeof(item->name), "%s%s%s",
			 candidate->text, is_one ? "" : ".", is_one ? "" : arch);
	}
}

static struct error *no_kernel(const char *pattern,
			       const struct catalog_arch *const *archs,
			       size_t arch_count)
{
	_cleanup_string_builder_ struct string_builder sb = { 0 };

	for (size_t i = 0; i < arch_count; i++)
		string_builder_appendf(&sb, "%s%s", i ? " or " : "",
				       archs[i]->name);
	return error_create(ERROR_NOT_FOUND,
			    "no kernel '%s' for %s; see vmtest-vm list",
			    pattern, sb.text);
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
			return no_kernel("*", &request->archs[i], 1);
	}
	return NULL;
}

struct error *suite_plan(const struct suite_request *request, struct suite *ret)
{
	struct error *err;

	enum suite_choice choice = request->choice;
	const struct string_list *patterns = request->patterns;
	_cleanup_(cleanup_candidates) struct candidates candidates = { 0 };
	find_candidates(request, &candidates);
	for (size_t i = 0; i < patterns->count; i++) {
		if (!choose(&candidates, request, patterns->items[i]))
			return no_kernel(patterns->items[i], request->archs,
					 request->arch_count);
	}
	if (!patterns->count)
		choose(&candidates, request, NULL);
	err = check_archs(request, &candidates);
	if (err)
		return err;
	qsort_r(candidates.items, candidates.count, sizeof(*candidates.items),
		compare_candidates, &choice);
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

void suite_add_directory(struct suite *suite, const char *release,
			 const char *arch, const char *path)
{
	char name[SUITE_NAME_SIZE];

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
	item->has_release = release_parse(release, &item->release);
}
