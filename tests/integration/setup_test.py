# SPDX-License-Identifier: LGPL-2.1-or-later
"""What prepares a machine: .github/setup, and for the bot busybox-root."""

import os
import shutil
import subprocess
import unittest

import support
from support import CATALOG, TOP

BUSYBOX = shutil.which("busybox")
REFERENCE = f"gcc-{CATALOG['gcc']['reference']}"


def script(name, *arguments, **values):
    """Run one of .github, with these variables."""
    command = [TOP / ".github" / name, *arguments]
    env = {**os.environ, **values}
    options = {"capture_output": True, "text": True, "check": False}
    return subprocess.run(command, env=env, stdin=subprocess.DEVNULL, **options)


@unittest.skipUnless(shutil.which("dpkg"), "for Debian and Ubuntu")
class SetupTest(support.TestCase):
    def packages(self, *arguments, **values):
        result = script("setup", "--list", *arguments, **values)
        self.assert_status(result, 0)
        return result.stdout.split()

    def test_cross_compilers_are_those_of_the_catalog(self):
        own = subprocess.check_output(["dpkg", "--print-architecture"], text=True).strip()
        foreign = {
            name: data["cross_prefix"].rstrip("-").replace("_", "-")
            for name, data in CATALOG["architectures"].items()
            if data["debian_arch"] != own
        }
        arch = next(iter(foreign))
        for arguments, archs in (
            (("--arch", "all"), foreign),
            ((), ()),
            (("--only", "kernel", "--arch", arch), (arch,)),
        ):
            expected = [REFERENCE]
            for name in archs:
                expected += f"{REFERENCE}-{foreign[name]}", f"gcc-{foreign[name]}"
            listed = self.packages(*arguments)
            self.assertEqual([n for n in listed if n.startswith("gcc-")], expected)

    def test_a_distribution_need_not_have_the_reference(self):
        log = self.folder / "log"
        path = self.path_with({
            "apt-cache": f"echo {REFERENCE}-base",
            "apt-get": f'echo "$*" >>"{log}"',
            "dpkg-query": "false",
            "sudo": '"$@"',
        })
        self.assert_status(script("setup", "--only", "kernel", "--arch", "all", PATH=path), 0)
        update, install = log.read_text().splitlines()
        self.assertIn("update", update)
        self.assertIn(" bc ", install)
        self.assertIn(" gcc-", install)
        self.assertNotIn(REFERENCE, install)

    def test_what_the_distribution_lacks_is_not_looked_for_again(self):
        path = self.path_with({
            # The lists are there, and of the compilers one is not.
            "ls": "true",
            "apt-cache": f"echo {REFERENCE}-base",
            "apt-get": "exit 1",
            "dpkg-query": f'case $* in *{REFERENCE}*) exit 1 ;; esac; echo install ok installed',
            "sudo": '"$@"',
        })
        self.assert_status(script("setup", "--only", "kernel,tests", PATH=path), 0)

    def test_emulators_are_in_the_packages_that_the_distribution_has(self):
        packages = "qemu-system-misc"
        for known in ("", "qemu-system-riscv\nqemu-system-s390x"):
            path = self.path_with({"apt-cache": f"echo '{packages}\n{known}'"})
            listed = self.packages("--arch", "riscv64,s390x", PATH=path)
            for name in known.split() or [packages]:
                self.assertIn(name, listed)
            self.assertEqual(packages in listed, not known)

    def test_an_unknown_architecture_is_wrong_usage(self):
        result = script("setup", "--list", "--arch", "vax")
        self.assert_status(result, 2)
        self.assertIn("'vax'; there are: x86_64 aarch64", result.stderr)
        self.assert_status(script("setup", "--list", "--arch"), 2)


class BootRootTest(support.TestCase):
    """Where vmtest-bot boots kernels of other architectures."""

    def make(self, *arguments):
        log = self.folder / "log"
        record = f'echo "${{0##*/}} $*" >>"{log}"'
        path = self.path_with({
            # A package whose busybox is this machine's.
            "apt-get": f"{record}; [ $1 = update ] || touch busybox-static_1_all.deb",
            "dpkg-deb": f"{record}; mkdir -p $3/bin && cp {BUSYBOX} $3/bin/busybox",
        })
        script = support.TOP / "bot/build/busybox-root"
        result = support.run(script, *arguments, env=support.environment(PATH=path))
        return result, log.read_text() if log.exists() else ""

    def test_a_guest_needs_no_more_than_a_busybox(self):
        root = self.folder / "root"
        root.mkdir()
        result, ran = self.make("s390x", "bookworm", root)
        self.assert_status(result, 0)
        self.assertIn("apt-get download -qq busybox-static", ran)
        result = support.run_guest("uname", "-r", options=[f"--root={root}"])
        self.assert_status(result, 0)
        self.assertEqual(result.stdout, f"{support.release()}\n")

    def test_without_a_directory_it_is_wrong_usage(self):
        result, ran = self.make("s390x", "bookworm")
        self.assert_status(result, 2)
        self.assertIn("usage: ", result.stderr)
        self.assertEqual(ran, "")
