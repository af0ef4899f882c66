#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""
The memory of a kernel that the module has crashed.

Run as a program, this crashes the kernel first and then, in the crash kernel,
runs the tests:

    vmtest-vm run --kdump --module insert -- tests/drgn/test_vmcore.py
"""

import os
import struct
import subprocess
import sys
import unittest
from pathlib import Path

TRIGGER = Path("/sys/kernel/drgn_test/crash")
VMCORE = Path("/proc/vmcore")
KERNEL_CS = 0x10
NMI_IST = 1  # Of those that orig_ist has.
NMI_STACK_SIZE = 4096


def crash():
    subprocess.run(["vmtest-kexec"], check=True)
    TRIGGER.write_text("1\n", encoding="ascii")
    sys.exit("the kernel did not crash")


if __name__ == "__main__" and not VMCORE.exists():
    if not os.environ.get("VMTEST_KEXEC"):
        print("skipped: crash kernels do not work here")
        sys.exit()
    crash()

if not VMCORE.exists():
    raise unittest.SkipTest("no /proc/vmcore: this is not the crash kernel")

# pylint: disable=wrong-import-position # Loading takes a while.
from drgn import Object, ProgramFlags, offsetof, sizeof  # noqa: E402
from drgn.helpers.linux.list import list_for_each_entry  # noqa: E402
from drgn.helpers.linux.percpu import per_cpu  # noqa: E402
from drgn.helpers.linux.rbtree import validate_rbtree  # noqa: E402
from drgn.helpers.linux.sched import task_cpu  # noqa: E402

try:
    import support
except unittest.SkipTest as reason:
    if __name__ != "__main__":
        raise
    print(f"skipped: {reason}")
    sys.exit()
from support import has_object, has_type, head, prog, sequence  # noqa: E402


class VmcoreTest(support.TestCase):
    def test_is_of_a_linux_kernel_that_does_not_run(self):
        self.assertTrue(prog.flags & ProgramFlags.IS_LINUX_KERNEL)
        self.assertFalse(prog.flags & ProgramFlags.IS_LIVE)

    def test_lists_are_readable(self):
        found = list_for_each_entry("struct drgn_test_list_entry",
                                    head("drgn_test_full_list"), "node")
        self.assertEqual([entry.value.value_() for entry in found], [1, 2, 3])

    def test_trees_are_readable(self):
        validate_rbtree("struct drgn_test_rb_entry", head("drgn_test_rb_root"), "node",
                        lambda one, other: one.value.value_() - other.value.value_(),
                        False)

    def test_page_is_readable_by_both_addresses(self):
        expected = sequence("PAGE", 4)
        for address, physical in ((prog["drgn_test_va"].value_(), False),
                                  (prog["drgn_test_pa"].value_(), True)):
            self.assertEqual(
                [prog.read_u32(address + 4 * i, physical) for i in range(4)], expected)

    def test_slab_objects_are_readable(self):
        self.assertEqual(
            [obj.value.value_() for obj in prog["drgn_test_small_slab_objects"]],
            [0, 1, 2, 3, 4])

    def test_parked_thread_has_its_frames(self):
        names = [frame.name for frame in prog.stack_trace(prog["drgn_test_kthread"])]
        first = names.index("drgn_test_kthread_fn3")
        self.assertEqual(names[first:first + 3], [
            "drgn_test_kthread_fn3", "drgn_test_kthread_fn2", "drgn_test_kthread_fn"])


class CrashedThreadTest(support.TestCase):
    def setUp(self):
        self.thread = prog.crashed_thread()
        self.task = self.thread.object

    def trace(self):
        """The whole stack, if this drgn can unwind it."""
        try:
            return self.thread.stack_trace()
        except Exception as error:  # pylint: disable=broad-exception-caught
            # Linux kernel commit fb799447ae29 ("x86,objtool: Split
            # UNWIND_HINT_EMPTY in two") (in v6.4) renumbered the types.
            if "unknown ORC entry type" not in str(error):
                raise
            self.skipTest("drgn 0.0.22 cannot unwind interrupts of Linux 6.4:"
                          f" {error}")

    def test_is_the_one_that_wrote(self):
        # Named by what was executed: this file, or the interpreter.
        self.assertIn(self.task.comm.string_()[:7].decode(),
                      [Path(path).name[:7] for path in (__file__, sys.executable)])

    def test_stack_begins_with_the_function_that_panicked(self):
        names = [frame.name for frame in self.trace()]
        self.assertIn("panic", names)
        self.assertEqual(names[names.index("panic") + 1], "drgn_test_crash_func")

    def test_crash_came_by_nmi_in_an_interrupt(self):
        if not support.X86_64:
            self.skipTest("the crash comes by NMI on x86-64 only")
        # Linux kernel commits 6271fef00b34 ("x86/entry: Convert NMI to IDTENTRY_NMI")
        # and 720909a7abd3 ("x86/entry: Convert various system vectors") (in v5.8)
        nmi, irq_work = (("exc_nmi", "sysvec_irq_work") if has_object("exc_nmi")
                         else ("do_nmi", "smp_irq_work_interrupt"))
        names = [frame.name for frame in self.trace()]
        self.assertIn(nmi, names)
        self.assertLess(names.index("drgn_test_crash_func"), names.index(nmi))
        if names[-1] is None and support.VERSION < (4, 14):
            self.skipTest(f"without ORC, drgn lost its way after {names[-2]}()")
        self.assertIn(irq_work, names)
        self.assertLess(names.index(nmi), names.index(irq_work))

    def test_stack_leads_to_the_store_function(self):
        trace = self.trace()
        names = [frame.name for frame in trace]
        if names[-1] is None:
            self.skipTest(f"drgn 0.0.22 lost its way after {names[-2]}()")
        self.assertIn("drgn_test_crash_store", names)
        self.assertLess(names.index("drgn_test_crash_func"),
                        names.index("drgn_test_crash_store"))


class CrashedStacksTest(support.TestCase):
    """The three stacks of the crash, read without unwinding."""

    def setUp(self):
        if not support.X86_64:
            self.skipTest("the crash comes by NMI on x86-64 only")
        self.task = prog.crashed_thread().object
        self.cpu = task_cpu(self.task)

    def find(self, start, size, function):
        """Where on a stack there is an address in a function."""
        symbol = prog.symbol(function)
        words = struct.unpack(f"={size // 8}Q", prog.read(start, size))
        return [start + 8 * i for i, word in enumerate(words)
                if symbol.address < word <= symbol.address + symbol.size]

    def nmi_stack(self):
        """Its lowest address and its size."""
        if has_type("struct exception_stacks"):
            stack = per_cpu(prog["exception_stacks"], self.cpu).NMI_stack
            return stack.address_, sizeof(stack)
        # "x86/exceptions: Add structs for exception stacks" (in v5.2)
        top = per_cpu(prog["orig_ist"], self.cpu).ist[NMI_IST].value_()
        return top - NMI_STACK_SIZE, NMI_STACK_SIZE

    def irq_stack(self):
        if has_object("irq_stack_union"):
            # Linux kernel commit e6401c130931 ("x86/irq/64: Split the IRQ stack
            # into its own pages") (in v5.2)
            stack = per_cpu(prog["irq_stack_union"], self.cpu)
            return range(stack.address_, stack.address_ + sizeof(stack))
        if has_object("hardirq_stack_ptr"):
            top = per_cpu(prog["hardirq_stack_ptr"], self.cpu)
        else:
            # Linux kernel commit d7b6d709a76a ("x86/percpu: Move irq_stack
            # variables next to current_task") (in v6.2)
            top = per_cpu(prog["pcpu_hot"], self.cpu).hardirq_stack_ptr
        end = top.value_() + 8
        return range(end - sizeof(prog.type("struct irq_stack")), end)

    def test_nmi_stack_has_the_function_that_panicked(self):
        self.assertTrue(self.find(*self.nmi_stack(), "drgn_test_crash_func"))

    def test_nmi_interrupted_the_interrupt_stack(self):
        start, size = self.nmi_stack()
        # The processor pushes ss first, then sp.
        interrupted = prog.read_u64(start + size - 16)
        self.assertIn(interrupted, self.irq_stack())

    def test_interrupt_came_while_the_store_function_waited(self):
        size = prog["drgn_test_THREAD_SIZE"].value_()
        offset = offsetof(prog.type("struct pt_regs"), "ip")
        stack = self.task.stack.value_()
        found = self.find(stack, size, "drgn_test_crash_store")
        saved = [Object(prog, "struct pt_regs", address=address - offset)
                 for address in found]
        saved = [regs for regs in saved if regs.cs == KERNEL_CS]
        self.assertEqual(len(saved), 1)
        self.assertIn(saved[0].sp.value_(), range(stack, stack + size))

    def test_store_function_was_called_by_a_write(self):
        found = self.find(self.task.stack.value_(), prog["drgn_test_THREAD_SIZE"].value_(),
                          "vfs_write")
        self.assertTrue(found)


if __name__ == "__main__":
    unittest.main(verbosity=2)
