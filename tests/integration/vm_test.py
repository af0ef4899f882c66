# SPDX-License-Identifier: LGPL-2.1-or-later
"""Runs commands under a real kernel."""

import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import termios
from pathlib import Path

import support
from support import run_guest

CRASH = "echo c >/proc/sysrq-trigger"
POWER_OFF = "echo o >/proc/sysrq-trigger; sleep 60"
# Says its first argument to the host, and sleeps for the second. Any program of the
# guest's root can take init's descriptor (pidfd_getfd(2)).
SAY = ("import ctypes, os, sys, time;"
       "fd = ctypes.CDLL(None).syscall(438, os.pidfd_open(1), 3, 0);"
       "os.write(fd, eval(sys.argv[1]));"
       "time.sleep(float(sys.argv[2])); sys.exit(3)")


def run_shell(script, *options, **more):
    return run_guest("sh", "-c", script, options=options, **more)


def copy_kernel(directory):
    """What a guest needs of the package, which is large."""
    for name in ("vmlinuz", "modules.dep", "build/.config",
                 "build/include/config/kernel.release"):
        target = directory / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(support.kernel() / name, target)


def make_root(root, shell, tools):
    """A root with /bin/sh and what init.sh uses, and libraries for them."""
    for directory in "bin proc sys dev run tmp lib only-here".split():
        os.makedirs(f"{root}/{directory}")
    path = "/usr/sbin:/usr/bin:/sbin:/bin"
    for name in "sh mount umount mkdir mkfifo cat cp pivot_root ls sync".split():
        source = shutil.which(shell if name == "sh" else tools or name, path=path)
        shutil.copy(source, f"{root}/bin/{name}")
        # A copy of mount that is setuid to who copied it cannot mount.
        os.chmod(f"{root}/bin/{name}", 0o755)
        libraries = subprocess.run(["ldd", source], stdout=subprocess.PIPE,
                                   stderr=subprocess.DEVNULL, text=True).stdout
        for library in re.findall(r"(/\S+) \(0x", libraries):
            os.makedirs(f"{root}{os.path.dirname(library)}", exist_ok=True)
            shutil.copy(library, f"{root}{library}")
    return root


class GuestCase(support.TestCase):
    def make_hidden_directory(self):
        """Where the guest has a file system of its own."""
        directory = tempfile.mkdtemp(prefix="vmtest-test.", dir="/dev/shm")
        self.addCleanup(shutil.rmtree, directory)
        return Path(directory)

    def start_terminal(self, *command, directory=None, **values):
        command = [support.BIN / "vmtest-vm", "run", "-k", support.kernel(), *command]
        terminal = support.Terminal(command, directory or self.folder, **values)
        self.addCleanup(terminal.close)
        return terminal


