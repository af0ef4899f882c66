# SPDX-License-Identifier: LGPL-2.1-or-later
"""The index: what exists, under which kernel, and as what."""

import unittest

from drgn import SymbolBinding, SymbolKind, TypeKind, sizeof

import support
from names import FORBIDDEN, NAMES
from support import MACHINE, X86_64, config, has_object, has_type, prog

# s390x has what modules define per CPU as weak.
WEAK = ("drgn_test_percpu_arrays", "drgn_test_percpu_static",
        "drgn_test_percpu_structs") if MACHINE == "s390x" else ()
ALL = sorted(name for names in NAMES.values() for name in names)


def conditions():
    """Condition in the table: true, false, or None where both are allowed."""
    if support.VERSION < (5, 12):
        zone_device = False
    else:
        # Linux kernel commit ed7802dd48f7 ("mm: memory_hotplug: enumerate all
        # supported section flags") (in v6.0)
        zone_device = support.VERSION < (6, 0) or config("ZONE_DEVICE")
    return {
        "ALWAYS": True,
        "STACKTRACE": config("STACKTRACE"),
        "STACKDEPOT": config("STACKDEPOT"),
        "PAGE_POOL": config("PAGE_POOL"),
        "XARRAY": has_type("struct xarray"),
        "RADIX_TREE_MULTIORDER": config("RADIX_TREE_MULTIORDER"),
        "MAPLE_TREE": has_type("struct maple_tree"),
        "SPARSEMEM": config("SPARSEMEM"),
        "SECTION_ONLINE": config("SPARSEMEM") and support.VERSION >= (4, 13),
        "SECTION_EARLY": config("SPARSEMEM") and support.VERSION >= (5, 3),
        "ZONE_DEVICE": config("SPARSEMEM") and zone_device,
        "FLATMEM": config("FLATMEM"),
        "MAYBE": None,
        "X86_64": X86_64,
    }


def has_symbol(name):
    try:
        prog.symbol(name)
        return True
    except LookupError:
        return False


def exists(name):
    if " " in name:
        return has_type(name)
    return (
        has_object(name)
        or has_symbol(name)
        or any(has_type(kind + name) for kind in ("struct ", "union ", "enum ", ""))
    )


class NamesTest(unittest.TestCase):
    def test_index_is_complete(self):
        self.assertEqual(len(ALL), 277)
        self.assertEqual(len(set(ALL)), 277)

    def test_each_exists_exactly_under_its_condition(self):
        wanted = conditions()
        self.assertEqual(set(wanted), set(NAMES))
        for condition, names in NAMES.items():
            if wanted[condition] is None:
                continue
            for name in names:
                with self.subTest(name, condition=condition):
                    self.assertEqual(exists(name), wanted[condition])

    def test_forbidden_names_are_absent(self):
        for name in FORBIDDEN:
            with self.subTest(name):
                self.assertFalse(exists(name))

    def test_objects_have_global_symbols_of_their_size(self):
        for name in ALL:
            if not has_object(name):
                continue
            obj = prog[name]
            if obj.type_.kind == TypeKind.FUNCTION or name.isupper():
                continue
            with self.subTest(name):
                symbol = prog.symbol(name)
                self.assertEqual(symbol.address, obj.address_)
                self.assertEqual(symbol.size, sizeof(obj))
                self.assertEqual(symbol.binding, SymbolBinding.WEAK if name in WEAK
                                 else SymbolBinding.GLOBAL)

    def test_functions_have_symbols(self):
        for name in ALL:
            if not has_object(name):
                continue
            obj = prog[name]
            if obj.type_.kind != TypeKind.FUNCTION:
                continue
            with self.subTest(name):
                symbol = prog.symbol(name)
                self.assertEqual(symbol.address, obj.address_)
                self.assertEqual(symbol.kind, SymbolKind.FUNC)
