# SPDX-License-Identifier: LGPL-2.1-or-later
"""
Mutexes and semaphores, and who holds them. drgn 0.0.22 has no helpers for these;
the encoding of count and owner is that of Linux 5.3 and later.
"""

from drgn.helpers.linux.list import list_empty, list_for_each_entry
from drgn.helpers.linux.sched import task_state_to_char

import support
from support import has_member, prog, unsigned

WRITER_LOCKED = 1 << 0
READER_BIAS = 1 << 8
MUTEX_FLAGS = 7
READER_OWNED = 1 << 0
RWSEM_FLAGS = 3


class LocksTest(support.TestCase):
    def setUp(self):
        self.holder = prog["drgn_test_locking_kthread"]

    def rwsem(self, name):
        semaphore = prog[f"drgn_test_rwsem_{name}"]
        if support.VERSION < (5, 3) or not has_member(semaphore, "owner"):
            self.skipTest("semaphores of this kernel are not known here")
        return semaphore

    def assert_owner(self, semaphore, reader):
        owner = unsigned(semaphore.owner.counter)
        self.assertEqual(owner & ~RWSEM_FLAGS, self.holder.value_())
        self.assertEqual(bool(owner & READER_OWNED), reader)

    def readers(self, semaphore):
        return semaphore.count.counter.value_() // READER_BIAS

    def test_holder_is_asleep(self):
        self.assertEqual(self.holder.on_rq, 0)
        self.assertTrue(self.holder.comm.string_().startswith(b"drgn_test_"))

    def test_locked_mutex_has_the_holder(self):
        owner = unsigned(prog["drgn_test_mutex_locked"].owner.counter)
        self.assertEqual(owner & ~MUTEX_FLAGS, self.holder.value_())

    def test_unlocked_mutex_has_none(self):
        mutex = prog["drgn_test_mutex_unlocked"]
        self.assertEqual(mutex.owner.counter, 0)
        self.assertTrue(list_empty(mutex.wait_list.address_of_()))

    def test_read_locked(self):
        semaphore = self.rwsem("read_locked")
        self.assertEqual(semaphore.count.counter, READER_BIAS)
        self.assert_owner(semaphore, reader=True)

    def test_write_locked(self):
        semaphore = self.rwsem("write_locked")
        self.assertEqual(semaphore.count.counter, WRITER_LOCKED)
        self.assert_owner(semaphore, reader=False)

    def test_previously_locked_are_unlocked(self):
        for name in ("previously_read_locked", "previously_write_locked"):
            with self.subTest(name):
                self.assertEqual(self.rwsem(name).count.counter, 0)

    def test_previous_writer_is_forgotten(self):
        self.assertEqual(self.rwsem("previously_write_locked").owner.counter, 0)

    def test_never_locked(self):
        semaphore = self.rwsem("never_locked")
        self.assertEqual(semaphore.count.counter, 0)
        self.assertEqual(semaphore.owner.counter, 0)

    def test_writer_waits_for_one_reader(self):
        semaphore = self.rwsem("writer_waiting")
        self.assertEqual(self.readers(semaphore), 1)
        self.assertFalse(semaphore.count.counter & WRITER_LOCKED)
        self.assert_owner(semaphore, reader=True)
        waiters = list(list_for_each_entry(
            "struct rwsem_waiter", semaphore.wait_list.address_of_(), "list"))
        self.assertEqual(len(waiters), 1)
        self.assertEqual(waiters[0].task, prog["drgn_test_locking_kthread2"])
        self.assertNotEqual(task_state_to_char(waiters[0].task), "R")

    def test_others_have_no_waiters(self):
        for name in ("read_locked", "write_locked", "never_locked",
                     "previously_read_locked", "previously_write_locked"):
            with self.subTest(name):
                self.assertTrue(list_empty(self.rwsem(name).wait_list.address_of_()))
