# SPDX-License-Identifier: LGPL-2.1-or-later
"""
Mutexes and semaphores, and who holds them. drgn 0.0.22 has no helpers for these;
the encoding of count and owner is that of Linux 5.3 and later.
"""

from drgn.helpers.linux.list import list_for_each_entry
from drgn.helpers.linux.sched import task_state_to_char

import support
from support import has_member, prog, unsigned

WRITER_LOCKED = 1 << 0
READER_BIAS = 1 << 8
MUTEX_FLAGS = 7
READER_OWNED = 1 << 0
RWSEM_FLAGS = 3


def waiters(lock, kind):
    if not has_member(lock, "first_waiter"):
        return list(list_for_each_entry(kind, lock.wait_list.address_of_(), "list"))
    # Linux kernel commits "locking/mutex: Remove the list_head from struct mutex"
    # and "locking/rwsem: Remove the list_head from struct rw_semaphore" (in v7.1)
    first = lock.first_waiter
    if not first:
        return []
    return [first, *list_for_each_entry(kind, first.list.address_of_(), "list")]


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

    def assert_mutex(self, name, owner):
        mutex = prog[f"drgn_test_mutex_{name}"]
        self.assertEqual(waiters(mutex, "struct mutex_waiter"), [])
        if has_member(mutex, "count"):
            # Linux kernel commit 3ca0ff571b09 ("locking/mutex: Rework
            # mutex::owner") (in v4.10)
            self.assertEqual(mutex.count.counter, 0 if owner else 1)
        else:
            self.assertEqual(unsigned(mutex.owner.counter) & ~MUTEX_FLAGS, owner)

    def test_locked_mutex_has_the_holder(self):
        self.assert_mutex("locked", self.holder.value_())

    def test_unlocked_mutex_has_none(self):
        self.assert_mutex("unlocked", 0)

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

    def test_previous_reader_leaves_a_mark(self):
        owner = unsigned(self.rwsem("previously_read_locked").owner.counter)
        self.assertTrue(owner & READER_OWNED)

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
        found = waiters(semaphore, "struct rwsem_waiter")
        self.assertEqual([waiter.task for waiter in found],
                         [prog["drgn_test_locking_kthread2"]])
        self.assertNotEqual(task_state_to_char(found[0].task), "R")
        self.assertEqual(found[0].task.on_rq, 0)

    def test_others_have_no_waiters(self):
        for name in ("read_locked", "write_locked", "never_locked",
                     "previously_read_locked", "previously_write_locked"):
            with self.subTest(name):
                self.assertEqual(waiters(self.rwsem(name), "struct rwsem_waiter"), [])
