# SPDX-License-Identifier: LGPL-2.1-or-later
"""Slab caches, and the five objects in each."""

import sys

from drgn import Object, cast, sizeof
from drgn.helpers.linux.cpumask import for_each_possible_cpu
from drgn.helpers.linux.mm import page_to_virt, pfn_to_page, virt_to_page
from drgn.helpers.linux.percpu import per_cpu_ptr
from drgn.helpers.linux.slab import (
    find_slab_cache, slab_cache_is_merged, slab_object_info,
)

import support
from support import (
    WORD, addresses, has_member, has_type, page_head, page_is_slab, prog,
)

SIZES = ("small", "big")


def cache(size):
    return prog[f"drgn_test_{size}_kmem_cache"]


def objects(size):
    return prog[f"drgn_test_{size}_slab_objects"]


def slabs(of_cache):
    """
    Slabs of a cache, by reading all of the memory map: no list has those that
    are full.
    """
    slab_type = prog.type("struct slab *")
    page_size = sizeof(prog.type("struct page"))
    offset = next(member.offset for member in slab_type.type.members
                  if member.name == "slab_cache")
    wanted = of_cache.value_().to_bytes(WORD, sys.byteorder)
    sections = prog["drgn_test_present_sections"]
    shift = prog["drgn_test_SECTION_SIZE_BITS"].value_() - prog["PAGE_SHIFT"].value_()
    for i in range(prog["drgn_test_num_present_sections"]):
        first = pfn_to_page(prog, sections[i].nr.value_() << shift).value_()
        data = prog.read(first, page_size << shift)
        found = data.find(wanted)
        while found >= 0:
            if found % page_size == offset:
                page = Object(prog, "struct page *", first + found - offset)
                if page_is_slab(page):
                    yield cast(slab_type, page)
            found = data.find(wanted, found + 1)


def free_list(of_cache, first):
    """Addresses of free objects from this one on."""
    random = of_cache.random.value_() if has_member(of_cache[0], "random") else None
    while first:
        yield first
        where = first + of_cache.offset.value_()
        first = prog.read_word(where)
        if random is not None:  # CONFIG_SLAB_FREELIST_HARDENED
            swapped = int.from_bytes(where.to_bytes(WORD, "little"), "big")
            first ^= random ^ swapped


def allocated(of_cache):
    """Addresses of objects that are on no free list."""
    free = set()
    if has_member(of_cache[0], "cpu_slab"):
        for cpu in for_each_possible_cpu(prog):
            first = per_cpu_ptr(of_cache.cpu_slab, cpu).freelist.value_()
            free.update(free_list(of_cache, first))
    pad = of_cache.red_left_pad.value_() if has_member(of_cache[0], "red_left_pad") else 0
    size = of_cache.size.value_()
    for slab in slabs(of_cache):
        start = page_to_virt(cast("struct page *", slab)).value_() + pad
        free.update(free_list(of_cache, slab.freelist.value_()))
        yield from {start + i * size for i in range(slab.objects)} - free


class ObjectsTest(support.TestCase):
    def test_objects_are_small_and_larger_than_a_page(self):
        self.assertLess(sizeof(prog.type("struct drgn_test_small_slab_object")), 128)
        self.assertGreater(sizeof(prog.type("struct drgn_test_big_slab_object")),
                           prog["PAGE_SIZE"])

    def test_values_are_the_indices(self):
        for size in SIZES:
            with self.subTest(size):
                self.assertEqual(
                    objects(size).type_.type_name(),
                    f"struct drgn_test_{size}_slab_object *[5]")
                self.assertEqual([obj.value.value_() for obj in objects(size)],
                                 [0, 1, 2, 3, 4])


class SlabTest(support.TestCase):
    def setUp(self):
        if prog["drgn_test_slob"]:
            self.skipTest("SLOB has no caches to look into")

    def pad(self, size):
        """What debugging puts before each object."""
        if has_member(cache(size)[0], "red_left_pad"):
            return cache(size).red_left_pad.value_()
        return 0

    def test_names(self):
        for size in SIZES:
            with self.subTest(size):
                name = f"drgn_test_{size}"
                self.assertEqual(cache(size).name.string_().decode(), name)
                self.assertEqual(find_slab_cache(prog, name), cache(size))

    def test_not_merged(self):
        for size in SIZES:
            with self.subTest(size):
                self.assertFalse(slab_cache_is_merged(cache(size)))
                # Which keeps it from being merged on any kernel.
                self.assertTrue(cache(size).ctor)

    def test_caches_are_for_objects_of_that_size(self):
        for size in SIZES:
            self.assertEqual(cache(size).object_size,
                             sizeof(prog.type(f"struct drgn_test_{size}_slab_object")))

    def test_objects_are_in_slabs_of_the_cache(self):
        self.need_page_tables()
        for size in SIZES:
            for obj in objects(size):
                with self.subTest(size, value=obj.value.value_()):
                    page = page_head(virt_to_page(obj))
                    self.assertTrue(page_is_slab(page))
                    slab = cast("struct slab *", page) \
                        if has_type("struct slab") else page
                    self.assertEqual(slab.slab_cache, cache(size))
                    self.assertEqual(
                        (obj.value_() - page_to_virt(page).value_())
                        % cache(size).size.value_(), self.pad(size))

    def test_exactly_the_five_are_allocated(self):
        self.need_page_tables()
        self.need_option("SLUB")
        self.need_option("SPARSEMEM")
        if not has_type("struct slab"):
            self.skipTest("slabs that are plain pages, before 5.17, are not known here")
        for size in SIZES:
            with self.subTest(size):
                found = allocated(cache(size))
                self.assertEqual(sorted(found), sorted(addresses(objects(size))))

    def test_small_objects_are_in_more_than_one_slab(self):
        pages = {obj.value_() // prog["PAGE_SIZE"].value_() for obj in objects("small")}
        self.assertGreater(len(pages), 1)

    def test_drgn_identifies_them(self):
        self.need_page_tables()
        for size in SIZES:
            with self.subTest(size):
                second = objects(size)[1]
                try:
                    info = slab_object_info(second)
                except (AttributeError, LookupError) as error:
                    self.skipTest(f"slab_object_info() of drgn 0.0.22: {error}")
                if info is None:
                    self.skipTest("slab_object_info() of drgn 0.0.22 takes PG_slab"
                                  " for a page flag")
                self.assertEqual(info.slab_cache, cache(size))
                self.assertEqual(info.address, second.value_())
                self.assertIs(info.allocated, True)
