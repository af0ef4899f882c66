// SPDX-License-Identifier: LGPL-2.1-or-later

#include "kbuild/config/config.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "common/base/error.h"
#include "common/base/file.h"
#include "common/base/string_builder.h"
#include "common/base/string_list.h"
#include "common/kernel/catalog.h"
#include "kbuild/config/bounds.h"
#include "kbuild/config/fragment.h"
#include "kbuild/make.h"

enum {
	FRAGMENT_LIMIT_BYTES = 1 << 20,
	CONFIG_LIMIT_BYTES = 16 << 20,
};

/** A fragment of a composition, by the name of its file. */
struct layer {
	const char *first;
	/** Follows after a dash; may be NULL. */
	const char *second;
	bool is_optional;
};

static struct error *apply_layer(struct option_set *set, const char *directory,
				 const struct layer *layer,
				 const struct bounds_target *target)
{
	struct error *err;

	_cleanup_string_builder_ struct string_builder sb = STRING_BUILDER_INIT;
	string_builder_append(&sb, layer->first);
	if (layer->second)
		string_builder_appendf(&sb, "-%s", layer->second);
	string_builder_append(&sb, ".config");
	_cleanup_free_ char *name = string_builder_take(&sb);
	_cleanup_free_ char *path = path_join(directory, name);
	_cleanup_free_ char *text = NULL;
	size_t size;
	err = file_read(path, FRAGMENT_LIMIT_BYTES, &text, &size);
	if (layer->is_optional && error_catch(&err, ERROR_NOT_FOUND))
		return NULL;
	if (err)
		return err;
	return option_set_apply(set, name, text, size, target);
}

struct error *config_compose(const struct catalog *catalog,
			     const struct catalog_arch *arch,
			     const struct release *release,
			     struct option_set *set)
{
	struct error *err;

	_cleanup_string_list_ struct string_list archs = STRING_LIST_INIT;
	for (size_t i = 0; i < catalog->arch_count; i++)
		string_list_add(&archs, catalog->archs[i].name);
	struct bounds_target target = {
		.version = &release->version,
		.arch = arch->name,
		.known_archs = &archs,
	};
	const struct layer layers[] = {
		{ "base", NULL, false },
		{ release->flavor, NULL, false },
		{ arch->name, NULL, false },
		{ arch->name, release->flavor, true },
	};
	for (size_t i = 0; i < array_size(layers); i++) {
		err = apply_layer(set, catalog->directory, &layers[i], &target);
		if (err)
			return error_wrap(err, "compose the configuration");
	}

	char local[RELEASE_TEXT_SIZE];
	release_format_local(release, local);
	_cleanup_string_builder_ struct string_builder sb = STRING_BUILDER_INIT;
	string_builder_appendf(&sb, "\"%s\"", local);
	_cleanup_free_ char *value = string_builder_take(&sb);
	option_set_put(set, "CONFIG_LOCALVERSION", value, "the release");
	return NULL;
}

struct error *config_read(const char *build, char **ret, size_t *size_ret)
{
	_cleanup_free_ char *path = path_join(build, ".config");
	return file_read(path, CONFIG_LIMIT_BYTES, ret, size_ret);
}

struct error *config_apply(const struct option_set *set, struct make *make,
			   const char *build, struct string_list *lost_ret)
{
	struct error *err;

	_cleanup_free_ char *text = option_set_format(set);
	_cleanup_free_ char *fragment = path_join(build, ".vmtest-config");
	err = file_write(fragment, text, strlen(text));
	if (err)
		return err;
	_cleanup_string_builder_ struct string_builder sb = STRING_BUILDER_INIT;
	string_builder_appendf(&sb, "KCONFIG_ALLCONFIG=%s", fragment);
	_cleanup_free_ char *variable = string_builder_take(&sb);
	// olddefconfig settles what allnoconfig leaves open for choices whose
	// members depend on each other.
	const char *const allnoconfig[] = { variable, "allnoconfig", NULL };
	err = make_run(make, NULL, allnoconfig);
	if (err)
		return error_wrap(err, "configure");
	const char *const olddefconfig[] = { "olddefconfig", NULL };
	err = make_run(make, NULL, olddefconfig);
	if (err)
		return error_wrap(err, "configure");

	_cleanup_free_ char *config = NULL;
	size_t size;
	err = config_read(build, &config, &size);
	if (err)
		return err;
	return option_set_check(set, config, size, lost_ret);
}
