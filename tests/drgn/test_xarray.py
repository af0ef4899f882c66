# SPDX-License-Identifier: LGPL-2.1-or-later
"""Radix trees, XArrays and IDRs."""

from drgn.helpers.linux.idr import idr_find, idr_for_each
from drgn.helpers.linux.radixtree import radix_tree_for_each, radix_tree_lookup
from drgn.helpers.linux.xarray import (
    xa_for_each, xa_is_value, xa_is_zero, xa_load, xa_to_value,
)

import support
from support import has_member, head, prog

ONE = [(666, 0xDEADB00)]
AT_ZERO = [(0, 0x1234)]
SPARSE = [(1, 0x1234), (0x80808080, 0x5678), (0xFFFFFFFF, 0x9ABC)]
MULTI = 0x80808000
MULTI_LENGTH = 1 << 9


ROWS = (("empty", []), ("one", ONE), ("one_at_zero", AT_ZERO), ("sparse", SPARSE))


def plain(found):
    return [(index, entry.value_()) for index, entry in found]


class TreeCase(support.TestCase):
    def assert_contents(self, kind, for_each, load, rows=ROWS, missing=0x80808081):
        for name, expected in rows:
            with self.subTest(name):
                tree = head(f"drgn_test_{kind}_{name}")
                self.assertEqual(plain(for_each(tree)), expected)
                for index, value in expected:
                    self.assertEqual(load(tree, index).value_(), value)
                self.assertFalse(load(tree, missing))


class RadixTreeTest(TreeCase):
    def test_contents(self):
        self.assert_contents("radix_tree", radix_tree_for_each, radix_tree_lookup)

    def test_multi_order(self):
        self.need_name("drgn_test_radix_tree_multi_order")
        tree = head("drgn_test_radix_tree_multi_order")
        for index in (MULTI, MULTI + 1, MULTI + MULTI_LENGTH - 1):
            self.assertEqual(radix_tree_lookup(tree, index).value_(), 0x1234)
        for index in (MULTI - 1, MULTI + MULTI_LENGTH):
            self.assertFalse(radix_tree_lookup(tree, index))


class XArrayTest(TreeCase):
    def setUp(self):
        self.need("have_xarray")

    def array(self, name):
        return head(f"drgn_test_xarray_{name}")

    def test_contents(self):
        self.assert_contents("xarray", xa_for_each, xa_load)

    def test_multi_index_is_one_entry_at_512_indices(self):
        array = self.array("multi_index")
        self.assertEqual(plain(xa_for_each(array)), [(MULTI, 0x1234)])
        for index in range(MULTI, MULTI + MULTI_LENGTH, 7):
            self.assertEqual(xa_load(array, index).value_(), 0x1234)
        self.assertEqual(xa_load(array, MULTI + MULTI_LENGTH - 1).value_(), 0x1234)
        for index in (MULTI - 1, MULTI + MULTI_LENGTH):
            self.assertFalse(xa_load(array, index))

    def test_zero_entries_are_reserved_but_empty(self):
        zero = prog["drgn_test_xa_zero_entry"]
        self.assertEqual(zero.type_.type_name(), "void *")
        self.assertTrue(xa_is_zero(zero))
        for name, index in (("zero_entry", 666), ("zero_entry_at_zero", 0)):
            with self.subTest(name):
                array = self.array(name)
                self.assertEqual(plain(xa_for_each(array)), [])
                self.assertEqual(plain(xa_for_each(array, advanced=True)),
                                 [(index, zero.value_())])
                self.assertFalse(xa_load(array, index))
                self.assertEqual(xa_load(array, index, advanced=True), zero)

    def test_value(self):
        entry = xa_load(self.array("value"), 0)
        self.assertTrue(xa_is_value(entry))
        self.assertEqual(xa_to_value(entry), 1337)
        self.assertEqual(len(list(xa_for_each(self.array("value")))), 1)

    def test_pointers(self):
        self.assert_members("struct drgn_test_xarray_entry", ("value", "int"))
        entries = prog["drgn_test_xarray_entries"]
        self.assertEqual([entry.value.value_() for entry in entries], [0, 1, 2, 3])
        self.assertEqual(plain(xa_for_each(self.array("pointers"))),
                         [(i, entry.address_) for i, entry in enumerate(entries)])


class IdrTest(TreeCase):
    def test_contents(self):
        if not has_member(prog["drgn_test_idr_empty"], "idr_rt"):
            # Linux kernel commit 0a835c4f090a ("Reimplement IDR and IDA using
            # the radix tree") (in v4.11)
            self.skipTest("drgn does not know IDRs that are no radix trees")
        sparse = [(1, 0x1234), (0x80, 0x5678), (0xEE, 0x9ABC)]
        self.assert_contents("idr", idr_for_each, idr_find, (
            ("empty", []), ("one", [(66, 0xDEADB00)]), ("one_at_zero", AT_ZERO),
            ("sparse", sparse)), missing=0x81)
