# SPDX-License-Identifier: LGPL-2.1-or-later
"""Flags and constants, against what the kernel's debug info and dump say."""

import re
from pathlib import Path

from drgn import sizeof

import support
from support import address, config, has_object, has_type, prog

MEM_STATES = (
    "ONLINE", "GOING_OFFLINE", "OFFLINE", "GOING_ONLINE", "CANCEL_ONLINE",
    "CANCEL_OFFLINE", "PREPARE_ONLINE", "FINISH_OFFLINE",
)


def vmcoreinfo(key):
    """A number in what the kernel leaves for dump tools, or None."""
    # An array in the kernel's image before v4.13.
    where = address(prog["vmcoreinfo_data"])
    text = prog.read(where, prog["vmcoreinfo_size"].value_()).decode()
    match = re.search(rf"^NUMBER\({key}\)=(-?\d+)$", text, re.MULTILINE)
    return int(match[1]) if match else None


class ConstantsTest(support.TestCase):
    def test_flags_are_const_int(self):
        for name in ("have_maple_tree", "have_xarray", "have_page_pool",
                     "have_stacktrace", "have_stackdepot", "slob",
                     "vmap_stack_enabled", "slab_stack_enabled"):
            with self.subTest(name):
                flag = prog[f"drgn_test_{name}"]
                self.assertEqual(flag.type_.type_name(), "const int")
                self.assertIn(flag.value_(), (0, 1))

    def test_flags_follow_the_configuration(self):
        for name, expected in (
            ("have_maple_tree", has_type("struct maple_tree")),
            ("have_xarray", has_type("struct xarray")),
            ("have_page_pool", config("PAGE_POOL")),
            ("have_stacktrace", config("STACKTRACE")),
            ("slob", config("SLOB")),
            ("vmap_stack_enabled", config("VMAP_STACK")),
            ("slab_stack_enabled",
             not config("VMAP_STACK")
             and prog["drgn_test_THREAD_SIZE"] < prog["PAGE_SIZE"]),
        ):
            with self.subTest(name):
                self.assertEqual(bool(prog[f"drgn_test_{name}"]), expected)

    def test_stack_depot_is_there_with_the_option_unless_it_is_off(self):
        parameters = Path("/proc/cmdline").read_text().split()
        expected = config("STACKDEPOT") and "stack_depot_disable=on" not in parameters
        self.assertEqual(bool(prog["drgn_test_have_stackdepot"]), expected)

    def test_thread_size_is_that_of_the_first_stack(self):
        for name in ("stack", "task"):
            try:
                start = prog.symbol(f"__start_init_{name}").address
                end = prog.symbol(f"__end_init_{name}").address
                break
            except LookupError:
                pass
        else:
            self.skipTest("this kernel's first stack has no symbols")
        self.assertEqual(prog["drgn_test_THREAD_SIZE"], end - start)

    def test_section_bits_are_those_for_dump_tools(self):
        self.need_option("SPARSEMEM")
        for name in ("SECTION_SIZE_BITS", "MAX_PHYSMEM_BITS"):
            with self.subTest(name):
                expected = vmcoreinfo(name)
                if expected is None:
                    self.skipTest(f"VMCOREINFO is without {name}")
                self.assertEqual(prog[f"drgn_test_{name}"], expected)

    def test_section_roots_cover_all_memory(self):
        self.need_option("SPARSEMEM")
        sections = 1 << (prog["drgn_test_MAX_PHYSMEM_BITS"].value_()
                         - prog["drgn_test_SECTION_SIZE_BITS"].value_())
        per_root = prog["drgn_test_SECTIONS_PER_ROOT"].value_()
        if config("SPARSEMEM_EXTREME"):
            self.assertEqual(per_root, prog["PAGE_SIZE"].value_()
                             // sizeof(prog.type("struct mem_section")))
        else:
            self.assertEqual(per_root, 1)
        self.assertEqual(prog["drgn_test_NR_SECTION_ROOTS"],
                         -(-sections // per_root))

    def test_first_frame_of_flat_memory(self):
        self.need_option("FLATMEM")
        expected = 0
        if not support.X86_64:
            # Of assembly: there is a symbol, but no type.
            symbol = prog.symbol("__pv_phys_pfn_offset")
            expected = prog.read_word(symbol.address)
        self.assertEqual(prog["drgn_test_ARCH_PFN_OFFSET"], expected)

    def test_memory_block_states(self):
        enumerated = has_type("enum memory_block_state") and has_object("MEM_ONLINE")
        for bit, name in enumerate(MEM_STATES):
            with self.subTest(name):
                if not has_object(f"drgn_test_MEM_{name}"):
                    self.assertIn(name, ("PREPARE_ONLINE", "FINISH_OFFLINE"))
                    continue
                found = prog[f"drgn_test_MEM_{name}"]
                if enumerated:
                    expected = prog[f"MEM_{name}"].value_()
                else:
                    expected = 1 << bit
                self.assertEqual(found, expected)

    def test_memory_block_states_are_int(self):
        for name in MEM_STATES[:6]:
            self.assertEqual(prog[f"drgn_test_MEM_{name}"].type_.type_name(), "int")
