#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""
The stand-ins in tests/fixtures do what they say: each fault, each of GitHub's
and kernel.org's rules, and a GitHub release's whole life as GitHub's own
OpenAPI description allows it.

    tests/integration/fixtures_test.py
    tests/integration/fixtures_test.py KernelOrgTest.test_range
"""

import bz2
import contextlib
import hashlib
import http.client
import io
import json
import lzma
import os
import re
import signal
import socket
import subprocess
import sys
import tarfile
import tempfile
import time
import unittest
import urllib.parse
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

FIXTURES = Path(__file__).resolve().parent.parent / "fixtures"
sys.path.insert(0, str(FIXTURES))

from crosstool import write_crosstool  # noqa: E402
from kernel_source import (  # noqa: E402
    KernelSource,
    SourceCache,
    installed_tarballs,
)
from stand_in import Skipped, StandIn  # noqa: E402

RELEASES = "/repos/octo/kernels/releases"


class Answer:
    def __init__(self, status, headers, body):
        self.status = status
        self.headers = headers
        self.body = body

    def json(self):
        return json.loads(self.body)


def fetch(url, method="GET", headers=None, body=None, timeout=10):
    """One request, no redirects followed, nothing retried."""
    parts = urllib.parse.urlsplit(url)
    target = urllib.parse.urlunsplit(("", "", parts.path, parts.query, ""))
    headers = {"User-Agent": "fixtures-test", **(headers or {})}
    connection = http.client.HTTPConnection(
        parts.hostname, parts.port, timeout=timeout
    )
    with contextlib.closing(connection):
        connection.request(method, target, body, headers)
        response = connection.getresponse()
        return Answer(response.status, response.headers, response.read())


def run(*command, **options):
    result = subprocess.run(
        command, check=True, capture_output=True, text=True, **options
    )
    return result.stdout


def pattern(size):
    """Bytes that say where they are."""
    return b"".join(b"%07d\n" % i for i in range(size // 8 + 1))[:size]


def write_tarball(path, version, extra=b""):
    """A kernel source tarball as far as our code looks into one."""
    major, minor, point = version.split(".")
    makefile = (
        f"# SPDX\nVERSION = {major}\nPATCHLEVEL = {minor}\n"
        f"SUBLEVEL = {point}\nEXTRAVERSION =\nNAME = Test\n"
    ).encode()
    with tarfile.open(path, "w:xz") as archive:
        for name, data in (("COPYING", extra), ("Makefile", makefile)):
            member = tarfile.TarInfo(f"linux-source-6.12/{name}")
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))


class FolderTest(unittest.TestCase):
    """A test with a temporary folder, and stand-ins that end with it."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="fixtures-test.")
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def start(self, program, *arguments, **options):
        stand_in = StandIn(program, *arguments, **options)
        self.addCleanup(stand_in.stop)
        return stand_in


