// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/suite/suite_report.h"

#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

#include "common/base/memory.h"
#include "common/base/text.h"

char *junit_text(const char *text)
{
	_cleanup_string_builder_ struct string_builder sb = { 0 };
	size_t size = text ? strlen(text) : 0;

	for (size_t i = 0; i < size;) {
		size_t length = utf8_length(text + i, size - i);

		// A newline in an attribute would be read as a space.
		if (strchr("&<>\"'\n\t", text[i]))
			string_builder_appendf(&sb, "&#%d;", text[i]);
		// U+FFFE and U+FFFF are UTF-8, but not XML.
		else if (length && !utf8_is_control(text + i) &&
			 strncmp(text + i, "\xef\xbf\xbe", 3) != 0 &&
			 strncmp(text + i, "\xef\xbf\xbf", 3) != 0)
			string_builder_append_n(&sb, text + i, length);
		i += length ? length : 1;
	}
	return string_builder_take(&sb);
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

/** As far as they are known, and may fail. */
static void append_tests(struct string_builder *sb, const struct suite_item *item)
{
	static const char *const elements[] = {
		[KTAP_FAILED] = "failure",
		[KTAP_SKIPPED] = "skipped",
		[KTAP_TODO] = "skipped",
	};

	for (size_t i = 0; item->tests && i < item->tests->count; i++) {
		const struct ktap_test *test = &item->tests->items[i];
		const char *element = elements[test->result];
		_cleanup_free_ char *name = junit_text(test->name);
		_cleanup_free_ char *reason = junit_text(test->reason);

		string_builder_appendf(
			sb,
			"    <testcase classname=\"vmtest.%s.%s\" name=\"%s\" time=\"0.000\"",
			item->arch, item->name, name);
		if (!element) {
			string_builder_append(sb, "/>\n");
			continue;
		}
		if (item->state == SUITE_EXPECTED_FAILURE)
			element = "skipped";
		string_builder_appendf(sb, "><%s%s message=\"%s\"/></testcase>\n",
				       element,
				       *element == 'f' ? " type=\"failed\"" : "",
				       reason);
	}
}

static void append_case(struct string_builder *sb, const struct suite_item *item)
{
	_cleanup_free_ char *name = junit_text(item->name);
	_cleanup_free_ char *reason = junit_text(item->reason);
	_cleanup_free_ char *text = junit_text(item->log_end);
	const char *element = is_error(item) ? "error" : "failure";

	string_builder_appendf(
		sb,
		"    <testcase classname=\"vmtest.%s\" name=\"%s\" time=\"%.3f\">\n",
		item->arch, name, (double)suite_item_total_ms(item) / 1000);
	string_builder_append(sb, "      <properties>\n");
	if (item->state == SUITE_FLAKY || item->state == SUITE_UNEXPECTED_PASS)
		string_builder_appendf(sb,
				       "        <property name=\"%s\" value=\"%s\"/>\n",
				       suite_state_names[item->state], reason);
	for (int i = 0; i < SUITE_PHASE_COUNT; i++) {
		if (item->phase_ms[i])
			string_builder_appendf(
				sb,
				"        <property name=\"%s_ms\" value=\"%" PRIu64
				"\"/>\n",
				suite_phase_names[i], item->phase_ms[i]);
	}
	string_builder_append(sb, "      </properties>\n");
	if (item->state == SUITE_EXPECTED_FAILURE)
		string_builder_appendf(sb, "      <skipped message=\"%s\"/>\n",
				       reason);
	if (suite_state_is_failure(item->state))
		string_builder_appendf(sb,
				       "      <%s type=\"%s\" message=\"%s\">%s</%s>\n",
				       element, suite_state_names[item->state],
				       reason, text, element);
	string_builder_append(sb, "    </testcase>\n");
	append_tests(sb, item);
}

char *junit_format(const struct suite *suite, const char *command, time_t start,
		   uint64_t duration_ms)
{
	size_t tests = suite->count, failures = 0, errors = 0, skipped = 0;

	for (size_t i = 0; i < suite->count; i++) {
		const struct suite_item *item = &suite->items[i];
		bool is_expected = item->state == SUITE_EXPECTED_FAILURE;

		tests += item->tests ? item->tests->count : 0;
		failures += suite_state_is_failure(item->state);
		errors += is_error(item);
		*(is_expected ? &skipped : &failures) +=
			suite_item_count_tests(item, KTAP_FAILED);
		skipped += is_expected +
			   suite_item_count_tests(item, KTAP_SKIPPED) +
			   suite_item_count_tests(item, KTAP_TODO);
	}
	char timestamp[32];
	struct tm utc;
	strftime(timestamp, sizeof(timestamp), "%Y-%m-%dT%H:%M:%S",
		 gmtime_r(&start, &utc));
	_cleanup_free_ char *name = junit_text(command);
	_cleanup_free_ char *counts = string_format(
		"tests=\"%zu\" failures=\"%zu\" errors=\"%zu\" time=\"%.3f\"",
		tests, failures - errors, errors, (double)duration_ms / 1000);
	_cleanup_string_builder_ struct string_builder sb = { 0 };
	string_builder_appendf(
		&sb,
		"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
		"<testsuites name=\"vmtest\" %s>\n"
		"  <testsuite name=\"%s\" %s skipped=\"%zu\" timestamp=\"%s\">\n",
		counts, name, counts, skipped, timestamp);
	for (size_t i = 0; i < suite->count; i++)
		append_case(&sb, &suite->items[i]);
	string_builder_append(&sb, "  </testsuite>\n</testsuites>\n");
	return string_builder_take(&sb);
}
