# SPDX-License-Identifier: LGPL-2.1-or-later
"""
A way into guests that run, or that --keep has left running: exec, shell, ls and stop.
"""

import concurrent.futures
import fcntl
import hashlib
import json
import os
import signal
import socket
import struct
import subprocess
import termios
import unittest

import caller
import support
import vm_test
from caller import each_caller

VM = support.BIN / "vmtest-vm"
# No name is of two tests, which may run at once.
NAMES = f"test-{os.getpid()}"
SMALL = ["--memory=256M", "--cpus=1"]


def names_in_use():
    """Of all users, as the kernel shows them."""
    with open("/proc/net/unix", encoding="utf-8", errors="replace") as file:
        return [line.split("/", 2)[2].strip() for line in file if " @vmtest-vm/" in line]


def sockets(pid):
    """How many it has open. Files are QEMU's for what its guest has open."""
    count = 0
    for number in os.listdir(f"/proc/{pid}/fd"):
        try:
            count += os.readlink(f"/proc/{pid}/fd/{number}").startswith("socket:")
        except FileNotFoundError:
            pass
    return count


class ExecCase(caller.CallerCase):
    def become(self, ids):
        super().become(ids)
        self.count = 0
        self.others = {guest["name"] for guest in self.running()}

    def keep(self, script="exit 3", *options, status=3):
        """A guest whose command has failed; its name."""
        self.count += 1
        name = f"{NAMES}-{self.uid}-{self.count}"
        self.addCleanup(support.run, "vmtest-vm", "stop", name, cwd="/", **self.ids)
        got = self.guest("sh", "-c", script,
                         options=["--keep", "--name", name, *SMALL, *options])
        self.assert_status(got, status)
        self.assertIn(f"'vmtest-vm shell {name}'", got.stderr)
        self.assertIn(f"'vmtest-vm stop {name}'", got.stderr)
        return name

    def exec(self, name, *command, options=(), **more):
        return self.call("vmtest-vm", "exec", *options, name, "--", *command, **more)

    def script(self, name, script, *options):
        """What a script prints in a guest."""
        got = self.exec(name, "sh", "-euc", script, options=["-n", *options])
        self.assert_status(got, 0)
        return got.stdout

    def running(self):
        return json.loads(self.call("vmtest-vm", "ls", "--json").stdout)

    def listed(self):
        """
        Those of this test, and all that are kept: not those of other tests at the same
        time, nor of somebody who works here.
        """
        return [guest for guest in self.running() if guest["name"] not in self.others
                and (guest["name"].startswith(NAMES) or guest["state"] == "kept")]

    def processes(self, name):
        """The process that owns a guest, and its QEMU."""
        owner = next(guest["pid"] for guest in self.listed() if guest["name"] == name)
        return [owner, *support.descendants(owner)]

    def popen_caller(self, *arguments, **options):
        return self.popen("vmtest-vm", *arguments, **self.as_caller(options))

    def stop(self, name):
        self.assert_status(self.call("vmtest-vm", "stop", name), 0)


