# SPDX-License-Identifier: LGPL-2.1-or-later
"""Crashes a real kernel, and looks at its memory from the crash kernel."""

import json
import shutil

import module_test
import support
import vm_test

# What a command does: $FIRST in the kernel that is to crash, $SECOND in the one
# that takes over.
SCRIPT = 'if [ -e /proc/vmcore ]; then eval "$SECOND"; else eval "$FIRST"; fi'
LOAD = '"$VMTEST_KEXEC" || exit 3; '
CRASH = LOAD + vm_test.CRASH
PANIC = "Kernel panic - not syncing: sysrq triggered crash"


class KdumpTest(support.TestCase):
    def run_guest(self, first, second="exit 42", *options, quiet=True, **kwargs):
        return support.run_guest(
            "sh", "-c", SCRIPT, **kwargs, options=(
                *(["-q"] if quiet else []), "-t", "90", "--kdump",
                "--env", f"FIRST={first}", "--env", f"SECOND={second}", *options))

    def module_options(self, mode, result="0"):
        source = module_test.write_source(self.folder / "hello", result)
        return ("--module", mode, "--module-source", source, "-d", self.folder / "cache")

    def test_the_second_boot_s_status_counts(self):
        for machine in ("pc-pvh", "q35"):
            with self.subTest(machine):
                result = self.run_guest(
                    "echo one; sleep 0.2; " + CRASH,
                    "head -c 4 /proc/vmcore; echo two >&2; exit 42", "--machine", machine)
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

    def test_without_a_crash_kernel_that_comes_up_it_is_a_loss(self):
        no_init = LOAD.replace(" ||", " --append init=/no/such ||")
        for first, second, words in (
            (vm_test.CRASH, "", [PANIC]),
            (CRASH, vm_test.CRASH, [f"{PANIC}.*{PANIC}"]),
            (no_init + vm_test.CRASH, "", [PANIC, "/no/such"]),
        ):
            result = self.run_guest(first, second)
            self.assert_status(result, 128)
            for word in words:
                self.assertRegex(result.stderr, f"(?s){word}")

    def test_an_oops_is_a_splat_and_a_dump(self):
        result = self.run_guest(
            LOAD + 'echo 1 >/proc/sys/kernel/panic_on_oops; insmod "$DRGN_TEST_KMOD"',
            "exit 0", *self.module_options("build", "*(volatile int *)8"),
            "--fail-on-splat", quiet=False)
        self.assert_status(result, 1)
        # There are no words of a panic then.
        self.assertIn("the kernel has crashed; the crash kernel", result.stderr)
        self.assertIn("the kernel reported: BUG: kernel NULL pointer", result.stderr)

    def test_the_time_is_for_both_boots(self):
        file = self.folder / "result"
        result = self.run_guest("sleep 12; " + CRASH, "sleep 1000", "-t", "32",
                                "--result", file)
        self.assert_status(result, 124)
        self.assertIn("task:sleep", result.stderr)
        # With the time of its list of tasks.
        self.assertLess(json.loads(file.read_text())["command_ms"], 42000)

    def test_streams_and_surroundings_are_the_same(self):
        script = 'pwd; echo "$VMTEST_KEXEC,$DRGN_TEST_DISK,$PATH"; cat;'
        result = self.run_guest(script + CRASH, script, "--disk", "1G",
                                cwd=self.folder, input="")
        self.assert_status(result, 0)
        lines = result.stdout.splitlines()
        self.assertEqual(lines[:2], lines[2:])
        self.assertEqual(lines[0], str(self.folder))

    def test_writable_folder_survives(self):
        result = self.run_guest("echo kept >kept; echo gone >/gone; sync; " + CRASH,
                                "cat kept; ls /gone", "--rw", self.folder, cwd=self.folder)
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
        result = self.run_guest(f"echo {word} >/tmp/file; " + CRASH,
                                "grep -a -c -m1 $(echo remember-)me-well /proc/vmcore")
        self.assertEqual(result.stdout, "1\n", result.stderr)

    def test_foreign_root(self):
        root = vm_test.make_root(self.folder / "root", "busybox", "busybox")
        result = self.run_guest(CRASH, "ls /proc/vmcore; exit 42", "-r", root)
        self.assert_status(result, 42)
        self.assertEqual(result.stdout, "/proc/vmcore\n")

    def test_module_is_inserted_in_the_first_only(self):
        script = "grep ^hello /proc/modules; ls \"$DRGN_TEST_KMOD\";"
        result = self.run_guest(script + CRASH, script, *self.module_options("insert"))
        self.assert_status(result, 0)
        words = [line.split()[0].rsplit("/")[-1] for line in result.stdout.splitlines()]
        self.assertEqual(words, ["hello", "hello.ko", "hello.ko"])

    def test_kernel_that_cannot(self):
        kernel, release = self.folder / "kernel", "build/include/config/kernel.release"
        (kernel / release).parent.mkdir(parents=True)
        shutil.copy(support.kernel() / release, kernel / release)
        (kernel / "build/.config").write_text("CONFIG_KEXEC_FILE=y\n")
        result = support.run("vmtest-vm run --kdump -k", kernel, "true")
        self.assert_one_line(result, 125, "--kdump", "CONFIG_CRASH_DUMP")

    def test_auto_is_where_it_works(self):
        # A later option wins.
        result = self.run_guest(CRASH, "exit 42", "--kdump=auto")
        self.assert_status(result, 42)
        kernel = self.folder / "kernel"
        shutil.copytree(support.kernel(), kernel, symlinks=True)
        path = kernel / "build/.config"
        path.write_text(path.read_text().replace("CONFIG_CRASH_DUMP=y\n", ""))
        result = support.run("vmtest-vm run --kdump=auto -t 60 -k", kernel, "--", "sh", "-c",
                             'echo "<$VMTEST_KEXEC>"; grep -c crashkernel /proc/cmdline')
        self.assertEqual(result.stdout, "<>\n0\n")
        self.assertIn("CONFIG_CRASH_DUMP", result.stderr)

    def test_loader_says_what_is_wrong(self):
        result = support.run_guest("sh", "-c", "vmtest-kexec; vmtest-kexec --no-such",
                                   options=("--kdump", "--append", "crashkernel=0"))
        self.assert_status(result, 2)
        self.assertIn("vmtest-kexec: load /lib/modules/", result.stderr)
        self.assertIn("Usage: vmtest-kexec", result.stderr)