class KernelOrgTest(FolderTest):
    def setUp(self):
        super().setUp()
        self.tarballs = {}
        for version in ("6.12.115", "6.12.117", "7.2.13"):
            path = self.folder / f"{version}.tar.xz"
            write_tarball(path, version, pattern(100000))
            self.tarballs[version] = path

    def start_kernel_org(self, *arguments):
        sources = [
            argument
            for version, path in self.tarballs.items()
            for argument in ("--source", f"{version}={path}")
        ]
        server = self.start(
            "kernel_org.py",
            *sources,
            *("--cache", self.folder / "cache"),
            *arguments,
        )
        self.releases = server.urls["KERNEL_ORG_RELEASES"]
        self.pub = server.urls["KERNEL_ORG_PUB"]
        self.git = server.urls["KERNEL_ORG_GIT"]
        return server

    def listed(self):
        releases = fetch(self.releases).json()["releases"]
        return [(r["moniker"], r["version"]) for r in releases]

    def test_releases(self):
        self.start_kernel_org()
        value = fetch(self.releases).json()
        self.assertEqual(value["latest_stable"], {"version": "7.2.13"})
        stable, longterm = value["releases"]
        self.assertEqual(stable["moniker"], "stable")
        self.assertEqual(longterm["moniker"], "longterm")
        self.assertEqual(longterm["version"], "6.12.117")
        self.assertEqual(
            longterm["source"], f"{self.pub}/v6.x/linux-6.12.117.tar.xz"
        )
        self.assertEqual(
            set(longterm),
            {
                *("iseol", "version", "moniker", "source", "pgp", "released"),
                *("gitweb", "changelog", "diffview", "patch"),
            },
        )
        self.assertEqual(set(longterm["patch"]), {"full", "incremental"})
        self.assertEqual(set(longterm["released"]), {"timestamp", "isodate"})

    def test_conditional(self):
        server = self.start_kernel_org()
        first = fetch(self.releases)
        for condition, status in (
            ({"If-None-Match": first.headers["ETag"]}, 304),
            ({"If-None-Match": f'"x", W/{first.headers["ETag"]}'}, 304),
            ({"If-None-Match": '"other"'}, 200),
            ({"If-Modified-Since": first.headers["Last-Modified"]}, 304),
            (
                {"If-Modified-Since": "Thu, 01 Jan 2015 00:00:00 GMT"},
                200,
            ),
        ):
            with self.subTest(condition):
                answer = fetch(self.releases, headers=condition)
                self.assertEqual(answer.status, status)
                self.assertEqual(bool(answer.body), status == 200)
        server.control(offer=["6.12.115"])
        again = {"If-None-Match": first.headers["ETag"]}
        self.assertEqual(fetch(self.releases, headers=again).status, 200)

    def test_new_kernel_appears(self):
        server = self.start_kernel_org("--offer", "6.12.115")
        new = f"{self.pub}/v6.x/linux-6.12.117.tar.xz"
        self.assertEqual(self.listed(), [("longterm", "6.12.115")])
        self.assertEqual(fetch(new).status, 404)
        self.assertNotIn("v6.12.117", run("git", "ls-remote", self.git))

        server.control(offer=["6.12.115", "6.12.117"])
        self.assertEqual(self.listed(), [("longterm", "6.12.117")])
        self.assertEqual(fetch(new).status, 200)
        tags = run("git", "ls-remote", "--tags", self.git)
        for tag in ("v6.12.115", "v6.12.117", "v6.12.117^{}"):
            self.assertIn(f"refs/tags/{tag}\n", tags)

    def test_what_is_alive(self):
        server = self.start_kernel_org()
        server.control(
            offer=["5.4.300", "6.12.1", "7.1.9", "7.2", "7.3-rc2"]
            + ["next-20260801"],
            unlisted=["7.1"],
            eol=["5.4"],
            monikers={"6.12": "stable"},
        )
        self.assertEqual(
            self.listed(),
            [
                ("linux-next", "next-20260801"),
                ("mainline", "7.3-rc2"),
                ("stable", "7.2"),
                ("stable", "6.12.1"),
                ("longterm", "5.4.300"),
            ],
        )
        value = fetch(self.releases).json()
        self.assertEqual(value["latest_stable"]["version"], "7.2")
        by_version = {r["version"]: r for r in value["releases"]}
        self.assertTrue(by_version["5.4.300"]["iseol"])
        self.assertIsNone(by_version["next-20260801"]["source"])
        candidate = by_version["7.3-rc2"]
        self.assertTrue(candidate["source"].endswith("linux-7.3-rc2.tar.gz"))
        self.assertIsNone(candidate["pgp"])
        self.assertIn("v7.1.9", run("git", "ls-remote", self.git))

    def test_bad_control(self):
        server = self.start_kernel_org()
        control = server.urls["KERNEL_ORG_CONTROL"]
        for body in (
            "[]",
            "{",
            '{"offer": "6.12"}',
            '{"offer": ["6"]}',
            '{"sources": []}',
            '{"faults": [{"kind": "unknown"}]}',
            '{"faults": [{"kind": "close", "bytes": 1}]}',
            '{"faults": [{"kind": "truncated", "bytes": "1"}]}',
            '{"faults": [{"kind": "status", "path": "("}]}',
        ):
            with self.subTest(body):
                answer = fetch(control, "POST", body=body)
                self.assertEqual(answer.status, 400, answer.body)
        self.assertEqual(len(self.listed()), 2)

    def test_digests(self):
        self.start_kernel_org()
        text = fetch(f"{self.pub}/v6.x/sha256sums.asc").body.decode()
        self.assertTrue(text.startswith("-----BEGIN PGP SIGNED MESSAGE-----\n"))
        self.assertTrue(text.endswith("-----END PGP SIGNATURE-----\n"))
        sums = dict(
            reversed(pair)
            for pair in re.findall(r"^([0-9a-f]{64})  (\S+)$", text, re.M)
        )
        self.assertNotIn("linux-7.2.13.tar.xz", sums)
        for version in ("6.12.115", "6.12.117"):
            name = f"linux-{version}.tar.xz"
            answer = fetch(f"{self.pub}/v6.x/{name}")
            self.assertEqual(answer.body, self.tarballs[version].read_bytes())
            digest = hashlib.sha256(answer.body).hexdigest()
            self.assertEqual(sums[name], digest)

    def test_changed_tarball_gets_another_digest(self):
        self.start_kernel_org()
        first = fetch(f"{self.pub}/v7.x/sha256sums.asc").body
        write_tarball(self.tarballs["7.2.13"], "7.2.13", b"changed")
        self.start_kernel_org()
        self.assertNotEqual(
            fetch(f"{self.pub}/v7.x/sha256sums.asc").body, first
        )

    def test_range(self):
        self.start_kernel_org()
        url = f"{self.pub}/v7.x/linux-7.2.13.tar.xz"
        data = self.tarballs["7.2.13"].read_bytes()
        size = len(data)
        whole = fetch(url)
        self.assertEqual(whole.headers["Accept-Ranges"], "bytes")
        for asked, start, end in (
            ("bytes=0-9", 0, 10),
            ("bytes=10-", 10, size),
            ("bytes=-7", size - 7, size),
            (f"bytes=5-{size + 100}", 5, size),
        ):
            with self.subTest(asked):
                answer = fetch(url, headers={"Range": asked})
                self.assertEqual(answer.status, 206)
                self.assertEqual(answer.body, data[start:end])
                self.assertEqual(
                    answer.headers["Content-Range"],
                    f"bytes {start}-{end - 1}/{size}",
                )
        answer = fetch(url, headers={"Range": f"bytes={size}-"})
        self.assertEqual(answer.status, 416)
        self.assertEqual(answer.headers["Content-Range"], f"bytes */{size}")
        for condition, status in ((whole.headers["ETag"], 206), ('"x"', 200)):
            headers = {"Range": "bytes=1-", "If-Range": condition}
            self.assertEqual(fetch(url, headers=headers).status, status)

    def test_head(self):
        self.start_kernel_org()
        answer = fetch(f"{self.pub}/v7.x/linux-7.2.13.tar.xz", "HEAD")
        size = self.tarballs["7.2.13"].stat().st_size
        self.assertEqual(answer.headers["Content-Length"], str(size))
        self.assertEqual(answer.body, b"")

    def test_not_found(self):
        self.start_kernel_org()
        for path in (
            "v6.x/linux-7.2.13.tar.xz",
            "v7.x/linux-7.2.14.tar.xz",
            "v9.x/sha256sums.asc",
            "v7.x/linux-../../../../etc/passwd.tar.xz",
        ):
            self.assertEqual(fetch(f"{self.pub}/{path}").status, 404, path)

    def test_crosstool(self):
        folder = self.folder / "crosstool"
        tarball = write_crosstool(folder, "x86_64", "8.5.0", "s390-linux")
        self.start_kernel_org("--crosstool", folder)
        base = self.releases.replace(
            "/releases.json", "/pub/tools/crosstool/files/bin/x86_64/8.5.0"
        )
        body = fetch(f"{base}/{tarball.name}").body
        self.assertEqual(body, tarball.read_bytes())
        digest = hashlib.sha256(body).hexdigest()
        sums = fetch(f"{base}/sha256sums.asc").body.decode()
        self.assertIn(f"\n{digest}  {tarball.name}\n", sums)
        for url in (f"{base}/other.tar.xz", f"{base}.1/sha256sums.asc"):
            self.assertEqual(fetch(url).status, 404)

    def test_git(self):
        tree = self.folder / "tree"
        (tree / "init").mkdir(parents=True)
        (tree / "init" / "main.c").write_text("int main;\n")
        (tree / "Makefile").write_text("VERSION = 6\n")
        tags = self.folder / "tags"
        tags.write_text("".join(f"v5.0.{i}\n" for i in range(3000)))
        self.start_kernel_org(
            *("--git-source", f"6.12.3={tree}", "--tags", tags)
        )
        lines = run("git", "ls-remote", "--tags", self.git).splitlines()
        self.assertEqual(len(lines), 2 * 3004)

        clone = self.folder / "clone"
        for version, file in (("6.12.3", "init/main.c"), ("7.2.13", "README")):
            for depth, least, most in (("1", 1, 1), ("1000000", 2, 10)):
                with self.subTest(version, depth=depth):
                    run(
                        *("git", "clone", "-q", "--depth", depth),
                        *("-b", f"v{version}", self.git, str(clone)),
                    )
                    self.assertTrue((clone / file).is_file())
                    count = run(
                        "git", "-C", str(clone), "rev-list", "--count", "HEAD"
                    )
                    self.assertTrue(least <= int(count) <= most, count)
                    run("rm", "-r", str(clone))
        self.assertEqual(self.listed()[1], ("longterm", "6.12.117"))

    def test_deb(self):
        package = self.folder / "package"
        (package / "DEBIAN").mkdir(parents=True)
        (package / "DEBIAN" / "control").write_text(
            "Package: linux-source-6.12\nVersion: 1\nArchitecture: all\n"
            "Maintainer: Nobody <nobody@example.org>\nDescription: test\n"
        )
        sources = package / "usr" / "src"
        sources.mkdir(parents=True)
        write_tarball(sources / "linux-source-6.12.tar.xz", "6.12.99")
        deb = self.folder / "linux-source.deb"
        run("dpkg-deb", "-b", str(package), str(deb))
        self.tarballs = {}
        for _ in range(2):
            self.start_kernel_org("--deb", deb)
            self.assertEqual(self.listed(), [("longterm", "6.12.99")])

    def test_bzip2(self):
        tarball = self.folder / "linux-source-6.8.0.tar.xz"
        write_tarball(tarball, "6.8.12")
        plain = lzma.decompress(tarball.read_bytes())
        tarball.unlink()
        packed = self.folder / "linux-source-6.8.0.tar.bz2"
        packed.write_bytes(bz2.compress(plain))
        for _ in range(2):
            cache = SourceCache(self.folder / "cache")
            (found,) = installed_tarballs(cache, self.folder)
            self.assertEqual(lzma.decompress(found.read_bytes()), plain)
            self.assertEqual(KernelSource(found, cache).version, "6.8.12")

    @unittest.skipUnless(
        list(Path("/usr/src").glob("linux-source-*.tar.*")),
        "no linux-source package is installed",
    )
    def test_installed(self):
        self.tarballs = {}
        self.start_kernel_org("--installed")
        for moniker, version in self.listed():
            self.assertRegex(version, r"^\d+\.\d+(\.\d+)?$")
            self.assertIn(moniker, ("stable", "longterm", "mainline"))


