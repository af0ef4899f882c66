# SPDX-License-Identifier: LGPL-2.1-or-later

"""Directories that a guest may change, by virtiofs and by 9p.

Each test runs as the user that it is run by and, if that is root, as an ordinary
user too.
"""

import os
import re
import signal
import subprocess
import time

import support
from caller import PYTHON, CallerCase, each_caller
from support import has

SERVERS = ("/usr/libexec/virtiofsd", "/usr/lib/virtiofsd", "/usr/lib/qemu/virtiofsd")

# What a file can, one by one; each says what it is about.
FILES = """
import ctypes, fcntl, mmap, os, select, socket, sqlite3, subprocess, tempfile

print("a temporary file")
with tempfile.TemporaryFile(dir=".") as file:
    file.truncate(1 << 16)
    file.seek(1 << 15)
    file.write(b"x")
    file.flush()
    assert os.fstat(file.fileno()).st_size == 1 << 16
    os.fchmod(file.fileno(), 0o600)

print("a database")
for mode in ("delete", "wal"):
    database = sqlite3.connect("database")
    database.execute(f"pragma journal_mode={mode}")
    database.execute("create table if not exists t(x)")
    with database:
        database.executemany("insert into t values (?)", ((i,) for i in range(1000)))
    database.close()
assert sqlite3.connect("database").execute("select count(*) from t").fetchone() == (2000,)

print("a shared mapping")
with open("mapped", "w+b") as file:
    file.truncate(8192)
    with mmap.mmap(file.fileno(), 8192) as memory:
        memory[4096:4099] = b"abc"
with open("mapped", "rb") as file:
    assert file.read()[4096:4099] == b"abc"

print("locks")
with open("lock", "w") as one, open("lock") as other:
    fcntl.flock(one, fcntl.LOCK_EX)
    try:
        fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
        raise SystemExit("locked twice")
    except BlockingIOError:
        pass
    fcntl.lockf(one, fcntl.LOCK_EX)
    child = os.fork()
    if not child:
        try:
            with open("lock", "w") as third:
                fcntl.lockf(third, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os._exit(77)
        os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 77

print("a change that is watched")
libc = ctypes.CDLL(None, use_errno=True)
watch = libc.inotify_init1(0)
assert libc.inotify_add_watch(watch, b".", 0x100) > 0
open("made", "w").close()
assert select.select([watch], [], [], 60)[0]

print("two names that change places")
for name in ("one", "two"):
    with open(name, "w") as file:
        file.write(name)
assert libc.renameat2(-100, b"one", -100, b"two", 2) == 0, ctypes.get_errno()
with open("one") as file:
    assert file.read() == "two"

print("holes")
with open("holes", "w+b") as file:
    os.posix_fallocate(file.fileno(), 0, 1 << 16)
    file.truncate(1 << 40)
    os.pwrite(file.fileno(), b"x", (1 << 40) - 1)
    assert os.stat("holes").st_blocks < 1 << 10

print("sockets and pipes")
with socket.socket(socket.AF_UNIX) as server, socket.socket(socket.AF_UNIX) as client:
    server.bind("socket")
    server.listen()
    client.connect("socket")
os.mkfifo("pipe")
with subprocess.Popen(["sh", "-c", "echo text >pipe"]), open("pipe") as file:
    assert file.read() == "text\\n"

print("a name that is another's now")
with open("name", "w+") as old:
    old.write("old")
    old.flush()
    with open("new", "w") as new:
        new.write("new")
    os.rename("new", "name")
    old.truncate(1)
    old.seek(0)
    assert old.read() == "o"
with open("name") as file:
    assert file.read() == "new"

print("attributes")
os.setxattr("name", "user.x", b"y")
os.utime("name", (1, 2))
os.chmod("name", 0o640)
assert os.getxattr("name", "user.x") == b"y" and os.stat("name").st_mtime == 2
os.symlink("/no/such", "link")
os.link("name", "second")
"""


