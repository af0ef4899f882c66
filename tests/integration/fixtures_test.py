# SPDX-License-Identifier: LGPL-2.1-or-later
"""
What tests with stand-ins rely on: a fault that is asked for happens, and what is
not as GitHub describes it is noticed.
"""

import http.client
import json
import os
import subprocess
import unittest.mock
import urllib.parse

import support
from support import TOP

import npm_packages
import prism
from faults import HOSTILE, KINDS, MALFORMED


def fetch(url, method="GET", headers=None, body=None):
    """The status and body of one request: no redirect is followed, nothing is retried."""
    parts = urllib.parse.urlsplit(url)
    target = urllib.parse.urlunsplit(("", "", parts.path, parts.query, ""))
    connection = http.client.HTTPConnection(parts.netloc, timeout=3)
    try:
        connection.request(method, target, body, headers or {})
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


class DescriptionTest(support.TestCase):
    """GitHub's own OpenAPI description is the judge: prism.py."""

    def call(self, method, url, body=None, kind="application/json"):
        headers = {"Accept": "application/vnd.github+json", "Content-Type": kind}
        headers |= {"Authorization": "Bearer write-token", "User-Agent": "fixtures-test"}
        _, answer = fetch(url, method, headers, body)
        return json.loads(answer)

    def test_what_is_not_as_described_is_noticed(self):
        exchanges = self.folder / "exchanges"
        options = ("--folder", self.folder / "github", "--exchanges", exchanges)
        api = self.start("github.py", *options).urls["GITHUB_API_URL"]
        repository = f"{api}/repos/octo/kernels"
        fields = {"tag_name": "kernels", "body": "B", "make_latest": "false"}
        release = self.call("POST", f"{repository}/releases", json.dumps(fields))
        self.call("GET", f"{repository}/issues?state=broken")
        upload = release["upload_url"].replace("{?name,label}", "?name=a")
        self.call("POST", upload, b"x", kind="application/x-tar")
        self.call("PUT", release["url"], "{}")
        self.call("GET", f"{repository}/releases")
        good, *lines = exchanges.read_text().splitlines()
        bad = json.loads(lines.pop())
        bad["answer"] = bad["answer"].replace('"kernels"', "5")
        lines = [good, *lines, json.dumps(bad)]
        exchanges.write_text("".join(f"{line}\n" for line in lines))
        found = prism.violations(exchanges)
        self.assertEqual(len(found), len(lines) - 1, found)


class PackagesTest(support.TestCase):
    """What npm installs for the tests is what it was when it was judged."""

    def test_each_has_a_digest_and_no_other_registry(self):
        files = subprocess.check_output(["git", "-C", TOP, "ls-files", "*package.json"])
        folders = [TOP / os.path.dirname(name) for name in files.decode().split()]
        self.assertGreaterEqual(len(folders), 2)
        for folder in folders:
            wanted = json.loads((folder / "package.json").read_text())
            locked = json.loads((folder / "package-lock.json").read_text())["packages"]
            self.assertEqual(locked.pop("")["dependencies"], wanted["dependencies"])
            for name, package in locked.items():
                with self.subTest(folder=folder.name, package=name):
                    self.assertRegex(package["integrity"], "^sha512-")
                    place = package.get("resolved", "https://registry.npmjs.org/")
                    self.assertTrue(place.startswith("https://registry.npmjs.org/"))

    def test_they_are_installed_as_locked_and_run_nothing(self):
        record = self.folder / "record"
        path = self.path_with(dict.fromkeys(("npm", "node"), f'echo "$*" >>"{record}"'))
        source = TOP / "tests/rehearsal"
        with unittest.mock.patch.dict(os.environ, PATH=path):
            npm_packages.install(
                self.folder / "packages", lambda p: npm_packages.install_packages(p, source)
            )
        (line,) = record.read_text().splitlines()
        self.assertIn(" ci ", line)
        self.assertIn("--ignore-scripts", line.split())
        lock = self.folder / "packages/package-lock.json"
        self.assertEqual(lock.read_bytes(), (source / lock.name).read_bytes())


class FaultTest(support.TestCase):
    def setUp(self):
        super().setUp()
        self.server = self.start_kernel_org("6.12.117")

    def seen(self, url, method, body):
        """What a client sees: an answer, or how it ends."""
        try:
            return fetch(url, method, body=body)
        except http.client.IncompleteRead as error:
            return error.partial
        except (OSError, http.client.HTTPException) as error:
            return type(error)

    def test_each_is_seen_once_and_then_no_more(self):
        releases = self.server.urls["KERNEL_ORG_RELEASES"]
        sums = releases.replace("releases.json", "pub/linux/kernel/v6.x/linux-6.12.117.tar.sign")
        rows = [(sums, {"kind": kind}) for kind in KINDS if kind != "none"]
        rows += [
            (releases, {"kind": kind, "variant": variant})
            for kind, variants in (("malformed_json", MALFORMED), ("hostile_json", HOSTILE))
            for variant in variants
        ]
        for url, fault in rows:
            # Its numbers are times, and it sees no difference in answers in time.
            kind = fault["kind"]
            if kind in ("slow", "late", "lost_answer", "wrong_digest") or (url == sums and "json" in kind):
                continue
            with self.subTest(fault):
                method, body = "GET", None
                if kind in ("cut_request", "starter"):
                    method, body = "POST", b"x" * 1000
                self.server.control(faults=[{**fault, "count": 1}])
                hit = self.seen(url, method, body)
                self.assertNotEqual(hit, self.seen(url, method, body))
                state = self.server.control()
                self.assertEqual((state["faults"][0]["fired"], state["errors"]), (1, 0))
