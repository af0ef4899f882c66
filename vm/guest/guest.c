// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/guest/guest.h"

#include "common/base/error.h"
#include "common/base/file.h"
#include "common/base/log.h"
#include "common/kernel/catalog.h"
#include "common/process/process.h"
#include "vm/guest/guest_internal.h"
#include "vm/kernel/initramfs.h"
#include "vm/kernel/kernel.h"
#include "vm/qemu/qemu.h"

/** @return ERROR_NOT_FOUND if another machine may do. */
static struct error *run_on(const struct catalog_machine *machine,
			    const struct guest_config *config,
			    struct guest_plan *plan, struct run_result *ret)
{
	struct error *err;

	const char *kernel = config->qemu.kernel->path;
	_cleanup_free_ char *image = path_join(kernel, machine->kernel);
	_cleanup_free_ char *initramfs = path_join(kernel, INITRAMFS_FILE);

	if (!file_exists(image))
		return error_create(ERROR_NOT_FOUND,
				    "%s: no such file; is the package whole?",
				    image);
	plan->qemu.machine = machine;
	plan->qemu.image = image;
	plan->qemu.initramfs = file_exists(initramfs) ? initramfs : NULL;
	if (config->show)
		return qemu_show(&plan->qemu, guest_ports(config), config->show);
	err = guest_loop_run(config, plan, ret);
	if (error_is(err, ERROR_OTHER))
		err = error_wrap(err, "%s", image);
	if (plan->qemu.accel == ACCEL_KVM && error_is(err, ERROR_OTHER))
		err = error_wrap(err, "with KVM (--accel tcg does without)");
	return err;
}

struct error *guest_run(const struct guest_config *config, struct run_result *ret)
{
	struct error *err;

	const struct catalog_machine *machine = NULL;
	_cleanup_guest_plan_ struct guest_plan plan = { 0 };
	// Why the last machine that was tried would not do.
	_cleanup_error_ struct error *miss = NULL;

	err = guest_plan_make(&plan, config);
	if (err)
		return err;
	for (;;) {
		err = qemu_choose_machine(&config->qemu, machine, &machine);
		if (miss && error_catch(&err, ERROR_NOT_FOUND))
			return take_ptr(miss);
		if (err)
			return err;
		error_destroy(take_ptr(miss));
		err = run_on(machine, config, &plan, ret);
		if (error_is(err, ERROR_RETRY) && !plan.qemu.lacks_sandbox) {
			log_debug("without -sandbox: %s", error_message(err));
			error_destroy(err);
			plan.qemu.lacks_sandbox = true;
			err = run_on(machine, config, &plan, ret);
		}
		// Of a program that is not there, no machine helps.
		if (!error_is(err, ERROR_NOT_FOUND) ||
		    !process_program_exists(qemu_program(&config->qemu)))
			return err;
		miss = err;
		log_debug("%s: %s", machine->name, error_message(miss));
	}
}
