# SPDX-License-Identifier: LGPL-2.1-or-later
"""
Runs commands in guests of other architectures than this machine's, as far as
there is a package, a root and an emulator for them:

    VMTEST_TEST_FOREIGN  folder with packages, kernel-*.ARCH.tar.zst, of which the
                         newest of each architecture is taken; default: the store
                         in VMTEST_TEST_CACHE

The root is what `vmtest-vm rootfs -a ARCH -d VMTEST_TEST_CACHE/kernels` makes.
"""

import json
import os
import platform
import re
import shutil
import subprocess
import unittest
from pathlib import Path

import support

CATALOG = json.loads((support.TOP / "configs/vmtest.json").read_text())
STORE = Path(os.environ.get("VMTEST_TEST_FOREIGN", support.CACHE / "store"))
FOLDER = support.CACHE / "kernels"
# What uname -m says in the guest, where it is not the architecture's name.
MACHINES = {"arm": "armv7l", "ppc64": "ppc64le"}
DRGN_TESTS = support.TOP / "tests/drgn"


def is_foreign(arch):
    return platform.machine() not in CATALOG["architectures"][arch]["host_names"]


class ForeignGuest(support.TestCase):
    """What holds for a guest of any architecture; ARCH is set by subclasses."""

    ARCH = ""

    @classmethod
    def setUpClass(cls):
        data = CATALOG["architectures"][cls.ARCH]
        packages = sorted(STORE.glob(f"kernel-*.{cls.ARCH}.tar.zst"))
        if not packages:
            raise unittest.SkipTest(f"no package of {cls.ARCH} in {STORE}")
        if not shutil.which(data["qemu"]):
            raise unittest.SkipTest(f"{data['qemu']} is not installed")
        if not (FOLDER / cls.ARCH / "rootfs").is_dir():
            raise unittest.SkipTest(
                f"no root: vmtest-vm rootfs -a {cls.ARCH} -d {FOLDER} makes one")
        release = packages[-1].name.removeprefix("kernel-").rsplit(".", 3)[0]
        result = support.run(
            "vmtest-vm", "download", "-q", "-a", cls.ARCH,
            f"--store=dir:{STORE}", "-d", FOLDER, "-k", release)
        if result.returncode != 0:
            raise RuntimeError(result.stderr)
        cls.kernel = result.stdout.strip()
        cls.prefix = data["cross_prefix"]
        cls.has_kdump = data["kdump"] is not False

    def run_guest(self, *command, options=(), **kwargs):
        kwargs.setdefault("cwd", self.folder)
        return support.run(
            "vmtest-vm", "run", "-q", "-a", self.ARCH, "-k", self.kernel,
            "-d", FOLDER, *options, "--", *command, timeout=900, **kwargs)

    def test_command_runs_there(self):
        result = self.run_guest("sh", "-c", "uname -m; exit 7")
        self.assert_status(result, 7)
        self.assertEqual(result.stdout, MACHINES.get(self.ARCH, self.ARCH) + "\n")
        self.assertEqual(result.stderr, "")

    def test_streams_and_working_directory(self):
        (self.folder / "file").write_text("of the host\n")
        result = self.run_guest(
            "sh", "-c", "cat; cat file; pwd; echo error >&2; touch new",
            input="input\n", stdin=None)
        self.assert_status(result, 0)
        self.assertEqual(result.stdout, f"input\nof the host\n{self.folder}\n")
        self.assertEqual(result.stderr, "error\n")
        self.assertFalse((self.folder / "new").exists())

    def test_panic_is_a_loss(self):
        result = self.run_guest("sh", "-c", "echo c >/proc/sysrq-trigger")
        self.assert_status(result, 128)
        self.assertIn("Kernel panic - not syncing: sysrq triggered crash",
                      result.stderr)

    def test_power_off_is_a_loss(self):
        result = self.run_guest("sh", "-c", "echo o >/proc/sysrq-trigger; sleep 900")
        self.assert_status(result, 128)
        self.assertIn("powered off", result.stderr)

    def test_timeout_shows_tasks(self):
        result = self.run_guest("sleep", "1000", options=["-t", "2"])
        self.assert_status(result, 124)
        self.assertIn("task:sleep", result.stderr)

    def test_disk_and_writable_folder(self):
        (self.folder / "rw").mkdir()
        result = self.run_guest(
            "sh", "-c", 'echo disk >"$DRGN_TEST_DISK"; head -c 4 "$DRGN_TEST_DISK" >rw/new',
            options=["--disk", "64M", "--rw", "rw"])
        self.assert_status(result, 0)
        self.assertEqual((self.folder / "rw/new").read_text(), "disk")

    def test_terminal(self):
        result = subprocess.run(
            ["script", "-qec",
             f"{support.BIN}/vmtest-vm run -q -a {self.ARCH} -k {self.kernel} "
             f"-d {FOLDER} -- sh -c 'tty; exit 3'", "/dev/null"],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            env=support.environment(), timeout=900, check=False, text=True)
        self.assertEqual(result.returncode, 3, result.stdout)
        self.assertIn("/dev/hvc", result.stdout)

    def test_crash_kernel_takes_over(self):
        script = """
            [ ! -e /proc/vmcore ] || { head -c 4 /proc/vmcore; exit 42; }
            vmtest-kexec && echo c >/proc/sysrq-trigger"""
        result = self.run_guest("sh", "-c", script, options=["--kdump"])
        if not self.has_kdump:
            self.assert_one_line(result, 125, "crash dumps do not work on")
        elif "vmtest was built without" in result.stderr:
            self.skipTest(result.stderr.strip())
        else:
            self.assert_status(result, 42)
            self.assertEqual(result.stdout, "\x7fELF")

    def test_drgn_looks_at_the_module(self):
        if not shutil.which(self.prefix + "gcc"):
            self.skipTest(f"{self.prefix}gcc is not installed")
        result = self.run_guest(
            "/usr/bin/python3", "-m", "unittest", "discover", "-s", DRGN_TESTS,
            "-v", options=["-t", "800", "--disk", "64M", "--module", "insert", "--module-source",
                           support.TOP / "module"], cwd=support.TOP)
        self.assert_status(result, 0)
        ran = re.search(r"^Ran (\d+) tests? in", result.stderr, re.MULTILINE)
        skipped = re.search(r"\bskipped=(\d+)", result.stderr)
        self.assertGreater(int(ran[1]) - int(skipped[1] if skipped else 0), 0,
                           result.stderr)


