# SPDX-License-Identifier: LGPL-2.1-or-later
"""The parked thread: its frames, locals, registers and saved stack traces."""

import contextlib
import io

from drgn import cast, container_of
from drgn.helpers.common.stack import print_annotated_stack
from drgn.helpers.linux.pid import find_task
from drgn.helpers.linux.sched import task_state_to_char

import support
from support import has_member, has_object, has_type, prog, stack_trace

FUNCTIONS = ["drgn_test_kthread_fn3", "drgn_test_kthread_fn2", "drgn_test_kthread_fn"]
TASK_PARKED = 512  # Before v4.14.
POISON = 0xA5A5A5A5A5A5A5A5
# For each machine: drgn's names of registers, and where struct pt_regs has them.
# The instruction pointer is the first, the stack pointer the second.
REGISTERS = {
    "x86_64": {
        "rip": "ip", "rsp": "sp", "rbp": "bp", "rbx": "bx", "r12": "r12",
        "r13": "r13", "r14": "r14", "r15": "r15",
    },
    "aarch64": {
        "pc": "pc", "sp": "sp", **{f"x{i}": ("regs", i) for i in range(19, 31)},
    },
}
# Members of struct pt_regs, where they are no array.
GENERAL = {"x86_64": "ax bx cx dx si di bp sp r8 r9 r10 r11 r12 r13 r14 r15".split()}
KERNEL_CS = 0x10
FLAGS = 0x202  # One that is always set, and that of interrupts.


def function_at(address):
    return prog.symbol(address).name


class ThreadCase(support.TestCase):
    def setUp(self):
        self.task = prog["drgn_test_kthread"]

    def assert_frames(self, trace):
        """The three functions follow each other; return the innermost's frame."""
        names = [frame.name for frame in trace]
        self.assertIn(FUNCTIONS[0], names)
        first = names.index(FUNCTIONS[0])
        self.assertEqual(names[first:first + 3], FUNCTIONS)
        self.assertRegex(trace[first].source()[0], r"\bdrgn_test\.c$")
        return trace[first]


class ThreadTest(ThreadCase):
    def test_name(self):
        self.assertEqual(self.task.comm.string_(), b"drgn_test_kthre")

    def test_is_found_by_pid(self):
        self.assertEqual(find_task(prog, self.task.pid.value_()), self.task)

    def test_is_parked(self):
        self.assertEqual(self.task.on_rq, 0)
        if support.VERSION < (4, 14):
            # Linux kernel commit 8ef9925b02c2 ("sched/debug: Add explicit
            # TASK_PARKED printing") (in v4.14)
            self.assertEqual(self.task.state, TASK_PARKED)
        else:
            self.assertEqual(task_state_to_char(self.task), "P")

    def test_data(self):
        if has_member(self.task[0], "worker_private"):
            kthread = cast("struct kthread *", self.task.worker_private)
        elif support.VERSION >= (4, 10):
            kthread = cast("struct kthread *", self.task.set_child_tid)
        else:
            # Linux kernel commit 1da5c46fa965 ("kthread: Make struct kthread
            # kmalloc'ed") (in v4.10)
            kthread = container_of(self.task.vfork_done, "struct kthread", "exited")
        self.assertEqual(kthread.data.value_(), 0xB0BA000)
        if has_member(kthread[0], "threadfn"):
            self.assertEqual(kthread.threadfn.value_(),
                             prog.symbol("drgn_test_kthread_fn").address)

    def test_thread_info(self):
        info = prog["drgn_test_kthread_info"]
        self.assertEqual(info.type_.type_name(), "struct thread_info *")
        if has_member(self.task[0], "thread_info"):
            self.assertEqual(info, self.task.thread_info.address_of_())
        else:
            self.assertEqual(info.value_(), self.task.stack.value_())


class StackTest(ThreadCase):
    def test_trace_by_task(self):
        trace = stack_trace(self.task)
        self.assert_frames(trace)
        self.assertIn("schedule", [frame.name for frame in trace])

    def test_trace_by_pid(self):
        self.assert_frames(stack_trace(self.task.pid.value_()))

    def test_frames_are_real(self):
        for frame in stack_trace(self.task):
            if frame.name in FUNCTIONS:
                self.assertFalse(frame.is_inline)
                self.assertEqual(frame.symbol().name, frame.name)

    def test_locals_are_exactly_four(self):
        frame = self.assert_frames(stack_trace(self.task))
        self.assertEqual(sorted(frame.locals()), ["a", "b", "c", "slab_object"])

    def test_values_of_locals(self):
        frame = self.assert_frames(stack_trace(self.task))
        for name, value in (("a", 1), ("b", 2), ("c", 3)):
            self.assertEqual(str(frame[name]), f"(volatile int){value}")

    def test_slab_object_is_on_the_stack(self):
        frame = self.assert_frames(stack_trace(self.task))
        pointer = frame["slab_object"]
        self.assertEqual(pointer.type_.type_name(),
                         "struct drgn_test_small_slab_object *")
        self.assertEqual(pointer, prog["drgn_test_small_slab_objects"][0])
        self.assertIsNotNone(pointer.address_)
        self.assertEqual(pointer.address_ % support.WORD, 0)
        stack = self.task.stack.value_()
        self.assertIn(pointer.address_,
                      range(stack, stack + prog["drgn_test_THREAD_SIZE"].value_()))

    def test_annotated_stack_names_the_functions(self):
        self.need_page_tables()
        output = io.StringIO()
        try:
            with contextlib.redirect_stdout(output):
                print_annotated_stack(stack_trace(self.task))
        except (AttributeError, LookupError) as error:
            self.skipTest(f"print_annotated_stack() of drgn 0.0.22: {error}")
        for name in (*FUNCTIONS, "schedule"):
            self.assertIn(name, output.getvalue())


