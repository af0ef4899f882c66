// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Red-black trees: good ones, and broken ones with one defect each.
 */
#include <linux/rbtree.h>
#include <linux/rbtree_augmented.h>

#include "drgn_test.h"

struct drgn_test_rb_entry {
	struct rb_node node;
	int value;
};

struct drgn_test_rbtree_container_struct {
	struct drgn_test_rb_entry entries[2];
	struct rb_root root;
};

struct rb_root drgn_test_empty_rb_root = RB_ROOT;
struct rb_node drgn_test_empty_rb_node;

struct rb_root drgn_test_rb_root = RB_ROOT;
struct drgn_test_rb_entry drgn_test_rb_entries[4];

struct drgn_test_rbtree_container_struct drgn_test_rbtree_container;

struct rb_root drgn_test_rbtree_with_equal = RB_ROOT;
struct drgn_test_rb_entry drgn_test_rb_entries_with_equal[4];

struct rb_root drgn_test_rbtree_out_of_order = RB_ROOT;
struct drgn_test_rb_entry drgn_test_rb_entries_out_of_order[4];

struct rb_root drgn_test_rbtree_with_bad_root_parent = RB_ROOT;
struct drgn_test_rb_entry drgn_test_rb_entry_bad_root_parent;

struct rb_root drgn_test_rbtree_with_red_root = RB_ROOT;
struct drgn_test_rb_entry drgn_test_rb_entry_red_root;

struct rb_root drgn_test_rbtree_with_inconsistent_parents = RB_ROOT;
struct drgn_test_rb_entry drgn_test_rb_entries_inconsistent_parents[2];

struct rb_root drgn_test_rbtree_with_red_violation = RB_ROOT;
struct drgn_test_rb_entry drgn_test_rb_entries_red_violation[3];

struct rb_root drgn_test_rbtree_with_black_violation = RB_ROOT;
struct drgn_test_rb_entry drgn_test_rb_entries_black_violation[2];

/* Not in any tree; stands for a parent that is none. */
static struct drgn_test_rb_entry stranger;

static void insert(struct rb_root *root, struct drgn_test_rb_entry *entry,
		   int value)
{
	struct rb_node **link = &root->rb_node;
	struct rb_node *parent = NULL;

	entry->value = value;
	while (*link) {
		parent = *link;
		if (value < rb_entry(parent, struct drgn_test_rb_entry,
				     node)->value)
			link = &parent->rb_left;
		else
			link = &parent->rb_right;
	}
	rb_link_node(&entry->node, parent, link);
	rb_insert_color(&entry->node, root);
}

/* Lay out a tree in which each entry is the right child of the one before. */
static void chain(struct rb_root *root, struct drgn_test_rb_entry *entries,
		  int count, int colour)
{
	int i;

	for (i = 0; i < count; i++) {
		entries[i].value = i;
		if (i == 0) {
			root->rb_node = &entries[i].node;
			rb_set_parent_color(&entries[i].node, NULL, RB_BLACK);
		} else {
			entries[i - 1].node.rb_right = &entries[i].node;
			rb_set_parent_color(&entries[i].node,
					    &entries[i - 1].node, colour);
		}
	}
}

static void init_good(void)
{
	int i;

	RB_CLEAR_NODE(&drgn_test_empty_rb_node);
	for (i = 0; i < ARRAY_SIZE(drgn_test_rb_entries); i++)
		insert(&drgn_test_rb_root, &drgn_test_rb_entries[i], i);
	for (i = 0; i < ARRAY_SIZE(drgn_test_rbtree_container.entries); i++) {
		insert(&drgn_test_rbtree_container.root,
		       &drgn_test_rbtree_container.entries[i], i);
	}
}

static void init_broken(void)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(drgn_test_rb_entries_with_equal); i++) {
		insert(&drgn_test_rbtree_with_equal,
		       &drgn_test_rb_entries_with_equal[i], i / 2);
	}

	for (i = 0; i < ARRAY_SIZE(drgn_test_rb_entries_out_of_order); i++) {
		insert(&drgn_test_rbtree_out_of_order,
		       &drgn_test_rb_entries_out_of_order[i], i);
	}
	/* Insertion has made it the left child of the root. */
	drgn_test_rb_entries_out_of_order[0].value = 99;

	RB_CLEAR_NODE(&stranger.node);

	drgn_test_rbtree_with_bad_root_parent.rb_node =
		&drgn_test_rb_entry_bad_root_parent.node;
	rb_set_parent_color(&drgn_test_rb_entry_bad_root_parent.node,
			    &stranger.node, RB_BLACK);

	drgn_test_rbtree_with_red_root.rb_node =
		&drgn_test_rb_entry_red_root.node;
	rb_set_parent_color(&drgn_test_rb_entry_red_root.node, NULL, RB_RED);

	insert(&drgn_test_rbtree_with_inconsistent_parents,
	       &drgn_test_rb_entries_inconsistent_parents[0], 0);
	insert(&drgn_test_rbtree_with_inconsistent_parents,
	       &drgn_test_rb_entries_inconsistent_parents[1], 1);
	rb_set_parent(&drgn_test_rb_entries_inconsistent_parents[1].node,
		      &stranger.node);

	chain(&drgn_test_rbtree_with_red_violation,
	      drgn_test_rb_entries_red_violation,
	      ARRAY_SIZE(drgn_test_rb_entries_red_violation), RB_RED);

	chain(&drgn_test_rbtree_with_black_violation,
	      drgn_test_rb_entries_black_violation,
	      ARRAY_SIZE(drgn_test_rb_entries_black_violation), RB_BLACK);
}

int drgn_test_rbtree_init(void)
{
	init_good();
	init_broken();
	return 0;
}
