# SPDX-License-Identifier: LGPL-2.1-or-later
"""
The stand-ins in tests/fixtures are true to what they stand for where the programs
depend on it, and faults are faults.
"""

import hashlib
import http.client
import json
import re
import subprocess
import time
import urllib.parse
from concurrent.futures import ThreadPoolExecutor

import support

import prism
from faults import HOSTILE, KINDS, MALFORMED

RELEASES = "/repos/octo/kernels/releases"
ISSUES = "/repos/octo/kernels/issues"


class Answer:
    def __init__(self, response):
        self.status = response.status
        self.headers = response.headers
        self.body = response.read()

    def json(self):
        return json.loads(self.body)


def fetch(url, method="GET", headers=None, body=None):
    """One request: no redirect is followed, and nothing is retried."""
    parts = urllib.parse.urlsplit(url)
    target = urllib.parse.urlunsplit(("", "", parts.path, parts.query, ""))
    connection = http.client.HTTPConnection(parts.netloc, timeout=3)
    try:
        headers = {"User-Agent": "fixtures-test", **(headers or {})}
        connection.request(method, target, body, headers)
        return Answer(connection.getresponse())
    finally:
        connection.close()


class GitHubCase(support.TestCase):
    def setUp(self):
        super().setUp()
        self.exchanges = self.folder / "exchanges"
        folder = self.folder / "github"
        options = ("--folder", folder, "--exchanges", self.exchanges)
        self.server = self.start("github.py", *options)
        self.api = self.server.urls["GITHUB_API_URL"]

    def call(self, method, path, body=None, token="write-token", **headers):
        url = path if path.startswith("http") else self.api + path
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        headers.setdefault("Accept", "application/vnd.github+json")
        headers["Authorization"] = f"Bearer {token}"
        if isinstance(body, dict):
            headers["Content-Type"] = "application/json; charset=utf-8"
            body = json.dumps(body)
        return fetch(url, method, headers, body)

    def create(self):
        fields = {"tag_name": "kernels", "body": "B", "make_latest": "false"}
        return self.call("POST", RELEASES, fields)

    def upload(self, release, name, data, kind="application/octet-stream"):
        url = release["upload_url"].replace("{?name,label}", f"?name={name}")
        return self.call("POST", url, data, Content_Type=kind)

    def shown(self):
        release = self.call("GET", f"{RELEASES}/tags/kernels")
        return [a["name"] for a in release.json()["assets"]]

    def listed(self, release):
        """All that the pages show, with each one's state."""
        url, assets = f"{release['assets_url']}?per_page=100", []
        while url:
            answer = self.call("GET", url)
            assets += [(a["name"], a["state"]) for a in answer.json()]
            link = re.search(r'<(.*)>; rel="next"', answer.headers.get("Link", ""))
            url = link and link.group(1)
        return assets


class GitHubTest(GitHubCase):
    """See github-facts: what other programs have been caught by."""

    def test_an_etag_is_that_of_a_token(self):
        self.create()
        path = f"{RELEASES}/tags/kernels"
        etag = self.call("GET", path).headers["ETag"]
        for token, status in (("write-token", 304), ("read-token", 200)):
            answer = self.call("GET", path, token=token, If_None_Match=etag)
            self.assertEqual(answer.status, status)

    def test_a_release_shows_all_of_its_whole_assets(self):
        release = self.create().json()
        names = [f"{number}.zst" for number in range(105)]
        for name in names:
            self.assertEqual(self.upload(release, name, b"x").status, 201)
        faults = [{"kind": "cut_request", "endpoint": "uploads"}]
        self.server.control(faults=faults)
        with self.assertRaises((ConnectionError, http.client.HTTPException)):
            self.upload(release, "half", b"x" * 100000)
        self.assertEqual(self.shown(), names)
        uploaded = [(name, "uploaded") for name in names]
        self.assertEqual(self.listed(release), [*uploaded, ("half", "starter")])
        # It holds the name.
        self.assertEqual(self.upload(release, "half", b"x").status, 422)

    def test_two_releases_of_one_tag_can_be_made_at_once(self):
        self.server.control(creation_seconds=0.5)
        with ThreadPoolExecutor() as pool:
            answers = [*pool.map(lambda _: self.create(), range(2))]
        self.assertEqual([answer.status for answer in answers], [201, 201])
        self.assertEqual(len(self.call("GET", RELEASES).json()), 2)
        self.assertEqual(self.create().status, 422)

    def test_what_was_made_may_not_show(self):
        self.server.control(unseen_seconds=1)
        release = self.create().json()
        path = f"{RELEASES}/tags/kernels"
        self.assertEqual(self.call("GET", path).status, 404)
        self.assertEqual(self.create().status, 422)
        self.assertEqual(self.upload(release, "a", b"x").status, 201)
        self.assertEqual(self.listed(release), [])
        self.assertEqual(self.upload(release, "a", b"x").status, 422)
        time.sleep(1)
        self.assertEqual(self.shown(), ["a"])

    def test_requests_of_an_hour_are_counted(self):
        answer = self.call("GET", RELEASES)
        self.assertEqual(answer.headers["x-ratelimit-remaining"], "999")
        self.server.control(rate_limits={"token": 2, "window_seconds": 1.5})
        statuses = [self.call("GET", RELEASES).status for _ in range(3)]
        self.assertEqual(statuses, [200, 200, 403])
        time.sleep(1.5)
        self.assertEqual(self.call("GET", RELEASES).status, 200)

    def test_whoever_may_not_is_refused(self):
        release = self.create().json()
        asset = self.upload(release, "a", b"0123456789").json()
        location = fetch(asset["browser_download_url"]).headers["Location"]
        for url, headers, status in (
            (location, {"Range": "bytes=7-"}, 206),
            (f"{location}0", {}, 403),
            (location, {"Authorization": "Bearer write-token"}, 401),
        ):
            self.assertEqual(fetch(url, headers=headers).status, status)
        self.assertEqual(self.server.control()["leaked_authorizations"], 1)
        for token, status in (("read-token", 403), ("other", 401)):
            self.assertEqual(self.call("POST", RELEASES, {}, token).status, status)


