# SPDX-License-Identifier: LGPL-2.1-or-later
"""Maple trees. drgn 0.0.22 has no helper for them, so they are walked here."""

import struct

from drgn import offsetof, sizeof

import support
from support import ULONG_MAX, WORD, head, prog

ARANGE_64 = 3
FIRST_LEAF = 1
# Entries below this are never pointers to nodes.
XA_RESERVED = 4096
ALLOC_RANGE = 1


def words(address, count):
    return struct.unpack(f"{count}L", prog.read(address, WORD * count))


def node_layout(kind):
    """Type, pivots and slots of a node."""
    if kind == ARANGE_64:
        return ("struct maple_arange_64",
                prog["drgn_test_maple_arange64_slots"].value_())
    return "struct maple_range_64", prog["drgn_test_maple_range64_slots"].value_()


def walk_node(encoded, first, last, depth=1):
    """Yield first, last and entry of each range, and how deep it was."""
    kind = encoded >> 3 & 0xF
    address = encoded & ~0xFF
    name, count = node_layout(kind)
    of = prog.type(name)
    pivots = words(address + offsetof(of, "pivot"), count - 1)
    slots = words(address + offsetof(of, "slot"), count)
    for i, slot in enumerate(slots):
        pivot = pivots[i] if i < count - 1 else last
        if i and not pivot:
            pivot = last
        if kind > FIRST_LEAF:
            yield from walk_node(slot, first, pivot, depth + 1)
        elif slot:
            yield first, pivot, slot, depth
        if pivot >= last:
            break
        first = pivot + 1


def walk(tree):
    root = tree.ma_root.value_()
    if not root:
        return []
    if root & 3 == 2 and root > XA_RESERVED:
        return list(walk_node(root, 0, ULONG_MAX))
    return [(0, 0, root, 0)]


def value(i):
    return 0xB0BA000 | i


class MapleTreeTest(support.TestCase):
    def setUp(self):
        self.need("have_maple_tree")
        self.range_slots = prog["drgn_test_maple_range64_slots"].value_()
        self.arange_slots = prog["drgn_test_maple_arange64_slots"].value_()
        self.kinds = (("", self.range_slots), ("arange_", self.arange_slots))

    def tree(self, kind, name):
        return head(f"drgn_test_maple_tree_{kind}{name}")

    def assert_contents(self, name, expected):
        """The same in both trees of the name."""
        for kind, slots in self.kinds:
            with self.subTest(kind + name):
                wanted = expected(slots) if callable(expected) else expected
                found = [found[:3] for found in walk(self.tree(kind, name))]
                self.assertEqual(found, wanted)

    def three_levels(self, number, slots):
        """How many entries it takes to fill two levels."""
        if number == 1:
            return (2 * (slots - 1) + 1) * (self.range_slots - 1)
        return 2 * slots * self.range_slots

    def test_slots_are_the_kernel_s(self):
        for name, slots in (("range", self.range_slots), ("arange", self.arange_slots)):
            members = {member.name: member.type
                       for member in prog.type(f"struct maple_{name}_64").members}
            self.assertEqual(members["pivot"].length, slots - 1)
            if "slot" in members:
                self.assertEqual(members["slot"].length, slots)

    def test_kinds_differ_in_the_flag(self):
        for kind, flag in (("", 0), ("arange_", ALLOC_RANGE)):
            for name in ("empty", "one", "dense", "three_levels_dense_1"):
                with self.subTest(kind + name):
                    flags = self.tree(kind, name).ma_flags.value_()
                    self.assertEqual(flags & ALLOC_RANGE, flag)

    def test_contents(self):
        zero = prog["drgn_test_xa_zero_entry"].value_()
        for name, expected in (
            ("empty", []),
            ("one", [(666, 666, 0xDEADB00)]),
            ("one_range", [(616, 666, 0xDEADB000)]),
            ("one_at_zero", [(0, 0, 0x1234)]),
            ("one_range_at_zero", [(0, 0x1337, 0x5678)]),
            ("zero_entry", [(666, 666, zero)]),
            ("zero_entry_at_zero", [(0, 0, zero)]),
            ("dense", [(i, i, value(i)) for i in range(5)]),
            ("dense_ranges", [(i * i, (i + 1) ** 2 - 1, value(i)) for i in range(5)]),
            ("sparse", [((i + 1) ** 2, (i + 1) ** 2, value(i)) for i in range(5)]),
            ("sparse_ranges",
             [((2 * i + 1) ** 2, (2 * i + 2) ** 2, value(i)) for i in range(5)]),
        ):
            self.assert_contents(name, expected)

    def test_three_levels_dense(self):
        for number in (1, 2):
            self.assert_contents(
                f"three_levels_dense_{number}",
                lambda slots, number=number: [
                    (i, i, value(i))
                    for i in range(self.three_levels(number, slots))])

    def test_three_levels_ranges(self):
        for number in (1, 2):
            def expected(slots, number=number):
                count = self.three_levels(number, slots)
                return [
                    *((2 * i, 2 * i + 1, value(i)) for i in range(count)),
                    (2 * count, ULONG_MAX, value(count)),
                ]
            self.assert_contents(f"three_levels_ranges_{number}", expected)

    def test_three_levels_are_three(self):
        for kind, _ in self.kinds:
            for name in ("dense_1", "dense_2", "ranges_1", "ranges_2"):
                with self.subTest(kind + name):
                    tree = self.tree(kind, f"three_levels_{name}")
                    depths = {found[3] for found in walk(tree)}
                    self.assertEqual(depths, {3})

    def test_nodes_have_the_size_of_their_alignment(self):
        self.assertEqual(sizeof(prog.type("struct maple_node")), 256)
