#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""
What can go wrong while packages are published to GitHub, and what the release
holds afterwards: nothing is lost, nothing is there twice, nothing is half.

    tests/integration/faults_test.py            run the tests
    tests/integration/faults_test.py --table    and print, as Markdown, each fault
                                                with what came of it

VMTEST_SEED, which is printed, chooses the moments at which bots are killed.
"""

import json
import os
import random
import re
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

import support
from support import BIN, environment, mirror

from full_scale import FullScale
from github_folder import StoredRelease
from github_store import Asset, GitHubStore, Limits, Repository
from packages import package_entries, package_name, write_package

SEED = int(os.environ.get("VMTEST_SEED", time.time_ns() % (1 << 32)))
KILLS = 50
TINY = ("--latest-stable", "--flavor=tiny", "--arch=host")
# Uploads of a release and its API, in the stand-in's words.
UPLOADS = {"endpoint": "uploads"}
API = {"endpoint": "api"}


class Table:
    """What has been tried, and what came of it."""

    def __init__(self):
        self.rows = []

    def add(self, subject, fault, end):
        self.rows.append((subject, fault, end))

    def print(self):
        subject = None
        for row in self.rows:
            if row[0] != subject:
                subject = row[0]
                print(f"\n### {subject}\n\n| fault | end state |")
                print("| --- | --- |")
            print(f"| {row[1]} | {row[2]} |")


TABLE = Table()


def plural(count, noun):
    return f"{count} {noun}" + ("" if count == 1 else "s")


class TestCase(support.TestCase):
    """One GitHub; each fault has a release, and so a tag, of its own."""

    subject = None
    # How patient a bot is: with servers that fail, with transfers that stall.
    retry_seconds = 10
    stall_seconds = 1

    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory(prefix="vmtest-test.")
        cls.addClassCleanup(folder.cleanup)
        cls.releases = Path(folder.name) / "github"
        cls.packages = Path(folder.name) / "packages"
        cls.github = support.StandIn("github.py", "--folder", cls.releases)
        cls.addClassCleanup(cls.github.stop)

    def setUp(self):
        super().setUp()
        self.use(self.github)
        self.new_release("fault")
        self.addCleanup(self.set_faults)

    def use(self, server):
        self.env = environment(
            GITHUB_API_URL=server.urls["GITHUB_API_URL"],
            GITHUB_TOKEN="write-token",
            VMTEST_RETRY_SECONDS=self.retry_seconds,
            VMTEST_STALL_SECONDS=self.stall_seconds,
        )

    def use_prism(self):
        """From now on GitHub's own description judges what is said."""
        github = {**os.environ, **self.github.urls}
        prism = self.start("prism.py", environment=github)
        self.addCleanup(
            self.github.control,
            public_urls={
                "api": self.github.urls["GITHUB_API_URL"],
                "uploads": self.github.urls["GITHUB_UPLOADS_URL"],
            },
        )
        self.use(prism)
        return prism

    _releases_made = 0

    def new_release(self, what):
        TestCase._releases_made += 1
        self.tag = f"{what}-{TestCase._releases_made}"

    @property
    def store(self):
        return f"github:octo/kernels@{self.tag}"

    def set_faults(self, *faults):
        self.github.control(faults=[*faults])

    def package(self, number, size=1 << 15):
        """A small one, of a series of its own."""
        release = f"6.{number}.1-vmtest1.0tiny"
        path = self.packages / package_name(release)
        if not path.exists():
            write_package(path, package_entries(release, size))
        return path

    def start_bot(self, command, *arguments, directory="work"):
        return subprocess.Popen(
            [
                *(BIN / "vmtest-bot", command, *map(str, arguments)),
                f"--store={self.store}",
                f"--directory={self.folder / directory}",
            ],
            env=self.env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def end_bot(self, process):
        stdout, stderr = process.communicate(timeout=120)
        return subprocess.CompletedProcess(
            process.args, process.returncode, stdout, stderr
        )

    def bot(self, command, *arguments, **options):
        return self.end_bot(self.start_bot(command, *arguments, **options))

    def publish(self, *packages):
        """As it is to go: without an error."""
        result = self.bot("publish", *packages)
        self.assert_status(result, 0)
        self.assertNotIn("error", result.stderr)
        return result

    def stored(self):
        return StoredRelease(self.releases, self.tag)

    def assert_consistent(self, packages):
        """Nothing is there twice, and what is there is whole."""
        stored = self.stored()
        originals = {path.name: path for path in packages}
        names = [asset.name for asset in stored.assets]
        self.assertEqual(len(names), len(set(names)), names)
        for asset in stored.assets:
            if asset.state == "uploaded":
                self.assertTrue(asset.is_whole(originals[asset.name]), asset.name)
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
        return f"{plural(len(packages), 'asset')}, whole, with a page"

    def uploads(self):
        """How often an upload was begun for this release."""
        uploads = self.github.requests(**UPLOADS)
        return [r for r in uploads if r["method"] == "POST"]


class UploadTest(TestCase):
    subject = "One package is published"

    def test_faults_of_an_upload(self):
        package = self.package(1)
        cases = [
            ("502 after a successful upload", {"kind": "lost_answer"}),
            ("502 with a starter left", {"kind": "starter"}),
            ("502, and nothing was done", {"kind": "status", "status": 502}),
            ("no answer", {"kind": "close"}),
            ("answer cut short", {"kind": "malformed_json"}),
            ("answer with another digest", {"kind": "wrong_digest"}),
            *(
                (f"connection cut at {n} %", {"kind": "cut_request", "percent": n})
                for n in (10, 50, 99)
            ),
        ]
        cases += [
            (f"{what}, three times", {**fault, "count": 3})
            for what, fault in cases
            if fault["kind"] in ("starter", "cut_request")
        ]
        for what, fault in cases:
            with self.subTest(what):
                self.new_release("upload")
                before = len(self.uploads())
                self.set_faults({**UPLOADS, **fault})
                self.publish(package)
                self.set_faults()
                end = self.assert_release(package)
                count = plural(len(self.uploads()) - before, "upload")
                TABLE.add(self.subject, what, f"{end}; {count}")

    def test_faults_of_the_api(self):
        package = self.package(1)
        for what, fault in (
            ("502 to the first three questions", {"kind": "status", "status": 502, "count": 3}),
            ("connections cut", {"kind": "close", "count": 3}),
            ("release made, answer lost", {"kind": "lost_answer", "method": "POST"}),
            ("page written, answer lost", {"kind": "lost_answer", "method": "PATCH"}),
            (
                "release with its assets cut short",
                {"kind": "cut_response", "path": "/tags/", "count": 2},
            ),
        ):
            with self.subTest(what):
                self.new_release("api")
                self.set_faults({**API, **fault})
                self.publish(package)
                self.set_faults()
                TABLE.add(self.subject, what, self.assert_release(package))

    def test_a_fault_that_stays(self):
        """Then it is an error, which the next run repairs."""
        package = self.package(1)
        for what, fault in (
            ("502 for ever", {"kind": "status", "status": 502}),
            ("starters for ever", {"kind": "starter"}),
            ("connections cut for ever", {"kind": "cut_request"}),
        ):
            with self.subTest(what):
                self.new_release("ever")
                self.env["VMTEST_RETRY_SECONDS"] = "1"
                self.set_faults({**UPLOADS, **fault, "count": -1})
                self.assert_one_line(self.bot("publish", package), 1, package.name)
                self.assertEqual(self.stored().names(), [])
                self.set_faults()
                self.publish(package)
                end = self.assert_release(package)
                TABLE.add(self.subject, what, f"an error; with the next run {end}")


class LimitTest(TestCase):
    subject = "GitHub limits requests"

    def test_rate_limits_that_pass(self):
        packages = [self.package(n) for n in (1, 2)]
        pause = {"kind": "status", "status": 403, "headers": {"retry-after": "1"}}
        for what, limits, *faults in (
            ("primary limit, reset after 2 s", {"token": 6, "window_seconds": 2}),
            ("secondary limit of an upload, 1 s", {}, {**pause, **UPLOADS}),
            (
                "secondary limit of the API, twice 1 s, by a 429",
                {},
                {**pause, **API, "status": 429, "count": 2},
            ),
        ):
            with self.subTest(what):
                self.new_release("limit")
                self.set_faults(*faults)
                self.github.control(rate_limits=limits)
                start = time.monotonic()
                self.publish(*packages)
                waited = time.monotonic() - start
                self.github.control(rate_limits={"token": 5000, "window_seconds": 3600})
                self.assertGreater(waited, 1)
                end = self.assert_release(*packages)
                TABLE.add(self.subject, what, f"waited; {end}")

    def test_rate_limits_that_last(self):
        packages = [self.package(n) for n in (1, 2)]
        # GitHub says when, and we ask a second later.
        reset = int(time.time()) + 1800
        until = time.strftime("%Y-%m-%d %H:%M", time.gmtime(reset + 1))
        exhausted = {"x-ratelimit-remaining": 0, "x-ratelimit-reset": reset}
        for what, fault, *words in (
            (
                "primary limit, reset after 30 minutes",
                {"status": 403, "headers": exhausted},
                f"used up until {until}",
            ),
            (
                "secondary limit for 60 s",
                {"status": 403, "headers": {"retry-after": "60"}},
                "asks for a pause until 20",
                "secondary rate limit",
            ),
            (
                "secondary limit that does not say for how long",
                {"status": 429, "body": '{"message": "secondary rate limit"}'},
                "asks for a pause until 20",
                "secondary rate limit",
            ),
        ):
            with self.subTest(what):
                self.new_release("limit")
                # The first package is there by then.
                fault = {"kind": "status", "skip": 1, "count": -1, **fault}
                self.set_faults({**fault, **UPLOADS})
                before = len(self.uploads())
                result = self.bot("publish", *packages)
                self.assert_one_line(result, 1, packages[1].name, *words)
                # Nobody who is limited goes on asking.
                self.assertEqual(len(self.uploads()) - before, 2)
                self.assertEqual(self.stored().names(), [packages[0].name])
                self.set_faults()
                self.publish(*packages)
                end = self.assert_release(*packages)
                TABLE.add(self.subject, what, f"an error; with the next run {end}")


class KillTest(TestCase):
    subject = "The bot dies, or cannot go on"

    def slow_down(self):
        """Most moments are in an upload, as with packages of 80 MB."""
        self.set_faults(
            {
                **UPLOADS,
                "kind": "slow",
                "direction": "request",
                "bytes_per_second": 400000,
                "count": -1,
            }
        )

    def test_kills_at_random_moments(self):
        print(f"faults_test: VMTEST_SEED={SEED}", file=sys.stderr)
        generator = random.Random(SEED)
        packages = [self.package(n) for n in range(KILLS + 1)]
        self.slow_down()
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
            self.end_bot(process)
            stored = self.assert_consistent(packages)
            starters += bool(stored.names("starter"))
            published += len(stored.names()) > before
        # Else this is a test of something else.
        self.assertGreater(killed, KILLS / 2)
        self.assertGreater(starters, 0)
        self.assertGreater(published, 0)
        left = len(self.stored().names())
        # What is clean passes GitHub's own description.
        self.set_faults()
        prism = self.use_prism()
        self.publish(*packages)
        end = self.assert_release(*packages)
        self.assertEqual(prism.control()["violations"], [])
        TABLE.add(
            self.subject,
            f"SIGKILL at {KILLS} random moments while {plural(len(packages), 'package')}"
            f" are published: {killed} before the bot had ended,"
            f" {starters} with a half upload left, {left} packages there at last",
            f"with the next run {end}",
        )

    def test_half_uploads_of_yesterday(self):
        """They would count against the limit for ever; others may go on."""
        folder = self.folder / "github"
        repository = Repository(500, "octo/kernels")
        store = GitHubStore(folder, [repository], Limits())
        release = store.create_release(repository, {"tag_name": self.tag})
        ages = {"old": 25 * 3600, "young": 23 * 3600, "foreign": 25 * 3600}
        for number, (word, age) in enumerate(ages.items(), 2000):
            suffix = ".zip" if word == "foreign" else ".tar.zst"
            created = time.gmtime(time.time() - age)
            fields = {
                "id": number,
                "name": f"kernel-{word}{suffix}",
                "state": "starter",
                "size": 0,
                "digest": None,
                "created_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", created),
                **dict.fromkeys(("label", "content_type", "updated_at"), ""),
                "download_count": 0,
            }
            store.save_asset(Asset(release, fields))
        github = self.start("github.py", "--folder", folder)
        github.control(max_assets=len(ages))
        self.use(github)
        package = self.package(1)
        self.publish(package)
        stored = StoredRelease(folder, self.tag)
        self.assertEqual(stored.names(), [package.name])
        left = ["kernel-foreign.zip", "kernel-young.tar.zst"]
        self.assertEqual(stored.names("starter"), left)
        what = "half uploads of other packages, a day old"
        TABLE.add(self.subject, what, "deleted by an upload that finds no room")

    def test_a_page_that_was_not_written(self):
        """A run with nothing to build repairs it."""
        kernel_org = self.start("kernel_org.py")
        kernel_org.control(offer=["6.12.117"])
        release = "6.12.117-vmtest1.0tiny"
        package = self.packages / package_name(release)
        write_package(package, package_entries(release, 1 << 15))
        self.set_faults({**API, "kind": "status", "method": "PATCH", "count": -1})
        self.env["VMTEST_RETRY_SECONDS"] = "0"
        self.assert_one_line(self.bot("publish", package), 1, "page")
        self.assertEqual(self.stored().names(), [package.name])
        self.set_faults()
        self.env.update(mirror(kernel_org))
        result = self.bot("run", *TINY)
        self.assert_status(result, 0)
        self.assertIn("nothing to build", result.stderr)
        end = self.assert_release(package)
        what = "an upload, after which the page cannot be written"
        TABLE.add(self.subject, what, f"with the next run {end}")

    def test_a_prune_that_did_not_end(self):
        releases = [f"6.12.{n}-vmtest1.0tiny" for n in range(5)]
        packages = [self.packages / package_name(release) for release in releases]
        for path, release in zip(packages, releases):
            write_package(path, package_entries(release, 1 << 15))
        self.publish(*packages)
        fault = {**API, "kind": "status", "method": "DELETE", "skip": 2, "count": -1}
        self.set_faults(fault)
        self.env["VMTEST_RETRY_SECONDS"] = "0"
        self.assert_one_line(self.bot("prune"), 1, "prune")
        stored = self.assert_consistent(packages)
        self.assertEqual(len(stored.names()), 3)
        self.set_faults()
        self.assert_status(self.bot("prune"), 0)
        end = self.assert_release(packages[-1])
        what = "pruning that ends half-way"
        TABLE.add(self.subject, what, f"with the next run {end}")


