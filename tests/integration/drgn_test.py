# SPDX-License-Identifier: LGPL-2.1-or-later
"""
Runs tests/drgn in a real kernel's guest: whether drgn_test.ko is what a debugger
is told it is, with the drgn that the distribution has.

VMTEST_TEST_KERNEL names an unpacked package to use instead of the one that the
tests build.
"""

import os
import re
import subprocess
import tempfile
import unittest

import support

KERNEL = os.environ.get("VMTEST_TEST_KERNEL", "")
# Where Debian and Ubuntu install drgn, whatever python3 is first in the PATH.
PYTHON = "/usr/bin/python3"
SUITE = support.TOP / "tests/drgn"


def setUpModule():
    global KERNEL
    try:
        subprocess.run([PYTHON, "-c", "import drgn"], check=True,
                       stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    except (OSError, subprocess.CalledProcessError):
        raise unittest.SkipTest(f"no drgn for {PYTHON}: install python3-drgn") from None
    KERNEL = KERNEL or str(support.kernel())


class DrgnTest(support.TestCase):
    @classmethod
    def setUpClass(cls):
        # The module is built once.
        folder = tempfile.TemporaryDirectory(prefix="vmtest-test.")
        cls.addClassCleanup(folder.cleanup)
        cls.cache = folder.name

    def run_guest(self, *command, options=()):
        return support.run(
            "vmtest-vm", "run", "-q", "-k", KERNEL, "-t", "280", *options,
            "--disk", "64M", "--module", "insert", "--module-source", support.TOP / "module",
            "-d", self.cache, "--", PYTHON, *command, cwd=support.TOP, timeout=600)

    def assert_passed(self, result):
        """Succeeded, and not for want of tests. Some may be skipped, not all."""
        self.assert_status(result, 0)
        ran = re.search(r"^Ran (\d+) tests? in", result.stderr, re.MULTILINE)
        self.assertIsNotNone(ran, result.stderr)
        skipped = re.search(r"^OK .*\bskipped=(\d+)", result.stderr, re.MULTILINE)
        self.assertGreater(int(ran[1]) - int(skipped[1] if skipped else 0), 0,
                           result.stderr)

    def test_module_is_what_its_interface_says(self):
        self.assert_passed(self.run_guest("-m", "unittest", "discover", "-s", SUITE, "-v"))

    def test_crash_leaves_a_readable_dump(self):
        self.assert_passed(self.run_guest(SUITE / "test_vmcore.py", options=["--kdump"]))