class ExecTest(ExecCase):
    @each_caller
    def test_streams_and_status_are_as_with_run(self):
        name = self.keep("touch /root/was-here; exit 3")
        data = os.urandom(300000)
        got = self.exec(name, "sh", "-c", "sha256sum; echo oops >&2; exit 7",
                        input=data, text=False, errors=None)
        self.assertEqual(got.returncode, 7)
        self.assertEqual(got.stdout.split()[0].decode(), hashlib.sha256(data).hexdigest())
        self.assertEqual(got.stderr, b"oops\n")
        got = self.exec(name, "seq", "200000", stderr=subprocess.STDOUT)
        self.assertEqual(got.stdout.split(), [str(i) for i in range(1, 200001)])
        # In the order in which it was written.
        got = self.exec(name, "sh", "-c", "for i in 1 2 3; do echo a; echo b >&2; done",
                        stderr=subprocess.STDOUT)
        self.assertEqual(got.stdout.split(), ["a", "b"] * 3)
        self.assertEqual(self.exec(name, "sh", "-c", "kill -9 $$").returncode, 137)
        self.assertEqual(self.exec(name, "no-such-program").returncode, 127)
        # What the first command wrote is there; where we are, too.
        self.assertEqual(self.script(name, "ls /root/was-here; pwd; echo $VMTEST_X"
                                     " $(id -u)", "--env=VMTEST_X=y").split(),
                         ["/root/was-here", str(self.folder), "y", "0"])
        self.assertEqual(self.script(name, "pwd; id -un; echo $HOME; id -u >$TMPDIR/x",
                                     "--user=nobody", "--chdir=/etc").split(),
                         ["/etc", "nobody", caller.ORDINARY.pw_dir])
        # A newline, quotes and bytes that are no UTF-8 arrive as they are.
        strange = b"a\nb'\"$x\\ \xff"
        got = self.exec(name, "printf", "%s", strange, text=False, errors=None)
        self.assertEqual(got.stdout, strange)

    @each_caller
    def test_several_at_once_and_then_more(self):
        name = self.keep()
        pids = self.processes(name)

        def count():
            return [sockets(pid) for pid in pids]

        # What QEMU opens with the first is no leak.
        self.script(name, "true")
        before = count()
        go = "echo in; read line; echo $line; echo $0"
        waiting = []
        while len(waiting) < 8:
            process = self.popen_caller("exec", name, "--", "sh", "-c", go, str(len(waiting)),
                                        stdin=subprocess.PIPE)
            # The place of one that has just ended is not free at once.
            if line := process.stdout.readline():
                self.assertEqual(line, "in\n")
                waiting.append(process)
            else:
                self.assertIn("8 commands", self.end(process).stderr)
        self.assert_one_line(self.exec(name, "true"), 125, "8 commands", "until one ends")
        waiting.pop().kill()
        self.wait_until(lambda: self.exec(name, "true").returncode == 0)
        for i, process in enumerate(waiting):
            self.assertEqual(process.communicate(f"to {i}\n", timeout=60)[0],
                             f"to {i}\n{i}\n")
        # Numbers of ports are used again, and nothing of them remains.
        for i in range(9):
            self.assertEqual(self.script(name, f"echo {i}"), f"{i}\n")
        self.wait_until(lambda: all(n <= limit for n, limit in zip(count(), before)), 30)

    @each_caller
    def test_what_a_command_started_ends_with_it_but_for_daemons(self):
        name = self.keep()
        self.script(name, "sleep 12345 & setsid sh -c 'echo >/run/in; exec sleep 54321' "
                    ">/dev/null 2>&1 & until [ -e /run/in ]; do sleep 0.1; done")
        # One that is killed here is killed there, before it has come to anything, too.
        for seconds in (0, 5):
            process = self.popen_caller("exec", name, "--", "sh", "-c", "sleep 11111; :")
            self.kill_within(process, seconds)
        process = self.popen_caller("exec", name, "--", "sleep", "22222")
        self.wait_until(lambda: "22222" in self.script(name, "ps -eo args"))
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(60), -signal.SIGINT)
        self.wait_until(lambda: not {"11111", "22222"} & set(
            self.script(name, "ps -eo args").split()), 30)
        shown = self.script(name, "ps -eo args").splitlines()
        self.assertIn("sleep 54321", shown)
        self.assertNotIn("sleep 12345", shown)

    @each_caller
    def test_a_guest_that_runs(self):
        run = self.popen_caller("run", "-k", support.kernel(), *SMALL, "--", "sh", "-c",
                                "until [ -e /run/go ]; do sleep 0.1; done; exit 4")
        # The newest of this user, also while it boots.
        self.wait_until(lambda: run.pid in [g["pid"] for g in self.running()])
        name = str(run.pid)
        self.assertEqual(self.script(name, "uname -r"), f"{support.release()}\n")
        guest = next(g for g in self.running() if g["name"] == name)
        self.assertEqual(guest["state"], "running")
        self.assertEqual(guest["kernel"], support.release())
        self.assertEqual(guest["command"][:2], ["sh", "-c"])
        stays = self.popen_caller("exec", name, "--", "sleep", "1000")
        self.wait_until(lambda: "sleep 1000" in self.script(name, "ps -eo args"))
        self.script(name, "touch /run/go")
        # Who is inside does not keep it from ending as it would.
        self.assert_status(self.end(run), 4)
        self.assert_one_line(self.end(stays), 128, "ended before the command")
        self.assert_one_line(self.exec(name, "true"), 125, f"no guest '{name}'")

    @each_caller
    def test_a_command_that_times_out_is_there_to_look_at(self):
        name = self.keep("exec sleep 3333", "--timeout=1", status=124)
        self.assertIn("sleep 3333", self.script(name, "ps -eo args").splitlines())
        shown = self.call("vmtest-vm", "ls").stdout
        self.assertRegex(shown, rf"{name} .* kept: timed_out +sh -c 'exec sleep 3333'")
        # What it writes now is nobody's, and keeps nobody waiting.
        loud = self.keep("yes", "--timeout=1", status=124)
        self.assertEqual(self.script(loud, "echo here"), "here\n")

    @each_caller
    def test_only_what_fails_is_kept(self):
        for script, options, status in (("true", (), 0), ("yes", ("--output-limit=1M",), 153),
                                        ("echo c >/proc/sysrq-trigger", (), 128)):
            got = self.guest("sh", "-c", script, options=["--keep", *SMALL, *options])
            self.assertEqual(got.returncode, status, got.stderr)
            self.assertNotIn("vmtest-vm stop", got.stderr)
        self.assertEqual(self.listed(), [])
        got = self.guest("true", options=["--keep", "--memory=1P"])
        self.assertEqual(got.returncode, 2)
        # A kernel that complains is a failure where it is asked for.
        complain = "echo 'WARNING: CPU: 0 PID: 1 at x' >/dev/kmsg"
        name = self.keep(complain, "--fail-on-splat", status=1)
        self.assertEqual(self.script(name, "echo here"), "here\n")

    @each_caller
    def test_names(self):
        name = self.keep()
        got = self.guest("true", options=["--name", name])
        self.assert_one_line(got, 2, f"--name {name}", "vmtest-vm ls")
        for wrong in ("", "12", "a/b", "-x", "a b", "x" * 65):
            got = self.guest("true", options=[f"--name={wrong}"])
            self.assert_one_line(got, 2, "--name")
        self.assert_one_line(self.exec("no-such-guest", "true"), 125, "no-such-guest")
        for words in (["exec"], ["exec", name], ["exec", name, "true"], ["exec", "--"],
                      ["shell", name, name], ["stop"], ["stop", "--all", name]):
            self.assertEqual(self.call("vmtest-vm", *words).returncode, 2, words)
        got = self.exec(name, "true", options=["--user=no-such-user"])
        self.assert_one_line(got, 125, "no-such-user")
        self.assertEqual(self.exec(name, "true", options=["--chdir=/no/such"]).returncode, 125)
        got = self.call("vmtest-vm", "stop", "no-such-guest", name)
        self.assert_status(got, 1)
        self.assertEqual(self.listed(), [])

    def test_other_users_stay_outside(self):
        if os.geteuid() != 0:
            self.skipTest("needs root")
        self.become({})
        name = self.keep()
        self.become(caller.AS_ORDINARY)
        self.assertEqual(self.listed(), [])
        self.assert_one_line(self.exec(name, "true"), 125, f"no guest '{name}'")

        for uid, is_answered in ((0, True), (caller.ORDINARY.pw_uid, False)):
            with concurrent.futures.ProcessPoolExecutor(1) as pool:
                self.assertEqual(bool(pool.submit(ask, uid, name).result()), is_answered)
        self.become({})
        self.stop(name)


