// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Priority lists.
 */
#include <linux/plist.h>

#include "drgn_test.h"

struct drgn_test_plist_entry {
	/* Keeps the node from being the first member. */
	char c;
	struct plist_node node;
};

struct plist_head drgn_test_empty_plist =
	PLIST_HEAD_INIT(drgn_test_empty_plist);
struct plist_head drgn_test_full_plist = PLIST_HEAD_INIT(drgn_test_full_plist);
struct drgn_test_plist_entry drgn_test_plist_entries[3];
struct plist_node drgn_test_empty_plist_node =
	PLIST_NODE_INIT(drgn_test_empty_plist_node, 0);

/*
 * plist_add() is not exported. This is for distinct priorities only: each node
 * is then on both of the list's rings.
 */
static void plist_add_distinct(struct plist_node *node, struct plist_head *head)
{
	struct plist_node *pos, *next = NULL;

	plist_for_each(pos, head) {
		if (pos->prio > node->prio) {
			next = pos;
			break;
		}
	}

	/* The ring of priorities has no head: its end is before its start. */
	if (next)
		list_add_tail(&node->prio_list, &next->prio_list);
	else if (!plist_head_empty(head))
		list_add_tail(&node->prio_list, &plist_first(head)->prio_list);
	list_add_tail(&node->node_list,
		      next ? &next->node_list : &head->node_list);
}

int drgn_test_plist_init(void)
{
	/* Any order but the final one, so that sorting matters. */
	static const int order[] = { 1, 2, 0 };
	int i;

	for (i = 0; i < ARRAY_SIZE(order); i++) {
		struct plist_node *node;

		node = &drgn_test_plist_entries[order[i]].node;
		plist_node_init(node, 10 * (order[i] + 1));
		plist_add_distinct(node, &drgn_test_full_plist);
	}
	return 0;
}
