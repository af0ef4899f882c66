# SPDX-License-Identifier: LGPL-2.1-or-later
"""
Runs tests/drgn in a real kernel's guest: whether drgn_test.ko is what a debugger
is told it is, with the drgn that the distribution has.
"""

import re
import subprocess
import unittest

import support

# Where Debian and Ubuntu install drgn, whatever python3 is first in the PATH.
PYTHON = "/usr/bin/python3"
SUITE = support.TOP / "tests/drgn"


def ran(result):
    """How many tests unittest has run, and not skipped."""
    total = re.search(r"^Ran (\d+) tests? in", result.stderr, re.MULTILINE)
    skipped = re.search(r"^OK .*\bskipped=(\d+)", result.stderr, re.MULTILINE)
    return (int(total[1]) if total else 0) - (int(skipped[1]) if skipped else 0)


class DrgnTest(support.TestCase):
    @classmethod
    def setUpClass(cls):
        has_drgn = f"{PYTHON} -c 'import drgn' 2>/dev/null"
        if subprocess.run(has_drgn, shell=True).returncode:
            raise unittest.SkipTest(f"no drgn for {PYTHON}: install python3-drgn")
        # The module is built once.
        cls.cache = support.class_directory(cls)

    def check(self, *command, options=()):
        result = support.run_guest(
            PYTHON, *command, cwd=support.TOP, timeout=600, options=(
                "-q", "-t", "280", *options, "--disk", "64M", "--module", "insert",
                "--module-source", support.TOP / "module", "-d", self.cache))
        self.assert_status(result, 0)
        if result.stdout.startswith("skipped: "):
            self.skipTest(result.stdout.strip())
        self.assertGreater(ran(result), 0, result.stderr)

    def test_module_is_what_its_interface_says(self):
        self.check("-m", "unittest", "discover", "-s", SUITE, "-v")

    def test_crash_leaves_a_readable_dump(self):
        self.check(SUITE / "test_vmcore.py", options=["--kdump"])
