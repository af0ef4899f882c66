// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Radix trees. The entries are plain numbers, never dereferenced.
 */
#include <linux/gfp.h>
#include <linux/radix-tree.h>

#include "drgn_test.h"

RADIX_TREE(drgn_test_radix_tree_empty, GFP_KERNEL);
RADIX_TREE(drgn_test_radix_tree_one, GFP_KERNEL);
RADIX_TREE(drgn_test_radix_tree_one_at_zero, GFP_KERNEL);
RADIX_TREE(drgn_test_radix_tree_sparse, GFP_KERNEL);

static const struct {
	struct radix_tree_root *root;
	unsigned long index;
	unsigned long value;
} entries[] = {
	{ &drgn_test_radix_tree_one, 666, 0xdeadb00 },
	{ &drgn_test_radix_tree_one_at_zero, 0, 0x1234 },
	{ &drgn_test_radix_tree_sparse, 1, 0x1234 },
	{ &drgn_test_radix_tree_sparse, 0x80808080, 0x5678 },
	{ &drgn_test_radix_tree_sparse, 0xffffffff, 0x9abc },
};

#ifdef CONFIG_RADIX_TREE_MULTIORDER /* until v4.19 */
RADIX_TREE(drgn_test_radix_tree_multi_order, GFP_KERNEL);

static int init_multi_order(void)
{
	return __radix_tree_insert(&drgn_test_radix_tree_multi_order,
				   0x80808000, 9, (void *)0x1234);
}

static void exit_multi_order(void)
{
	radix_tree_delete(&drgn_test_radix_tree_multi_order, 0x80808000);
}
#else
static int init_multi_order(void)
{
	return 0;
}

static void exit_multi_order(void)
{
}
#endif

int drgn_test_radix_tree_init(void)
{
	int i, err;

	for (i = 0; i < ARRAY_SIZE(entries); i++) {
		err = radix_tree_insert(entries[i].root, entries[i].index,
					(void *)entries[i].value);
		if (err)
			return err;
	}
	return init_multi_order();
}

void drgn_test_radix_tree_exit(void)
{
	int i;

	exit_multi_order();
	for (i = 0; i < ARRAY_SIZE(entries); i++)
		radix_tree_delete(entries[i].root, entries[i].index);
}