class ProgramTest(FolderTest):
    """The ways to start and stop, the same for all."""

    def command(self, *arguments):
        return [
            sys.executable,
            str(FIXTURES / "kernel_org.py"),
            *("--cache", str(self.folder / "cache"), *arguments),
        ]

    def environment(self):
        return {**os.environ, "TMPDIR": str(self.folder)}

    def leftovers(self):
        return list(self.folder.glob("kernel_org.*"))

    def wait_for(self, condition):
        deadline = time.monotonic() + 10
        while not condition():
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.02)

    def test_help(self):
        for program in ("kernel_org.py", "github.py", "prism.py"):
            text = run(sys.executable, FIXTURES / program, "--help")
            self.assertIn("usage:", text)
            self.assertIn("_CONTROL=", text)

    def test_signals_leave_nothing(self):
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            with self.subTest(number):
                ready = self.folder / f"ready-{number}"
                process = subprocess.Popen(
                    self.command("--ready-file", str(ready)),
                    env=self.environment(),
                    stdout=subprocess.DEVNULL,
                )
                self.wait_for(ready.exists)
                self.assertEqual(len(ready.read_text().splitlines()), 4)
                self.assertEqual(len(self.leftovers()), 1)
                process.send_signal(number)
                self.assertEqual(process.wait(10), 0)
                self.assertEqual(self.leftovers(), [])

    def test_end_of_stdin(self):
        ready = self.folder / "ready"
        process = subprocess.Popen(
            self.command("--stdin-eof", "--ready-file", str(ready)),
            env=self.environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
        )
        self.wait_for(ready.exists)
        process.stdin.close()
        self.assertEqual(process.wait(10), 0)
        self.assertEqual(self.leftovers(), [])

    def test_death_of_parent(self):
        ready = self.folder / "ready"
        parent = subprocess.Popen(
            ["sh", "-c", '"$@" & wait', "sh"]
            + self.command("--ready-file", str(ready)),
            env=self.environment(),
            stdout=subprocess.DEVNULL,
        )
        self.wait_for(ready.exists)
        parent.kill()
        parent.wait()
        self.wait_for(lambda: not self.leftovers())

    def test_fixed_port(self):
        with socket.create_server(("127.0.0.1", 0)) as probe:
            port = probe.getsockname()[1]
        server = self.start("github.py", "--port", f"uploads={port}")
        self.assertEqual(
            server.urls["GITHUB_UPLOADS_URL"], f"http://127.0.0.1:{port}"
        )

    def test_bad_arguments(self):
        for arguments in (
            ["kernel_org.py", "--source", "6.12"],
            ["kernel_org.py", "--source", "6.12=/nonexistent"],
            ["kernel_org.py", "--deb", "/nonexistent"],
            ["kernel_org.py", "--offer", "new"],
            ["github.py", "--repository", "../x/y"],
            ["github.py", "--token", "t:admin"],
            ["github.py", "--port", "nothing=1"],
        ):
            with self.subTest(arguments):
                result = subprocess.run(
                    [sys.executable, FIXTURES / arguments[0], *arguments[1:]],
                    capture_output=True,
                    text=True,
                )
                self.assertIn(result.returncode, (1, 2))
                self.assertNotIn("Traceback", result.stderr)