class ShareTest(CallerCase):
    def need_virtiofs(self):
        if not has("VIRTIO_FS") or not any(map(os.path.exists, SERVERS)):
            self.skipTest("there is no virtiofsd, or the kernel has no virtiofs")

    def kind(self, *options, server=None):
        """What the guest has the directory as, and stderr."""
        given = self.as_caller({})
        if server:
            given["env"]["VMTEST_VIRTIOFSD"] = server
        got = support.run_guest("awk", '$1 == "rw0" { print $3 }', "/proc/mounts",
                                options=["--rw", ".", *options], **given)
        self.assert_status(got, 0)
        return got.stdout.strip(), got.stderr

    @each_caller
    def test_a_file_needs_no_name(self):
        self.need_virtiofs()
        got = self.guest(PYTHON, "-c", FILES, options=["-q", "--rw", "."])
        self.assertEqual((got.returncode, got.stderr), (0, ""), got.stdout)
        for name in ("mapped", "name", "database", "link", "pipe"):
            self.assertEqual(os.lstat(self.folder / name).st_uid, self.uid, name)
        self.assertEqual((self.folder / "name").read_text(), "new")

    @each_caller
    def test_files_are_the_caller_s_whoever_makes_them(self):
        self.need_virtiofs()
        os.chmod(self.folder, 0o777)
        shown = self.run_guest("""
            setpriv --reuid=4321 --regid=4321 --clear-groups sh -c 'echo x >other; mkdir d'
            stat -c %u .
        """, "--rw", ".")
        self.assertEqual(shown, f"{self.uid}\n")
        # Root is whoever he wants to be.
        wanted = 4321 if self.uid == 0 else self.uid
        self.assertEqual(os.stat(self.folder / "other").st_uid, wanted)
        self.assertEqual(os.stat(self.folder / "d").st_uid, wanted)

    def start_guest(self, script, **options):
        return self.popen("vmtest-vm", "run", "-q", "-k", support.kernel(), "--rw", ".", "--",
                          "sh", "-c", script, **self.as_caller(options))

    @each_caller
    def test_what_the_host_changes_is_seen(self):
        self.need_virtiofs()
        file, new = self.folder / "file", self.folder / "new"
        file.write_text("old\n")
        guest = self.start_guest("cat file; ls; read x; cat file; ls; read x; cat file",
                                 stdin=subprocess.PIPE)
        self.assertEqual(guest.stdout.readline() + guest.stdout.readline(), "old\nfile\n")
        # A second is what some servers let the guest remember.
        time.sleep(1.1)
        file.write_text("longer\n")
        new.touch()
        print(file=guest.stdin, flush=True)
        self.assertEqual("".join(guest.stdout.readline() for _ in range(3)),
                         "longer\nfile\nnew\n")
        time.sleep(1.1)
        new.write_text("another")
        new.rename(file)
        self.assertEqual(guest.communicate("\n", timeout=60)[0], "another")

    @each_caller
    def test_nothing_is_left_behind(self):
        self.need_virtiofs()
        for number in (signal.SIGKILL, signal.SIGTERM):
            guest = self.start_guest("echo up; sleep 1000")
            guest.stdout.readline()
            started = support.descendants(guest.pid)
            self.assertIn("virtiofsd", map(support.program_of, started))
            guest.send_signal(number)
            guest.wait(60)
            self.assert_all_gone(started)

    @each_caller
    def test_a_guest_without_its_server_is_lost(self):
        self.need_virtiofs()
        guest = self.start_guest("echo up; sleep 1000")
        guest.stdout.readline()
        for pid in support.descendants(guest.pid):
            if support.program_of(pid) == "virtiofsd":
                os.kill(pid, signal.SIGKILL)
        said = guest.communicate(timeout=60)[1]
        self.assertEqual(said.count("virtiofsd has ended"), 1, said[:1000])
        self.assertEqual(guest.returncode, 128)

    def test_without_a_server_9p_does(self):
        self.become({})
        self.assertEqual(self.kind("-q", server="/no/such"), ("9p", ""))
        kind, text = self.kind("-v", server="/bin/false")
        self.assertEqual(kind, "9p")
        if has("VIRTIO_FS"):
            self.assertIn("--rw uses 9p: /bin/false: it does not answer", text)

    @each_caller
    def test_a_server_opens_no_more_than_it_may(self):
        if not has("VIRTIO_FS"):
            self.skipTest("the kernel has no virtiofs")
        server, shared = self.folder / "server", self.folder / "shared"
        server.write_text('#!/bin/sh\necho "$*" >>shared/words\nexit 1\n')
        server.chmod(0o755)
        shared.mkdir()
        os.chown(shared, self.uid, -1)
        run = support.command_line("vmtest-vm run -q --rw shared -k", (support.kernel(), "--", "true"))
        given = self.as_caller({})
        given["env"]["VMTEST_VIRTIOFSD"] = str(server)
        for words in ((), ("unshare", "-r")):
            got = support.run("/usr/bin/prlimit", "--nofile=5000:5000", *words, *run, **given)
            if "unshare:" in got.stderr:
                self.skipTest("no user namespaces here")
            self.assertEqual((got.returncode, got.stderr), (0, ""))
        asked = re.findall(r"--rlimit-nofile=(\d+)", (shared / "words").read_text())
        # Where root can raise it, it does.
        self.assertIn(asked[0], ("5000", "1000000") if self.uid == 0 else ("5000",))
        self.assertEqual(asked[1:], ["5000"])

    def test_where_it_is_used(self):
        self.need_virtiofs()
        self.become({})
        for options in ([], ["--memory", "512M"], ["--machine", "q35"]):
            self.assertEqual(self.kind("-q", *options), ("virtiofs", ""), options)
        if has(support.NODES):
            self.assertEqual(self.kind("-q", "--numa", "2", "--cpus", "2"), ("virtiofs", ""))

    def test_what_is_mounted_inside_is_a_file_system_of_its_own(self):
        self.need_virtiofs()
        self.become({})
        for name in ("one", "two"):
            (self.folder / name).mkdir()
        mount = "for i in one two; do mount -t tmpfs $i $i && echo $i >$i/file || exit 77; done\n"
        inside = "stat -c %d-%i one/file two/file | uniq | wc -l; mv one/file two/moved; cat two/*"
        run = support.command_line("vmtest-vm run -q -k", (
            support.kernel(), "--rw", ".", "--", "sh", "-euc", inside))
        got = self.call("/usr/bin/unshare", "-m", "sh", "-c", mount + 'exec "$@"', "sh", *run)
        if got.returncode == 77 or "unshare" in got.stderr:
            self.skipTest("nothing can be mounted here")
        self.assertEqual((got.stdout, got.stderr), ("2\ntwo\none\n", ""))

    @each_caller
    def test_several_with_names_of_any_kind(self):
        self.need_virtiofs()
        names = ["a,b", "c d", "e'f", "g\\h"]
        for name in names:
            (self.folder / name).mkdir()
            os.chown(self.folder / name, self.uid, -1)
        options = [word for name in names for word in ("--rw", name)]
        self.run_guest("for i in */; do echo \"$i\" >\"$i/x\"; done", *options)
        for name in names:
            self.assertEqual((self.folder / name / "x").read_text(), f"{name}/\n")

    @each_caller
    def test_links_lead_nowhere_else(self):
        self.need_virtiofs()
        outside = self.folder / "outside"
        inside = self.folder / "inside"
        for folder in (outside, inside):
            folder.mkdir()
            os.chown(folder, self.uid, -1)
        (outside / "file").write_text("host's")
        os.chown(outside / "file", self.uid, -1)
        os.symlink("../outside/file", inside / "link")
        self.run_guest("echo guest >inside/link; ln -s / inside/root; echo x >inside/root/x; "
                       "cat outside/file", "--rw", "inside")
        self.assertEqual((outside / "file").read_text(), "host's")
        self.assertFalse(os.path.exists("/x"))
