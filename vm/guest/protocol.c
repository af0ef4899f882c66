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
			   const struct guest_plan *plan, bool becomes_user,
			   char *const *command)
{
	const struct string_list *environment = &plan->environment;

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
	if (becomes_user)
		string_builder_appendf(
			sb,
			" /usr/bin/setpriv --reuid=%u --regid=%u --groups=%s --",
			plan->user.uid, plan->user.gid, plan->user.groups);
	for (char *const *word = command; *word; word++) {
		string_builder_append_char(sb, ' ');
		append_word(sb, *word);
	}
	string_builder_appendf(sb, "%s%s\n", plan->limits ? "; " : "",
			       plan->limits ? plan->limits : "");
}

char *protocol_format_setup(const struct guest_config *config,
			    const struct guest_plan *plan, const int *port_fds)
{
	const struct share_plan *shares = &plan->shares;
	_cleanup_free_ char *terminal = NULL;
	_cleanup_free_ char *overlay =
		disk_list_nodes(&plan->qemu.disks, DISK_OVERLAY);
	_cleanup_free_ char *readonly = disk_list_readonly(&plan->qemu.disks);
	_cleanup_free_ char *overlay_size =
		string_format("%llu", (unsigned long long)config->overlay_bytes);
	_cleanup_free_ char *owner =
		string_format("%u:%u", plan->user.uid, plan->user.gid);
	struct winsize size = { 0 };

	if (config->interactive) {
		terminal = string_format("/dev/%s", config->qemu.arch->terminal);
		size = terminal_size(config->stdout_fd);
	}
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
		{ "terminal", terminal ? terminal : "" },
		{ "writable", config->writable.count ? "1" : "" },
		{ "leaks", config->fail_on_splat ? "1" : "" },
	};
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
	struct string_builder sb = { 0 };

	for (size_t i = 0; i < array_size(variables); i++)
		append_assignment(&sb, variables[i].name, variables[i].value);
	for (size_t i = 0; i < array_size(lists); i++)
		append_words(&sb, lists[i].name, lists[i].words);
	string_builder_appendf(&sb, "rows=%u columns=%u\n", size.ws_row,
			       size.ws_col);
	append_command(&sb, plan, config->user, config->command);
	return string_builder_take(&sb);
}

void protocol_deinit(struct protocol *protocol)
{
	free(protocol->text);
}

static enum lifecycle_event parse(const char *line, int *status_ret)
{
	unsigned int status;
	int end = 0;

	if (strcmp(line, "hello") == 0)
		return EVENT_HELLO;
	if (strcmp(line, "ready") == 0)
		return EVENT_READY;
	if (strcmp(line, "full") == 0)
		return EVENT_FULL;
	if (strcmp(line, "done") == 0)
		return EVENT_DONE;
	if (strncmp(line, "fail ", 5) == 0 && line[5])
		return EVENT_FAIL;
	// A status as shells have them: 0 to 255.
	if (strncmp(line, "exit ", 5) != 0 || !isdigit((unsigned char)line[5]) ||
	    sscanf(line, "exit %3u%n", &status, &end) != 1 || line[end] ||
	    status > 255)
		return EVENT_NONSENSE;
	*status_ret = (int)status;
	return EVENT_EXIT;
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
		*ret = parse(protocol->line, &protocol->status);
	protocol->length = 0;
	return true;
}
