# SPDX-License-Identifier: LGPL-2.1-or-later
"""Linked lists of all kinds, sound and broken."""

from drgn import offsetof
from drgn.helpers import ValidationError
from drgn.helpers.linux.list import (
    hlist_empty, hlist_for_each_entry, list_empty, list_for_each,
    list_for_each_entry, list_for_each_entry_reverse, list_is_singular,
    validate_list,
)
from drgn.helpers.linux.llist import (
    llist_empty, llist_for_each_entry, llist_is_singular,
)

import support
from support import addresses, head, prog, walk

ENTRY = "struct drgn_test_list_entry"


def entries(first):
    return list(list_for_each_entry(ENTRY, first, "node"))


def values(first):
    return [entry.value.value_() for entry in entries(first)]


class ListTest(support.TestCase):
    def test_members(self):
        self.assert_members(ENTRY, ("value", "int"), ("node", "struct list_head"))
        self.assertNotEqual(
            offsetof(prog.type("struct drgn_test_list_anchor"), "list"), 0)

    def test_empty(self):
        self.assertTrue(list_empty(head("drgn_test_empty_list")))
        validate_list(head("drgn_test_empty_list"))

    def test_full_is_in_the_array_s_order(self):
        full = head("drgn_test_full_list")
        validate_list(full)
        self.assertEqual(values(full), [1, 2, 3])
        self.assertEqual(addresses(entries(full)),
                         addresses(prog["drgn_test_list_entries"]))
        backwards = list_for_each_entry_reverse(ENTRY, full, "node")
        self.assertEqual([entry.value.value_() for entry in backwards], [3, 2, 1])

    def test_singular(self):
        singular = head("drgn_test_singular_list")
        self.assertTrue(list_is_singular(singular))
        self.assertEqual(values(singular), [0])
        self.assertEqual(addresses(entries(singular)),
                         [prog["drgn_test_singular_list_entry"].address_])

    def test_circular_has_no_separate_head(self):
        first = prog["drgn_test_circular_list"]
        self.assertEqual(first.value, 1)
        ring = first.node.address_of_()
        validate_list(ring)
        self.assertEqual(values(ring), [2, 3])
        self.assertEqual(addresses(entries(ring)),
                         addresses(prog["drgn_test_circular_list_entries"]))

    def test_anchored(self):
        anchor = prog["drgn_test_anchored_list"].list.address_of_()
        validate_list(anchor)
        self.assertEqual(values(anchor), [1, 2, 3])
        self.assertEqual(addresses(entries(anchor)),
                         addresses(prog["drgn_test_anchored_list_entries"]))

    def test_corrupted_ends_forwards_and_is_noticed(self):
        corrupted = head("drgn_test_corrupted_list")
        array = prog["drgn_test_corrupted_list_entries"]
        nodes = [entry.node.address_of_() for entry in array]
        self.assertEqual([entry.value.value_() for entry in array], [1, 2])
        self.assertEqual(list(list_for_each(corrupted)), [nodes[0]])
        self.assertEqual(corrupted.prev, nodes[1])
        for node in nodes:
            self.assertEqual([node.next, node.prev], [corrupted, corrupted])
        with self.assertRaises(ValidationError):
            validate_list(corrupted)

    def test_cycles_close_where_they_should(self):
        for number, length in ((1, 2), (2, 3), (3, 4)):
            with self.subTest(number):
                first = prog[f"drgn_test_list_cycle{number}"]
                array = prog[f"drgn_test_list_cycle{number}_entries"]
                nodes = [entry.node.address_of_() for entry in array]
                self.assertEqual([entry.value.value_() for entry in array],
                                 list(range(1, length + 1)))
                self.assertEqual(first.next, nodes[0])
                for i, (node, following) in enumerate(zip(nodes, nodes[1:])):
                    self.assertEqual(node.next, following)
                    # The one that the cycle closes at has another before it.
                    if i + 1 != number - 1:
                        self.assertEqual(following.prev, node)
                self.assertEqual(nodes[-1].next, nodes[number - 1])
                self.assertEqual(nodes[number - 1].prev, nodes[-1])
                # validate_list() of drgn 0.0.22 would go round for ever.
                found = walk(nodes[0], lambda node: node.next, limit=3 * length)
                self.assertNotIn(first.address_, addresses(found))

    def test_null_list_has_one_entry_and_no_end(self):
        null = head("drgn_test_list_null")
        entry = prog["drgn_test_list_null_entry"]
        self.assertEqual(entry.value, 1)
        self.assertEqual(null.next, entry.node.address_of_())
        self.assertEqual(null.prev, entry.node.address_of_())
        self.assertEqual(entry.node.prev, null)
        self.assertFalse(entry.node.next)

    def test_self_cycle_ends_in_itself(self):
        array = prog["drgn_test_list_self_cycle_entries"]
        self.assertEqual([entry.value.value_() for entry in array], [1, 2, 3])
        nodes = [entry.node.address_of_() for entry in array]
        for node, following in zip((head("drgn_test_list_self_cycle"), *nodes),
                                   (*nodes, nodes[2])):
            self.assertEqual(node.next, following)
        self.assertEqual(nodes[2].prev, nodes[2])


