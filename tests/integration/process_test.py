#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The programs as processes: signals, standard streams, and what children have."""

import json
import os
import signal
import subprocess
import time
import unittest

import support
from support import BIN, descendants, environment, program_of

VM = BIN / "vmtest-vm"
KBUILD = BIN / "vmtest-kbuild"


class ProcessCase(support.TestCase):
    def popen(self, *command, **options):
        options.setdefault("stdin", subprocess.DEVNULL)
        options.setdefault("stdout", subprocess.DEVNULL)
        options.setdefault("stderr", subprocess.PIPE)
        options.setdefault("env", environment())
        # Tests are run in the background too, where it is ignored.
        process = subprocess.Popen(
            list(map(str, command)),
            text=True,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
            **options,
        )
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        if process.stderr:
            self.addCleanup(process.stderr.close)
        return process

    def wait_until(self, condition):
        deadline = time.monotonic() + 60
        while not condition():
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.05)

    def path_with(self, name, script):
        """An environment in which a program of this name is a script."""
        folder = self.folder / "bin"
        folder.mkdir(exist_ok=True)
        (folder / name).write_text(f"#!/bin/sh\n{script}\n")
        (folder / name).chmod(0o755)
        return environment(PATH=f"{folder}:{os.environ['PATH']}")

    def wait_for_child(self, process, program):
        self.wait_until(
            lambda: program in map(program_of, descendants(process.pid))
        )

    def assert_all_gone(self, started):
        deadline = time.monotonic() + 5
        while any(map(program_of, started)):
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.05)


class SignalTest(ProcessCase):
    def test_a_compiler_that_hangs_is_interrupted(self):
        env = self.path_with("gcc", "sleep 1000")
        for number in (signal.SIGINT, signal.SIGTERM):
            with self.subTest(number):
                process = self.popen(KBUILD, "toolchain", "--arch=host", env=env)
                self.wait_for_child(process, "sleep")
                started = descendants(process.pid)
                process.send_signal(number)
                self.assertEqual(process.wait(timeout=20), -number)
                self.assertIn("terminated" if number == signal.SIGTERM
                              else "interrupted", process.stderr.read())
                self.assert_all_gone(started)

    def test_a_compiler_that_hangs_is_given_up(self):
        env = self.path_with("gcc", "sleep 1000")
        result = support.run("vmtest-kbuild", "toolchain", "--arch=host", env=env,
                             timeout=120)
        self.assert_one_line(result, 1, "gcc", "timed out")

    def test_a_make_that_hangs_is_interrupted(self):
        source = self.folder / "source"
        source.mkdir()
        (source / "Makefile").write_text(
            "obj-m := a.o\n$(shell sleep 1000 >&2)\n")
        (source / "a.c").write_text("")
        process = self.popen(
            VM, "module", "-k", support.kernel(), "-d", self.folder / "cache",
            "--module-source", source)
        self.wait_for_child(process, "sleep")
        started = descendants(process.pid)
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(timeout=20), -signal.SIGTERM)
        self.assert_all_gone(started)

    def start_stuck(self):
        """One that writes to a pipe which is full."""
        reader, writer = os.pipe()
        self.addCleanup(os.close, reader)
        os.set_blocking(writer, False)
        try:
            while True:
                os.write(writer, bytes(4096))
        except BlockingIOError:
            pass
        os.set_blocking(writer, True)
        process = self.popen(KBUILD, "toolchain", "--arch=host", stdout=writer)
        os.close(writer)

        def is_stuck():
            with open(f"/proc/{process.pid}/wchan", encoding="ascii") as file:
                return "pipe" in file.read()

        try:
            self.wait_until(is_stuck)
        except PermissionError:
            time.sleep(10)
        return process

    def test_a_second_signal_ends_it_at_once(self):
        process = self.start_stuck()
        process.send_signal(signal.SIGTERM)
        time.sleep(1)
        self.assertIsNone(process.poll())
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(timeout=5), -signal.SIGINT)

    def test_a_signal_that_comes_twice_is_one(self):
        """timeout(1) sends it to its child, and to its child's group."""
        env = self.path_with(
            "gcc", f"echo started >'{self.folder}/started'; sleep 1000")
        process = self.popen("timeout", "1000", KBUILD, "toolchain", "--arch=host",
                             env=env)
        self.wait_for_child(process, "sleep")
        process.send_signal(signal.SIGTERM)
        _, stderr = process.communicate(timeout=20)
        self.assertEqual(process.returncode, -signal.SIGTERM, stderr)
        self.assertIn("terminated", stderr)


class StreamTest(ProcessCase):
    def test_a_reader_that_has_seen_enough(self):
        """For what only writes, that is SIGPIPE, and no error."""
        for options in ((), ("--json",)):
            with self.subTest(options):
                reader, writer = os.pipe()
                os.close(reader)
                process = self.popen(KBUILD, "toolchain", "--arch=all", *options,
                                     stdout=writer)
                os.close(writer)
                _, stderr = process.communicate(timeout=60)
                self.assertEqual((process.returncode, stderr), (-signal.SIGPIPE, ""))

    def test_results_that_go_nowhere_are_an_error(self):
        for where in (">&-", ">/dev/full"):
            with self.subTest(where):
                process = self.popen("sh", "-c", f'"$0" toolchain --arch=host {where}',
                                     KBUILD)
                _, stderr = process.communicate(timeout=60)
                self.assertEqual(process.returncode, 1)
                self.assertIn("error: write to stdout", stderr)

    def test_a_run_without_a_reader_has_a_result(self):
        result = self.folder / "result.json"
        process = self.popen(
            "sh", "-c", '"$0" run -q -k "$1" --result "$2" -- yes | head -1',
            VM, support.kernel(), result, stdout=subprocess.PIPE)
        stdout, stderr = process.communicate(timeout=300)
        self.assertEqual(stdout, "y\n", stderr)
        written = json.loads(result.read_text())
        self.assertEqual((written["outcome"], written["status"]),
                         ("exited", 128 + signal.SIGPIPE), written)

    def test_a_run_with_closed_streams_that_inherits_a_secret(self):
        secret = self.folder / "secret"
        secret.write_text("x")
        console = self.folder / "console"
        process = self.popen(
            "sh", "-c",
            'exec 7<"$1" <&-; exec "$0" run -q -k "$2" --console-log "$3"'
            ' -- sh -c "echo up; sleep 1000"',
            VM, secret, support.kernel(), console, stdin=None,
            stdout=subprocess.PIPE)
        self.assertEqual(process.stdout.readline(), "up\n")
        (emulator,) = descendants(process.pid)
        opened = [os.readlink(entry.path)
                  for entry in os.scandir(f"/proc/{emulator}/fd")]
        self.assertNotIn(str(secret), opened)
        self.assertNotIn(str(console), opened)
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(timeout=20), -signal.SIGTERM)
        process.stdout.close()
        self.assertIn("Linux version", console.read_text(errors="replace"))


if __name__ == "__main__":
    unittest.main()
