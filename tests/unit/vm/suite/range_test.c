// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/suite/range.h"

#include <criterion/criterion.h>
#include <string.h>

#include "common/base/json.h"
#include "common/base/memory.h"
#include "common/base/text.h"

enum {
	LIMIT = 64
};

static struct suite_item items[LIMIT];

/** Kernels 5.1, 5.2 and so on, none of which is tested. */
static struct suite make_suite(size_t count)
{
	cr_assert_leq(count, LIMIT);
	for (size_t i = 0; i < count; i++) {
		items[i] = (struct suite_item){
			.arch = "arm",
			.release.version = { 5, (unsigned int)i + 1, 0, 0 },
		};
		snprintf(items[i].name, sizeof(items[i].name), "k%zu", i + 1);
	}
	return (struct suite){ items, count };
}

/** Test what is asked for. @return How many that were. */
static size_t search(const struct suite *suite, const char *truth)
{
	size_t steps = 0, index;

	for (; range_next(suite, &index); steps++) {
		cr_assert_lt(steps, suite->count, "%s has no end", truth);
		cr_assert_lt(index, suite->count);
		cr_assert_eq(items[index].state, SUITE_WAITING, "%s", truth);
		items[index].state = truth[index] == 'g'   ? SUITE_PASSED
				     : truth[index] == 'b' ? SUITE_TIMED_OUT
							   : SUITE_NOT_RUN;
	}
	return steps;
}

Test(range, it_is_found_where_a_command_works)
{
	// clang-format off
	static const struct {
		const char *truth, *good, *bad;
		size_t steps_max;
	} rows[] = {
		{ "g", "all", "none", 1 },
		{ "b", "none", "all", 1 },
		{ "gb", "up to 5.1", "from 5.2", 2 },
		{ "gggggggggggggggg", "all", "none", 5 },
		{ "bbbbbbbbbbbbbbbb", "none", "all", 5 },
		{ "bbbbbbbbbbbbbggg", "from 5.14", "up to 5.13", 7 },
		{ "gbbbbbbbbbbbbbbb", "up to 5.1", "from 5.2", 7 },
		// In the middle; and everywhere else.
		{ "bbbbbggggggbbbbb", "5.6 to 5.11", "up to 5.5, from 5.12", 9 },
		{ "gggggbbbbbbggggg", "up to 5.5, from 5.12", "5.6 to 5.11", 9 },
		{ "bbbbbbbgbbbbbbbb", "5.8", "up to 5.7, from 5.9", 9 },
		// What cannot be tested is neither.
		{ "sssgggggssbbbsss", "up to 5.8", "from 5.11", 16 },
		{ "ssssssssssssssss", "unknown", "unknown", 16 },
		{ "sssssssgssssssss", "all", "none", 16 },
		// A short one can be missed.
		{ "gggggggbgbgggggg", "up to 5.7, from 5.11", "5.8 to 5.10", 9 },
	};
	// clang-format on

	for (size_t i = 0; i < array_size(rows); i++) {
		const struct suite suite = make_suite(strlen(rows[i].truth));
		_cleanup_string_builder_ struct string_builder good = { 0 };
		_cleanup_string_builder_ struct string_builder bad = { 0 };
		size_t steps = search(&suite, rows[i].truth);

		cr_expect_leq(steps, rows[i].steps_max, "%s: %zu steps",
			      rows[i].truth, steps);
		range_append(&good, &suite, BISECT_GOOD);
		range_append(&bad, &suite, BISECT_BAD);
		cr_expect_str_eq(good.text, rows[i].good, "%s", rows[i].truth);
		cr_expect_str_eq(bad.text, rows[i].bad, "%s", rows[i].truth);
	}
}

Test(range, programs_read_it_as_json)
{
	const struct suite suite = make_suite(9);

	search(&suite, "bbggggbbb");
	_cleanup_free_ char *good = json_text(range_json(&suite, BISECT_GOOD), 0);
	_cleanup_free_ char *bad = json_text(range_json(&suite, BISECT_BAD), 0);
	cr_expect_str_eq(good, "[{\"first\": \"k3\", \"last\": \"k6\"}]");
	cr_expect_str_eq(bad, "[{\"first\": \"k1\", \"last\": \"k2\"}, "
			      "{\"first\": \"k7\", \"last\": \"k9\"}]");
}
