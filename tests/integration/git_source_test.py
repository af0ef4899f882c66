#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""vmtest-kbuild build --git: one commit of a repository elsewhere as a source."""

import signal
import subprocess
import time
import unittest

import support
from built_kernel import catalog_without_patches
from support import BIN, environment, run

VERSION = "6.12.3"


def libgit2_gives_up():
    """Whether the library knows timeouts: libgit2 1.7 and later do."""
    command = ["pkg-config", "--atleast-version=1.7", "libgit2"]
    return subprocess.run(command, check=False).returncode == 0


class GitSourceTest(support.TestCase):
    def setUp(self):
        super().setUp()
        tree = self.folder / "tree"
        tree.mkdir()
        (tree / "Makefile").write_text(
            "VERSION = 6\nPATCHLEVEL = 12\nSUBLEVEL = 3\nEXTRAVERSION =\n"
        )
        self.kernel_org = self.start("kernel_org.py", f"--git-source={VERSION}={tree}")
        self.catalog = catalog_without_patches(self.folder / "configs")
        self.sources = self.folder / "work" / "sources"
        self.environment = environment(VMTEST_STALL_SECONDS=1, VMTEST_RETRY_SECONDS=0)

    def arguments(self):
        return (
            "build",
            f"--git={self.kernel_org.urls['KERNEL_ORG_GIT']}",
            f"--ref=v{VERSION}",
            "--flavor=tiny",
            f"--catalog={self.catalog}",
            f"--output={self.folder / 'out'}",
            f"--directory={self.folder / 'work'}",
        )

    def build(self):
        return run("vmtest-kbuild", *self.arguments(), env=self.environment)

    def stall(self, path):
        self.kernel_org.control(
            faults=[{"kind": "stall", "at": "request", "path": path, "count": -1}]
        )

    def temporary(self):
        return list(self.sources.glob(".*.*"))

    def test_a_server_that_does_not_list_its_refs_is_given_up(self):
        self.stall("info/refs")
        self.assert_one_line(self.build(), 1, "info/refs", "nothing came for 1 s")
        paths = [r["path"] for r in self.kernel_org.requests()]
        self.assertFalse([p for p in paths if p.endswith("/git-upload-pack")])

    @unittest.skipUnless(libgit2_gives_up(), "libgit2 before 1.7 waits for ever")
    def test_a_server_that_sends_nothing_is_given_up(self):
        self.stall("/git-upload-pack$")
        self.assert_one_line(self.build(), 1, f"fetch v{VERSION}")
        self.assertEqual(self.temporary(), [])

    def test_waiting_for_a_server_ends_by_a_signal(self):
        self.environment["VMTEST_STALL_SECONDS"] = "600"
        self.stall("/git-upload-pack$")
        process = subprocess.Popen(
            [BIN / "vmtest-kbuild", *self.arguments()],
            env=self.environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        # It asks for the refs as often before it begins to wait.
        while len(self.kernel_org.requests()) < 3:
            self.assertIsNone(process.poll())
            time.sleep(0.05)
        time.sleep(0.5)
        self.assertIsNone(process.poll())
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(timeout=10), -signal.SIGINT)
        # What it had begun is for the next one to remove.
        self.assertTrue(self.temporary())
        self.kernel_org.control(faults=[])
        self.build()
        self.assertEqual(self.temporary(), [])
        self.assertEqual(len(list(self.sources.glob("git-*/Makefile"))), 1)


if __name__ == "__main__":
    unittest.main()
