# SPDX-License-Identifier: LGPL-2.1-or-later
"""
What can go wrong while packages are published to GitHub, and what the release
holds afterwards: nothing is lost, nothing is there twice, nothing is half.

VMTEST_SEED, which is printed, chooses the moments at which bots are killed.
"""

import json
import os
import random
import subprocess
import sys
import time

import support
from support import github_environment, mirror

from github_store import Repository, StoredRelease
from packages import package_entries, package_name, write_package

SEED = int(os.environ.get("VMTEST_SEED", time.time_ns() % (1 << 32)))
KILLS = 50
TINY = ("--latest-stable", "--flavor=tiny", "--arch=host")
# Uploads of a release and its API, in the stand-in's words.
UPLOADS = {"endpoint": "uploads"}
API = {"endpoint": "api"}
MANY = {"token": 100000, "window_seconds": 3600}


class TestCase(support.TestCase):
    """One GitHub; each fault has a release, and so a tag, of its own."""

    # How patient a bot is: with servers that fail, with transfers that stall.
    retry_seconds = 10
    stall_seconds = 1

    @classmethod
    def setUpClass(cls):
        folder = support.class_directory(cls)
        names = ("github", "packages", "exchanges")
        cls.releases, cls.packages, cls.exchanges = [folder / name for name in names]
        options = ("--folder", cls.releases, "--exchanges", cls.exchanges)
        cls.github = support.StandIn("github.py", *options)
        cls.addClassCleanup(cls.github.stop)

    def setUp(self):
        super().setUp()
        self.use(self.github)
        self.new_release("fault")
        self.github.control(rate_limits=MANY)
        self.addCleanup(self.set_faults)

    def use(self, server):
        self.env = github_environment(
            server,
            VMTEST_RETRY_SECONDS=self.retry_seconds,
            VMTEST_STALL_SECONDS=self.stall_seconds,
        )

    _releases_made = 0

    def new_release(self, what):
        TestCase._releases_made += 1
        self.tag = f"{what}-{TestCase._releases_made}"

    @property
    def store(self):
        return f"github:octo/kernels@{self.tag}"

    def set_faults(self, *faults):
        self.github.control(faults=[*faults])

    def slow_down(self, bytes_per_second):
        """Most moments are in an upload, as with packages of 80 MB."""
        slow = {"kind": "slow", "direction": "request", "count": -1}
        self.set_faults({**UPLOADS, **slow, "bytes_per_second": bytes_per_second})

    def package(self, number, size=1 << 15):
        """A small one, of a series of its own."""
        return self.package_of(f"6.{number}.1-vmtest1.0tiny", size)

    def package_of(self, release, size=1 << 15):
        path = self.packages / package_name(release)
        if not path.exists():
            write_package(path, package_entries(release, size))
        return path

    def start_bot(self, command, *arguments, directory="work"):
        directory = support.work_options(command, self.folder / directory)
        options = (f"--store={self.store}", *directory)
        return self.popen(f"vmtest-bot {command}", *arguments, *options, env=self.env)

    def bot(self, command, *arguments):
        return self.end(self.start_bot(command, *arguments))

    def publish(self, *packages):
        """As it is to go: without an error."""
        result = self.bot("publish", *packages)
        self.assert_status(result, 0)
        self.assertNotIn("error", result.stderr)

    def stored(self):
        return StoredRelease(self.releases, self.tag)

    def assert_consistent(self, packages):
        """Nothing is there twice, and what is there is whole."""
        stored = self.stored()
        originals = {path.name: path for path in packages}
        names = [asset["name"] for asset in stored.assets]
        self.assertEqual(len(names), len(set(names)), names)
        for asset in stored.assets:
            if asset["state"] == "uploaded":
                whole = stored.is_whole(asset, originals[asset["name"]])
                self.assertTrue(whole, asset["name"])
        return stored

    def assert_release(self, *packages):
        """One whole asset for each package, a page that names it, no more."""
        stored = self.assert_consistent(packages)
        self.assertEqual(stored.count, 1)
        self.assertEqual(stored.names("starter"), [])
        self.assertEqual(stored.names(), sorted(p.name for p in packages))
        for package in packages:
            version = package.name.split("-")[1]
            self.assertIn(f"| [{version}](<", stored.body)
        # Whoever comes next sees the same.
        rows = json.loads(self.bot("status", "--json").stdout)
        self.assertEqual([r["name"] for r in rows], stored.names())

    def uploads(self):
        """How often an upload was begun."""
        return len(self.github.requests(**UPLOADS, method="POST"))


