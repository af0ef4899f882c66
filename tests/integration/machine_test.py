# SPDX-License-Identifier: LGPL-2.1-or-later

"""The machine that a guest gets: its network, disks and QEMU.

Each test runs as the user that it is run by and, if that is root, as an ordinary
user too. VMTEST_TEST_KERNEL may name an unpacked package to boot.
"""

import http.server
import os
import socket
import threading
import unittest

import support
from caller import CallerCase, each_caller
from support import has

SERVER = """
import http.server
http.server.HTTPServer(("", 80), http.server.SimpleHTTPRequestHandler).handle_request()
"""


class Handler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


def fetch(port):
    """What the guest says to the first who reaches it: until then, QEMU hangs up."""
    while True:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
                connection.sendall(b"GET /etc/hostname HTTP/1.0\r\n\r\n")
                if data := b"".join(iter(lambda: connection.recv(4096), b"")):
                    return data
        except OSError:
            pass


class MachineTest(CallerCase):
    """What the tests here share."""

    def refused(self, status, *options):
        """The line that a run without a guest ends with."""
        got = self.guest("true", options=["-q", *options])
        self.assertEqual((got.returncode, got.stdout), (status, ""), got.stderr)
        self.assertEqual(got.stderr.count("\n"), 1, got.stderr)
        return got.stderr


class NetworkTest(MachineTest):
    def need_network(self):
        if not has("VIRTIO_NET"):
            self.skipTest("the kernel has no VIRTIO_NET")

    @each_caller
    def test_without_network_there_is_only_the_loopback(self):
        shown = self.run_guest("ls /sys/class/net; cat /etc/resolv.conf || :")
        with open("/etc/resolv.conf", encoding="utf-8") as file:
            self.assertEqual(shown, f"lo\n{file.read()}")

    @each_caller
    def test_network_leads_out_and_names_are_resolved(self):
        self.need_network()
        server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        python = f"""
import urllib.request
print(urllib.request.urlopen("http://10.0.2.2:{server.server_port}/").status)
"""
        shown = self.run_guest(f"cat /etc/resolv.conf; exec python3 -c '{python}'", "--network",
                               "--user", "root")
        self.assertEqual(shown, "nameserver 10.0.2.3\n200\n")

    @each_caller
    def test_publish_leads_into_the_guest(self):
        self.need_network()
        port = free_port()
        answers = []
        thread = threading.Thread(target=lambda: answers.append(fetch(port)), daemon=True)
        thread.start()
        self.run_guest(f"cd /; exec timeout 200 python3 -c '{SERVER}'", "--network",
                       "--publish", f"{port}:80", "--hostname", "served")
        thread.join(10)
        self.assertTrue(answers and answers[0].endswith(b"served\n"), answers)

    @each_caller
    def test_what_cannot_be_published_is_said_before_the_boot(self):
        for ports in ("80", "a:1", "0:1", "1:65536", "1:2:3", "1:2,x", "-1:2", ""):
            line = self.refused(2, "--network", f"--publish={ports}")
            self.assertIn(f"--publish {ports}: use HOST:GUEST", line)
        self.assertIn("say --network", self.refused(2, "--publish=1024:80"))
        if not has("VIRTIO_NET"):
            line = self.refused(125, "--network")
            self.assertIn("--network: the kernel lacks CONFIG_VIRTIO_NET\n", line)
            return
        with socket.create_server(("127.0.0.1", 0)) as server:
            port = server.getsockname()[1]
            line = self.refused(125, "--network", f"--publish={port}:80")
            self.assertIn(f"port {port} of 127.0.0.1: Address already in use\n", line)