class RegistersTest(ThreadCase):
    def setUp(self):
        super().setUp()
        self.registers = REGISTERS.get(support.MACHINE)
        if not self.registers:
            self.skipTest("registers are known by name on some machines only")
        self.pc, self.sp = list(self.registers)[:2]
        self.regs = prog["drgn_test_kthread_pt_regs"]

    def saved(self, name):
        """What the object has for a register of drgn's."""
        where = self.registers[name]
        if isinstance(where, str):
            return self.regs.member_(where).value_()
        return self.regs.member_(where[0])[where[1]].value_()

    def test_all_are_captured(self):
        names = GENERAL.get(support.MACHINE)
        if names:
            values = {name: self.regs.member_(name).value_() for name in names}
        else:
            values = dict(enumerate(reg.value_() for reg in self.regs.regs))
        for name, value in values.items():
            with self.subTest(name):
                self.assertNotEqual(value, POISON)

    def test_are_those_that_the_thread_still_has(self):
        """Those that calls preserve: where the stack has them, as drgn finds it."""
        found = self.assert_frames(stack_trace(self.task)).registers()
        preserved = [name for name in self.registers
                     if name in found and name not in (self.pc, "x29", "x30")]
        self.assertIn(self.sp, preserved)
        for name in preserved:
            with self.subTest(name):
                self.assertEqual(self.saved(name), found[name])

    def test_processor_is_in_the_kernel_with_interrupts_on(self):
        if not support.X86_64:
            self.skipTest("flags and segments are known on x86-64 only")
        self.assertEqual(self.regs.cs.value_() & 0xFFFF, KERNEL_CS)
        self.assertIn(self.regs.ss.value_() & 0xFFFF, (0, KERNEL_CS + 8))
        self.assertEqual(self.regs.flags.value_() & FLAGS, FLAGS)
        self.assertEqual(self.regs.orig_ax.value_(), support.ULONG_MAX)

    def test_instruction_pointer_is_in_the_function(self):
        self.assertEqual(self.regs.type_.type_name(), "struct pt_regs")
        self.assertEqual(function_at(self.saved(self.pc)), FUNCTIONS[0])

    def test_stack_pointer_is_on_the_stack(self):
        stack = self.task.stack.value_()
        self.assertIn(self.saved(self.sp),
                      range(stack, stack + prog["drgn_test_THREAD_SIZE"].value_()))

    def test_trace_from_the_object_and_from_a_pointer(self):
        self.assert_frames(stack_trace(self.regs))
        self.assert_frames(stack_trace(self.regs.address_of_()))

    def test_first_frame_has_the_registers(self):
        frame = stack_trace(self.regs)[0]
        # On some machines the instruction pointer is none of them.
        found = {self.pc: frame.pc, **frame.registers()}
        for name in self.registers:
            with self.subTest(name):
                self.assertEqual(found[name], self.saved(name))

    def test_stack_pointers_of_trace_and_registers_agree(self):
        frame = self.assert_frames(stack_trace(self.task))
        self.assertEqual(frame.register(self.sp), self.saved(self.sp))


class SavedTraceTest(ThreadCase):
    def assert_functions(self, entries):
        names = [function_at(entry) for entry in entries]
        self.assertIn(FUNCTIONS[0], names)
        first = names.index(FUNCTIONS[0])
        self.assertEqual(names[first:first + 3], FUNCTIONS)

    def entries(self):
        count = prog["drgn_test_num_stack_entries"].value_()
        array = prog["drgn_test_stack_entries"]
        return [array[i].value_() for i in range(count)]

    def test_array(self):
        self.need("have_stacktrace")
        self.assertEqual(prog["drgn_test_stack_entries"].type_.type_name(),
                         "unsigned long [16]")
        self.assertIn(prog["drgn_test_num_stack_entries"].value_(), range(3, 17))
        self.assert_functions(self.entries())

    def test_depot(self):
        self.need("have_stackdepot")
        handle = prog["drgn_test_stack_handle"].value_()
        self.assertNotEqual(handle, 0)
        if has_object("stack_pools") and has_type("union handle_parts"):
            index_name, pools, bias = "pool_index_plus_1", prog["stack_pools"], 1
        elif has_object("stack_slabs"):
            # Linux kernel commit 961c949b012f ("lib/stackdepot: rename slab
            # to pool") (in v6.3)
            index_name, pools, bias = "slabindex", prog["stack_slabs"], 0
        else:
            self.skipTest("this kernel's depot is not known here")
        members = {member.name: member
                   for inner in prog.type("union handle_parts").members
                   for member in getattr(inner.type, "members", None) or []}

        def field(name):
            member = members[name]
            return handle >> member.bit_offset & (1 << member.bit_field_size) - 1

        record = cast("struct stack_record *",
                      pools[field(index_name) - bias] + (field("offset") << 4))
        self.assertEqual(record.handle.handle, handle)
        found = [record.entries[i].value_() for i in range(record.size)]
        self.assertEqual(found, self.entries())
        self.assert_functions(found)