class FaultTest(FolderTest):
    """Each fault, seen by a client of kernel_org.py."""

    def setUp(self):
        super().setUp()
        self.tarball = self.folder / "x.tar.xz"
        self.tarball.write_bytes(pattern(1000000))
        self.data = self.tarball.read_bytes()
        self.server = self.start(
            "kernel_org.py",
            *("--source", f"6.12.1={self.tarball}"),
            *("--cache", self.folder / "cache"),
        )
        pub = self.server.urls["KERNEL_ORG_PUB"]
        self.url = f"{pub}/v6.x/linux-6.12.1.tar.xz"
        self.sums = f"{pub}/v6.x/sha256sums.asc"
        self.releases = self.server.urls["KERNEL_ORG_RELEASES"]

    def tearDown(self):
        self.assertEqual(self.server.control()["errors"], 0)

    def fault(self, kind, **options):
        self.server.control(faults=[{"kind": kind, **options}])

    def fired(self):
        return self.server.control()["faults"][0]["fired"]

    def fetch_part(self, url):
        """What arrives of a body whose connection ends early."""
        try:
            body = fetch(url).body
            self.fail(f"all {len(body)} bytes arrived")
        except http.client.IncompleteRead as error:
            return error.partial

    def test_matching(self):
        self.server.control(
            faults=[
                {"kind": "status", "status": 500, "path": r"\.tar\.xz$"}
                | {"skip": 1, "count": 2, "method": "GET"},
                {"kind": "status", "status": 503, "path": r"\?x=1"},
                {"kind": "status", "status": 418, "endpoint": "uploads"},
            ]
        )
        got = [fetch(self.url).status for _ in range(4)]
        self.assertEqual(got, [200, 500, 500, 200])
        self.assertEqual(fetch(self.url, "HEAD").status, 200)
        self.assertEqual(fetch(f"{self.releases}?x=1").status, 503)
        fired = [f["fired"] for f in self.server.control()["faults"]]
        self.assertEqual(fired, [2, 1, 0])

    def test_for_ever(self):
        self.fault("status", count=-1)
        self.assertEqual({fetch(self.url).status for _ in range(5)}, {500})
        self.server.control(faults=[])
        self.assertEqual(fetch(self.url).status, 200)

    def test_from_file(self):
        path = self.folder / "faults.json"
        path.write_text('[{"kind": "status", "status": 410}]')
        server = self.start(
            "kernel_org.py",
            *("--faults", path, "--cache", self.folder / "cache"),
        )
        url = server.urls["KERNEL_ORG_RELEASES"]
        self.assertEqual([fetch(url).status for _ in (1, 2)], [410, 200])

    def test_status(self):
        self.fault(
            "status", status=429, headers={"Retry-After": 7}, body="later"
        )
        answer = fetch(self.url)
        self.assertEqual(answer.status, 429)
        self.assertEqual(answer.headers["Retry-After"], "7")
        self.assertEqual(answer.body, b"later")

    def test_close(self):
        self.fault("close")
        with self.assertRaises(http.client.RemoteDisconnected):
            fetch(self.url)

    def test_redirect_loop(self):
        self.fault("redirect_loop")
        result = subprocess.run(
            ["curl", "-sL", "--max-redirs", "9", self.url], capture_output=True
        )
        self.assertEqual(result.returncode, 47)
        self.assertEqual(self.fired(), 10)

    def test_body(self):
        self.fault("body", body="<html>", content_type="text/html")
        answer = fetch(self.releases)
        self.assertEqual((answer.status, answer.body), (200, b"<html>"))

    def test_cut_response(self):
        for options, size in (
            ({"bytes": 0}, 0),
            ({"bytes": 12345}, 12345),
            ({"percent": 90}, 900000),
            ({}, 500000),
        ):
            with self.subTest(options):
                self.fault("cut_response", **options)
                self.assertEqual(self.fetch_part(self.url), self.data[:size])

    def test_cut_by_reset(self):
        self.fault("cut_response", bytes=100, reset=True)
        with self.assertRaises(ConnectionResetError):
            fetch(self.url)

    def test_cut_then_resumed(self):
        self.fault("cut_response", percent=30)
        target = self.folder / "download"
        run(
            *("curl", "-sS", "--retry", "2", "--retry-all-errors"),
            *("--retry-delay", "0", "-C", "-", "-o", target, self.url),
            env={**os.environ, "LC_ALL": "C"},
        )
        self.assertEqual(target.read_bytes(), self.data)

    def test_truncated(self):
        self.fault("truncated", bytes=1000)
        answer = fetch(self.url)
        self.assertEqual(answer.status, 200)
        self.assertEqual(answer.body, self.data[:1000])

    def test_corrupt(self):
        for options, flipped in (
            ({"bytes": 500}, [500]),
            ({"percent": 100}, [999999]),
            ({"bytes": 262143, "flips": 2}, [262143, 262144]),
        ):
            with self.subTest(options):
                self.fault("corrupt", **options)
                body = fetch(self.url).body
                self.assertEqual(len(body), len(self.data))
                different = [
                    i for i, b in enumerate(body) if b != self.data[i]
                ]
                self.assertEqual(different, flipped)

    def test_wrong_length(self):
        self.fault("wrong_length", delta=5)
        self.assertEqual(self.fetch_part(self.url), self.data)
        self.fault("wrong_length", delta=-5)
        self.assertEqual(fetch(self.url).body, self.data[:-5])

    def test_stall(self):
        for options, size in (
            ({"at": "headers"}, 0),
            ({"bytes": 777}, 777),
            ({}, 500000),
        ):
            with self.subTest(options):
                self.fault("stall", seconds=0.3, **options)
                start = time.monotonic()
                self.assertEqual(self.fetch_part(self.url), self.data[:size])
                self.assertGreaterEqual(time.monotonic() - start, 0.3)

    def test_stall_until_the_client_goes(self):
        self.fault("stall", at="request")
        with self.assertRaises(TimeoutError):
            fetch(self.url, timeout=0.3)
        deadline = time.monotonic() + 5
        while not self.server.requests(fault="stall"):
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.02)
        self.assertEqual(self.server.requests(fault="stall")[0]["status"], 0)

    def test_delay(self):
        self.fault("delay", seconds=0.3)
        start = time.monotonic()
        self.assertEqual(fetch(self.url).body, self.data)
        self.assertGreaterEqual(time.monotonic() - start, 0.3)

    def test_slow(self):
        self.fault("slow", bytes_per_second=2000000)
        start = time.monotonic()
        self.assertEqual(fetch(self.url).body, self.data)
        self.assertTrue(0.4 < time.monotonic() - start < 3)

    def test_wrong_digest(self):
        right = fetch(self.sums)
        self.fault("wrong_digest")
        etag = {"If-None-Match": right.headers["ETag"]}
        wrong = fetch(self.sums, headers=etag)
        self.assertEqual(wrong.status, 200)
        self.assertNotEqual(wrong.body, right.body)
        self.assertEqual(len(wrong.body), len(right.body))
        self.assertNotIn("ETag", wrong.headers)

    def test_malformed_json(self):
        for variant in (
            *("cut", "garbage", "empty", "html", "encoding", "trailing"),
        ):
            with self.subTest(variant):
                self.fault("malformed_json", variant=variant)
                answer = fetch(self.releases)
                self.assertEqual(answer.status, 200)
                with self.assertRaises(ValueError):
                    answer.json()

    def hostile(self, variant, **options):
        self.fault("hostile_json", variant=variant, **options)
        return fetch(self.releases).body

    def test_hostile_json(self):
        for variant in ("deep", "deep_object"):
            with self.assertRaises(RecursionError):
                json.loads(self.hostile(variant))
        value = json.loads(self.hostile("numbers"))
        timestamp = value["releases"][0]["released"]["timestamp"]
        self.assertTrue(timestamp < 0 or not isinstance(timestamp, int))
        value = json.loads(self.hostile("types"))
        self.assertIsInstance(value["releases"][0]["version"], list)
        value = json.loads(self.hostile("nulls"))
        self.assertIsNone(value["releases"][0]["version"])
        value = json.loads(self.hostile("names"))
        self.assertEqual(value["releases"][0]["version"], "../../etc/passwd")
        value = json.loads(self.hostile("names", name="x\0y"))
        self.assertEqual(value["releases"][0]["version"], "x\0y")
        value = json.loads(self.hostile("control"))
        self.assertIn("\x1b", value["releases"][0]["version"])
        self.assertGreater(len(self.hostile("long")), 1 << 26)

    def test_unknown_variant(self):
        for kind in ("hostile_json", "malformed_json"):
            answer = fetch(
                self.server.urls["KERNEL_ORG_CONTROL"],
                "POST",
                body=json.dumps({"faults": [{"kind": kind, "variant": "x"}]}),
            )
            self.assertEqual(answer.status, 400)

    def test_headers(self):
        self.fault("headers", set={"X-New": 1}, remove=["etag"])
        answer = fetch(self.releases)
        self.assertEqual(answer.headers["X-New"], "1")
        self.assertNotIn("ETag", answer.headers)

    def test_no_range(self):
        self.fault("no_range")
        answer = fetch(self.url, headers={"Range": "bytes=10-"})
        self.assertEqual((answer.status, answer.body), (200, self.data))

    def test_wrong_range(self):
        self.fault("wrong_range", delta=-3)
        answer = fetch(self.url, headers={"Range": "bytes=10-19"})
        self.assertEqual(answer.status, 206)
        self.assertEqual(answer.body, self.data[10:20])
        self.assertEqual(
            answer.headers["Content-Range"], "bytes 7-16/1000000"
        )

    def test_git_can_be_cut(self):
        self.fault("cut_response", path="git-upload-pack", count=-1)
        result = subprocess.run(
            ["git", "ls-remote", self.server.urls["KERNEL_ORG_GIT"]],
            capture_output=True,
        )
        self.assertNotEqual(result.returncode, 0)

    def test_log(self):
        headers = {"Authorization": "Bearer secret", "Range": "bytes=0-1"}
        fetch(f"{self.url}?a=b", headers=headers)
        (record,) = self.server.requests()
        path = urllib.parse.urlsplit(self.url).path
        for key, value in {
            "method": "GET",
            "path": path,
            "query": "a=b",
            "status": 206,
            "authorization": True,
            "range": "bytes=0-1",
            "response_bytes": 2,
            "fault": None,
        }.items():
            self.assertEqual(record[key], value, key)
        self.assertNotIn("secret", json.dumps(record))


