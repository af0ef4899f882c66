# SPDX-License-Identifier: LGPL-2.1-or-later
"""The programs as processes: signals, standard streams, and what children have."""

import json
import os
import shutil
import signal
import subprocess
import time

import support
from support import BIN, descendants, environment, program_of


class SignalTest(support.TestCase):
    def start_toolchain(self, **options):
        return self.popen("vmtest-kbuild", "toolchain", "--arch=host", **options)

    def wait_for_child(self, process, name):
        self.wait_until(lambda: name in map(program_of, descendants(process.pid)))
        return descendants(process.pid)

    def test_a_compiler_that_hangs_is_interrupted(self):
        env = environment(PATH=self.path_with({"gcc-12": "sleep 1000"}))
        for number, word in (
            (signal.SIGINT, "interrupted"),
            (signal.SIGTERM, "terminated"),
        ):
            with self.subTest(number):
                process = self.start_toolchain(env=env)
                started = self.wait_for_child(process, "sleep")
                process.send_signal(number)
                self.assertEqual(process.wait(timeout=20), -number)
                self.assertIn(word, process.stderr.read())
                self.assert_all_gone(started)

    def test_a_compiler_that_hangs_is_given_up(self):
        env = environment(PATH=self.path_with({"gcc-12": "sleep 1000"}))
        result = support.run("vmtest-kbuild", "toolchain", "--arch=host", env=env)
        self.assert_one_line(result, 1, "gcc", "timed out")

    def test_a_make_that_hangs_ends_with_who_started_it(self):
        source = self.folder / "source"
        source.mkdir()
        (source / "Makefile").write_text("obj-m := a.o\n$(shell sleep 1000 >&2)\n")
        (source / "a.c").write_text("")
        cache, source = ("-d", self.folder / "cache"), f"--module-source={source}"
        options = ("-k", support.kernel(), *cache, source)
        for number in (signal.SIGTERM, signal.SIGKILL):
            process = self.popen("vmtest-vm", "module", *options)
            started = self.wait_for_child(process, "sleep")
            process.send_signal(number)
            self.assertEqual(process.wait(timeout=20), -number)
            self.assert_all_gone(started)
        self.assertEqual(list((self.folder / "cache").rglob("*.ko")), [])

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
        process = self.start_toolchain(stdout=writer)
        os.close(writer)

        def is_stuck():
            with open(f"/proc/{process.pid}/wchan", encoding="ascii") as file:
                return "pipe_write" in file.read()

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
        env = environment(PATH=self.path_with({"gcc-12": "sleep 1000"}))
        program = (BIN / "vmtest-kbuild", "toolchain", "--arch=host")
        process = self.popen(shutil.which("timeout"), "1000", *program, env=env)
        self.wait_for_child(process, "sleep")
        process.send_signal(signal.SIGTERM)
        _, stderr = process.communicate(timeout=20)
        self.assertEqual(process.returncode, -signal.SIGTERM, stderr)
        self.assertIn("terminated", stderr)


class StreamTest(support.TestCase):
    def shell(self, script, *arguments, **options):
        return self.popen("/bin/sh", "-c", script, *arguments, **options)

    def test_a_reader_that_has_seen_enough(self):
        """For what only writes, that is SIGPIPE, and no error."""
        for options in ((), ("--json",)):
            with self.subTest(options):
                reader, writer = os.pipe()
                os.close(reader)
                command = ("vmtest-kbuild", "toolchain", "--arch=all", *options)
                process = self.popen(*command, stdout=writer)
                os.close(writer)
                _, stderr = process.communicate(timeout=60)
                self.assertEqual((process.returncode, stderr), (-signal.SIGPIPE, ""))

    def test_results_that_go_nowhere_are_an_error(self):
        for where, why in ((">&-", "Bad file descriptor"), (">/dev/full", "No space left")):
            with self.subTest(where):
                script = f'"$0" toolchain --arch=host {where}'
                process = self.shell(script, BIN / "vmtest-kbuild")
                _, stderr = process.communicate(timeout=60)
                self.assertEqual(process.returncode, 1)
                self.assertIn(f"error: write to stdout: {why}", stderr)

    def test_a_suite_that_fails_and_cannot_say_so_has_one_error(self):
        facts = self.folder / "build/include/config"
        facts.mkdir(parents=True)
        (facts / "kernel.release").write_text("6.12.1-none\n")
        script = 'exec "$0" test -q -k "$1" -- true >&-'
        process = self.shell(script, BIN / "vmtest-vm", self.folder,
                             env=environment(XDG_CACHE_HOME=self.folder))
        _, stderr = process.communicate(timeout=60)
        self.assertEqual((process.returncode, stderr.count("error:")), (1, 1), stderr)
        self.assertIn("failed on 1 of 1 kernels: 6.12.1-none", stderr)

    def test_a_run_without_a_reader_has_a_result(self):
        result = self.folder / "result.json"
        script = '"$0" run -q -k "$1" --result "$2" -- yes | head -1'
        process = self.shell(script, BIN / "vmtest-vm", support.kernel(), result)
        stdout, stderr = process.communicate(timeout=300)
        self.assertEqual(stdout, "y\n", stderr)
        written = json.loads(result.read_text())
        expected = ("exited", 128 + signal.SIGPIPE)
        self.assertEqual((written["outcome"], written["status"]), expected)

    def test_a_run_with_closed_streams_that_inherits_a_secret(self):
        secret, console = self.folder / "secret", self.folder / "console"
        secret.write_text("x")
        script = (
            'exec 7<"$1" <&-; exec "$0" run -q -k "$2" --console-log "$3"'
            ' -- sh -c "echo up; sleep 1000"'
        )
        arguments = (BIN / "vmtest-vm", secret, support.kernel(), console)
        process = self.shell(script, *arguments, stderr=subprocess.DEVNULL)
        self.assertEqual(process.stdout.readline(), "up\n")
        (emulator,) = descendants(process.pid)
        opened = [os.readlink(e.path) for e in os.scandir(f"/proc/{emulator}/fd")]
        self.assertNotIn(str(secret), opened)
        self.assertNotIn(str(console), opened)
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(timeout=20), -signal.SIGTERM)
        self.assertIn("Linux version", console.read_text(errors="replace"))
