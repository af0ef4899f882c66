// SPDX-License-Identifier: LGPL-2.1-or-later

#include "kbuild/configure.h"

#include "common/error.h"
#include "common/file.h"
#include "kbuild/config.h"
#include "kbuild/fragment.h"
#include "kbuild/make.h"

static const char temporary_prefix[] = "vmtest-config";

struct error *configure_build(const struct catalog *catalog,
			      const struct catalog_arch *arch,
			      const struct release *release, struct make *make,
			      const char *build)
{
	struct error *err;

	_cleanup_option_set_ struct option_set set = OPTION_SET_INIT;
	err = config_compose(catalog, arch, release, &set);
	if (err)
		return err;
	return config_apply(&set, make, build);
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
	err = configure_build(catalog, arch, release, make, build);
	if (err)
		return err;
	return config_read(build, ret, NULL);
}