class RunTest(GuestCase):
    def setUp(self):
        super().setUp()
        self.folder /= "vmtest run'"
        self.folder.mkdir()
        self.file = self.folder / "file"

    def test_status_and_one_line(self):
        result = run_shell("uname -r; exit 7", "-q")
        self.assert_status(result, 7)
        release = support.kernel() / "build/include/config/kernel.release"
        self.assertEqual(result.stdout, release.read_text())
        self.assertEqual(result.stderr, "")

    def test_words_arrive_as_they_are(self):
        words = ["a b", "", "it's", "$HOME", "x\ny", "é", "\\", "-n", "*"]
        result = run_guest("printf", "<%s>", *words)
        self.assertEqual(result.stdout, "".join(f"<{word}>" for word in words))

    def test_command_that_is_not_there(self):
        result = run_guest("/no/such/program")
        self.assert_status(result, 127)
        self.assertIn("/no/such/program", result.stderr)

    def test_signal(self):
        self.assert_status(run_shell("kill -9 $$", "-t", "20"), 137)

    def test_a_loss_has_the_status_of_the_user_s_choice(self):
        for script, option, status, word in (
            (CRASH, "--lost-status=42", 42, "Kernel panic - not syncing: sysrq triggered"),
            (POWER_OFF, "--timeout=0", 128, "powered off"),
            (POWER_OFF, "--lost-status=0", 0, "powered off"),
        ):
            result = run_shell(script, option)
            self.assert_status(result, status)
            self.assertIn(word, result.stderr)

    def test_the_console_does_not_reach_the_terminal_as_it_is(self):
        write = ("echo 1 >/proc/sys/kernel/printk; "  # so that nothing comes between
                 "printf '\\033[31mred\\033]0;title\\a\\n::add-mask::x\\n"
                 "y##[error]\\342\\200\\256z\\n' >/dev/console; ")
        log = self.folder / "log"
        for script, options, status in (
            (write, ("-v", "--console-log", log), 0),
            (write + POWER_OFF, (), 128),
        ):
            got = run_shell(script, *options)
            self.assert_status(got, status)
            self.assertIn("red\n?:add-mask::x\ny##?error]z\n", got.stderr)
            self.assertNotIn("\033", got.stderr)
        self.assertIn(b"\033[31mred", log.read_bytes())

    def test_what_the_guest_says_is_not_trusted(self):
        for line, shown in (
            ("b'exit 256\\n'", "'exit 256'"),
            ("b'exit 99999999999999999999\\n'", "'exit 99999999999999999999'"),
            ("b'fail x\\n'", "'fail x'"),
            ("b'\\0\\033c\\xff\\n'", "'\ufffd'"),
            ("b'x' * 9999 + b'\\n'", "'xxx"),
            ("b'hello\\n' * 100000", "'hello'"),
        ):
            with self.subTest(line):
                got = run_guest("python3", "-c", SAY, line, "60", options=["-q"])
                self.assert_status(got, 128)
                message = got.stderr.splitlines()[0]
                self.assertIn("broke the protocol", message)
                self.assertIn(shown, message)
                self.assertLess(len(message), 2000)
                self.assertNotIn("\033", got.stderr)
        # One crash kernel, and no other after it.
        got = run_guest("python3", "-c", SAY, "b'hello\\nready\\n' * 3", "60",
                        options=["--kdump"])
        self.assert_status(got, 128)
        self.assertEqual(got.stderr.count("runs the command again"), 1)
        self.assertIn("broke the protocol", got.stderr)

    def test_output_without_end_ends_the_guest(self):
        log = self.folder / "log"
        for script in ("yes", "yes >&2", "yes >/dev/console"):
            with self.subTest(script):
                got = run_shell(script, "--output-limit=1M", "--console-log", log)
                self.assert_status(got, 153)
                self.assertIn("written more than 1 MB", got.stderr)
                self.assertLessEqual(len(got.stdout), 1 << 20)
                self.assertLessEqual(log.stat().st_size, 1 << 20)

    def test_background_processes_do_not_hold_the_guest(self):
        result = run_shell("sleep 1000 & echo done")
        self.assertEqual((result.returncode, result.stdout), (0, "done\n"))

    def test_devices_can_be_opened_again(self):
        result = run_shell("echo a >/dev/stdout; echo b >/dev/stderr", "-q")
        self.assertEqual((result.stdout, result.stderr), ("a\n", "b\n"))

    def test_one_stream_stays_in_order(self):
        result = run_shell("i=0; while [ $i -lt 300 ]; do"
                           " echo $((i += 1)); echo $((i += 1)) >&2; done; echo end >/dev/stderr",
                           stderr=subprocess.STDOUT)
        self.assertEqual(result.stdout.split(), [*map(str, range(1, 301)), "end"])

    def test_environment(self):
        result = run_shell('echo "$A,$B,$C"', "--env", "A=it's", "--env", "B",
                           env=support.environment(B="x y", C="z"))
        self.assertEqual(result.stdout, "it's,x y,\n")

    def test_host_is_out_of_reach(self):
        self.file.write_text("old")
        script = """
            set -x
            cd /
            rm -rf "$1"
            mkdir -p "$1"
            echo new >"$1/file"
            mount -t 9p -o trans=virtio,version=9p2000.L,rw /dev/root /mnt
            mount -o remount,rw /
            echo new >"$1/file"
            cat "$1/file"
        """
        result = run_guest("sh", "-c", script, "sh", self.folder)
        self.assertEqual(result.stdout, "new\n", result.stderr)
        self.assertEqual(os.listdir(self.folder), ["file"])
        self.assertEqual(self.file.read_text(), "old")

    def test_writable_folder(self):
        result = run_shell("echo new >file; mkdir d; pwd", "--rw", self.folder,
                           cwd=self.folder)
        self.assertEqual(result.stdout, f"{self.folder}\n", result.stderr)
        self.assertEqual(self.file.read_text(), "new\n")
        self.assertTrue((self.folder / "d").is_dir())

    def test_working_directory(self):
        self.file.write_text("x")
        result = run_shell("pwd; cat file; echo y >file", cwd=self.folder)
        self.assert_status(result, 0)
        self.assertEqual(result.stdout, f"{self.folder}\nx")

    def test_working_directory_that_the_guest_hides(self):
        directory = self.make_hidden_directory()
        file = directory / "file"
        file.write_text("x")
        result = run_shell("""
            cat file; echo y >file; cat file
            # Below the overlay is the share itself.
            cd /run/vmtest/cwd/lower || exit 3
            mount -o remount,rw . || exit 4
            echo y >file; rm file; mkdir d; chmod 0 file; mv file other
        """, cwd=directory)
        self.assertEqual(result.stdout, "xy\n", result.stderr)
        self.assertEqual(result.stderr.count("Read-only file system"), 5, result.stderr)
        self.assertEqual(list(directory.iterdir()), [file])
        self.assertEqual(file.read_text(), "x")

    def test_package_that_the_guest_hides(self):
        directory = self.make_hidden_directory()
        copy_kernel(directory)
        result = support.run("vmtest-vm run -k", directory, "--", "sh", "-c",
                             "ls /lib/modules/$(uname -r)/modules.dep")
        self.assert_status(result, 0)

    def test_other_roots(self):
        # Nothing but one shell and one set of tools.
        for shell, tools in (("busybox", "busybox"), ("bash", None)):
            if not shutil.which(shell):
                continue
            with self.subTest(shell):
                root = make_root(self.folder / shell, shell, tools)
                result = run_shell("pwd; cat; ls /; echo x >file; exit 9",
                                   "-r", root, "--rw", self.folder,
                                   cwd=self.folder, input="in\n")
                self.assert_status(result, 9)
                lines = result.stdout.split()
                self.assertIn("in", lines)
                self.assertIn("only-here", lines)
                self.assertNotIn("home", lines)
                self.assertEqual(self.file.read_text(), "x\n")

    def test_large_streams(self):
        """100 MiB in, and out twice."""
        self.file.write_bytes(os.urandom(1 << 20) * 100)
        outputs = (self.folder / "out", self.folder / "error")
        command = support.command_line("vmtest-vm run -k", [support.kernel()])
        with open(self.file) as source, open(outputs[0], "w") as out, \
                open(outputs[1], "w") as error:
            subprocess.run([*command, "--", "tee", "/dev/stderr"], stdin=source,
                           stdout=out, stderr=error, timeout=300, check=True)
        digests = {hashlib.sha256(path.read_bytes()).digest()
                   for path in (self.file, *outputs)}
        self.assertEqual(len(digests), 1)

    def test_end_of_input(self):
        for text in ("one\ntwo", ""):
            result = run_guest("cat", input=text)
            self.assertEqual(result.stdout, text, result.stderr)

    def test_signals_leave_nothing(self):
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
            with self.subTest(number):
                process = self.popen("vmtest-vm run -k", support.kernel(), "--", "sh",
                                     "-c", "echo up; sleep 1000",
                                     env=support.environment(TMPDIR=self.folder))
                self.assertEqual(process.stdout.readline(), "up\n")
                started = support.descendants(process.pid)
                self.assertEqual(len(started), 1)
                process.send_signal(number)
                self.assertEqual(process.wait(timeout=20), -number)
                self.assert_all_gone(started)
                self.assertEqual(os.listdir(self.folder), [])

    def test_terminal(self):
        terminal = self.start_terminal(SHELL="/bin/sh")
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
        result, console = self.folder / "result", self.folder / "console"
        rows = (
            ("exit 7", [], 7, "exited", ""),
            ("echo 'BUG: no' >/dev/kmsg", ["--fail-on-splat"], 1, "exited", "BUG: no"),
            ("sleep 1000", ["-t", "2"], 124, "timed_out", "task:sleep"),
            (CRASH, [], 128, "lost", "Kernel panic - not syncing: sysrq triggered crash"),
            ("true", ["--machine", "x"], 2, "not_run", "x"),
        )
        for script, options, status, outcome, word in rows:
            with self.subTest(outcome):
                got = run_shell(script, "--result", result, "--console-log", console,
                                *options, timeout=60)
                self.assert_status(got, status)
                self.assertIn(word, got.stderr)
                data = json.loads(result.read_text())
                self.assertEqual(data["outcome"], outcome)
                self.assertEqual(data["status"], status)
                self.assertEqual(data["exit_status"] is None, outcome != "exited")
                self.assertEqual(data["reason"] is None, outcome == "exited")
                if outcome != "not_run":
                    self.assertGreater(data["boot_ms"], 0)
                    self.assertIn("Linux version", console.read_text())
                self.assertEqual(data["splat_count"], int("BUG" in script))
        self.assertEqual(sorted(self.folder.iterdir()), [console, result])
        self.assert_one_line(run_shell("true", "--result", "/"), 2, "not a file")
        # What is no file stays what it is.
        link = self.folder / "link"
        link.symlink_to("/dev/stdout")
        got = run_shell("true", "--result", link)
        self.assert_status(got, 0)
        self.assertEqual(json.loads(got.stdout)["outcome"], "exited")
        self.assertTrue(link.is_symlink())

    def test_an_interrupt_line_is_shared(self):
        """By devices without MSI: a case that debuggers test."""
        if not support.has("PCI") or support.has("PCI_MSI"):
            self.skipTest("devices have interrupts of their own")
        got = run_guest("cat", "/proc/interrupts", options=["--disk", "1M"])
        self.assert_status(got, 0)
        self.assertRegex(got.stdout, r"(?m) virtio\d, virtio\d$")

    def test_other_folder(self):
        got = run_guest("pwd", options=["--chdir", self.folder])
        self.assertEqual(got.stdout, f"{self.folder}\n", got.stderr)
        self.assert_status(run_guest("pwd", options=["--chdir", "/no/such"]), 2)

    def test_other_machines(self):
        for machine in ("q35", "pc"):
            with self.subTest(machine):
                self.assert_status(run_guest("true", options=["--machine", machine]), 0)

    def test_temporary_files(self):
        env = support.environment(TMPDIR=self.folder)
        got = run_shell('echo "$TMPDIR"; stat -fc %T "$TMPDIR"; stat -c %a "$TMPDIR"',
                        env=env)
        self.assertEqual(got.stdout, "/run/vmtest/tmp\ntmpfs\n1777\n", got.stderr)
        got = run_shell('echo "$TMPDIR"', "--env", "TMPDIR", env=env)
        self.assertEqual(got.stdout, f"{self.folder}\n", got.stderr)

    def test_many_boots_in_a_row(self):
        for i in range(int(os.environ.get("VMTEST_TEST_BOOTS") or 10)):
            with self.subTest(boot=i):
                self.assert_status(run_guest("true"), 0)


