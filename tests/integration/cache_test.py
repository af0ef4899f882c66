# SPDX-License-Identifier: LGPL-2.1-or-later
"""What is kept below ~/.cache/vmtest, while it is used and when it is too much."""

import fcntl
import json
import os
import time

import support
from packages import RELEASE, write_folder

ARCH = os.uname().machine
NEWER = RELEASE.replace("200", "201")


class CacheCase(support.TestCase):
    def setUp(self):
        super().setUp()
        self.cache = self.folder / "cache"
        self.path = self.cache / ARCH / f"kernel-{RELEASE}"

    def vm(self, command, *arguments):
        return support.run(
            "vmtest-vm", command, f"--directory={self.cache}", *arguments
        )


class LockTest(CacheCase):
    def lock(self, operation):
        write_folder(self.path)
        fd = os.open(self.path, os.O_RDONLY)
        self.addCleanup(os.close, fd)
        fcntl.flock(fd, operation)

    def test_one_that_is_being_deleted_is_not_run(self):
        self.lock(fcntl.LOCK_EX)
        result = self.vm("run", f"--kernel={self.path}", "true")
        self.assert_one_line(result, 125, str(self.path), "is deleting it")

    def test_one_in_use_is_not_pruned(self):
        self.lock(fcntl.LOCK_SH)
        write_folder(self.path.with_name(f"kernel-{NEWER}"))
        result = self.vm("prune")
        self.assert_status(result, 0)
        self.assertEqual(result.stdout, "")
        self.assertIn("is in use", result.stderr)
        self.assertTrue(self.path.exists())


class PruneTest(CacheCase):
    """Limits of all that is kept."""

    DAY = 86400

    def setUp(self):
        super().setUp()
        # In the order of their last use.
        self.entries = (
            "sources/linux-6.12.1",
            f"{ARCH}/kernel-{RELEASE}",
            f"{ARCH}/module/{RELEASE}/source/key",
            "toolchains/gcc",
        )
        for days, name in zip((40, 20, 10, 1), self.entries):
            folder = self.cache / name
            folder.mkdir(parents=True)
            (folder / "file").write_bytes(b"x" * (2 << 20))
            when = time.time() - days * self.DAY
            os.utime(folder, (when, when))

    def prune(self, *options, left):
        result = self.vm("prune", *options)
        self.assert_status(result, 0)
        there = [name for name in self.entries if (self.cache / name).exists()]
        self.assertEqual(there, list(self.entries[-left:] if left else ()))
        paths = result.stdout.splitlines()
        return [os.path.relpath(path, self.cache) for path in paths], result.stderr

    def test_by_age(self):
        gone, shown = self.prune("--older-than=2w", "--dry-run", left=4)
        self.assertEqual(gone, list(self.entries[:2]))
        self.assertRegex(shown, r"1 modules 2\.\d MB, 1 compilers 2\.\d MB, 4\.\d MB in all")
        rows = json.loads(self.vm("prune", "--older-than=2w", "--dry-run", "--json").stdout)
        self.assertEqual(rows, [{"path": str(self.cache / name)} for name in gone])
        gone, _ = self.prune("--older-than=2w", left=2)
        self.assertEqual(gone, list(self.entries[:2]))

    def test_by_size(self):
        gone, _ = self.prune("--cache-size=7M", left=3)
        self.assertEqual(gone, list(self.entries[:1]))
        gone, shown = self.prune("--cache-size=0M", left=0)
        self.assertEqual(gone, list(self.entries[1:]))
        self.assertIn(": 0.0 MB in all", shown)

    def test_use_is_noted(self):
        kernel = self.cache / ARCH / f"kernel-{RELEASE}"
        write_folder(kernel)
        when = time.time() - 40 * self.DAY
        os.utime(kernel, (when, when))
        # It is found, and then is no kernel.
        self.vm("run", f"--kernel={RELEASE}", "--accel=tcg", "true")
        gone, _ = self.prune("--older-than=30d", left=3)
        self.assertEqual(gone, ["sources/linux-6.12.1"])

    def test_superseded_kernels_only_where_asked_for(self):
        newer = self.cache / ARCH / f"kernel-{NEWER}"
        newer.mkdir()
        gone, _ = self.prune("--older-than=30d", "--dry-run", left=4)
        self.assertEqual(gone, list(self.entries[:1]))
        gone, _ = self.prune("--older-than=30d", "--keep=1", "--dry-run", left=4)
        self.assertEqual(set(gone), set(self.entries[:2]))
        gone, shown = self.prune("--dry-run", left=4)
        self.assertEqual(gone, [self.entries[1]])
        self.assertIn("1 sources", shown)
        gone, _ = self.prune("--keep=0", "--dry-run", left=4)
        self.assertEqual(gone, [f"{ARCH}/kernel-{NEWER}", self.entries[1]])

    def test_wrong_usage(self):
        for option in ("--cache-size=20", "--cache-size=G", "--older-than=30",
                       "--older-than=3y", "--cache-size=99999999T"):
            name, _, value = option.partition("=")
            self.assert_one_line(self.vm("prune", option), 2, f"{name} {value}")
        result = self.vm("prune", "--cache-size=1G", "--kernel=6.12")
        self.assert_one_line(result, 2, "--kernel")
