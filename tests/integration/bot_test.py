#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The bot, against stand-ins for kernel.org and GitHub, with a real package."""

import hashlib
import json
import os
import shutil
import signal
import subprocess
import time
import unittest

import support
from built_kernel import catalog_without_patches, write_source
import packages
from support import BIN, environment, mirror, run


RUN_TINY = ("run", "--latest-stable", "--arch=host", "--flavor=tiny")


class PollTest(support.TestCase):
    def poll(self, kernel_org, *arguments):
        return run(
            "vmtest-bot",
            "poll",
            "-d",
            self.folder,
            *arguments,
            env=environment(**mirror(kernel_org)),
        )

    def test_lists_releases_and_dead_series(self):
        kernel_org = self.start("kernel_org.py")
        kernel_org.control(
            offer=["6.12.115", "6.12.117", "6.11.9", "7.3-rc2", "5.5.1"],
            unlisted=["6.11"],
        )
        result = self.poll(kernel_org)
        self.assert_status(result, 0)
        self.assertEqual(result.stdout.split(), ["7.3-rc2", "6.12.117", "6.11.9"])

    def test_json_marks_the_latest_stable(self):
        kernel_org = self.start("kernel_org.py")
        kernel_org.control(offer=["6.12.117", "7.3-rc2"])
        rows = json.loads(self.poll(kernel_org, "--json").stdout)
        latest = [row["version"] for row in rows if row["latest_stable"]]
        self.assertEqual(latest, ["6.12.117"])
        result = self.poll(kernel_org, "--latest-stable")
        self.assertEqual(result.stdout, "6.12.117\n")

    def test_bad_answers_are_one_line(self):
        kernel_org = self.start("kernel_org.py")
        kernel_org.control(offer=["6.12.117"])
        faults = [
            {"kind": "malformed_json", "variant": variant}
            for variant in ("cut", "garbage", "empty", "html")
        ] + [
            {"kind": "hostile_json", "variant": variant}
            for variant in ("deep", "types", "nulls")
        ]
        faults += [
            {"kind": "status", "status": 404},
            {"kind": "redirect_loop"},
        ]
        for fault in faults:
            with self.subTest(**fault):
                fault.update(path="releases.json", count=-1)
                kernel_org.control(faults=[fault])
                self.assert_one_line(self.poll(kernel_org), 1, "kernel.org")

    def test_a_server_error_is_tried_again(self):
        kernel_org = self.start("kernel_org.py")
        kernel_org.control(
            offer=["6.12.117"],
            faults=[{"kind": "status", "status": 503, "path": "releases.json"}],
        )
        result = self.poll(kernel_org)
        self.assert_status(result, 0)
        self.assertEqual(result.stdout, "6.12.117\n")