class ForeignRootTest(support.TestCase):
    """Without any package, or the network."""

    def make(self, *options, **kwargs):
        return support.run("vmtest-vm", "rootfs", "-d", self.folder / "cache",
                           *options, cwd=self.folder, **kwargs)

    def test_a_root_that_is_not_there(self):
        arch = next(a for a in CATALOG["architectures"] if is_foreign(a))
        result = support.run("vmtest-vm", "run", "-a", arch, "-d", self.folder,
                             "--", "true")
        self.assert_one_line(result, 125, f"vmtest-vm rootfs -a {arch}")

    def test_what_cannot_be_made(self):
        self.assert_one_line(self.make("-a", "vax"), 2, "vax")
        (self.folder / "vmtest.json").write_text('{"packages": "gcc"}')
        self.assert_one_line(self.make("-a", "s390x"), 2, "packages", "list of strings")

    def test_a_project_adds_packages_and_a_root_is_made_once(self):
        bin_folder = self.folder / "bin"
        (bin_folder / "etc").mkdir(parents=True)
        # Stands for mmdebstrap, whose roots take minutes: says what it was told.
        program = bin_folder / "mmdebstrap"
        program.write_text(
            "#!/bin/sh\n"
            f"printf '%s\\n' \"$@\" >>{self.folder}/told\n"
            f"tar -C {bin_folder} -cf - .\n")
        program.chmod(0o755)
        env = support.environment(PATH=f"{bin_folder}:{os.environ['PATH']}")
        (self.folder / "vmtest.json").write_text('{"packages": ["gcc"]}')
        first = self.make("-a", "host", "--package", "make", env=env)
        if "no keys to check" in first.stderr or "without root" in first.stderr:
            self.skipTest(first.stderr.strip())
        self.assert_status(first, 0)
        self.assertTrue((Path(first.stdout.strip()) / "mmdebstrap").exists())
        again = self.make("-a", "host", "--package", "make", "--json", env=env)
        self.assert_status(again, 0)
        self.assertEqual(json.loads(again.stdout)[0]["state"], "cached")
        told = (self.folder / "told").read_text()
        self.assertEqual(told.count("--include=kmod\n"), 1, told)
        self.assertIn("--include=gcc\n--include=make\n", told)


for name in CATALOG["architectures"]:
    if is_foreign(name):
        globals()[f"{name.capitalize()}Test"] = type(
            f"{name.capitalize()}Test", (ForeignGuest,),
            {"ARCH": name, "__module__": __name__})
del ForeignGuest
