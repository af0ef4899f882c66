// SPDX-License-Identifier: LGPL-2.1-or-later

#include "bot/build/lost_options.h"

#include <stdio.h>

#include <criterion/criterion.h>

#include "common/base/error.h"
#include "common/base/string_list.h"
#include "common/store/store.h"

#define NAME "kernel-7.4-vmtest1.0tiny.x86_64.tar.zst"

static void fill(struct string_list *list, int count)
{
	for (int i = 0; i < count; i++)
		string_list_addf(list, "CONFIG_%c=y", 'A' + i);
}

Test(lost_options, names_as_many_as_fit)
{
	static const char *const expected[] = {
		"",
		"without CONFIG_A=y",
		"without CONFIG_A=y, CONFIG_B=y",
		"without CONFIG_A=y, CONFIG_B=y, CONFIG_C=y",
		"without CONFIG_A=y, CONFIG_B=y, CONFIG_C=y, CONFIG_D=y",
		"without CONFIG_A=y, CONFIG_B=y, CONFIG_C=y, CONFIG_D=y, CONFIG_E=y",
		"without CONFIG_A=y, CONFIG_B=y, CONFIG_C=y, CONFIG_D=y, CONFIG_E=y and 1 more",
	};

	for (size_t i = 0; i < array_size(expected); i++) {
		_cleanup_string_list_ struct string_list list = STRING_LIST_INIT;
		_cleanup_free_ char *text = NULL;

		fill(&list, (int)i);
		text = lost_options_format(&list);
		cr_expect_str_eq(text, expected[i]);
	}
}

Test(lost_options, a_label_gives_back_what_it_was_made_of)
{
	_cleanup_string_list_ struct string_list list = STRING_LIST_INIT;

	cr_expect_null(lost_options_label(NAME, &list));
	fill(&list, 2);
	_cleanup_free_ char *label = lost_options_label(NAME, &list);
	cr_expect_str_eq(label, NAME " without CONFIG_A=y, CONFIG_B=y");
	const struct asset asset = { .name = (char *)NAME, .label = label };
	cr_expect_str_eq(lost_options_of_asset(&asset),
			 "without CONFIG_A=y, CONFIG_B=y");
}

Test(lost_options, other_labels_say_nothing)
{
	static const char *const labels[] = {
		NULL, "",	    "my kernel",
		NAME, NAME " with", "x without CONFIG_A=y",
	};

	for (size_t i = 0; i < array_size(labels); i++) {
		const struct asset asset = {
			.name = (char *)NAME,
			.label = (char *)labels[i],
		};

		cr_expect_str_empty(lost_options_of_asset(&asset), "row %zu", i);
	}
}