class GitHubTest(support.TestCase):
    """One package on its way to a GitHub release and back."""

    def setUp(self):
        super().setUp()
        self.package = support.package()
        self.github = self.start("github.py", "--folder", self.folder / "github")
        self.kernel_org = self.start("kernel_org.py", "--installed")
        self.store = "github:octo/kernels@kernels"
        self.use(self.github)

    def use(self, server):
        self.environment = environment(
            GITHUB_API_URL=server.urls["GITHUB_API_URL"],
            GITHUB_TOKEN="write-token",
            **mirror(self.kernel_org),
        )

    def bot(self, *arguments, **options):
        return run(
            "vmtest-bot",
            *arguments,
            f"--store={self.store}",
            f"--directory={self.folder / 'work'}",
            env=self.environment,
            **options,
        )

    def download(self):
        return run(
            "vmtest-vm",
            "download",
            f"--store={self.store}",
            f"--directory={self.folder / 'vm'}",
            "-k",
            "tiny",
            env=self.environment,
        )

    def assert_published_once(self):
        rows = support.assets(self.store, env=self.environment)
        self.assertEqual([row["name"] for row in rows], [self.package.name])
        digest = hashlib.sha256(self.package.read_bytes()).hexdigest()
        self.assertEqual(rows[0]["digest"], digest)

    def test_publish_is_idempotent_and_then_nothing_is_to_do(self):
        self.assert_status(self.bot("publish", self.package), 0)
        self.assert_published_once()
        self.assert_status(self.bot("publish", self.package), 0)
        self.assert_published_once()
        self.assertEqual(len(self.github.requests(endpoint="uploads")), 1)

        # A run also writes the page: the one before may have died.
        for command, methods in (("plan", ["GET"]), ("run", ["GET", "PATCH"])):
            before = len(self.github.requests(endpoint="api"))
            result = self.bot(command, *RUN_TINY[1:])
            self.assert_status(result, 0)
            self.assertIn("nothing to build", result.stderr)
            requests = self.github.requests(endpoint="api")[before:]
            self.assertEqual([r["method"] for r in requests], methods)

    def test_the_page_names_the_package(self):
        self.assert_status(self.bot("publish", self.package), 0)
        result = self.bot("status", "--markdown")
        self.assertIn(self.package.name, result.stdout)

    def test_the_page_says_what_a_package_was_built_without(self):
        lost = json.dumps({"lost_options": ["CONFIG_A=y", "CONFIG_B=\"x y\""]})
        package = packages.write_package(
            self.folder / packages.package_name(),
            [packages.entry("./vmtest.json", lost.encode())]
            + packages.package_entries(),
        )
        note = "without CONFIG_A=y, CONFIG_B=\"x y\""
        escaped = note.replace("_", "\\_")
        for store in (self.store, f"dir:{self.folder / 'store'}"):
            self.store = store
            self.assert_status(self.bot("publish", package), 0)
            page = self.bot("status", "--markdown")
            self.assertIn(f", {escaped} |", page.stdout)
        release = support.get_json(
            self.github.urls["GITHUB_API_URL"]
            + "/repos/octo/kernels/releases/tags/kernels"
        )
        self.assertIn(escaped, release["body"])
        self.assertEqual(release["assets"][0]["label"], f"{package.name} {note}")

    def test_a_killed_upload_is_repaired(self):
        self.github.control(
            faults=[{"kind": "slow", "endpoint": "uploads", "bytes_per_second": 5000000}]
        )
        process = subprocess.Popen(
            [BIN / "vmtest-bot", "publish", self.package, f"--store={self.store}"],
            env=self.environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        time.sleep(2)
        process.send_signal(signal.SIGKILL)
        process.wait()
        self.github.control(faults=[])
        # It might be somebody who goes on: that is waited for.
        self.environment["VMTEST_STALL_SECONDS"] = "3"
        self.assertEqual(support.assets(self.store, env=self.environment), [])
        self.assert_status(self.bot("publish", self.package), 0)
        self.assert_published_once()

    def test_faults_of_uploads_are_overcome(self):
        for fault in (
            {"kind": "lost_answer"},
            {"kind": "starter"},
            {"kind": "cut_request", "percent": 10},
            {"kind": "cut_request", "percent": 99},
        ):
            with self.subTest(**fault):
                fault.update(endpoint="uploads", count=1)
                self.github.control(faults=[fault])
                self.assert_status(self.bot("publish", self.package), 0)
                self.assert_published_once()
                (asset,) = support.assets(self.store, env=self.environment)
                self.assertEqual(asset["name"], self.package.name)

    def test_wrong_credentials_are_named(self):
        for token, word in (("no-such-token", "401"), ("read-token", "403")):
            with self.subTest(token=token):
                self.environment["GITHUB_TOKEN"] = token
                result = self.bot("publish", self.package)
                self.assert_one_line(result, 1, word)
                self.assertNotIn(token, result.stderr + result.stdout)

    def test_downloads_come_whole_without_the_token(self):
        self.assert_status(self.bot("publish", self.package), 0)
        self.github.control(
            faults=[{"kind": "cut_response", "endpoint": "downloads", "percent": 50}]
        )
        result = self.download()
        self.assert_status(result, 0)
        self.assertEqual(self.github.control()["leaked_authorizations"], 0)
        (vmlinuz,) = (self.folder / "vm").glob("*/kernel-*/vmlinuz")
        self.assertTrue(vmlinuz.is_file())

    def test_runs_at_once_download_once(self):
        self.assert_status(self.bot("publish", self.package), 0)
        command = [
            BIN / "vmtest-vm",
            *("run", "-q", "-k", "tiny", f"--store={self.store}"),
            *(f"--directory={self.folder / 'vm'}", "--", "uname", "-r"),
        ]
        processes = [
            subprocess.Popen(
                command,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                text=True,
            )
            for _ in range(2)
        ]
        for process in processes:
            output, _ = process.communicate(timeout=300)
            self.assertEqual(process.returncode, 0)
            self.assertEqual(output, support.release() + "\n")
        self.assertEqual(len(self.github.requests(endpoint="downloads")), 1)

    def test_corrupted_downloads_leave_nothing(self):
        self.assert_status(self.bot("publish", self.package), 0)
        for kind in ("corrupt", "wrong_digest"):
            with self.subTest(kind=kind):
                self.github.control(faults=[{"kind": kind, "count": -1}])
                result = self.download()
                self.assert_one_line(result, 1)
                left = [
                    p for p in (self.folder / "vm").glob("*/*") if p.is_dir()
                ]
                self.assertEqual(left, [])

    def test_traffic_is_what_github_describes(self):
        prism = self.start("prism.py", environment={**os.environ, **self.github.urls})
        self.use(prism)
        self.assert_status(self.bot("publish", self.package), 0)
        self.assert_published_once()
        self.assert_status(self.bot(*RUN_TINY), 0)
        self.assert_status(self.bot("prune", "--keep=1"), 0)
        self.assertEqual(prism.control()["violations"], [])


class DirectoryTest(support.TestCase):
    """The life of a folder that is a store."""

    def test_old_packages_are_pruned(self):
        package = support.package()
        store = self.folder / "store"
        older = self.folder / package.name.replace("vmtest1", "vmtest0")
        shutil.copy(package, older)
        for path in (older, package):
            result = run("vmtest-bot", "publish", path, f"--store=dir:{store}")
            self.assert_status(result, 0)
        self.assertEqual(len(support.assets(f"dir:{store}")), 2)
        result = run("vmtest-bot", "prune", "--keep=1", f"--store=dir:{store}")
        self.assert_status(result, 0)
        names = [row["name"] for row in support.assets(f"dir:{store}")]
        self.assertEqual(names, [package.name])

    def test_a_name_is_never_replaced(self):
        package = support.package()
        store = self.folder / "store"
        other = self.folder / package.name
        other.write_bytes(b"other")
        result = run("vmtest-bot", "publish", package, f"--store=dir:{store}")
        self.assert_status(result, 0)
        result = run("vmtest-bot", "publish", other, f"--store=dir:{store}")
        self.assert_one_line(result, 1, package.name)

    def test_an_unwritable_folder_is_named(self):
        if os.geteuid() == 0:
            store = "/proc/vmtest"
        else:
            store = "/vmtest"
        result = run("vmtest-bot", "publish", support.package(), f"--store=dir:{store}")
        self.assert_one_line(result, 1, store)


class RunTest(support.TestCase):
    def test_a_kernel_that_fails_does_not_stop_the_others(self):
        sources = []
        for version in ("6.11.11", "6.12.117"):
            tarball = self.folder / f"{version}.tar.xz"
            write_source(tarball, version)
            sources.append(f"--source={version}={tarball}")
        kernel_org = self.start("kernel_org.py", *sources)
        store = self.folder / "store"
        result = run(
            "vmtest-bot",
            "run",
            f"--catalog={catalog_without_patches(self.folder / 'configs')}",
            "--arch=host",
            "--flavor=tiny",
            f"--store=dir:{store}",
            f"--directory={self.folder / 'work'}",
            env=environment(**mirror(kernel_org)),
        )
        self.assert_status(result, 1)
        rows = [line.split()[0:4:3] for line in result.stdout.splitlines()[1:]]
        self.assertEqual(
            rows,
            [
                ["6.12.117-vmtest1.0tiny", "failed"],
                ["6.11.11-vmtest1.0tiny", "failed"],
            ],
        )
        # The end of make's log says why.
        self.assertIn("this source cannot be built", result.stderr)
        self.assertEqual(support.assets(f"dir:{store}"), [])


class UsageTest(support.TestCase):
    def test_wrong_usage_is_status_2(self):
        for arguments in (
            ["frobnicate"],
            ["poll", "--frobnicate"],
            ["publish"],
            ["publish", "/tmp/no-package.txt", "--store=dir:/tmp/x"],
            ["status", "--store=ftp:x"],
            ["status", "--store=github:only-owner"],
            ["status", "--catalog=/dev/null", "--store=dir:/tmp/x"],
        ):
            with self.subTest(arguments=arguments):
                self.assert_one_line(run("vmtest-bot", *arguments), 2)

    def test_help_and_version_are_on_stdout(self):
        for program in ("vmtest-bot", "vmtest-kbuild", "vmtest-vm"):
            with self.subTest(program=program):
                result = run(program, "--help")
                self.assert_status(result, 0)
                self.assertIn("Usage: " + program, result.stdout)
                result = run(program, "--version")
                self.assertRegex(result.stdout, rf"^{program} \d+\.\d+\.\d+\n$")


if __name__ == "__main__":
    unittest.main()
