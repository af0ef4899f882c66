# SPDX-License-Identifier: LGPL-2.1-or-later
"""
What the tests share: one Program, as loading debug info is most of the time a
run takes, and facts about the kernel that do not come from the module.

Runs in a guest that has the module inserted, DRGN_TEST_KMOD naming its file, or
after a crash of such a guest in the crash kernel.
"""

import os
import re
import struct
import unittest
from pathlib import Path

try:
    from drgn import (
        MissingDebugInfoError, Object, Program, TypeKind, TypeMember, sizeof,
    )
    from drgn.helpers.linux.mm import phys_to_virt
except ImportError as error:
    raise unittest.SkipTest(f"no drgn for this Python: {error}") from None

RELEASE = os.uname().release
VERSION = tuple(int(number) for number in re.findall(r"\d+", RELEASE)[:2])
MACHINE = os.uname().machine
X86_64 = MACHINE == "x86_64"
BUILD = Path("/lib/modules") / RELEASE / "build"
VMCORE = Path("/proc/vmcore")
KMOD = os.environ.get("DRGN_TEST_KMOD", "")
# The guest's programs are of the kernel's kind.
WORD = struct.calcsize("P")
ULONG_MAX = (1 << 8 * WORD) - 1


def _old_struct_module(program):
    """
    `struct module` with the member in which drgn before 0.0.25 looks for the
    module's memory.

    Linux kernel commit ac3b43283923 ("module: replace module_layout with
    module_memory") (in v6.4) made an array of it. Its first element, the text,
    begins like the old structure, so that drgn finds the module if told that it
    is one. It then knows the module's sections by address, and symbols of the
    text by address as well.
    """
    new = program.type("struct module")
    members = {member.name: member for member in new.members}
    if "mem" not in members:
        return None
    memory = members["mem"].type.type
    layout = program.struct_type(
        "module_layout",
        memory.size,
        [
            TypeMember(member.type, member.name, member.bit_offset)
            for member in memory.members
            if member.name in ("base", "size")
        ],
    )
    return program.struct_type(
        "module",
        new.size,
        [
            *new.members,
            TypeMember(layout, "core_layout", members["mem"].bit_offset),
            TypeMember(layout, "init_layout", members["mem"].bit_offset),
        ],
    )


def _load():
    program = Program()
    if VMCORE.exists():
        program.set_core_dump(str(VMCORE))
    else:
        program.set_kernel()
    program.load_debug_info([str(BUILD / "vmlinux")])
    module = _old_struct_module(program)
    if module is not None:
        program.add_type_finder(
            lambda kind, name, _: module
            if kind == TypeKind.STRUCT and name == "module"
            else None
        )
    try:
        program.load_debug_info([KMOD])
    except MissingDebugInfoError as error:
        if not VMCORE.exists() or VERSION < (6, 14):
            raise
        # Linux kernel commit 4723f16de64e ("module: sysfs: Add notes attributes
        # through attribute_group") (in v6.14)
        raise unittest.SkipTest(f"drgn finds no modules in this dump: {error}") from None
    return program


if not KMOD:
    raise unittest.SkipTest("DRGN_TEST_KMOD names no module")
prog = _load()


def _read_config():
    path = BUILD / ".config"
    if not path.exists():
        return {}
    return dict(
        line.split("=", 1)
        for line in path.read_text(encoding="utf-8").splitlines()
        if line.startswith("CONFIG_") and "=" in line
    )


_CONFIG = _read_config()


def config(option):
    """Whether the kernel has it, built in or as a module."""
    if not _CONFIG:
        raise unittest.SkipTest(f"no {BUILD}/.config")
    return _CONFIG.get(f"CONFIG_{option}", "n") in ("y", "m")


def has_type(name):
    try:
        prog.type(name)
        return True
    except LookupError:
        return False


def has_object(name):
    try:
        prog[name]
        return True
    except KeyError:
        return False


def has_member(obj, name):
    return obj.type_.has_member(name)


def kallsyms():
    """Addresses of the module's symbols, as the kernel has them."""
    found = {}
    for line in Path("/proc/kallsyms").read_text(encoding="ascii").splitlines():
        words = line.split()
        if words[3:] == ["[drgn_test]"]:
            found[words[2]] = int(words[0], 16)
    return found


def head(name):
    """Pointer to the object of this name."""
    return prog[name].address_of_()


def stack_trace(subject):
    """Of a task, a PID or registers; skips the test where drgn cannot unwind."""
    try:
        return prog.stack_trace(subject)
    except (NotImplementedError, ValueError) as error:
        if "not supported" not in str(error):
            raise
        raise unittest.SkipTest(f"drgn: {error}") from None


