# SPDX-License-Identifier: LGPL-2.1-or-later

"""What a guest has of a booted system: its users, names, devices and limits.

Each test runs as the user that it is run by and, if that is root, as an ordinary
user too.
"""

import os
import pwd
import resource
import shutil
import tempfile

import support
from caller import ORDINARY, PYTHON, CallerCase, each_caller
from support import has

VM = support.BIN / "vmtest-vm"

# Of the kernel's objects, what an argument names is used; each for its own sake.
OBJECTS = """
import ctypes, mmap, os, sys
from multiprocessing import Semaphore, shared_memory

libc = ctypes.CDLL(None, use_errno=True)
memory = shared_memory.SharedMemory(create=True, size=100)
Semaphore(1)
memory.close()
memory.unlink()
if "CROSS_MEMORY_ATTACH" in sys.argv:
    there, here = ctypes.create_string_buffer(b"text"), ctypes.create_string_buffer(5)
    ends = [(ctypes.c_size_t * 2)(ctypes.addressof(x), 5) for x in (here, there)]
    assert libc.process_vm_readv(os.getpid(), ends[0], 1, ends[1], 1, 0) == 5
    assert here.value == b"text"
if "HUGETLBFS" in sys.argv:
    with open("/proc/sys/vm/nr_hugepages", "w") as file:
        file.write("4")
    fd = os.open("/dev/hugepages/x", os.O_RDWR | os.O_CREAT)
    os.ftruncate(fd, 4 << 20)
    mmap.mmap(fd, 4 << 20)[0] = 1
    MAP_HUGETLB = 0x40000
    mmap.mmap(-1, 4 << 20, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | MAP_HUGETLB)[0] = 1
if "POSIX_MQUEUE" in sys.argv:
    assert ctypes.CDLL("librt.so.1").mq_open(b"/x", os.O_CREAT | os.O_RDWR, 0o600, None) >= 0
    assert os.listdir("/dev/mqueue") == ["x"]
if "BINFMT_MISC" in sys.argv:
    with open("/proc/sys/fs/binfmt_misc/register", "w") as file:
        file.write(":x:E::vmtest::/bin/true:")
    with open("/tmp/x.vmtest", "w") as file:
        os.chmod(file.fileno(), 0o755)
    assert os.spawnl(os.P_WAIT, "/tmp/x.vmtest", "x") == 0
if "FUSE_FS" in sys.argv:
    fd = os.open("/dev/fuse", os.O_RDWR)
    options = f"fd={fd},rootmode=40000,user_id=0,group_id=0".encode()
    assert libc.mount(b"x", b"/mnt", b"fuse", 0, options) == 0, ctypes.get_errno()
    # What the kernel asks for first.
    assert len(os.read(fd, 1 << 16)) > 40
"""

# An MBR with one Linux partition, from 1 MiB on, of 32 MiB.
PARTITIONS = r"""
printf '\0\0\0\0\203\0\0\0\0\010\0\0\0\0\001\0' |
    dd of=/tmp/p bs=1 seek=446 conv=notrunc status=none
printf '\125\252' | dd of=/tmp/p bs=1 seek=510 conv=notrunc status=none
truncate -s 34M /tmp/p
"""


