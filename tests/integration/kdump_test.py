# SPDX-License-Identifier: LGPL-2.1-or-later
"""
Crashes a real kernel, and looks at its memory from the crash kernel.

VMTEST_TEST_KERNEL names an unpacked package to use instead of the one that the
tests build.
"""

import os
import shutil
import time

import module_test
import support
import vm_test

KERNEL = os.environ.get("VMTEST_TEST_KERNEL", "")

# What a command does: $FIRST in the kernel that is to crash, $SECOND in the one
# that takes over.
SCRIPT = """
    if [ -e /proc/vmcore ]; then
        eval "$SECOND"
    else
        eval "$FIRST"
    fi
"""
LOAD = '"$VMTEST_KEXEC" || exit 3; '
CRASH = LOAD + "echo c >/proc/sysrq-trigger"
PANIC = "Kernel panic - not syncing: sysrq triggered crash"


def setUpModule():
    global KERNEL
    KERNEL = KERNEL or str(support.kernel())
    module_test.KERNEL = KERNEL


class KdumpTest(support.TestCase):
    def run_guest(self, first, second="exit 42", options=(), quiet=True, **kwargs):
        return support.run(
            "vmtest-vm", "run", *(["-q"] if quiet else []), "-k", KERNEL,
            "-t", "90", "--kdump", "--env", f"FIRST={first}",
            "--env", f"SECOND={second}", *options, "--", "sh", "-c", SCRIPT,
            **kwargs)

    def test_the_second_boot_s_status_counts(self):
        for machine in ("pc-pvh", "q35"):
            with self.subTest(machine):
                result = self.run_guest(
                    "echo one; sleep 0.2; " + CRASH,
                    "head -c 4 /proc/vmcore; echo two >&2; exit 42",
                    options=["--machine", machine])
                self.assert_status(result, 42)
                self.assertEqual(result.stdout, "one\n\x7fELF")
                self.assertEqual(result.stderr, "two\n")

    def test_the_user_is_told(self):
        result = self.run_guest(CRASH, quiet=False)
        self.assert_status(result, 42)
        self.assertEqual(len(result.stderr.splitlines()), 1, result.stderr)
        self.assertIn(PANIC + "; the crash kernel", result.stderr)

    def test_no_crash_is_an_ordinary_run(self):
        for first in ("exit 7", LOAD + "exit 7", "vmtest-kexec && exit 7"):
            with self.subTest(first):
                self.assert_status(self.run_guest(first), 7)

    def test_a_crash_without_a_crash_kernel_is_a_loss(self):
        start = time.monotonic()
        result = self.run_guest("echo c >/proc/sysrq-trigger")
        self.assert_status(result, 128)
        self.assertIn(PANIC, result.stderr)
        self.assertLess(time.monotonic() - start, 60)

    def test_a_second_crash_is_a_loss(self):
        result = self.run_guest(CRASH, "echo c >/proc/sysrq-trigger")
        self.assert_status(result, 128)
        self.assertEqual(result.stderr.count(PANIC), 2, result.stderr)

    def test_a_crash_kernel_that_does_not_come_up_is_a_loss(self):
        result = self.run_guest(
            '"$VMTEST_KEXEC" --append init=/no/such || exit 3; echo c >/proc/sysrq-trigger')
        self.assert_status(result, 128)
        self.assertIn(PANIC, result.stderr)
        self.assertIn("/no/such", result.stderr)

    def test_an_oops_is_a_splat_and_a_dump(self):
        source = module_test.write_source(self.folder / "hello",
                                          "*(volatile int *)8")
        result = self.run_guest(
            LOAD + 'echo 1 >/proc/sys/kernel/panic_on_oops; insmod "$DRGN_TEST_KMOD"',
            "exit 0", quiet=False, options=[
                "--module", "build", "--module-source", str(source),
                "-d", str(self.folder / "cache"), "--fail-on-splat"])
        self.assert_status(result, 1)
        # There are no words of a panic then.
        self.assertIn("the kernel has crashed; the crash kernel", result.stderr)
        self.assertIn("the kernel reported: BUG: kernel NULL pointer", result.stderr)

    def test_the_time_is_for_both_boots(self):
        start = time.monotonic()
        result = self.run_guest("sleep 4; " + CRASH, "sleep 1000",
                                options=["-t", "12"])
        self.assert_status(result, 124)
        self.assertIn("task:sleep", result.stderr)
        self.assertLess(time.monotonic() - start, 60)

    def test_streams_and_surroundings_are_the_same(self):
        script = 'pwd; echo "$VMTEST_KEXEC,$DRGN_TEST_DISK,$PATH"; cat;'
        result = self.run_guest(
            script + CRASH, script, options=["--disk", "1G"], cwd=self.folder,
            stdin=None, input="")
        self.assert_status(result, 0)
        lines = result.stdout.splitlines()
        self.assertEqual(lines[:2], lines[2:])
        self.assertEqual(lines[0], str(self.folder))

    def test_writable_folder_survives(self):
        result = self.run_guest(
            "echo kept >kept; echo gone >/gone; sync; " + CRASH,
            "cat kept; ls /gone", options=["--rw", str(self.folder)],
            cwd=self.folder)
        self.assertEqual(result.stdout, "kept\n", result.stderr)
        self.assertNotEqual(result.returncode, 0)

    def test_python_fits(self):
        program = self.folder / "program.py"
        program.write_text(
            "import json, subprocess, unittest\n"
            "with open('/proc/vmcore', 'rb') as file:\n"
            "    print(file.read(4))\n")
        result = self.run_guest(CRASH, f"python3 {program}")
        self.assert_status(result, 0)
        self.assertEqual(result.stdout, "b'\\x7fELF'\n")

    def test_dump_has_the_memory_of_the_crashed_kernel(self):
        word = "remember-" + "me-well"
        result = self.run_guest(
            f"echo {word} >/tmp/file; " + CRASH,
            "grep -a -c -m1 $(echo remember-)me-well /proc/vmcore")
        self.assertEqual(result.stdout, "1\n", result.stderr)

    def test_foreign_root(self):
        root = vm_test.make_root(str(self.folder / "root"), "busybox", "busybox")
        result = self.run_guest(CRASH, "ls /proc/vmcore; exit 42",
                                options=["-r", root])
        self.assert_status(result, 42)
        self.assertEqual(result.stdout, "/proc/vmcore\n")

    def test_module_is_inserted_in_the_first_only(self):
        source = module_test.write_source(self.folder / "hello")
        script = "grep ^hello /proc/modules; ls \"$DRGN_TEST_KMOD\";"
        result = self.run_guest(
            script + CRASH, script, options=[
                "--module", "insert", "--module-source", str(source),
                "-d", str(self.folder / "cache")])
        self.assert_status(result, 0)
        words = [line.split()[0].rsplit("/")[-1] for line in result.stdout.splitlines()]
        self.assertEqual(words, ["hello", "hello.ko", "hello.ko"])

    def test_kernel_that_cannot(self):
        kernel = self.folder / "kernel"
        (kernel / "build/include/config").mkdir(parents=True)
        shutil.copy(f"{KERNEL}/build/include/config/kernel.release",
                    kernel / "build/include/config")
        (kernel / "build/.config").write_text("CONFIG_KEXEC_FILE=y\n")
        result = support.run("vmtest-vm", "run", "-k", kernel, "--kdump", "--", "true")
        self.assert_one_line(result, 125, "--kdump", "CONFIG_CRASH_DUMP")

    def test_loader_says_what_is_wrong(self):
        result = support.run(
            "vmtest-vm", "run", "-k", KERNEL, "--kdump", "--append",
            "crashkernel=0", "--", "sh", "-c", "vmtest-kexec; vmtest-kexec --no-such")
        self.assert_status(result, 2)
        self.assertIn("vmtest-kexec: load /lib/modules/", result.stderr)
        self.assertIn("Usage: vmtest-kexec", result.stderr)
