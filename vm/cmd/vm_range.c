// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/cmd/vm_commands.h"

#include <jansson.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "common/base/error.h"
#include "common/base/file.h"
#include "common/base/log.h"
#include "common/base/table.h"
#include "common/github/workflow.h"
#include "vm/suite/range.h"

struct range_options {
	struct suite_options suite;
	bool markdown;
	const char *badge;
};

#define INTO(type, field) OPTION_INTO(type, struct range_options, field)

// clang-format off
static const struct command_option own_option_table[] = {
	{ 0, "markdown", NULL, "write the table as Markdown", INTO(OPTION_FLAG, markdown) },
	{ 0, "badge", "FILE", "write to FILE where it works, as a small image (SVG)", INTO(OPTION_STRING, badge) },
	SUITE_DISCARD_ROW,
	{ 0 },
};
// clang-format on

/** The kernels of one architecture and flavor, from one on; borrowed. */
static struct suite group_at(const struct suite *suite, size_t first)
{
	const struct suite_item *items = &suite->items[first];
	size_t count = 1;

	while (first + count < suite->count &&
	       strcmp(items[count].arch, items->arch) == 0 &&
	       strcmp(items[count].release.flavor, items->release.flavor) == 0)
		count++;
	return (struct suite){ &suite->items[first], count };
}

static struct error *search(struct suite_setup *setup)
{
	struct error *err;
	const struct suite *suite = &setup->suite;
	unsigned int number = 0;
	struct suite group;
	size_t index;

	for (size_t i = 0; i < suite->count; i += group.count) {
		group = group_at(suite, i);
		log_info("kernels of %s, %s: %zu, from %s to %s",
			 group.items->arch, group.items->release.flavor,
			 group.count, group.items->name,
			 group.items[group.count - 1].name);
		while (range_next(&group, &index)) {
			err = suite_run_step(setup, &group.items[index],
					     ++number);
			if (err)
				return err;
		}
	}
	return NULL;
}

/**
 * Say it of each group: in a table, as JSON, and for the badge, which names the
 * groups if there are several.
 */
static void describe(const struct suite_setup *setup, struct table *table,
		     struct string_builder *badge)
{
	const struct suite *suite = &setup->suite;
	struct suite group;

	table_add_column(table, "architecture", TABLE_TEXT);
	table_add_column(table, "flavor", TABLE_TEXT);
	table_add_column(table, "works", TABLE_TEXT);
	table_add_column(table, "fails", TABLE_TEXT);
	table_add_column(table, "tested", TABLE_NUMBER);
	for (size_t i = 0; i < suite->count; i += group.count) {
		_cleanup_string_builder_ struct string_builder good = { 0 };
		_cleanup_string_builder_ struct string_builder bad = { 0 };

		group = group_at(suite, i);
		const char *arch = group.items->arch;
		const char *flavor = group.items->release.flavor;
		size_t tested = range_tested(&group);
		range_append(&good, &group, BISECT_GOOD);
		range_append(&bad, &group, BISECT_BAD);
		table_add(table, arch);
		table_add(table, flavor);
		table_add(table, good.text);
		table_add(table, bad.text);
		table_addf(table, "%zu of %zu", tested, group.count);
		command_row_add(setup->context,
				json_pack("{s:s, s:s, s:o, s:o, s:i, s:i}",
					  "arch", arch, "flavor", flavor, "works",
					  range_json(&group, BISECT_GOOD),
					  "fails", range_json(&group, BISECT_BAD),
					  "tested", (int)tested, "kernels",
					  (int)group.count));
		if (group.count == suite->count)
			string_builder_append(badge, good.text);
		else
			string_builder_appendf(badge, "%s%s %s: %s",
					       i ? "; " : "", flavor, arch,
					       good.text);
	}
}

static struct error *print(const struct suite_setup *setup)
{
	struct error *err;
	const struct range_options *options = setup->context->options;
	_cleanup_string_builder_ struct string_builder markdown = { 0 };
	_cleanup_string_builder_ struct string_builder where = { 0 };
	_cleanup_table_ struct table table = { 0 };

	describe(setup, &table, &where);
	table_append_markdown(&markdown, &table, SIZE_MAX);
	if (setup->context->common->json) {
		err = command_rows_print(setup->context);
		if (err)
			return err;
	} else if (options->markdown) {
		fputs(markdown.text, stdout);
	} else {
		table_print(&table);
	}
	if (options->badge) {
		_cleanup_free_ char *badge = badge_format("Linux", where.text);

		err = user_file_write(options->badge, badge, strlen(badge));
		if (err)
			return error_wrap(err, "--badge");
	}
	return workflow_summary_room() ? workflow_summary_write(markdown.text)
				       : NULL;
}

static struct error *run(struct command_context *context)
{
	struct error *err;
	const struct range_options *options = context->options;
	const struct place badge = { "--badge", options->badge, PLACE_OUTPUT };

	_cleanup_suite_setup_ struct suite_setup setup = { 0 };
	err = suite_setup_load(&setup, context, SUITE_EVERY_VERSION, NULL);
	if (!err)
		err = run_options_check_places(context, &options->suite.guest,
					       &badge, 1);
	if (!err)
		err = bisect_order(&setup.suite);
	if (err)
		return err;
	log_info("logs in %s", setup.run.log_directory);
	err = search(&setup);
	if (!err)
		err = print(&setup);
	if (err)
		return err;
	if (range_tested(&setup.suite))
		return NULL;
	return error_create(ERROR_OTHER, "no kernel could be tested");
}

const struct command vm_range_command = {
	.name = "range",
	.arguments = "[--] [COMMAND ARG...]",
	.summary = "find on which kernels a command works",
	.details =
		"The kernels are all of the disk and the store that -k means (default: all), of each\n"
		"architecture of --arch and each flavor. The first, the last and three between\n"
		"are tested, then what is in the middle of two that differ. What lies between\n"
		"two that agree is taken to agree with them. Kernels are good, bad or skipped\n"
		"as by bisect; the exit status is 0 if any was good or bad.",
	.options = { own_option_table, suite_option_table, run_option_table },
	.options_size = sizeof(struct range_options),
	.common = COMMON_SELECTION | COMMON_DOWNLOAD | COMMON_JSON,
	.takes_program = true,
	.run = run,
};
