#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What is kept below ~/.cache/vmtest, used by several at once, and by some that die."""

import fcntl
import os
import subprocess
import time
import unittest

import support
from packages import RELEASE, package_entries, package_name, write_folder, write_package
from support import BIN, environment

ARCH = os.uname().machine
NEWER = RELEASE.replace("200", "201")


class CacheCase(support.TestCase):
    def setUp(self):
        super().setUp()
        self.cache = self.folder / "cache"
        self.env = environment()

    def vm(self, *arguments, **options):
        return support.run(
            "vmtest-vm", *arguments, f"--directory={self.cache}", env=self.env, **options
        )

    def start_program(self, program, *arguments):
        process = subprocess.Popen(
            [BIN / program, *map(str, arguments)],
            env=self.env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.addCleanup(process.communicate)
        self.addCleanup(process.kill)
        return process

    def finish(self, processes):
        """What processes that must succeed have printed."""
        printed = []
        for process in processes:
            out, err = process.communicate(timeout=300)
            self.assertEqual(process.returncode, 0, err)
            printed.append((out, err))
        return printed

    def wait_until(self, condition, seconds=60):
        deadline = time.monotonic() + seconds
        while not condition():
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.001)

    def hidden(self):
        """What is under way in the cache, or was left."""
        return [p for kind in ("partial", "deleted") for p in self.cache.rglob(f".{kind}.*")]


class KernelTest(CacheCase):
    def setUp(self):
        super().setUp()
        self.path = self.cache / ARCH / f"kernel-{RELEASE}"

    def write_large(self):
        write_folder(self.path)
        modules = self.path / "kernel"
        modules.mkdir()
        for i in range(20000):
            (modules / str(i)).symlink_to("x")

    def test_downloads_at_once_are_one(self):
        store = self.folder / "store"
        write_package(store / package_name(), package_entries(size=30 << 20))
        downloads = [
            self.start_program(
                "vmtest-vm",
                "download",
                f"--store=dir:{store}",
                f"--directory={self.cache}",
                f"--kernel={RELEASE}",
            )
            for _ in range(4)
        ]
        printed = self.finish(downloads)
        self.assertEqual({out for out, _ in printed}, {f"{self.path}\n"})
        made = [err for _, err in printed if f"download {package_name()}: " in err]
        self.assertEqual(len(made), 1)
        self.assertEqual(self.hidden(), [])

    def test_a_killed_prune_leaves_no_half_of_a_kernel(self):
        self.write_large()
        write_folder(self.path.with_name(f"kernel-{NEWER}"))
        modules = self.path / "kernel"
        prune = self.start_program("vmtest-vm", "prune", f"--directory={self.cache}")

        def has_begun():
            try:
                return len(os.listdir(modules)) < 20000
            except FileNotFoundError:
                return True

        self.wait_until(has_begun)
        prune.kill()
        prune.wait()
        self.assertFalse(self.path.exists())
        self.assert_status(self.vm("prune"), 0)
        self.assertEqual(self.hidden(), [])
        self.assertEqual(os.listdir(self.cache / ARCH), [f"kernel-{NEWER}"])

    def test_one_that_is_being_deleted_is_not_run(self):
        write_folder(self.path)
        fd = os.open(self.path, os.O_RDONLY)
        self.addCleanup(os.close, fd)
        fcntl.flock(fd, fcntl.LOCK_EX)
        result = self.vm("run", f"--kernel={self.path}", "true")
        self.assert_one_line(result, 125, str(self.path), "is deleting it")

    def test_one_in_use_is_not_pruned(self):
        write_folder(self.path)
        write_folder(self.path.with_name(f"kernel-{NEWER}"))
        fd = os.open(self.path, os.O_RDONLY)
        self.addCleanup(os.close, fd)
        fcntl.flock(fd, fcntl.LOCK_SH)
        result = self.vm("prune")
        self.assert_status(result, 0)
        self.assertEqual(result.stdout, "")
        self.assertIn("is in use", result.stderr)
        self.assertTrue(self.path.exists())


if __name__ == "__main__":
    unittest.main()
