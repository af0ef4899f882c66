#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What is kept below ~/.cache/vmtest, used by several at once, and by some that die."""

import fcntl
import os
import subprocess
import time
import unittest

import support
from built_kernel import catalog_without_patches, put_package, write_source
from packages import RELEASE, package_entries, package_name, write_folder, write_package
from support import BIN, environment

ARCH = os.uname().machine
NEWER = RELEASE.replace("200", "201")

# As that of a kernel to vmtest-kbuild, whose files it makes, and nothing in them.
MAKEFILE = """\
VERSION = 6
PATCHLEVEL = 12
SUBLEVEL = 117
EXTRAVERSION =
RELEASE = 6.12.117-vmtest1.0tiny
MADE = vmlinux Module.symvers arch/x86/include/x include/config/auto.conf \\
	include/generated/x scripts/basic/fixdep scripts/mod/modpost

allnoconfig:
	cp $(KCONFIG_ALLCONFIG) $(O)/.config
olddefconfig:
include/config/kernel.release:
	mkdir -p $(O)/include/config
	echo $(RELEASE) >$(O)/$@
vmlinux:
	sleep 0.5
	mkdir -p $(addprefix $(O)/,$(dir $(MADE)))
	touch $(addprefix $(O)/,$(MADE))
bzImage: vmlinux
	sleep 0.5
	mkdir -p $(O)/arch/x86/boot
	touch $(O)/arch/x86/boot/bzImage
modules:
	test ! "$(M)" || touch $(M)/vmtest_trial.ko
modules_install:
	mkdir -p $(INSTALL_MOD_PATH)/lib/modules/$(RELEASE)/kernel
	touch $(INSTALL_MOD_PATH)/lib/modules/$(RELEASE)/modules.dep
"""


class CacheCase(support.TestCase):
    def setUp(self):
        super().setUp()
        self.cache = self.folder / "cache"
        self.env = environment()

    def vm(self, command, *arguments):
        return support.run(
            "vmtest-vm", command, f"--directory={self.cache}", *arguments, env=self.env
        )

    def start_program(self, program, *arguments):
        process = subprocess.Popen(
            [BIN / program, *map(str, arguments)],
            env=self.env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.addCleanup(process.communicate)
        self.addCleanup(process.kill)
        return process

    def finish(self, processes):
        """What processes that must succeed have printed."""
        printed = []
        for process in processes:
            out, err = process.communicate(timeout=300)
            self.assertEqual(process.returncode, 0, err)
            printed.append((out, err))
        return printed

    def wait_until(self, condition, seconds=60):
        deadline = time.monotonic() + seconds
        while not condition():
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.001)

    def hidden(self):
        """What is under way in the cache, or was left."""
        return [p for kind in ("partial", "vmtest-deleted") for p in self.cache.rglob(f".{kind}.*")]


class KernelTest(CacheCase):
    def setUp(self):
        super().setUp()
        self.path = self.cache / ARCH / f"kernel-{RELEASE}"

    def write_large(self):
        write_folder(self.path)
        modules = self.path / "kernel"
        modules.mkdir()
        for i in range(20000):
            (modules / str(i)).symlink_to("x")

    def test_downloads_at_once_are_one(self):
        store = self.folder / "store"
        write_package(store / package_name(), package_entries(size=30 << 20))
        downloads = [
            self.start_program(
                "vmtest-vm",
                "download",
                f"--store=dir:{store}",
                f"--directory={self.cache}",
                f"--kernel={RELEASE}",
            )
            for _ in range(4)
        ]
        printed = self.finish(downloads)
        self.assertEqual({out for out, _ in printed}, {f"{self.path}\n"})
        made = [err for _, err in printed if f"download {package_name()}: " in err]
        self.assertEqual(len(made), 1)
        self.assertEqual(self.hidden(), [])

    def test_a_killed_prune_leaves_no_half_of_a_kernel(self):
        self.write_large()
        write_folder(self.path.with_name(f"kernel-{NEWER}"))
        modules = self.path / "kernel"
        prune = self.start_program("vmtest-vm", "prune", f"--directory={self.cache}")

        def has_begun():
            try:
                return len(os.listdir(modules)) < 20000
            except FileNotFoundError:
                return True

        self.wait_until(has_begun)
        prune.kill()
        prune.wait()
        self.assertFalse(self.path.exists())
        self.assert_status(self.vm("prune"), 0)
        self.assertEqual(self.hidden(), [])
        self.assertEqual(os.listdir(self.cache / ARCH), [f"kernel-{NEWER}"])

    def test_one_that_is_being_deleted_is_not_run(self):
        write_folder(self.path)
        fd = os.open(self.path, os.O_RDONLY)
        self.addCleanup(os.close, fd)
        fcntl.flock(fd, fcntl.LOCK_EX)
        result = self.vm("run", f"--kernel={self.path}", "true")
        self.assert_one_line(result, 125, str(self.path), "is deleting it")

    def test_one_in_use_is_not_pruned(self):
        write_folder(self.path)
        write_folder(self.path.with_name(f"kernel-{NEWER}"))
        fd = os.open(self.path, os.O_RDONLY)
        self.addCleanup(os.close, fd)
        fcntl.flock(fd, fcntl.LOCK_SH)
        result = self.vm("prune")
        self.assert_status(result, 0)
        self.assertEqual(result.stdout, "")
        self.assertIn("is in use", result.stderr)
        self.assertTrue(self.path.exists())


