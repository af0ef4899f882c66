// SPDX-License-Identifier: LGPL-2.1-or-later

#include "kbuild/config/configure.h"

#include "common/base/directory.h"
#include "common/base/error.h"
#include "common/base/log.h"
#include "common/base/string_builder.h"
#include "common/base/string_list.h"
#include "common/cli/progress.h"
#include "common/kernel/catalog.h"
#include "kbuild/config/config.h"
#include "kbuild/config/fragment.h"
#include "kbuild/make.h"

static const char temporary_prefix[] = "vmtest-config";

static void warn_of_lost(const struct catalog *catalog,
			 const struct release *release,
			 const struct string_list *lost)
{
	if (!lost->count)
		return;
	char series[KERNEL_VERSION_TEXT_SIZE], verified[KERNEL_VERSION_TEXT_SIZE];
	kernel_version_format_series(&release->version, series);
	kernel_version_format_series(&catalog->verified, verified);
	_cleanup_string_builder_ struct string_builder sb = STRING_BUILDER_INIT;
	for (size_t i = 0; i < lost->count; i++)
		string_builder_appendf(&sb, "%s%s", i ? ", " : "",
				       lost->items[i]);
	_cleanup_free_ char *list = string_builder_take(&sb);
	log_warning("kconfig did not keep %zu option%s, and the catalog is verified up to %s only: %s is built without %s",
		    lost->count, lost->count == 1 ? "" : "s", verified, series,
		    list);
}

struct error *configure_build(const struct catalog *catalog,
			      const struct catalog_arch *arch,
			      const struct release *release, struct make *make,
			      const char *build, struct string_list *lost_ret)
{
	struct error *err;

	_cleanup_option_set_ struct option_set set = OPTION_SET_INIT;
	err = config_compose(catalog, arch, release, &set);
	if (err)
		return err;
	if (catalog_has_verified(catalog, &release->version))
		return config_apply(&set, make, build, NULL);
	err = config_apply(&set, make, build, lost_ret);
	if (err)
		return err;
	warn_of_lost(catalog, release, lost_ret);
	return NULL;
}

struct error *
configure_source(const struct catalog *catalog, const struct catalog_arch *arch,
		 const struct release *release, const struct compiler *compiler,
		 const char *source, const char *parent, char **ret)
{
	struct error *err;

	err = directory_remove_stale(parent, temporary_prefix);
	if (err)
		return err;
	_cleanup_close_ int lock_fd = -1;
	_cleanup_directory_ char *build = NULL;
	err = directory_create_temporary(parent, temporary_prefix, &build,
					 &lock_fd);
	if (err)
		return err;
	_cleanup_make_ struct make *make = NULL;
	err = make_create(source, build, arch, compiler, 0, NULL, &make);
	if (err)
		return err;
	char text[RELEASE_TEXT_SIZE];
	release_format(release, text);
	_cleanup_progress_ struct progress *progress =
		progress_createf(PROGRESS_TIME, "configure %s.%s", text,
				 arch->name);
	_cleanup_string_list_ struct string_list lost = STRING_LIST_INIT;
	err = configure_build(catalog, arch, release, make, build, &lost);
	if (err)
		return err;
	return config_read(build, ret, NULL);
}
