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
        for options in ([], ["--rw", "."]):
            shown = self.run_guest("git log --format=%s; git status --short", *options)
            self.assertEqual(shown, "first\n")

    @each_caller
    def test_root_is_root(self):
        shown = self.run_guest("""
            su nobody -s /bin/sh -c 'id -u'
            useradd --create-home made; id -un made; su made -c 'touch ~/x; ls ~'
            passwd -S root | cut -d ' ' -f 1
            echo made:secret | chpasswd; groupadd some; gpasswd -a made some >/dev/null
            id -Gn made
        """)
        self.assertEqual(shown, f"{ORDINARY.pw_uid}\nmade\nx\nroot\nmade some\n")

    @each_caller
    def test_sudo_asks_nobody(self):
        self.need("sudo")
        for options in ([], ["--user", "nobody"]):
            got = self.guest("sudo", "-n", "sh", "-c", "id -u; sudo -n -u nobody id -u",
                             options=["-q", *options])
            self.assertEqual((got.stdout, got.stderr, got.returncode),
                             (f"0\n{ORDINARY.pw_uid}\n", "", 0))

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

    def test_a_user_s_terminal(self):
        terminal = support.Terminal(
            [VM, "run", "-q", "-k", support.kernel(), "--user", "nobody", "--", "sh", "-c",
             'id -un; echo wri""ten >$(tty)'], "/")
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
            for name, value in wanted.items():
                resource.setrlimit(getattr(resource, f"RLIMIT_{name}"), value)

        script = f"import resource; print([resource.getrlimit(n) for n in {numbers}])"
        got = [eval(self.call(*command, PYTHON, "-c", script, preexec_fn=limit).stdout)
               for command in ([shutil.which("env")],
                               ["vmtest-vm run -q -k", support.kernel(), "--"])]
        for name, here, there in zip(names, *got):
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
        got = self.guest("true", options=["--hostname", "a b"])
        self.assertEqual(got.returncode, 2)

    @each_caller
    def test_run(self):
        self.run_guest("""
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
        self.run_guest("""
            truncate -s 32M /tmp/i; mkfs.ext4 -q /tmp/i; mount -o loop /tmp/i /mnt
            touch /mnt/x; umount /mnt
        """, *allowed)
        if has("FUSE_FS"):
            self.run_guest("exec 3<>/dev/fuse; [ $(stat -c %a /dev/fuse) = 666 ]")
        if has("TUN"):
            self.run_guest("exec 3<>/dev/net/tun")

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
        self.run_guest(f"for i in {' '.join(wanted)}; do mountpoint -q $i || "
                       "{ echo $i; exit 1; }; done")

    @each_caller
    def test_control_groups(self):
        wanted = [name for option, name in (
            ("MEMCG", "memory"), ("CGROUP_PIDS", "pids"), ("CPUSETS", "cpuset"),
            ("BLK_CGROUP", "io"), ("CGROUP_SCHED", "cpu")) if has(option)]
        shown = self.run_guest("""
            mkdir /sys/fs/cgroup/t; cat /sys/fs/cgroup/t/cgroup.controllers
            [ ! -e /sys/fs/cgroup/t/memory.max ] || echo 64M >/sys/fs/cgroup/t/memory.max
        """)
        self.assertLessEqual(set(wanted), set(shown.split()))

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
