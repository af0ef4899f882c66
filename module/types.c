// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Types to print. A type gets into the debug info only if something has it,
 * hence the variables.
 */
#include <linux/types.h>

#include "drgn_test.h"

union drgn_test_union {
	u32 u;
	s32 s;
};

union drgn_test_union drgn_test_union_var;

/* Without a tag, which is the point. */
typedef union {
	u64 u;
	s64 s;
} drgn_test_anonymous_union;

drgn_test_anonymous_union drgn_test_anonymous_union_var;
