# SPDX-License-Identifier: LGPL-2.1-or-later
"""Pages, in the direct map and behind vmalloc."""

import struct

from drgn.helpers.linux.mm import (
    access_remote_vm, page_to_pfn, page_to_phys, page_to_virt, pfn_to_page,
    phys_to_page, virt_to_page, virt_to_pfn, virt_to_phys,
)
from drgn.helpers.linux.rbtree import rbtree_inorder_for_each_entry

import support
from support import (
    has_member, has_object, head, page_flag, page_head, page_is_slab, prog, sequence,
)


def vmap_areas():
    """Roots of the trees in which the kernel has the areas in use."""
    if has_object("vmap_nodes"):
        # Linux kernel commit d093602919ad ("mm: vmalloc: remove global
        # vmap_area_root rb-tree") (in v6.9)
        if prog["vmap_nodes"].absent_:  # One, without SMP.
            return [prog.variable("single", "vmalloc.c").busy.root.address_of_()]
        return [prog["vmap_nodes"][i].busy.root.address_of_()
                for i in range(prog["nr_vmap_nodes"])]
    return [head("vmap_area_root")]


def find_vmap_area(address):
    for root in vmap_areas():
        for area in rbtree_inorder_for_each_entry("struct vmap_area", root, "rb_node"):
            if area.va_start <= address < area.va_end:
                return area
    return None


class PageTest(support.TestCase):
    def setUp(self):
        self.page = prog["drgn_test_page"]
        self.va = prog["drgn_test_va"]
        self.pa = prog["drgn_test_pa"]
        self.pfn = prog["drgn_test_pfn"]

    def test_types(self):
        for obj, name in ((self.page, "struct page *"), (self.va, "void *"),
                          (self.pa, "phys_addr_t"), (self.pfn, "unsigned long")):
            self.assertEqual(obj.type_.type_name(), name)

    def test_contents_are_the_sequence(self):
        size = prog["PAGE_SIZE"].value_()
        numbers = sequence("PAGE", size // 4)
        self.assertEqual(numbers[0], 0x6D92B931)
        self.assertEqual(numbers[1023], 0xA8490671)
        expected = struct.pack(f"={len(numbers)}I", *numbers)
        self.assertEqual(prog.read(self.va, size), expected)
        self.assertEqual(prog.read(self.pa, size, True), expected)

    def test_page_frame_and_addresses_agree(self):
        self.need_page_tables()
        self.assertEqual(virt_to_page(self.va), self.page)
        self.assertEqual(page_to_virt(self.page), self.va)
        self.assertEqual(page_to_pfn(self.page), self.pfn)
        self.assertEqual(pfn_to_page(self.pfn), self.page)
        self.assertEqual(page_to_phys(self.page), self.pa)
        self.assertEqual(phys_to_page(self.pa), self.page)
        self.assertEqual(virt_to_phys(self.va), self.pa)
        self.assertEqual(virt_to_pfn(self.va), self.pfn)

    def test_is_one_plain_page(self):
        self.assertFalse(page_flag(self.page, "PG_head"))
        self.assertEqual(page_head(self.page), self.page)
        self.assertFalse(page_is_slab(self.page))

    def test_is_not_of_vmalloc(self):
        self.assertIsNone(find_vmap_area(self.va.value_()))

    def test_compound_page_has_order_1(self):
        page = prog["drgn_test_compound_page"]
        self.assertTrue(page_flag(page, "PG_head"))
        self.assertEqual(page_head(page), page)
        self.assertEqual(page_head(page + 1), page)
        self.assertNotEqual(page_head(page + 2), page)
        if has_member(page[1], "compound_order"):
            order = page[1].compound_order.value_()
        else:
            # Linux kernel commit ebc1baf5c9b4 ("mm: free up a word in the
            # first tail page") (in v6.6)
            order = prog.read_word(page[1].flags.address_) & 0xFF
        self.assertEqual(order, 1)


class VmallocTest(support.TestCase):
    def setUp(self):
        self.va = prog["drgn_test_vmalloc_va"]

    def test_types(self):
        for name, type_name in (("va", "void *"), ("pa", "phys_addr_t"),
                                ("pfn", "unsigned long"), ("page", "struct page *")):
            obj = prog[f"drgn_test_vmalloc_{name}"]
            self.assertEqual(obj.type_.type_name(), type_name)

    def test_page_and_frame_agree(self):
        self.need_memory_map()
        page = prog["drgn_test_vmalloc_page"]
        self.assertEqual(page_to_pfn(page), prog["drgn_test_vmalloc_pfn"])
        self.assertEqual(page_to_phys(page), prog["drgn_test_vmalloc_pa"])

    def test_area_starts_there(self):
        area = find_vmap_area(self.va.value_() + 1234)
        self.assertIsNotNone(area)
        self.assertEqual(area.va_start, self.va.value_())
        self.assertEqual(area.vm.addr, self.va)

    def test_area_has_the_page(self):
        area = find_vmap_area(self.va.value_())
        self.assertEqual(area.vm.pages[0], prog["drgn_test_vmalloc_page"])

    def test_page_tables_lead_to_the_physical_address(self):
        self.need_page_tables()
        size = prog["PAGE_SIZE"].value_()
        expected = prog.read(prog["drgn_test_vmalloc_pa"], size, True)
        self.assertEqual(prog.read(self.va, size), expected)
        try:
            found = access_remote_vm(head("init_mm"), self.va, size)
        except (ValueError, NotImplementedError) as error:
            self.skipTest(f"access_remote_vm(): {error}")
        self.assertEqual(found, expected)

    def test_page_table_entry(self):
        if not support.X86_64:
            self.skipTest("page tables are walked by hand on x86-64 only")
        if support.config("X86_5LEVEL") and has_object("__pgtable_l5_enabled") \
                and prog["__pgtable_l5_enabled"]:
            self.skipTest("page tables are walked by hand with four levels only")
        address = self.va.value_()
        # The first is in the kernel's image, the others are known by physical
        # address.
        table, physical = prog["init_mm"].pgd.value_(), False
        for shift in (39, 30, 21, 12):
            index = address >> shift & 511
            entry = prog.read_u64(table + 8 * index, physical)
            physical = True
            self.assertEqual(entry & 1, 1, f"not present at {shift}")
            table = entry & 0x000FFFFFFFFFF000
        self.assertEqual(table, prog["drgn_test_vmalloc_pa"])
