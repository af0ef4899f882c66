#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""
What the programs say to bad input: one line, which names what is wrong, and a
status that is not 0; and what they leave behind: nothing under a final name,
and no litter.

    tests/integration/bad_input_test.py            run the tests
    tests/integration/bad_input_test.py --table    and print, as Markdown, each
                                                   input with its line and status
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import support
from support import BIN, environment, mirror

import mounts
from built_kernel import catalog_without_patches
from packages import (
    RELEASE,
    entry,
    hostile_entries,
    package_entries,
    package_name,
    tarball,
    write_folder,
    write_package,
)

NAME = package_name()
ARCH = os.uname().machine
VERSION = "6.12.200"
STORE = "github:octo/kernels@kernels"

# Seconds that a server gets here; its users have more patience.
PATIENCE = {"VMTEST_RETRY_SECONDS": "1", "VMTEST_STALL_SECONDS": "1"}

MALFORMED = ("cut", "garbage", "empty", "html", "encoding", "trailing")
HOSTILE = (
    *("deep", "deep_object", "numbers", "types"),
    *("nulls", "names", "long", "control"),
)
JSON_FAULTS = [
    *({"kind": "malformed_json", "variant": v} for v in MALFORMED),
    *({"kind": "hostile_json", "variant": v} for v in HOSTILE),
]


class Table:
    """What has been tried, and what came of it."""

    def __init__(self):
        self.rows = []

    def add(self, subject, what, printed, status):
        self.rows.append((subject, what, printed, status))

    def print(self):
        subject = None
        for row in self.rows:
            if row[0] != subject:
                subject = row[0]
                print(f"\n### {subject}\n\n| input | printed | status |")
                print("| --- | --- | --- |")
            printed = row[2].replace("|", "\\|")
            print(f"| {row[1]} | `{printed}` | {row[3]} |")


TABLE = Table()


def files_below(folder):
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*"))


def source_entries(version=VERSION, size=1 << 10):
    """As little of a kernel's source as tells its version, and noise."""
    top = f"linux-{version}"
    names = ("VERSION", "PATCHLEVEL", "SUBLEVEL", "EXTRAVERSION")
    numbers = [*version.split("."), ""]
    makefile = "".join(f"{n} = {v}\n" for n, v in zip(names, numbers))
    return [
        entry(f"{top}/Makefile", makefile.encode()),
        entry(f"{top}/noise", os.urandom(size)),
    ]


