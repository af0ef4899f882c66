// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A scalable bitmap whose set bits are 13, 23, 24 and 99, and nothing else.
 */
#include <linux/numa.h>
#include <linux/sbitmap.h>
#include <linux/slab.h>

#include "compat/sbitmap.h"
#include "drgn_test.h"

struct sbitmap drgn_test_sbitmap;

int drgn_test_sbitmap_init(void)
{
	static const unsigned int bits[] = { 13, 23, 24, 97, 98, 99, 105 };
	int i, err;

	/* 16 bits to a word. */
	err = drgn_test_sbitmap_alloc(&drgn_test_sbitmap, 128, 4);
	if (err)
		return err;

	for (i = 0; i < ARRAY_SIZE(bits); i++)
		sbitmap_set_bit(&drgn_test_sbitmap, bits[i]);
	sbitmap_clear_bit(&drgn_test_sbitmap, 97);
	/* Leaves 105 set but out of range. Carries out deferred clears, too. */
	sbitmap_resize(&drgn_test_sbitmap, 100);
	sbitmap_deferred_clear_bit(&drgn_test_sbitmap, 98);
	return 0;
}

void drgn_test_sbitmap_exit(void)
{
	sbitmap_free(&drgn_test_sbitmap);
}
