# SPDX-License-Identifier: LGPL-2.1-or-later
"""
The bot where there are 37 series, six architectures, three flavors, and as many
assets as GitHub takes: how often it asks GitHub, and how much memory it takes, and
what becomes of a release that is full. tests/bench/plan has the time.
"""

import json
import os
import re
import shutil
import sys
import unittest
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
# As many jobs as GitHub runs at once for a free account, and as a matrix can have.
LANES = 20
MATRIX = 256


class ScaleCase(support.TestCase):
    @classmethod
    def setUpClass(cls):
        scale = FullScale(support.class_directory(cls), assets=0)
        cls.kernel_org = support.StandIn("kernel_org.py", "--tags", scale.tags)
        cls.addClassCleanup(cls.kernel_org.stop)
        cls.kernel_org.control(**scale.offer)

    def start_with(self, assets, **options):
        """A release with so many assets, and kernel.org."""
        self.scale = FullScale(self.folder / f"scale-{assets}", assets=assets, **options)
        self.github = self.start("github.py", "--folder", self.scale.github)
        self.output = self.folder / "output"
        # Memory that was freed is not to be kept.
        values = {"ASAN_OPTIONS": "quarantine_size_mb=1", "GITHUB_OUTPUT": self.output}
        values |= {"VMTEST_RETRY_SECONDS": 1, **mirror(self.kernel_org)}
        self.environment = github_environment(self.github, **values)

    def bot(self, command, *arguments, status=0):
        result = Measured(
            *(f"vmtest-bot {command}", *arguments, f"--catalog={self.scale.catalog}"),
            *(f"--store={self.scale.store}",
              *support.work_options(command, self.folder / "work")),
            env=self.environment,
        )
        self.assert_status(result, status)
        self.assertLess(result.peak_bytes, PEAK_BYTES)
        return result

    def package(self, number):
        release = f"6.{number}.1-vmtest1.0tiny"
        path = self.folder / "packages" / package_name(release)
        return write_package(path, package_entries(release, 1 << 10))

    def names(self):
        return StoredRelease(self.scale.github, "kernels").names()


class FullReleaseTest(ScaleCase):
    """A release with as many assets as GitHub takes, or nearly so."""

    def test_superseded_assets_make_room(self):
        self.start_with(assets=1000, missing=5)
        before = self.names()
        package = self.package(99)
        result = self.bot("publish", package, status=1)
        self.assert_one_line(result, 1, package.name, "holds 1000 assets", "prune it")
        self.assertEqual(self.names(), before)

        for command in ("plan", "run --dry-run"):
            result = self.bot(command)
            self.assertIn("5 superseded assets have to go first", result.stderr)
            self.assertEqual(self.names(), before)
        # There are no sources here, so all five are skipped; but they had room,
        # and what a run looks for before it begins.
        self.environment["VMTEST_QEMU"] = "/bin/true"
        for arch in support.CATALOG["architectures"]:
            (self.folder / "work" / arch / "rootfs-boot").mkdir(parents=True)
        result = self.bot("run")
        self.assertEqual(result.stdout.count("skipped"), 5)
        pruned = re.findall(r"pruned (\S+)", result.stderr)
        self.assertEqual(pruned, self.scale.names[:5])
        self.assertEqual(self.names(), sorted(set(before) - set(pruned)))

    def test_a_run_of_many_jobs_makes_room_first(self):
        self.start_with(assets=1000, missing=5)
        before = self.names()
        plan = self.folder / "plan.json"
        self.bot("plan", "-o", plan)
        result = self.bot("prepare", f"--plan={plan}")
        pruned = re.findall(r"pruned (\S+)", result.stderr)
        self.assertEqual(pruned, self.scale.names[:5])
        self.assertEqual(self.names(), sorted(set(before) - set(pruned)))

    def test_what_does_not_fit_is_not_begun(self):
        self.start_with(assets=1000, missing=20, superseded=False)
        before = self.names()
        asked = len(self.kernel_org.requests())
        words = ("20 more kernels do not fit", "1000 assets of at most 1000", "only 0 of them")
        for command, status in (
            *(("plan", 0), ("run --dry-run", 0)),
            *(("plan --github-output", 1), ("run", 1)),
        ):
            with self.subTest(command):
                result = self.bot(command, status=status)
                for word in words:
                    self.assertIn(word, result.stderr)
        self.assertEqual(self.output.read_text(), "")
        self.assertEqual(self.names(), before)
        # What there is was asked for, and no source of it.
        paths = {r["path"] for r in self.kernel_org.requests()[asked:]}
        self.assertIn("/releases.json", paths)
        self.assertFalse([p for p in paths if p.startswith("/pub/linux")], paths)

    def test_more_than_a_matrix_holds(self):
        self.start_with(assets=366, missing=300)
        result = self.bot("plan --github-output")
        self.assertIn("44 more kernels are left for the next time", result.stderr)
        self.assert_whole_matrix()

    def assert_whole_matrix(self):
        lines = self.output.read_text().splitlines()
        values = dict(line.split("=", 1) for line in lines if "=" in line)
        matrix = json.loads(values["matrix"])["include"]
        self.assertEqual(len({(m["release"], m["arch"]) for m in matrix}), MATRIX)

    def test_a_change_of_more_than_a_matrix_holds(self):
        """However large the budget is."""
        self.start_with(assets=0)
        changed = self.folder / "configs"
        shutil.copytree(support.TOP / "configs", changed)
        with (changed / "base.config").open("a") as file:
            file.write("CONFIG_ZRAM=m\n")
        words = (f"--catalog={changed}/vmtest.json", "--limit=500",
                 f"--changed-from={support.TOP}/configs/vmtest.json")
        support.succeed("vmtest-bot plan --github-output", *words, env=self.environment)
        self.assert_whole_matrix()