class CustomListTest(support.TestCase):
    def test_members(self):
        self.assert_members(
            "struct drgn_test_custom_list_entry", ("value", "int"),
            ("next", "struct drgn_test_custom_list_entry *"))

    def test_list(self):
        nodes = walk(head("drgn_test_custom_list"), lambda node: node.next)
        self.assertEqual([node.value.value_() for node in nodes], [1, 2, 3])
        self.assertEqual(addresses(nodes[1:]),
                         addresses(prog["drgn_test_custom_list_entries"]))

    def test_cycles(self):
        for name, length, closing in (("cycle", 5, 2), ("self_cycle", 3, 2)):
            with self.subTest(name):
                array = prog[f"drgn_test_custom_list_{name}"]
                self.assertEqual([entry.value.value_() for entry in array],
                                 list(range(1, length + 1)))
                self.assertEqual(
                    [entry.next.value_() for entry in array],
                    [array[i].address_ for i in [*range(1, length), closing]])


class HlistTest(support.TestCase):
    def test_empty(self):
        self.assertTrue(hlist_empty(head("drgn_test_empty_hlist")))

    def test_full_is_in_the_array_s_order(self):
        found = hlist_for_each_entry("struct drgn_test_hlist_entry",
                                     head("drgn_test_full_hlist"), "node")
        array = prog["drgn_test_hlist_entries"]
        self.assertEqual(addresses(found), addresses(array))
        self.assertEqual([entry.value.value_() for entry in array], [0, 1, 2])

    def test_each_points_back(self):
        where = head("drgn_test_full_hlist").first.address_of_()
        for entry in prog["drgn_test_hlist_entries"]:
            self.assertEqual(entry.node.pprev, where)
            where = entry.node.next.address_of_()


class LlistTest(support.TestCase):
    def test_empty(self):
        self.assertTrue(llist_empty(head("drgn_test_empty_llist")))

    def test_full_is_last_in_first_out(self):
        found = llist_for_each_entry("struct drgn_test_llist_entry",
                                     prog["drgn_test_full_llist"].first, "node")
        array = prog["drgn_test_llist_entries"]
        self.assertEqual(addresses(found), addresses(array)[::-1])
        self.assertEqual([entry.value.value_() for entry in array], [0, 1, 2])

    def test_singular(self):
        singular = head("drgn_test_singular_llist")
        self.assertTrue(llist_is_singular(singular))
        self.assertEqual(singular.first,
                         prog["drgn_test_singular_llist_entry"].node.address_of_())


class PlistTest(support.TestCase):
    def test_empty(self):
        self.assertTrue(list_empty(prog["drgn_test_empty_plist"].node_list.address_of_()))
        node = prog["drgn_test_empty_plist_node"]
        self.assertTrue(list_empty(node.node_list.address_of_()))

    def test_full_is_sorted_by_priority(self):
        nodes = list(list_for_each_entry(
            "struct plist_node", prog["drgn_test_full_plist"].node_list.address_of_(),
            "node_list"))
        array = prog["drgn_test_plist_entries"]
        self.assertEqual(addresses(nodes), [entry.node.address_ for entry in array])
        priorities = [node.prio.value_() for node in nodes]
        self.assertEqual(len(set(priorities)), 3)
        self.assertEqual(priorities, sorted(priorities))

    def test_distinct_priorities_form_a_ring(self):
        lists = [entry.node.prio_list for entry in prog["drgn_test_plist_entries"]]
        for here, following in zip(lists, [*lists[1:], lists[0]]):
            self.assertEqual(here.next, following.address_of_())
            self.assertEqual(following.prev, here.address_of_())

    def test_node_is_not_the_first_member(self):
        self.assertNotEqual(
            offsetof(prog.type("struct drgn_test_plist_entry"), "node"), 0)
