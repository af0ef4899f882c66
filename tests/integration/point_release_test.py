# SPDX-License-Identifier: LGPL-2.1-or-later
"""
Two real point releases of one series, one after the other: each is built once,
from source, and reaches two stores, one of which loses its connection.

Two kernels are built, some ten minutes each, so this runs only with
`tests/run --builds`.
"""

import hashlib
import os
import re
import shutil
import subprocess
import unittest

import support
from support import CACHE, github_environment, mirror, run

SERIES = "6.12"
SELECTION = (f"--kernel={SERIES}", "--arch=host", "--flavor=tiny")
PACKAGE = f"linux-source-{SERIES}"


def source_packages():
    """The two newest versions of Debian's source package, as files, by version."""
    output = subprocess.check_output(["apt-cache", "madison", PACKAGE], text=True)
    found = {}
    for debian in re.findall(r"\| (\S+) \|", output):
        found.setdefault(re.match(r"[0-9.]+", debian)[0], debian)
    if len(found) < 2:
        raise unittest.SkipTest(f"{PACKAGE}: two point releases are needed")
    newest = sorted(found, key=lambda text: [*map(int, text.split("."))])[-2:]
    folder = CACHE / "sources"
    folder.mkdir(parents=True, exist_ok=True)
    files = {}
    for version in newest:
        name = f"{PACKAGE}_{found[version]}_all.deb"
        if not (folder / name).exists():
            command = ["apt-get", "download", "-q", f"{PACKAGE}={found[version]}"]
            subprocess.run(command, cwd=folder, check=True)
        files[version] = folder / name
    return files


@unittest.skipUnless(os.environ.get("VMTEST_TEST_BUILDS"), "tests/run --builds")
class PointReleaseTest(support.TestCase):
    def setUp(self):
        super().setUp()
        sources = source_packages()
        self.older, self.newer = sources
        debs = [f"--deb={file}" for file in sources.values()]
        self.kernel_org = self.start("kernel_org.py", *debs)
        self.github = self.start("github.py", "--folder", self.folder / "github")
        self.stores = {
            "github": "github:octo/kernels@kernels",
            "directory": f"dir:{self.folder / 'store'}",
        }

        self.env = github_environment(self.github, **mirror(self.kernel_org))

    def words(self, command, store, *more):
        directory = support.work_options(command, self.folder / f"work-{store}")
        return (f"vmtest-bot {command} --store={self.stores[store]}", *directory, *more)

    def run_bot(self, *words):
        result = run(*self.words(*words), env=self.env, timeout=3600)
        self.assert_status(result, 0)
        return result.stderr

    @staticmethod
    def built(log):
        """Versions that a run built, from what it said."""
        return re.findall(r"build ([0-9.]+)-\S+: .* s$", log, re.M)

    def assert_published(self, store, *versions):
        rows = support.assets(self.stores[store], env=self.env)
        names = [f"kernel-{v}-vmtest1.0tiny.x86_64.tar.zst" for v in versions]
        self.assertEqual([row["name"] for row in rows], sorted(names))

    def build_and_be_killed(self, whole):
        """Run until one more package is on its way to GitHub, then die."""
        slow = {"kind": "slow", "endpoint": "uploads", "bytes_per_second": 4000000}
        self.github.control(faults=[slow])
        log = self.folder / "killed.log"
        with open(log, "wb") as file:
            words = self.words("run", "github", *SELECTION)
            process = self.popen(*words, env=self.env, stdout=file, stderr=file)

        def under_way():
            """Whether some of one more package than these has arrived."""
            self.assertIsNone(process.poll(), log.read_text())
            files = list(self.folder.glob("github/octo/kernels/assets/*"))
            large = [path.stat().st_size > 1000000 for path in files]
            return len(files) > whole and all(large)

        self.wait_until(under_way, 3600)
        process.kill()
        process.wait()
        self.github.control(faults=[])
        # What it built is there for whichever store is next.
        shutil.copytree(
            self.folder / "work-github/packages",
            self.folder / "work-directory/packages",
            dirs_exist_ok=True,
        )
        return self.built(log.read_text())

    def test_each_is_built_once_and_published_whole(self):
        offered = []
        for version in (self.older, self.newer):
            self.kernel_org.control(offer=[*offered, version])
            self.assertEqual(self.build_and_be_killed(len(offered)), [version])
            self.assert_published("github", *offered)
            offered.append(version)
            for store in self.stores:
                said = self.run_bot("run", store, *SELECTION)
                self.assertEqual(self.built(said), [])
                self.assert_published(store, *offered)

        before = len(self.github.requests(endpoint="api"))
        said = self.run_bot("run", "github", *SELECTION)
        self.assertIn("nothing to build", said)
        self.assertLessEqual(len(self.github.requests(endpoint="api")) - before, 2)

        self.assert_same_bytes()
        for store in self.stores:
            self.run_bot("prune", store, "--keep=1", "--keep-days=0")
            self.assert_published(store, self.newer)

    def assert_same_bytes(self):
        """Both stores, and the tests' own kernel, which was built elsewhere."""
        digests = {}
        for store, name in self.stores.items():
            for row in support.assets(name, env=self.env):
                digests.setdefault(row["name"], set()).add(row["digest"])
        package = support.package()
        if package.name in digests:
            digest = hashlib.sha256(package.read_bytes()).hexdigest()
            digests[package.name].add(digest)
        self.assertEqual([len(found) for found in digests.values()], [1, 1])
        left = list(self.folder.glob("work-*/packages/*"))
        self.assertEqual(left, [])