class RequestsTest(ScaleCase):
    def count_requests(self, command, *arguments):
        before = len(self.github.requests())
        self.bot(command, *arguments)
        return len(self.github.requests()) - before

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

    def test_what_may_be_created_in_a_while_is_waited_for(self):
        self.start_with(SIZES[0])
        self.github.control(creation_limits=[[2, 20]])
        self.environment["VMTEST_RETRY_SECONDS"] = "300"
        packages = [self.package(100 + number) for number in range(5)]
        with ThreadPoolExecutor(len(packages)) as pool:
            list(pool.map(lambda p: self.bot("publish --no-page", p), packages))
        wanted = sorted([*self.scale.names, *(package.name for package in packages)])
        self.assertEqual(self.names(), wanted)
        posts = [r["status"] for r in self.github.requests(method="POST")]
        self.assertEqual(posts.count(201), len(packages))
        self.assertIn(403, posts)

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


@unittest.skipUnless(os.environ.get("VMTEST_TEST_STRESS"), "tests/run --stress")
class LanesTest(ScaleCase):
    """A whole matrix of jobs, for a release that is not there, on a bad day."""

    # What befalls uploads; each comes several times, spread over the run.
    FAULTS = (
        {"kind": "status", "status": 502},
        {"kind": "lost_answer"},
        {"kind": "starter"},
        {"kind": "cut_request"},
        {"kind": "close"},
        {"kind": "status", "status": 403, "headers": {"Retry-After": "2"},
         "body": '{"message": "You have exceeded a secondary rate limit."}'},
    )

    def publish(self, package):
        where = (f"--catalog={self.scale.catalog}", f"--store={self.scale.store}")
        words = ("vmtest-bot publish --no-page", package, *where)
        self.assert_status(support.run(*words, env=self.environment, timeout=600), 0)

    def test_nothing_is_lost_twice_or_half(self):
        self.start_with(0)
        self.environment["VMTEST_RETRY_SECONDS"] = "120"
        # Without the release that start_with() has made.
        folder = self.folder / "github"
        self.github = self.start("github.py", "--folder", folder)
        self.environment |= github_environment(self.github)
        every = {"endpoint": "uploads", "method": "POST"}
        faults = [
            {**every, **fault, "skip": 3 + 12 * number}
            for number, fault in enumerate(self.FAULTS * 3)
        ]
        # Reads, too.
        faults += [
            {"kind": "status", "status": 502, "method": "GET", "skip": 40 * number}
            for number in range(1, 6)
        ]
        self.github.control(
            rate_limits={"token": BUDGET}, creation_seconds=0.5, unseen_seconds=2,
            faults=faults,
        )
        packages = [self.package(100 + number) for number in range(MATRIX)]
        with ThreadPoolExecutor(LANES) as pool:
            list(pool.map(self.publish, packages))
        fired = [fault["fired"] for fault in self.github.control()["faults"]]
        self.assertEqual(fired, [1] * len(faults))
        release = StoredRelease(folder, "kernels")
        self.assertEqual(release.count, 1)
        self.assertEqual(release.names(), sorted(p.name for p in packages))
        self.assertEqual(release.names("starter"), [])
        assets = {asset["name"]: asset for asset in release.assets}
        for package in packages:
            self.assertTrue(release.is_whole(assets[package.name], package))
        asked = len(self.github.requests())
        print(f"{MATRIX} packages by {LANES} lanes: {asked} requests", file=sys.stderr)
        self.assertLessEqual(asked, BUDGET)
