// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/suite/suite_report.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "common/base/text.h"
#include "vm/suite/suite.h"

/** Whether it is one of the two characters that are in UTF-8 but not in XML. */
static bool is_noncharacter(const char *text, size_t length)
{
	return length == 3 && (memcmp(text, "\xef\xbf\xbe", 3) == 0 ||
			       memcmp(text, "\xef\xbf\xbf", 3) == 0);
}

void junit_append_text(struct string_builder *sb, const char *text)
{
	size_t size = strlen(text);

	for (size_t i = 0; i < size;) {
		size_t length = utf8_length(text + i, size - i);

		// A newline in an attribute would be read as a space.
		if (strchr("&<>\"'\n\t", text[i]))
			string_builder_appendf(sb, "&#%d;", text[i]);
		else if (length && !utf8_is_control(text + i) &&
			 !is_noncharacter(text + i, length))
			string_builder_append_n(sb, text + i, length);
		i += length ? length : 1;
	}
}

static void append_attribute(struct string_builder *sb, const char *name,
			     const char *value)
{
	string_builder_appendf(sb, " %s=\"", name);
	junit_append_text(sb, value);
	string_builder_append_char(sb, '"');
}

static void append_seconds(struct string_builder *sb, const char *name,
			   uint64_t ms)
{
	string_builder_appendf(sb, " %s=\"%.3f\"", name, (double)ms / 1000);
}

static void append_property(struct string_builder *sb, const char *name,
			    const char *value)
{
	string_builder_append(sb, "        <property");
	append_attribute(sb, "name", name);
	append_attribute(sb, "value", value);
	string_builder_append(sb, "/>\n");
}

static void append_properties(struct string_builder *sb,
			      const struct suite_item *item)
{
	string_builder_append(sb, "      <properties>\n");
	if (item->state == SUITE_FLAKY)
		append_property(sb, "flaky", item->reason ? item->reason : "");
	for (int i = 0; i < SUITE_PHASE_COUNT; i++) {
		char name[32], value[32];

		if (!item->phase_ms[i])
			continue;
		snprintf(name, sizeof(name), "%s_ms", suite_phase_names[i]);
		snprintf(value, sizeof(value), "%" PRIu64, item->phase_ms[i]);
		append_property(sb, name, value);
	}
	string_builder_append(sb, "      </properties>\n");
}

/**
 * Of a test that did its work and found something wrong it is said that it
 * failed; of one that could not, that it is in error.
 */
static bool is_error(const struct suite_item *item)
{
	return suite_state_is_failure(item->state) &&
	       item->state != SUITE_FAILED && item->state != SUITE_TIMED_OUT;
}

static void append_failure(struct string_builder *sb,
			   const struct suite_item *item, const char *log)
{
	const char *element = is_error(item) ? "error" : "failure";

	string_builder_appendf(sb, "      <%s", element);
	append_attribute(sb, "type", suite_state_names[item->state]);
	append_attribute(sb, "message", item->reason ? item->reason : "");
	string_builder_append_char(sb, '>');
	junit_append_text(sb, log);
	string_builder_appendf(sb, "</%s>\n", element);
}

static void append_case(struct string_builder *sb,
			const struct suite_item *item, const char *log)
{
	string_builder_append(sb, "    <testcase classname=\"vmtest.");
	junit_append_text(sb, item->arch);
	string_builder_append_char(sb, '"');
	append_attribute(sb, "name", item->name);
	append_seconds(sb, "time", suite_item_total_ms(item));
	string_builder_append(sb, ">\n");
	append_properties(sb, item);
	if (suite_state_is_failure(item->state))
		append_failure(sb, item, log);
	string_builder_append(sb, "    </testcase>\n");
}

static void append_counts(struct string_builder *sb,
			  const struct junit_report *report)
{
	const struct suite *suite = report->suite;
	size_t failures = 0;
	size_t errors = 0;

	for (size_t i = 0; i < suite->count; i++) {
		bool error = is_error(&suite->items[i]);

		errors += error;
		failures += !error &&
			    suite_state_is_failure(suite->items[i].state);
	}
	string_builder_appendf(sb,
			       " tests=\"%zu\" failures=\"%zu\" errors=\"%zu\"",
			       suite->count, failures, errors);
	append_seconds(sb, "time", report->duration_ms);
}

char *junit_format(const struct junit_report *report)
{
	const struct suite *suite = report->suite;
	_cleanup_string_builder_ struct string_builder sb = { 0 };

	string_builder_append(&sb, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
				   "<testsuites name=\"vmtest\"");
	append_counts(&sb, report);
	string_builder_append(&sb, ">\n  <testsuite");
	append_attribute(&sb, "name", report->command);
	append_counts(&sb, report);
	string_builder_append(&sb, " skipped=\"0\"");
	append_attribute(&sb, "timestamp", report->timestamp);
	string_builder_append(&sb, ">\n");
	for (size_t i = 0; i < suite->count; i++)
		append_case(&sb, &suite->items[i], report->logs->items[i]);
	string_builder_append(&sb, "  </testsuite>\n</testsuites>\n");
	return string_builder_take(&sb);
}
