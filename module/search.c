// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Memory to search for values.
 */
#include <linux/slab.h>

#include "drgn_test.h"

/* Each value occurs only once; the tests know what lies beside it. */
struct {
	unsigned long l;
	unsigned long l2;
	unsigned int i;
	unsigned short s;
	char c[64];
	char c2[64];
	int (*func)(int x);
} drgn_test_search_subject = {
	.l = 0xdeadbeef,
	.l2 = 0xfee1dead,
	.i = 0xdeadb00,
	.s = 0xb0ba,
	.c = "hello, world!",
	.c2 = "goodbye, world!",
	.func = drgn_test_function,
};

/* In the direct map, to be searched by physical address. */
unsigned long *drgn_test_search_subject2;

int drgn_test_search_init(void)
{
	drgn_test_search_subject2 =
		kmalloc(sizeof(*drgn_test_search_subject2), GFP_KERNEL);
	if (!drgn_test_search_subject2)
		return -ENOMEM;
	*drgn_test_search_subject2 = 0x12345678;
	return 0;
}

void drgn_test_search_exit(void)
{
	kfree(drgn_test_search_subject2);
}
