// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Maple trees. The entries are plain numbers, never dereferenced.
 *
 * Every tree exists twice: as an ordinary tree, and as one that tracks the gaps
 * between its entries, whose inner nodes have another layout.
 */
#include "drgn_test.h"

#if DRGN_TEST_HAVE_MAPLE_TREE
#include <linux/gfp.h>
#include <linux/maple_tree.h>
#include <linux/xarray.h>

const int drgn_test_maple_range64_slots = MAPLE_RANGE64_SLOTS;
const int drgn_test_maple_arange64_slots = MAPLE_ARANGE64_SLOTS;

#define TREES(name)							\
	DEFINE_MTREE(drgn_test_maple_tree_##name);			\
	struct maple_tree drgn_test_maple_tree_arange_##name =		\
		MTREE_INIT(drgn_test_maple_tree_arange_##name,		\
			   MT_FLAGS_ALLOC_RANGE)

TREES(empty);
TREES(one);
TREES(one_range);
TREES(one_at_zero);
TREES(one_range_at_zero);
TREES(zero_entry);
TREES(zero_entry_at_zero);
TREES(dense);
TREES(dense_ranges);
TREES(sparse);
TREES(sparse_ranges);
TREES(three_levels_dense_1);
TREES(three_levels_dense_2);
TREES(three_levels_ranges_1);
TREES(three_levels_ranges_2);

static int store(struct maple_tree *mt, unsigned long first, unsigned long last,
		 unsigned long value)
{
	return mtree_store_range(mt, first, last, (void *)value, GFP_KERNEL);
}

/* The value of the i-th of several entries. */
static unsigned long nth_value(unsigned long i)
{
	return 0xb0ba000 | i;
}

/*
 * The functions below get the number of slots in the tree's inner nodes, which
 * is what the two kinds differ in. The leaves of both are range nodes.
 */
static int fill_empty(struct maple_tree *mt, unsigned long slots)
{
	return 0;
}

static int fill_one(struct maple_tree *mt, unsigned long slots)
{
	return store(mt, 666, 666, 0xdeadb00);
}

static int fill_one_range(struct maple_tree *mt, unsigned long slots)
{
	return store(mt, 616, 666, 0xdeadb000);
}

static int fill_one_at_zero(struct maple_tree *mt, unsigned long slots)
{
	return store(mt, 0, 0, 0x1234);
}

static int fill_one_range_at_zero(struct maple_tree *mt, unsigned long slots)
{
	return store(mt, 0, 0x1337, 0x5678);
}

static int fill_zero_entry(struct maple_tree *mt, unsigned long slots)
{
	return mtree_store(mt, 666, XA_ZERO_ENTRY, GFP_KERNEL);
}

static int fill_zero_entry_at_zero(struct maple_tree *mt, unsigned long slots)
{
	return mtree_store(mt, 0, XA_ZERO_ENTRY, GFP_KERNEL);
}

static int fill_n_dense(struct maple_tree *mt, unsigned long n)
{
	unsigned long i;
	int err;

	for (i = 0; i < n; i++) {
		err = store(mt, i, i, nth_value(i));
		if (err)
			return err;
	}
	return 0;
}

static int fill_n_ranges(struct maple_tree *mt, unsigned long n)
{
	unsigned long i;
	int err;

	for (i = 0; i < n; i++) {
		err = store(mt, 2 * i, 2 * i + 1, nth_value(i));
		if (err)
			return err;
	}
	return store(mt, 2 * n, ULONG_MAX, nth_value(n));
}

static int fill_dense(struct maple_tree *mt, unsigned long slots)
{
	return fill_n_dense(mt, 5);
}

static int fill_dense_ranges(struct maple_tree *mt, unsigned long slots)
{
	unsigned long i;
	int err;

	for (i = 0; i < 5; i++) {
		err = store(mt, i * i, (i + 1) * (i + 1) - 1, nth_value(i));
		if (err)
			return err;
	}
	return 0;
}

static int fill_sparse(struct maple_tree *mt, unsigned long slots)
{
	unsigned long i;
	int err;

	for (i = 0; i < 5; i++) {
		err = store(mt, (i + 1) * (i + 1), (i + 1) * (i + 1),
			    nth_value(i));
		if (err)
			return err;
	}
	return 0;
}

static int fill_sparse_ranges(struct maple_tree *mt, unsigned long slots)
{
	unsigned long i;
	int err;

	for (i = 0; i < 5; i++) {
		err = store(mt, (2 * i + 1) * (2 * i + 1),
			    (2 * i + 2) * (2 * i + 2), nth_value(i));
		if (err)
			return err;
	}
	return 0;
}

/* So many entries do not fit in two levels, however they are split. */
static unsigned long three_levels_1(unsigned long slots)
{
	return 2 * (slots - 1) * (MAPLE_RANGE64_SLOTS - 1) +
	       (MAPLE_RANGE64_SLOTS - 1);
}

static unsigned long three_levels_2(unsigned long slots)
{
	return 2 * slots * MAPLE_RANGE64_SLOTS;
}

static int fill_three_levels_dense_1(struct maple_tree *mt, unsigned long slots)
{
	return fill_n_dense(mt, three_levels_1(slots));
}

static int fill_three_levels_dense_2(struct maple_tree *mt, unsigned long slots)
{
	return fill_n_dense(mt, three_levels_2(slots));
}

static int fill_three_levels_ranges_1(struct maple_tree *mt,
				      unsigned long slots)
{
	return fill_n_ranges(mt, three_levels_1(slots));
}

static int fill_three_levels_ranges_2(struct maple_tree *mt,
				      unsigned long slots)
{
	return fill_n_ranges(mt, three_levels_2(slots));
}

#define TREES_ROW(name)							\
	{ &drgn_test_maple_tree_##name,					\
	  &drgn_test_maple_tree_arange_##name, fill_##name }

static const struct {
	struct maple_tree *range;
	struct maple_tree *arange;
	int (*fill)(struct maple_tree *mt, unsigned long slots);
} trees[] = {
	TREES_ROW(empty),
	TREES_ROW(one),
	TREES_ROW(one_range),
	TREES_ROW(one_at_zero),
	TREES_ROW(one_range_at_zero),
	TREES_ROW(zero_entry),
	TREES_ROW(zero_entry_at_zero),
	TREES_ROW(dense),
	TREES_ROW(dense_ranges),
	TREES_ROW(sparse),
	TREES_ROW(sparse_ranges),
	TREES_ROW(three_levels_dense_1),
	TREES_ROW(three_levels_dense_2),
	TREES_ROW(three_levels_ranges_1),
	TREES_ROW(three_levels_ranges_2),
};

int drgn_test_maple_tree_init(void)
{
	int i, err;

	for (i = 0; i < ARRAY_SIZE(trees); i++) {
		err = trees[i].fill(trees[i].range, MAPLE_RANGE64_SLOTS);
		if (err)
			return err;
		err = trees[i].fill(trees[i].arange, MAPLE_ARANGE64_SLOTS);
		if (err)
			return err;
	}
	return 0;
}

void drgn_test_maple_tree_exit(void)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(trees); i++) {
		mtree_destroy(trees[i].range);
		mtree_destroy(trees[i].arange);
	}
}
#else
int drgn_test_maple_tree_init(void)
{
	return 0;
}

void drgn_test_maple_tree_exit(void)
{
}
#endif
