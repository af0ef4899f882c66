// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Linked lists: struct list_head, a homemade one, hlist, llist.
 */
#include <linux/list.h>
#include <linux/llist.h>

#include "drgn_test.h"

struct drgn_test_list_entry {
	int value;
	struct list_head node;
};

/* The head is not the first member, so that its offset shows. */
struct drgn_test_list_anchor {
	long x;
	long y;
	struct list_head list;
};

struct drgn_test_custom_list_entry {
	int value;
	struct drgn_test_custom_list_entry *next;
};

struct drgn_test_hlist_entry {
	int value;
	struct hlist_node node;
};

struct drgn_test_llist_entry {
	int value;
	struct llist_node node;
};

LIST_HEAD(drgn_test_empty_list);

LIST_HEAD(drgn_test_full_list);
struct drgn_test_list_entry drgn_test_list_entries[3];

LIST_HEAD(drgn_test_singular_list);
struct drgn_test_list_entry drgn_test_singular_list_entry;

/* A ring of entries, none of which is a mere head. */
struct drgn_test_list_entry drgn_test_circular_list;
struct drgn_test_list_entry drgn_test_circular_list_entries[2];

struct drgn_test_list_anchor drgn_test_anchored_list;
struct drgn_test_list_entry drgn_test_anchored_list_entries[3];

LIST_HEAD(drgn_test_corrupted_list);
struct drgn_test_list_entry drgn_test_corrupted_list_entries[2];

LIST_HEAD(drgn_test_list_cycle1);
struct drgn_test_list_entry drgn_test_list_cycle1_entries[2];
LIST_HEAD(drgn_test_list_cycle2);
struct drgn_test_list_entry drgn_test_list_cycle2_entries[3];
LIST_HEAD(drgn_test_list_cycle3);
struct drgn_test_list_entry drgn_test_list_cycle3_entries[4];
LIST_HEAD(drgn_test_list_self_cycle);
struct drgn_test_list_entry drgn_test_list_self_cycle_entries[3];

/* As of memory that was cleared while it was in use: the way back is missing. */
LIST_HEAD(drgn_test_list_null);
struct drgn_test_list_entry drgn_test_list_null_entry;

struct drgn_test_custom_list_entry drgn_test_custom_list;
struct drgn_test_custom_list_entry drgn_test_custom_list_entries[2];
struct drgn_test_custom_list_entry drgn_test_custom_list_cycle[5];
struct drgn_test_custom_list_entry drgn_test_custom_list_self_cycle[3];

HLIST_HEAD(drgn_test_empty_hlist);
HLIST_HEAD(drgn_test_full_hlist);
struct drgn_test_hlist_entry drgn_test_hlist_entries[3];

LLIST_HEAD(drgn_test_empty_llist);
LLIST_HEAD(drgn_test_full_llist);
struct drgn_test_llist_entry drgn_test_llist_entries[3];
LLIST_HEAD(drgn_test_singular_llist);
struct drgn_test_llist_entry drgn_test_singular_llist_entry;

static void fill_list(struct list_head *head,
		      struct drgn_test_list_entry *entries, int count,
		      int first_value)
{
	int i;

	for (i = 0; i < count; i++) {
		entries[i].value = first_value + i;
		list_add_tail(&entries[i].node, head);
	}
}

/*
 * Let the list run from its head through all entries and from the last one back
 * to @target, past the head. The last link is consistent by itself, so that
 * only the walk as a whole shows the mistake.
 */
static void fill_list_cycle(struct list_head *head,
			    struct drgn_test_list_entry *entries, int count,
			    int target)
{
	fill_list(head, entries, count, 1);
	entries[count - 1].node.next = &entries[target].node;
	entries[target].node.prev = &entries[count - 1].node;
}

/*
 * What is left when two CPUs insert at the front of an empty list without a
 * lock, the first entry's CPU being the last one to store to the head's next
 * and the first to store to its prev.
 */
static void corrupt_list(struct list_head *head,
			 struct drgn_test_list_entry *entries)
{
	int i;

