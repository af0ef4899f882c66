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
import signal
import subprocess
import time
import unittest

import support
from support import BIN, CACHE, environment, mirror, run

SERIES = "6.12"
SELECTION = (f"--kernel={SERIES}", "--arch=host", "--flavor=tiny")
PACKAGE = f"linux-source-{SERIES}"


def source_packages():
    """The two newest versions of Debian's source package, as files, by version."""
    output = subprocess.run(
        ["apt-cache", "madison", PACKAGE],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    ).stdout
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
            subprocess.run(
                ["apt-get", "download", "-q", f"{PACKAGE}={found[version]}"],
                cwd=folder,
                check=True,
            )
        files[version] = folder / name
    return files


@unittest.skipUnless(
    os.environ.get("VMTEST_TEST_BUILDS"), "tests/run --builds builds two kernels"
)
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

    def environment(self):
        return environment(
            GITHUB_API_URL=self.github.urls["GITHUB_API_URL"],
            GITHUB_TOKEN="write-token",
            **mirror(self.kernel_org),
        )

    def arguments(self, command, store, *more):
        return [
            command,
            f"--store={self.stores[store]}",
            f"--directory={self.folder / f'work-{store}'}",
            *more,
        ]

    def run_bot(self, store):
        return run(
            "vmtest-bot",
            *self.arguments("run", store, *SELECTION),
            env=self.environment(),
            timeout=3600,
        )

    @staticmethod
    def built(log):
        """Versions that a run built, from what it said."""
        return re.findall(r"build ([0-9.]+)-\S+: .* s$", log, re.M)

    def published(self, store):
        rows = support.assets(self.stores[store], env=self.environment())
        return [row["name"] for row in rows]

    def names(self, *versions):
        return sorted(
            f"kernel-{version}-vmtest1.0tiny.x86_64.tar.zst" for version in versions
        )

    def build_and_be_killed(self):
        """Run until the package is on its way to GitHub, then die."""
        self.github.control(
            faults=[{"kind": "slow", "endpoint": "uploads", "bytes_per_second": 4000000}]
        )
        log = self.folder / "killed.log"
        with open(log, "wb") as file:
            process = subprocess.Popen(
                [
                    BIN / "vmtest-bot",
                    *self.arguments("run", "github", *SELECTION),
                ],
                env=self.environment(),
                stdout=file,
                stderr=file,
            )
        whole = len(self.published("github"))
        deadline = time.monotonic() + 3600
        while not self.under_way(whole):
            self.assertIsNone(process.poll(), log.read_text())
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.5)
        process.send_signal(signal.SIGKILL)
        process.wait()
        self.github.control(faults=[])
        # What it built is there for whichever store is next.
        shutil.copytree(
            self.folder / "work-github/packages",
            self.folder / "work-directory/packages",
            dirs_exist_ok=True,
        )
        return self.built(log.read_text())

    def under_way(self, whole):
        """Whether some of one more package than these has arrived."""
        folder = self.folder / "github/octo/kernels"
        files = list(folder.glob("assets/*"))
        return len(files) > whole and all(
            path.stat().st_size > 1000000 for path in files
        )

    def test_each_is_built_once_and_published_whole(self):
        offered = []
        for version in (self.older, self.newer):
            self.kernel_org.control(offer=[*offered, version])
            self.assertEqual(self.build_and_be_killed(), [version])
            self.assertEqual(self.published("github"), self.names(*offered))
            offered.append(version)
            for store in self.stores:
                result = self.run_bot(store)
                self.assert_status(result, 0)
                self.assertEqual(self.built(result.stderr), [])
                self.assertEqual(self.published(store), self.names(*offered))

        before = len(self.github.requests(endpoint="api"))
        result = self.run_bot("github")
        self.assert_status(result, 0)
        self.assertIn("nothing to build", result.stderr)
        requests = len(self.github.requests(endpoint="api")) - before
        self.assertLessEqual(requests, 2)

        self.assert_same_bytes()
        for store in self.stores:
            result = run(
                "vmtest-bot",
                *self.arguments("prune", store, "--keep=1"),
                env=self.environment(),
            )
            self.assert_status(result, 0)
            self.assertEqual(self.published(store), self.names(self.newer))

    def assert_same_bytes(self):
        """Both stores, and the tests' own kernel, which was built elsewhere."""
        digests = {}
        for store, name in self.stores.items():
            for row in support.assets(name, env=self.environment()):
                digests.setdefault(row["name"], set()).add(row["digest"])
        package = support.package()
        if package.name in digests:
            digest = hashlib.sha256(package.read_bytes()).hexdigest()
            digests[package.name].add(digest)
        self.assertEqual([len(found) for found in digests.values()], [1, 1])
        left = list(self.folder.glob("work-*/packages/*"))
        self.assertEqual(left, [])
