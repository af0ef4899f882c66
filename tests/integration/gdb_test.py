# SPDX-License-Identifier: LGPL-2.1-or-later
"""
QEMU's command, printed; and gdb, which looks at a guest's kernel.
"""

import os
import re
import shlex
import signal
import subprocess
import unittest
from pathlib import Path

import support
from caller import AS_ORDINARY, CallerCase, each_caller

VM = support.BIN / "vmtest-vm"


def words_of(text):
    """Those that a shell makes of a command."""
    script = f'set -- {text}\nprintf "%s\\0" "$@"'
    return subprocess.check_output(["sh", "-c", script], text=True).split("\0")[:-1]


class ShowCommandTest(CallerCase):
    @each_caller
    def test_it_is_printed_for_a_shell_and_nothing_is_run_or_left(self):
        directory = self.folder / "a b'c"
        directory.mkdir()
        os.chown(directory, self.uid, -1)
        before = set(os.listdir(self.folder))
        got = self.guest("touch", directory / "ran", options=[
            "--show-command", "--keep", "--rw", directory, "--disk=1G", "--append=a='b c'",
            "--result=result.json", "--console-log=console.log", "--qemu-option=-name",
            "--qemu-option=it's"])
        self.assert_status(got, 0)
        words = words_of(got.stdout)
        self.assertTrue(os.path.basename(words[0]).startswith("qemu-"), words[0])
        self.assertIn(" a='b c' ", words[words.index("-append") + 1])
        self.assertEqual(words[-2:], ["-name", "it's"])
        self.assertIn("loglevel=7", got.stdout)
        self.assertTrue(all(line.startswith("  -") for line in got.stdout.splitlines()[1:]))
        self.assertEqual(os.listdir(directory), [])
        self.assertLessEqual(set(os.listdir(self.folder)) - before, {".cache"})

    def test_it_is_what_runs(self):
        """But for the numbers of descriptors, and of this machine's clock."""
        ran = support.run_guest("true", options=["-v"])
        self.assert_status(ran, 0)
        shown = support.run_guest("true", options=["-v", "--show-command"])
        self.assert_status(shown, 0)
        [line] = [line for line in ran.stderr.splitlines() if " -append " in line]
        texts = (line[line.index("qemu-"):], shown.stdout)
        self.assertEqual(*[words_of(re.sub(r"(fd=|khz=|lpj=)\d+", r"\1N", text))
                           for text in texts])


def release_of(kernel):
    return (kernel / "build/include/config/kernel.release").read_text().strip()


class GdbTest(CallerCase):
    """By `run --gdb`, which waits, and what it says one should type."""

    def start_guest(self, *command, options=()):
        """A guest that waits; its process, and the command line for gdb."""
        process = self.popen(
            "vmtest-vm", "run", "-k", support.kernel(), "--memory=256M", "--cpus=1",
            *options, "--", *command, **self.as_caller({}))
        for line in process.stderr:
            if line.startswith("gdb "):
                return process, line.rstrip("\n")
        self.fail(f"it ended: {process.wait()}")

    def debug(self, line, *commands):
        """What gdb says when these are its commands."""
        words = [word for command in commands for word in ("-ex", command)]
        command = f"{line} -nx -batch {shlex.join(words)}"
        return subprocess.run(["sh", "-c", command], stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, timeout=600, check=False,
                              **self.as_caller({})).stdout

    @each_caller
    def test_a_kernel_stops_where_it_is_told_and_the_status_is_the_commands(self):
        process, line = self.start_guest("sh", "-c", "exit 7", options=["--gdb"])
        said = self.debug(line, "break kernel_init", "continue", "print (char *)linux_banner",
                          "detach")
        self.assertRegex(said, r"Breakpoint 1, .*kernel_init \(.*\) at .*init/main\.c:\d+")
        self.assertIn("Linux version " + release_of(support.kernel()), said)
        self.assert_status(self.end(process), 7)

    @each_caller
    def test_a_module_has_symbols_when_it_is_loaded(self):
        process, line = self.start_guest("true", options=["--gdb", "--module=insert"])
        said = self.debug(line, "set breakpoint pending on", "break drgn_test_constants_init",
                          "continue", "info symbol $pc", "detach")
        self.assertRegex(
            said, r"Breakpoint 1, drgn_test_constants_init \(\) at .*/constants\.c:\d+")
        self.assertRegex(said, r"in section \.text of .*drgn_test\.ko")
        self.assert_status(self.end(process), 0)

    @each_caller
    def test_nothing_is_left_when_it_is_killed(self):
        for number in (signal.SIGINT, signal.SIGKILL):
            process, line = self.start_guest("true", options=["--gdb"])
            [path] = re.findall(r"/proc/\d+/fd/0", line)
            self.assertTrue(os.path.exists(path))
            started = support.descendants(process.pid)
            process.send_signal(number)
            self.assertEqual(process.wait(60), -number)
            self.assert_all_gone(started)
            self.assertFalse(os.path.exists(path))
        self.assertEqual(list(Path("/tmp").glob("vmtest-gdb.*")), [])

    def test_another_user_cannot_look(self):
        if os.geteuid() != 0:
            self.skipTest("needs root, to be another user")
        self.become({})
        process, line = self.start_guest("true", options=["--gdb"])
        self.ids = AS_ORDINARY
        said = self.debug(line, "info registers rip")
        self.assertIn("ermission denied", said)
        process.kill()

    def test_gdb_takes_the_terminal(self):
        command = [VM, "run", "-k", support.kernel(), "--memory=256M", "--gdb=attach", "--",
                   "echo", "from the", "guest"]
        terminal = support.Terminal(command, self.folder, HOME=self.folder)
        self.addCleanup(terminal.close)
        terminal.expect("(gdb) ")
        terminal.type("break kernel_init\n")
        terminal.expect("Breakpoint 1 at")
        terminal.type("continue\n")
        terminal.expect("Breakpoint 1, ")
        terminal.type("delete 1\ncontinue\n")
        terminal.expect("from the guest")
        terminal.expect("(gdb) ")
        terminal.type("quit\n")
        self.assertEqual(terminal.wait(), 0, terminal.text)

    def test_what_cannot_be_is_said_in_a_line(self):
        for options, status, words in (
                (["--gdb", "--kgdb"], 2, "choose one"),
                (["--gdb=attach", "--keep"], 2, "--keep"),
                (["--kgdb", "--machine=microvm"], 125, "machine microvm")):
            with self.subTest(options):
                got = support.run_guest("true", options=options)
                self.assert_one_line(got, status, words)


if __name__ == "__main__":
    unittest.main()