class TwoBotsTest(TestCase):
    subject = "Two bots at once on one release"
    # More than an upload takes: a watched one is to end by itself.
    stall_seconds = 5

    def at_once(self, *commands):
        """None of them fails, or complains."""
        self.set_faults(
            {
                **UPLOADS,
                "kind": "slow",
                "direction": "request",
                "bytes_per_second": 100000,
                "count": -1,
            }
        )
        processes = [
            self.start_bot(*command, directory=f"work-{number}")
            for number, command in enumerate(commands)
        ]
        for process in processes:
            result = self.end_bot(process)
            self.assert_status(result, 0)
            self.assertNotIn("error", result.stderr)
            self.assertNotIn("warning", result.stderr)

    def repair_page(self, package):
        """Whoever has written it last may not have seen what the other did."""
        self.set_faults()
        before = len(self.uploads())
        self.publish(package)
        self.assertEqual(len(self.uploads()), before)

    def test_they_publish(self):
        packages = [self.package(n) for n in range(4)]
        backwards = packages[::-1]
        prism = self.use_prism()
        for what, first, second in (
            ("the same packages, in the same order", packages, packages),
            ("the same packages, in opposite order", packages, backwards),
            ("different packages", packages[:2], packages[2:]),
        ):
            with self.subTest(what):
                self.new_release("two")
                before = len(self.uploads())
                self.at_once(("publish", *first), ("publish", *second))
                count = plural(len(self.uploads()) - before, "upload")
                self.repair_page(packages[0])
                end = self.assert_release(*packages)
                TABLE.add(self.subject, what, f"no error; {end}; {count}")
        self.assertEqual(prism.control()["violations"], [])

    def test_one_runs_and_prunes(self):
        kernel_org = self.start("kernel_org.py")
        kernel_org.control(offer=["6.12.117"])
        releases = [f"6.12.{n}-vmtest1.0tiny" for n in (115, 116, 117)]
        packages = [self.packages / package_name(release) for release in releases]
        for path, release in zip(packages, releases):
            write_package(path, package_entries(release, 1 << 15))
        others = [self.package(n) for n in range(3)]
        prism = self.use_prism()
        self.env.update(mirror(kernel_org))
        self.publish(*packages)
        self.at_once(
            ("run", *TINY, "--keep=1"),
            ("publish", *others),
        )
        self.repair_page(packages[-1])
        end = self.assert_release(packages[-1], *others)
        self.assertEqual(prism.control()["violations"], [])
        what = "one publishes, the other runs and prunes"
        TABLE.add(self.subject, what, f"no error; {end}")