class GitHubClient:
    """Just enough of one, for api and uploads wherever they are."""

    def __init__(self, api, token="write-token"):
        self.api = api
        self.token = token

    def call(self, method, url, body=None, headers=None, **options):
        url = url if url.startswith("http") else self.api + RELEASES + url
        headers = {"Accept": "application/vnd.github+json", **(headers or {})}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        if isinstance(body, dict):
            body = json.dumps(body)
            headers["Content-Type"] = "application/json; charset=utf-8"
        return fetch(url, method, headers, body, **options)

    def create(self, tag="kernels", **fields):
        fields = {"tag_name": tag, "prerelease": True, **fields}
        return self.call("POST", "", {**fields, "make_latest": "false"})

    def upload(self, release, name, data, headers=None, **options):
        url = release["upload_url"].split("{")[0]
        url += "?" + urllib.parse.urlencode({"name": name})
        octets = {"Content-Type": "application/octet-stream"}
        return self.call(
            "POST", url, data, {**octets, **(headers or {})}, **options
        )

    def assets(self, release, per_page=100):
        """All of them, by following the Link headers."""
        url = f"{release['assets_url']}?per_page={per_page}"
        assets = []
        while url:
            answer = self.call("GET", url)
            assets += answer.json()
            link = answer.headers.get("Link", "")
            match = re.search(r'<([^>]*)>; rel="next"', link)
            url = match and match.group(1)
        return assets

    def download(self, asset, headers=None):
        """As a good client does: without the token after the redirect."""
        accept = {"Accept": "application/octet-stream"}
        answer = self.call("GET", asset["url"], headers=accept)
        assert answer.status == 302, answer.status
        return fetch(answer.headers["Location"], headers=headers)


