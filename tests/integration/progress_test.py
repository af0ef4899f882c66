# SPDX-License-Identifier: LGPL-2.1-or-later
"""What a log, where stderr is no terminal, is told of what takes long."""

import fcntl
import os
import re
import socket
import threading

import support
from packages import RELEASE, write_folder
from support import environment, run

# As that of a kernel to vmtest-kbuild; its compiler takes long over one file.
MAKEFILE = """\
VERSION = 6
PATCHLEVEL = 12
SUBLEVEL = 117
EXTRAVERSION =

allnoconfig:
	@cp $(KCONFIG_ALLCONFIG) $(O)/.config; sleep 1.5
olddefconfig:
include/config/kernel.release:
	@mkdir -p $(O)/include/config
	@echo 6.12.117-vmtest1.0tiny >$(O)/$@
vmlinux:
	@echo '  CC      init/main.o'; echo '  CC      init/slow.o'; sleep 2.5; false
bzImage modules:
"""


class ProgressTest(support.TestCase):
    def setUp(self):
        super().setUp()
        self.env = environment(
            VMTEST_SILENCE_SECONDS=1,
            PATH=self.path_with({"qemu-system-x86_64": "sleep 2.5; exit 1"}),
            XDG_CACHE_HOME=self.folder / "cache",
        )

    def expect(self, text, *patterns):
        """Lines of a log, in this order, and nothing that a terminal obeys."""
        self.assertNotRegex(text, r"[\x00-\x09\x0b-\x1f]")
        position = 0
        for pattern in patterns:
            match = re.compile(rf"(?m)^vmtest-\w+: {pattern}$").search(text, position)
            self.assertTrue(match, f"{pattern} is not in:\n{text}")
            position = match.end()

    def build(self, *arguments):
        source = self.folder / "source"
        source.mkdir(exist_ok=True)
        (source / "Makefile").write_text(MAKEFILE)
        output = f"--output={self.folder / 'out'}"
        words = (f"--source={source}", output, *arguments)
        command = "vmtest-kbuild build --arch=x86_64 --flavor=tiny"
        result = run(command, *words, env=self.env)
        self.assert_status(result, 1)
        return result.stderr

    def test_a_build(self):
        self.expect(
            self.build(),
            r"configure 6\.12\.117-vmtest1\.0tiny\.x86_64: 1 s",
            r"build 6\.12\.117-vmtest1\.0tiny\.x86_64: 2 of about \d{4} files compiled, 1 s",
            r"build 6\.12\.117-vmtest1\.0tiny\.x86_64: 2 of about \d{4} files compiled, 2 s",
        )

    def test_a_quiet_build(self):
        for line in self.build("--quiet").splitlines():
            self.assertRegex(line, "^vmtest-kbuild: error: ")

    def test_a_server_that_does_not_answer(self):
        self.env |= {"VMTEST_STALL_SECONDS": "3", "VMTEST_RETRY_SECONDS": "0"}
        with socket.create_server(("127.0.0.1", 0)) as server:
            url = f"http://127.0.0.1:{server.getsockname()[1]}"
            self.env["VMTEST_KERNEL_ORG"] = url
            result = run("vmtest-bot", "poll", env=self.env)
        self.assert_status(result, 1)
        self.expect(result.stderr, rf"GET {url}/releases\.json: 1 s")

    def test_another_process_that_holds_a_lock(self):
        build = self.folder / "build"
        build.mkdir()
        lock = os.open(build, os.O_RDONLY)
        self.addCleanup(os.close, lock)
        fcntl.flock(lock, fcntl.LOCK_EX)
        timer = threading.Timer(2.5, fcntl.flock, (lock, fcntl.LOCK_UN))
        timer.start()
        text = self.build(f"--build-dir={build}")
        timer.join()
        path = re.escape(str(build))
        self.expect(
            text,
            f"waiting for another process that holds {path}",
            f"wait for {path}: 1 s",
            r"build .* files compiled, 1 s",
        )

    def run_vm(self, command, *options):
        """Of a kernel that never boots."""
        kernel = write_folder(self.folder / "kernel")
        words = (f"--kernel={kernel}", *options, "true")
        command = f"vmtest-vm {command} --arch=x86_64 --accel=tcg"
        return run(command, *words, env=self.env).stderr

    def test_a_boot(self):
        self.expect(self.run_vm("run"), f"boot {RELEASE}: 1 s")

    def test_a_suite(self):
        text = self.run_vm("test", f"--log-directory={self.folder / 'logs'}")
        self.expect(text, f"kernels: 1 running; {RELEASE} is running, 1 s")