class TestCase(support.TestCase):
    subject = None

    def setUp(self):
        super().setUp()
        self.env = environment(**PATIENCE)
        self.directory = self.folder / "downloads"
        self.listing = self.folder / "listing"

    def readable(self, text):
        """Without what differs from run to run."""
        text = text.replace(str(self.folder), "DIR").replace(str(BIN), "BIN")
        text = re.sub(r"127\.0\.0\.1:\d+", "HOST", text)
        return re.sub(r"after \d+\.\d s", "after N s", text)

    def attempt(self, program, *arguments, prefix=(), **options):
        options.setdefault("env", self.env)
        return subprocess.run(
            [*map(str, prefix), BIN / program, *map(str, arguments)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="backslashreplace",
            timeout=60,
            check=False,
            **options,
        )

    def record(self, what, result):
        lines = [l for l in result.stderr.splitlines() if "error:" in l]
        printed = lines[0] if lines else "no error"
        TABLE.add(self.subject, what, self.readable(printed), result.returncode)

    def expect(self, what, result, status, *words, other_lines=False):
        """One line of error, which has the words, and the status."""
        self.record(what, result)
        self.assert_one_line(result, status, *map(str, words))
        if not other_lines:
            self.assertEqual(result.stderr.count("\n"), 1, result.stderr)
        # A terminal would obey it.
        self.assertNotIn("\x1b", result.stderr)

    def download(self, store, pattern=RELEASE, **options):
        return self.attempt(
            "vmtest-vm",
            "download",
            "--quiet",
            f"--store={store}",
            f"--directory={self.directory}",
            f"--kernel={pattern}",
            **options,
        )

    def assert_nothing_left(self):
        self.assertEqual(files_below(self.directory), [ARCH])

    def assert_downloads(self, store):
        """What went wrong before is no obstacle now."""
        self.assert_status(self.download(store), 0)
        self.assertTrue((self.directory / ARCH / f"kernel-{RELEASE}").is_dir())
        shutil.rmtree(self.directory)


class PackageTest(TestCase):
    subject = "Packages in a folder: `vmtest-vm download --store=dir:DIR/store`"

    def setUp(self):
        super().setUp()
        self.store = self.folder / "store"
        self.package = self.store / NAME
        self.sidecar = self.store / f"{NAME}.sha256"
        self.good = tarball(package_entries())

    def publish(self, data):
        self.store.mkdir(exist_ok=True)
        self.sidecar.unlink(missing_ok=True)
        self.package.write_bytes(data)

    def expect_refusal(self, what, *words):
        with self.subTest(what):
            result = self.download(f"dir:{self.store}")
            self.expect(what, result, 1, RELEASE, *words)
            self.assert_nothing_left()

    def test_truncated(self):
        for what, data in (
            ("package of no bytes", b""),
            ("package cut in half", self.good[: len(self.good) // 2]),
            ("package without its last byte", self.good[:-1]),
            ("package of which 100 bytes are there", self.good[:100]),
        ):
            self.publish(data)
            self.expect_refusal(what, "damaged")
        self.publish(self.good)
        self.assert_downloads(f"dir:{self.store}")

    def test_tampered(self):
        middle = len(self.good) // 2
        flipped = bytearray(self.good)
        flipped[middle] ^= 1
        self.publish(bytes(flipped))
        self.expect_refusal("package with one bit flipped", "damaged")
        self.publish(b"no archive at all\n" * 1000)
        self.expect_refusal("text under a package's name", "damaged")
        other = package_entries("6.12.201-vmtest1.0tiny")
        self.publish(tarball(other))
        self.expect_refusal("package of another release", "6.12.201-vmtest1.0tiny")
        self.publish(tarball(package_entries()[:2]))
        self.expect_refusal("archive that is no package", "kernel.release")

    def test_wrong_digest(self):
        self.publish(self.good)
        self.sidecar.write_text(f"{'0' * 64}  {NAME}\n")
        self.expect_refusal("package with another digest than published", "0" * 64)
        self.sidecar.write_text("no digest\n")
        result = self.download(f"dir:{self.store}")
        self.expect("sidecar that is no digest", result, 1, self.sidecar)
        self.assert_nothing_left()

    def test_unreadable(self):
        self.store.mkdir()
        self.package.symlink_to("/etc/passwd")
        result = self.download(f"dir:{self.store}")
        self.expect("symbolic link in a store", result, 1, "no kernel")
        result = self.download(f"dir:{self.package}")
        self.expect("store that is a file", result, 1, self.package)
        result = self.download(f"dir:{self.folder / 'none'}")
        self.expect("store that is not there", result, 1, "no kernel")


class HostileTarTest(TestCase):
    subject = "Hostile archives: `vmtest-vm download --store=dir:DIR/store`"

    def test_entries_are_refused(self):
        store = self.folder / "store"
        outside = self.folder / "outside"
        for what, entries in hostile_entries(outside).items():
            with self.subTest(what):
                write_package(store / NAME, package_entries() + entries)
                result = self.download(f"dir:{store}")
                self.expect(what, result, 1, RELEASE)
                self.assert_nothing_left()
                self.assertFalse(os.path.lexists(outside))
        write_package(store / NAME, package_entries())
        self.assert_downloads(f"dir:{store}")

    def test_entries_are_refused_in_sources_too(self):
        outside = self.folder / "outside"
        entries = hostile_entries(outside)["absolute path"]
        source = self.folder / "linux.tar.zst"
        source.write_bytes(tarball(source_entries() + entries))
        result = self.attempt(
            "vmtest-kbuild",
            "build",
            f"--tarball={source}",
            f"--output={self.folder / 'out'}",
            f"--directory={self.directory}",
        )
        self.expect("kernel source with an absolute path", result, 1, source)
        self.assertFalse(os.path.lexists(outside))
        self.assert_no_source()
        self.assertFalse((self.folder / "out").exists())

    def assert_no_source(self):
        left = [p for p in files_below(self.directory) if p != "sources"]
        self.assertEqual(left, [])


class GitHubTest(TestCase):
    """One GitHub with one package; a fault lasts as long as its test."""

    subject = f"GitHub: `--store={STORE}`"

    @classmethod
    def setUpClass(cls):
        cls.github = support.StandIn("github.py")
        cls.addClassCleanup(cls.github.stop)

    def setUp(self):
        super().setUp()
        self.env = environment(
            **PATIENCE,
            GITHUB_API_URL=self.github.urls["GITHUB_API_URL"],
            GITHUB_TOKEN="write-token",
        )
        self.addCleanup(self.set_faults)
        self.package = self.folder / NAME
        write_package(self.package, package_entries())
        if not support.assets(STORE, env=self.env):
            self.assert_status(self.bot("publish", self.package), 0)

    def set_faults(self, *faults):
        self.github.control(faults=[{"count": -1, **f} for f in faults])

    def bot(self, *arguments):
        return self.attempt(
            "vmtest-bot",
            *arguments,
            f"--store={STORE}",
            f"--directory={self.directory}",
        )

    def expect_download_fault(self, what, fault, *words):
        with self.subTest(what):
            self.set_faults(fault)
            result = self.download(STORE)
            self.set_faults()
            self.expect(what, result, 1, *words)
            self.assertNotIn("write-token", result.stdout + result.stderr)
            self.assertIn(files_below(self.directory), ([], [ARCH]))
            self.assert_downloads(STORE)

    def expect_json_faults(self, what, path, harmless, attempt):
        for fault in JSON_FAULTS:
            variant = fault["variant"]
            with self.subTest(f"{what}: {variant}"):
                self.set_faults({**fault, "endpoint": "api", "path": path})
                result = attempt()
                self.set_faults()
                title = f"{what}: {fault['kind']}, {variant}"
                if variant in harmless:
                    self.record(title, result)
                    self.assert_status(result, 0)
                else:
                    self.expect(title, result, 1, STORE)
                self.assert_status(attempt(), 0)

    def test_json_is_distrusted(self):
        path = "releases/tags"
        self.expect_json_faults("status", path, set(), lambda: self.bot("status"))
        self.expect_json_faults(
            "vmtest-vm list",
            path,
            set(),
            lambda: self.attempt(
                "vmtest-vm",
                "list",
                f"--store={STORE}",
                f"--directory={self.directory}",
            ),
        )

    def test_an_answer_cut_short(self):
        fault = {"kind": "truncated", "endpoint": "api", "path": "releases/tags"}
        self.expect_download_fault(
            "answer of the API that lacks its second half", fault, STORE
        )

    def test_api_faults(self):
        api = {"endpoint": "api"}
        exhausted = {"x-ratelimit-remaining": 0, "x-ratelimit-reset": 4102444800}
        for what, fault, *words in (
            ("404", {"kind": "status", "status": 404}, "404", "repository's name"),
            ("500 for ever", {"kind": "status"}, "500", "try again later"),
            ("redirects for ever", {"kind": "redirect_loop"}, "redirects"),
            ("server that says nothing", {"kind": "stall", "at": "request"}, "1 s"),
            ("server that stops half-way", {"kind": "stall"}, "1 s"),
            ("server that hangs up", {"kind": "close"}, "gave up"),
            (
                "rate limit used up",
                {"kind": "status", "status": 403, "headers": exhausted},
                "rate limit",
            ),
        ):
            self.expect_download_fault(what, {**fault, **api}, STORE, *words)

    def test_download_faults(self):
        downloads = {"endpoint": "downloads"}
        for what, fault, *words in (
            ("download: 404", {"kind": "status", "status": 404}, "404"),
            ("download: 500 for ever", {"kind": "status"}, "500"),
            ("download: redirects for ever", {"kind": "redirect_loop"}, "redirects"),
            ("download that stops half-way", {"kind": "stall"}, "gave up"),
            ("download that is cut off", {"kind": "cut_response"}, "gave up"),
            ("download with more bytes", {"kind": "appended", "body": "x" * 100000}, "more than"),
            ("download with a byte changed", {"kind": "corrupt"}, "damaged"),
        ):
            self.expect_download_fault(what, {**fault, **downloads}, NAME, *words)
        fault = {"kind": "wrong_digest", "endpoint": "api"}
        what = "download with another digest than GitHub's"
        self.expect_download_fault(what, fault, NAME, "digest")

    def test_uploads(self):
        other = self.folder / package_name("6.12.201-vmtest1.0tiny")
        write_package(other, package_entries("6.12.201-vmtest1.0tiny"))
        self.set_faults({"kind": "status", "endpoint": "uploads"})
        result = self.bot("publish", other)
        self.expect("publish: 500 for ever", result, 1, other.name, "500")
        self.set_faults()
        names = [row["name"] for row in support.assets(STORE, env=self.env)]
        self.assertEqual(names, [NAME])
        self.set_faults({"kind": "malformed_json", "endpoint": "uploads"})
        result = self.bot("publish", other)
        self.record("publish: answer that is cut", result)
        self.assert_status(result, 0)
        self.set_faults()
        self.assert_status(self.bot("publish", other), 0)
        self.assertEqual(len(support.assets(STORE, env=self.env)), 2)
        self.assert_status(self.bot("prune"), 0)

    def test_credentials(self):
        for what, token, word in (
            ("wrong token", "no-such-token", "401"),
            ("token that may only read", "read-token", "403"),
            ("no token", "", "GITHUB_TOKEN"),
            ("token with a line break", "a\nb", "GITHUB_TOKEN"),
        ):
            with self.subTest(what):
                self.env["GITHUB_TOKEN"] = token
                other = self.folder / package_name("6.12.201-vmtest1.0tiny")
                write_package(other, package_entries("6.12.201-vmtest1.0tiny"))
                result = self.bot("publish", other)
                status = 1 if word.isdigit() else 2
                self.expect(f"publish: {what}", result, status, word)

    def test_stores_that_are_not_there(self):
        result = self.download("github:octo/none@kernels")
        self.expect("repository that is not there", result, 1, "octo/none")
        result = self.download("github:octo/kernels@none")
        self.expect("tag that is not there", result, 1, "octo/kernels@none")
        self.env["GITHUB_API_URL"] = "http://127.0.0.1:1"
        result = self.download(STORE)
        self.expect("server that is not there", result, 1, STORE, "network")


class KernelOrgTest(TestCase):
    """One kernel.org with one kernel; a fault lasts as long as its test."""

    subject = "kernel.org"

    @classmethod
    def setUpClass(cls):
        sources = tempfile.TemporaryDirectory(prefix="vmtest-test.")
        cls.addClassCleanup(sources.cleanup)
        folder = Path(sources.name)
        source = folder / f"linux-{VERSION}.tar.xz"
        source.write_bytes(tarball(source_entries(size=1 << 20), ("xz", "-0")))
        cls.kernel_org = support.StandIn(
            "kernel_org.py",
            f"--source={VERSION}={source}",
            f"--cache={folder / 'cache'}",
        )
        cls.addClassCleanup(cls.kernel_org.stop)

    def setUp(self):
        super().setUp()
        self.env = environment(**PATIENCE, **mirror(self.kernel_org))
        self.addCleanup(self.set_faults)

    def set_faults(self, *faults):
        self.kernel_org.control(faults=[{"count": -1, **f} for f in faults])

    def bot(self, *arguments, **options):
        return self.attempt(
            "vmtest-bot", *arguments, f"--directory={self.directory}", **options
        )

    def poll(self):
        return self.bot("poll")

    def plan(self, *arguments):
        return self.bot("plan", f"--store=dir:{self.folder / 'store'}", *arguments)

    def expect_fault(self, what, fault, *words):
        with self.subTest(what):
            shutil.rmtree(self.directory, ignore_errors=True)
            self.set_faults(fault)
            result = self.poll()
            self.set_faults()
            self.expect(what, result, 1, "kernel.org", *words)
            self.assertEqual(result.stdout, "")
            self.assertEqual(files_below(self.directory), [])
            self.assertEqual(self.poll().stdout, f"{VERSION}\n")

    def test_json_is_distrusted(self):
        for fault in JSON_FAULTS:
            # Its numbers are times, which nothing is made of.
            if fault["variant"] == "numbers":
                continue
            self.expect_fault(
                f"poll, releases.json: {fault['kind']}, {fault['variant']}",
                {**fault, "path": "releases.json"},
                "releases.json",
            )
        self.expect_fault(
            "poll, releases.json that lacks its second half",
            {"kind": "truncated", "path": "releases.json"},
            "releases.json",
        )
        for what, body in (
            ("no kernels", '{"releases": []}'),
            ("number too large", '{"releases": [{"version": 1e400}]}'),
            ("text with terminal escapes", '"\x1b[31m\n::error::injected'),
        ):
            self.expect_fault(
                f"poll, releases.json: {what}",
                {"kind": "body", "body": body, "path": "releases.json"},
                "releases.json",
            )

    def test_server_faults(self):
        for path, name in (
            ("releases.json", "releases.json"),
            ("info/refs", "linux.git"),
        ):
            for what, fault, *words in (
                ("404", {"kind": "status", "status": 404}, "404"),
                ("500 for ever", {"kind": "status"}, "500"),
                ("redirects for ever", {"kind": "redirect_loop"}, "redirects"),
                ("server that says nothing", {"kind": "stall", "at": "request"}, "1 s"),
                ("server that stops half-way", {"kind": "stall"}, "1 s"),
                ("server that hangs up", {"kind": "close"}),
                ("answer cut off", {"kind": "cut_response"}),
            ):
                what = f"poll, {name}: {what}"
                self.expect_fault(what, {**fault, "path": path}, name, *words)
        self.expect_fault(
            "poll, linux.git: no git",
            {"kind": "body", "body": "<html>", "path": "info/refs"},
            "linux.git",
        )

    def test_server_that_is_not_there(self):
        self.env["VMTEST_KERNEL_ORG"] = "http://127.0.0.1:1"
        self.expect("poll, no server", self.poll(), 1, "kernel.org", "network")

    def test_names_that_nothing_has(self):
        for what, arguments, *words in (
            ("plan, unknown pattern", ["-k", "6.99*"], "6.99*", "vmtest-bot poll"),
            ("plan, unknown series", ["-k", "9.9"], "9.9"),
            ("plan, unknown flavor", ["-f", "huge"], "huge", "tiny"),
            ("plan, unknown architecture", ["-a", "vax"], "vax", "x86_64"),
            ("plan, empty pattern", ["-k", ""], "''"),
            ("plan, output of no workflow", ["--github-output"], "GITHUB_OUTPUT"),
        ):
            with self.subTest(what):
                self.expect(what, self.plan(*arguments), 2, *words)

    def build(self, *source):
        return self.attempt(
            "vmtest-kbuild",
            "build",
            *source,
            "--flavor=tiny",
            f"--output={self.folder / 'out'}",
            f"--directory={self.directory}",
        )

    def assert_no_source(self):
        left = files_below(self.directory) if self.directory.exists() else []
        self.assertIn(left, ([], ["sources"]))
        self.assertFalse((self.folder / "out").exists())

    def test_sources(self):
        version = f"--version={VERSION}"
        for what, fault, *words in (
            ("digests: 404", {"kind": "status", "status": 404, "path": "sums"}, "404"),
            ("digests: another one", {"kind": "wrong_digest", "path": "sums"}, "digest"),
            ("digests: cut short", {"kind": "truncated", "path": "sums"}, "cut off"),
            ("digests: a web page", {"kind": "body", "body": "<html>\n", "path": "sums"}, "PGP"),
            ("source: 404", {"kind": "status", "status": 404, "path": "tar.xz"}, "404"),
            ("source: 500 for ever", {"kind": "status", "path": "tar.xz"}, "500"),
            ("source: redirects", {"kind": "redirect_loop", "path": "tar.xz"}, "redirects"),
            ("source that stops half-way", {"kind": "stall", "path": "tar.xz"}, "gave up"),
            ("source that is cut short", {"kind": "truncated", "path": "tar.xz"}, "tar.xz"),
            ("source with a byte changed", {"kind": "corrupt", "path": "tar.xz"}, "damaged"),
        ):
            with self.subTest(what):
                self.set_faults(fault)
                result = self.build(version)
                self.set_faults()
                self.expect(f"build, {what}", result, 1, VERSION, *words)
                self.assert_no_source()
        result = self.build("--version=6.12.201")
        self.expect("build, version that there is not", result, 1, "6.12.201")
        self.assert_no_source()

    def test_sources_of_users(self):
        text = self.folder / "linux.tar.xz"
        text.write_text("no archive\n")
        empty = self.folder / "empty"
        empty.mkdir()
        other = self.folder / "other.tar.zst"
        other.write_bytes(tarball([entry("x/README", b"no kernel")]))
        git = self.kernel_org.urls["KERNEL_ORG_GIT"]
        for what, arguments, status, *words in (
            ("folder that is not there", ["--source=/no/such"], 2, "/no/such"),
            ("folder without a kernel", [f"--source={empty}"], 2, empty),
            ("file as a folder", [f"--source={text}"], 2, text),
            ("tarball that is not there", ["--tarball=/no/such"], 1, "/no/such"),
            ("folder as a tarball", [f"--tarball={empty}"], 1, empty),
            ("text as a tarball", [f"--tarball={text}"], 1, text, "damaged"),
            ("tarball without a kernel", [f"--tarball={other}"], 2, other.name),
            ("git: no such repository", ["--git=/no/such", "--ref=v6.12"], 1, "/no/such"),
            ("git: no such tag", [f"--git={git}", "--ref=v6.12.9999"], 1, "v6.12.9999"),
            ("git: without a ref", [f"--git={git}"], 2, "--ref"),
            ("no version", ["--version=six"], 2, "six"),
            ("no source", [], 2, "--source"),
            ("two sources", ["--source=/", "--version=6.12"], 2, "one source"),
        ):
            with self.subTest(what):
                self.expect(f"build, {what}", self.build(*arguments), status, *words)
                self.assert_no_source()


@unittest.skipIf(mounts.why_not(), mounts.why_not())
class DiskTest(TestCase):
    subject = "Disks of 2 MB that are full, and folders that are read-only"

    def setUp(self):
        super().setUp()
        self.disk = self.folder / "disk"
        self.disk.mkdir()
        self.store = self.folder / "store"
        self.package = self.store / NAME
        write_package(self.package, package_entries(size=4 << 20))
        self.catalog = catalog_without_patches(self.folder / "configs")

    def left_on_disk(self):
        """But for locks."""
        paths = self.listing.read_text().splitlines()
        return [p for p in paths if not p.endswith("lock")]

    def full(self):
        return mounts.full(self.disk, 2 << 20, self.listing)

    def read_only(self):
        return mounts.read_only(self.disk, self.listing)

    def attempt_download(self, prefix, directory):
        return self.attempt(
            "vmtest-vm",
            "download",
            f"--store=dir:{self.store}",
            f"--directory={directory}",
            f"--kernel={RELEASE}",
            prefix=prefix,
        )

    def publish(self, prefix):
        return self.attempt(
            "vmtest-bot",
            "publish",
            self.package,
            f"--store=dir:{self.disk}/store",
            f"--directory={self.folder / 'work'}",
            prefix=prefix,
        )

    def build(self, prefix, directory, output):
        source = self.folder / "linux.tar.zst"
        source.write_bytes(tarball(source_entries(size=4 << 20)))
        return self.attempt(
            "vmtest-kbuild",
            "build",
            f"--catalog={self.catalog}",
            f"--tarball={source}",
            f"--directory={directory}",
            f"--output={output}",
            prefix=prefix,
        )

    def test_full(self):
        full = "No space left on device"
        result = self.attempt_download(self.full(), self.disk)
        self.expect("download, full disk", result, 1, RELEASE, self.disk, full)
        self.assertEqual(self.left_on_disk(), [f"./{ARCH}"])
        result = self.publish(self.full())
        self.expect("publish, full disk", result, 1, NAME, self.disk, full)
        self.assertEqual(self.left_on_disk(), ["./store"])
        output = self.folder / "out"
        result = self.build(self.full(), self.disk, output)
        self.expect("build, full disk for sources", result, 1, self.disk, full)
        self.assertEqual(self.left_on_disk(), ["./sources"])
        self.assertFalse(output.exists())

    def test_full_in_a_run_of_the_bot(self):
        source = self.folder / "linux.tar.xz"
        source.write_bytes(tarball(source_entries(size=4 << 20), ("xz", "-0")))
        kernel_org = self.start(
            "kernel_org.py",
            f"--source={VERSION}={source}",
            f"--cache={self.folder / 'cache'}",
        )
        self.env.update(mirror(kernel_org))
        store = self.folder / "new-store"
        result = self.attempt(
            "vmtest-bot",
            "run",
            "--arch=host",
            "--flavor=tiny",
            f"--store=dir:{store}",
            f"--directory={self.disk}",
            prefix=self.full(),
        )
        self.expect(
            "run, full disk for sources",
            result,
            1,
            VERSION,
            self.disk,
            "No space left on device",
            other_lines=True,
        )
        self.assertEqual(self.left_on_disk(), ["./sources"])
        self.assertEqual(list(store.glob("kernel-*")), [])
        self.assertIn("failed", result.stdout)

    def test_read_only(self):
        words = (self.disk, "Read-only file system")
        result = self.attempt_download(self.read_only(), self.disk)
        self.expect("download, read-only folder", result, 1, RELEASE, *words)
        result = self.publish(self.read_only())
        self.expect("publish, read-only folder", result, 1, NAME, *words)
        out = self.folder / "out"
        result = self.build(self.read_only(), self.disk, out)
        self.expect("build, read-only folder for sources", result, 1, *words)
        result = self.build(self.read_only(), self.directory, self.disk / "out")
        self.expect("build, read-only folder for packages", result, 1, *words)
        self.assertEqual(self.listing.read_text(), "")

    def test_read_only_with_what_is_there(self):
        """Reading needs no writing."""
        write_folder(self.disk / ARCH / f"kernel-{RELEASE}")
        result = self.attempt_download(self.read_only(), self.disk)
        self.record("download of what is there, read-only folder", result)
        self.assert_status(result, 0)

    def test_places_that_are_no_folders(self):
        file = self.folder / "file"
        file.write_text("x")
        result = self.attempt_download([], file)
        self.expect("download into a file", result, 1, file, "Not a directory")
        result = self.attempt_download([], "")
        self.expect("download into ''", result, 2, "--directory")
        result = self.attempt_download([], "/proc/vmtest")
        self.expect("download into /proc", result, 1, "/proc/vmtest")
        self.store = self.folder / "store"
        result = self.attempt(
            "vmtest-bot", "publish", self.package, f"--store=dir:{file}"
        )
        self.expect("publish into a file", result, 1, file, "Not a directory")


def kvm_is_broken():
    """It opens, on an x86 processor without virtualization."""
    flags = Path("/proc/cpuinfo").read_text()
    return (
        ARCH == "x86_64"
        and os.access("/dev/kvm", os.R_OK | os.W_OK)
        and not re.search(r"\b(vmx|svm)\b", flags)
    )


class RunTest(TestCase):
    subject = "Running: `vmtest-vm run`"

    def setUp(self):
        super().setUp()
        self.kernel = write_folder(self.folder / "kernel")

    def run_vm(self, *options, kernel=None, **kwargs):
        return self.attempt(
            "vmtest-vm",
            "run",
            f"--kernel={kernel or self.kernel}",
            f"--directory={self.directory}",
            *options,
            "--",
            "true",
            **kwargs,
        )

    def expect_bad_file(self, what, name, data, *words):
        """data: the file's bytes, None for no file, or what makes it."""
        file = self.kernel / name
        file.unlink()
        if callable(data):
            data(file)
        elif data is not None:
            file.write_bytes(data)
        with self.subTest(what):
            self.expect(what, self.run_vm(), 125, self.kernel, *words)
        shutil.rmtree(self.kernel)
        write_folder(self.kernel)

    def test_folders_that_are_no_packages(self):
        def broken(file):
            """What not even root can read."""
            file.symlink_to("/proc/self/mem")

        release = "build/include/config/kernel.release"
        for what, name, data, *words in (
            ("kernel.release cannot be read", release, broken, "Input/output error"),
            (".config cannot be read", "build/.config", broken, "Input/output error"),
            ("no kernel.release", release, None, "kernel.release"),
            ("kernel.release is empty", release, b"", "kernel.release"),
            ("kernel.release is a path", release, b"../../etc\n", "kernel.release"),
            ("kernel.release of escapes", release, b"\x1b[31m\n", "kernel.release"),
            ("kernel.release of 1 MB", release, b"6" * (1 << 20), "kernel.release"),
            ("kernel.release is a folder", release, os.mkdir, "kernel.release"),
            (".config is a folder", "build/.config", os.mkdir, ".config"),
            (".config of 5 MB", "build/.config", b"#" * (5 << 20), ".config"),
            ("no vmlinuz", "vmlinuz", None, "vmlinuz"),
        ):
            self.expect_bad_file(what, name, data, *words)
        result = self.run_vm(kernel="/no/such/folder")
        self.expect("no such folder", result, 125, "/no/such/folder")
        result = self.run_vm(kernel=self.kernel / "vmlinuz")
        self.expect("file as a folder", result, 125, self.kernel)

    @unittest.skipUnless(shutil.which(f"qemu-system-{ARCH}"), "no QEMU")
    def test_a_file_that_is_no_kernel(self):
        result = self.run_vm()
        self.expect("vmlinuz is text", result, 125, RELEASE, "QEMU")

    @unittest.skipIf(os.geteuid() == 0, "root can read everything")
    def test_unreadable_package(self):
        (self.kernel / "build").chmod(0)
        self.addCleanup((self.kernel / "build").chmod, 0o700)
        self.expect("unreadable folder", self.run_vm(), 125, "Permission denied")

    def test_no_qemu(self):
        self.env["PATH"] = str(self.folder)
        result = self.run_vm()
        self.expect("no QEMU", result, 125, f"qemu-system-{ARCH}", "install")

    @unittest.skipUnless(shutil.which(f"qemu-system-{ARCH}"), "no QEMU")
    @unittest.skipIf(os.geteuid() != 0, "only root can make a /dev without KVM")
    def test_no_kvm(self):
        result = self.run_vm("--accel=kvm", prefix=mounts.without_devices())
        self.expect("--accel kvm without /dev/kvm", result, 125, "KVM", "--accel tcg")

    @unittest.skipUnless(kvm_is_broken(), "KVM works here, or is not there")
    def test_kvm_that_cannot_work(self):
        if not list(support.CACHE.glob("store/kernel-*")):
            self.skipTest("no kernel has been built yet")
        self.kernel = support.kernel()
        result = self.run_vm("--accel=kvm")
        what = "--accel kvm where it cannot work"
        self.expect(what, result, 125, "KVM", "--accel tcg")

    def test_kernels_that_are_not_there(self):
        store = f"--store=dir:{self.folder / 'store'}"
        for what, status, options, *words in (
            ("unknown pattern", 125, ["-k", "9.99*"], "9.99*"),
            ("unknown flavor", 2, ["-f", "huge"], "huge", "tiny"),
            ("unknown architecture", 2, ["-a", "vax"], "vax", "x86_64"),
            ("two kernels", 2, ["-k", "6.1,6.12"], "--kernel"),
            ("two architectures", 2, ["-a", "x86_64,x86_64"], "--arch"),
        ):
            with self.subTest(what):
                result = self.attempt(
                    "vmtest-vm",
                    "run",
                    store,
                    f"--directory={self.directory}",
                    *options,
                    "--",
                    "true",
                )
                self.expect(what, result, status, *words)

    def test_wrong_options(self):
        for option, status in (
            ("--timeout=soon", 2),
            ("--timeout=-1", 2),
            ("--timeout=99999999999999999999", 2),
            ("--accel=hvf", 2),
            ("--machine=vax", 2),
            ("--memory=lots", 2),
            ("--memory=0", 2),
            ("--cpus=many", 2),
            ("--lost-status=256", 2),
            ("--env=1=x", 2),
            ("--env=NOT_SET_ANYWHERE", 2),
            ("--rw=/no/such/folder", 125),
            ("--rw=/etc/passwd", 2),
            ("--root=/no/such/folder", 125),
            ("--root=/etc/passwd", 2),
        ):
            with self.subTest(option):
                name = option.partition("=")[0]
                result = self.run_vm(option)
                self.expect(f"`{option}`", result, status, name)


class UsageTest(TestCase):
    subject = "Command lines and catalogs"

    def test_wrong_usage(self):
        for command, *words in (
            ("vmtest-bot frobnicate", "frobnicate", "--help"),
            ("vmtest-bot poll --frobnicate", "--frobnicate", "--help"),
            ("vmtest-bot poll extra", "extra"),
            ("vmtest-bot poll --json=yes", "--json"),
            ("vmtest-bot poll -x", "-x"),
            ("vmtest-bot run --limit", "--limit"),
            ("vmtest-bot run --limit=-1", "--limit"),
            ("vmtest-bot run --jobs=all", "--jobs"),
            ("vmtest-bot publish", "FILE"),
            ("vmtest-bot publish kernel.tar.zst --store=dir:x", "kernel.tar.zst"),
            ("vmtest-bot status --store=ftp:x", "ftp:x", "dir:PATH"),
            ("vmtest-bot status --store=github:only", "github:only"),
            ("vmtest-bot status --store=github:a/b@../..", "github:a/b@../.."),
            ("vmtest-bot status --store=dir:", "dir:PATH"),
            ("vmtest-bot status --store=", "dir:PATH"),
            ("vmtest-bot prune --arch=vax --store=dir:x", "vax"),
            ("vmtest-bot prune --kernel= --store=dir:x", "--kernel"),
            ("vmtest-bot prune --keep=some --store=dir:x", "--keep"),
            ("vmtest-kbuild frobnicate", "frobnicate"),
            ("vmtest-kbuild config", "version"),
            ("vmtest-kbuild config six", "six"),
            ("vmtest-kbuild config 6.12 --source=.", "--source"),
            ("vmtest-kbuild config --source=nowhere", "nowhere"),
            ("vmtest-kbuild config --source=.", "Makefile"),
            ("vmtest-kbuild config 6.12 --flavor=huge", "huge"),
            ("vmtest-kbuild config 6.12 --arch=x86_64,x86_64", "one"),
            ("vmtest-kbuild build --version=6.12", "--output"),
            ("vmtest-kbuild build --version=6.12 -o x --package-format=zip", "zip"),
            ("vmtest-vm frobnicate", "frobnicate"),
            ("vmtest-vm download", "--kernel"),
            ("vmtest-vm list extra", "extra"),
            ("vmtest-vm list --arch=vax", "vax"),
            ("vmtest-vm prune --flavor=huge", "huge"),
        ):
            with self.subTest(command):
                program, *arguments = command.split()
                result = self.attempt(program, *arguments, cwd=self.folder)
                self.expect(f"`{command}`", result, 2, *words)
                self.assertEqual(list(self.folder.iterdir()), [])

    def test_wrong_variables(self):
        for name, value in (
            ("VMTEST_RETRY_SECONDS", "long"),
            ("VMTEST_STALL_SECONDS", "0"),
            ("VMTEST_SILENCE_SECONDS", "0"),
            ("GITHUB_API_URL", "api.github.com"),
            ("VMTEST_STORE", "s3:x"),
        ):
            with self.subTest(name):
                self.env[name] = value
                result = self.attempt(
                    "vmtest-bot", "status", f"--directory={self.directory}"
                )
                word = value if name == "VMTEST_STORE" else name
                self.expect(f"`{name}={value}`", result, 2, word)
                del self.env[name]

    def test_catalogs(self):
        good = (support.TOP / "configs/vmtest.json").read_text()
        catalog = self.folder / "vmtest.json"
        for what, text in (
            ("empty", ""),
            ("cut short", good[: len(good) // 2]),
            ("a list", "[]"),
            ("100,000 lists in each other", "[" * 100000),
            ("a name twice", good.replace('"tag"', '"repository"')),
            ("a number as a string", good.replace('"revision": 1', '"revision": "1"')),
            ("a negative number", good.replace('"revision": 1', '"revision": -1')),
            ("no version", good.replace('"min": "4.9"', '"min": "four"')),
            ("no URL", good.replace("https://", "")),
            ("no machines", re.sub(r'"machines": \[.*\]', '"machines": []', good, flags=re.S)),
            ("no UTF-8", good.replace("osandov", "\udcff")),
        ):
            with self.subTest(what):
                catalog.write_text(text, errors="surrogateescape")
                result = self.attempt(
                    "vmtest-kbuild", "config", "6.12", f"--catalog={catalog}"
                )
                self.expect(f"catalog: {what}", result, 2, catalog)
        catalog.write_text(good + " " * (5 << 20))
        for what, path in (
            ("no file", "/no/such.json"),
            ("a folder", self.folder),
            ("5 MB", catalog),
        ):
            with self.subTest(what):
                result = self.attempt(
                    "vmtest-kbuild", "config", "6.12", f"--catalog={path}"
                )
                self.expect(f"catalog: {what}", result, 1, path)

    def test_no_home(self):
        self.env = {"PATH": self.env["PATH"]}
        result = self.attempt("vmtest-vm", "list")
        self.expect("neither HOME nor XDG_CACHE_HOME", result, 2, "--directory")


if __name__ == "__main__":
    if "--table" in sys.argv:
        sys.argv.remove("--table")
        program = unittest.main(exit=False)
        TABLE.print()
        sys.exit(not program.result.wasSuccessful())
    unittest.main()
