// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/guest/evidence.h"

#include <criterion/criterion.h>

#include "common/base/text.h"

Test(evidence, a_dump_is_asked_for_by_how_the_guest_ends)
{
	static const struct {
		const char *words;
		enum run_outcome outcome;
		bool has_splats, is_asked;
	} rows[] = {
		{ "", RUN_LOST, true, false },
		{ "lost", RUN_LOST, false, true },
		{ "lost", RUN_TIMED_OUT, true, false },
		{ "lost", RUN_EXITED, true, false },
		{ "timeout", RUN_TIMED_OUT, false, true },
		{ "timeout", RUN_LOST, true, false },
		{ "splat", RUN_EXITED, true, true },
		{ "splat", RUN_LOST, true, true },
		{ "splat", RUN_EXITED, false, false },
		{ "lost,splat", RUN_EXITED, true, true },
		{ "always", RUN_EXITED, false, true },
	};

	for (size_t i = 0; i < array_size(rows); i++) {
		_cleanup_string_list_ struct string_list words = { 0 };

		string_list_add_split(&words, rows[i].words);
		cr_expect_eq(evidence_is_asked(&words, rows[i].outcome,
					       rows[i].has_splats),
			     rows[i].is_asked, "%zu", i);
	}
}
