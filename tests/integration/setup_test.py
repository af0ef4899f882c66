# SPDX-License-Identifier: LGPL-2.1-or-later
"""What prepares a machine: .github/setup and .github/prepare-guest."""

import json
import os
import platform
import shutil
import subprocess
import unittest

import support
from support import TOP

CATALOG = json.loads((TOP / "configs/vmtest.json").read_text())


def setup(*arguments, **options):
    return subprocess.run(
        [TOP / ".github/setup", "--list", *arguments],
        **options,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )


@unittest.skipUnless(shutil.which("dpkg"), "for Debian and Ubuntu")
class SetupTest(support.TestCase):
    def cross_compilers(self, *arguments):
        result = setup(*arguments)
        self.assertEqual(result.returncode, 0, result.stderr)
        return [name for name in result.stdout.split() if name.startswith("gcc-")]

    def test_cross_compilers_are_those_of_the_catalog(self):
        own = subprocess.check_output(
            ["dpkg", "--print-architecture"], text=True
        ).strip()
        expected = [
            "gcc-" + data["cross_prefix"].rstrip("-").replace("_", "-")
            for data in CATALOG["architectures"].values()
            if data["debian_arch"] != own
        ]
        self.assertEqual(self.cross_compilers("--arch", "all"), expected)
        self.assertEqual(self.cross_compilers(), [])
        arch = next(
            name
            for name, data in CATALOG["architectures"].items()
            if data["debian_arch"] != own
        )
        self.assertEqual(
            self.cross_compilers("--only", "kernel", "--arch", arch), expected[:1]
        )

    def test_emulators_are_in_the_packages_that_the_distribution_has(self):
        packages = "qemu-system-misc"
        for known in ("", "qemu-system-riscv\nqemu-system-s390x"):
            apt_cache = self.folder / "apt-cache"
            apt_cache.write_text(f"#!/bin/sh\necho '{packages}\n{known}'\n")
            apt_cache.chmod(0o755)
            path = f"{self.folder}:{os.environ['PATH']}"
            result = setup("--arch", "riscv64,s390x", env={**os.environ, "PATH": path})
            self.assertEqual(result.returncode, 0, result.stderr)
            listed = set(result.stdout.split())
            for name in known.split() or [packages]:
                self.assertIn(name, listed)
            self.assertEqual(packages in listed, not known)

    def test_an_unknown_architecture_is_wrong_usage(self):
        result = setup("--arch", "vax")
        self.assertEqual(result.returncode, 2)
        self.assertIn("'vax'; there are: x86_64 aarch64", result.stderr)
        self.assertEqual(setup("--arch").returncode, 2)


class PrepareGuestTest(support.TestCase):
    def prepare(self, *arguments):
        """The result, and what it would have run."""
        log = self.folder / "log"
        log.write_text("")
        for name in ("sudo", "vmtest-vm"):
            program = self.folder / name
            program.write_text(f'#!/bin/sh\necho "${{0##*/}} $*" >>"{log}"\n')
            program.chmod(0o755)
        result = subprocess.run(
            [TOP / ".github/prepare-guest", *arguments],
            env={**os.environ, "PATH": f"{self.folder}:{os.environ['PATH']}"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
        )
        return result, log.read_text()

    def test_another_architecture_needs_a_root_file_system(self):
        result, ran = self.prepare("vax")
        self.assert_status(result, 0)
        self.assertIn(
            "sudo sysctl -q kernel.apparmor_restrict_unprivileged_userns=0\n"
            "vmtest-vm rootfs --arch vax\n",
            ran,
        )
        self.assertIn("kvm", result.stdout)

    def test_the_own_architecture_needs_none(self):
        result, ran = self.prepare(platform.machine())
        self.assert_status(result, 0)
        self.assertNotIn("rootfs", ran)
        self.assertNotIn("sysctl", ran)

    def test_without_an_architecture_it_is_wrong_usage(self):
        result, ran = self.prepare()
        self.assert_status(result, 2)
        self.assertIn("usage: ", result.stderr)
        self.assertEqual(ran, "")