def ask(uid, name):
    """What another user gets from a guest of root's."""
    os.setuid(uid)
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as connection:
        connection.connect(f"\0vmtest-vm/0/{name}")
        try:
            connection.send(b"info")
            return connection.recv(1000)
        except (BrokenPipeError, ConnectionResetError):
            return b""


class TerminalTest(ExecCase):
    def shell(self, name):
        command = [VM, "shell", "--env=SHELL=/bin/sh", "--env=PS1=now: ", name]
        if self.ids:
            command = ["setpriv", f"--reuid={self.uid}", "--clear-groups", *command]
        terminal = support.Terminal(command, self.folder, HOME=self.folder)
        self.addCleanup(terminal.close)
        return terminal

    def set_size(self, terminal, rows, columns):
        size = struct.pack("HHHH", rows, columns, 0, 0)
        fcntl.ioctl(terminal.fd, termios.TIOCSWINSZ, size)

    @each_caller
    def test_a_shell_has_the_terminal(self):
        name = self.keep()
        terminal = self.shell(name)
        mode = termios.tcgetattr(terminal.fd)
        terminal.expect("now: ")
        terminal.type("tty && stty size && echo $TERM\r")
        self.assertIn("/dev/pts/", terminal.expect("24 80\r\nxterm\r\n"))
        self.set_size(terminal, 33, 111)
        terminal.expect("now: ")
        self.wait_until(lambda: "33 111" in self.script(
            name, "for f in /dev/pts/[0-9]*; do stty size <$f; done"))
        # Ctrl-C is for what runs there.
        terminal.type("sleep 1000\r")
        self.wait_until(lambda: "sleep 1000" in self.script(name, "ps -eo args"))
        terminal.type("\x03")
        terminal.type("echo was $?\r")
        terminal.expect("was 130\r\n")
        terminal.type("exit 5\r")
        self.assertEqual(terminal.wait(), 5)
        self.assertEqual(termios.tcgetattr(terminal.fd), mode)

    @each_caller
    def test_a_terminal_that_is_closed(self):
        name = self.keep()
        terminal = self.shell(name)
        terminal.expect("now: ")
        terminal.type("trap '' HUP; sleep 1000\r")
        self.wait_until(lambda: "sleep 1000" in self.script(name, "ps -eo args"))
        os.close(terminal.fd)
        terminal.fd = os.open("/dev/null", os.O_RDONLY)
        os.waitpid(terminal.pid, 0)
        self.wait_until(lambda: "sleep 1000" not in self.script(name, "ps -eo args"), 30)
        # The guest's own key ends what runs there, and not the guest.
        terminal = self.shell(name)
        terminal.expect("now: ")
        terminal.type("\x1d\x1d\x1d")
        self.assertEqual(terminal.wait(), 125)
        self.assertEqual(self.script(name, "echo here"), "here\n")


