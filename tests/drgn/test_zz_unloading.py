# SPDX-License-Identifier: LGPL-2.1-or-later
"""
Unloading the module, and loading it again, after each step that can fail as well. The
last by name: what the others have found by its address is gone afterwards.
"""

import fcntl
import os
import re
import subprocess
import time
from pathlib import Path

from drgn.helpers.linux.list import list_for_each_entry
from drgn.helpers.linux.cpumask import for_each_possible_cpu
from drgn.helpers.linux.percpu import per_cpu_ptr

import support
from support import KMOD, has_member, has_object, page_count, prog
from test_block import FLUSH
from test_mm import find_vmap_area
from test_time import queued_hrtimers, timers_on_wheels

KMEMLEAK = Path("/sys/kernel/debug/kmemleak")
SPLAT = re.compile(r"BUG|WARNING|Oops|cut here|still has objects|memory leak|leaked")
STEPS = 22


def insert(*parameters):
    return subprocess.run(["insmod", KMOD, *parameters], stderr=subprocess.PIPE,
                          check=False).returncode


def remove():
    return subprocess.run(["rmmod", "drgn_test"], stderr=subprocess.PIPE,
                          check=False).returncode


def names(pattern, text):
    return re.findall(pattern, text, re.MULTILINE)


def threads():
    for path in Path("/proc").glob("[0-9]*/comm"):
        try:
            yield path.read_text()
        except OSError:  # It has ended.
            pass


def traces():
    """What of the module there is to see."""
    found = names(r"^drgn_test ", Path("/proc/modules").read_text())
    found += names(r"drgntest", Path("/proc/devices").read_text())
    found += names(r"\bdrgn_\w*", "".join(threads()))
    for path in ("/sys/block", "/sys/kernel", "/sys/kernel/slab"):
        if os.path.isdir(path):
            found += names(r"drgn\w*", "\n".join(os.listdir(path)))
    if os.path.exists("/proc/slabinfo"):
        found += names(r"drgn\w*", Path("/proc/slabinfo").read_text())
    return found


def references(device):
    """How many there are of a network device."""
    if not has_member(device[0], "pcpu_refcnt"):
        return device.dev_refcnt.refs.counter.value_()
    return sum(per_cpu_ptr(device.pcpu_refcnt, cpu)[0].value_()
               for cpu in for_each_possible_cpu(prog))


def nmi_handlers():
    """Names of those of local NMIs."""
    head = prog["nmi_desc"][prog["NMI_LOCAL"]].head.address_of_()
    return [action.name.string_()
            for action in list_for_each_entry("struct nmiaction", head, "list")]


class UnloadingTest(support.TestCase):
    def setUp(self):
        self.log = os.open("/dev/kmsg", os.O_RDONLY | os.O_NONBLOCK)
        self.addCleanup(os.close, self.log)
        os.lseek(self.log, 0, os.SEEK_END)
        self.addCleanup(self.insert_again)

    def insert_again(self):
        if "drgn_test " not in traces():
            self.assertEqual(insert(), 0)

    def assert_quiet(self):
        """Neither are there traces of the module, nor complaints of the kernel."""
        deadline = time.monotonic() + 5
        while traces() and time.monotonic() < deadline:
            time.sleep(0.1)
        self.assertEqual(traces(), [])
        while True:
            try:
                line = os.read(self.log, 8192).decode(errors="replace")
            except BlockingIOError:
                break
            self.assertIsNone(SPLAT.search(line), line)

    def remove(self):
        self.assertEqual(remove(), 0)
        self.assert_quiet()

    def test_all_that_loading_took_is_given_back(self):
        """The first by name: the module that others insert may lie elsewhere."""
        device = prog["drgn_test_netdev"].read_()
        before = references(device)
        timer = prog["drgn_test_timer"].address_
        hrtimer = prog["drgn_test_hrtimer"].address_
        area = prog["drgn_test_vmalloc_va"].value_()
        caller = find_vmap_area(area).vm.caller.value_()
        page, where = prog["drgn_test_page"].read_(), prog["drgn_test_va"].value_()
        contents = prog.read(where, 64)
        if support.X86_64:
            self.assertIn(b"drgn_test", nmi_handlers())
        self.remove()
        self.assertEqual(references(device), before - 1)
        self.assertNotIn(timer, timers_on_wheels())
        self.assertNotIn(hrtimer, queued_hrtimers())
        # Others may have got what was freed.
        found = find_vmap_area(area)
        self.assertFalse(found and found.vm and found.vm.caller.value_() == caller)
        self.assertFalse(page_count(page) and prog.read(where, 64) == contents)
        if support.X86_64:
            self.assertNotIn(b"drgn_test", nmi_handlers())

    def test_is_not_unloaded_while_a_device_is_open(self):
        with open("/dev/drgntestb0", "rb"):
            self.assertNotEqual(remove(), 0)
        self.remove()

    def test_request_that_loafs_is_completed(self):
        Path("/sys/block/drgntestb0/truant").write_text("1")
        with open("/dev/drgntestb0", "rb") as disk:
            fcntl.ioctl(disk, FLUSH, 0)
        self.remove()

    def test_each_step_that_fails_undoes_those_before(self):
        self.remove()
        for step in range(STEPS):
            with self.subTest(step=step):
                self.assertNotEqual(insert(f"fail_step={step}"), 0)
                self.assert_quiet()
        # There are no more.
        self.assertEqual(insert(f"fail_step={STEPS}"), 0)

    def test_nothing_leaks(self):
        if not KMEMLEAK.exists():
            self.skipTest("the kernel is without CONFIG_DEBUG_KMEMLEAK")
        KMEMLEAK.write_text("clear")
        self.remove()
        self.assertEqual(insert(), 0)
        self.remove()
        # What is found once may have been in a register.
        for _ in range(2):
            KMEMLEAK.write_text("scan")
        self.assertEqual(re.findall("insmod", KMEMLEAK.read_text()), [])