class GitHubTest(FolderTest):
    def start_github(self, *arguments):
        self.server = self.start(
            "github.py", "--folder", self.folder / "github", *arguments
        )
        self.client = GitHubClient(self.server.urls["GITHUB_API_URL"])
        return self.client

    def tearDown(self):
        if self.server.process.poll() is None:
            self.assertEqual(self.server.control()["errors"], 0)

    def assert_error(self, answer, status, text=""):
        self.assertEqual(answer.status, status, answer.body)
        self.assertIn(text, answer.body.decode())

    def test_life(self):
        client = self.start_github()
        self.assert_error(client.call("GET", "/tags/kernels"), 404)
        release = client.create(body="text").json()
        self.assertFalse(release["draft"])
        self.assertEqual(release["assets"], [])
        self.assertTrue(release["upload_url"].endswith("{?name,label}"))
        found = client.call("GET", "/tags/kernels").json()
        self.assertEqual(found, release)

        data = pattern(300000)
        answer = client.upload(release, "a.tar.zst", data)
        self.assertEqual(answer.status, 201)
        asset = answer.json()
        digest = hashlib.sha256(data).hexdigest()
        self.assertEqual(asset["digest"], f"sha256:{digest}")
        self.assertEqual(asset["size"], len(data))
        self.assertEqual(asset["state"], "uploaded")
        self.assertEqual(client.download(asset).body, data)
        part = client.download(asset, {"Range": "bytes=7-9"})
        self.assertEqual((part.status, part.body), (206, data[7:10]))
        changed = client.call(
            "PATCH", f"/{release['id']}", {"body": "new", "name": "N"}
        ).json()
        self.assertEqual((changed["body"], changed["name"]), ("new", "N"))
        self.assertEqual(changed["tag_name"], "kernels")
        renamed = client.call("PATCH", asset["url"], {"name": "b.zst"})
        self.assertEqual(renamed.json()["name"], "b.zst")

        self.assertEqual(client.call("DELETE", asset["url"]).status, 204)
        self.assert_error(client.call("DELETE", asset["url"]), 404)
        self.assertEqual(client.assets(release), [])
        self.assertEqual(client.call("DELETE", release["url"]).status, 204)
        self.assert_error(client.call("GET", release["url"]), 404)

    def test_pages(self):
        client = self.start_github()
        release = client.create().json()
        for number in range(105):
            client.upload(release, f"{number}", b"x")
        shown = client.call("GET", "/tags/kernels").json()["assets"]
        self.assertEqual(len(shown), 105)
        for per_page in (100, 7, 1000):
            names = [a["name"] for a in client.assets(release, per_page)]
            self.assertEqual(names, [str(i) for i in range(105)])
        answer = client.call("GET", release["assets_url"] + "?page=2")
        self.assertEqual(len(answer.json()), 30)
        for name in ("prev", "next", "last", "first"):
            self.assertIn(f'rel="{name}"', answer.headers["Link"])

    def test_list_and_latest(self):
        client = self.start_github()
        self.assert_error(client.call("GET", "/latest"), 404)
        for tag, fields in (
            ("old", {"prerelease": False}),
            ("new", {"prerelease": True}),
            ("draft", {"draft": True}),
        ):
            self.assertEqual(client.create(tag, **fields).status, 201)
        tags = [r["tag_name"] for r in client.call("GET", "").json()]
        self.assertEqual(tags, ["draft", "new", "old"])
        latest = client.call("GET", "/latest").json()
        self.assertEqual(latest["tag_name"], "old")
        self.assert_error(client.call("GET", "/tags/draft"), 404)
        anonymous = GitHubClient(client.api, None)
        tags = [r["tag_name"] for r in anonymous.call("GET", "").json()]
        self.assertEqual(tags, ["new", "old"])

    def test_invalid(self):
        client = self.start_github()
        release = client.create().json()
        self.assert_error(client.create(), 422, "already_exists")
        self.assert_error(client.call("POST", "", {}), 422, "missing_field")
        self.assert_error(client.create("a..b"), 422, "well-formed")
        self.assert_error(client.create("x", draft="yes"), 422, "draft")
        self.assertEqual(client.create("y", body="x" * 125000).status, 201)
        self.assert_error(
            client.create("z", body="x" * 125001), 422, "too long"
        )
        self.assert_error(
            client.call("POST", "", "{", {"Content-Type": "application/json"}),
            400,
            "Problems parsing JSON",
        )
        self.assert_error(client.upload(release, "", b"x"), 422, "missing")
        self.assert_error(client.upload(release, "a", b""), 400)
        self.assert_error(
            client.upload(release, "a", iter([b"x"])), 400, "Content-Length"
        )

    def test_names(self):
        client = self.start_github()
        release = client.create().json()
        for name, kept in (
            ("kernel-6.12.117-vmtest1.1tiny.x86_64.tar.zst", None),
            ("a b", "a.b"),
            ("a+~b", "a.b"),
            ("../../etc/passwd", "etc.passwd"),
        ):
            asset = client.upload(release, name, b"x").json()
            self.assertEqual(asset["name"], kept or name)
            client.call("DELETE", asset["url"])
        client.upload(release, "a b", b"x")
        self.assert_error(
            client.upload(release, "a.b", b"x"), 422, "already_exists"
        )

    def test_limits(self):
        client = self.start_github()
        self.server.control(max_assets=2, max_asset_size=10)
        release = client.create().json()
        self.assert_error(client.upload(release, "a", b"x" * 11), 422, "size")
        for name in "ab":
            client.upload(release, name, b"x" * 10)
        self.assert_error(client.upload(release, "c", b"x"), 422, "file_count")

    def test_too_big_is_known_by_its_length(self):
        client = self.start_github()
        release = client.create().json()
        url = urllib.parse.urlsplit(release["upload_url"].split("{")[0])
        with socket.create_connection((url.hostname, url.port), 5) as client:
            client.sendall(
                f"POST {url.path}?name=a HTTP/1.1\r\nHost: x\r\n"
                "User-Agent: x\r\nAuthorization: token write-token\r\n"
                f"Content-Length: {1 << 31}\r\nExpect: 100-continue\r\n"
                "Content-Type: application/octet-stream\r\n\r\n".encode()
            )
            self.assertIn(b" 422 ", client.recv(100))

    def test_permissions(self):
        client = self.start_github(
            *("--repository", "octo/kernels", "--private", "octo/secret")
        )
        release = client.create().json()
        asset = client.upload(release, "a", b"x").json()
        secret = f"{client.api}/repos/octo/secret/releases"
        for token, url, status in (
            ("write-token", "", 200),
            (None, "", 200),
            ("wrong", "", 401),
            ("read-token", secret, 200),
            (None, secret, 404),
            (None, f"{client.api}/repos/octo/nothing/releases", 404),
        ):
            other = GitHubClient(client.api, token)
            self.assertEqual(other.call("GET", url).status, status, token)
        for token, status in ((None, 401), ("read-token", 403), ("x", 401)):
            other = GitHubClient(client.api, token)
            self.assert_error(other.create("new"), status)
            self.assert_error(other.upload(release, "b", b"x"), status)
            self.assert_error(other.call("DELETE", asset["url"]), status)
        answer = client.call("GET", "", headers={"User-Agent": ""})
        self.assert_error(answer, 403, "User-Agent")

    def test_rate_limits(self):
        client = self.start_github(
            *("--token", "actions:write:3", "--token", "write-token")
        )
        anonymous = GitHubClient(client.api, None)
        self.server.control(
            rate_limits={"anonymous": 2, "window_seconds": 1.5}
        )
        for status, remaining in ((200, "1"), (200, "0"), (403, "0")):
            answer = anonymous.call("GET", "")
            self.assertEqual(answer.status, status)
            self.assertEqual(
                answer.headers["x-ratelimit-remaining"], remaining
            )
        reset = int(answer.headers["x-ratelimit-reset"])
        self.assertLessEqual(reset, time.time() + 2)
        actions = GitHubClient(client.api, "actions")
        for remaining in ("2", "1", "0"):
            answer = actions.call("GET", "")
            self.assertEqual(answer.headers["x-ratelimit-remaining"], remaining)
        self.assert_error(actions.call("GET", ""), 403, "rate limit")
        self.server.control(rate_limits={"token": 1000})
        for _ in range(5):
            answer = client.call("GET", "")
        self.assertEqual(answer.headers["x-ratelimit-remaining"], "995")
        time.sleep(max(0, reset - time.time()) + 0.1)
        self.assertEqual(anonymous.call("GET", "").status, 200)

    def test_an_etag_is_that_of_a_token(self):
        client = self.start_github()
        client.create()
        other = GitHubClient(client.api, "read-token")
        etag = client.call("GET", "/tags/kernels").headers["ETag"]
        headers = {"If-None-Match": etag}
        for who, status in ((client, 304), (other, 200)):
            answer = who.call("GET", "/tags/kernels", headers=headers)
            self.assertEqual(answer.status, status)

    def test_two_make_a_release_at_once(self):
        client = self.start_github()
        self.server.control(creation_seconds=0.5)
        with ThreadPoolExecutor() as pool:
            answers = [*pool.map(lambda _: client.create(), range(2))]
        self.assertEqual([answer.status for answer in answers], [201, 201])
        numbers = sorted(answer.json()["id"] for answer in answers)
        self.assertLess(numbers[0], numbers[1])
        shown = client.call("GET", "/tags/kernels").json()
        self.assertEqual(shown["id"], numbers[0])
        self.assertEqual(len(client.call("GET", "").json()), 2)
        self.assert_error(client.create(), 422, "already_exists")

    def test_what_was_made_may_not_show(self):
        client = self.start_github()
        self.server.control(unseen_seconds=1)
        start = time.monotonic()
        release = client.create().json()
        self.assert_error(client.call("GET", "/tags/kernels"), 404)
        self.assertEqual(client.call("GET", "").json(), [])
        self.assert_error(client.create(), 422, "already_exists")
        self.assertLess(time.monotonic(), start + 1)
        time.sleep(1)
        self.assertEqual(client.upload(release, "a", b"x").status, 201)
        self.assertEqual(client.assets(release), [])
        self.assert_error(client.upload(release, "a", b"x"), 422, "already_exists")
        time.sleep(1)
        found = client.call("GET", "/tags/kernels").json()
        self.assertEqual([a["name"] for a in found["assets"]], ["a"])

    def test_immutable(self):
        client = self.start_github()
        self.server.control(repositories={"octo/kernels": {"immutable": True}})
        draft = client.create(draft=True).json()
        asset = client.upload(draft, "a", b"x").json()
        release = client.call("PATCH", draft["url"], {"draft": False}).json()
        self.assertTrue(release["immutable"])
        self.assert_error(client.upload(release, "b", b"x"), 422, "immutable")
        self.assert_error(client.call("DELETE", asset["url"]), 422, "immutable")

    def test_downloads(self):
        client = self.start_github()
        release = client.create().json()
        asset = client.upload(release, "a.zst", pattern(1000)).json()
        public = fetch(asset["browser_download_url"])
        self.assertEqual(public.status, 302)
        location = public.headers["Location"]
        self.assertTrue(
            location.startswith(self.server.urls["GITHUB_DOWNLOADS_URL"])
        )
        self.assertEqual(fetch(location).body, pattern(1000))
        self.assertEqual(fetch(location + "0").status, 403)
        leak = fetch(location, headers={"Authorization": "Bearer x"})
        self.assertEqual(leak.status, 401)
        self.assertEqual(self.server.control()["leaked_authorizations"], 1)
        self.assertEqual(
            len(self.server.requests(endpoint="downloads", authorization=True)),
            1,
        )
        self.server.control(url_lifetime_seconds=-1)
        self.assertEqual(client.download(asset).status, 403)
        self.server.control(direct_downloads=True)
        accept = {"Accept": "application/octet-stream"}
        answer = client.call("GET", asset["url"], headers=accept)
        self.assertEqual((answer.status, answer.body), (200, pattern(1000)))

    def wait_for_assets(self, release, states):
        deadline = time.monotonic() + 10
        while [a["state"] for a in self.client.assets(release)] != states:
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.02)

    def test_dropped_upload_leaves_a_starter(self):
        client = self.start_github()
        release = client.create().json()
        url = urllib.parse.urlsplit(release["upload_url"].split("{")[0])
        with socket.create_connection((url.hostname, url.port), 5) as upload:
            upload.sendall(
                f"POST {url.path}?name=a HTTP/1.1\r\nHost: x\r\n"
                "User-Agent: x\r\nAuthorization: Bearer write-token\r\n"
                "Content-Type: application/octet-stream\r\n"
                "Content-Length: 1000\r\n\r\nxxx".encode()
            )
            self.wait_for_assets(release, ["starter"])
        (asset,) = client.assets(release)
        self.assertEqual((asset["digest"], asset["size"]), (None, 0))
        shown = client.call("GET", release["url"]).json()["assets"]
        self.assertEqual(shown, [])
        accept = {"Accept": "application/octet-stream"}
        answer = client.call("GET", asset["url"], headers=accept)
        self.assert_error(answer, 404)
        self.assertEqual(fetch(asset["browser_download_url"]).status, 404)
        self.assert_error(
            client.upload(release, "a", b"xyz"), 422, "already_exists"
        )
        self.assertEqual(client.call("DELETE", asset["url"]).status, 204)
        self.assertEqual(client.upload(release, "a", b"xyz").status, 201)

    def test_upload_faults(self):
        client = self.start_github()
        release = client.create().json()
        data = pattern(2000000)

        def states():
            assets = client.assets(release)
            for asset in assets:
                client.call("DELETE", asset["url"])
            return [asset["state"] for asset in assets]

        fault = {"endpoint": "uploads", "method": "POST"}
        self.server.control(faults=[{"kind": "status", **fault}])
        self.assert_error(client.upload(release, "a", data), 500)
        self.assertEqual(states(), [])
        self.server.control(faults=[{"kind": "lost_answer", **fault}])
        self.assert_error(client.upload(release, "a", data), 502)
        self.assertEqual(states(), ["uploaded"])
        self.server.control(faults=[{"kind": "starter", **fault}])
        self.assert_error(client.upload(release, "a", data), 502)
        self.assertEqual(states(), ["starter"])
        self.server.control(
            faults=[{"kind": "cut_request", "bytes": 1000, **fault}]
        )
        with self.assertRaises((ConnectionError, http.client.HTTPException)):
            client.upload(release, "a", data)
        self.assertEqual(
            self.server.requests(fault="cut_request")[0]["request_bytes"], 1000
        )
        self.assertEqual(states(), ["starter"])
        self.server.control(
            faults=[
                {"kind": "slow", "direction": "request", **fault}
                | {"bytes_per_second": 4000000}
            ]
        )
        start = time.monotonic()
        self.assertEqual(client.upload(release, "a", data).status, 201)
        self.assertGreater(time.monotonic() - start, 0.4)
        self.server.control(faults=[{"kind": "wrong_digest"}])
        digest = hashlib.sha256(data).hexdigest()
        self.assertNotEqual(
            client.assets(release)[0]["digest"], f"sha256:{digest}"
        )

    def test_killed_and_started_again(self):
        client = self.start_github()
        release = client.create().json()
        client.upload(release, "a", b"x")
        self.server.control(
            faults=[
                {"kind": "slow", "bytes_per_second": 100}
                | {"endpoint": "uploads"}
            ]
        )
        with ThreadPoolExecutor() as pool:
            upload = pool.submit(client.upload, release, "b", pattern(10000))
            self.wait_for_assets(release, ["uploaded", "starter"])
            self.server.process.kill()
            with self.assertRaises(
                (ConnectionError, http.client.HTTPException)
            ):
                upload.result()
        self.server.stop()
        client = self.start_github()
        release = client.call("GET", "/tags/kernels").json()
        states = [a["state"] for a in client.assets(release)]
        self.assertEqual(states, ["uploaded", "starter"])
        self.assertEqual(client.upload(release, "c", b"x").status, 201)

    def test_simultaneous_uploads(self):
        client = self.start_github()
        release = client.create().json()
        with ThreadPoolExecutor(8) as pool:
            answers = pool.map(
                lambda i: client.upload(release, f"{i // 2}", pattern(50000)),
                range(40),
            )
            statuses = sorted(answer.status for answer in answers)
        self.assertEqual(statuses, [201] * 20 + [422] * 20)

    def test_issues_survive_a_restart(self):
        client = self.start_github()
        url = f"{client.api}/repos/octo/kernels/issues"
        fields = {"title": "t", "body": "b", "labels": ["x", "y"]}
        issue = client.call("POST", url, fields).json()
        self.assertEqual([label["name"] for label in issue["labels"]], ["x", "y"])
        client.call("POST", url, {"title": "unlabelled"})
        client.call("POST", f"{issue['url']}/comments", {"body": "c"})
        closed = {"state": "closed", "state_reason": "completed"}
        self.assertEqual(client.call("PATCH", issue["url"], closed).status, 200)
        self.server.stop()

        client = self.start_github()
        url = f"{client.api}/repos/octo/kernels/issues"
        found = client.call("GET", f"{url}?state=all&labels=y,x").json()
        self.assertEqual([i["number"] for i in found], [issue["number"]])
        self.assertEqual(found[0]["state"], "closed")
        comments = client.call("GET", f"{url}/{issue['number']}/comments").json()
        self.assertEqual([comment["body"] for comment in comments], ["c"])
        (other,) = client.call("GET", url).json()
        self.assertEqual(other["title"], "unlabelled")

    def test_issues_have_a_permission_of_their_own(self):
        client = self.start_github(
            *("--token", "c:contents", "--token", "i:issues", "--token", "r:read")
        )
        url = f"{client.api}/repos/octo/kernels/issues"
        for token, release_status, issue_status in (
            ("c", 201, 403),
            ("i", 403, 201),
            ("r", 403, 403),
        ):
            client.token = token
            self.assertEqual(client.create(token).status, release_status)
            answer = client.call("POST", url, {"title": "t"})
            self.assertEqual(answer.status, issue_status)
            self.assertEqual(client.call("GET", url).status, 200)
        self.server.control(repositories={"octo/kernels": {"issues": False}})
        self.assert_error(client.call("GET", url), 410, "Issues are disabled")