def page_flag(page, name):
    """Whether a struct page * has a flag: PG_head."""
    flags = page.flags
    if has_type("memdesc_flags_t"):
        # Linux kernel commit 53fbef56e07d ("mm: introduce memdesc_flags_t") (in
        # v6.18)
        flags = flags.f
    return bool(flags.value_() >> prog[name].value_() & 1)


def page_count(page):
    """How many references there are to a struct page *."""
    name = "_refcount" if has_member(page[0], "_refcount") else "_count"
    return page.member_(name).counter.value_()


def page_head(page):
    """The compound page that a struct page * is the tail of, or itself."""
    if has_member(page[0], "compound_head"):
        info = page.compound_head.value_()
        head = info - 1
    else:
        # Renamed in v7.1, and a mask where struct pages may be shared.
        info = page.compound_info.value_()
        size = sizeof(page[0])
        masked = config("HUGETLB_PAGE_OPTIMIZE_VMEMMAP") and not size & size - 1
        head = page.value_() & info if masked else info - 1
    return Object(prog, page.type_, head) if info & 1 else page


def page_is_slab(page):
    if has_object("PGTY_slab"):
        # Linux kernel commit 4ffca5a96678 ("mm: support only one page_type per
        # page") (in v6.12)
        return page.page_type.value_() >> 24 & 0xFF == prog["PGTY_slab"]
    if has_type("enum pagetype"):
        # Linux kernel commit 46df8e73a4a3 ("mm: free up PG_slab") (in v6.10)
        base = prog["PAGE_TYPE_BASE"].value_()
        return page.page_type.value_() & (base | prog["PG_slab"].value_()) == base
    return page_flag(page, "PG_slab")


def timekeeper():
    """The kernel's."""
    if has_object("tk_core"):
        return prog["tk_core"].timekeeper
    return prog["timekeeper_data"][0].timekeeper  # The first of several, from v6.17 on.


def nanoseconds(ktime):
    """Value of a ktime_t, which was a union before v4.10."""
    value = ktime.value_()
    return value["tv64"] if isinstance(value, dict) else value


def unsigned(obj):
    """Value of a signed counter that holds a pointer or bits."""
    return obj.value_() & ULONG_MAX


def address(obj):
    """Value of a pointer, address of anything else."""
    return obj.value_() if obj.type_.kind == TypeKind.POINTER else obj.address_


def addresses(objects):
    return [address(obj) for obj in objects]


def walk(first, following, limit=100):
    """At most so many nodes of a list, until NULL or the first again."""
    nodes = []
    node = first
    while node and len(nodes) < limit:
        nodes.append(node)
        node = following(node)
        if node == first:
            break
    return nodes


def sequence(seed, count):
    """The module's pseudo-random 32-bit numbers."""
    state = int.from_bytes(seed.encode("ascii"), "big")
    numbers = []
    for _ in range(count):
        state ^= state << 13 & 0xFFFFFFFF
        state ^= state >> 17
        state ^= state << 5 & 0xFFFFFFFF
        numbers.append(state)
    return numbers


class TestCase(unittest.TestCase):
    def need(self, flag):
        """Skip unless the module's flag is 1."""
        if not prog[f"drgn_test_{flag}"]:
            self.skipTest(f"drgn_test_{flag} is 0 on {RELEASE}")

    def need_name(self, name):
        if not has_object(name):
            self.skipTest(f"{name} does not exist on {RELEASE}")

    def need_page_tables(self):
        """
        Skip where drgn 0.0.22 finds neither physical addresses nor, thereby, the
        direct map: on machines whose tables it does not know, and on aarch64, whose
        kernel it takes to use as many bits of an address as it could, 52, and not
        as few as the processor has.
        """
        try:
            phys_to_virt(prog, 0)
        except NotImplementedError as error:
            self.skipTest(f"drgn: {error}")
        except Exception as error:
            if _CONFIG.get("CONFIG_ARM64_VA_BITS") != "52":
                raise
            self.skipTest(f"52-bit addresses and drgn 0.0.22: {error}")

    def need_memory_map(self):
        """Skip where drgn 0.0.22 does not find the array of struct page."""
        if not has_object("vmemmap"):
            self.skipTest("drgn 0.0.22 finds memory maps by vmemmap only")

    def need_option(self, option):
        if not config(option):
            self.skipTest(f"the kernel is without CONFIG_{option}")

    def assert_members(self, type_name, *expected):
        """Names and types of a structure's members, in order."""
        members = prog.type(type_name).members
        found = [(member.name, member.type.type_name()) for member in members]
        self.assertEqual(found, list(expected))
