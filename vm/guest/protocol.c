// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/guest/guest_internal.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/param.h>

#include "common/base/memory.h"
#include "common/base/text.h"
#include "common/kernel/catalog.h"
#include "vm/guest/guest.h"
#include "vm/guest/guest_sessions.h"

bool guest_takes_hostname(const char *name)
{
	// HOST_NAME_MAX, and hostname(7).
	return isalnum((unsigned char)*name) && strlen(name) <= 64 &&
	       !name[strspn(name, GUEST_LETTERS "-.")];
}

bool guest_takes_variable(const char *name)
{
	return *name && !isdigit((unsigned char)*name) &&
	       !name[strspn(name, GUEST_LETTERS "_")];
}

/**
 * One word for the shell, without a newline: one that the text has stands in
 * single quotes, which are closed for $n.
 */
static void append_word(struct string_builder *sb, const char *text)
{
	_cleanup_string_builder_ struct string_builder word = { 0 };

	string_builder_append_shell(&word, text);
	for (const char *p = word.text; *p; p++) {
		if (*p == '\n')
			string_builder_append(sb, "'\"$n\"'");
		else
			string_builder_append_char(sb, *p);
	}
}

static void append_assignment(struct string_builder *sb, const char *name,
			      const char *value)
{
	string_builder_appendf(sb, "%s=", name);
	append_word(sb, value);
	string_builder_append_char(sb, ' ');
}

/** A variable that holds words, quoted for a second round of the shell. */
static void append_words(struct string_builder *sb, const char *name,
			 const struct string_list *words)
{
	_cleanup_string_builder_ struct string_builder value = { 0 };

	for (size_t i = 0; i < words->count; i++) {
		append_word(&value, words->items[i]);
		string_builder_append_char(&value, ' ');
	}
	append_assignment(sb, name, value.text ? value.text : "");
}

/** The line that exports the environment, sets the words, and limits. */
static void append_command(struct string_builder *sb,
			   const struct string_list *environment,
			   const struct guest_user *user, const char *limits,
			   char *const *command)
{
	for (size_t i = 0; i < environment->count; i++) {
		const char *item = environment->items[i];
		size_t length = strcspn(item, "=");

		string_builder_append(sb, "export ");
		string_builder_append_n(sb, item, length);
		string_builder_append_char(sb, '=');
		append_word(sb, item + length + (item[length] == '='));
		string_builder_append(sb, "; ");
	}
	string_builder_append(sb, "set --");
	if (user)
		string_builder_appendf(
			sb,
			" /usr/bin/setpriv --reuid=%u --regid=%u --groups=%s --",
			user->uid, user->gid, user->groups);
	for (char *const *word = command; *word; word++) {
		string_builder_append_char(sb, ' ');
		append_word(sb, *word);
	}
	string_builder_appendf(sb, "%s%s", limits ? "; " : "",
			       limits ? limits : "");
}

static void append_lists(struct string_builder *sb, const struct guest_plan *plan)
{
	const struct share_plan *shares = &plan->shares;
	const struct {
		const char *name;
		const struct string_list *words;
	} lists[] = {
		{ "directories", &shares->directories },
		{ "closed", &plan->closed },
		{ "drivers", &plan->drivers },
		{ "nodes", &plan->nodes },
		{ "early_mounts", &shares->early_mounts },
		{ "late_directories", &shares->late_directories },
		{ "late_mounts", &shares->late_mounts },
	};

	for (size_t i = 0; i < array_size(lists); i++)
		append_words(sb, lists[i].name, lists[i].words);
}

