# SPDX-License-Identifier: LGPL-2.1-or-later
"""
What BPF and the network can do in a kernel of flavor bpf: tests/fixtures/bpf_guest.py,
in one guest, with programs that are compiled for its types.

VMTEST_TEST_BPF names an unpacked package; see support.flavor_kernel().
"""

import shutil
import subprocess
import unittest

import support
from caller import PYTHON

FIXTURES = support.TOP / "tests/fixtures"
PROGRAMS = ("clang", "bpftool", "bpftrace", "nft", "iptables-nft", "conntrack", "tc", "ip", "ss",
            "busybox")
SYSTEM_PATH = "/usr/sbin:/usr/bin:/sbin:/bin"


class BpfTest(support.TestCase):
    def compile(self, kernel):
        """The objects that bpf_guest.py tells, from bpf_programs.c."""
        types = subprocess.check_output(
            ["bpftool", "btf", "dump", "file", kernel / "build/vmlinux", "format", "c"],
            env={"PATH": SYSTEM_PATH})
        (self.folder / "vmlinux.h").write_bytes(types)
        for name in ("tracing", "network", "congestion", "scheduler"):
            subprocess.run(
                ["clang", "-O2", "-g", "-target", "bpf", "-D__TARGET_ARCH_x86",
                 f"-D{name.upper()}", f"-I{self.folder}", "-c", FIXTURES / "bpf_programs.c",
                 "-o", self.folder / f"{name}.o"], check=name != "scheduler")

    def test_what_a_guest_of_flavor_bpf_can(self):
        missing = [name for name in PROGRAMS if not shutil.which(name, path=SYSTEM_PATH)]
        if missing:
            self.skipTest(f"not installed: {' '.join(missing)}")
        kernel = support.flavor_kernel("bpf")
        self.compile(kernel)
        got = support.run("vmtest-vm run -q -k", kernel, "--", PYTHON,
                          FIXTURES / "bpf_guest.py", "-v", cwd=self.folder, timeout=1800)
        self.assert_status(got, 0)


if __name__ == "__main__":
    unittest.main()
