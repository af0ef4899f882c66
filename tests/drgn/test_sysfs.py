# SPDX-License-Identifier: LGPL-2.1-or-later
"""Coarse clocks and the crash trigger in /sys/kernel/drgn_test."""

import errno
import os
import stat
from pathlib import Path

import support
from support import has_member, nanoseconds, timekeeper

FOLDER = Path("/sys/kernel/drgn_test")
NSEC_PER_SEC = 1_000_000_000


def coarse(offset):
    """A coarse clock as of the kernel's last tick."""
    while True:
        keeper, again = timekeeper().read_(), timekeeper().read_()
        if keeper.to_bytes_() == again.to_bytes_():
            break
    if has_member(keeper, "coarse_nsec"):
        # Linux kernel commit b71f9804f66c ("timekeeping: Prevent coarse
        # clocks going backwards") (in v6.15)
        since = keeper.coarse_nsec.value_()
    else:
        since = keeper.tkr_mono.xtime_nsec.value_() >> keeper.tkr_mono.shift.value_()
    return (nanoseconds(keeper.tkr_mono.base) + nanoseconds(keeper.member_(offset))
            + since)


def write(path, text):
    descriptor = os.open(path, os.O_WRONLY)
    try:
        return os.write(descriptor, text.encode())
    finally:
        os.close(descriptor)


class SysfsTest(support.TestCase):
    def test_files(self):
        modes = {path.name: stat.S_IMODE(path.stat().st_mode)
                 for path in FOLDER.iterdir()}
        self.assertEqual(modes, {
            "boottime_seconds": 0o444, "coarse_boottime_ns": 0o444,
            "clocktai_seconds": 0o444, "coarse_clocktai_ns": 0o444, "crash": 0o200})

    def test_clocks_are_the_kernel_s(self):
        for name, offset, divisor in (
            ("boottime_seconds", "offs_boot", NSEC_PER_SEC),
            ("coarse_boottime_ns", "offs_boot", 1),
            ("clocktai_seconds", "offs_tai", NSEC_PER_SEC),
            ("coarse_clocktai_ns", "offs_tai", 1),
        ):
            for _ in range(3):
                with self.subTest(name):
                    before = (FOLDER / name).read_text()
                    found = coarse(offset) // divisor
                    after = (FOLDER / name).read_text()
                    self.assertEqual(before, f"{int(before)}\n")
                    self.assertLessEqual(int(before), found)
                    self.assertLessEqual(found, int(after))

    def test_crash_refuses_anything_but_one(self):
        for text in ("0", "2", "11", "1 ", " 1", "y", "\n"):
            with self.subTest(text):
                with self.assertRaises(OSError) as caught:
                    write(FOLDER / "crash", text)
                self.assertEqual(caught.exception.errno, errno.EINVAL)
