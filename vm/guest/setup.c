// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/guest/setup.h"

#include <string.h>

#include "common/base/error.h"
#include "common/base/string_builder.h"
#include "common/base/string_list.h"
#include "vm/guest/share.h"

bool setup_is_variable_name(const char *name)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz"
				      "ABCDEFGHIJKLMNOPQRSTUVWXYZ_";
	static const char characters[] = "abcdefghijklmnopqrstuvwxyz"
					 "ABCDEFGHIJKLMNOPQRSTUVWXYZ_"
					 "0123456789";

	return *name && strchr(letters, *name) && !name[strspn(name, characters)];
}

/**
 * One word for the shell, without a newline: one that the text has stands in
 * single quotes, which are closed for $n.
 */
static struct error *append_word(struct string_builder *sb, const char *text)
{
	_cleanup_string_builder_ struct string_builder word = STRING_BUILDER_INIT;
	_cleanup_free_ char *quoted = NULL;

	string_builder_append_shell(&word, text);
	quoted = string_builder_take(&word);
	for (const char *p = quoted; *p;) {
		size_t length = strcspn(p, "\n");

		string_builder_append_n(sb, p, length);
		p += length;
		if (*p) {
			string_builder_append(sb, "'\"$n\"'");
			p++;
		}
	}
	return NULL;
}

static struct error *append_assignment(struct string_builder *sb,
				       const char *name, const char *value)
{
	string_builder_appendf(sb, "%s=", name);

	struct error *err = append_word(sb, value);

	string_builder_append_char(sb, ' ');
	return err;
}

/** A variable that holds words, quoted for a second round of the shell. */
static struct error *append_words(struct string_builder *sb, const char *name,
				  const struct string_list *words)
{
	struct error *err;

	_cleanup_string_builder_ struct string_builder value =
		STRING_BUILDER_INIT;
	_cleanup_free_ char *text = NULL;

	for (size_t i = 0; i < words->count; i++) {
		err = append_word(&value, words->items[i]);
		if (err)
			return err;
		string_builder_append_char(&value, ' ');
	}
	text = string_builder_take(&value);
	return append_assignment(sb, name, text);
}

/** The line that exports the environment and sets the words. */
static struct error *append_command(struct string_builder *sb,
				    const struct setup *setup)
{
	struct error *err;

	for (size_t i = 0; i < setup->environment->count; i++) {
		const char *item = setup->environment->items[i];
		size_t length = strcspn(item, "=");

		string_builder_append(sb, "export ");
		string_builder_append_n(sb, item, length);
		string_builder_append_char(sb, '=');
		err = append_word(sb, item + length + (item[length] == '='));
		if (err)
			return err;
		string_builder_append(sb, "; ");
	}
	string_builder_append(sb, "set --");
	for (char *const *word = setup->command; *word; word++) {
		string_builder_append_char(sb, ' ');
		err = append_word(sb, *word);
		if (err)
			return err;
	}
	string_builder_append_char(sb, '\n');
	return NULL;
}

struct error *setup_format(const struct setup *setup, char **ret)
{
	struct error *err;

	const struct share_plan *shares = setup->shares;
	const char *other_stderr = setup->joins_stderr ? "stdout" : "";
	const struct {
		const char *name;
		const char *value;
	} variables[] = {
		{ "mounts", shares->mounts },
		{ "package", shares->package },
		{ "directory", setup->directory },
		{ "stdin", setup->has_stdin ? "1" : "" },
		{ "stdout", setup->has_stdout ? "1" : "" },
		{ "stderr", setup->has_stderr ? "1" : other_stderr },
		{ "module", setup->module ? setup->module : "" },
		{ "terminal", setup->terminal ? setup->terminal : "" },
		{ "writable", shares->writable ? "1" : "" },
	};
	const struct {
		const char *name;
		const struct string_list *words;
	} lists[] = {
		{ "directories", &shares->directories },
		{ "early_mounts", &shares->early_mounts },
		{ "late_directories", &shares->late_directories },
		{ "late_mounts", &shares->late_mounts },
	};
	_cleanup_string_builder_ struct string_builder sb = STRING_BUILDER_INIT;

	for (size_t i = 0; i < array_size(variables); i++) {
		err = append_assignment(&sb, variables[i].name,
					variables[i].value);
		if (err)
			return err;
	}
	for (size_t i = 0; i < array_size(lists); i++) {
		err = append_words(&sb, lists[i].name, lists[i].words);
		if (err)
			return err;
	}
	string_builder_appendf(&sb, "rows=%u columns=%u\n", setup->rows,
			       setup->columns);
	err = append_command(&sb, setup);
	if (err)
		return err;
	*ret = string_builder_take(&sb);
	return NULL;
}
