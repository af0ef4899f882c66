# SPDX-License-Identifier: LGPL-2.1-or-later
"""Memory to search."""

import sys

from drgn.helpers.linux.mm import pfn_to_page, virt_to_page, virt_to_pfn

import support
from support import WORD, prog


class SearchTest(support.TestCase):
    def setUp(self):
        self.subject = prog["drgn_test_search_subject"]

    def test_members_follow_each_other(self):
        members = self.subject.type_.members
        i = 2 * WORD
        # The last one is aligned.
        func = -(-(i + 134) // WORD) * WORD
        self.assertEqual(
            [(member.name, member.type.type_name(), member.offset)
             for member in members],
            [("l", "unsigned long", 0), ("l2", "unsigned long", WORD),
             ("i", "unsigned int", i), ("s", "unsigned short", i + 4),
             ("c", "char [64]", i + 6), ("c2", "char [64]", i + 70),
             ("func", "int (*)(int)", func)])

    def test_numbers(self):
        found = [self.subject.member_(name).value_() for name in ("l", "l2", "i", "s")]
        self.assertEqual(found, [0xDEADBEEF, 0xFEE1DEAD, 0xDEADB00, 0xB0BA])

    def test_texts_are_followed_by_zeroes(self):
        for name, text in (("c", b"hello, world!"), ("c2", b"goodbye, world!")):
            self.assertEqual(self.subject.member_(name).to_bytes_(),
                             text.ljust(64, b"\0"))

    def test_function_is_the_function_and_aligned(self):
        self.assertEqual(self.subject.func, prog["drgn_test_function"].address_of_())
        self.assertEqual(self.subject.func.address_ % WORD, 0)

    def test_each_number_occurs_once(self):
        data = self.subject.to_bytes_()
        for value, size in ((0xDEADBEEF, WORD), (0xFEE1DEAD, WORD),
                            (0xDEADB00, 4), (0xB0BA, 2)):
            self.assertEqual(data.count(value.to_bytes(size, sys.byteorder)), 1, hex(value))

    def test_second_is_in_the_direct_map(self):
        self.need_page_tables()
        pointer = prog["drgn_test_search_subject2"]
        self.assertEqual(pointer.type_.type_name(), "unsigned long *")
        self.assertEqual(pointer[0], 0x12345678)
        self.assertEqual(virt_to_page(pointer), pfn_to_page(virt_to_pfn(pointer)))
        physical = virt_to_pfn(pointer).value_() * prog["PAGE_SIZE"].value_() \
            + pointer.value_() % prog["PAGE_SIZE"].value_()
        self.assertEqual(prog.read(physical, WORD, True),
                         (0x12345678).to_bytes(WORD, sys.byteorder))
