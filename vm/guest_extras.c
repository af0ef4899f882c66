// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/guest_extras.h"

#include <string.h>

#include "common/error.h"
#include "common/file.h"
#include "vm/disk.h"
#include "vm/guest.h"
#include "vm/share.h"

void guest_extras_deinit(struct guest_extras *extras)
{
	string_list_deinit(&extras->folders);
	string_list_deinit(&extras->environment);
	free(extras->module);
	cleanup_close(&extras->disk_fd);
	*extras = (struct guest_extras)GUEST_EXTRAS_INIT;
}

static void add_folder_of(struct guest_extras *extras, const char *path)
{
	string_list_addf(&extras->folders, "%.*s",
			 (int)(strrchr(path, '/') - path), path);
}

struct error *guest_extras_create(const struct guest_config *config,
				  struct guest_extras *ret)
{
	struct error *err;

	_cleanup_guest_extras_ struct guest_extras extras = GUEST_EXTRAS_INIT;

	if (config->module)
		add_folder_of(&extras, config->module);
	err = string_list_check(&extras.folders);
	if (err)
		return err;
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
struct error *guest_extras_name(struct guest_extras *extras,
				const struct guest_config *config,
				const struct share_plan *plan)
{
	struct error *err;

	struct string_list *environment = &extras->environment;
	char *const *folder = plan->extra.items;

	if (config->module) {
		_cleanup_free_ char *path = NULL;

		err = path_join(*folder++, strrchr(config->module, '/') + 1,
				&path);
		if (err)
			return err;
		string_list_addf(environment, "DRGN_TEST_KMOD=%s", path);
		if (config->insert_module)
			extras->module = take_ptr(path);
	}
	if (extras->disk_fd >= 0)
		string_list_add(environment, "DRGN_TEST_DISK=/dev/vda");
	for (size_t i = 0; i < config->environment.count; i++)
		string_list_add(environment, config->environment.items[i]);
	return string_list_check(environment);
}
