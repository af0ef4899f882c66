# SPDX-License-Identifier: LGPL-2.1-or-later
"""The bot, against stand-ins for kernel.org and GitHub, with a real package."""

import hashlib
import json
import os
import re
import shutil
import urllib.request

import support
from built_kernel import catalog_without_patches
from packages import entry, package_entries, package_name, write_package
from support import environment, github_environment, mirror, run

TINY = ("--latest-stable", "--arch=host", "--flavor=tiny")


class PollTest(support.TestCase):
    def poll(self, *arguments):
        env = environment(**mirror(self.kernel_org))
        return run("vmtest-bot poll", *arguments, env=env)

    def test_lists_releases_and_dead_series(self):
        self.kernel_org = self.start("kernel_org.py")
        offer = ["6.12.115", "6.12.117", "6.11.9", "7.3-rc2", "5.5.1"]
        self.kernel_org.control(offer=offer, unlisted=["6.11"])
        result = self.poll()
        self.assert_status(result, 0)
        self.assertEqual(result.stdout.split(), ["7.3-rc2", "6.12.117", "6.11.9"])
        self.kernel_org.control(offer=["6.12.117", "7.3-rc2"])
        rows = json.loads(self.poll("--json").stdout)
        latest = [row["version"] for row in rows if row["latest_stable"]]
        self.assertEqual(latest, ["6.12.117"])
        self.assertEqual(self.poll("--latest-stable").stdout, "6.12.117\n")


