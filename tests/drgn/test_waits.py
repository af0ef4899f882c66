# SPDX-License-Identifier: LGPL-2.1-or-later
"""Wait queues, simple wait queues and completions."""

from drgn import cast, offsetof
from drgn.helpers.linux.list import list_empty, list_for_each_entry
from drgn.helpers.linux.sched import task_state_to_char

import support
from support import has_type, prog, stack_trace

CONTAINER = "struct drgn_test_waitq_container_struct"


def waiters(queue):
    """Tasks on a wait_queue_head_t."""
    kind, head, member = "struct wait_queue_entry", "head", "entry"
    if not has_type(kind):
        # Linux kernel commits ac6424b981bc ("sched/wait: Rename wait_queue_t =>
        # wait_queue_entry_t") and 2055da97389a ("sched/wait: Disambiguate
        # wq_entry->task_list and wq_head->task_list naming") (in v4.13)
        kind, head, member = "wait_queue_t", "task_list", "task_list"
    return [cast("struct task_struct *", entry.private)
            for entry in list_for_each_entry(
                kind, queue.member_(head).address_of_(), member)]


def simple_waiters(queue):
    """Tasks on a struct swait_queue_head."""
    return [entry.task for entry in list_for_each_entry(
        "struct swait_queue", queue.task_list.address_of_(), "task_list")]


class WaitsTest(support.TestCase):
    def assert_waiter(self, found, name):
        self.assertEqual(found, [prog[f"drgn_test_{name}"]])
        self.assertTrue(found[0].comm.string_().startswith(b"drgn_test_"))
        self.assertIn(task_state_to_char(found[0]), "SI")
        self.assertEqual(found[0].on_rq, 0)
        names = [frame.name for frame in stack_trace(found[0])]
        self.assertIn("schedule", names)

    def test_wait_queue_has_one_waiter(self):
        self.assert_waiter(waiters(prog["drgn_test_waitq"]), "waitq_kthread")

    def test_empty_wait_queue(self):
        self.assertEqual(waiters(prog["drgn_test_empty_waitq"]), [])

    def test_container_s_wait_queue_is_empty_and_not_first(self):
        container = prog["drgn_test_waitq_container"]
        self.assertEqual(container.type_.type_name(), CONTAINER)
        self.assertEqual(waiters(container.waitq), [])
        self.assertNotEqual(offsetof(prog.type(CONTAINER), "waitq"), 0)

    def test_simple_wait_queue_has_one_waiter(self):
        self.assert_waiter(simple_waiters(prog["drgn_test_swaitq"]), "swaitq_kthread")

    def test_empty_simple_wait_queue(self):
        queue = prog["drgn_test_empty_swaitq"]
        self.assertTrue(list_empty(queue.task_list.address_of_()))

    def completion(self, name):
        completion = prog[f"drgn_test_{name}"]
        self.assertEqual(completion.type_.type_name(), "struct completion")
        if has_type("struct swait_queue") and support.VERSION >= (5, 7):
            return completion.done.value_(), simple_waiters(completion.wait)
        return completion.done.value_(), waiters(completion.wait)

    def test_completion_has_one_waiter(self):
        done, found = self.completion("completion")
        self.assertEqual(done, 0)
        self.assert_waiter(found, "completion_kthread")

    def test_done_completion_has_none(self):
        done, found = self.completion("done_completion")
        self.assertNotEqual(done, 0)
        self.assertEqual(found, [])