class FullReleaseTest(support.TestCase):
    """A release with as many assets as GitHub takes, or nearly so."""

    subject = "A release is full"

    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory(prefix="vmtest-test.")
        cls.addClassCleanup(folder.cleanup)
        scale = FullScale(Path(folder.name), assets=0)
        cls.kernel_org = support.StandIn("kernel_org.py", "--tags", scale.tags)
        cls.addClassCleanup(cls.kernel_org.stop)
        cls.kernel_org.control(**scale.offer)

    def set_up(self, **options):
        self.scale = FullScale(self.folder / "scale", **options)
        self.github = self.start("github.py", "--folder", self.scale.github)
        self.output = self.folder / "output"
        self.env = environment(
            GITHUB_API_URL=self.github.urls["GITHUB_API_URL"],
            GITHUB_TOKEN="write-token",
            GITHUB_OUTPUT=self.output,
            VMTEST_RETRY_SECONDS=1,
            **mirror(self.kernel_org),
        )

    def bot(self, command, *arguments):
        return support.run(
            "vmtest-bot",
            command,
            *arguments,
            f"--catalog={self.scale.catalog}",
            f"--store={self.scale.store}",
            f"--directory={self.folder / 'work'}",
            env=self.env,
        )

    def names(self):
        return StoredRelease(self.scale.github, "kernels").names()

    def test_superseded_assets_make_room(self):
        self.set_up(assets=1000, missing=5)
        before = self.names()
        package = self.folder / package_name("6.99.1-vmtest1.0tiny")
        write_package(package, package_entries("6.99.1-vmtest1.0tiny", 1 << 15))
        result = self.bot("publish", package)
        self.assert_one_line(result, 1, package.name, "holds 1000 assets", "prune it")
        self.assertEqual(self.names(), before)
        what = "1,000 assets, and one more is published"
        TABLE.add(self.subject, what, "an error; nothing has changed")

        for arguments in (("plan",), ("run", "--dry-run")):
            result = self.bot(*arguments)
            self.assert_status(result, 0)
            self.assertIn("5 superseded assets have to go first", result.stderr)
            self.assertEqual(self.names(), before)
        # There are no sources here, so all five fail; but they had room.
        result = self.bot("run")
        self.assert_status(result, 1)
        self.assertEqual(result.stdout.count("failed"), 5)
        pruned = re.findall(r"pruned (\S+)", result.stderr)
        self.assertEqual(len(pruned), 5)
        self.assertEqual(pruned, self.scale.names[:5])
        self.assertEqual(self.names(), sorted(set(before) - set(pruned)))
        TABLE.add(
            self.subject,
            "1,000 assets, 5 kernels are missing, 339 assets are superseded",
            "the oldest 5 of those are pruned, then 5 kernels are built",
        )

    def test_what_does_not_fit_is_not_begun(self):
        self.set_up(assets=1000, missing=20, superseded=False)
        before = self.names()
        asked = len(self.kernel_org.requests())
        words = ("20 more kernels do not fit", "1000 assets of at most 1000", "only 0 of them")
        for what, arguments, status in (
            ("`plan`", ("plan",), 0),
            ("`run --dry-run`", ("run", "--dry-run"), 0),
            ("`plan --github-output`", ("plan", "--github-output"), 1),
            ("`run`", ("run",), 1),
        ):
            with self.subTest(what):
                result = self.bot(*arguments)
                self.assert_status(result, status)
                for word in words:
                    self.assertIn(word, result.stderr)
                end = "an error" if status else "a warning, and the plan"
                TABLE.add(
                    self.subject,
                    f"1,000 assets, 20 kernels are missing, none is superseded: {what}",
                    f"{end}; nothing has changed",
                )
        self.assertEqual(self.output.read_text(), "")
        self.assertEqual(self.names(), before)
        # What there is was asked for, and no source of it.
        paths = {r["path"] for r in self.kernel_org.requests()[asked:]}
        self.assertIn("/releases.json", paths)
        self.assertFalse([p for p in paths if p.startswith("/pub/linux")], paths)

    def test_more_than_a_matrix_holds(self):
        self.set_up(assets=366, missing=300)
        result = self.bot("plan", "--github-output")
        self.assert_status(result, 0)
        self.assertIn("44 more kernels are left for the next time", result.stderr)
        lines = self.output.read_text().splitlines()
        values = dict(line.split("=", 1) for line in lines if "=" in line)
        matrix = json.loads(values["matrix"])["include"]
        self.assertEqual(len(matrix), 256)
        self.assertEqual(len({(m["release"], m["arch"]) for m in matrix}), 256)
        TABLE.add(
            "Actions limits a matrix",
            "300 kernels are missing",
            "256 are planned, and 44 are left for the next time, as it says",
        )


if __name__ == "__main__":
    if "--table" in sys.argv:
        sys.argv.remove("--table")
        program = unittest.main(exit=False)
        TABLE.print()
        sys.exit(not program.result.wasSuccessful())
    unittest.main()
