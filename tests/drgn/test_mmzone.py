# SPDX-License-Identifier: LGPL-2.1-or-later
"""The memory node, and the sections of sparse memory."""

from drgn import TypeKind
from drgn.helpers.linux.nodemask import for_each_online_node

import support
from support import WORD, addresses, has_object, prog

# Each with the section that has no other.
MARKS = [
    (flag, name)
    for flag, name, since in (
        ("MARKED_PRESENT", "present", (4, 9)), ("HAS_MEM_MAP", "valid", (4, 9)),
        ("IS_ONLINE", "online", (4, 13)), ("IS_EARLY", "early", (5, 3)))
    if support.VERSION >= since
]
# Flags are below the address of the memory map.
FLAGS = 0x3F


def section(number):
    """Section of this number, as the kernel finds it, or None."""
    per_root = prog["drgn_test_SECTIONS_PER_ROOT"].value_()
    root = prog["mem_section"]
    if root.type_.kind == TypeKind.POINTER and not root:
        return None
    entry = root[number // per_root]
    if entry.type_.kind == TypeKind.POINTER and not entry:
        return None
    return entry[number % per_root].address_of_()


class NodeTest(support.TestCase):
    def test_is_the_first_online(self):
        nid = prog["drgn_test_nid"]
        self.assertEqual(nid.type_.type_name(), "int")
        self.assertEqual(nid, next(for_each_online_node(prog)))

    def test_data_is_the_node_s(self):
        found = prog["drgn_test_pgdat"]
        if has_object("node_data"):
            expected = prog["node_data"][prog["drgn_test_nid"]]
        else:
            expected = prog["contig_page_data"].address_of_()
        self.assertEqual(found, expected)
        self.assertEqual(found.node_id, prog["drgn_test_nid"])


class SectionTest(support.TestCase):
    def setUp(self):
        self.need_option("SPARSEMEM")
        self.pages = prog["drgn_test_SECTION_SIZE_BITS"].value_() \
            - prog["PAGE_SHIFT"].value_()

    def flag(self, name):
        return prog[f"drgn_test_SECTION_{name}"].value_()

    def test_number_is_that_of_the_page(self):
        pfn = prog["drgn_test_pfn"].value_()
        self.assertEqual(prog["drgn_test_section_nr"], pfn >> self.pages)
        self.assertEqual(prog["drgn_test_section_pfn"], pfn >> self.pages << self.pages)

    def test_section_is_the_kernel_s(self):
        found = section(prog["drgn_test_section_nr"].value_())
        self.assertEqual(prog["drgn_test_mem_section"], found)

    def test_memory_map_leads_to_the_page(self):
        encoded = prog["drgn_test_section_mem_map"]
        self.assertEqual(encoded + prog["drgn_test_pfn"], prog["drgn_test_page"])
        stored = prog["drgn_test_mem_section"].section_mem_map.value_()
        self.assertEqual(encoded.value_(), stored & ~FLAGS)
        decoded = prog["drgn_test_section_decoded_mem_map"]
        self.assertEqual(decoded, encoded + prog["drgn_test_section_pfn"])

    def test_present_sections_are_all_there_are(self):
        last = 0
        for node in for_each_online_node(prog):
            data = prog["node_data"][node] if has_object("node_data") \
                else prog["drgn_test_pgdat"]
            end = data.node_start_pfn + data.node_spanned_pages
            last = max(last, end.value_() >> self.pages)
        expected = []
        for number in range(last + 1):
            found = section(number)
            if found is not None and \
                    found.section_mem_map & self.flag("MARKED_PRESENT"):
                expected.append((number, found.value_()))
        array = prog["drgn_test_present_sections"]
        count = prog["drgn_test_num_present_sections"].value_()
        found = [(array[i].nr.value_(), array[i].section.value_())
                 for i in range(count)]
        self.assertEqual(found, expected)
        self.assertIn(prog["drgn_test_mem_section"].value_(),
                      addresses(array[i].section for i in range(count)))

    def test_fake_sections_have_one_flag_each(self):
        seen = set()
        for flag, name in MARKS:
            with self.subTest(name):
                value = self.flag(flag)
                self.assertEqual(value & value - 1, 0)
                fake = prog[f"drgn_test_{name}_section"]
                self.assertEqual(fake.section_mem_map, value)
                self.assertEqual(
                    sum(fake[0].to_bytes_()), sum(value.to_bytes(WORD, "little")))
                seen.add(value)
        self.assertEqual(len(seen), len(MARKS))

    def test_the_page_s_section_has_the_flags(self):
        stored = prog["drgn_test_mem_section"].section_mem_map.value_()
        for flag, _ in MARKS:
            with self.subTest(flag):
                self.assertTrue(stored & self.flag(flag))

    def test_taint_of_device_memory_is_another_flag(self):
        self.need_name("drgn_test_SECTION_TAINT_ZONE_DEVICE")
        value = self.flag("TAINT_ZONE_DEVICE")
        self.assertEqual(value & value - 1, 0)
        self.assertFalse(value & (self.flag("IS_EARLY") | self.flag("IS_ONLINE")))
