# SPDX-License-Identifier: LGPL-2.1-or-later
"""
What tests of a debugger expect of any Linux: partitions, binfmt_misc, control
groups, temporary files that can be mapped.
"""

import fcntl
import mmap
import os
import stat
import struct
import subprocess
import tempfile
import unittest
import uuid
import zlib
from pathlib import Path

from drgn.helpers.linux.fs import fget
from drgn.helpers.linux.pid import find_task

import support
from support import config, has_member, prog

DISK = os.environ.get("DRGN_TEST_DISK", "")
SECTOR = 512
ENTRIES, ENTRY_SIZE = 128, 128
ENTRY_SECTORS = ENTRIES * ENTRY_SIZE // SECTOR
# _IO(0x12, 95), which powerpc numbers in its own way.
BLKRRPART = 0x2000125F if support.MACHINE.startswith("ppc") else 0x125F
CGROUP = Path("/sys/fs/cgroup")
BINFMT_MISC = Path("/proc/sys/fs/binfmt_misc")


def mbr(kind, start, size):
    """A partition table with one partition."""
    entry = struct.pack("<B3sB3sII", 0, b"\0\2\0", kind, b"\xff\xff\xff", start, size)
    return bytes(446) + entry + bytes(48) + b"\x55\xaa"


def gpt(sectors, start, size):
    """What is to be written, by sector: two copies of a table with one partition."""
    kind = uuid.UUID("0fc63daf-8483-4772-8e79-3d69d8477de4").bytes_le
    identity = uuid.UUID(int=1).bytes_le
    entries = struct.pack("<16s16sQQQ72s", kind, identity, start, start + size - 1, 0,
                          "vmtest".encode("utf-16-le")).ljust(ENTRIES * ENTRY_SIZE, b"\0")

    def header(here, other, where):
        def pack(checksum):
            return struct.pack(
                "<8sIIIIQQQQ16sQIII", b"EFI PART", 0x10000, 92, checksum, 0, here, other,
                2 + ENTRY_SECTORS, sectors - ENTRY_SECTORS - 2, identity, where, ENTRIES,
                ENTRY_SIZE, zlib.crc32(entries))
        return pack(zlib.crc32(pack(0))).ljust(SECTOR, b"\0")

    last = sectors - 1
    return {
        0: mbr(0xEE, 1, last) + header(1, last, 2) + entries,
        last - ENTRY_SECTORS: entries + header(last, 1, last - ENTRY_SECTORS),
    }


@unittest.skipUnless(DISK, "DRGN_TEST_DISK names no disk")
class PartitionTest(support.TestCase):
    START, SIZE = 2048, 4096

    def setUp(self):
        self.descriptor = os.open(DISK, os.O_RDWR | os.O_SYNC)
        self.addCleanup(os.close, self.descriptor)
        self.sectors = os.lseek(self.descriptor, 0, os.SEEK_END) // SECTOR
        self.addCleanup(self.write, {
            sector: bytes(SECTOR * (ENTRY_SECTORS + 2))
            for sector in (0, self.sectors - ENTRY_SECTORS - 2)})

    def write(self, table):
        for sector, data in table.items():
            os.pwrite(self.descriptor, data, sector * SECTOR)
        fcntl.ioctl(self.descriptor, BLKRRPART)

    def assert_has_partition(self, table):
        name = os.path.basename(DISK)
        self.write(table)
        found = {path.name: [int((path / file).read_text()) for file in ("start", "size")]
                 for path in Path("/sys/block", name).glob(name + "*")}
        self.assertEqual(found, {name + "1": [self.START, self.SIZE]})
        self.assertTrue(stat.S_ISBLK(os.stat(DISK + "1").st_mode))

    def test_mbr(self):
        self.assert_has_partition({0: mbr(0x83, self.START, self.SIZE)})

    def test_gpt(self):
        self.assert_has_partition(gpt(self.sectors, self.START, self.SIZE))


class BinfmtMiscTest(support.TestCase):
    def setUp(self):
        if not config("BINFMT_MISC"):
            self.skipTest("the kernel is without binfmt_misc")

    def test_is_mounted(self):
        self.assertTrue(os.path.ismount(BINFMT_MISC))
        self.assertEqual((BINFMT_MISC / "status").read_text(), "enabled\n")

    def test_what_is_registered_runs(self):
        magic = b"vmtest's own format\n"
        (BINFMT_MISC / "register").write_bytes(
            b":vmtest-test:M::" + magic.strip() + b"::/bin/cat:")
        self.addCleanup((BINFMT_MISC / "vmtest-test").write_text, "-1")
        with tempfile.TemporaryDirectory() as folder:
            program = Path(folder, "program")
            program.write_bytes(magic)
            program.chmod(0o755)
            self.assertEqual(subprocess.check_output([program]), magic)


class CgroupTest(support.TestCase):
    def setUp(self):
        if not config("CGROUPS"):
            self.skipTest("the kernel is without control groups")

    def test_controllers_are_handed_on(self):
        controllers = (CGROUP / "cgroup.controllers").read_text().split()
        for name, option in (("memory", "MEMCG"), ("pids", "CGROUP_PIDS")):
            if config(option):
                self.assertIn(name, controllers)
        # Linux kernel commit 0d5936344f30 ("sched: Implement interface for
        # cgroup unified hierarchy") (in v4.15)
        if config("CGROUP_SCHED") and support.VERSION >= (4, 15):
            self.assertIn("cpu", controllers)
        self.assertEqual(
            set((CGROUP / "cgroup.subtree_control").read_text().split()), set(controllers))

    def test_a_group_has_them(self):
        group = Path(tempfile.mkdtemp(dir=CGROUP))
        self.addCleanup(group.rmdir)
        self.assertEqual((group / "cgroup.controllers").read_text(),
                         (CGROUP / "cgroup.controllers").read_text())


class TemporaryFileTest(support.TestCase):
    def setUp(self):
        self.folder = tempfile.gettempdir()

    def test_is_for_everybody(self):
        self.assertEqual(self.folder, os.environ["TMPDIR"])
        self.assertEqual(stat.S_IMODE(os.stat(self.folder).st_mode), 0o1777)

    def test_is_a_tmpfs(self):
        types = {words[1]: words[2] for words in
                 map(str.split, Path("/proc/mounts").read_text().splitlines())}
        self.assertEqual(types[self.folder], "tmpfs")

    def test_what_is_mapped_is_what_was_opened(self):
        with tempfile.TemporaryFile() as file:
            file.truncate(mmap.PAGESIZE)
            opened = fget(find_task(prog, os.getpid()), file.fileno())
            root = opened.f_inode.i_mapping.i_mmap

            def node():
                # Linux kernel commit f808c13fd373 ("lib/interval_tree: fast
                # overlap detection") (in v4.14)
                tree = root.rb_root if has_member(root, "rb_root") else root
                return tree.rb_node.read_()

            self.assertFalse(node())
            with mmap.mmap(file.fileno(), mmap.PAGESIZE):
                self.assertTrue(node())


class SysctlTest(support.TestCase):
    def test_is_there(self):
        self.assertEqual(Path("/proc/sys/kernel/osrelease").read_text().strip(),
                         support.RELEASE)