char *protocol_format_setup(const struct guest_config *config,
			    const struct guest_plan *plan, const int *port_fds)
{
	const struct share_plan *shares = &plan->shares;
	const char *device = config->interactive ? config->qemu.arch->terminal
						 : "";
	_cleanup_free_ char *terminal =
		string_format("%s%s", *device ? "/dev/" : "", device);
	_cleanup_free_ char *overlay =
		disk_list_nodes(&plan->qemu.disks, DISK_OVERLAY);
	_cleanup_free_ char *readonly = disk_list_readonly(&plan->qemu.disks);
	_cleanup_free_ char *overlay_size =
		string_format("%llu", (unsigned long long)config->overlay_bytes);
	_cleanup_free_ char *owner =
		string_format("%u:%u", plan->user.uid, plan->user.gid);
	const struct winsize size = config->interactive
					    ? terminal_size(config->stdout_fd)
					    : (struct winsize){ 0 };
	const struct {
		const char *name;
		const char *value;
	} variables[] = {
		{ "mounts", shares->mounts.text },
		{ "package", shares->package },
		{ "directory", config->directory ? config->directory : "/" },
		{ "stdin", port_fds[PORT_STDIN] >= 0 ? "1" : "" },
		{ "stdout", port_fds[PORT_STDOUT] >= 0 ? "1" : "" },
		{ "stderr", port_fds[PORT_STDERR] >= 0		     ? "1"
			    : config->stderr_fd == config->stdout_fd ? "stdout"
								     : "" },
		{ "module", plan->module ? plan->module : "" },
		{ "hostname", config->hostname ? config->hostname : "vmtest" },
		{ "network", config->qemu.network ? "1" : "" },
		{ "overlay_disk", overlay },
		{ "overlay_size", overlay_size },
		{ "readonly", readonly },
		{ "owner", config->user ? owner : "" },
		{ "terminal", terminal },
		{ "writable", config->writable.count ? "1" : "" },
		{ "leaks", config->fail_on_splat ? "1" : "" },
		{ "keep", config->keep ? "1" : "" },
	};
	struct string_builder sb = { 0 };

	for (size_t i = 0; i < array_size(variables); i++)
		append_assignment(&sb, variables[i].name, variables[i].value);
	append_lists(&sb, plan);
	string_builder_appendf(&sb, "rows=%u columns=%u\n", size.ws_row,
			       size.ws_col);
	append_command(&sb, &plan->environment, config->user ? &plan->user : NULL,
		       plan->limits, config->command);
	string_builder_append_char(&sb, '\n');
	return string_builder_take(&sb);
}

/** Where another command runs: a root that is not the host's has not its paths. */
static const char *choose_directory(const struct guest_config *config,
				    const struct session_request *request)
{
	if (request->directory)
		return request->directory;
	if (request->here && strcmp(config->root, "/") == 0)
		return request->here;
	return config->directory ? config->directory : "/";
}

struct error *protocol_format_session(const struct guest_config *config,
				      const struct guest_plan *plan,
				      const struct session_request *request,
				      unsigned int first, char **ret)
{
	struct error *err = NULL;

	_cleanup_guest_user_ struct guest_user other = { 0 };
	_cleanup_string_list_ struct string_list environment = { 0 };
	_cleanup_string_builder_ struct string_builder command = { 0 };
	const struct guest_user *user = config->user ? &plan->user : NULL;

	if (request->rows)
		err = guest_root_check(config, "on a terminal", "script");
	string_list_add_all(&environment, &plan->environment);
	if (!err && request->user) {
		user = &other;
		err = guest_root_check(config, "--user", "setpriv");
		if (!err)
			err = guest_user_find(config->root, request->user,
					      &other);
		if (!err)
			guest_user_add_environment(user, &environment);
	}
	if (err)
		return err;
	string_list_add_all(&environment, &request->environment);
	string_builder_append(&command, "cd ");
	append_word(&command, choose_directory(config, request));
	string_builder_append(&command, " || exit 125; ");
	append_command(&command, &environment, user, plan->limits,
		       request->command.items);

	_cleanup_free_ char *owner =
		user ? string_format("%u:%u", user->uid, user->gid) : NULL;
	const struct {
		const char *name;
		const char *value;
	} variables[] = {
		{ "stdin", request->has_stdin },
		{ "stdout", request->has_stdout },
		{ "stderr", request->has_stderr },
		{ "terminal", request->rows },
		{ "rows", request->rows },
		{ "columns", request->columns },
		{ "owner", owner },
		{ "command", command.text },
	};
	struct string_builder sb = { 0 };

	string_builder_appendf(&sb, "first=%u ", first);
	for (size_t i = 0; i < array_size(variables); i++)
		append_assignment(&sb, variables[i].name,
				  variables[i].value ? variables[i].value : "");
	string_builder_append(&sb, "; enter\n");
	*ret = string_builder_take(&sb);
	return NULL;
}

