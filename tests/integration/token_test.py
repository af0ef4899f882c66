# SPDX-License-Identifier: LGPL-2.1-or-later
"""
The token that authorises the programs to GitHub goes to GitHub and nowhere
else: not into what they print, nor into files, command lines, the environment
of other programs, other hosts or cores.
"""

import ctypes
import functools
import os
import secrets
import shutil
import subprocess
import unittest
from pathlib import Path

import support
from support import environment, github_environment, mirror

from built_kernel import catalog_without_patches
from caller import AS_ORDINARY
from github_store import StoredRelease
from packages import RELEASE, package_entries, package_name, write_package

STORE = "github:octo/kernels@kernels"
VERSION = "6.12.117"
TINY = ("--latest-stable", "--flavor=tiny", "--arch=host")
# Reads files of the host in a guest: below its own mounts lies the host's root.
# They are not cached by what size they say they have, which is 0.
READER = """
mkdir /tmp/below && mount --bind / /tmp/below || exit
echo up
while read -r path; do
    echo "$path:"
    dd if="/tmp/below$path" iflag=direct bs=64k
done 2>&1
"""
TOKENS = (
    *("GITHUB_TOKEN", "GH_TOKEN"),
    *("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "ACTIONS_RUNTIME_TOKEN"),
)


def has_landlock():
    """Whether the kernel can keep QEMU from /proc; 5.13 has the first version."""
    landlock_create_ruleset, version = 444, 1
    return ctypes.CDLL(None).syscall(landlock_create_ruleset, None, 0, version) >= 1


def shown_environment(pid):
    """What /proc shows of it; "" where it shows nothing to us."""
    try:
        return Path(f"/proc/{pid}/environ").read_text(errors="replace")
    except PermissionError:
        return ""


class TokenTest(support.TestCase):
    def setUp(self):
        super().setUp()
        self.token = "ghp_" + secrets.token_hex(18)
        self.reader = "ghp_" + secrets.token_hex(18)
        self.releases = self.folder / "github"
        tokens = (f"--token={self.token}:write", f"--token={self.reader}:read")
        self.github = self.start("github.py", f"--folder={self.releases}", *tokens)
        self.printed = ""
        self.recorded = self.folder / "recorded"
        # Where everything that the programs write goes.
        self.home = self.folder / "home"
        self.home.mkdir()
        self.env = github_environment(
            self.github,
            GITHUB_TOKEN=self.token,
            HOME=self.home,
            XDG_CACHE_HOME=self.home / "cache",
            TMPDIR=self.home,
            VMTEST_RETRY_SECONDS=5,
            VMTEST_STALL_SECONDS=1,
        )
        self.package = self.folder / package_name()
        write_package(self.package, package_entries())

    def run_program(self, program, command, *arguments):
        """As talkative as it can be."""
        words = (f"{program} {command} --verbose", *arguments)
        result = support.run(*words, env=self.env, cwd=self.home)
        self.printed += result.stdout + result.stderr
        return result

    def bot(self, command, *arguments):
        store = () if command == "build" else (f"--store={STORE}",)
        return self.run_program("vmtest-bot", command, *arguments, *store)

    def shadow(self, *programs):
        """Let recorders take the place of programs."""
        record = f'{{ echo "$0 $*"; env; }} >>"{self.recorded}"; exit 1'
        self.env["PATH"] = self.path_with(dict.fromkeys(programs, record))

    def offer_source(self):
        """Of a kernel that cannot be built."""
        self.env.update(mirror(self.start_kernel_org(VERSION)))

    def assert_not_in(self, text, where):
        for token in (self.token, self.reader):
            # GitHub Actions is told what it has to hide.
            text = text.replace(f"::add-mask::{token}\n", "")
            self.assertNotIn(token, text, where)
            self.assertNotIn(token[4:], text, where)

    def assert_kept(self):
        self.assert_not_in(self.printed, "printed")
        # What GitHub was sent is there for all to see.
        for path in [*self.home.rglob("*"), *self.releases.rglob("*")]:
            self.assert_not_in(path.name, "name of a file")
            if path.is_file() and not path.is_symlink():
                text = path.read_bytes().decode(errors="replace")
                self.assert_not_in(text, path)
        if self.recorded.exists():
            self.assert_not_in(self.recorded.read_text(), "other programs")
        self.assertEqual(self.github.control()["leaked_authorizations"], 0)
        for request in self.github.requests():
            self.assert_not_in(request["query"] + request["path"], "URL")
            if request["endpoint"] in ("downloads", "web"):
                self.assertFalse(request["authorization"], request)

    def test_life_of_a_package(self):
        uploads = {"endpoint": "uploads"}
        faults = [{**uploads, "kind": kind} for kind in ("starter", "cut_request")]
        faults.append({"kind": "status", "endpoint": "api", "method": "PATCH"})
        self.github.control(faults=faults)
        self.assert_status(self.bot("publish", self.package), 0)
        for command in (["status"], ["status", "--markdown"], ["prune", "--dry-run"]):
            self.assert_status(self.bot(*command), 0)
        for command in (["list"], ["download", "-k", RELEASE]):
            result = self.run_program("vmtest-vm", *command, f"--store={STORE}")
            self.assert_status(result, 0)
        # The bytes came from the other host.
        self.assertTrue(self.github.requests(endpoint="downloads"))
        self.assertTrue(list((self.home / "cache").rglob("vmlinuz")))
        self.assert_kept()

    def test_errors(self):
        for token, status in (
            (self.reader, 1),
            (self.token + "x", 1),
            (self.token + " x", 2),
        ):
            self.env["GITHUB_TOKEN"] = token
            self.assert_one_line(self.bot("publish", self.package), status)
        self.env["GITHUB_TOKEN"] = self.token
        for fault in (
            {"kind": "status", "status": 418},
            {"kind": "malformed_json", "variant": "html"},
            {"kind": "redirect_loop"},
            {"kind": "close"},
        ):
            self.github.control(faults=[{**fault, "endpoint": "api", "count": -1}])
            self.assert_one_line(self.bot("publish", self.package), 1)
        self.assert_kept()

    def test_other_programs(self):
        """make is given a source, and QEMU a kernel: both are strangers."""
        self.offer_source()
        self.shadow("make", f"qemu-system-{os.uname().machine}")
        catalog = catalog_without_patches(self.folder / "configs")
        self.assert_status(self.bot("run", *TINY, f"--catalog={catalog}"), 1)
        self.assertIn("/make ", self.recorded.read_text())
        self.assert_status(self.bot("publish", self.package), 0)
        words = (f"--store={STORE}", "-k", RELEASE, "--accel=tcg", "true")
        result = self.run_program("vmtest-vm", "run", *words)
        self.assert_status(result, 125)
        self.assertIn("/qemu-system-", self.recorded.read_text())
        self.assert_kept()

    def test_jobs_of_a_workflow(self):
        """Outputs, summary, results and issues are for all to see."""
        self.offer_source()
        self.shadow("make")
        output = self.home / "output"
        self.env.update(
            GITHUB_ACTIONS="true",
            GITHUB_REPOSITORY="octo/kernels",
            GITHUB_OUTPUT=str(output),
            GITHUB_STEP_SUMMARY=str(self.home / "summary"),
        )
        plan, results = self.home / "plan", self.home / "results"
        release = f"{VERSION}-vmtest1.0tiny"
        for status, *arguments in (
            (0, "plan", "--github-output", f"--output={plan}", *TINY),
            (
                *(1, "build", release, f"--output={self.home / 'out'}"),
                f"--result={results / 'result.json'}",
            ),
            (0, "publish", "--no-page", self.package),
            (1, "finish", "--issues", f"--plan={plan}", f"--results={results}"),
        ):
            results.mkdir(exist_ok=True)
            self.assert_status(self.bot(*arguments), status)
        self.assertIn(release, output.read_text())
        self.assertIn(f"::add-mask::{self.token}\n", self.printed)
        self.assertTrue(self.github.requests(path="/repos/octo/kernels/issues"))
        self.assert_kept()

    def test_a_running_bot(self):
        """Others see its command line and environment."""
        slow = {"kind": "slow", "direction": "request", "bytes_per_second": 20000}
        self.github.control(faults=[{**slow, "endpoint": "uploads"}])
        command = ("vmtest-bot", "publish", self.package, f"--store={STORE}")
        options = {"cwd": self.home, "stderr": subprocess.STDOUT}
        process = self.popen(*command, env=self.env, **options)
        release = functools.partial(StoredRelease, self.releases, "kernels")
        self.wait_until(lambda: release().names("starter"))
        command_line = Path(f"/proc/{process.pid}/cmdline").read_text()
        self.assert_not_in(command_line, "command line")
        self.assert_not_in(shown_environment(process.pid), "environment")
        self.printed += process.communicate(timeout=60)[0]
        self.assertEqual(process.returncode, 0, self.printed)
        self.assert_kept()


class GuestTest(support.TestCase):
    """A guest reads all that QEMU may read, the host's /proc too."""

    def start_guest(self, values, **user):
        self.folder.chmod(0o777)
        streams = {"stdin": subprocess.PIPE, "stderr": subprocess.STDOUT}
        env = environment(TMPDIR=self.folder, HOME=self.folder, **values)
        command = ("vmtest-vm run -q -k", support.kernel(), "--", "sh", "-c", READER)
        process = self.popen(*command, env=env, cwd=self.folder, **streams, **user)
        self.assertEqual(process.stdout.readline(), "up\n")
        return process

    def start_neighbour(self, values, **user):
        """Such as the shell that has started us."""
        return self.popen(shutil.which("sleep"), "1000", env=values, **user).pid

    def look(self, **user):
        values = {name: secrets.token_hex(18) for name in (*TOKENS, "CALLERS")}
        process = self.start_guest(values, **user)
        started = support.descendants(process.pid)
        names = [Path(f"/proc/{pid}/comm").read_text() for pid in started]
        self.assertIn("qemu", "".join(names))
        shown = "".join(map(shown_environment, {process.pid, *started}))
        paths = [f"/proc/{pid}/environ" for pid in (process.pid, *started)]
        self.assertEqual(os.stat(paths[0]).st_uid, 0)
        if has_landlock():
            paths.append(f"/proc/{self.start_neighbour(values, **user)}/environ")
        asked = "".join(f"{path}\n" for path in [*paths, "/etc/os-release"])
        read, _ = process.communicate(asked, timeout=120)
        self.assertEqual(process.returncode, 0, read)
        for path in paths:
            self.assertIn(f"{path}:\n", read)
        # It does read the host's.
        self.assertIn(Path("/etc/os-release").read_text(), read)
        for name, value in values.items():
            self.assertNotIn(value, shown, name)
            self.assertNotIn(value, read, name)

    def test_environment(self):
        self.look()

    @unittest.skipIf(os.getuid(), "only root can be somebody else")
    def test_environment_of_an_ordinary_user(self):
        try:
            support.succeed("vmtest-vm --version", **AS_ORDINARY)
        except PermissionError:
            self.skipTest("an ordinary user cannot run the programs where they are")
        self.look(**AS_ORDINARY)

    def test_what_is_asked_for_is_passed_on(self):
        words = ("sh", "-c", "echo $GH_TOKEN")
        env = environment(GH_TOKEN="given")
        result = support.run_guest(*words, options=["--env=GH_TOKEN"], env=env)
        self.assertEqual(result.stdout, "given\n", result.stderr)