class GitHubTest(support.TestCase):
    """One package on its way to a GitHub release and back."""

    def setUp(self):
        super().setUp()
        self.package = support.package()
        self.exchanges = self.folder / "exchanges"
        folder = self.folder / "github"
        options = ("--folder", folder, "--exchanges", self.exchanges)
        self.github = self.start("github.py", *options)
        self.kernel_org = self.start("kernel_org.py", "--installed")
        self.store = "github:octo/kernels@kernels"
        self.environment = github_environment(self.github, **mirror(self.kernel_org))

    def bot(self, command, *arguments):
        directory = support.work_options(command, self.folder / "work")
        options = (f"--store={self.store}", *directory)
        return run("vmtest-bot", command, *arguments, *options, env=self.environment)

    def assert_published_once(self):
        (row,) = support.assets(self.store, env=self.environment)
        digest = hashlib.sha256(self.package.read_bytes()).hexdigest()
        self.assertEqual((row["name"], row["digest"]), (self.package.name, digest))

    def test_publish_is_idempotent_and_then_nothing_is_to_do(self):
        for _ in range(2):
            self.assert_status(self.bot("publish", self.package), 0)
            self.assert_published_once()
        self.assertEqual(len(self.github.requests(endpoint="uploads")), 1)

        # A run also writes the page: the one before may have died.
        for command, methods in (("plan", ["GET"]), ("run", ["GET", "PATCH"])):
            before = len(self.github.requests(endpoint="api"))
            result = self.bot(command, *TINY)
            self.assert_status(result, 0)
            self.assertIn("nothing to build", result.stderr)
            requests = self.github.requests(endpoint="api")[before:]
            self.assertEqual([r["method"] for r in requests], methods)
        self.assert_status(self.bot("prune", "--keep=1", "--keep-days=0"), 0)
        self.assert_published_once()
        self.assert_described(self.exchanges)

    def test_what_cannot_be_published_or_booted_is_not_built(self):
        foreign = "s390x" if os.uname().machine == "aarch64" else "aarch64"
        for env, words, expected in (
            ({"GITHUB_TOKEN": ""}, (), ("write to github:", "set GITHUB_TOKEN")),
            ({"VMTEST_QEMU": "/no/qemu"}, (), ("/no/qemu", "VMTEST_QEMU")),
            (
                {"VMTEST_QEMU": "/bin/true", "PATH": self.path_with({"apt-get": "exit 100"})},
                ("-a", foreign),
                (f"make a root for {foreign} guests", "busybox-root", "100"),
            ),
        ):
            with self.subTest(env=env):
                self.environment.update(env)
                result = self.bot("run", *TINY, *words)
                self.assert_status(result, 2 if "GITHUB_TOKEN" in env else 1)
                (line,) = [l for l in result.stderr.splitlines() if "error" in l]
                for word in expected:
                    self.assertIn(word, line)
                self.assertEqual(result.stdout, "")
                self.environment["GITHUB_TOKEN"] = "write-token"
                for name in ("VMTEST_QEMU", "PATH"):
                    self.environment.pop(name, None)
        asked = [request["path"] for request in self.kernel_org.requests()]
        self.assertFalse([path for path in asked if ".tar." in path], asked)

    def test_the_page_says_what_a_package_was_built_without_and_who_signed(self):
        lost = json.dumps({
            "lost_options": ["CONFIG_A=y", 'CONFIG_B="x y"'],
            "source": {"signature": f"Greg Kroah-Hartman, {'A' * 40}"},
        })
        entries = [entry("./vmtest.json", lost.encode()), *package_entries()]
        package = write_package(self.folder / package_name(), entries)
        note = 'without CONFIG_A=y, CONFIG_B="x y"'
        escaped = note.replace("_", "\\_")
        for store in (self.store, f"dir:{self.folder / 'store'}"):
            self.store = store
            self.assert_status(self.bot("publish", package), 0)
            page = self.bot("status", "--markdown")
            self.assertRegex(
                page.stdout, rf"(?m), {re.escape(escaped)} \|.*\| Greg Kroah-Hartman \|$")
        url = self.github.urls["GITHUB_API_URL"]
        release = support.get_json(f"{url}/repos/octo/kernels/releases/tags/kernels")
        self.assertIn(escaped, release["body"])
        self.assertEqual(release["assets"][0]["label"], f"{package.name} signed by Greg Kroah-Hartman {note}")

    def test_an_upload_goes_to_githubs_host_alone(self):
        self.assert_status(self.bot("publish", self.package), 0)
        other = self.package.with_name(self.package.name.replace("vmtest1", "vmtest2"))
        other = shutil.copy(self.package, self.folder / other.name)
        port = self.github.urls["GITHUB_UPLOADS_URL"].rpartition(":")[2]
        for host in (f"localhost:{port}", f"127.0.0.1:1@localhost:{port}", "example.com"):
            self.github.control(uploads_url=f"http://{host}")
            result = self.bot("publish", other)
            self.assert_one_line(result, 1, "upload_url", "nothing was sent there")
        self.assertEqual(len(self.github.requests(endpoint="uploads")), 1)
        self.assert_published_once()

    def test_a_package_is_published_as_its_result_tells_of_it(self):
        release, arch = support.release(), os.uname().machine
        info = {"release": release, "version": release.partition("-")[0]}
        info |= {"architecture": arch, "flavor": "tiny"}
        package = self.folder / "out" / package_name(release)
        result = {"release": release, "arch": arch, "outcome": "built"}
        path = self.folder / "result.json"

        def write(**fields):
            told = entry("./vmtest.json", json.dumps({**info, **fields}).encode())
            write_package(package, [told, *package_entries()])
            data = package.read_bytes()
            digest = hashlib.sha256(data).hexdigest()
            values = {**result, "size": len(data), "sha256": digest}
            path.write_text(json.dumps(values))
            return values

        def publish(*files):
            return self.bot("publish", f"--result={path}", *(files or (package,)))

        for field, value in (
            ("release", "6.1.1-vmtest1.0tiny"),
            *(("version", "6.1.1"), ("architecture", "vax"), ("flavor", "huge")),
        ):
            write(**{field: value})
            self.assert_one_line(publish(), 1, package.name, f"vmtest.json: {field}: it is")
        values = write()
        self.assert_one_line(publish(package, package), 2, "one package")
        other = self.folder / package_name()
        shutil.copy(package, other)
        self.assert_one_line(publish(other), 1, f"{other}: the result is that of {package.name}")
        package.write_bytes(package.read_bytes() + b"x")
        self.assert_one_line(publish(), 1, package.name, "not what was built", values["sha256"])
        path.write_text(json.dumps({**result, "outcome": "unavailable"}))
        self.assert_one_line(publish(), 1, "it was not built")
        self.assertEqual(self.github.requests(endpoint="api"), [])
        write()
        self.assert_status(publish(), 0)
        self.assertEqual(len(support.assets(self.store, env=self.environment)), 1)

    def test_downloads_come_whole_without_the_token(self):
        self.assert_status(self.bot("publish", self.package), 0)
        cut = {"kind": "cut_response", "endpoint": "downloads"}
        self.github.control(faults=[cut])
        words = (f"--store={self.store}", f"--directory={self.folder / 'vm'}")
        support.succeed("vmtest-vm download -k tiny", *words, env=self.environment)
        self.assertEqual(self.github.control()["leaked_authorizations"], 0)
        (vmlinuz,) = (self.folder / "vm").glob("*/kernel-*/vmlinuz")
        self.assertTrue(vmlinuz.is_file())

    def test_a_folder_has_the_same_life(self):
        self.store = f"dir:{self.folder / 'store'}"
        older = self.folder / self.package.name.replace("vmtest1", "vmtest0")
        shutil.copy(self.package, older)
        for path in (older, self.package):
            self.assert_status(self.bot("publish", path), 0)
        self.assertEqual(len(support.assets(self.store)), 2)
        rows = json.loads(self.bot("prune", "--keep-days=0", "--dry-run", "--json").stdout)
        self.assertEqual(rows, [{"name": older.name}])
        rows = json.loads(self.bot("run", *TINY, "--dry-run", "--json").stdout)
        self.assertEqual(rows, [])
        rows = json.loads(self.bot("publish", self.package, "--json").stdout)
        self.assertEqual(rows, [{"url": str(self.folder / "store" / self.package.name)}])
        self.assert_status(self.bot("prune", "--keep=1", "--keep-days=0"), 0)
        self.assert_published_once()
        # A name is never given to other bytes.
        other = self.folder / self.package.name
        other.write_bytes(b"other")
        self.assert_one_line(self.bot("publish", other), 1, self.package.name)
        self.assert_published_once()
        self.assert_status(self.bot("prune", "--keep=0"), 0)
        self.assertEqual(len(support.assets(self.store)), 0)