class GuestTest(CallerCase):
    def need(self, *programs):
        for program in programs:
            if not shutil.which(program, path=os.environ["PATH"] + ":/usr/sbin:/sbin"):
                self.skipTest(f"there is no {program}")

    @each_caller
    def test_tools_trust_the_caller_s_trees(self):
        self.need("git")
        for words in (["init", "-q"],
                      ["-c", "user.name=a", "-c", "user.email=a@b", "commit", "-q",
                       "--allow-empty", "-m", "first"]):
            got = self.call(shutil.which("git"), *words)
            self.assertEqual(got.returncode, 0, got.stderr)
        for words in (["worktree", "add", "-q", "other"],
                      ["-c", "protocol.file.allow=always", "submodule", "--quiet", "add",
                       f"{self.folder}/.git", "sub"]):
            got = self.call(shutil.which("git"), *words)
            self.assertEqual(got.returncode, 0, got.stderr)
        for options in ([], ["--rw", "."]):
            shown = self.run_guest("""
                git log --format=%s; git status --short --ignore-submodules=none
                for i in other sub; do git -C $i log --format=%s; done
            """, *options)
            self.assertEqual(shown, "first\nA  .gitmodules\nA  sub\n?? other/\nfirst\nfirst\n")

    @each_caller
    def test_directories_of_the_host_are_renamed(self):
        if support.kernel_version() < (4, 10):
            self.skipTest("overlayfs cannot, before 4.10")
        os.makedirs(f"{self.folder}/one/sub")
        shown = self.run_guest(f"""
            {PYTHON} -c 'import os; os.rename("one", "two")'; mkdir one; ls one two
        """)
        self.assertEqual(shown, "one:\n\ntwo:\nsub\n")

    @each_caller
    def test_root_is_root(self):
        shown = self.run_guest("""
            su nobody -s /bin/sh -c 'id -u'
            useradd --create-home made; id -un made; su made -c 'touch ~/x; ls ~'
            passwd -S root | cut -d ' ' -f 1
            echo made:secret | chpasswd; groupadd some; gpasswd -a made some >/dev/null
            id -Gn made
            su - made -c pwd; chage -M 30 made; getent shadow made | cut -d : -f 1,5
            userdel -r made 2>/dev/null; ! id made 2>/dev/null
        """)
        self.assertEqual(shown, f"{ORDINARY.pw_uid}\nmade\nx\nroot\nmade some\n"
                         "/home/made\nmade:30\n")

    @each_caller
    def test_sudo_asks_nobody(self):
        self.need("sudo")
        for options in ([], ["--user", "nobody"]):
            got = self.guest("sudo", "-n", "sh", "-c", "id -u; sudo -n -u nobody id -u",
                             options=["-q", *options])
            self.assertEqual((got.stdout, got.stderr, got.returncode),
                             (f"0\n{ORDINARY.pw_uid}\n", "", 0))
        self.run_guest("visudo -c; sudo -l; sudo -i pwd")

    @each_caller
    def test_root_has_what_only_root_may_enter(self):
        self.run_guest("""
            touch /root/x; ls -a /root >/dev/null
            [ ! -d /var/lib/private ] || touch /var/lib/private/x
            [ ! -d /var/cache/ldconfig ] || touch /var/cache/ldconfig/x
            [ "$(stat -c '%u %a' /root)" = '0 700' ]
        """)
        # What the caller cannot read stays closed.
        if self.uid != 0:
            secret = tempfile.NamedTemporaryFile(dir="/etc" if os.geteuid() == 0 else None)
            self.addCleanup(secret.close)
            os.chmod(secret.name, 0 if os.geteuid() else 0o600)
            self.run_guest(f"test -e {secret.name}; ! cat {secret.name} 2>/dev/null")

    @each_caller
    def test_environment_of_a_login(self):
        shown = self.run_guest('echo "$USER $LOGNAME $SHELL $HOME $XDG_RUNTIME_DIR"')
        shell = pwd.getpwuid(0).pw_shell
        self.assertEqual(shown, f"root root {shell} {self.folder} /run/user/0\n")
        # Like its own as everybody's.
        shown = self.run_guest('echo "$USER $HOME"', "--user", "root")
        self.assertEqual(shown, "root /root\n")
        shown = self.run_guest('echo "$USER"', "--env", "USER=me")
        self.assertEqual(shown, "me\n")
        got = self.call(shutil.which("env"), "TZ=XYZ-9", "LC_TIME=C.UTF-8", VM, "run", "-q", "-k",
                        support.kernel(), "--", "sh", "-c", 'date +%Z; echo "$LC_TIME"')
        self.assertEqual(got.stdout, "XYZ\nC.UTF-8\n")

    @each_caller
    def test_another_user(self):
        nobody = ORDINARY
        script = """
            echo "$USER $LOGNAME $HOME $XDG_RUNTIME_DIR"; id -u; id -g; id -G
            touch "$XDG_RUNTIME_DIR/x" "$TMPDIR/x" /tmp/x
            stat -c '%u %a' "$XDG_RUNTIME_DIR"
            echo out >/dev/stdout; echo error >/dev/stderr
            ! touch /x 2>/dev/null
        """
        got = self.run_guest(script, "--user", "nobody")
        runtime = f"/run/user/{nobody.pw_uid}"
        ids = f"{nobody.pw_uid}\n{nobody.pw_gid}\n"
        self.assertEqual(got, f"nobody nobody {nobody.pw_dir} {runtime}\n{ids}"
                         f"{nobody.pw_gid}\n{nobody.pw_uid} 700\nout\n")
        # By numbers, of whom nobody knows.
        got = self.run_guest("id -u; id -G; touch /tmp/x; echo $HOME", "--user", "12345:54321")
        self.assertEqual(got, "12345\n54321\n/\n")
        got = self.guest("true", options=["--user", "no-such"])
        self.assertEqual(got.returncode, 2)
        self.assertIn("no user no-such", got.stderr)

    @each_caller
    def test_the_caller_himself(self):
        """With --rw, he owns what is his."""
        self.run_guest("echo new >file; mkdir d; touch d/x; id -u >id",
                       "--rw", ".", "--user", f"{self.uid}:{self.uid}")
        with open(f"{self.folder}/id", encoding="utf-8") as file:
            self.assertEqual(file.read(), f"{self.uid}\n")
        self.assertEqual(os.stat(f"{self.folder}/d/x").st_uid, self.uid)

    @each_caller
    def test_a_user_s_terminal(self):
        become = ["setpriv", f"--reuid={ORDINARY.pw_uid}", f"--regid={ORDINARY.pw_gid}",
                  "--clear-groups"] if self.ids else []
        terminal = support.Terminal(
            [*become, VM, "run", "-q", "-k", support.kernel(), "--user", "nobody", "--", "sh", "-c",
             'id -un; echo wri""ten >$(tty)'], "/", HOME=self.folder)
        self.addCleanup(terminal.close)
        self.assertEqual(terminal.wait(), 0, terminal.text)
        self.assertIn("nobody", terminal.text)
        self.assertIn("writen", terminal.text)

    @each_caller
    def test_limits(self):
        names = ("CORE", "NOFILE", "MEMLOCK", "MSGQUEUE", "NICE", "RTPRIO", "STACK", "NPROC",
                 "FSIZE", "RTTIME")
        numbers = [getattr(resource, f"RLIMIT_{name}") for name in names]
        wanted = {"CORE": (4096, 1 << 20), "NOFILE": (321, 4321), "MSGQUEUE": (1000, 2000),
                  "STACK": (4 << 20, 16 << 20), "NPROC": (1000, 2000), "MEMLOCK": (4096, 8192)}

        def limit():
            os.umask(0o027)
            for name, value in wanted.items():
                resource.setrlimit(getattr(resource, f"RLIMIT_{name}"), value)

        script = ("import os, resource; "
                  f"print([resource.getrlimit(n) for n in {numbers}] + [os.umask(0)])")
        got = [eval(self.call(*command, PYTHON, "-c", script, preexec_fn=limit).stdout)
               for command in ([shutil.which("env")],
                               ["vmtest-vm run -q -k", support.kernel(), "--"])]
        for name, here, there in zip((*names, "umask"), *got):
            self.assertEqual(here, there, name)

    @each_caller
    def test_its_own_name(self):
        python = "import socket; print(socket.gethostbyname(socket.gethostname()))"
        for options, name, short in (([], "vmtest", "vmtest"),
                                     (["--hostname", "a.example.org"], "a.example.org", "a")):
            shown = self.run_guest(f"hostname -f; hostname -s; cat /etc/hostname; uname -n; "
                                   f"{PYTHON} -c '{python}'", *options)
            *names, address = shown.split()
            self.assertEqual(names, [name, short, name, name])
            self.assertRegex(address, r"^127\.")
        # All may ask who is there, as they may where ping(8) has a capability.
        self.run_guest(f"""{PYTHON} -c '
import socket
for family, number, request in ((socket.AF_INET, 1, 8), (socket.AF_INET6, 58, 128)):
    there = socket.getaddrinfo("localhost" if number == 1 else "::1", 0, family)[0][4]
    with socket.socket(family, socket.SOCK_DGRAM, number) as echo:
        echo.sendto(bytes([request, 0, 0, 0, 0, 0, 0, 1]), there)
        echo.settimeout(60)
        assert echo.recv(100)[6:8] == bytes([0, 1])
'""", "--user", "nobody")
        got = self.guest("true", options=["--hostname", "a b"])
        self.assertEqual(got.returncode, 2)

    @each_caller
    def test_run(self):
        # What services have there is theirs.
        owners = "".join(
            f'[ "$(stat -c %u /run/{entry.name})" = {entry.stat().st_uid} ]; '
            for entry in os.scandir("/run")
            if entry.is_dir(follow_symlinks=False) and entry.name.isalnum())
        self.run_guest(owners + """
            flock /var/lock/x true; test -d /run/lock; mountpoint -q /run/user/0
            test -f /run/utmp; who
            [ "$(stat -c %a /run/lock)" = 1777 ]; [ "$(readlink /run/shm)" = /dev/shm ]
        """)

    @each_caller
    def test_devices_load_their_modules(self):
        if not has("BLK_DEV_LOOP") or not has("EXT4_FS"):
            self.skipTest("the kernel has no loop devices or no ext4")
        # Else mount(8), which holds it open, is refused.
        allowed = [] if has("BLK_DEV_WRITE_MOUNTED") else [
            "--append", "bdev_allow_write_mounted=1"]
        kinds = {"ext2": "EXT4_USE_FOR_EXT2", "ext4": "EXT4_FS", "xfs": "XFS_FS",
                 "btrfs": "BTRFS_FS", "vfat": "VFAT_FS"}
        kinds = [kind for kind, option in kinds.items()
                 if has(option) and shutil.which(f"mkfs.{kind}", path="/usr/sbin:/sbin")]
        self.run_guest(f"""
            for i in {' '.join(kinds)}; do
                rm -f /tmp/i; truncate -s 400M /tmp/i
                mkfs.$i /tmp/i >/dev/null 2>&1; mount -o loop /tmp/i /mnt
                touch /mnt/x; [ "$(findmnt -no FSTYPE /mnt)" = $i ]; umount /mnt
            done
            {PARTITIONS}
            disk=$(losetup -fP --show /tmp/p); mkfs.ext4 -q "$disk"p1; mount "$disk"p1 /mnt
            touch /mnt/x; umount /mnt; losetup -d $disk
        """, *allowed)
        opened = [path for option, path in (
            ("FUSE_FS", "/dev/fuse"), ("TUN", "/dev/net/tun"), ("BTRFS_FS", "/dev/btrfs-control"))
            if has(option)]
        self.run_guest(f"for i in {' '.join(opened)}; do exec 3<>$i; done")
        shared = [path for path in opened if path in ("/dev/fuse", "/dev/net/tun")]
        self.run_guest(f"for i in {' '.join(shared)}; do exec 3<>$i; done", "--user", "nobody")

    @each_caller
    def test_file_systems_that_systemd_mounts(self):
        wanted = [path for option, path in (
            ("HUGETLBFS", "/dev/hugepages"), ("POSIX_MQUEUE", "/dev/mqueue"),
            ("DEBUG_FS", "/sys/kernel/debug"), ("TRACING", "/sys/kernel/tracing"),
            ("SECURITYFS", "/sys/kernel/security"), ("CONFIGFS_FS", "/sys/kernel/config"),
            ("BPF_SYSCALL", "/sys/fs/bpf"), ("FUSE_FS", "/sys/fs/fuse/connections"),
        ) if has(option) == "y"]
        if has("BINFMT_MISC"):
            wanted.append("/proc/sys/fs/binfmt_misc")
        # From 6.19 on that of security modules is not there without any.
        if has("SECURITYFS") and not has("SECURITY"):
            self.run_guest("! [ -e /sys/kernel/security ] || mountpoint -q /sys/kernel/security")
            wanted.remove("/sys/kernel/security")
        used = [o for o in ("CROSS_MEMORY_ATTACH", "HUGETLBFS", "POSIX_MQUEUE", "BINFMT_MISC",
                            "FUSE_FS") if has(o)]
        self.run_guest(f"""
            for i in {' '.join(wanted)}; do mountpoint -q $i || {{ echo $i; exit 1; }}; done
            [ '{has("IKCONFIG")}' != y ] || zgrep -q ^CONFIG_IKCONFIG=y /proc/config.gz
            {PYTHON} -c '{OBJECTS}' {' '.join(used)}
        """)

    @each_caller
    def test_control_groups(self):
        # Each since it is of version 2.
        wanted = [(name, since) for option, name, since in (
            ("MEMCG", "memory", (4, 5)), ("CGROUP_PIDS", "pids", (4, 5)),
            ("BLK_CGROUP", "io", (4, 5)), ("CGROUP_SCHED", "cpu", (4, 15)),
            ("CPUSETS", "cpuset", (5, 0))) if has(option)]
        shown = self.run_guest("""
            mkdir /sys/fs/cgroup/t; cd /sys/fs/cgroup/t; cat cgroup.controllers
            [ ! -e cpu.max ] || echo '50000 100000' >cpu.max
            [ ! -e cpuset.cpus ] || echo 0 >cpuset.cpus
            if [ -e pids.max ]; then
                echo 1 >pids.max
                ! sh -c 'echo $$ >cgroup.procs; /bin/true; :' 2>/dev/null
                echo max >pids.max
            fi
            if [ -e memory.max ]; then
                echo 32M >memory.max
                ! sh -c 'echo $$ >cgroup.procs; head -c 100M /dev/zero | tail >/dev/null'
                grep -q 'oom_kill [1-9]' memory.events || ! grep oom_kill memory.events
            fi
        """)
        self.assertLessEqual(
            {name for name, since in wanted if support.kernel_version() >= since},
            set(shown.splitlines()[0].split()))

    @each_caller
    def test_a_guest_is_no_container(self):
        self.run_guest("[ ! -e /.dockerenv ]; touch /.dockerenv")

    @each_caller
    def test_rules_of_routes(self):
        if not has("IP_MULTIPLE_TABLES"):
            self.skipTest("the kernel has one table of routes")
        self.need("ip")
        self.run_guest("""
            for i in -4 -6; do
                ip $i rule add dsfield 0x10 table 100; ip $i rule | grep -q 'lookup 100'
            done
        """)

    @each_caller
    def test_attributes(self):
        if not has("TMPFS_POSIX_ACL"):
            self.skipTest("the kernel has no ACLs on tmpfs")
        self.need("setfacl")
        for folder in ("/tmp", "/dev/shm", "$TMPDIR"):
            shown = self.run_guest(f"touch {folder}/x; setfacl -m u:nobody:r {folder}/x; "
                                   f"getfacl -p {folder}/x")
            self.assertIn("user:nobody:r--", shown)
        # Linux kernel commit 2daf18a7884d ("tmpfs,xattr: enable limited user extended
        # attributes") (in v6.6).
        if support.kernel_version() >= (6, 6):
            self.run_guest(f"""{PYTHON} -c '
import os
for path in ("/tmp/x", os.environ["TMPDIR"], "/dev/shm", "/etc/passwd", "/root"):
    os.path.exists(path) or open(path, "w").close()
    os.setxattr(path, "user.x", b"y")
    assert os.getxattr(path, "user.x") == b"y"
'""")

    @each_caller
    def test_random_numbers_are_there(self):
        # Linux kernel commit b9b01a5625b5 ("random: use random.trust_{bootloader,cpu} command
        # line option only") (in v6.2).
        if support.kernel_version() < (6, 2) and not has("RANDOM_TRUST_CPU"):
            self.skipTest("the kernel has no RANDOM_TRUST_CPU, as before 4.19")
        self.run_guest(f"{PYTHON} -c 'import os; os.getrandom(256, os.GRND_NONBLOCK)'")

    @each_caller
    def test_no_input(self):
        script = (f"printf 'a\\nb\\n' | while read x; do {VM} run -n -q -k {support.kernel()} -- "
                  "sh -c 'cat; echo $0' $x; done")
        self.assertEqual(self.call("/bin/sh", "-c", script).stdout, "a\nb\n")

    @each_caller
    def test_more_than_memory_holds(self):
        options = ["-q", "--memory", "512M"]
        fill = ["dd", "if=/dev/zero", "of=/big", "bs=1M", "count=700", "status=none"]
        got = self.guest(*fill, options=options)
        self.assertEqual(got.returncode, 1)
        self.assertIn("No space left on device", got.stderr)
        self.assertIn("use --overlay-size", got.stderr)
        got = self.guest(*fill, options=[*options, "--overlay-size", "1G"])
        self.assertEqual((got.stderr, got.returncode), ("", 0))

    @each_caller
    def test_what_a_guest_needs_is_not_covered(self):
        for path in ("/", "/usr", "/run", "/dev"):
            got = self.guest("true", options=["--rw", path])
            self.assertEqual(got.returncode, 2, got.stderr)
            self.assertEqual(len(got.stderr.splitlines()), 1, got.stderr)
            self.assertIn(f"--rw {path} would hide the guest's own ", got.stderr)
