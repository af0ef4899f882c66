# SPDX-License-Identifier: LGPL-2.1-or-later
"""
What a debugger calls and writes in the running kernel, on x86-64. drgn 0.0.22 can do
neither, so that the calls are made here.
"""

import struct
from pathlib import Path

from drgn import TypeKind, sizeof

import support
from call import call
from support import ULONG_MAX, head, prog

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

# Function, result.
RESULTS = (
    ("signed_char_return", -66), ("unsigned_char_return", 200),
    ("short_return", -666), ("unsigned_short_return", 7777), ("int_return", -12345),
    ("unsigned_int_return", 54321), ("long_return", -2468013579),
    ("unsigned_long_return", 4000000000), ("long_long_return", -9080706050403020100),
    ("unsigned_long_long_return", 12345678909876543210), ("enum_return", 2),
)
SIGNED_VALUES = [-66, -666, -12345, -2468013579, -9080706050403020100]
UNSIGNED_VALUES = [200, 7777, 54321, 4000000000, 12345678909876543210]
MANY_VALUES = [48, *SIGNED_VALUES, *UNSIGNED_VALUES]
SIGNED_FORMATS, UNSIGNED_FORMATS = "bhiqq", "BHIQQ"
STRINGS = (b"Hello\0", b", \0", b"world\0", b"!\0")


def packed(formats, values):
    return [struct.pack(f"<{kind}", value) for kind, value in zip(formats, values)]


def written():
    """Function, arguments with pointers, and what is there afterwards."""
    many = "b" + SIGNED_FORMATS + UNSIGNED_FORMATS
    return (
        ("enum_args", [1, struct.pack("<I", 2)], [struct.pack("<I", 3)]),
        ("string_args", STRINGS, STRINGS),
        ("integer_out_params", packed(SIGNED_FORMATS, SIGNED_VALUES),
         packed(SIGNED_FORMATS, [33, 333, 23456, 2222222222, 9090909090909090909])),
        ("array_out_params", [struct.pack("<4q", 1, 2, 3, 4)],
         [struct.pack("<4q", 2, 3, 5, 4)]),
        ("many_out_params", packed(many, MANY_VALUES),
         packed(many, [16, -22, -222, -4115, -822671193, -3026902016801006700, 66, 2592,
                       18107, 1333333333, 4115226303292181070])),
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

    def call(self, name, *arguments, counts=1):
        """Call it, and see whether it counted the call."""
        before = data(f"{name}_called").value_()
        result = call(f"drgn_kmodify_test_{name}", *arguments)
        self.assertEqual(data(f"{name}_called").value_() - before, counts)
        return result

    def test_counters_are_int(self):
        for name, _, _ in FUNCTIONS:
            with self.subTest(name):
                self.assertEqual(data(f"{name}_called").type_.type_name(), "int")

    def test_results(self):
        pointer = data("ptr").value_()
        for name, expected in (*RESULTS, ("pointer_return", pointer)):
            with self.subTest(name):
                found, _ = self.call(name)
                size = sizeof(data(name).type_.type)
                mask = (1 << 8 * size) - 1
                self.assertEqual(found & mask, expected & mask)
        self.call("void_return")

    def test_right_arguments_count_and_wrong_ones_do_not(self):
        for name, values in (
            ("signed_args", SIGNED_VALUES), ("unsigned_args", UNSIGNED_VALUES),
            ("many_args", MANY_VALUES), ("pointer_args", [data("ptr").value_()]),
        ):
            with self.subTest(name):
                self.call(name, *values)
            for i in range(len(values)):
                for by in (-1, 1):
                    with self.subTest(name, wrong=i, by=by):
                        wrong = [value + by * (j == i) for j, value in enumerate(values)]
                        self.call(name, *wrong, counts=0)

    def test_what_pointers_lead_to_is_judged_and_written(self):
        for name, arguments, expected in written():
            with self.subTest(name):
                _, found = self.call(name, *arguments)
                self.assertEqual(found, list(expected))
            for i, argument in enumerate(arguments):
                with self.subTest(name, wrong=i):
                    wrong = list(arguments)
                    wrong[i] = argument + 1 if isinstance(argument, int) \
                        else bytes([argument[0] ^ 1]) + argument[1:]
                    self.call(name, *wrong, counts=0)


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

    def test_all_is_writable(self):
        # The function writes through its pointer, and to nothing else.
        for name in ("memory", "bitmap", "int", "int_ptr", "bit_field"):
            with self.subTest(name):
                where = head(f"drgn_kmodify_test_{name}").value_()
                before = prog.read(where, 4)
                try:
                    call("drgn_kmodify_test_enum_args", 2, where)
                    self.assertEqual(prog.read_u32(where), 3)
                finally:
                    for i, byte in enumerate(before):
                        call("memset", where + i, byte, 1)
                self.assertEqual(prog.read(where, 4), before)

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
