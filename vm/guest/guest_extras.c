// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/guest/guest_extras.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/error.h"
#include "common/base/file.h"
#include "common/base/memory.h"
#include "common/kernel/catalog.h"
#include "vm/guest/disk.h"
#include "vm/guest/guest.h"
#include "vm/guest/share.h"

void guest_extras_deinit(struct guest_extras *extras)
{
	string_list_deinit(&extras->folders);
	string_list_deinit(&extras->environment);
	free(extras->module);
	free(extras->loader);
	cleanup_close(&extras->disk_fd);
	*extras = (struct guest_extras)GUEST_EXTRAS_INIT;
}

static void add_folder_of(struct guest_extras *extras, const char *path)
{
	string_list_addf(&extras->folders, "%.*s",
			 (int)(strrchr(path, '/') - path), path);
}

/** The guest's own program, which is installed for its architecture. */
static struct error *find_loader(const struct catalog_arch *arch, char **ret)
{
	struct error *err;

	_cleanup_free_ char *name = NULL;
	_cleanup_free_ char *path = NULL;

	name = string_format("guest/%s/vmtest-kexec", arch->name);
	err = data_path(name, &path);
	if (err)
		return err;
	*ret = realpath(path, NULL);
	if (!*ret && errno == ENOENT)
		return error_create(ERROR_OTHER,
				    "--kdump: %s is not there; vmtest was built without %sgcc or its static libc",
				    path, arch->cross_prefix);
	if (!*ret)
		return error_create_os(errno, "--kdump: %s", path);
	return NULL;
}

struct error *guest_extras_create(const struct guest_config *config,
				  struct guest_extras *ret)
{
	struct error *err;

	_cleanup_guest_extras_ struct guest_extras extras = GUEST_EXTRAS_INIT;

	if (config->module)
		add_folder_of(&extras, config->module);
	if (config->kdump) {
		err = find_loader(config->arch, &extras.loader);
		if (err)
			return err;
		add_folder_of(&extras, extras.loader);
	}
	if (config->disk_bytes) {
		err = disk_create(config->disk_directory, config->disk_bytes,
				  &extras.disk_fd);
		if (err)
			return err;
	}
	*ret = extras;
	extras = (struct guest_extras)GUEST_EXTRAS_INIT;
	return NULL;
}

/** The folders that the plan shows are those that were asked for, in order. */
void guest_extras_name(struct guest_extras *extras,
		       const struct guest_config *config,
		       const struct share_plan *plan)
{
	struct string_list *environment = &extras->environment;
	char *const *folder = plan->extra.items;
	const char *programs = NULL;

	string_list_add(environment, "TMPDIR=" SHARE_TEMPORARY);
	if (config->module) {
		_cleanup_free_ char *path = NULL;

		path = path_join(*folder++, strrchr(config->module, '/') + 1);
		string_list_addf(environment, "DRGN_TEST_KMOD=%s", path);
		if (config->insert_module)
			extras->module = take_ptr(path);
	}
	if (extras->disk_fd >= 0)
		string_list_add(environment, "DRGN_TEST_DISK=/dev/vda");
	if (extras->loader) {
		programs = *folder++;
		string_list_addf(environment, "VMTEST_KEXEC=%s%s", programs,
				 strrchr(extras->loader, '/'));
	}
	for (size_t i = 0; i < config->environment.count; i++) {
		const char *item = config->environment.items[i];
		bool is_path = strncmp(item, "PATH=", strlen("PATH=")) == 0;

		string_list_addf(environment, "%s%s%s", item,
				 programs && is_path ? ":" : "",
				 programs && is_path ? programs : "");
	}
}
