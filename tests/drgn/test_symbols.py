# SPDX-License-Identifier: LGPL-2.1-or-later
"""Symbols and sections, and the module among the kernel's."""

import os
import re
import shutil
import subprocess
import unittest
from pathlib import Path

from drgn import SymbolBinding, SymbolKind, TypeKind
from drgn.helpers.common.memory import identify_address
from drgn.helpers.linux.list import list_for_each_entry

import support
from support import MACHINE, kallsyms, prog

TAINT_OOT_MODULE = 1 << 12
SECTIONS = Path("/sys/module/drgn_test/sections")


def module():
    for each in list_for_each_entry("struct module", support.head("modules"), "list"):
        if each.name.string_() == b"drgn_test":
            return each
    raise LookupError("drgn_test")


def sections():
    """Names of sections by address, but those that loading discards."""
    return {int(path.read_text(encoding="ascii"), 16): path.name
            for path in SECTIONS.iterdir()
            if not path.name.startswith(".init")}


def section_of(address):
    below = [(start, name) for start, name in sections().items() if start <= address]
    return max(below)[1]


class SymbolsTest(support.TestCase):
    def test_kinds_and_bindings(self):
        for name, kind in (("function", SymbolKind.FUNC), ("data", SymbolKind.OBJECT),
                           ("rodata", SymbolKind.OBJECT)):
            with self.subTest(name):
                symbol = prog.symbol(f"drgn_test_{name}")
                self.assertEqual(symbol.kind, kind)
                self.assertEqual(symbol.binding, SymbolBinding.GLOBAL)

    def test_function_is_found_by_each_of_its_addresses(self):
        symbol = prog.symbol("drgn_test_function")
        self.assertGreaterEqual(symbol.size, 2)
        for address in (symbol.address, symbol.address + 1,
                        symbol.address + symbol.size - 1):
            self.assertEqual(prog.symbol(address), symbol)

    def test_function_is_alone_at_its_address(self):
        address = prog.symbol("drgn_test_function").address
        self.assertEqual([symbol.name for symbol in prog.symbols(address)],
                         ["drgn_test_function"])

    def test_function_is_neither_first_nor_last(self):
        address = prog.symbol("drgn_test_function").address
        others = kallsyms().values()
        self.assertLess(min(others), address)
        self.assertGreater(max(others), address)

    def test_function_is_int_to_int(self):
        self.assertRegex(prog["drgn_test_function"].type_.type_name(), r"int \(int")

    @unittest.skipUnless(shutil.which("readelf"), "no readelf")
    def test_files_of_traces_are_compiled_in_one_piece(self):
        """As their options say, which the debug info has."""
        text = subprocess.run(
            ["readelf", "--wide", "--debug-dump=info", "--dwarf-depth=1", support.KMOD],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True).stdout.decode()
        options = {}
        for unit in text.split("(DW_TAG_compile_unit)")[1:]:
            name, producer = (re.search(rf"DW_AT_{key} .*: (\S.*)", unit)
                              for key in ("name", "producer"))
            options[os.path.basename(name[1].strip())] = producer[1]
        for name in ("crash.c", "drgn_test.c"):
            with self.subTest(name):
                if "GNU C" not in options[name]:
                    self.skipTest("not by GCC")
                self.assertIn("-fno-reorder-blocks-and-partition", options[name])

    def test_data_is_found_by_address(self):
        symbol = prog.symbol("drgn_test_data")
        try:
            found = prog.symbol(symbol.address)
        except LookupError:
            self.skipTest("drgn 0.0.22 knows the text of a module of Linux 6.4 by"
                          " address only")
        self.assertEqual(found, symbol)

    def test_data_and_rodata_are_char_arrays(self):
        for name, pattern in (("data", r"^char \[\d+\]$"),
                              ("rodata", r"^const char \[\d+\]$")):
            self.assertRegex(prog[f"drgn_test_{name}"].type_.type_name(), pattern)

    def test_each_is_in_its_section(self):
        # riscv64 has small data in sections of its own, such as .sdata.
        small = "s?" if MACHINE == "riscv64" else ""
        for name, pattern in (
            ("drgn_test_function", r"\.text"),
            ("drgn_test_data", rf"\.{small}data"),
            ("drgn_test_rodata", rf"\.{small}rodata"),
            ("drgn_test_have_maple_tree", rf"\.{small}rodata"),
            ("drgn_test_empty_list", rf"\.{small}data"),
        ):
            with self.subTest(name):
                self.assertRegex(section_of(prog.symbol(name).address), pattern)

    def test_kernel_has_the_same_addresses(self):
        names = kallsyms()
        for name in ("drgn_test_function", "drgn_test_data", "drgn_test_rodata",
                     "drgn_test_empty_list", "drgn_test_have_maple_tree",
                     "drgn_test_kthread_fn3", "drgn_test_crash_func"):
            with self.subTest(name):
                self.assertEqual(names[name], prog.symbol(name).address)

    def test_drgn_identifies_the_function(self):
        self.need_page_tables()
        address = prog.symbol("drgn_test_function").address
        try:
            found = identify_address(prog, address)
        except (AttributeError, LookupError) as error:
            self.skipTest(f"identify_address() of drgn 0.0.22: {error}")
        self.assertEqual(found, "function symbol: drgn_test_function+0x0")


class ModuleTest(support.TestCase):
    def test_is_out_of_tree(self):
        self.assertTrue(module().taints & TAINT_OOT_MODULE)

    def test_is_live(self):
        self.assertEqual(module().state, prog["MODULE_STATE_LIVE"])

    def test_memory_has_the_objects(self):
        found = module()
        if support.has_member(found[0], "mem"):
            regions = [(part.base.value_(), part.size.value_()) for part in found.mem]
        elif support.has_member(found[0], "core_layout"):
            regions = [(found.core_layout.base.value_(), found.core_layout.size.value_())]
        else:
            self.skipTest("this kernel's struct module is not known here")
        for name in ("drgn_test_function", "drgn_test_empty_list",
                     "drgn_test_have_maple_tree"):
            with self.subTest(name):
                address = prog.symbol(name).address
                self.assertTrue(any(base <= address < base + size
                                    for base, size in regions))

    def test_percpu_variable_is_in_the_percpu_region(self):
        self.need_option("SMP")
        found = module()
        start = found.percpu.value_()
        self.assertIn(kallsyms()["drgn_test_percpu_static"],
                      range(start, start + found.percpu_size.value_()))

    def test_functions_kept_for_stack_traces_are_functions(self):
        for name in ("drgn_test_crash_func", "drgn_test_crash_store",
                     "drgn_test_timer_fn", "drgn_test_hrtimer_fn"):
            with self.subTest(name):
                self.assertEqual(prog[name].type_.kind, TypeKind.FUNCTION)