class UploadTest(TestCase):
    def test_a_fault_that_passes(self):
        package = self.package(1)
        cuts = [{"kind": "cut_request", "percent": n} for n in (10, 50, 99)]
        uploads = [
            *({"kind": kind} for kind in ("lost_answer", "starter", "close")),
            *({"kind": kind} for kind in ("malformed_json", "wrong_digest")),
            *({"kind": "starter", "count": 3}, {"kind": "status", "status": 502}),
            *cuts,
            *({**cut, "count": 3} for cut in cuts),
        ]
        api = [
            {"kind": "status", "status": 502, "count": 3},
            {"kind": "close", "count": 3},
            # The release is made, and the page is written.
            {"kind": "lost_answer", "method": "POST"},
            {"kind": "lost_answer", "method": "PATCH"},
            {"kind": "cut_response", "path": "/tags/", "count": 2},
        ]
        for endpoint, faults in ((UPLOADS, uploads), (API, api)):
            for fault in faults:
                with self.subTest(**endpoint, **fault):
                    self.new_release("passes")
                    self.set_faults({**endpoint, **fault})
                    self.publish(package)
                    self.assertTrue(self.github.control()["faults"][0]["fired"])
                    self.set_faults()
                    self.assert_release(package)

    def test_a_fault_that_stays(self):
        """Then it is an error, which the next run repairs."""
        package = self.package(1)
        status = {"kind": "status", "status": 502}
        for fault in (status, {"kind": "starter"}, {"kind": "cut_request"}):
            with self.subTest(**fault):
                self.new_release("stays")
                self.env["VMTEST_RETRY_SECONDS"] = "1"
                self.set_faults({**UPLOADS, **fault, "count": -1})
                self.assert_one_line(self.bot("publish", package), 1, package.name)
                self.assertEqual(self.stored().names(), [])
                self.set_faults()
                self.publish(package)
                self.assert_release(package)


class LimitTest(TestCase):
    def test_rate_limits_that_pass(self):
        packages = [self.package(n) for n in (1, 2)]
        pause = {"kind": "status", "status": 403, "headers": {"retry-after": "1"}}
        pause_twice = {**pause, **API, "status": 429, "count": 2}
        for what, limits, *faults in (
            ("primary limit, reset after 2 s", {"token": 6, "window_seconds": 2}),
            ("secondary limit of an upload, 1 s", MANY, {**pause, **UPLOADS}),
            ("secondary limit of the API, twice 1 s, by a 429", MANY, pause_twice),
        ):
            with self.subTest(what):
                self.new_release("limit")
                self.set_faults(*faults)
                self.github.control(rate_limits=limits)
                start = time.monotonic()
                self.publish(*packages)
                waited = time.monotonic() - start
                self.github.control(rate_limits=MANY)
                self.assertGreater(waited, 1)
                self.assert_release(*packages)

    def test_rate_limits_that_last(self):
        packages = [self.package(n) for n in (1, 2)]
        # GitHub says when, and we ask a second later.
        reset = int(time.time()) + 1800
        until = time.strftime("%Y-%m-%d %H:%M", time.gmtime(reset + 1))
        exhausted = {"x-ratelimit-remaining": 0, "x-ratelimit-reset": reset}
        secondary = ("asks for a pause until 20", "secondary rate limit")
        for fault, words in (
            ({"status": 403, "headers": exhausted}, [f"used up until {until}"]),
            ({"status": 403, "headers": {"retry-after": "60"}}, secondary),
            # One that does not say for how long.
            ({"status": 429, "body": '{"message": "secondary rate limit"}'}, secondary),
        ):
            with self.subTest(**fault):
                self.new_release("limit")
                # The first package is there by then.
                fault = {"kind": "status", "skip": 1, "count": -1, **fault}
                self.set_faults({**fault, **UPLOADS})
                before = self.uploads()
                result = self.bot("publish", *packages)
                self.assert_one_line(result, 1, packages[1].name, *words)
                # Nobody who is limited goes on asking.
                self.assertEqual(self.uploads() - before, 2)
                self.assertEqual(self.stored().names(), [packages[0].name])
                self.set_faults()
                self.publish(*packages)
                self.assert_release(*packages)


