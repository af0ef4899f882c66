# SPDX-License-Identifier: LGPL-2.1-or-later
"""The scalable bitmap, of which drgn 0.0.22 knows nothing."""

import support
from support import has_member, prog


class SbitmapTest(support.TestCase):
    def setUp(self):
        self.bitmap = prog["drgn_test_sbitmap"]

    def bits(self, member):
        """Numbers of the bits that are set in a member of all words."""
        shift = self.bitmap.shift.value_()
        return [(i << shift) + bit for i in range(self.bitmap.map_nr)
                for bit in range(1 << shift)
                if self.bitmap.map[i].member_(member).value_() >> bit & 1]

    def test_set_bits_are_those_below_the_depth_and_not_cleared(self):
        self.assertEqual(self.bitmap.depth, 100)
        self.assertEqual(self.bitmap.shift, 4)
        found = self.bits("word")
        if has_member(self.bitmap.map[0], "cleared"):
            self.assertEqual(self.bits("cleared"), [98])
            found.remove(98)
        self.assertEqual(found, [13, 23, 24, 99, 105])
