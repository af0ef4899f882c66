# SPDX-License-Identifier: LGPL-2.1-or-later
"""
What a debugger calls and writes in the running kernel, on x86-64. drgn 0.0.22
can do neither, so these are checked for what they are.
"""

from pathlib import Path

from drgn import TypeKind

import support
from support import ULONG_MAX, prog

PARAMETER = Path("/sys/module/drgn_test/parameters/kmodify_bitmap")
SIGNED = ["signed char", "short", "int", "long", "long long"]
UNSIGNED = ["unsigned char", "unsigned short", "unsigned int", "unsigned long",
            "unsigned long long"]
ENUM = "enum drgn_kmodify_enum"
POINTER = "POINTER"  # The type of drgn_kmodify_test_ptr.


def pointers(types):
    return [f"{name} *" for name in types]


# Function, result, parameters.
FUNCTIONS = (
    ("void_return", "void", []),
    *[(f"{name}_return".replace(" ", "_"), name, []) for name in [*SIGNED, *UNSIGNED]],
    ("enum_return", ENUM, []),
    ("pointer_return", POINTER, []),
    ("signed_args", "void", SIGNED),
    ("unsigned_args", "void", UNSIGNED),
    ("many_args", "void", ["char", *SIGNED, *UNSIGNED]),
    ("enum_args", "void", [ENUM, f"{ENUM} *"]),
    ("pointer_args", "void", [POINTER]),
    ("string_args", "void",
     ["char *", "signed char *", "unsigned char *", "const char *"]),
    ("integer_out_params", "void", pointers(SIGNED)),
    ("array_out_params", "void", ["long *"]),
    ("many_out_params", "void", pointers(["char", *SIGNED, *UNSIGNED])),
)

# Bit field, width, value. Those without a rule are between the others.
BIT_FIELDS = (
    ("expect0_1", 8, 0),
    ("byte_aligned", 8, 0),
    ("expect1_1", 1, 1),
    ("bit", 1, 0),
    ("expect1_2", 1, 1),
    ("expect0_2", 1, 0),
    ("two_bits", 2, 0),
    ("unaligned", 8, 0),
)


def data(name):
    return prog[f"drgn_kmodify_test_{name}"]


class KmodifyTest(support.TestCase):
    def setUp(self):
        if not support.X86_64:
            self.skipTest("kmodify is for x86-64 only")


class FunctionsTest(KmodifyTest):
    def test_prototypes(self):
        pointer = data("ptr").type_.type_name()
        for name, result, parameters in FUNCTIONS:
            with self.subTest(name):
                function = data(name).type_
                self.assertEqual(function.kind, TypeKind.FUNCTION)
                self.assertFalse(function.is_variadic)
                self.assertEqual(function.type.type_name(),
                                 result.replace(POINTER, pointer))
                self.assertEqual(
                    [parameter.type.type_name() for parameter in function.parameters],
                    [parameter.replace(POINTER, pointer) for parameter in parameters])

    def test_none_was_called(self):
        for name, _, _ in FUNCTIONS:
            with self.subTest(name):
                counter = data(f"{name}_called")
                self.assertEqual(counter.type_.type_name(), "int")
                self.assertEqual(counter, 0)

    def test_calls_count(self):
        self.skipTest("drgn 0.0.22 cannot call functions of the kernel")


class DataTest(KmodifyTest):
    def test_enumerators(self):
        enumerators = prog.type(ENUM).enumerators
        self.assertEqual([item.value for item in enumerators], [1, 2, 3])
        self.assertEqual(enumerators[0].name, "DRGN_KMODIFY_ONE")
        self.assertEqual(prog["DRGN_KMODIFY_ONE"].value_(), 1)

    def test_pointer_is_to_a_structure(self):
        pointer = data("ptr")
        self.assertTrue(pointer)
        self.assertEqual(pointer.type_.type.kind, TypeKind.STRUCT)

    def test_memory(self):
        self.assertEqual(data("memory").type_.type_name(), "char [16]")

    def test_numbers(self):
        self.assertEqual(data("int").type_.type_name(), "int")
        self.assertEqual(data("int_ptr").type_.type_name(), "int *")
        self.assertFalse(data("int_ptr"))

    def test_strings(self):
        for name, type_name, text in (
            ("char_str", "char *", b"Hello"),
            ("signed_char_str", "signed char *", b", "),
            ("unsigned_char_str", "unsigned char *", b"world"),
            ("const_char_str", "const char *", b"!"),
        ):
            with self.subTest(name):
                self.assertEqual(data(name).type_.type_name(), type_name)
                self.assertEqual(data(name).string_(), text)

    def test_bit_fields(self):
        fields = data("bit_field")
        members = fields.type_.members
        self.assertEqual(
            [(member.name, member.bit_field_size, fields.member_(member.name).value_())
             for member in members], list(BIT_FIELDS))
        for member in members:
            self.assertEqual(member.type.type_name(), "unsigned int")

    def test_bit_fields_are_aligned_as_named(self):
        offsets = {member.name: member.bit_offset
                   for member in data("bit_field").type_.members}
        self.assertEqual(offsets["byte_aligned"] % 8, 0)
        self.assertNotEqual(offsets["unaligned"] % 8, 0)

    def test_bitmap_is_the_parameter(self):
        bitmap = data("bitmap")
        self.assertEqual(bitmap.type_.type_name(), "unsigned long [2]")
        self.assertEqual(PARAMETER.read_text(), "0,0\n")
        try:
            PARAMETER.write_text(f"5,{ULONG_MAX}\n")
            self.assertEqual(PARAMETER.read_text(), f"5,{ULONG_MAX}\n")
            self.assertEqual([data("bitmap")[i].value_() for i in range(2)],
                             [5, ULONG_MAX])
        finally:
            PARAMETER.write_text("0,0\n")

    def test_writing(self):
        self.skipTest("drgn 0.0.22 cannot write to the kernel")
