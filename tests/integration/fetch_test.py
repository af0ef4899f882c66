# SPDX-License-Identifier: LGPL-2.1-or-later
"""vmtest-kbuild fetch: a tarball of kernel.org as a file, whole or not at all."""

import hashlib
import os

import support
from support import environment, mirror, run

from built_kernel import write_source

VERSION = "6.12.117"
CANDIDATE = "7.3-rc2"


class FetchTest(support.TestCase):
    def setUp(self):
        super().setUp()
        self.data, sources = {}, []
        for version, suffix in ((VERSION, "xz"), (CANDIDATE, "gz")):
            path = self.folder / f"source-{version}.tar.{suffix}"
            write_source(path, version, os.urandom(1 << 20))
            self.data[version] = path.read_bytes()
            sources.append(f"--source={version}={path}")
        self.kernel_org = self.start("kernel_org.py", *sources)
        self.file = self.folder / "sources" / "linux.tar"

    def fetch(self, version=VERSION):
        return self.run_fetch(version, "-o", self.file)

    def run_fetch(self, *arguments):
        env = environment(VMTEST_RETRY_SECONDS=10, **mirror(self.kernel_org))
        return run("vmtest-kbuild fetch", *arguments, env=env)

    def tarball_requests(self):
        requests = self.kernel_org.requests()
        return [r for r in requests if r["path"].endswith((".tar.xz", ".tar.gz"))]

    def assert_whole(self, version=VERSION):
        data = self.data[version]
        self.assertEqual(self.file.read_bytes(), data)
        digest = hashlib.sha256(data).hexdigest()
        sidecar = self.file.with_name(self.file.name + ".sha256")
        self.assertEqual(sidecar.read_text(), f"{digest}  {self.file.name}\n")
        proof = self.file.with_name(self.file.name + ".sign")
        files = [self.file, sidecar, proof]
        self.assertEqual(sorted(self.file.parent.iterdir()), files)

    def test_comes_whole_and_then_without_the_network(self):
        result = self.fetch()
        self.assert_status(result, 0)
        self.assertEqual(result.stdout, f"{self.file}\n")
        self.assert_whole()
        before = len(self.kernel_org.requests())
        self.assert_status(self.fetch(), 0)
        self.assert_whole()
        self.assertEqual(len(self.kernel_org.requests()), before)

    def test_a_file_without_its_sidecars_is_proven_and_not_downloaded_again(self):
        self.assert_status(self.fetch(), 0)
        for suffix in (".sha256", ".sign"):
            self.file.with_name(self.file.name + suffix).unlink()
            self.assert_status(self.fetch(), 0)
            self.assert_whole()
        self.assertEqual(len(self.tarball_requests()), 1)

    def test_a_damaged_file_is_replaced(self):
        self.assert_status(self.fetch(), 0)
        self.file.write_bytes(self.data[VERSION][:-1])
        # Nor does what a run that was killed has left stay.
        for name in (f".{self.file.name}.partial", f"{self.file.name}.sha256"):
            (self.file.parent / name).write_text("half")
        (self.file.parent / ".proof.killed").mkdir()
        self.assert_status(self.fetch(), 0)
        self.assert_whole()

    def test_a_release_candidate_is_what_its_tag_is_of(self):
        self.assert_status(self.fetch(CANDIDATE), 0)
        self.assert_whole(CANDIDATE)
        before = len(self.kernel_org.requests())
        self.assert_status(self.fetch(CANDIDATE), 0)
        self.assertEqual(len(self.kernel_org.requests()), before)

    def test_a_broken_connection_is_taken_up_again(self):
        cut = {"kind": "cut_response", "path": "tar.xz$"}
        cuts = [{**cut, "percent": percent} for percent in (10, 50, 99)]
        self.kernel_org.control(faults=cuts)
        self.assert_status(self.fetch(), 0)
        self.assert_whole()

    def test_what_is_not_there_as_published_leaves_nothing(self):
        for kind in ("corrupt", "truncated"):
            with self.subTest(kind=kind):
                fault = {"kind": kind, "path": "tar.xz", "count": -1}
                self.kernel_org.control(faults=[fault])
                self.assert_one_line(self.fetch(), 1, f"fetch Linux {VERSION}: ")
                self.assertEqual(list(self.file.parent.iterdir()), [])
        self.assert_one_line(self.fetch("6.12.118"), 75, "6.12.118", "yet")
        self.assertEqual(list(self.file.parent.iterdir()), [])

    def test_wrong_usage(self):
        for arguments in (
            *([], [VERSION], ["no-version", "-o", self.file]),
            *([VERSION, VERSION, "-o", self.file], [VERSION, "-o", self.folder]),
            [VERSION, "-o", f"{self.folder}/"],
        ):
            with self.subTest(arguments=arguments):
                self.assert_one_line(self.run_fetch(*arguments), 2)
        self.assertEqual(self.kernel_org.requests(), [])
