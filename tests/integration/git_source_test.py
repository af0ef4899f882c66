# SPDX-License-Identifier: LGPL-2.1-or-later
"""vmtest-kbuild build --git: one commit of a repository elsewhere as a source."""

import signal
import time

import support
from built_kernel import catalog_without_patches
from support import environment

VERSION = "6.12.3"


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

    def start_build(self):
        return self.popen(
            f"vmtest-kbuild build --ref=v{VERSION} --flavor=tiny",
            f"--git={self.kernel_org.urls['KERNEL_ORG_GIT']}",
            *(f"--catalog={self.catalog}", f"--output={self.folder / 'out'}"),
            f"--directory={self.folder / 'work'}",
            env=self.environment,
        )

    def temporary(self):
        return list(self.sources.glob(".*.*"))

    def test_waiting_for_a_server_ends_by_a_signal(self):
        self.environment["VMTEST_STALL_SECONDS"] = "600"
        stall = {"kind": "stall", "at": "request", "path": "/git-upload-pack$"}
        self.kernel_org.control(faults=[{**stall, "count": -1}])
        process = self.start_build()
        # We ask for the refs, and libgit2 does, before it begins to wait.
        self.wait_until(lambda: len(self.kernel_org.requests()) >= 2)
        time.sleep(0.5)
        self.assertIsNone(process.poll())
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(timeout=10), -signal.SIGINT)
        # What it had begun is for the next one to remove.
        self.assertTrue(self.temporary())
        self.kernel_org.control(faults=[])
        self.end(self.start_build())
        self.assertEqual(self.temporary(), [])
        self.assertEqual(len(list(self.sources.glob("git-*/Makefile"))), 1)
