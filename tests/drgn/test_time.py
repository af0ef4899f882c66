# SPDX-License-Identifier: LGPL-2.1-or-later
"""Timers that wait, and one time in two forms."""

from drgn.helpers.linux.cpumask import for_each_possible_cpu
from drgn.helpers.linux.list import hlist_for_each_entry
from drgn.helpers.linux.percpu import per_cpu
from drgn.helpers.linux.rbtree import rbtree_inorder_for_each_entry

import support
from support import ULONG_MAX, has_member, has_type, nanoseconds, prog

WHEEL_SHIFT = 22


def timer_bases():
    """The timer wheels of all CPUs."""
    for cpu in for_each_possible_cpu(prog):
        yield from per_cpu(prog["timer_bases"], cpu)


class TimerTest(support.TestCase):
    def setUp(self):
        self.timer = prog["drgn_test_timer"]

    def test_callback(self):
        self.assertEqual(self.timer.type_.type_name(), "struct timer_list")
        self.assertEqual(self.timer.function.value_(),
                         prog.symbol("drgn_test_timer_fn").address)

    def test_is_pending_for_hours(self):
        self.assertTrue(self.timer.entry.pprev)
        left = self.timer.expires.value_() - prog["jiffies_64"].value_() & ULONG_MAX
        self.assertGreater(left, 100 * 3600)

    def test_is_on_a_wheel(self):
        index = self.timer.flags.value_() >> WHEEL_SHIFT
        found = [
            timer.value_()
            for base in timer_bases()
            for timer in hlist_for_each_entry(
                "struct timer_list", base.vectors[index].address_of_(), "entry")
        ]
        self.assertEqual(found.count(self.timer.address_), 1)


class HrtimerTest(support.TestCase):
    def setUp(self):
        self.timer = prog["drgn_test_hrtimer"]

    def test_callback(self):
        self.assertEqual(self.timer.type_.type_name(), "struct hrtimer")
        self.assertEqual(self.timer.function.value_(),
                         prog.symbol("drgn_test_hrtimer_fn").address)

    def test_is_queued(self):
        name = "is_queued" if has_member(self.timer, "is_queued") else "state"
        self.assertEqual(self.timer.member_(name), 1)

    def test_is_in_its_base_s_tree(self):
        root = self.timer.base.active.member_(
            "head" if has_member(self.timer.base.active, "head") else "rb_root")
        if has_member(root, "rb_root"):
            root = root.rb_root
        kind, member = "struct timerqueue_node", "node"
        if has_type("struct timerqueue_linked_node"):  # Since v7.1.
            kind, member = "struct timerqueue_linked_node", "node.node"
        nodes = list(rbtree_inorder_for_each_entry(kind, root.address_of_(), member))
        self.assertIn(self.timer.node.address_, [node.value_() for node in nodes])
        times = [nanoseconds(node.expires) for node in nodes]
        self.assertEqual(times, sorted(times))


class KtimeTest(support.TestCase):
    def test_both_forms_are_one_time(self):
        ktime = prog["drgn_test_ktime"]
        self.assertEqual(ktime.type_.type_name(), "ktime_t")
        self.assertEqual(prog["drgn_test_ktime_ns"].type_.type_name(), "s64")
        self.assertEqual(nanoseconds(ktime), prog["drgn_test_ktime_ns"].value_())
