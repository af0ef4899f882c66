// SPDX-License-Identifier: LGPL-2.1-or-later

#include "common/base/memory.h"

#include <stdint.h>
#include <stdlib.h>

#include <criterion/criterion.h>

Test(memory, exhaustion_ends_the_program, .exit_code = EXIT_FAILURE)
{
	free(memory_allocate(SIZE_MAX / 2, 1));
}

Test(memory, of_no_bytes_and_of_no_string)
{
	_cleanup_free_ void *nothing = memory_allocate(0, 0);
	_cleanup_free_ char *part = string_copy_n("text", 2);

	cr_expect_not_null(nothing);
	cr_expect_str_eq(part, "te");
	cr_expect_null(string_copy(NULL));
}

Test(memory, a_vector_keeps_what_was_added)
{
	struct {
		size_t *items;
		size_t count;
	} vector = { 0 };

	for (size_t i = 0; i < 1000; i++)
		vector_add(&vector) = i * i;
	cr_assert_eq(vector.count, 1000);
	for (size_t i = 0; i < 1000; i++)
		cr_expect_eq(vector.items[i], i * i);
	free(vector.items);
}
