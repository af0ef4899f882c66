// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/guest_extras.h"

#include "common/error.h"
#include "vm/disk.h"
#include "vm/guest.h"

void guest_extras_deinit(struct guest_extras *extras)
{
	string_list_deinit(&extras->environment);
	cleanup_close(&extras->disk_fd);
	*extras = (struct guest_extras)GUEST_EXTRAS_INIT;
}

struct error *guest_extras_create(const struct guest_config *config,
				  struct guest_extras *ret)
{
	struct error *err;

	_cleanup_guest_extras_ struct guest_extras extras = GUEST_EXTRAS_INIT;

	if (config->disk_bytes) {
		err = disk_create(config->disk_directory, config->disk_bytes,
				  &extras.disk_fd);
		if (err)
			return err;
		string_list_add(&extras.environment, "DRGN_TEST_DISK=/dev/vda");
	}
	for (size_t i = 0; i < config->environment.count; i++)
		string_list_add(&extras.environment,
				config->environment.items[i]);
	err = string_list_check(&extras.environment);
	if (err)
		return err;
	*ret = extras;
	extras = (struct guest_extras)GUEST_EXTRAS_INIT;
	return NULL;
}