void protocol_deinit(struct protocol *protocol)
{
	free(protocol->text);
}

/** A word, and so many numbers up to 255, as shells have statuses. */
static bool is_message(const char *line, const char *word, unsigned int count,
		       unsigned int *numbers_ret)
{
	size_t length = strlen(word);

	if (strncmp(line, word, length) != 0)
		return false;
	line += length;
	for (unsigned int i = 0; i < count; i++) {
		int end = 0;

		if (line[0] != ' ' || !isdigit((unsigned char)line[1]) ||
		    sscanf(line + 1, "%3u%n", &numbers_ret[i], &end) != 1 ||
		    numbers_ret[i] > 255)
			return false;
		line += 1 + end;
	}
	return !*line;
}

bool is_session_event(enum lifecycle_event event)
{
	return event >= EVENT_SESSION_READY && event <= EVENT_SESSION_GONE;
}

static enum lifecycle_event parse(struct protocol *protocol)
{
	static const struct {
		const char *word;
		unsigned int count;
		enum lifecycle_event event;
	} rows[] = {
		{ "hello", 0, EVENT_HELLO },
		{ "ready", 0, EVENT_READY },
		{ "full", 0, EVENT_FULL },
		{ "exit", 1, EVENT_EXIT },
		{ "exit", 2, EVENT_SESSION_EXIT },
		{ "done", 0, EVENT_DONE },
		{ "done", 1, EVENT_SESSION_DONE },
		{ "ready", 1, EVENT_SESSION_READY },
		{ "gone", 1, EVENT_SESSION_GONE },
	};
	const char *line = protocol->line;
	unsigned int numbers[2];

	if (strncmp(line, "fail ", 5) == 0 && line[5])
		return EVENT_FAIL;
	for (size_t i = 0; i < array_size(rows); i++) {
		if (!is_message(line, rows[i].word, rows[i].count, numbers))
			continue;
		if (rows[i].event == EVENT_EXIT ||
		    rows[i].event == EVENT_SESSION_EXIT)
			protocol->status = (int)numbers[0];
		if (is_session_event(rows[i].event))
			protocol->session = numbers[rows[i].count - 1];
		return rows[i].event;
	}
	return EVENT_NONSENSE;
}

bool protocol_read(struct protocol *protocol, const char **data,
		   const char *end, enum lifecycle_event *ret)
{
	for (; *data < end && **data != '\n'; (*data)++) {
		if (protocol->length < PROTOCOL_LINE_LIMIT)
			protocol->line[protocol->length++] = **data;
	}
	if (*data == end)
		return false;
	(*data)++;

	struct string_builder text = { 0 };
	text_append_plain(&text, protocol->line,
			  MIN(protocol->length, (size_t)PROTOCOL_TEXT_BYTES));
	free(protocol->text);
	protocol->text = string_builder_take(&text);
	protocol->what = strchr(protocol->text, ' ');
	protocol->what = protocol->what ? protocol->what + 1 : protocol->text;
	*ret = EVENT_NONSENSE;
	protocol->line[protocol->length] = '\0';
	if (protocol->length < PROTOCOL_LINE_LIMIT &&
	    strlen(protocol->line) == protocol->length)
		*ret = parse(protocol);
	protocol->length = 0;
	return true;
}