class FailureTest(support.TestCase):
    """A kernel that cannot be built, over the days."""

    def setUp(self):
        super().setUp()
        self.github = self.start("github.py", "--folder", self.folder / "github")
        self.kernel_org = self.start_kernel_org("6.12.117")
        self.catalog = catalog_without_patches(self.folder / "configs")
        self.environment = github_environment(self.github, **mirror(self.kernel_org))

    def bot(self, command, *arguments, status=0):
        directory = support.work_options(command, self.folder / "work")
        options = (f"--store={self.store}", f"--catalog={self.catalog}", *directory)
        words = () if command == "status" else TINY
        result = run("vmtest-bot", command, *arguments, *options, *words, env=self.environment)
        self.assert_status(result, status)
        return result

    def planned(self, *arguments):
        rows = json.loads(self.bot("plan", "--json", *arguments).stdout)
        return [row["release"] for row in rows if "not_before" not in row]

    def days_pass(self):
        """The page's text, as an earlier day's run has left it."""
        days = r'("not_before":"|Last successful run: )[-0-9]*'
        earlier = lambda text: re.sub(days, r"\g<1>2026-01-01", text)
        if self.store.startswith("dir:"):
            page = self.folder / "store/README.md"
            page.write_text(earlier(page.read_text()))
            return
        url = f"{self.github.urls['GITHUB_API_URL']}/repos/octo/kernels/releases"
        release = support.get_json(f"{url}/tags/kernels")
        data = json.dumps({"body": earlier(release["body"])}).encode()
        headers = {"Authorization": "Bearer write-token", "User-Agent": "test"}
        request = urllib.request.Request(
            f"{url}/{release['id']}", data, headers, method="PATCH"
        )
        urllib.request.urlopen(request).close()

    def fail(self, times):
        """It is built once more, and fails."""
        result = self.bot("run", "--json", "--retry", status=1)
        (row,) = json.loads(result.stdout)
        self.assertEqual((row["result"], row["phase"]), ("failed", "config"))
        (row,) = json.loads(self.bot("plan", "--json").stdout)
        self.assertEqual((row["failures"], row["failed"]), (times, "config"))
        return row

    def test_it_is_not_built_again_every_day(self):
        for self.store in (f"dir:{self.folder / 'store'}", "github:octo/kernels@kernels"):
            with self.subTest(store=self.store):
                self.check_life()
        gets = [r for r in self.github.requests() if r["method"] == "GET"]
        before = len(gets)
        self.bot("plan")
        gets = [r for r in self.github.requests() if r["method"] == "GET"]
        self.assertEqual(len(gets), before + 1)

    def check_life(self):
        (release,) = self.planned()
        days = [self.fail(times)["not_before"] for times in (1, 2)]
        self.assertLess(*days)
        plan = self.bot("plan")
        self.assertEqual(plan.stdout, "")
        said = f"failed 2 times: config; not tried again before {days[1]}"
        self.assertIn(f"{release} for {os.uname().machine} {said}", plan.stderr)
        self.assertIn("--retry", plan.stderr)
        # Nothing is there, and no run has succeeded.
        self.assertIn(said, self.bot("status", status=1).stdout)
        result = self.bot("status", "--json", status=1)
        self.assertIn("is stale: no run", result.stderr)
        (row,) = json.loads(result.stdout)
        self.assertEqual((row["release"], row["not_before"]), (release, days[1]))
        page = self.bot("status", "--markdown").stdout
        row = rf"\| {release} \| .*{os.uname().machine[:3]}.* \| config \| 2 \| {days[1]} \|"
        self.assertRegex(page, row)
        # A run leaves it alone, and the page keeps what it knows.
        self.bot("run")
        self.assertEqual(self.planned(), [])
        # What would be made in another way is tried at once.
        fragment = self.folder / "configs/tiny.config"
        text = fragment.read_text()
        fragment.write_text(f"{text}CONFIG_ZRAM=m\n")
        self.assertEqual(self.planned(), [release])
        fragment.write_text(text)
        for option in ("--retry", "--rebuild"):
            self.assertEqual(self.planned(option), [release])
        self.assertEqual(self.planned(), [])
        self.bot("status")
        self.days_pass()
        self.assertEqual(self.planned(), [release])
        # Nor does anybody notice otherwise that no run has ended well since.
        result = self.bot("status", status=1)
        said = "is stale: the last successful run was on 2026-01-01"
        self.assertIn(said, result.stderr)
        self.assertIn("Last successful run: 2026-01-01.", self.bot("status", "--markdown").stdout)
