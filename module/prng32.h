/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The sequence of numbers that the tests expect in pages and per-CPU variables:
 * a 32-bit xorshift generator, seeded with four ASCII characters.
 */
#ifndef DRGN_TEST_PRNG32_H
#define DRGN_TEST_PRNG32_H

#include <linux/types.h>

#define PRNG32_SEED(a, b, c, d) \
	(((u32)(a) << 24) | ((u32)(b) << 16) | ((u32)(c) << 8) | (u32)(d))

static inline u32 prng32_next(u32 *state)
{
	u32 x = *state;

	x ^= x << 13;
	x ^= x >> 17;
	x ^= x << 5;
	*state = x;
	return x;
}

#endif /* DRGN_TEST_PRNG32_H */
