# SPDX-License-Identifier: LGPL-2.1-or-later
"""Unions to print."""

from drgn import TypeKind, sizeof

import support
from support import prog


class TypesTest(support.TestCase):
    def test_union_has_the_tag(self):
        union = prog.type("union drgn_test_union")
        self.assertEqual(union.kind, TypeKind.UNION)
        self.assertEqual(str(union).splitlines()[0], "union drgn_test_union {")
        self.assertEqual(sizeof(union), 4)
        self.assertEqual([member.name for member in union.members], ["u", "s"])

    def test_anonymous_union_is_a_typedef(self):
        typedef = prog.type("drgn_test_anonymous_union")
        self.assertEqual(typedef.kind, TypeKind.TYPEDEF)
        self.assertEqual(typedef.type.kind, TypeKind.UNION)
        self.assertIsNone(typedef.type.tag)
        self.assertRegex(str(typedef), r"\} drgn_test_anonymous_union$")
        self.assertEqual(sizeof(typedef), 8)

    def test_each_has_a_variable(self):
        for name, type_name in (("drgn_test_union_var", "union drgn_test_union"),
                                ("drgn_test_anonymous_union_var",
                                 "drgn_test_anonymous_union")):
            self.assertEqual(prog[name].type_.type_name(), type_name)