class DiskTest(MachineTest):
    @each_caller
    def test_files_are_disks(self):
        for name in ("an, image", "other"):
            with open(f"{self.folder}/{name}", "wb") as file:
                file.write(name.encode().ljust(1 << 20, b"\n"))
            os.chown(file.name, self.uid, -1)
        shown = self.run_guest('''
            set -- $DRGN_TEST_DISK $VMTEST_DISKS; echo "$@"
            head -n 1 $2; head -n 1 $3; printf new >$2
            ! printf new 2>/dev/null >$3 && lsblk -bdno SIZE $1
        ''', "--disk", "an, image", "--disk=64M", "--disk=other,readonly")
        self.assertEqual(shown, f"/dev/vda /dev/vdb /dev/vdc\nan, image\nother\n{64 << 20}\n")
        with open(f"{self.folder}/an, image", encoding="utf-8") as file:
            self.assertEqual(file.readline(), "new image\n")

    @each_caller
    def test_disks_of_every_interface(self):
        """Each with one that is only read; all in one guest."""
        kernel = support.kernel_with("VIRTIO_BLK", "SCSI_VIRTIO", "BLK_DEV_NVME")
        options, lines = [], []
        for i, interface in enumerate(("virtio", "scsi", "nvme")):
            for suffix in ("", ",readonly"):
                name, size = interface + suffix[1:], (i + 1) << 20
                (self.folder / name).write_bytes(f"{name}\n".encode().ljust(size, b"\0"))
                os.chown(self.folder / name, self.uid, -1)
                options.append(f"--disk={self.folder}/{name},interface={interface}{suffix}")
                lines.append(f"{name} {size} {len(suffix) > 0:d}")
        shown = self.run_guest("""
            for disk in $VMTEST_DISKS; do
                read -r name <$disk
                echo "$name $(lsblk -bdno SIZE,RO $disk | tr -s ' ')"
                echo written 2>/dev/null >$disk || :
            done
        """, *options, under=kernel)
        self.assertEqual(shown.splitlines(), lines)
        for line in lines:
            name = line.split()[0]
            with open(self.folder / name, "rb") as file:
                self.assertEqual(file.readline().decode(),
                                 "written\n" if line.endswith("0") else f"{name}\n")

    @each_caller
    def test_what_is_no_disk_is_said(self):
        self.assertIn("neither a file", self.refused(2, "--disk=/dev/null"))
        self.assertIn("use a number", self.refused(2, "--disk=missing"))
        if not has("BLK_DEV_NVME"):
            line = self.refused(125, f"--disk={__file__},readonly,interface=nvme")
            self.assertIn("the kernel lacks CONFIG_BLK_DEV_NVME\n", line)
        if self.uid:
            line = self.refused(125, f"--disk={__file__}")
            self.assertIn("with ',readonly', it is only read", line)


class NodeTest(MachineTest):
    @each_caller
    def test_a_kernel_without_nodes_is_refused(self):
        if has(support.NODES):
            self.skipTest("the kernel has nodes")
        line = self.refused(125, "--numa=2", "--cpus=2")
        self.assertRegex(line, "the kernel lacks CONFIG_.*NUMA")

    @each_caller
    def test_nodes_share_what_there_is(self):
        """And the kernel has nothing to say against it."""
        kernel = support.kernel_with(support.NODES)
        shown = self.run_guest("""
            cd /sys/devices/system/node; cat online node0/cpulist node1/cpulist
            awk '/MemTotal/ { print ($4 > 400000) }' node?/meminfo
        """, "--fail-on-splat", "--numa", "2", "--cpus", "4", "--memory", "1G", under=kernel)
        self.assertEqual(shown, "0-1\n0-1\n2-3\n1\n1\n")


class ProgramTest(MachineTest):
    @each_caller
    def test_another_qemu(self):
        program = f"{self.folder}/qemu"
        with open(program, "w", encoding="utf-8") as file:
            file.write("#!/bin/sh\necho 'qemu: fsdev support is disabled' >&2; exit 1\n")
        os.chmod(program, 0o755)
        line = self.refused(125, f"--qemu={program}")
        self.assertIn("this QEMU has no 9p", line)
        self.assertIn("--qemu /no/such: no such program", self.refused(2, "--qemu=/no/such"))


if __name__ == "__main__":
    unittest.main()
