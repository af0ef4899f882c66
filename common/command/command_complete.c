// SPDX-License-Identifier: LGPL-2.1-or-later

#include "common/command/command_internal.h"

#include <stdio.h>
#include <string.h>

#include "common/base/error.h"
#include "common/base/memory.h"
#include "common/kernel/catalog.h"

/** Print a word if it begins as the one that is being completed does. */
static void offer(const char *typed, const char *before, const char *word,
		  const char *summary)
{
	_cleanup_free_ char *whole = string_format("%s%s", before, word);

	if (strncmp(whole, typed, strlen(typed)) == 0)
		printf("%s\t%s\n", whole, summary);
}

static void offer_options(const struct command_context *context, const char *typed)
{
	for (size_t i = 0; i < context->line.slots.count; i++) {
		const struct command_option *o =
			context->line.slots.items[i].option;

		offer(typed, "--", o->name, o->help);
		if (o->type == OPTION_FLAG && strncmp(typed, "--no", 4) == 0)
			offer(typed, "--no-", o->name, "turn it off");
	}
	offer(typed, "", "--help", "print help");
}

/** What the catalog and the disk know; nothing of them is needed. */
static void add_names(struct command_context *context,
		      const struct command_option *option,
		      struct string_list *ret)
{
	static const char *const words[] = { "host", "all", "foreign" };
	const struct program *program = context->program;

	error_destroy(command_open(context, COMMAND_CATALOG | COMMAND_DIRECTORY));
	const struct catalog *catalog = context->catalog;
	bool is_kernel = strcmp(option->name, "kernel") == 0;
	if (strcmp(option->name, "arch") == 0) {
		for (size_t i = 0; catalog && i < catalog->arch_count; i++)
			string_list_add(ret, catalog->archs[i].name);
		for (size_t i = 0; i < array_size(words); i++)
			string_list_add(ret, words[i]);
	}
	if (is_kernel || strcmp(option->name, "flavor") == 0) {
		for (size_t i = 0; catalog && i < catalog->flavor_count; i++)
			string_list_add(ret, catalog->flavors[i].name);
	}
	if (is_kernel && program->complete_kernel && catalog && context->directory)
		program->complete_kernel(context, ret);
}

/**
 * @param[in] typed The word; its first @p skip characters are not the value's,
 * such as `--arch=`.
 */
static void offer_values(struct command_context *context,
			 const struct command_option *option, const char *typed,
			 size_t skip)
{
	_cleanup_string_list_ struct string_list values = { 0 };

	if (option->type == OPTION_CHOICE || option->type == OPTION_SWITCH)
		command_option_words(option, &values);
	if (option->type == OPTION_LIST) {
		const char *comma = strrchr(typed + skip, ',');

		if (comma)
			skip = (size_t)(comma + 1 - typed);
		add_names(context, option, &values);
	}
	_cleanup_free_ char *before = string_copy_n(typed, skip);
	for (size_t i = 0; i < values.count; i++)
		offer(typed, before, values.items[i], option->name);
}

/** The option whose value is the word after this one; NULL for none. */
static const struct command_option *
waiting_option(const struct command_context *context, const char *word)
{
	bool is_long = strncmp(word, "--", 2) == 0;
	size_t length = strlen(word);

	if (length < 2 || *word != '-' || strcmp(word, "--") == 0)
		return NULL;
	// In -lk, k may have a value.
	const struct command_slot *slot =
		command_line_find(&context->line, word[length - 1],
				  is_long ? word + 2 : NULL, length - 2);
	return slot && command_option_waits(slot->option) ? slot->option : NULL;
}

static void complete_word(struct command_context *context, int count, char **words)
{
	const char *typed = words[count - 1];
	const char *equals = strchr(typed, '=');
	const struct command_option *waiting = NULL;

	for (int i = 0; i + 1 < count; i++) {
		bool is_value = waiting;

		if (!is_value &&
		    (strcmp(words[i], "--") == 0 ||
		     (context->command->takes_program && *words[i] != '-')))
			return;
		waiting = is_value ? NULL : waiting_option(context, words[i]);
	}
	if (waiting) {
		offer_values(context, waiting, typed, 0);
	} else if (strncmp(typed, "--", 2) == 0 && equals) {
		const struct command_slot *slot =
			command_line_find(&context->line, 0, typed + 2,
					  (size_t)(equals - typed - 2));

		if (slot && slot->option->argument)
			offer_values(context, slot->option, typed,
				     (size_t)(equals + 1 - typed));
	} else if (*typed == '-') {
		offer_options(context, typed);
	} else if (context->command->complete) {
		_cleanup_string_list_ struct string_list names = { 0 };

		context->command->complete(&names);
		for (size_t i = 0; i < names.count; i++)
			offer(typed, "", names.items[i], "");
	}
}

void command_complete(const struct program *program, int count, char **words)
{
	struct command_context context;

	if (count < 2) {
		const char *typed = count ? words[0] : "";

		for (const struct command *const *c = program->commands; *c; c++)
			offer(typed, "", (*c)->name, (*c)->summary);
		offer(typed, "", "--help", "print help");
		offer(typed, "", "--version", "print the version");
		return;
	}
	if (!command_context_init(&context, program, words[0]))
		return;
	complete_word(&context, count - 1, words + 1);
	command_context_deinit(&context);
}
