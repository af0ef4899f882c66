# SPDX-License-Identifier: LGPL-2.1-or-later
"""
The programs on a terminal, but not in its foreground: a process there that
sets modes or reads is stopped, and nobody tells it to go on.
"""

import os
import signal
import termios
from pathlib import Path

import support
from support import BIN, descendants

VM = BIN / "vmtest-vm"


def has_ended(pid):
    """Whoever started it may not have noticed yet."""
    try:
        return not Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return True


class JobControlTest(support.TestCase):
    def terminal(self, *command, **values):
        terminal = support.Terminal(command, self.folder, **values)
        self.addCleanup(terminal.close)
        self.addCleanup(terminal.kill)
        return terminal

    def script(self, script, *arguments, **values):
        """A shell with job control; $0 is vmtest-vm."""
        return self.terminal("sh", "-c", script, VM, *arguments, **values)

    def test_run_in_the_background(self):
        run = '"$0" run -k "$1" -- sh -c "cat; uname -r; exit 7"'
        # timeout(1) makes itself a process group.
        for form in (
            f"timeout 100 {run}",
            f"set -m; {run} & wait $!",
        ):
            with self.subTest(form):
                terminal = self.script(
                    f"{form}; echo status $?; read line; echo got $line",
                    support.kernel(),
                )
                mode = termios.tcgetattr(terminal.fd)
                terminal.type("typed\n")
                before = terminal.expect("status 7\r\n")
                self.assertIn(support.release(), before)
                self.assertEqual(before.count("typed"), 1, before)
                self.assertEqual(descendants(terminal.pid), set())
                # What is typed is for whoever is in the foreground.
                terminal.expect("got typed\r\n")
                self.assertEqual(termios.tcgetattr(terminal.fd), mode)

    def start_shell(self):
        """
        An interactive shell in a guest, vmtest-vm's process, and the terminal's
        mode before.
        """
        terminal = self.terminal("sh", "-i", PS1="host> ", SHELL="/bin/sh")
        terminal.expect("host> ")
        mode = termios.tcgetattr(terminal.fd)
        terminal.type(f"{VM} run -k {support.kernel()}\n")
        terminal.expect("# ")
        (pid,) = [
            pid
            for pid in descendants(terminal.pid)
            if os.getpgid(pid) == os.tcgetpgrp(terminal.fd)
        ]
        return terminal, pid, mode

    def stop(self, terminal, pid, mode):
        """The shell has the terminal then."""
        os.kill(pid, signal.SIGSTOP)
        terminal.expect("Stopped")
        terminal.expect("host> ")
        # Shells that edit lines do this themselves.
        termios.tcsetattr(terminal.fd, termios.TCSANOW, mode)

    def test_a_stopped_guest_comes_back(self):
        terminal, pid, mode = self.start_shell()
        self.stop(terminal, pid, mode)
        terminal.type("fg\n")
        self.wait_until(
            lambda: not termios.tcgetattr(terminal.fd)[3] & termios.ICANON
        )
        terminal.type("tty; exit 5\n")
        terminal.expect("/dev/hvc0")
        terminal.expect("host> ")
        terminal.type("echo status $?\n")
        terminal.expect("status 5\r\n")
        self.assertEqual(termios.tcgetattr(terminal.fd), mode)

    def test_a_guest_ends_in_the_background(self):
        terminal, pid, mode = self.start_shell()
        started = descendants(terminal.pid)
        self.stop(terminal, pid, mode)
        os.kill(pid, signal.SIGTERM)
        os.kill(pid, signal.SIGCONT)
        self.wait_until(lambda: all(map(has_ended, started)))
        self.assertEqual(termios.tcgetattr(terminal.fd), mode)

    def test_nothing_is_drawn_in_the_background(self):
        store = f"dir:{support.package().parent}"
        kernel = f"--store={store} -k {support.release()}"
        for command, end, drawn in (
            ("download", "", "\033[K"),
            ("test", "-- true", "\033[J"),
        ):
            for form in ("& wait $!;", ";"):
                with self.subTest(command, form=form):
                    background = form != ";"
                    folder = self.folder / f"{command}.{background}"
                    terminal = self.script(
                        f'set -m; "$0" {command} {kernel} --directory={folder} {end} '
                        f"{form} echo status $?"
                    )
                    before = terminal.expect("status 0\r\n")
                    self.assertEqual(drawn in before, not background, before)
                    self.assertIn(support.release(), before)

    def test_other_programs_may_write(self):
        """They are never in the foreground."""
        path = self.path_with({"gcc-12": "echo noise >&2; echo 12.2.0"})
        script = 'stty tostop; "$0" toolchain --arch=host; echo ended'
        words = ("sh", "-c", script, BIN / "vmtest-kbuild")
        terminal = self.terminal(*words, limit=30, PATH=path)
        self.assertIn("noise", terminal.expect("ended\r\n"))