class PathTest(GuestCase):
    """Each path that the host has can be used, whatever its name."""

    def make_folders(self, *names, parent=None):
        parent = (parent or self.folder) / os.fsdecode(support.STRANGE)
        folders = [parent / name for name in names]
        for folder in folders:
            folder.mkdir(parents=True)
        return folders

    def test_all_folders_of_a_run(self):
        # What the guest's root shows of itself, and what it does not.
        for parent in (None, self.make_hidden_directory()):
            with self.subTest(parent):
                cwd, kernel, writable, log = self.make_folders(
                    "cwd", "kernel", "rw", "log", parent=parent)
                copy_kernel(kernel)
                (cwd / "file").write_text("in\n")
                script = """
                    cat file; echo new >file; echo out >"$1/file"
                    ls "/lib/modules/$(uname -r)"/modules.dep >&2; pwd
                """
                got = support.run(
                    "vmtest-vm run -k", kernel, "--rw", writable, "--disk", "1M",
                    "--result", log / "result", "--console-log", log / "console", "--",
                    "sh", "-c", script, "sh", writable, cwd=cwd,
                    env=support.environment(TMPDIR=writable))
                self.assert_status(got, 0)
                self.assertEqual(got.stdout, f"in\n{cwd}\n")
                self.assertEqual((cwd / "file").read_text(), "in\n")
                self.assertEqual((writable / "file").read_text(), "out\n")
                result = json.loads((log / "result").read_text())
                self.assertEqual(result["outcome"], "exited")
                self.assertIn("Linux version", (log / "console").read_text())

    def test_another_root(self):
        root, cwd, kernel = self.make_folders("root", "cwd", "kernel")
        copy_kernel(kernel)
        make_root(root, "busybox", "busybox")
        got = support.run("vmtest-vm run -k", kernel, "-r", root, "--rw", cwd, "--",
                          "sh", "-c", "pwd; echo new >file", cwd=cwd)
        self.assert_status(got, 0)
        self.assertEqual(got.stdout, f"{cwd}\n")
        self.assertEqual((cwd / "file").read_text(), "new\n")

    def test_terminal(self):
        cwd, writable = self.make_folders("cwd", "rw")
        terminal = self.start_terminal("-q", "--rw", writable, "--", "sh", "-c",
                                       'pwd >"$1/file"', "sh", writable, directory=cwd)
        self.assertEqual(terminal.wait(), 0, terminal.text)
        self.assertEqual((writable / "file").read_bytes(), os.fsencode(cwd) + b"\n")

    def test_where_vmtest_is_installed(self):
        prefix, = self.make_folders("prefix")
        shutil.copytree(support.BIN.parent / "share", prefix / "share", symlinks=True)
        (prefix / "bin").mkdir()
        shutil.copy(support.BIN / "vmtest-vm", prefix / "bin")
        got = support.run(
            prefix / "bin/vmtest-vm", "run", "-q", "-k", support.kernel(), "--kdump",
            "--", "sh", "-c", "[ ! -e /proc/vmcore ] || exit 42; "
            f"vmtest-kexec && {CRASH}")
        self.assert_status(got, 42)

    def test_suites(self):
        kernel, log, cwd = self.make_folders("kernel", "log", "cwd")
        copy_kernel(kernel)
        for options in ([], ["--json"]):
            with self.subTest(options):
                got = support.run(
                    "vmtest-vm test -q", *options, "-k", kernel, "--log-directory", log,
                    "--junit", log / "junit", "--", "sh", "-c", "echo done", cwd=cwd)
                self.assert_status(got, 0)
                path, = [p for p in log.glob("*.log") if ".console." not in p.name]
                self.assertEqual(path.read_text(), "done\n")
        item, = json.loads(got.stdout)
        self.assertEqual(item["result"], "passed")
        self.assertEqual(item["log"], os.fsencode(path).decode(errors="replace"))

    def test_what_is_not_there(self):
        """An error says so, in JSON too."""
        folder, = self.make_folders("x")
        path = folder / "result"
        got = support.run("vmtest-vm run -k", folder / "kernel", "--result", path, "true")
        self.assert_status(got, 125)
        self.assertIn("No such file", got.stderr)
        self.assertIn("\ufffd\ufffd \u00e9", json.loads(path.read_text())["reason"])
