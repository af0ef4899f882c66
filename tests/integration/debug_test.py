# SPDX-License-Identifier: LGPL-2.1-or-later
"""
Faults that a kernel of flavor debug finds, made by the module in
tests/fixtures/faulty, are named by run --fail-on-splat.

VMTEST_TEST_DEBUG names an unpacked package; see support.flavor_kernel().
"""

import unittest

import support

SOURCE = support.TOP / "tests/fixtures/faulty"

# In this order: what comes after a report has no lockdep any more, and of the first few
# the traces are decoded.
FAULTS = {
    "lock_inversion": "WARNING: possible circular locking dependency detected",
    "use_after_free": r"BUG: KASAN: .*use-after-free in (faulty_init|use_after_free)",
    "sleep_in_atomic": "BUG: sleeping function called from invalid context",
    "shift_too_far": "UBSAN: shift-out-of-bounds in .*faulty.c:",
    "last_reference": "WARNING: .* lib/refcount.c:",
    "free_active_timer": "WARNING: .* lib/debugobjects.c:",
    "hang": "INFO: task insmod:[0-9]+ blocked for more than",
    "write_behind": r"BUG faulty \(.*\): ",
    "leak": "kmemleak: unreferenced object ",
}

LINES = (SOURCE / "faulty.c").read_text().splitlines()
READ = next(i for i, line in enumerate(LINES, 1) if "(void)memory[8]" in line)


class DebugTest(support.TestCase):
    def run_guest(self, script):
        kernel = support.flavor_kernel("debug")
        # On a busy host, an emulated processor stands still for as long as it takes to report it.
        return support.run("vmtest-vm run --fail-on-splat --cpus 1 -k", kernel,
                           "--append", "rcupdate.rcu_cpu_stall_suppress=1", "--module", "build",
                           "--module-source", SOURCE, "--", "sh", "-ec", script, timeout=3600)

    def test_each_fault_is_named(self):
        """In one guest, as none of them hides another."""
        insert = 'insmod "$DRGN_TEST_KMOD" fault={}; rmmod faulty'
        got = self.run_guest("echo 1 >/proc/sys/kernel/hung_task_timeout_secs\n" +
                             "\n".join(map(insert.format, FAULTS)))
        self.assert_status(got, 1)
        for fault, text in FAULTS.items():
            with self.subTest(fault):
                self.assertRegex(got.stderr, f"the kernel reported: {text}")
        # The read behind the kfree() of use_after_free().
        self.assertRegex(got.stderr, rf"use-after-free in .*\({SOURCE}/faulty.c:{READ}\)")

    def test_without_a_fault_nothing_is_reported(self):
        got = self.run_guest('insmod "$DRGN_TEST_KMOD"; rmmod faulty')
        self.assert_status(got, 0)


if __name__ == "__main__":
    unittest.main()
