# SPDX-License-Identifier: LGPL-2.1-or-later

"""Runs commands under a real kernel.

VMTEST_TEST_KERNEL names an unpacked package to use instead of the one that the
tests build.
"""

import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import termios
import time
import unittest

import support

KERNEL = os.environ.get("VMTEST_TEST_KERNEL", "")
VM = str(support.BIN / "vmtest-vm")
LIMIT = 120


def setUpModule():
    global KERNEL
    KERNEL = KERNEL or str(support.kernel())


def run(*command, options=(), **kwargs):
    kwargs.setdefault("stdin", subprocess.DEVNULL)
    kwargs.setdefault("stderr", subprocess.PIPE)
    kwargs.setdefault("timeout", LIMIT)
    return subprocess.run(
        [VM, "run", "-k", KERNEL, *options, "--", *command],
        stdout=subprocess.PIPE, **kwargs)


def kernel_config():
    with open(f"{KERNEL}/build/.config") as file:
        return file.read()


def copy_kernel(folder):
    """What a guest needs of the package, which is large."""
    for name in ("vmlinuz", "modules.dep", "build/.config",
                 "build/include/config/kernel.release"):
        target = os.path.join(folder, os.fsencode(name))
        os.makedirs(os.path.dirname(target), exist_ok=True)
        shutil.copy(f"{KERNEL}/{name}", target)


def make_root(root, shell, tools):
    """A root with /bin/sh and what init.sh uses, and libraries for them."""
    names = ["sh", "mount", "umount", "mkdir", "mkfifo", "cat", "cp",
             "pivot_root", "ls", "sync"]
    for folder in ("bin", "proc", "sys", "dev", "run", "tmp", "lib", "only-here"):
        os.makedirs(f"{root}/{folder}")
    path = "/usr/sbin:/usr/bin:/sbin:/bin"
    for name in names:
        source = shutil.which(shell if name == "sh" else tools or name, path=path)
        shutil.copy(source, f"{root}/bin/{name}")
        # A copy of mount that is setuid to who copied it cannot mount.
        os.chmod(f"{root}/bin/{name}", 0o755)
        libraries = subprocess.run(["ldd", source], stdout=subprocess.PIPE,
                                   stderr=subprocess.DEVNULL, text=True).stdout
        for library in re.findall(r"(/\S+) \(0x", libraries):
            os.makedirs(root + os.path.dirname(library), exist_ok=True)
            shutil.copy(library, root + library)
    return root


class RunTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="vmtest run'")
        self.addCleanup(shutil.rmtree, self.folder)

    def test_status_and_one_line(self):
        result = run("sh", "-c", "uname -r; exit 7")
        self.assertEqual(result.returncode, 7, result.stderr)
        with open(KERNEL + "/build/include/config/kernel.release") as file:
            self.assertEqual(result.stdout.decode(), file.read().strip() + "\n")
        self.assertEqual(result.stderr, b"")

    def test_words_arrive_as_they_are(self):
        words = ["a b", "", "it's", "$HOME", "x\ny", "é", "\\", "-n", "*"]
        result = run("printf", "<%s>", *words)
        self.assertEqual(result.stdout.decode(),
                         "".join(f"<{word}>" for word in words))

    def test_command_that_is_not_there(self):
        result = run("/no/such/program")
        self.assertEqual(result.returncode, 127)
        self.assertIn(b"/no/such/program", result.stderr)

    def test_time_passes(self):
        self.assertEqual(run("sleep", "0.1", options=["-t", "20"]).returncode, 0)

    def test_signal(self):
        self.assertEqual(run("sh", "-c", "kill -9 $$").returncode, 137)

    def test_panic(self):
        result = run("sh", "-c", "echo c >/proc/sysrq-trigger")
        self.assertEqual(result.returncode, 128)
        self.assertIn(b"Kernel panic - not syncing: sysrq triggered crash",
                      result.stderr)
        result = run("sh", "-c", "echo c >/proc/sysrq-trigger",
                     options=["--lost-status", "42"])
        self.assertEqual(result.returncode, 42)

    def test_the_console_does_not_reach_the_terminal_as_it_is(self):
        write = "printf '\\033[31mred\\033]0;title\\a\\n' >/dev/console; "
        log = os.path.join(self.folder, "log")
        got = run("sh", "-c", write, options=["-v", "--console-log", log])
        self.assertEqual(got.returncode, 0)
        self.assertIn(b"red\n", got.stderr)
        self.assertNotIn(b"\033", got.stderr)
        with open(log, "rb") as file:
            self.assertIn(b"\033[31mred", file.read())
        got = run("sh", "-c", write + "echo o >/proc/sysrq-trigger; sleep 60")
        self.assertEqual(got.returncode, 128)
        self.assertIn(b"red\n", got.stderr)
        self.assertNotIn(b"\033", got.stderr)

    def test_what_the_guest_says_is_not_trusted(self):
        """Any program of its root can take init's descriptor (pidfd_getfd(2))."""
        say = ("import ctypes, os, sys, time;"
               "fd = ctypes.CDLL(None).syscall(438, os.pidfd_open(1), 3, 0);"
               "os.write(fd, eval(sys.argv[1]));"
               "time.sleep(float(sys.argv[2])); sys.exit(3)")
        # Nonsense is not heard, nor what is out of turn.
        lines = b"exit 300\nexit -1\nfail x\ndone\n\0\033c\xff\n" + b"x" * 9999 + b"\n"
        got = run("python3", "-c", say, repr(lines), "0")
        self.assertEqual((got.returncode, got.stderr), (3, b""))
        got = run("python3", "-c", say, repr(b"hello\nready\n" * 3), "60")
        self.assertEqual(got.returncode, 128)
        self.assertIn(b"more than 2 kernels", got.stderr)

    def test_power_off_is_a_loss(self):
        script = "echo o >/proc/sysrq-trigger; sleep 60"
        for options, status in ((["-t", "0"], 128), (["--lost-status=0"], 0)):
            result = run("sh", "-c", script, options=options)
            self.assertEqual(result.returncode, status)
        self.assertIn(b"powered off", result.stderr)

    def test_timeout_shows_tasks(self):
        start = time.monotonic()
        result = run("sleep", "1000", options=["-t", "2"])
        self.assertEqual(result.returncode, 124)
        self.assertIn(b"task:sleep", result.stderr)
        self.assertLess(time.monotonic() - start, 60)

    def test_background_processes_do_not_hold_the_guest(self):
        result = run("sh", "-c", "sleep 1000 & echo done")
        self.assertEqual(result.returncode, 0)
        self.assertEqual(result.stdout, b"done\n")

    def test_devices_can_be_opened_again(self):
        result = run("sh", "-c", "echo a >/dev/stdout; echo b >/dev/stderr")
        self.assertEqual((result.stdout, result.stderr), (b"a\n", b"b\n"))

    def test_one_stream_stays_in_order(self):
        result = run("sh", "-c", "i=0; while [ $i -lt 300 ]; do"
                     " echo $((i += 1)); echo $((i += 1)) >&2; done; echo end >/dev/stderr",
                     stderr=subprocess.STDOUT)
        self.assertEqual(result.stdout.decode().split(), [*map(str, range(1, 301)), "end"])

    def test_environment(self):
        result = run("sh", "-c", 'echo "$A,$B,$C"', env={**os.environ, "B": "x y", "C": "z"},
                     options=["--env", "A=it's", "--env", "B"])
        self.assertEqual(result.stdout, b"it's,x y,\n")

    def test_host_is_out_of_reach(self):
        keep = os.path.join(self.folder, "keep")
        with open(keep, "w") as file:
            file.write("old")
        script = """
            set -x
            cd /
            rm -rf "$1"
            mkdir -p "$1"
            echo new >"$1/keep"
            mount -t 9p -o trans=virtio,version=9p2000.L,rw /dev/root /mnt
            mount -o remount,rw /
            echo new >"$1/keep"
            cat "$1/keep"
        """
        result = run("sh", "-c", script, "sh", self.folder)
        self.assertEqual(result.stdout, b"new\n", result.stderr)
        self.assertEqual(os.listdir(self.folder), ["keep"])
        with open(keep) as file:
            self.assertEqual(file.read(), "old")

    def test_writable_folder(self):
        result = run("sh", "-c", "echo new >file; mkdir d; pwd",
                     options=["--rw", self.folder], cwd=self.folder)
        self.assertEqual(result.stdout.decode(), self.folder + "\n", result.stderr)
        with open(os.path.join(self.folder, "file")) as file:
            self.assertEqual(file.read(), "new\n")
        self.assertTrue(os.path.isdir(os.path.join(self.folder, "d")))

    def test_working_directory(self):
        with open(os.path.join(self.folder, "file"), "w") as file:
            file.write("x")
        result = run("sh", "-c", "pwd; cat file; echo y >file", cwd=self.folder)
        self.assertEqual(result.stdout.decode(), self.folder + "\nx")
        self.assertEqual(result.returncode, 0, result.stderr)

    def test_working_directory_that_the_guest_hides(self):
        folder = tempfile.mkdtemp(dir="/dev/shm")
        self.addCleanup(shutil.rmtree, folder)
        with open(folder + "/file", "w") as file:
            file.write("x")
        result = run("sh", "-c", """
            cat file; echo y >file; cat file
            # Below the overlay is the share itself.
            cd /run/vmtest/cwd/lower || exit 3
            mount -o remount,rw . || exit 4
            echo y >file; rm file; mkdir d; chmod 0 file; mv file other
        """, cwd=folder)
        self.assertEqual(result.stdout, b"xy\n", result.stderr)
        self.assertEqual(result.stderr.count(b"Read-only file system"), 5,
                         result.stderr)
        self.assertEqual(os.listdir(folder), ["file"])
        with open(folder + "/file") as file:
            self.assertEqual(file.read(), "x")

    def test_package_that_the_guest_hides(self):
        folder = tempfile.mkdtemp(dir="/dev/shm")
        self.addCleanup(shutil.rmtree, folder)
        copy_kernel(os.fsencode(folder))
        result = subprocess.run(
            [VM, "run", "-k", folder, "--", "sh", "-c",
             "ls /lib/modules/$(uname -r)/modules.dep"],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, timeout=LIMIT)
        self.assertEqual(result.returncode, 0, result.stderr)

    def test_other_roots(self):
        # Nothing but one shell and one set of tools.
        for shell, tools in (("busybox", "busybox"), ("bash", None)):
            if not shutil.which(shell):
                continue
            with self.subTest(shell):
                root = make_root(os.path.join(self.folder, shell), shell, tools)
                result = run("sh", "-c", "pwd; cat; ls /; echo x >file; exit 9",
                             options=["-r", root, "--rw", self.folder],
                             cwd=self.folder, stdin=None, input=b"in\n")
                self.assertEqual(result.returncode, 9, result.stderr)
                lines = result.stdout.decode().split()
                self.assertIn("in", lines)
                self.assertIn("only-here", lines)
                self.assertNotIn("home", lines)
                with open(os.path.join(self.folder, "file")) as file:
                    self.assertEqual(file.read(), "x\n")

    def test_large_streams(self):
        size = 100 << 20
        data = os.urandom(1 << 20) * 100
        source = os.path.join(self.folder, "in")
        with open(source, "wb") as file:
            file.write(data)
        expected = hashlib.sha256(data).hexdigest()
        with open(source, "rb") as file, \
                open(source + ".out", "w+b") as out, \
                open(source + ".err", "w+b") as error:
            status = subprocess.run(
                [VM, "run", "-k", KERNEL, "--", "sh", "-c",
                 "tee /dev/stderr"], stdin=file, stdout=out, stderr=error,
                timeout=300).returncode
            self.assertEqual(status, 0)
            for stream in (out, error):
                stream.seek(0)
                got = stream.read()
                self.assertEqual(len(got), size)
                self.assertEqual(hashlib.sha256(got).hexdigest(), expected)

    def test_end_of_input(self):
        result = run("cat", stdin=None, input=b"one\ntwo")
        self.assertEqual(result.stdout, b"one\ntwo", result.stderr)
        self.assertEqual(run("cat", stdin=None, input=b"").stdout, b"")

    def test_signals_leave_nothing(self):
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
            with self.subTest(number):
                process = subprocess.Popen(
                    [VM, "run", "-k", KERNEL, "--", "sh", "-c",
                     "echo up; sleep 1000"], stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                    env={**os.environ, "TMPDIR": self.folder})
                self.assertEqual(process.stdout.readline(), b"up\n")
                (emulator,) = support.descendants(process.pid)
                process.send_signal(number)
                self.assertEqual(process.wait(timeout=20), -number)
                process.stdout.close()
                deadline = time.monotonic() + 5
                while support.program_of(emulator):
                    self.assertLess(time.monotonic(), deadline)
                    time.sleep(0.01)
                self.assertEqual(os.listdir(self.folder), [])

    def test_terminal(self):
        command = [VM, "run", "-k", KERNEL]
        terminal = support.Terminal(command, self.folder, SHELL="/bin/sh")
        self.addCleanup(terminal.close)
        termios.tcsetwinsize(terminal.fd, (33, 101))
        terminal.expect("# ")
        terminal.type("tty; stty size; echo en''d\n")
        shown = terminal.expect("end")
        self.assertIn("/dev/hvc0", shown)
        self.assertIn("33 101", shown)
        termios.tcsetwinsize(terminal.fd, (40, 90))
        resized = "until [ \"$(stty size)\" = '40 90' ]; do :; done; echo re''sized\n"
        terminal.type(resized)
        terminal.expect("resized")
        terminal.type("exit 5\n")
        self.assertEqual(terminal.wait(), 5)

    def test_result_and_console(self):
        result = os.path.join(self.folder, "result")
        console = os.path.join(self.folder, "console")
        rows = (
            (["sh", "-c", "exit 7"], [], 7, "exited"),
            (["sh", "-c", "echo 'BUG: no' >/dev/kmsg"], ["--fail-on-splat"],
             1, "exited"),
            (["sleep", "100"], ["-t", "1"], 124, "timed_out"),
            (["sh", "-c", "echo c >/proc/sysrq-trigger"], [], 128, "lost"),
            (["true"], ["--machine", "x"], 2, "not_run"),
        )
        for command, options, status, outcome in rows:
            with self.subTest(outcome):
                got = run(*command, options=[
                    "--result", result, "--console-log", console, *options])
                self.assertEqual(got.returncode, status, got.stderr)
                with open(result) as file:
                    data = json.load(file)
                self.assertEqual(data["outcome"], outcome)
                self.assertEqual(data["status"], status)
                self.assertEqual(data["exit_status"] is None, outcome != "exited")
                self.assertEqual(data["reason"] is None, outcome == "exited")
                if outcome != "not_run":
                    self.assertGreater(data["boot_ms"], 0)
                    with open(console) as file:
                        self.assertIn("Linux version", file.read())
                self.assertEqual(data["splat_count"], int("BUG" in command[-1]))
        self.assertEqual(sorted(os.listdir(self.folder)), ["console", "result"])
        got = run("true", options=["--result", "/dev/null"])
        self.assertEqual(got.returncode, 2)
        self.assertIn(b"not a file", got.stderr)

    def test_an_interrupt_line_is_shared(self):
        """By devices without MSI: a case that debuggers test."""
        if "# CONFIG_PCI_MSI is not set" not in kernel_config():
            self.skipTest("devices have interrupts of their own")
        got = run("cat", "/proc/interrupts", options=["--disk", "1M"])
        self.assertEqual(got.returncode, 0)
        self.assertRegex(got.stdout, rb"(?m) virtio\d, virtio\d$")

    def test_other_folder(self):
        got = run("pwd", options=["--chdir", self.folder])
        self.assertEqual(got.stdout.decode(), self.folder + "\n", got.stderr)
        got = run("pwd", options=["--chdir", "/no/such"])
        self.assertEqual(got.returncode, 2)

    def test_other_machines(self):
        for machine in ("q35", "pc"):
            with self.subTest(machine):
                result = run("true", options=["--machine", machine])
                self.assertEqual(result.returncode, 0, result.stderr)

    def test_temporary_files(self):
        command = ["sh", "-c", 'echo "$TMPDIR"; stat -fc %T "$TMPDIR"; stat -c %a "$TMPDIR"']
        env = {**os.environ, "TMPDIR": self.folder}
        got = run(*command, env=env)
        self.assertEqual(got.stdout, b"/run/vmtest/tmp\ntmpfs\n1777\n", got.stderr)
        got = run("sh", "-c", 'echo "$TMPDIR"', env=env, options=["--env", "TMPDIR"])
        self.assertEqual(got.stdout.decode(), self.folder + "\n", got.stderr)

    def test_many_boots_in_a_row(self):
        for i in range(int(os.environ.get("VMTEST_TEST_BOOTS") or 10)):
            with self.subTest(boot=i):
                self.assertEqual(run("true").returncode, 0)


