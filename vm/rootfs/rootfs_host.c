// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/rootfs/rootfs_host.h"

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/error.h"
#include "common/base/file.h"
#include "common/kernel/catalog.h"
#include "common/process/process.h"

/** A setting that keeps those who are not root from having user namespaces. */
struct sysctl {
	const char *path;
	/** The value that does so, and how to give it another. */
	const char *value;
	const char *remedy;
};

static const struct sysctl forbidding[] = {
	{ "/proc/sys/kernel/unprivileged_userns_clone", "0",
	  "kernel.unprivileged_userns_clone=1" },
	{ "/proc/sys/user/max_user_namespaces", "0",
	  "user.max_user_namespaces=10000" },
};

static const struct sysctl restricting[] = {
	{ "/proc/sys/kernel/apparmor_restrict_unprivileged_userns", "1",
	  "kernel.apparmor_restrict_unprivileged_userns=0" },
};

/** Where distributions put the keys of the package debian-archive-keyring. */
static const char *const keyrings[] = {
	"/usr/share/keyrings/debian-archive-keyring.gpg",
	"/usr/share/keyrings/debian-archive-keyring.pgp",
	"/etc/apt/trusted.gpg.d/debian-archive-bookworm-stable.gpg",
};

/** @return What would take back the first that is set so, or NULL. */
static struct error *find_sysctl(const struct sysctl *sysctls, size_t count,
				 const char **remedy_ret)
{
	*remedy_ret = NULL;
	for (size_t i = 0; i < count && !*remedy_ret; i++) {
		_cleanup_free_ char *text = NULL;
		struct error *err = file_read(sysctls[i].path, 64, &text, NULL);

		if (error_catch(&err, ERROR_NOT_FOUND))
			continue;
		if (err)
			return err;
		text[strcspn(text, "\n")] = '\0';
		if (strcmp(text, sysctls[i].value) == 0)
			*remedy_ret = sysctls[i].remedy;
	}
	return NULL;
}

/** Whether subuid(5) or subgid(5) has a line for the user. */
static struct error *find_subordinate(const char *path, const char *user,
				      bool *ret)
{
	struct error *err;

	_cleanup_free_ char *text = NULL;
	size_t length = strlen(user);

	*ret = false;
	err = file_read(path, 1 << 20, &text, NULL);
	if (error_catch(&err, ERROR_NOT_FOUND))
		return NULL;
	if (err)
		return err;
	for (const char *line = text; *line;) {
		if (strncmp(line, user, length) == 0 && line[length] == ':')
			*ret = true;
		line += strcspn(line, "\n");
		line += *line == '\n';
	}
	return NULL;
}

static struct error *look_as_user(struct rootfs_host *ret)
{
	struct error *err;

	const struct passwd *passwd = getpwuid(getuid());
	bool has_uids = false;
	bool has_gids = false;

	ret->user = passwd ? passwd->pw_name : "USER";
	ret->has_newuidmap = process_program_exists("newuidmap") &&
			     process_program_exists("newgidmap");
	err = find_subordinate("/etc/subuid", ret->user, &has_uids);
	if (!err)
		err = find_subordinate("/etc/subgid", ret->user, &has_gids);
	if (!err)
		err = find_sysctl(forbidding, array_size(forbidding),
				  &ret->forbidding);
	if (!err)
		err = find_sysctl(restricting, array_size(restricting),
				  &ret->restricting);
	ret->has_subordinate_ids = has_uids && has_gids;
	return err;
}

/** Let it run a small program of the architecture. */
static struct error *arch_test(const char *debian_arch, bool *runs_ret)
{
	const char *const arguments[] = { "arch-test", debian_arch, NULL };
	const struct process_options options = {
		.arguments = arguments,
		.timeout_ms = 30000,
	};
	_cleanup_free_ char *output = NULL;
	struct error *err = process_capture(&options, 4096, &output);

	*runs_ret = !err;
	if (error_is(err, ERROR_CANCELLED))
		return err;
	error_destroy(err);
	return NULL;
}

struct error *rootfs_host_look(const struct catalog_arch *arch, bool is_foreign,
			       struct rootfs_host *ret)
{
	struct error *err;

	struct rootfs_host host = {
		.is_root = geteuid() == 0,
		.has_mmdebstrap = process_program_exists("mmdebstrap"),
		.is_foreign = is_foreign,
		.has_arch_test = process_program_exists("arch-test"),
		.has_binfmt_misc = file_exists("/proc/sys/fs/binfmt_misc/status"),
	};

	for (size_t i = 0; i < array_size(keyrings); i++)
		host.has_keyring |= file_exists(keyrings[i]);
	if (!host.is_root) {
		err = look_as_user(&host);
		if (err)
			return err;
	}
	if (is_foreign && host.has_arch_test) {
		err = arch_test(arch->debian_arch, &host.runs_arch);
		if (err)
			return err;
	}
	*ret = host;
	return NULL;
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
