// SPDX-License-Identifier: LGPL-2.1-or-later

#include "kbuild/config/config.h"

#include <string.h>

#include <criterion/criterion.h>

#include "common/base/error.h"
#include "common/kernel/catalog.h"
#include "common/kernel/release.h"
#include "kbuild/config/fragment.h"

static struct catalog *load(void)
{
	struct catalog *catalog = NULL;
	_cleanup_error_ struct error *err = catalog_load(VMTEST_SOURCE_DIR
							 "/configs/vmtest.json",
							 NULL, &catalog);

	cr_assert_null(err, "%s", err ? error_message(err) : "");
	return catalog;
}

static void compose(const struct catalog *catalog,
		    const struct catalog_arch *arch, const char *release_text,
		    struct option_set *set)
{
	struct release release;
	cr_assert(release_parse(release_text, &release));
	_cleanup_error_ struct error *err =
		config_compose(catalog, arch, &release, set);

	cr_assert_null(err, "%s", err ? error_message(err) : "");
}

static const char *value(const struct option_set *set, const char *name)
{
	for (size_t i = 0; i < set->count; i++) {
		if (strcmp(set->options[i].name, name) == 0)
			return set->options[i].value;
	}
	return "";
}

Test(config, composes_every_flavor_of_every_architecture)
{
	static const char *const versions[] = { "4.9.337", "5.10.1", "6.1.192",
						"6.5.0", "6.12.117" };
	_cleanup_catalog_ struct catalog *catalog = load();

	for (size_t v = 0; v < array_size(versions); v++) {
		for (size_t a = 0; a < catalog->arch_count; a++) {
			for (size_t f = 0; f < catalog->flavor_count; f++) {
				_cleanup_option_set_ struct option_set set =
					OPTION_SET_INIT;
				char release[RELEASE_TEXT_SIZE];

				snprintf(release, sizeof(release),
					 "%s-vmtest1.0%s", versions[v],
					 catalog->flavors[f].name);
				compose(catalog, &catalog->archs[a], release,
					&set);
				cr_expect_str_eq(value(&set, "CONFIG_MODULES"),
						 "y");
			}
		}
	}
}

Test(config, flavors_override_the_base)
{
	_cleanup_catalog_ struct catalog *catalog = load();
	_cleanup_option_set_ struct option_set tiny = OPTION_SET_INIT;
	_cleanup_option_set_ struct option_set standard = OPTION_SET_INIT;

	compose(catalog, &catalog->archs[0], "6.12.117-vmtest1.0tiny", &tiny);
	compose(catalog, &catalog->archs[0], "6.12.117-vmtest1.1default",
		&standard);
	cr_expect_str_eq(value(&tiny, "CONFIG_ANON_VMA_NAME"), "n");
	cr_expect_str_eq(value(&standard, "CONFIG_ANON_VMA_NAME"), "y");
	cr_expect_str_eq(value(&standard, "CONFIG_LOCALVERSION"),
			 "\"-vmtest1.1default\"");
}
