#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Fixes of upstream's, fetched from a stand-in for kernel.org."""

import io
import json
import re
import shutil
import subprocess
import tarfile
import unittest

import support
from support import TOP, environment, mirror, run

VERSION = "6.12.117"
MAKEFILE = (
    "VERSION = 6\nPATCHLEVEL = 12\nSUBLEVEL = 117\nEXTRAVERSION =\nNAME = Test\n"
    "$(error this source cannot be built)\n"
)
CODE = "".join(f"line {number}\n" for number in range(40))
FIXED = CODE.replace("line 20\n", "line twenty\n")


class FixTest(support.TestCase):
    def setUp(self):
        super().setUp()
        self.repository = self.folder / "upstream"
        self.repository.mkdir()
        self.patches = self.folder / "patches"
        self.patches.mkdir()
        self.git("init", "-q")
        self.commit(CODE, "start")
        self.fix = self.commit(FIXED, "fix: twenty\n\nIt was wrong.")
        self.git(
            *("format-patch", "-1", "-q", "--no-stat", "-o", self.folder / "out")
        )
        (written,) = (self.folder / "out").iterdir()
        shutil.move(written, self.patches / f"{self.fix}.patch")
        self.configs = self.folder / "configs"
        (self.configs / "patches").mkdir(parents=True)
        for path in (TOP / "configs").iterdir():
            if path.is_file():
                shutil.copy(path, self.configs)

    def git(self, *arguments):
        command = ["git", "-c", "user.name=A", "-c", "user.email=a@example.org"]
        result = subprocess.run(
            [*command, *map(str, arguments)],
            cwd=self.repository,
            check=True,
            stdout=subprocess.PIPE,
            text=True,
        )
        return result.stdout.strip()

    def commit(self, code, message):
        (self.repository / "code.c").write_text(code)
        self.git("add", ".")
        self.git("commit", "-q", "-m", message)
        return self.git("rev-parse", "HEAD")

    def offer(self, code):
        """kernel.org has a version of this code, and the fix."""
        tarball = self.folder / "linux.tar.xz"
        with tarfile.open(tarball, "w:xz") as archive:
            for name, text in {
                "Makefile": MAKEFILE,
                "Kconfig": "",
                "code.c": code,
            }.items():
                member = tarfile.TarInfo(f"linux-{VERSION}/{name}")
                member.size = len(text)
                archive.addfile(member, io.BytesIO(text.encode()))
        self.kernel_org = self.start(
            "kernel_org.py",
            f"--source={VERSION}={tarball}",
            f"--patches={self.patches}",
        )

    def entry(self, digest, **more):
        entry = {
            "commit": self.fix,
            "for": ">=5.10 <6.13",
            "reason": "a test",
            "sha256": digest,
            **more,
        }
        path = self.configs / "patches/0002-twenty.json"
        path.write_text(json.dumps(entry))

    def build(self):
        return run(
            *("vmtest-kbuild", "build", f"--version={VERSION}"),
            f"--catalog={self.configs / 'vmtest.json'}",
            f"--directory={self.folder / 'cache'}",
            f"--output={self.folder / 'packages'}",
            env=environment(**mirror(self.kernel_org)),
        )

    def code(self):
        (path,) = (self.folder / "cache/sources").glob("linux-*/code.c")
        return path.read_text()

    def pin(self):
        """Let the refusal of a digest say which one it is."""
        self.entry("0" * 64)
        result = self.build()
        self.assert_one_line(result, 1, "0002-twenty.json", self.fix)
        digest = re.search(r"have the digest ([0-9a-f]{64})", result.stderr)[1]
        self.assertFalse((self.folder / "cache/patches").exists())
        self.entry(digest)

    def test_is_fetched_checked_and_applied(self):
        self.offer(CODE)
        self.pin()
        self.assertIn("cannot be built", self.build().stderr)
        self.assertEqual(self.code(), FIXED)

    def test_that_the_source_has_already_is_skipped(self):
        self.offer(FIXED)
        self.pin()
        result = self.build()
        self.assertIn(
            "patch 0002-twenty.json: the source has it already, skipped",
            result.stderr,
        )
        self.assertEqual(self.code(), FIXED)

    def test_that_fails_stops_the_build(self):
        self.offer(CODE.replace("line 19\n", "line nineteen\n"))
        self.pin()
        self.assert_one_line(
            self.build(), 1, "0002-twenty.json", "code.c: hunk @@ -18,7 +18,7 @@"
        )

    def test_for_other_kernels_is_not_fetched(self):
        self.offer(CODE)
        self.entry("0" * 64, **{"for": "<6.12"})
        self.assertIn("cannot be built", self.build().stderr)
        self.assertEqual(self.code(), CODE)
        fetched = [r for r in self.kernel_org.requests() if "/patch/" in r["path"]]
        self.assertEqual(fetched, [])

    def test_that_upstream_does_not_have_is_an_error(self):
        self.offer(CODE)
        self.entry("0" * 64, commit="0" * 40)
        self.assert_one_line(self.build(), 1, "0002-twenty.json", "404")


if __name__ == "__main__":
    unittest.main()
