# SPDX-License-Identifier: LGPL-2.1-or-later
"""The scalable bitmap, of which drgn 0.0.22 knows nothing."""

import support
from support import has_member, prog


class SbitmapTest(support.TestCase):
    def test_set_bits_are_those_below_the_depth_and_not_cleared(self):
        bitmap = prog["drgn_test_sbitmap"]
        shift = bitmap.shift.value_()
        found = []
        for i in range(bitmap.map_nr):
            word = bitmap.map[i]
            bits = word.word.value_()
            if has_member(word, "cleared"):
                bits &= ~word.cleared.value_()
            found += [(i << shift) + bit for bit in range(1 << shift) if bits >> bit & 1]
        found = [bit for bit in found if bit < bitmap.depth]
        self.assertEqual(found, [13, 23, 24, 99])
