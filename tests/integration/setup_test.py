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


class ActionTest(support.TestCase):
    """What actions run before our programs are there."""

    def test_only_the_tool_that_the_run_has_built_is_taken(self):
        home, packed = self.folder / "home", self.folder / "vmtest.tar.gz"
        (home / ".vmtest").mkdir(parents=True)
        (home / ".vmtest/it").touch()
        printed = script("actions/built-tool/carry", "pack", packed, HOME=str(home))
        digest = printed.stdout.strip().removeprefix("digest=")
        shutil.rmtree(home / ".vmtest")
        for wrong in ("0" * 64, ""):
            result = script("actions/built-tool/carry", "unpack", packed, wrong, HOME=str(home))
            self.assert_status(result, 1)
            self.assertIn("is not what this run's first job has built", result.stderr)
            self.assertFalse((home / ".vmtest").exists())
        path = self.path_with({"cmake": "exit 9", "apt-get": "exit 9"})
        script("actions/built-tool/carry", "unpack", packed, digest, HOME=str(home), PATH=path)
        self.assertTrue((home / ".vmtest/it").exists())

    def prepare(self, arch, programs, alone=False):
        log = self.folder / "log"
        log.write_text("")
        record = f'echo "${{0##*/}} $*" >>"{log}"'
        path = self.path_with({name: text.replace("RECORD", record)
                               for name, text in programs.items()})
        if alone:
            path = path.partition(":")[0]
            dirname = self.folder / "programs/dirname"
            dirname.unlink(missing_ok=True)
            dirname.symlink_to(shutil.which("dirname"))
        return script("actions/vm/prepare", arch, PATH=path), log.read_text()

    def test_what_a_runner_lacks_is_said(self):
        result, _ = self.prepare("", {}, alone=True)
        self.assert_status(result, 1)
        self.assertRegex(result.stdout, "^::error title=vmtest::.* no apt-get .*ubuntu")
        lacking = {"apt-get": "RECORD", "id": "echo 1000", "sudo": "exit 1"}
        result, ran = self.prepare("", lacking, alone=True)
        self.assert_status(result, 1)
        self.assertRegex(result.stdout, "^::error title=vmtest::.* neither root nor sudo")
        self.assertEqual(ran, "")

    @unittest.skipUnless(shutil.which("dpkg"), "for Debian and Ubuntu")
    def test_another_architecture_has_its_root_first(self):
        programs = dict.fromkeys(("apt-get", "sudo", "sysctl", "vmtest-vm", "udevadm"), "RECORD")
        result, ran = self.prepare("s390x", {**programs, "id": "echo 0"})
        self.assert_status(result, 0)
        self.assertIn("qemu-user-static", ran)
        self.assertTrue(ran.endswith("vmtest-vm rootfs --arch s390x\n"), ran)
        result, ran = self.prepare(os.uname().machine, {**programs, "id": "echo 0"})
        self.assert_status(result, 0)
        self.assertNotIn("rootfs", ran)
