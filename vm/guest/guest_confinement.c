// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/guest/guest_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/error.h"
#include "common/base/file.h"
#include "common/base/memory.h"
#include "common/process/process.h"
#include "vm/guest/guest.h"
#include "vm/kernel/kernel.h"
#include "vm/qemu/confine.h"
#include "vm/qemu/qemu.h"

// Where the host's processes and devices show themselves, and secrets lie.
static const char *const hidden[] = { "dev", "proc", "run", "sys" };

/**
 * A script in QEMU's place is the caller's, and may keep a log or start a
 * debugger, which the rules for QEMU would forbid.
 */
static bool is_script(const char *name)
{
	_cleanup_free_ char *path = process_program_path(name);
	_cleanup_close_ int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	char start[2] = "";

	return fd >= 0 && read(fd, start, sizeof(start)) == sizeof(start) &&
	       memcmp(start, "#!", sizeof(start)) == 0;
}

/** Show what QEMU's own options name, as in `-drive file=/dev/shm/image,...`. */
static void show_named(struct confinement *confinement, const char *argument)
{
	for (const char *p = argument; (p = strchr(p, '/'));) {
		size_t length = strcspn(p, ",");
		_cleanup_free_ char *path = string_copy_n(p, length);

		if (p == argument || strchr("=,:", p[-1]))
			confinement_show(confinement, path);
		p += length;
	}
}

/** What QEMU itself needs where all is hidden. */
static void show_what_qemu_needs(struct confinement *confinement,
				 const struct qemu_config *config)
{
	// KVM on ppc64, and names as --network resolves them.
	static const char *const files[] = {
		"/proc/cpuinfo",
		"/sys/firmware/devicetree/base/cpus",
		"/etc/resolv.conf",
	};

	for (size_t i = 0; i < array_size(files); i++)
		confinement_show(confinement, files[i]);
	confinement_add_program(confinement, qemu_program(config));
	// Devices that options need without a name, such as vhost-vsock.
	if (config->arguments.count)
		confinement_show(confinement, "/dev");
	for (size_t i = 0; i < config->arguments.count; i++)
		show_named(confinement, config->arguments.items[i]);
}

/** What is hidden must not be what the guest is to see, nor be inside. */
static struct error *check_hidden(const struct guest_plan *plan,
				  const struct guest_config *config,
				  const char *path)
{
	const char *place = NULL;

	for (size_t i = 0; i < plan->shares.count && !place; i++) {
		const struct share *share = &plan->shares.items[i];

		// Of a root, a part can be hidden; of what is shared alone, not.
		if (i == 0 ? strcmp(path, share->path) == 0
			   : path_is_below(path, share->path))
			place = share->path;
	}
	if (path_is_below(path, config->qemu.kernel->path))
		place = config->qemu.kernel->path;
	if (config->directory && strcmp(path, config->directory) == 0)
		place = path;
	if (!place)
		return NULL;
	return error_create(ERROR_USAGE,
			    "--hide %s: the guest needs %s; hide another directory",
			    path, place);
}

static struct error *hide(struct guest_plan *plan,
			  const struct guest_config *config)
{
	struct error *err = NULL;
	struct string_list *list = &plan->confinement.hidden;

	for (size_t i = 0; i < array_size(hidden); i++) {
		const char *root = plan->shares.items[0].path;
		_cleanup_free_ char *of_root = path_join(root, hidden[i]);

		string_list_addf(list, "/%s", hidden[i]);
		if (strcmp(root, "/") != 0)
			string_list_add(list, of_root);
	}
	for (size_t i = 0; i < config->hidden.count && !err; i++) {
		const char *name = config->hidden.items[i];
		_cleanup_free_ char *path = realpath(name, NULL);

		if (!path)
			return error_create_os(errno, "--hide %s", name);
		err = check_hidden(plan, config, path);
		string_list_add(list, path);
	}
	return err;
}

struct error *guest_confinement_plan(struct guest_plan *plan,
				     const struct guest_config *config,
				     const struct string_list *extra)
{
	struct error *err;

	struct confinement *confinement = &plan->confinement;
	confinement->reads_host = true;
	confinement->is_required = config->hidden.count;
	confinement->is_open = config->qemu.arguments.count ||
			       is_script(qemu_program(&config->qemu));
	confinement->has_network = config->qemu.network;
	err = hide(plan, config);
	if (err)
		return err;
	for (size_t i = 0; i < plan->shares.count; i++) {
		const struct share *share = &plan->shares.items[i];

		if (share->writable && !share->is_virtiofs)
			string_list_add(&confinement->writable, share->path);
		else if (!share->writable)
			confinement_show(confinement, share->path);
	}
	// Not all of these have a share.
	confinement_show(confinement, config->qemu.kernel->path);
	if (config->directory)
		confinement_show(confinement, config->directory);
	string_list_add_all(&confinement->shown, extra);
	show_what_qemu_needs(confinement, &config->qemu);
	return NULL;
}