class EndTest(ExecCase):
    def end_stop(self, name, _owner, _qemu):
        self.stop(name)

    def end_stop_all(self, name, _owner, _qemu):
        is_safe = all(guest["name"].startswith(NAMES) for guest in self.running())
        self.assert_status(self.call("vmtest-vm", "stop", "--all" if is_safe else name), 0)

    def end_terminated(self, _name, owner, _qemu):
        os.kill(owner, signal.SIGTERM)

    def end_killed(self, _name, owner, _qemu):
        os.kill(owner, signal.SIGKILL)

    def end_qemu_killed(self, _name, _owner, qemu):
        os.kill(qemu, signal.SIGKILL)

    def end_panic(self, name, _owner, _qemu):
        got = self.exec(name, "sh", "-c", "echo c >/proc/sysrq-trigger")
        self.assertEqual(got.returncode, 128, got.stderr)

    def end_power_off(self, name, _owner, _qemu):
        got = self.exec(name, "sh", "-c", "echo o >/proc/sysrq-trigger; sleep 1000")
        self.assertEqual(got.returncode, 128, got.stderr)

    def end_nonsense(self, name, _owner, _qemu):
        got = self.exec(name, caller.PYTHON, "-c", vm_test.SAY, "b'nonsense\\n'", "1000")
        self.assertEqual(got.returncode, 128, got.stderr)

    WAYS = (end_killed, end_terminated, end_qemu_killed, end_panic, end_power_off,
            end_nonsense, end_stop, end_stop_all)

    def end_each(self, ways):
        scratch = self.folder / "scratch"
        scratch.mkdir()
        os.chown(scratch, self.uid, -1)
        options = ["--overlay-size=100M"] if support.has("SWAP") else []
        self.extra = {"TMPDIR": str(scratch)}
        guests = [self.keep("exit 3", *options) for _ in ways]
        inside = [self.popen_caller("exec", name, "--", "sleep", "1000") for name in guests]
        for name in guests:
            self.wait_until(lambda n=name: "sleep 1000" in self.script(n, "ps -eo args"))
        pids = [self.processes(name) for name in guests]
        for way, name, (owner, qemu) in zip(ways, guests, pids):
            with self.subTest(way.__name__):
                way(self, name, owner, qemu)
                self.assert_all_gone([owner, qemu])
                # A process that ends has no program before it has no sockets.
                self.wait_until(lambda n=name: n not in names_in_use(), 10)
        for process in inside:
            self.assert_one_line(self.end(process), 128, "ended before the command")
        self.assertEqual(self.listed(), [])
        self.assertEqual(os.listdir(scratch), [])

    def as_caller(self, options):
        options = super().as_caller(options)
        return {**options, "env": {**options["env"], **getattr(self, "extra", {})}}

    @each_caller
    def test_nothing_is_left_however_it_ends(self):
        self.end_each(self.WAYS)

    @unittest.skipUnless(os.environ.get("VMTEST_TEST_STRESS"), "tests/run --stress")
    @each_caller
    def test_nothing_is_left_of_twenty(self):
        self.end_each((self.WAYS[:-1] * 3)[:19] + (self.WAYS[-1],))

    @each_caller
    def test_who_waits_for_the_command_is_as_ever(self):
        """--keep's two processes are one to the user, until the guest is kept."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
            run = self.popen_caller("run", "--keep", "--name", f"{NAMES}-{self.uid}-w{number}",
                                    "-k", support.kernel(), *SMALL, "--", "sleep", "1000")
            self.wait_until(lambda: [g for g in self.listed() if g["state"] == "running"])
            started = support.descendants(run.pid)
            run.send_signal(number)
            self.assertEqual(run.wait(60), -number)
            self.assert_all_gone(started)
            # One line, as without --keep.
            lines = [l for l in self.end(run).stderr.splitlines() if "error" in l]
            self.assertEqual(len(lines), number != signal.SIGKILL, lines)


if __name__ == "__main__":
    unittest.main()