class DescriptionTest(GitHubCase):
    """GitHub's own OpenAPI description is the judge: prism.py."""

    def test_what_is_not_as_described_is_noticed(self):
        release = self.create().json()
        self.call("GET", f"{ISSUES}?state=broken")
        self.upload(release, "a", b"x", kind="application/x-tar")
        self.call("PUT", release["url"], {})
        self.call("GET", RELEASES)
        good, *lines = self.exchanges.read_text().splitlines()
        bad = json.loads(lines.pop())
        bad["answer"] = bad["answer"].replace('"kernels"', "5")
        lines = [good, *lines, json.dumps(bad)]
        self.exchanges.write_text("".join(f"{line}\n" for line in lines))
        found = prism.violations(self.exchanges)
        self.assertEqual(len(found), len(lines) - 1, found)


class KernelOrgTest(support.TestCase):
    def setUp(self):
        super().setUp()
        self.tarballs, sources = {}, []
        for version in ("6.12.115", "6.12.117", "7.2.13"):
            path = self.tarballs[version] = self.folder / f"{version}.tar.xz"
            path.write_bytes(version.encode() * 100000)
            sources.append(f"--source={version}={path}")
        cache = self.folder / "cache"
        self.server = self.start("kernel_org.py", *sources, "--cache", cache)
        self.releases = self.server.urls["KERNEL_ORG_RELEASES"]
        self.pub = self.releases.replace("/releases.json", "/pub/linux/kernel")

    def listed(self):
        releases = fetch(self.releases).json()["releases"]
        return [(r["moniker"], r["version"]) for r in releases]

    def tags(self):
        command = ["git", "ls-remote", "--tags", self.server.urls["KERNEL_ORG_GIT"]]
        return subprocess.check_output(command, text=True)

    def test_a_new_kernel_appears(self):
        new = f"{self.pub}/v6.x/linux-6.12.117.tar.xz"
        self.server.control(offer=["6.12.115", "7.2.13", "7.3-rc2"])
        listed = [("mainline", "7.3-rc2"), ("stable", "7.2.13")]
        self.assertEqual(self.listed(), [*listed, ("longterm", "6.12.115")])
        self.assertEqual(fetch(new).status, 404)
        self.assertNotIn("v6.12.117", self.tags())
        offer = ["6.12.115", "6.12.117", "7.2.13", "7.3-rc2"]
        self.server.control(offer=offer, unlisted=["7.2"])
        self.assertEqual(self.listed(), [listed[0], ("longterm", "6.12.117")])
        self.assertEqual(fetch(new).body, self.tarballs["6.12.117"].read_bytes())
        self.assertIn("refs/tags/v7.2.13^{}\n", self.tags())
        digest = hashlib.sha256(self.tarballs["6.12.117"].read_bytes()).hexdigest()
        sums = fetch(f"{self.pub}/v6.x/sha256sums.asc").body.decode()
        self.assertIn(f"\n{digest}  linux-6.12.117.tar.xz\n", sums)

    def seen(self, url, method, body):
        """What a client sees: an answer, or how it ends."""
        try:
            answer = fetch(url, method, body=body)
            return answer.status, answer.body
        except http.client.IncompleteRead as error:
            return error.partial
        except (OSError, http.client.HTTPException) as error:
            return type(error)

    def test_each_fault_is_seen_once_and_then_no_more(self):
        sums, upload = f"{self.pub}/v6.x/sha256sums.asc", b"x" * 1000
        rows = [(sums, {"kind": kind}) for kind in KINDS if kind != "none"]
        rows += [
            (self.releases, {"kind": kind, "variant": variant})
            for kind, variants in (("malformed_json", MALFORMED), ("hostile_json", HOSTILE))
            for variant in variants
        ]
        for url, fault in rows:
            # Its numbers are times, and it sees no difference in answers in time.
            kind = fault["kind"]
            if kind in ("slow", "lost_answer") or (url == sums and "json" in kind):
                continue
            with self.subTest(fault):
                method, body = "GET", None
                if kind in ("cut_request", "starter"):
                    method, body = "POST", upload
                self.server.control(faults=[{**fault, "count": 1}])
                hit = self.seen(url, method, body)
                proper = self.seen(url, method, body)
                self.assertNotEqual(hit, proper)
                state = self.server.control()
                self.assertEqual((state["faults"][0]["fired"], state["errors"]), (1, 0))

    def test_a_wrong_setting_is_refused(self):
        url = self.server.urls["KERNEL_ORG_CONTROL"]
        faults = [{"kind": "unknown"}, {"kind": "close", "bytes": 1}]
        for value in ({"sources": []}, *({"faults": [fault]} for fault in faults)):
            answer = fetch(url, "POST", body=json.dumps(value))
            self.assertEqual(answer.status, 400, answer.body)
