// SPDX-License-Identifier: LGPL-2.1-or-later

#include "common/kernel/catalog.h"

#include <string.h>
#include <sys/utsname.h>

#include "common/base/error.h"

static bool is_of_host(const struct catalog_arch *arch)
{
	struct utsname host;

	uname(&host);
	return string_list_contains(&arch->host_names, host.machine);
}

static bool is_enabled(const struct catalog_arch *arch)
{
	return arch->enabled;
}

static bool is_foreign(const struct catalog_arch *arch)
{
	return arch->enabled && !is_of_host(arch);
}

static const struct {
	const char *word;
	bool (*means)(const struct catalog_arch *arch);
} arch_words[] = {
	{ "all", is_enabled },
	{ "foreign", is_foreign },
	{ "host", is_of_host },
};

/** Add the architectures that a word means, or the one that has the name. */
static struct error *add_archs(const struct catalog *catalog, const char *text,
			       struct string_list *ret)
{
	const struct catalog_arch *arch;
	size_t count = ret->count;

	for (size_t i = 0; i < array_size(arch_words); i++) {
		if (strcmp(arch_words[i].word, text) != 0)
			continue;
		for (size_t j = 0; j < catalog->arch_count; j++) {
			if (arch_words[i].means(&catalog->archs[j]))
				string_list_add(ret, catalog->archs[j].name);
		}
		// An empty list would mean another thing.
		if (ret->count == count)
			return error_create(ERROR_USAGE,
					    "--arch %s: the catalog has no such architecture",
					    text);
		return NULL;
	}
	string_list_add(ret, text);
	return catalog_find_arch(catalog, text, &arch);
}

struct error *catalog_resolve_names(const struct catalog *catalog,
				    struct string_list *archs,
				    const struct string_list *flavors)
{
	struct error *err = NULL;
	_cleanup_string_list_ struct string_list names = STRING_LIST_INIT;
	const struct catalog_flavor *flavor;

	for (size_t i = 0; !err && i < archs->count; i++)
		err = add_archs(catalog, archs->items[i], &names);
	for (size_t i = 0; !err && i < flavors->count; i++)
		err = catalog_find_flavor(catalog, flavors->items[i], &flavor);
	if (err)
		return err;
	string_list_deinit(archs);
	*archs = names;
	names = (struct string_list)STRING_LIST_INIT;
	return NULL;
}

struct error *catalog_host_arch(const struct catalog *catalog,
				const struct catalog_arch **ret)
{
	struct utsname host;

	for (size_t i = 0; i < catalog->arch_count; i++) {
		if (is_of_host(&catalog->archs[i])) {
			*ret = &catalog->archs[i];
			return NULL;
		}
	}
	uname(&host);
	return error_create(ERROR_NOT_FOUND,
			    "the catalog has no kernels for this machine (%s); choose an architecture with --arch",
			    host.machine);
}