	for (i = 0; i < 2; i++) {
		entries[i].value = i + 1;
		entries[i].node.next = head;
		entries[i].node.prev = head;
	}
	head->next = &entries[0].node;
	head->prev = &entries[1].node;
}

static void fill_custom_list(struct drgn_test_custom_list_entry *entries,
			     int count, int first_value)
{
	int i;

	for (i = 0; i < count; i++) {
		entries[i].value = first_value + i;
		entries[i].next = i + 1 < count ? &entries[i + 1] : NULL;
	}
}

static void init_lists(void)
{
	fill_list(&drgn_test_full_list, drgn_test_list_entries,
		  ARRAY_SIZE(drgn_test_list_entries), 1);
	fill_list(&drgn_test_singular_list, &drgn_test_singular_list_entry, 1,
		  0);

	drgn_test_circular_list.value = 1;
	INIT_LIST_HEAD(&drgn_test_circular_list.node);
	fill_list(&drgn_test_circular_list.node,
		  drgn_test_circular_list_entries,
		  ARRAY_SIZE(drgn_test_circular_list_entries), 2);

	INIT_LIST_HEAD(&drgn_test_anchored_list.list);
	fill_list(&drgn_test_anchored_list.list,
		  drgn_test_anchored_list_entries,
		  ARRAY_SIZE(drgn_test_anchored_list_entries), 1);

	corrupt_list(&drgn_test_corrupted_list,
		     drgn_test_corrupted_list_entries);

	fill_list_cycle(&drgn_test_list_cycle1, drgn_test_list_cycle1_entries,
			ARRAY_SIZE(drgn_test_list_cycle1_entries), 0);
	fill_list_cycle(&drgn_test_list_cycle2, drgn_test_list_cycle2_entries,
			ARRAY_SIZE(drgn_test_list_cycle2_entries), 1);
	fill_list_cycle(&drgn_test_list_cycle3, drgn_test_list_cycle3_entries,
			ARRAY_SIZE(drgn_test_list_cycle3_entries), 2);
	fill_list_cycle(&drgn_test_list_self_cycle,
			drgn_test_list_self_cycle_entries,
			ARRAY_SIZE(drgn_test_list_self_cycle_entries), 2);

	fill_list(&drgn_test_list_null, &drgn_test_list_null_entry, 1, 1);
	drgn_test_list_null_entry.node.next = NULL;
}

static void init_custom_lists(void)
{
	drgn_test_custom_list.value = 1;
	drgn_test_custom_list.next = &drgn_test_custom_list_entries[0];
	fill_custom_list(drgn_test_custom_list_entries,
			 ARRAY_SIZE(drgn_test_custom_list_entries), 2);

	fill_custom_list(drgn_test_custom_list_cycle,
			 ARRAY_SIZE(drgn_test_custom_list_cycle), 1);
	drgn_test_custom_list_cycle[4].next = &drgn_test_custom_list_cycle[2];

	fill_custom_list(drgn_test_custom_list_self_cycle,
			 ARRAY_SIZE(drgn_test_custom_list_self_cycle), 1);
	drgn_test_custom_list_self_cycle[2].next =
		&drgn_test_custom_list_self_cycle[2];
}

static void init_hlists(void)
{
	int i;

	for (i = ARRAY_SIZE(drgn_test_hlist_entries) - 1; i >= 0; i--) {
		drgn_test_hlist_entries[i].value = i;
		hlist_add_head(&drgn_test_hlist_entries[i].node,
			       &drgn_test_full_hlist);
	}
}

static void init_llists(void)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(drgn_test_llist_entries); i++) {
		drgn_test_llist_entries[i].value = i;
		llist_add(&drgn_test_llist_entries[i].node,
			  &drgn_test_full_llist);
	}
	llist_add(&drgn_test_singular_llist_entry.node,
		  &drgn_test_singular_llist);
}

int drgn_test_list_init(void)
{
	init_lists();
	init_custom_lists();
	init_hlists();
	init_llists();
	return 0;
}
