// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/suite/suite_report.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/memory.h"
#include "common/base/table.h"
#include "common/base/text.h"

enum {
	/** Of a log: what follows is not read. */
	LOG_BYTES = 64 << 20,
	PIECE_BYTES = 64 << 10,
	/** Names in a reason, and tests in a table. */
	REASON_NAMES = 3,
	TABLE_ROWS = 100,
};

void suite_item_read_tests(struct suite_item *item)
{
	char piece[PIECE_BYTES];
	ssize_t size;

	ktap_destroy(take_ptr(item->tests));
	_cleanup_close_ int fd =
		open(item->log_path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return;
	struct ktap *tests = memory_allocate(1, sizeof(*tests));
	for (size_t total = 0; total < LOG_BYTES; total += (size_t)size) {
		size = read(fd, piece, sizeof(piece));
		if (size <= 0)
			break;
		ktap_feed(tests, piece, (size_t)size);
	}
	ktap_end(tests);
	if (tests->has_begun)
		item->tests = tests;
	else
		ktap_destroy(tests);
}

size_t suite_item_count_tests(const struct suite_item *item,
			      enum ktap_result result)
{
	size_t count = 0;

	for (size_t i = 0; item->tests && i < item->tests->count; i++)
		count += item->tests->items[i].result == result;
	return count;
}

void suite_item_judge_tests(struct suite_item *item)
{
	const size_t failed = suite_item_count_tests(item, KTAP_FAILED);
	_cleanup_string_builder_ struct string_builder sb = { 0 };
	size_t named = 0;

	if (!failed || item->state == SUITE_WAITING ||
	    item->state == SUITE_NOT_RUN)
		return;
	if (suite_state_is_failure(item->state))
		string_builder_appendf(&sb, "%s; ", item->reason);
	else
		item->state = SUITE_FAILED;
	string_builder_appendf(&sb, "%zu of %zu tests failed: ", failed,
			       item->tests->count);
	for (size_t i = 0; i < item->tests->count && named <= REASON_NAMES; i++) {
		const struct ktap_test *test = &item->tests->items[i];

		if (test->result != KTAP_FAILED)
			continue;
		string_builder_appendf(&sb, "%s%s", named ? ", " : "",
				       named < REASON_NAMES ? test->name : "...");
		named++;
	}
	suite_item_explain(item, "%s", sb.text);
}

/** A test that has failed on a kernel. */
struct failed_test {
	const char *name;
	const struct suite_item *item;
};

/** By name, then in the order of the kernels. */
static int compare_failed(const void *a, const void *b)
{
	const struct failed_test *x = a, *y = b;
	int order = strcmp(x->name, y->name);

	return order ? order : (x->item > y->item) - (x->item < y->item);
}

static size_t collect_failed(const struct suite *suite, struct failed_test **ret)
{
	size_t count = 0, all = 0;

	for (size_t i = 0; i < suite->count; i++)
		all += suite_item_count_tests(&suite->items[i], KTAP_FAILED);
	*ret = memory_allocate(all + 1, sizeof(**ret));
	for (size_t i = 0; i < suite->count; i++) {
		const struct suite_item *item = &suite->items[i];

		if (!item->tests || !suite_state_is_failure(item->state))
			continue;
		for (size_t j = 0; j < item->tests->count; j++) {
			const struct ktap_test *test = &item->tests->items[j];

			if (test->result == KTAP_FAILED)
				(*ret)[count++] =
					(struct failed_test){ test->name, item };
		}
	}
	qsort(*ret, count, sizeof(**ret), compare_failed);
	return count;
}

bool suite_tests_make_table(const struct suite *suite, struct table *table)
{
	_cleanup_free_ struct failed_test *failed = NULL;
	size_t count = collect_failed(suite, &failed);
	size_t rows = 0, end;

	table_add_column(table, "failed test", TABLE_TEXT);
	table_add_column(table, "kernels", TABLE_NUMBER);
	table_add_column(table, "", TABLE_TEXT);
	for (size_t i = 0; i < count; i = end) {
		_cleanup_string_builder_ struct string_builder sb = { 0 };
		size_t kernels = 0;

		for (end = i; end < count &&
			      strcmp(failed[end].name, failed[i].name) == 0;
		     end++) {
			// The same name can be there twice.
			if (end > i && failed[end].item == failed[end - 1].item)
				continue;
			string_builder_appendf(&sb, "%s%s", kernels++ ? ", " : "",
					       failed[end].item->name);
		}
		if (++rows > TABLE_ROWS)
			continue;
		table_add(table, failed[i].name);
		table_addf(table, "%zu of %zu", kernels, suite->count);
		table_add(table, sb.text);
	}
	if (rows > TABLE_ROWS) {
		table_addf(table, "and %zu more", rows - TABLE_ROWS);
		table_add(table, "");
		table_add(table, "");
	}
	return rows;
}