class PackageTest(CacheCase):
    """Packages that are under way to where they belong."""

    def test_two_bots_boot_one(self):
        package, release = support.package(), support.release()
        version = release.partition("-")[0]
        catalog = catalog_without_patches(self.folder / "configs")
        tarball = self.folder / f"linux-{version}.tar.xz"
        write_source(tarball, version)
        put_package(package, self.cache, tarball, BIN, catalog=catalog)
        outputs = [self.folder / name for name in ("one", "other")]
        self.finish([
            self.start_program(
                "vmtest-bot",
                "build",
                release,
                f"--tarball={tarball}",
                f"--catalog={catalog}",
                f"--output={output}",
                f"--directory={self.cache}",
            )
            for output in outputs
        ])
        for output in outputs:
            self.assertEqual((output / package.name).read_bytes(), package.read_bytes())
        self.assertEqual(os.listdir(self.cache / "packages"), [])


@unittest.skipUnless(ARCH == "x86_64", "the source is of an x86_64 kernel")
class BuildTest(CacheCase):
    """Build directories."""

    def setUp(self):
        super().setUp()
        programs = self.folder / "programs"
        programs.mkdir()
        for name, command in {
            "strip": 'cp "$6" "$5"',
            "objcopy": 'cp "$3" "$4"',
            "eu-strip": "true",
        }.items():
            (programs / name).write_text(f"#!/bin/sh\n{command}\n")
            (programs / name).chmod(0o755)
        self.env["PATH"] = f"{programs}:{self.env['PATH']}"
        self.source = self.folder / "source"
        for name in ("arch/x86/include", "include", "scripts"):
            (self.source / name).mkdir(parents=True)
        (self.source / "Makefile").write_text(MAKEFILE)

    def test_builds_at_once_do_not_disturb_each_other(self):
        out = self.folder / "out"
        self.finish([
            self.start_program(
                "vmtest-kbuild",
                "build",
                f"--source={self.source}",
                f"--output={out}",
                "--arch=x86_64",
                "--flavor=tiny",
                *options,
            )
            for options in ([], [], [], ["--package-format=directory"])
        ])
        name = "kernel-6.12.117-vmtest1.0tiny.x86_64"
        self.assertEqual(sorted(os.listdir(out)), [name, f"{name}.tar.zst"])


class PruneTest(CacheCase):
    """Limits of all that is kept."""

    DAY = 86400

    def setUp(self):
        super().setUp()
        # In the order of their last use.
        self.entries = (
            "sources/linux-6.12.1",
            f"{ARCH}/kernel-{RELEASE}",
            f"{ARCH}/module/{RELEASE}/source/key",
            "toolchains/gcc",
        )
        for days, name in zip((40, 20, 10, 1), self.entries):
            folder = self.cache / name
            folder.mkdir(parents=True)
            (folder / "file").write_bytes(b"x" * (2 << 20))
            when = time.time() - days * self.DAY
            os.utime(folder, (when, when))

    def prune(self, *options, left):
        result = self.vm("prune", *options)
        self.assert_status(result, 0)
        there = [name for name in self.entries if (self.cache / name).exists()]
        self.assertEqual(there, list(self.entries[-left:] if left else ()))
        paths = result.stdout.splitlines()
        return [os.path.relpath(path, self.cache) for path in paths], result.stderr

    def test_by_age(self):
        gone, shown = self.prune("--older-than=2w", "--dry-run", left=4)
        self.assertEqual(gone, list(self.entries[:2]))
        self.assertRegex(shown, r"1 modules 2\.\d MB, 1 compilers 2\.\d MB, 4\.\d MB in all")
        gone, _ = self.prune("--older-than=2w", left=2)
        self.assertEqual(gone, list(self.entries[:2]))

    def test_by_size(self):
        gone, _ = self.prune("--cache-size=7M", left=3)
        self.assertEqual(gone, list(self.entries[:1]))
        gone, shown = self.prune("--cache-size=0M", left=0)
        self.assertEqual(gone, list(self.entries[1:]))
        self.assertIn(": 0.0 MB in all", shown)

    def test_use_is_noted(self):
        kernel = self.cache / ARCH / f"kernel-{RELEASE}"
        write_folder(kernel)
        when = time.time() - 40 * self.DAY
        os.utime(kernel, (when, when))
        # It is found, and then is no kernel.
        self.vm("run", f"--kernel={RELEASE}", "--accel=tcg", "true")
        gone, _ = self.prune("--older-than=30d", left=3)
        self.assertEqual(gone, ["sources/linux-6.12.1"])

    def test_superseded_kernels_only_where_asked_for(self):
        newer = self.cache / ARCH / f"kernel-{NEWER}"
        newer.mkdir()
        gone, _ = self.prune("--older-than=30d", "--dry-run", left=4)
        self.assertEqual(gone, list(self.entries[:1]))
        gone, _ = self.prune("--older-than=30d", "--keep=1", "--dry-run", left=4)
        self.assertEqual(set(gone), set(self.entries[:2]))
        gone, shown = self.prune("--dry-run", left=4)
        self.assertEqual(gone, [self.entries[1]])
        self.assertIn("1 sources", shown)

    def test_wrong_usage(self):
        for option in ("--cache-size=20", "--cache-size=G", "--older-than=30",
                       "--older-than=3y", "--cache-size=99999999T"):
            name, _, value = option.partition("=")
            self.assert_one_line(self.vm("prune", option), 2, f"{name} {value}")
        result = self.vm("prune", "--cache-size=1G", "--kernel=6.12")
        self.assert_one_line(result, 2, "--kernel")


if __name__ == "__main__":
    unittest.main()
