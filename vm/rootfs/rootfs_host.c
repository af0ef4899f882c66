// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/rootfs/rootfs.h"

#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/error.h"
#include "common/base/file.h"
#include "common/base/interrupt.h"
#include "common/kernel/catalog.h"
#include "common/process/process.h"

/** Settings that keep those who are not root from having user namespaces. */
static const struct {
	const char *path;
	/** The value that does so, and how to give it another. */
	long value;
	const char *remedy;
	/** Whether there are none at all then. */
	bool forbids;
} sysctls[] = {
	{ "/proc/sys/kernel/unprivileged_userns_clone", 0,
	  "kernel.unprivileged_userns_clone=1", true },
	{ "/proc/sys/user/max_user_namespaces", 0,
	  "user.max_user_namespaces=10000", true },
	{ "/proc/sys/kernel/apparmor_restrict_unprivileged_userns", 1,
	  "kernel.apparmor_restrict_unprivileged_userns=0", false },
};

/** Where distributions put the keys of the package debian-archive-keyring. */
static const char *const keyrings[] = {
	"/usr/share/keyrings/debian-archive-keyring.gpg",
	"/usr/share/keyrings/debian-archive-keyring.pgp",
	"/etc/apt/trusted.gpg.d/debian-archive-bookworm-stable.gpg",
};

/** A file's text, NULL for one that cannot be read; free(). */
static char *read_text(const char *path)
{
	char *text = NULL;

	error_destroy(file_read(path, 1 << 20, &text, NULL));
	return text;
}

/** Whether subuid(5) or subgid(5) has a line for the user. */
static bool has_subordinate(const char *path, const char *user)
{
	_cleanup_free_ char *text = read_text(path);
	size_t length = strlen(user);
	char *rest = text;
	bool found = false;

	for (char *line; (line = strsep(&rest, "\n"));)
		found |= strncmp(line, user, length) == 0 && line[length] == ':';
	return found;
}

static void look_as_user(struct rootfs_host *host)
{
	const struct passwd *passwd = getpwuid(getuid());

	host->user = passwd ? passwd->pw_name : "USER";
	host->has_newuidmap = process_program_exists("newuidmap") &&
			      process_program_exists("newgidmap");
	host->has_subordinate_ids = has_subordinate("/etc/subuid", host->user) &&
				    has_subordinate("/etc/subgid", host->user);
	for (size_t i = 0; i < array_size(sysctls); i++) {
		_cleanup_free_ char *text = read_text(sysctls[i].path);
		const char **remedy = sysctls[i].forbids ? &host->forbidding
							 : &host->restricting;

		if (text && strtol(text, NULL, 10) == sysctls[i].value && !*remedy)
			*remedy = sysctls[i].remedy;
	}
}

struct error *rootfs_host_look(const struct catalog_arch *arch, bool is_foreign,
			       struct rootfs_host *ret)
{
	*ret = (struct rootfs_host){
		.is_root = geteuid() == 0,
		.has_mmdebstrap = process_program_exists("mmdebstrap"),
		.is_foreign = is_foreign,
		.has_arch_test = process_program_exists("arch-test"),
		.has_binfmt_misc = file_exists("/proc/sys/fs/binfmt_misc/status"),
	};
	for (size_t i = 0; i < array_size(keyrings); i++)
		ret->has_keyring |= file_exists(keyrings[i]);
	if (!ret->is_root)
		look_as_user(ret);
	if (is_foreign && ret->has_arch_test) {
		// It runs a small program of the architecture.
		const struct process_options options = {
			.arguments = (const char *const[]){ "arch-test",
							    arch->debian_arch,
							    NULL },
			.timeout_ms = 30000,
		};
		_cleanup_free_ char *output = NULL;
		struct error *err = process_capture(&options, 4096, &output);

		ret->runs_arch = !err;
		error_destroy(err);
	}
	return interrupt_check();
}

struct error *rootfs_host_check(const struct rootfs_host *host,
				const struct catalog_arch *arch)
{
	if (!host->has_mmdebstrap)
		return error_create(
			ERROR_OTHER,
			"mmdebstrap is not installed; install the package mmdebstrap");
	if (!host->has_keyring)
		return error_create(
			ERROR_OTHER,
			"there are no keys to check Debian's packages with; install the package debian-archive-keyring");
	if (!host->is_root && !host->has_newuidmap)
		return error_create(
			ERROR_OTHER,
			"without root, newuidmap is needed; install the package uidmap");
	if (!host->is_root && !host->has_subordinate_ids)
		return error_create(ERROR_OTHER,
				    "without root, %s needs user IDs in /etc/subuid and /etc/subgid; as root: usermod --add-subuids 100000-165535 --add-subgids 100000-165535 %s",
				    host->user, host->user);
	if (!host->is_root && host->forbidding)
		return error_create(ERROR_OTHER,
				    "without root, user namespaces are needed; as root: sysctl %s",
				    host->forbidding);
	if (!host->is_foreign || host->runs_arch)
		return NULL;
	if (!host->has_arch_test)
		return error_create(
			ERROR_OTHER,
			"arch-test is not installed; install the package arch-test");
	if (!host->has_binfmt_misc)
		return error_create(ERROR_OTHER,
				    "programs of %s do not run here: binfmt_misc is not mounted; as root: mount -t binfmt_misc binfmt_misc /proc/sys/fs/binfmt_misc && update-binfmts --enable",
				    arch->name);
	return error_create(ERROR_OTHER,
			    "programs of %s do not run here; install the packages qemu-user-static and binfmt-support",
			    arch->name);
}
