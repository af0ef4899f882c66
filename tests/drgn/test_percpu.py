# SPDX-License-Identifier: LGPL-2.1-or-later
"""Per-CPU variables and counters."""

from drgn import Object
from drgn.helpers.linux.cpumask import for_each_possible_cpu
from drgn.helpers.linux.percpu import per_cpu, per_cpu_ptr, percpu_counter_sum

import support
from support import has_member, kallsyms, prog, sequence

STRUCT = "struct drgn_test_percpu_struct"


def counter_sum(counter):
    if not has_member(counter, "counters"):
        return counter.count.value_()  # Nothing more to it without SMP.
    return percpu_counter_sum(counter.address_of_())


class PercpuTest(support.TestCase):
    def setUp(self):
        self.cpus = list(for_each_possible_cpu(prog))

    def variable(self, name):
        """
        A per-CPU variable. With SMP it is where the kernel has put the module's
        per-CPU section, which is in no list that drgn 0.0.22 knows.
        """
        name = f"drgn_test_percpu_{name}"
        return Object(prog, prog[name].type_, address=kallsyms()[name])

    def test_static_has_the_sequence(self):
        static = self.variable("static")
        self.assertEqual(static.type_.type_name(), "u32")
        for cpu, number in zip(self.cpus, sequence("PCPU", len(self.cpus))):
            self.assertEqual(per_cpu(static, cpu), number)

    def test_dynamic_has_the_sequence(self):
        pointer = prog["drgn_test_percpu_dynamic"]
        self.assertEqual(pointer.type_.type_name(), "u32 *")
        for cpu, number in zip(self.cpus, sequence("pcpu", len(self.cpus))):
            self.assertEqual(per_cpu_ptr(pointer, cpu)[0], number)

    def test_struct_is_two_int(self):
        self.assert_members(STRUCT, ("cpu", "int"), ("i", "int"))

    def test_structs(self):
        for cpu in self.cpus:
            self.assertEqual(per_cpu(self.variable("structs"), cpu).cpu, cpu)

    def test_arrays(self):
        for cpu in self.cpus:
            array = per_cpu(self.variable("arrays"), cpu)
            self.assertEqual([(item.cpu.value_(), item.i.value_()) for item in array],
                             [(cpu, 0), (cpu, 1), (cpu, 2)])

    def test_counters(self):
        self.assertEqual(counter_sum(prog["drgn_test_percpu_counter"]), 13)
        self.assertEqual(counter_sum(prog["drgn_test_percpu_counter_negative"]), -66)