class DeathTest(TestCase):
    """The bot dies, or cannot go on, and the next run repairs that."""

    def test_kills_at_random_moments(self):
        print(f"faults_test: VMTEST_SEED={SEED}", file=sys.stderr)
        generator = random.Random(SEED)
        packages = [self.package(n) for n in range(KILLS + 1)]
        self.slow_down(400000)
        start = time.monotonic()
        self.publish(*packages[:2])
        duration = time.monotonic() - start
        self.new_release("kill")
        killed = starters = published = 0
        for number in range(KILLS):
            before = len(self.stored().names())
            process = self.start_bot("publish", *packages[number : number + 2])
            try:
                process.wait(generator.uniform(0, duration))
            except subprocess.TimeoutExpired:
                killed += 1
            process.kill()
            self.end(process)
            stored = self.assert_consistent(packages)
            starters += bool(stored.names("starter"))
            published += len(stored.names()) > before
        # Else this is a test of something else.
        self.assertGreater(killed, KILLS / 2)
        self.assertGreater(starters, 0)
        self.assertGreater(published, 0)
        self.set_faults()
        self.publish(*packages)
        self.assert_release(*packages)
        self.assert_described(self.exchanges)

    def test_half_uploads_of_yesterday(self):
        """They would count against the limit for ever; others may go on."""
        folder = self.folder / "github"
        repository = Repository(folder, "octo/kernels")
        at_once = {"creation_seconds": 0, "unseen_seconds": 0}
        release = repository.create_release({"tag_name": self.tag}, at_once)
        ages = {"old.tar.zst": 25, "young.tar.zst": 23, "foreign.zip": 25}
        for name, hours in ages.items():
            created = time.gmtime(time.time() - hours * 3600)
            created = time.strftime("%Y-%m-%dT%H:%M:%SZ", created)
            repository.add_asset(release, name=f"kernel-{name}", created_at=created)
        repository.save()
        github = self.start("github.py", "--folder", folder)
        github.control(max_assets=len(ages))
        self.use(github)
        package = self.package(1)
        self.publish(package)
        stored = StoredRelease(folder, self.tag)
        self.assertEqual(stored.names(), [package.name])
        left = ["kernel-foreign.zip", "kernel-young.tar.zst"]
        self.assertEqual(stored.names("starter"), left)

    def test_a_page_that_was_not_written(self):
        """A run with nothing to build repairs it."""
        kernel_org = self.start_kernel_org(offer=["6.12.117"])
        package = self.package_of("6.12.117-vmtest1.0tiny")
        self.set_faults({**API, "kind": "status", "method": "PATCH", "count": -1})
        self.env["VMTEST_RETRY_SECONDS"] = "0"
        self.assert_one_line(self.bot("publish", package), 1, "page")
        self.assertEqual(self.stored().names(), [package.name])
        self.set_faults()
        self.env.update(mirror(kernel_org))
        result = self.bot("run", *TINY)
        self.assert_status(result, 0)
        self.assertIn("nothing to build", result.stderr)
        self.assert_release(package)

    def test_a_prune_that_did_not_end(self):
        packages = [self.package_of(f"6.12.{n}-vmtest1.0tiny") for n in range(5)]
        self.publish(*packages)
        fault = {"kind": "status", "method": "DELETE", "skip": 2, "count": -1}
        self.set_faults({**API, **fault})
        self.env["VMTEST_RETRY_SECONDS"] = "0"
        self.assert_one_line(self.bot("prune", "--keep-days=0"), 1, "prune")
        self.assertEqual(len(self.assert_consistent(packages).names()), 3)
        self.set_faults()
        self.assert_status(self.bot("prune", "--keep-days=0"), 0)
        self.assert_release(packages[-1])


class TwoBotsTest(TestCase):
    # More than an upload takes: a watched one is to end by itself.
    stall_seconds = 5

    def at_once(self, *commands):
        """None of them fails, or complains."""
        self.slow_down(100000)
        processes = [
            self.start_bot(*command, directory=f"work-{number}")
            for number, command in enumerate(commands)
        ]
        for process in processes:
            result = self.end(process)
            self.assert_status(result, 0)
            self.assertNotRegex(result.stderr, "error|warning")

    def repair_page(self, package):
        """Whoever has written it last may not have seen what the other did."""
        self.set_faults()
        before = self.uploads()
        self.publish(package)
        self.assertEqual(self.uploads(), before)

    def test_they_publish(self):
        packages = [self.package(n) for n in range(4)]
        for what, first, second in (
            ("the same packages, in the same order", packages, packages),
            ("the same packages, in opposite order", packages, packages[::-1]),
            ("different packages", packages[:2], packages[2:]),
        ):
            with self.subTest(what):
                self.new_release("two")
                self.at_once(("publish", *first), ("publish", *second))
                self.repair_page(packages[0])
                self.assert_release(*packages)
        self.assert_described(self.exchanges)

    def test_one_runs_and_prunes(self):
        kernel_org = self.start_kernel_org(offer=["6.12.117"])
        versions = ("6.12.115", "6.12.116", "6.12.117")
        packages = [self.package_of(f"{v}-vmtest1.0tiny") for v in versions]
        others = [self.package(n) for n in range(3)]
        self.env.update(mirror(kernel_org))
        self.publish(*packages)
        self.at_once(("run", *TINY, "--keep=1", "--keep-days=0"), ("publish", *others))
        self.repair_page(packages[-1])
        self.assert_release(packages[-1], *others)
