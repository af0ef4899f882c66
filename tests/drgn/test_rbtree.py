# SPDX-License-Identifier: LGPL-2.1-or-later
"""Red-black trees: sound ones, and one for each defect."""

from drgn import offsetof
from drgn.helpers import ValidationError
from drgn.helpers.linux.rbtree import (
    RB_EMPTY_NODE, RB_EMPTY_ROOT, rbtree_inorder_for_each_entry, validate_rbtree,
)

import support
from support import addresses, head, prog

ENTRY = "struct drgn_test_rb_entry"
CONTAINER = "struct drgn_test_rbtree_container_struct"


def compare(one, other):
    return one.value.value_() - other.value.value_()


def validate(root, allow_equal=False):
    validate_rbtree(ENTRY, root, "node", compare, allow_equal)


def entries(root):
    return list(rbtree_inorder_for_each_entry(ENTRY, root, "node"))


class RbtreeTest(support.TestCase):
    def test_members(self):
        self.assert_members(ENTRY, ("node", "struct rb_node"), ("value", "int"))
        self.assert_members(CONTAINER, ("entries", f"{ENTRY} [2]"),
                            ("root", "struct rb_root"))
        self.assertNotEqual(offsetof(prog.type(CONTAINER), "root"), 0)

    def test_empty(self):
        self.assertTrue(RB_EMPTY_ROOT(head("drgn_test_empty_rb_root")))
        self.assertTrue(RB_EMPTY_NODE(head("drgn_test_empty_rb_node")))

    def test_valid(self):
        root = head("drgn_test_rb_root")
        validate(root)
        array = prog["drgn_test_rb_entries"]
        self.assertEqual([entry.value.value_() for entry in array], [0, 1, 2, 3])
        self.assertEqual(addresses(entries(root)), addresses(array))

    def test_container(self):
        container = prog["drgn_test_rbtree_container"]
        root = container.root.address_of_()
        validate(root)
        self.assertEqual(addresses(entries(root)), addresses(container.entries))
        self.assertEqual([entry.value.value_() for entry in entries(root)], [0, 1])

    def test_equal_is_valid_only_if_allowed(self):
        root = head("drgn_test_rbtree_with_equal")
        validate(root, allow_equal=True)
        self.assertEqual(addresses(entries(root)),
                         addresses(prog["drgn_test_rb_entries_with_equal"]))
        self.assertEqual([entry.value.value_() for entry in entries(root)], [0, 0, 1, 1])
        with self.assertRaisesRegex(ValidationError, "compares equal"):
            validate(root)

    def test_broken_trees_have_their_entries(self):
        for name, expected in (("out_of_order", [99, 1, 2, 3]),
                               ("inconsistent_parents", [0, 1]),
                               ("red_violation", [0, 1, 2]),
                               ("black_violation", [0, 1])):
            with self.subTest(name):
                array = prog[f"drgn_test_rb_entries_{name}"]
                self.assertEqual([entry.value.value_() for entry in array], expected)

    def test_each_defect_is_found_for_what_it_is(self):
        for name, text in (
            ("out_of_order", "compares (greater|less) than"),
            ("with_bad_root_parent", "root node .* has parent"),
            ("with_red_root", "root node .* is red"),
            ("with_inconsistent_parents", "rb_parent"),
            ("with_red_violation", "red node .* has red child"),
            ("with_black_violation", "unequal black heights"),
        ):
            with self.subTest(name):
                with self.assertRaisesRegex(ValidationError, text):
                    validate(head(f"drgn_test_rbtree_{name}"))
