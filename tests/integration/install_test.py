#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What `cmake --install` installs works from its prefix."""

import re
import subprocess
import unittest

import support
from support import BIN, TOP, environment

PROGRAMS = ("vmtest-bot", "vmtest-kbuild", "vmtest-vm")


class InstallTest(support.TestCase):
    def setUp(self):
        super().setUp()
        subprocess.run(
            ["cmake", "--install", BIN.parent, "--prefix", self.folder],
            stdout=subprocess.DEVNULL,
            check=True,
        )

    def run_installed(self, program, *arguments):
        return subprocess.run(
            [self.folder / "bin" / program, *arguments],
            env=environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            timeout=300,
            check=False,
        )

    def test_programs_work_from_the_prefix(self):
        version = re.search(
            r"project\(vmtest VERSION ([0-9.]+)", (TOP / "CMakeLists.txt").read_text()
        )[1]
        for program in PROGRAMS:
            with self.subTest(program):
                result = self.run_installed(program, "--version")
                self.assertEqual(result.stdout, f"{program} {version}\n")
        # Fragments and the init script are found.
        result = self.run_installed("vmtest-kbuild", "config", "6.12.117", "-f", "tiny")
        self.assert_status(result, 0)
        self.assertIn("CONFIG_SLUB_TINY=y", result.stdout)
        kernel = str(support.kernel())
        result = self.run_installed("vmtest-vm", "run", "-k", kernel, "--", "uname", "-r")
        self.assert_status(result, 0)
        self.assertEqual(result.stdout, support.release() + "\n")


if __name__ == "__main__":
    unittest.main()