class PrismTest(FolderTest):
    def setUp(self):
        super().setUp()
        self.github = self.start("github.py")
        environment = {**os.environ, **self.github.urls}
        try:
            self.prism = self.start("prism.py", environment=environment)
        except Skipped as reason:
            self.skipTest(str(reason))
        self.client = GitHubClient(self.prism.urls["GITHUB_API_URL"])

    def violations(self):
        return self.prism.control()["violations"]

    def test_a_whole_life(self):
        client = self.client
        self.assertEqual(client.call("GET", "/tags/kernels").status, 404)
        release = client.create(name="N", body="B").json()
        data = bytes(range(256)) * 100000
        asset = client.upload(release, "first.tar.zst", data).json()
        digest = hashlib.sha256(data).hexdigest()
        self.assertEqual(asset["digest"], f"sha256:{digest}")
        again = client.upload(release, "first.tar.zst", b"x")
        self.assertEqual(again.status, 422)
        for number in range(110):
            answer = client.upload(release, f"{number}", b"x")
            self.assertEqual(answer.status, 201)
        self.assertEqual(len(client.assets(release)), 111)
        self.assertEqual(client.download(asset).body, data)
        part = client.download(asset, {"Range": "bytes=-300"})
        self.assertEqual((part.status, part.body), (206, data[-300:]))
        etag = client.call("GET", "/tags/kernels").headers["ETag"]
        answer = client.call(
            "GET", "/tags/kernels", headers={"If-None-Match": etag}
        )
        self.assertEqual(answer.status, 304)
        changes = {"body": "new", "prerelease": False}
        answer = client.call("PATCH", release["url"], changes)
        self.assertEqual(answer.json()["body"], "new")
        self.assertEqual(client.call("GET", "/latest").status, 200)
        self.assertEqual(len(client.call("GET", "").json()), 1)
        self.assertEqual(client.call("GET", asset["url"]).status, 200)
        answer = client.call("PATCH", asset["url"], {"name": "other"})
        self.assertEqual(answer.json()["name"], "other")
        self.assertEqual(client.call("DELETE", asset["url"]).status, 204)
        self.assertEqual(client.call("DELETE", asset["url"]).status, 404)
        self.assertEqual(client.call("DELETE", release["url"]).status, 204)
        self.assertEqual(self.violations(), [])
        # Everything went through the judge.
        hosts = {
            urllib.parse.urlsplit(release[key]).netloc
            for key in ("url", "upload_url")
        }
        own = [self.prism.urls[f"GITHUB_{n}_URL"] for n in ("API", "UPLOADS")]
        self.assertEqual(
            hosts, {urllib.parse.urlsplit(url).netloc for url in own}
        )

    def test_the_life_of_an_issue(self):
        client = self.client
        url = f"{client.api}/repos/octo/kernels/issues"
        fields = {"title": "t", "body": "b", "labels": ["x"]}
        issue = client.call("POST", url, fields).json()
        for method, path, body, status in (
            ("GET", f"{url}?labels=x&state=open&per_page=100&page=1", None, 200),
            ("GET", issue["url"], None, 200),
            ("PATCH", issue["url"], {"title": "u", "body": "c"}, 200),
            ("POST", f"{issue['url']}/labels", {"labels": ["y"]}, 200),
            ("POST", f"{issue['url']}/comments", {"body": "d"}, 201),
            ("GET", f"{issue['url']}/comments?per_page=100&page=1", None, 200),
            ("PATCH", issue["url"], {"state": "closed"}, 200),
            ("PATCH", issue["url"], {"state": "open"}, 200),
            ("PATCH", f"{url}/99", {"state": "closed"}, 404),
            ("POST", url, {"title": ""}, 422),
        ):
            answer = client.call(method, path, body)
            self.assertEqual(answer.status, status, (method, path, answer.body))
        self.assertEqual(self.violations(), [])

    def test_bad_requests(self):
        release = self.client.create().json()
        self.assertEqual(self.violations(), [])
        octets = {"Content-Type": "application/x-tar"}
        for call in (
            lambda: self.client.call("POST", "", {"tag_name": 5}),
            lambda: self.client.call("POST", "", {"name": "no tag"}),
            lambda: self.client.call("GET", "?per_page=many"),
            lambda: self.client.upload(release, "a", b"x", octets),
            lambda: self.client.call("GET", self.client.api + "/user"),
            lambda: self.client.call("PUT", release["url"], {}),
        ):
            before = len(self.violations())
            answer = call()
            self.assertGreaterEqual(answer.status, 400)
            self.assertIn("problem+json", answer.headers["Content-Type"])
            self.assertEqual(len(self.violations()), before + 1)

    def test_bad_answers(self):
        self.client.create()
        for fault in (
            {"kind": "hostile_json", "variant": "types"},
            {"kind": "hostile_json", "variant": "nulls"},
            {"kind": "status", "status": 418},
        ):
            self.prism.control(violations=[])
            self.github.control(faults=[fault])
            self.assertGreaterEqual(self.client.call("GET", "").status, 400)
            self.assertEqual(len(self.violations()), 1)

    def test_hang_ups_pass(self):
        release = self.client.create().json()
        self.github.control(faults=[{"kind": "cut_request"}])
        with self.assertRaises((ConnectionError, http.client.HTTPException)):
            self.client.upload(release, "a", pattern(1000000))
        (asset,) = self.client.assets(release)
        self.assertEqual(asset["state"], "starter")
        self.assertEqual(self.violations(), [])


if __name__ == "__main__":
    unittest.main()
