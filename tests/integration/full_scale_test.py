# SPDX-License-Identifier: LGPL-2.1-or-later
"""
The bot where there are 37 series, six architectures, three flavors, and up to 950
assets: how often it asks GitHub, and how much memory it takes. tests/bench/plan
has the time.
"""

from concurrent.futures import ThreadPoolExecutor

import support
from support import Measured, github_environment, mirror

from full_scale import FullScale
from github_store import StoredRelease
from packages import package_entries, package_name, write_package

# GitHub's answers are 2 MB; a sanitizer takes several times as much.
PEAK_BYTES = (32 << 20) * (4 if support.is_sanitized() else 1)
SIZES = (10, 666, 950)
# What an announcement of kernel.org's makes: nine series, nearly all of 18 kinds.
ANNOUNCED = 117
# An hour, of the token that a workflow has.
BUDGET = 1000
WORKERS = 8


class FullScaleTest(support.TestCase):
    def start_with(self, assets):
        """A release with so many assets, and kernel.org."""
        folder = self.folder / f"scale-{assets}"
        self.scale = FullScale(folder, assets=assets)
        self.github = self.start("github.py", "--folder", self.scale.github)
        kernel_org = self.start("kernel_org.py", "--tags", self.scale.tags)
        kernel_org.control(**self.scale.offer)
        # Memory that was freed is not to be kept.
        values = {"ASAN_OPTIONS": "quarantine_size_mb=1", **mirror(kernel_org)}
        self.environment = github_environment(self.github, **values)

    def bot(self, command, *arguments):
        result = Measured(
            *(f"vmtest-bot {command}", *arguments, f"--catalog={self.scale.catalog}"),
            *(f"--store={self.scale.store}", f"--directory={self.folder / 'work'}"),
            env=self.environment,
        )
        self.assert_status(result, 0)
        self.assertLess(result.peak_bytes, PEAK_BYTES)

    def count_requests(self, command, *arguments):
        before = len(self.github.requests())
        self.bot(command, *arguments)
        return len(self.github.requests()) - before

    def package(self, number):
        release = f"6.{number}.1-vmtest1.0tiny"
        path = self.folder / "packages" / package_name(release)
        write_package(path, package_entries(release, 1 << 10))
        return path

    def test_requests_do_not_grow_with_the_release(self):
        package = self.package(99)
        for assets in SIZES:
            with self.subTest(assets=assets):
                self.start_with(assets)
                self.assertEqual(self.count_requests("plan"), 1)
                self.assertEqual(self.count_requests("status"), 1)
                for requests in (2, 1):
                    asked = self.count_requests("publish --no-page", package)
                    self.assertEqual(asked, requests)

    def test_an_announcement_fits_into_an_hour(self):
        """A job for each kernel, and none of them waits for the limit."""
        self.start_with(SIZES[-1] - ANNOUNCED)
        self.github.control(rate_limits={"token": BUDGET})
        # Whoever would have to wait fails instead.
        self.environment["VMTEST_RETRY_SECONDS"] = "20"
        packages = [self.package(100 + number) for number in range(ANNOUNCED)]
        with ThreadPoolExecutor(WORKERS) as pool:
            list(pool.map(lambda p: self.bot("publish --no-page", p), packages))
        release = StoredRelease(self.scale.github, "kernels")
        wanted = sorted([*self.scale.names, *(package.name for package in packages)])
        self.assertEqual(release.names(), wanted)
        self.assertEqual(release.names("starter"), [])
        assets = {asset["name"]: asset for asset in release.assets}
        for package in packages:
            whole = release.is_whole(assets[package.name], package)
            self.assertTrue(whole, package.name)
        self.assertLessEqual(len(self.github.requests()), BUDGET)
