# SPDX-License-Identifier: LGPL-2.1-or-later

"""What a guest cannot do to the host, whatever its root and its kernel try.

Each test runs as the user that it is run by and, if that is root, as an ordinary
user too.
"""

import contextlib
import ctypes
import errno
import os
import shutil
import stat
import struct
import subprocess
import tempfile
import unittest
from pathlib import Path

import support
from caller import PYTHON, CallerCase, each_caller
from token_test import has_landlock

# Lies below the guest's own mounts, which hide the host's.
BELOW = "mkdir -p /tmp/h && mount --bind / /tmp/h\n"
# Not cached by the size that files of /proc say they have, which is 0.
READ = BELOW + """
while read -r path; do
    dd if="/tmp/h$path" iflag=direct bs=64k count=1 >/tmp/read 2>/tmp/why && echo "read $path" || {
        grep -q "Permission denied" /tmp/why && echo "denied $path" || cat /tmp/why; }
done
"""
# All ways to a file that makes its caller somebody else, or is no file.
RAISE = """
import os, shutil, socket, stat, subprocess
def attempt(step, *arguments):
    try:
        step(*arguments)
    except OSError as error:
        print(step.__name__, error.strerror)
shutil.copy("/bin/true", "copied")
os.chmod("copied", 0o755)
for mode in (0o4755, 0o2755, 0o6755):
    for name in ("copied", "opened", "made"):
        attempt(os.chmod, name, mode)
    attempt(os.open, "opened%o" % mode, os.O_CREAT | os.O_RDWR, mode)
    attempt(os.mknod, "made%o" % mode, stat.S_IFREG | mode)
with open("written", "w") as file:
    attempt(os.fchmod, file.fileno(), 0o4711)
os.link("copied", "linked")
attempt(os.chmod, "linked", 0o4755)
os.rename("copied", "renamed")
attempt(os.chmod, "renamed", 0o6711)
for kind in (stat.S_IFCHR, stat.S_IFBLK):
    attempt(os.mknod, "device%o" % kind, kind | 0o666, os.makedev(1, 3))
capability = b"\\x01\\x00\\x00\\x02" + b"\\xff\\x00\\x00\\x00" + bytes(12)
attempt(os.setxattr, "renamed", "security.capability", capability)
# What is harmless goes on.
os.chmod("written", 0o751)
os.mkdir("directory", 0o750)
os.mkdir("group/inside")
os.mkdir("group/more", 0o2755)
os.chmod("group/more", 0o2755)
with open("directory/file", "w") as file:
    file.write("text")
os.rename("directory/file", "group/file")
open("host", "r+b").write(b"changed")
"""


def forbid_landlock():
    """In a child: as on a kernel without it."""
    load, jump, answer = 0x20, 0x15, 0x06
    program = b"".join(struct.pack("HBBI", *row) for row in (
        (load, 0, 0, 0), (jump, 0, 1, 444),  # landlock_create_ruleset(2)
        (answer, 0, 0, 0x00050000 | errno.ENOSYS), (answer, 0, 0, 0x7fff0000)))
    buffer = ctypes.create_string_buffer(program)
    libc = ctypes.CDLL(None, use_errno=True)
    address = struct.pack("HxxxxxxQ", 4, ctypes.addressof(buffer))
    no_new_privileges, set_filter, mode = 38, 22, 2
    if libc.prctl(no_new_privileges, 1, 0, 0, 0) or libc.prctl(set_filter, mode, address):
        raise OSError(ctypes.get_errno(), "seccomp")


