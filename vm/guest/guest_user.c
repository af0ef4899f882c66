// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/guest/guest_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/base/error.h"
#include "common/base/file.h"
#include "common/base/memory.h"

enum {
	TABLE_LIMIT_BYTES = 16 << 20,
};

/** A root is anybody's: there may be a link to what has no end, or a FIFO. */
static FILE *open_table(const char *root, const char *name)
{
	_cleanup_free_ char *path = path_joinf(root, "etc/%s", name);
	_cleanup_close_ int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) ||
	    st.st_size > TABLE_LIMIT_BYTES)
		return NULL;
	return fdopen(take_fd(&fd), "r");
}

static bool parse_id(const char *text, unsigned int *ret)
{
	unsigned long long id;

	if (!*text || text[strspn(text, "0123456789")])
		return false;
	errno = 0;
	id = strtoull(text, NULL, 10);
	// The last is no id.
	if (errno || id >= UINT32_MAX)
		return false;
	*ret = (unsigned int)id;
	return true;
}

/** @param[in] name NULL to look for user->uid. */
static bool find_user(const char *root, const char *name, struct guest_user *user)
{
	_cleanup_fclose_ FILE *file = open_table(root, "passwd");
	const struct passwd *entry;

	while (file && (entry = fgetpwent(file))) {
		if (name ? strcmp(entry->pw_name, name) != 0
			 : entry->pw_uid != user->uid)
			continue;
		user->uid = entry->pw_uid;
		user->gid = entry->pw_gid;
		user->name = string_copy(entry->pw_name);
		user->home = string_copy(entry->pw_dir);
		user->shell = string_copy(*entry->pw_shell ? entry->pw_shell
							   : "/bin/sh");
		return true;
	}
	return false;
}

static bool find_group(const char *root, const char *name, unsigned int *ret)
{
	_cleanup_fclose_ FILE *file = open_table(root, "group");
	const struct group *entry;

	while (file && (entry = fgetgrent(file))) {
		if (strcmp(entry->gr_name, name) != 0)
			continue;
		*ret = entry->gr_gid;
		return true;
	}
	return parse_id(name, ret);
}

/** The groups that a user is in, as words of setpriv(1). */
static void find_groups(const char *root, struct guest_user *user)
{
	_cleanup_fclose_ FILE *file = open_table(root, "group");
	struct string_builder sb = { 0 };
	const struct group *entry;

	string_builder_appendf(&sb, "%u", user->gid);
	while (file && (entry = fgetgrent(file))) {
		bool is_member = false;

		for (char **member = entry->gr_mem; *member; member++)
			is_member |= strcmp(*member, user->name) == 0;
		if (is_member && entry->gr_gid != user->gid)
			string_builder_appendf(&sb, ",%u", entry->gr_gid);
	}
	user->groups = string_builder_take(&sb);
}

void guest_user_deinit(struct guest_user *user)
{
	free(user->name);
	free(user->home);
	free(user->shell);
	free(user->groups);
	*user = (struct guest_user){ 0 };
}

struct error *guest_user_find(const char *root, const char *request,
			      struct guest_user *ret)
{
	const char *colon = request ? strchr(request, ':') : NULL;
	_cleanup_free_ char *name =
		request ? string_copy_n(request, strcspn(request, ":")) : NULL;
	_cleanup_guest_user_ struct guest_user user = { 0 };
	bool is_number = !name || parse_id(name, &user.uid);

	if (!find_user(root, is_number ? NULL : name, &user)) {
		if (!is_number)
			return error_create(ERROR_USAGE,
					    "--user %s: the guest has no user %s",
					    request, name);
		user.gid = user.uid;
		user.name = string_copy(name ? name : "root");
		user.home = string_copy(name ? "/" : "/root");
		user.shell = string_copy("/bin/sh");
	}
	if (colon && !find_group(root, colon + 1, &user.gid))
		return error_create(ERROR_USAGE,
				    "--user %s: the guest has no group %s",
				    request, colon + 1);
	if (colon)
		user.groups = string_format("%u", user.gid);
	else if (request)
		find_groups(root, &user);
	*ret = take(user);
	return NULL;
}

void guest_user_add_environment(const struct guest_user *user,
				struct string_list *environment)
{
	string_list_addf(environment, "USER=%s", user->name);
	string_list_addf(environment, "LOGNAME=%s", user->name);
	string_list_addf(environment, "SHELL=%s", user->shell);
	string_list_addf(environment, "HOME=%s", user->home);
	string_list_addf(environment, "XDG_RUNTIME_DIR=/run/user/%u", user->uid);
}
