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
import shutil
import unittest
from pathlib import Path

import drgn_test
import support
from support import CATALOG

STORE = Path(os.environ.get("VMTEST_TEST_FOREIGN", support.CACHE / "store"))
FOLDER = support.CACHE / "kernels"
# What uname -m says in the guest, where it is not the architecture's name.
MACHINES = {"arm": "armv7l", "ppc64": "ppc64le"}


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
        download = f"vmtest-vm download -q -a {cls.ARCH} -k {release}"
        path = support.succeed(download, f"--store=dir:{STORE}", "-d", FOLDER)
        cls.kernel = path.strip()
        cls.prefix = data["cross_prefix"]
        cls.has_kdump = data["kdump"] is not False

    def words(self, options=()):
        return (f"vmtest-vm run -a {self.ARCH} -k", self.kernel, "-d", FOLDER, *options)

    def run_guest(self, *command, options=(), **kwargs):
        kwargs.setdefault("cwd", self.folder)
        words = self.words(("-q", *options))
        return support.run(*words, "--", *command, timeout=900, **kwargs)

    def run_shell(self, script, *options, **kwargs):
        return self.run_guest("sh", "-c", script, options=options, **kwargs)

    def test_command_runs_there(self):
        result = self.run_shell("uname -m; exit 7")
        self.assert_status(result, 7)
        self.assertEqual(result.stdout, MACHINES.get(self.ARCH, self.ARCH) + "\n")
        self.assertEqual(result.stderr, "")

    def test_streams_and_working_directory(self):
        (self.folder / "file").write_text("of the host\n")
        script = "cat; cat file; pwd; echo error >&2; touch new"
        result = self.run_shell(script, input="input\n")
        self.assert_status(result, 0)
        self.assertEqual(result.stdout, f"input\nof the host\n{self.folder}\n")
        self.assertEqual(result.stderr, "error\n")
        self.assertFalse((self.folder / "new").exists())

    def test_losses_and_a_time_that_is_over(self):
        for script, options, status, word in (
            ("echo c >/proc/sysrq-trigger", (), 128, "Kernel panic - not syncing: sysrq"),
            ("echo o >/proc/sysrq-trigger; sleep 900", (), 128, "powered off"),
            ("sleep 1000", ("-t", "2"), 124, "task:sleep"),
        ):
            with self.subTest(script):
                result = self.run_shell(script, *options)
                self.assert_status(result, status)
                self.assertIn(word, result.stderr)

    def test_disk_and_writable_folder(self):
        (self.folder / "rw").mkdir()
        script = 'echo disk >"$DRGN_TEST_DISK"; head -c 4 "$DRGN_TEST_DISK" >rw/new'
        result = self.run_shell(script, "--disk", "64M", "--rw", "rw")
        self.assert_status(result, 0)
        self.assertEqual((self.folder / "rw/new").read_text(), "disk")

    def test_terminal(self):
        program, *words = self.words()
        words += ["--", "sh", "-c", "tty; exit 3"]
        command = support.command_line(program, words)
        terminal = support.Terminal(command, self.folder, limit=900)
        self.addCleanup(terminal.close)
        self.assertEqual(terminal.wait(), 3, terminal.text)
        self.assertIn("/dev/hvc", terminal.text)

    def test_crash_kernel_takes_over(self):
        script = """
            [ ! -e /proc/vmcore ] || { head -c 4 /proc/vmcore; exit 42; }
            vmtest-kexec && echo c >/proc/sysrq-trigger"""
        result = self.run_shell(script, "--kdump")
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
            drgn_test.PYTHON, "-m", "unittest", "discover", "-s", drgn_test.SUITE, "-v",
            options=["-t", "800", "--disk", "64M", "--module", "insert",
                     "--module-source", support.TOP / "module"], cwd=support.TOP)
        self.assert_status(result, 0)
        self.assertGreater(drgn_test.ran(result), 0, result.stderr)


class ForeignRootTest(support.TestCase):
    """Without any package, or the network."""

    def make(self, *options, **kwargs):
        words = ("vmtest-vm rootfs -d", self.folder / "cache", *options)
        return support.run(*words, cwd=self.folder, **kwargs)

    def test_a_root_that_is_not_there(self):
        arch = next(a for a in CATALOG["architectures"] if is_foreign(a))
        result = support.run(f"vmtest-vm run -a {arch} -d", self.folder, "true")
        self.assert_one_line(result, 125, f"vmtest-vm rootfs -a {arch}")

    def test_what_cannot_be_made(self):
        self.assert_one_line(self.make("-a", "vax"), 2, "vax")
        (self.folder / "vmtest.json").write_text('{"packages": "gcc"}')
        self.assert_one_line(self.make("-a", "s390x"), 2, "packages", "list of strings")

    def test_a_project_adds_packages_and_a_root_is_made_once(self):
        tree = self.folder / "tree/etc"
        tree.mkdir(parents=True)
        # Stands for mmdebstrap, whose roots take minutes: says what it was told.
        tell = f"printf '%s\\n' \"$@\" >>{self.folder}/told; tar -C {tree.parent} -cf - ."
        env = support.environment(PATH=self.path_with({"mmdebstrap": tell}))
        (self.folder / "vmtest.json").write_text('{"packages": ["gcc"]}')
        first = self.make("-a", "host", "--package", "make", env=env)
        if "no keys to check" in first.stderr or "without root" in first.stderr:
            self.skipTest(first.stderr.strip())
        self.assert_status(first, 0)
        self.assertTrue((Path(first.stdout.strip()) / "etc").exists())
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
