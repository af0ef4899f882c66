# SPDX-License-Identifier: LGPL-2.1-or-later
"""Timers that wait, and one time in two forms."""

import time

from drgn.helpers.linux.cpumask import for_each_possible_cpu
from drgn.helpers.linux.list import hlist_for_each_entry
from drgn.helpers.linux.percpu import per_cpu
from drgn.helpers.linux.rbtree import rbtree_inorder_for_each_entry

import support
from support import ULONG_MAX, has_member, has_type, nanoseconds, prog



def timer_bases():
    """The timer wheels of all CPUs."""
    for cpu in for_each_possible_cpu(prog):
        yield from per_cpu(prog["timer_bases"], cpu)


def timers_on_wheels():
    """Addresses of all timers."""
    return [timer.value_() for base in timer_bases() for vector in base.vectors
            for timer in hlist_for_each_entry("struct timer_list", vector.address_of_(),
                                              "entry")]


def queue_of(base):
    """The timers of a clock base, in the order of their tree."""
    root = base.active.member_("head" if has_member(base.active, "head") else "rb_root")
    if has_member(root, "rb_root"):
        root = root.rb_root
    kind, member = "struct timerqueue_node", "node"
    if has_type("struct timerqueue_linked_node"):  # Since v7.1.
        kind, member = "struct timerqueue_linked_node", "node.node"
    return list(rbtree_inorder_for_each_entry(kind, root.address_of_(), member))


def queued_hrtimers():
    """Addresses of those of all clocks: the queue's node is the first member."""
    return [node.value_() for cpu in for_each_possible_cpu(prog)
            for base in per_cpu(prog["hrtimer_bases"], cpu).clock_base
            for node in queue_of(base)]


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
        # HZ is from 100 to 1000.
        self.assertIn(left, range(100 * 3600, 1000 * 24 * 3600 + 1))

    def test_is_on_a_wheel(self):
        self.assertEqual(timers_on_wheels().count(self.timer.address_), 1)


class HrtimerTest(support.TestCase):
    def setUp(self):
        self.timer = prog["drgn_test_hrtimer"]

    def test_callback(self):
        self.assertEqual(self.timer.type_.type_name(), "struct hrtimer")
        self.assertEqual(self.timer.function.value_(),
                         prog.symbol("drgn_test_hrtimer_fn").address)

    def test_is_due_in_hours(self):
        self.assertEqual(self.timer.base.clockid, time.CLOCK_MONOTONIC)
        left = nanoseconds(self.timer.node.expires) - time.monotonic_ns()
        self.assertIn(left // 3_600_000_000_000, (22, 23))

    def test_is_queued(self):
        name = "is_queued" if has_member(self.timer, "is_queued") else "state"
        self.assertEqual(self.timer.member_(name), 1)

    def test_is_in_its_base_s_tree(self):
        nodes = queue_of(self.timer.base)
        self.assertIn(self.timer.node.address_, [node.value_() for node in nodes])
        times = [nanoseconds(node.expires) for node in nodes]
        self.assertEqual(times, sorted(times))


class KtimeTest(support.TestCase):
    def test_both_forms_are_one_time(self):
        ktime = prog["drgn_test_ktime"]
        self.assertEqual(ktime.type_.type_name(), "ktime_t")
        self.assertEqual(prog["drgn_test_ktime_ns"].type_.type_name(), "s64")
        self.assertEqual(nanoseconds(ktime), prog["drgn_test_ktime_ns"].value_())
        self.assertIn((time.time_ns() - nanoseconds(ktime)) // 1_000_000_000,
                      range(24 * 3600))