class BoundaryTest(CallerCase):
    @contextlib.contextmanager
    def directory_in(self, parent):
        """A new one of the caller's."""
        path = Path(tempfile.mkdtemp(prefix="vmtest-", dir=parent))
        os.chown(path, self.uid, -1)
        try:
            yield path
        finally:
            shutil.rmtree(path)

    def system_directory(self):
        """One that hides from guests, and that we can write to."""
        return self.directory_in("/run" if os.geteuid() == 0 else "/dev/shm")

    def read(self, paths, *options, **given):
        """What a guest could read, and what it could not."""
        run = ("-k", support.kernel(), "-q", *options, "--", "sh", "-c", READ)
        got = support.run("vmtest-vm run", *run, input="".join(f"{p}\n" for p in paths),
                          **self.as_caller(given))
        self.assert_status(got, 0)
        return got.stdout.splitlines()

    @unittest.skipUnless(has_landlock(), "the kernel has no Landlock")
    @each_caller
    def test_the_host_s_system_is_closed(self):
        neighbour = self.popen(shutil.which("sleep"), "1000", env={"SECRET": "1"}, **self.ids)
        with self.system_directory() as run, self.directory_in("/dev/shm") as shared:
            (run / "secret").write_text("x")
            (shared / "secret").write_text("x")
            closed = [
                *(f"/proc/{neighbour.pid}/{name}" for name in (
                    "environ", "maps", "cmdline", "status", "stat")),
                *("/proc/version", "/proc/net/tcp", "/proc/self/maps", "/proc/kallsyms"),
                *("/sys/devices/system/cpu/online", "/sys/kernel/uevent_seqnum"),
                *(run / "secret", shared / "secret"),
            ]
            closed = [path for path in closed if os.path.exists(path)]
            lines = self.read([*closed, "/etc/os-release"])
        self.assertEqual(lines, [*(f"denied {path}" for path in closed), "read /etc/os-release"])

    @each_caller
    def test_what_is_asked_for_below_them_is_there(self):
        with self.system_directory() as run, self.directory_in("/dev/shm") as shared:
            (run / "out").mkdir()
            os.chown(run / "out", self.uid, -1)
            for name in ("file", "out/file"):
                (run / name).write_text("text")
            (shared / "secret").write_text("x")
            script = "cat file out/file && echo new >out/new && cd out && mkdir a && mv new a"
            given = self.as_caller({"cwd": run})
            given["env"]["TMPDIR"] = str(shared)
            for server in ("none", None):
                if server:
                    given["env"]["VMTEST_VIRTIOFSD"] = server
                else:
                    given["env"].pop("VMTEST_VIRTIOFSD")
                got = support.run_guest("sh", "-euc", script, **given, options=[
                    "-q", "--rw", "out", "--disk", "1M"])
                self.assertEqual((got.returncode, got.stdout), (0, "texttext"), got.stderr)
                self.assertEqual((run / "out/a/new").read_text(), "new\n")
                shutil.rmtree(run / "out/a")
            if has_landlock():
                lines = self.read([shared / "secret", run / "file"], cwd=shared.parent)
                self.assertEqual(lines[1], f"denied {run / 'file'}")

    @unittest.skipUnless(has_landlock(), "the kernel has no Landlock")
    @each_caller
    def test_what_is_hidden_is_closed(self):
        for name in ("secret/deep/file", "beside/file", "secret/work/file"):
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("x")
        paths = [self.folder / name for name in ("secret/deep/file", "beside/file")]
        outcomes = [f"denied {paths[0]}", f"read {paths[1]}"]
        self.assertEqual(self.read(paths, "--hide", "secret"), outcomes)
        (self.folder / "vmtest.json").write_text(
            '{"hide": ["secret"], "command": ["sh", "-c", "! cat secret/deep/file"]}')
        got = self.call("vmtest-vm test -q -k", support.kernel())
        self.assert_status(got, 0)
        # Where the command runs is seen.
        got = support.run_guest("cat", "file", options=["-q", "--hide", ".."], **self.as_caller(
            {"cwd": self.folder / "secret/work"}))
        self.assertEqual(got.stdout, "x", got.stderr)

    @each_caller
    def test_without_landlock_one_line_says_so(self):
        given = self.as_caller({"preexec_fn": forbid_landlock})
        got = support.run_guest("echo", "up", **given)
        self.assertEqual((got.returncode, got.stdout), (0, "up\n"), got.stderr)
        self.assertEqual(got.stderr.count("warning"), 1, got.stderr)
        self.assertIn("the guest can read the host's /proc, /sys, /dev and /run", got.stderr)
        # What was asked for is not given up.
        (self.folder / "secret").mkdir()
        got = support.run_guest("true", options=["--hide", "secret"], **given)
        self.assert_one_line(got, 125, "--hide: the kernel has no Landlock")

    def test_what_cannot_be_hidden_is_an_error(self):
        self.become({})
        for options in (["--hide", "."], ["--rw", ".", "--hide", "."], ["--hide", "/"],
                        ["--hide", support.kernel()]):
            got = self.guest("true", options=["-q", *options])
            self.assert_one_line(got, 2)
            self.assertIn("--hide", got.stderr)
        self.assert_one_line(self.guest("true", options=["--hide", "/no/such"]), 125)

    def raise_rights(self, server):
        given = self.as_caller({})
        if server:
            given["env"]["VMTEST_VIRTIOFSD"] = server
        (self.folder / "host").write_text("host's file")
        (self.folder / "group").mkdir()
        for name, mode in (("host", 0o6777), ("group", 0o2777)):
            os.chown(self.folder / name, self.uid, -1)
            os.chmod(self.folder / name, mode)
        got = support.run_guest(PYTHON, "-c", RAISE, options=["-q", "--rw", "."], **given)
        self.assertEqual((got.returncode, got.stderr), (0, ""), got.stdout)
        self.assertIn("chmod Operation not permitted", got.stdout)
        for path in self.folder.rglob("*"):
            mode = path.lstat().st_mode
            self.assertTrue(stat.S_ISREG(mode) or stat.S_ISDIR(mode), path)
            if not stat.S_ISDIR(mode):
                self.assertFalse(mode & 0o6000, f"{path}: {mode:o}")
                self.assertNotIn("security.capability", os.listxattr(path))
        self.assertEqual((self.folder / "host").read_text(), "changedfile")
        self.assertEqual((self.folder / "written").stat().st_mode & 0o777, 0o751)
        self.assertEqual((self.folder / "group/file").read_text(), "text")

    @each_caller
    def test_no_file_of_a_guest_raises_anybody_s_rights(self):
        for server in ("none", None):
            with self.subTest(server=server):
                self.become(self.ids)
                self.raise_rights(server)

    @each_caller
    def test_qemu_can_do_no_more_than_it_needs(self):
        guest = self.popen("vmtest-vm run -q -k", support.kernel(), "--", "sh", "-c",
                           "echo up; read x", stdin=subprocess.PIPE, **self.as_caller({}))
        guest.stdout.readline()
        (pid,) = [p for p in support.descendants(guest.pid) if "qemu" in support.program_of(p)]
        status = dict(line.split(":\t", 1)
                      for line in Path(f"/proc/{pid}/status").read_text().splitlines())
        names = {line.split("=")[0] for line in
                 Path(f"/proc/{pid}/environ").read_text().split("\0") if line}
        guest.communicate("\n", timeout=60)
        self.assertEqual(status["Seccomp"], "2")
        # Root's: owners and modes of files are no matter.
        self.assertEqual(int(status["CapEff"], 16), 0b1111 if self.uid == 0 else 0)
        self.assertLessEqual(names, {"PATH", "HOME", "LD_LIBRARY_PATH", "QEMU_MODULE_DIR",
                                     "TMPDIR"})
