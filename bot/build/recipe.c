// SPDX-License-Identifier: LGPL-2.1-or-later

#include "bot/build/build.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bot/plan/plan.h"
#include "common/archive/archive.h"
#include "common/base/error.h"
#include "common/base/file.h"
#include "common/base/memory.h"
#include "common/base/text.h"
#include "common/kernel/catalog.h"
#include "common/store/store.h"
#include "kbuild/config/config.h"
#include "kbuild/package/package.h"
#include "kbuild/source/source.h"

/** What a kernel is made from beside its source. */
struct recipe {
	struct option_set options;
	/** Paths. */
	struct string_list patches;
	char patches_digest[DIGEST_TEXT_SIZE];
};

static void recipe_deinit(struct recipe *recipe)
{
	option_set_deinit(&recipe->options);
	string_list_deinit(&recipe->patches);
}

#define _cleanup_recipe_ _cleanup_(recipe_deinit)

static struct error *recipe_read(const struct catalog *catalog,
				 const char *arch_name,
				 const struct release *release,
				 struct recipe *ret)
{
	struct error *err;

	struct config_request request = {
		.catalog = catalog,
		.release = *release,
	};
	// A rebuild is made as the first is.
	request.release.patch = 0;
	err = catalog_find_arch(catalog, arch_name, &request.arch);
	if (!err)
		err = catalog_find_flavor(catalog, release->flavor,
					  &request.flavor);
	if (!err)
		err = catalog_flavor_check(request.flavor, request.arch,
					   &release->version);
	if (!err)
		err = config_compose(&request, &ret->options);
	if (err)
		return err;
	const struct bounds_target target = { catalog, request.arch,
					      &release->version };
	return patches_find(&target, &ret->patches, ret->patches_digest);
}

struct error *recipe_digest(const struct catalog *catalog, const char *arch_name,
			    const struct release *release, const char *tool,
			    char digest_ret[static RECIPE_SIZE])
{
	struct error *err;

	_cleanup_recipe_ struct recipe recipe = { 0 };
	err = recipe_read(catalog, arch_name, release, &recipe);
	if (err)
		return err;
	const struct catalog_gcc *gcc;
	err = catalog_find_gcc(catalog, &release->version, &gcc);
	if (err)
		return err;
	char crosstool[KERNEL_VERSION_TEXT_SIZE];
	kernel_version_format(&catalog->gcc.crosstool, crosstool);
	_cleanup_free_ char *config = option_set_format(&recipe.options);
	_cleanup_free_ char *text =
		string_format("%s\n%s\n%u %u %s\n%s", tool,
			      recipe.patches_digest, catalog->gcc.reference,
			      gcc->newest, crosstool, config);
	char digest[DIGEST_TEXT_SIZE];
	digest_buffer(text, strlen(text), digest);
	snprintf(digest_ret, RECIPE_SIZE, "%.*s", RECIPE_SIZE - 1, digest);
	return NULL;
}

/** Read what an asset holds, as far as its configuration. */
static struct error *read_last(struct store *store, const struct asset *asset,
			       struct package_notes *notes, char **config_ret)
{
	struct error *err;
	struct archive_member members[] = {
		PACKAGE_INFO,
		{ "./build/.config", CONFIG_LIMIT_BYTES, NULL },
	};

	_cleanup_stream_ struct stream *stream = NULL;
	err = store_open(store, asset, &stream);
	if (!err)
		err = archive_members_read(stream, members, array_size(members));
	if (!err)
		err = package_notes_parse(members[0].text, asset->name, notes);
	free(members[0].text);
	*config_ret = members[1].text;
	return err;
}

static void compare_compilers(const char *now, const char *then,
			      struct string_list *ret)
{
	size_t length = then ? strlen(then) : 0;

	// What a package says ends in the version.
	if (now && length &&
	    (length < strlen(now) ||
	     strcmp(then + length - strlen(now), now) != 0))
		string_list_addf(ret, "GCC %s, which was %s", now, then);
}

static void compare_patches(const struct string_list *paths,
			    const struct string_list *then,
			    struct string_list *ret)
{
	_cleanup_string_list_ struct string_list now = { 0 };

	for (size_t i = 0; i < paths->count; i++) {
		string_list_add(&now, path_name(paths->items[i]));
		if (!string_list_contains(then, now.items[i]))
			string_list_add(ret, now.items[i]);
	}
	for (size_t i = 0; i < then->count; i++) {
		if (!string_list_contains(&now, then->items[i]))
			string_list_addf(ret, "no %s", then->items[i]);
	}
}

static struct error *compare_options(struct option_set *options,
				     const char *config,
				     const struct string_list *lost,
				     struct string_list *ret)
{
	struct error *err;

	_cleanup_string_list_ struct string_list changed = { 0 };
	for (size_t i = 0; i < options->count; i++)
		options->items[i].is_essential = false;
	err = config_check(options, config, &changed);
	for (size_t i = 0; i < changed.count && !err; i++) {
		// The name of the kernel is none of its options.
		if (strncmp(changed.items[i], "CONFIG_LOCALVERSION=", 20) != 0 &&
		    !string_list_contains(lost, changed.items[i]))
			string_list_add(ret, changed.items[i]);
	}
	return err;
}

struct error *recipe_changes(const struct catalog *catalog,
			     const struct plan_item *item, const char *compiler,
			     struct store *store, const struct asset *last,
			     struct string_list *ret)
{
	struct error *err;

	_cleanup_recipe_ struct recipe recipe = { 0 };
	err = recipe_read(catalog, item->arch->name, &item->release, &recipe);
	if (err)
		return err;
	_cleanup_package_notes_ struct package_notes notes = { 0 };
	_cleanup_free_ char *config = NULL;
	err = read_last(store, last, &notes, &config);
	if (err)
		return err;
	compare_compilers(compiler, notes.compiler, ret);
	compare_patches(&recipe.patches, &notes.patches, ret);
	return compare_options(&recipe.options, config, &notes.lost_options, ret);
}