class PathTest(unittest.TestCase):
    """Each path that the host has can be used, whatever its name."""

    def make_folders(self, parent, *names):
        base = tempfile.mkdtemp(prefix="vmtest-path.", dir=parent)
        self.addCleanup(shutil.rmtree, os.fsencode(base))
        folders = [os.path.join(os.fsencode(base), support.STRANGE, name) for name in names]
        for folder in folders:
            os.makedirs(folder)
        return folders

    def test_all_folders_of_a_run(self):
        # What the guest's root shows of itself, and what it does not.
        for parent in (None, "/dev/shm"):
            with self.subTest(parent):
                cwd, kernel, writable, log = self.make_folders(
                    parent, b"cwd", b"kernel", b"rw", b"log")
                copy_kernel(kernel)
                with open(cwd + b"/file", "w") as file:
                    file.write("in\n")
                script = """
                    cat file; echo new >file; echo out >"$1/file"
                    ls "/lib/modules/$(uname -r)"/modules.dep >&2; pwd
                """
                got = subprocess.run(
                    [VM, "run", "-k", kernel, "--rw", writable, "--disk", "1M",
                     "--result", log + b"/result", "--console-log", log + b"/console", "--",
                     "sh", "-c", script, "sh", writable],
                    stdin=subprocess.DEVNULL, capture_output=True, timeout=LIMIT, cwd=cwd,
                    env={**os.environ, "TMPDIR": os.fsdecode(writable)})
                self.assertEqual(got.returncode, 0, got.stderr)
                self.assertEqual(got.stdout, b"in\n" + cwd + b"\n")
                with open(cwd + b"/file") as file:
                    self.assertEqual(file.read(), "in\n")
                with open(writable + b"/file") as file:
                    self.assertEqual(file.read(), "out\n")
                with open(log + b"/result") as file:
                    self.assertEqual(json.load(file)["outcome"], "exited")
                with open(log + b"/console") as file:
                    self.assertIn("Linux version", file.read())

    def test_another_root(self):
        root, cwd, kernel = self.make_folders(None, b"root", b"cwd", b"kernel")
        copy_kernel(kernel)
        make_root(os.fsdecode(root), "busybox", "busybox")
        got = subprocess.run(
            [VM, "run", "-k", kernel, "-r", root, "--rw", cwd, "--", "sh", "-c",
             "pwd; echo new >file"],
            stdin=subprocess.DEVNULL, capture_output=True, timeout=LIMIT, cwd=cwd)
        self.assertEqual(got.returncode, 0, got.stderr)
        self.assertEqual(got.stdout, cwd + b"\n")
        with open(cwd + b"/file") as file:
            self.assertEqual(file.read(), "new\n")

    def test_terminal(self):
        cwd, writable = self.make_folders(None, b"cwd", b"rw")
        options = ["-q", "-k", KERNEL, "--rw", os.fsdecode(writable)]
        script = ["sh", "-c", 'pwd >"$1/file"', "sh", os.fsdecode(writable)]
        terminal = support.Terminal([VM, "run", *options, "--", *script], cwd)
        self.addCleanup(terminal.close)
        self.assertEqual(terminal.wait(), 0, terminal.text)
        with open(writable + b"/file", "rb") as file:
            self.assertEqual(file.read(), cwd + b"\n")

    def test_where_vmtest_is_installed(self):
        prefix, = self.make_folders(None, b"prefix")
        shutil.copytree(os.fsencode(support.BIN.parent / "share"), prefix + b"/share",
                        symlinks=True)
        os.mkdir(prefix + b"/bin")
        shutil.copy(VM, prefix + b"/bin/vmtest-vm")
        got = subprocess.run(
            [prefix + b"/bin/vmtest-vm", "run", "-q", "-k", KERNEL, "--kdump", "--", "sh",
             "-c", "[ ! -e /proc/vmcore ] || exit 42; "
             "vmtest-kexec && echo c >/proc/sysrq-trigger"],
            stdin=subprocess.DEVNULL, capture_output=True, timeout=2 * LIMIT)
        self.assertEqual(got.returncode, 42, got.stderr)

    def test_suites(self):
        kernel, log, cwd = self.make_folders(None, b"kernel", b"log", b"cwd")
        copy_kernel(kernel)
        for options in ([], ["--json"]):
            with self.subTest(options):
                got = subprocess.run(
                    [VM, "test", "-q", *options, "-k", kernel, "--log-directory", log,
                     "--junit", log + b"/junit", "--", "sh", "-c", "echo done"],
                    stdin=subprocess.DEVNULL, capture_output=True, timeout=LIMIT, cwd=cwd)
                self.assertEqual(got.returncode, 0, got.stderr)
                name, = [n for n in os.listdir(log)
                         if n.endswith(b".log") and b".console." not in n]
                with open(os.path.join(log, name)) as file:
                    self.assertEqual(file.read(), "done\n")
        item, = json.loads(got.stdout)
        self.assertEqual(item["result"], "passed")
        self.assertEqual(item["log"], os.path.join(log, name).decode(errors="replace"))

    def test_what_is_not_there(self):
        """An error says so, in JSON too."""
        folder, = self.make_folders(None, b"x")
        path = os.path.join(folder, b"result")
        got = subprocess.run(
            [VM, "run", "-k", folder + b"/kernel", "--result", path, "--", "true"],
            stdin=subprocess.DEVNULL, capture_output=True, timeout=LIMIT)
        self.assertEqual(got.returncode, 125)
        self.assertIn(b"no such directory", got.stderr)
        with open(path) as file:
            self.assertIn("\ufffd\ufffd \u00e9", json.load(file)["reason"])
