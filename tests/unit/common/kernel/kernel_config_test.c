// SPDX-License-Identifier: LGPL-2.1-or-later

#include "common/kernel/kernel_config.h"

#include <criterion/criterion.h>

#include "common/base/text.h"

static const char config[] = "# CONFIG_A is not set\n"
			     "CONFIG_B=y\n"
			     "CONFIG_BB=m\n"
			     "CONFIG_HZ_100=y\n"
			     "CONFIG_HZ=100\n"
			     "CONFIG_S=\"CONFIG_T=y\"\n"
			     "CONFIG_EMPTY=\"\"\n"
			     "CONFIG_LAST=y";

Test(kernel_config, only_whole_lines_count)
{
	cr_expect(kernel_config_has(config, "CONFIG_B"));
	cr_expect(kernel_config_has(config, "CONFIG_LAST"));
	cr_expect_not(kernel_config_has(config, "CONFIG_A"));
	cr_expect_not(kernel_config_has(config, "CONFIG_BB"));
	cr_expect_not(kernel_config_has(config, "CONFIG_T"));
	cr_expect_not(kernel_config_has("", "CONFIG_B"));
	cr_expect_eq(kernel_config_number(config, "CONFIG_HZ"), 100);
	cr_expect_eq(kernel_config_number(config, "CONFIG_B"), 0);
	cr_expect_eq(kernel_config_number(config, "CONFIG_NONE"), 0);
}

Test(kernel_config, strings_lose_their_quotes)
{
	static const struct {
		const char *name, *value;
	} rows[] = {
		{ "CONFIG_HZ", "100" }, { "CONFIG_S", "CONFIG_T=y" },
		{ "CONFIG_EMPTY", "" }, { "CONFIG_LAST", "y" },
		{ "CONFIG_A", NULL },	{ "CONFIG_H", NULL },
	};

	for (size_t i = 0; i < array_size(rows); i++) {
		_cleanup_free_ char *value =
			kernel_config_string(config, rows[i].name);

		cr_expect_eq(!value, !rows[i].value, "%s", rows[i].name);
		if (value)
			cr_expect_str_eq(value, rows[i].value);
	}
}

Test(kernel_config, the_first_that_is_not_built_in_is_lacking)
{
	_cleanup_string_list_ struct string_list none = { 0 };
	_cleanup_string_list_ struct string_list wanted = { 0 };

	cr_expect_null(kernel_config_lacks("", &none));
	string_list_add(&wanted, "CONFIG_B");
	string_list_add(&wanted, "CONFIG_NO_SUCH=n");
	cr_expect_null(kernel_config_lacks(config, &wanted));
	string_list_add(&none, "CONFIG_B=n");
	cr_expect_str_eq(kernel_config_lacks(config, &none), "CONFIG_B=n");
	string_list_add(&wanted, "CONFIG_BB");
	string_list_add(&wanted, "CONFIG_A");
	cr_expect_str_eq(kernel_config_lacks(config, &wanted), "CONFIG_BB");
}
