// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/cmd/vm_commands.h"

#include <jansson.h>

#include "common/base/error.h"
#include "common/base/json.h"
#include "common/base/table.h"
#include "common/base/text.h"
#include "vm/guest/guest.h"
#include "vm/guest/guest_join.h"
#include "vm/guest/guest_names.h"

struct stop_options {
	bool all;
};

// clang-format off
static const struct command_option stop_option_table[] = {
	{ 0, "all", NULL, "end all guests of this user", OPTION_INTO(OPTION_FLAG, struct stop_options, all) },
	{ 0 },
};
// clang-format on

static json_t *guest_json(const struct guest_info *info)
{
	bool has_status = info->outcome && info->exit_status;

	return json_pack("{s:o, s:i, s:o, s:o, s:o, s:o, s:o, s:I, s:o}",
			 "name", text_json(info->name), "pid", info->pid,
			 "kernel", text_json(info->release), "arch",
			 text_json(info->arch), "state", text_json(info->state),
			 "outcome", text_json(info->outcome), "exit_status",
			 has_status ? json_integer(info->exit_status)
				    : json_null(),
			 "age_ms", (json_int_t)info->age_ms, "command",
			 strings_json(&info->command));
}

static void add_row(struct table *table, const struct guest_info *info)
{
	_cleanup_free_ char *command = string_list_quote(&info->command, " ");

	table_add(table, info->name);
	table_addf(table, "%d", info->pid);
	table_add(table, info->release);
	table_add(table, info->arch);
	table_add_seconds(table, info->age_ms);
	if (!info->outcome)
		table_add(table, info->state);
	else if (info->exit_status)
		table_addf(table, "kept: exit status %d", info->exit_status);
	else
		table_addf(table, "kept: %s", info->outcome);
	table_add(table, text_make_line(command, '?'));
}

static struct error *run_ls(struct command_context *context)
{
	static const char *const titles[] = { "NAME", "PID",   "KERNEL", "ARCH",
					      "AGE",  "STATE", "COMMAND" };
	struct error *err;

	_cleanup_guest_info_list_ struct guest_info_list list = { 0 };
	err = guest_info_list_load(&list);
	if (err)
		return err;
	_cleanup_table_ struct table table = { 0 };
	for (size_t i = 0; i < array_size(titles); i++)
		table_add_column(&table, titles[i], TABLE_TEXT);
	for (size_t i = 0; i < list.count; i++) {
		if (context->common->json)
			command_row_add(context, guest_json(&list.items[i]));
		else
			add_row(&table, &list.items[i]);
	}
	table_print(&table);
	return command_rows_print(context);
}

static struct error *run_stop(struct command_context *context)
{
	struct error *err;
	const struct stop_options *stop_options = context->options;
	const struct command_line *line = &context->line;

	if (stop_options->all != !line->argument_count)
		return error_create(ERROR_USAGE,
				    "stop: name guests, or say --all");
	_cleanup_guest_info_list_ struct guest_info_list list = { 0 };
	if (stop_options->all) {
		err = guest_info_list_load(&list);
		if (err)
			return err;
	}
	size_t count = list.count ? list.count : (size_t)line->argument_count;
	for (size_t i = 0; i < count; i++) {
		err = guest_stop(list.count ? list.items[i].name
					    : line->arguments[i]);
		// Of all, one may have ended meanwhile.
		if (stop_options->all && error_catch(&err, ERROR_NOT_FOUND))
			continue;
		err = command_go_on(context, err, i + 1 == count);
		if (err)
			return err;
	}
	return NULL;
}

const struct command vm_ls_command = {
	.name = "ls",
	.summary = "show the guests that run",
	.details = "Those of this user, the newest first. 'kept' is what --keep has left running.",
	.common = COMMON_JSON,
	.run = run_ls,
};

const struct command vm_stop_command = {
	.name = "stop",
	.arguments = "NAME...",
	.summary = "end guests that run",
	.details = "A guest whose own command still runs is ended as by SIGTERM to its vmtest-vm.",
	.complete = guest_name_list,
	.options = { stop_option_table },
	.options_size = sizeof(struct stop_options),
	.run = run_stop,
};
