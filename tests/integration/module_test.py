# SPDX-License-Identifier: LGPL-2.1-or-later
"""
Builds external modules against a real kernel, inserts them in its guest, and
writes to the guest's scratch disk.
"""

import json
import os
import shutil
import subprocess
import unittest
from pathlib import Path

import support
import vm_test

SOURCE = r"""
#include <linux/module.h>

static int __init hello_init(void)
{
	return RESULT;
}
module_init(hello_init);

static void __exit hello_exit(void)
{
}
module_exit(hello_exit);

MODULE_LICENSE("GPL");
"""


def write_source(folder, result="0"):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "Makefile").write_text("obj-m := hello.o\n")
    (folder / "hello.c").write_text(SOURCE.replace("RESULT", result))
    return folder


class ModuleCase(vm_test.GuestCase):
    def setUp(self):
        super().setUp()
        self.source = write_source(self.folder / "hello")
        self.cache = self.folder / "cache"

    def module(self, *options, kernel=None):
        return support.run("vmtest-vm module -k", kernel or support.kernel(), "-d",
                           self.cache, "--module-source", self.source, *options)

    def run_guest(self, *command, mode="insert"):
        return support.run_guest(*command, options=(
            "-q", "-t", "60", "-d", self.cache, "--module", mode,
            "--module-source", self.source))

    def results(self):
        """What is in the cache: modules, and folders of results."""
        return sorted(self.cache.glob("*/module/*/*/*/*.ko"))


class BuildTest(ModuleCase):
    def test_built_once_and_again_when_changed(self):
        def state():
            result = self.module("--json")
            self.assert_status(result, 0)
            (row,) = json.loads(result.stdout)
            self.assertTrue(os.path.exists(row["path"]))
            self.assertIn(row["kernel"], row["path"])
            self.assertGreaterEqual(row["seconds"], 0)
            return row["state"], row["path"]

        before = sorted(os.listdir(self.source))
        first, path = state()
        self.assertEqual((first, state()), ("built", ("cached", path)))
        self.assertEqual(self.results(), [Path(path)])
        self.assertEqual(sorted(os.listdir(self.source)), before)

        (self.source / "hello.c").write_text(SOURCE.replace("RESULT", "1 - 1"))
        changed, other = state()
        self.assertEqual(changed, "built")
        self.assertEqual(self.results(), [Path(other)])
        self.assertEqual(self.module().stdout, other + "\n")

    def test_broken_source(self):
        (self.source / "hello.c").write_text("int x = no_such_thing;\n")
        # Its log is of the last build alone.
        for _ in range(2):
            result = self.module()
            self.assert_status(result, 1)
        *lines, last = result.stderr.splitlines()
        self.assertRegex(last, r"error: module .*make failed; its log is .*build.log$")
        log = Path(last.split("its log is ")[1])
        self.assertEqual(log.read_text().count("error: "), 1, log.read_text())
        self.assertIn("no_such_thing", log.read_text())
        self.assertIn("no_such_thing", "\n".join(lines))
        self.assertEqual(self.results(), [])
        self.assert_status(self.run_guest("true"), 125)

    def test_tool_that_misses_a_file(self):
        with open(self.source / "Makefile", "a") as file:
            file.write("$(shell cat $(src)/no-such-script >&2)\n")
        self.assert_one_line(self.module(), 1, "No such file", "build.log")
        self.assertEqual(self.results(), [])

    def test_without_pahole_it_has_no_btf(self):
        env = support.environment(PATH=self.path_without("pahole"))
        result = support.run("vmtest-vm module -k", support.kernel(), "-d", self.cache,
                             "--module-source", self.source, env=env)
        self.assert_status(result, 0)
        got = self.run_guest("sh", "-c", "grep -c ^hello /proc/modules")
        self.assertEqual((got.returncode, got.stdout), (0, "1\n"), got.stderr)

    def test_goes_with_its_kernel(self):
        for release in ("6.12.1-vmtest1.0tiny", "6.12.2-vmtest1.0tiny"):
            for folder in ("kernel-" + release, f"module/{release}/0/1"):
                (self.cache / "x86_64" / folder).mkdir(parents=True)
        for options, left in ((["--dry-run"], 2), ([], 1)):
            result = support.run("vmtest-vm prune -d", self.cache, *options)
            self.assert_status(result, 0)
            self.assertIn("kernel-6.12.1-", result.stdout)
            modules = os.listdir(self.cache / "x86_64/module")
            self.assertEqual(len(modules), left)
        self.assertEqual(modules, ["6.12.2-vmtest1.0tiny"])

    def test_source_that_is_none(self):
        shutil.rmtree(self.source)
        self.assert_one_line(self.module(), 2, self.source)
        self.source.mkdir()
        self.assert_one_line(self.module(), 2, "Makefile")

    def test_several_modules(self):
        (self.source / "Makefile").write_text("obj-m := hello.o sub/\n")
        write_source(self.source / "sub")
        (self.source / "sub/Makefile").write_text("obj-m := another.o\n")
        (self.source / "sub/hello.c").rename(self.source / "sub/another.c")
        result = self.module()
        self.assert_status(result, 0)
        # The first that make is done with; all are there.
        modules = {p.name for p in Path(result.stdout.strip()).parent.glob("*.ko")}
        self.assertEqual(modules, {"hello.ko", "another.ko"})

    @unittest.skipUnless(shutil.which("readelf"), "no readelf")
    def test_debug_info_names_the_source(self):
        path = self.module().stdout.strip()
        text = subprocess.run(["readelf", "--debug-dump=info", path], check=True,
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout
        self.assertIn(f"{self.source}/hello.c".encode(), text)
        # The kernel's headers are called as vmlinux calls them.
        image = Path(path).read_bytes()
        for name in (b"include/linux", b"arch/x86/include/asm"):
            self.assertIn(b"\0" + name + b"\0", image)
        self.assertNotIn(b"\0./include/linux", image)
        self.assertNotIn(os.fsencode(os.path.realpath(support.kernel())), image)


class GuestTest(ModuleCase):
    def check(self, path=None, inserted=True, mode="insert"):
        """The guest has the module, at this path or the host's."""
        result = self.run_guest("sh", "-c", 'cat /proc/modules; echo "$DRGN_TEST_KMOD"; '
                                'cksum <"$DRGN_TEST_KMOD"', mode=mode)
        self.assert_status(result, 0)
        lines = result.stdout.splitlines()
        self.assertEqual(any(l.startswith("hello ") for l in lines), inserted)
        self.assertIn(f"\n{path or self.results()[0]}\n", "\n" + result.stdout)
        digest = subprocess.check_output(["cksum"], input=self.results()[0].read_bytes())
        self.assertIn(digest.decode().strip(), lines)

    def test_insert_and_build(self):
        for mode in ("insert", "build"):
            with self.subTest(mode):
                self.check(inserted=mode == "insert", mode=mode)

    def test_any_path(self):
        without_colon = b"a,b,,c/{d,e}^@+~/\xe9\xff/" + b"/".join([b"x" * 250] * 4)
        for name, path in ((support.STRANGE, "/run/vmtest/extra0/hello.ko"),
                           (without_colon, None)):
            with self.subTest(name):
                folder = self.folder / os.fsdecode(name)
                self.source = write_source(folder / "source")
                self.cache = folder / "cache"
                self.check(path)

    def test_cache_that_the_guest_hides(self):
        self.cache = self.make_hidden_directory() / "a cache"
        self.check("/run/vmtest/extra0/hello.ko")

    def test_kernel_in_a_folder_with_a_space(self):
        kernel = self.folder / "a kernel"
        shutil.copytree(support.kernel(), kernel, symlinks=True,
                        ignore=shutil.ignore_patterns("kernel"))
        self.assert_status(self.module(kernel=kernel), 0)
        # The same kernel, wherever it lies.
        self.assertIn("cached", self.module("--json").stdout)

    def test_module_that_cannot_be_inserted(self):
        write_source(self.source, "-ENODEV")
        result = self.run_guest("echo", "not run")
        self.assert_status(result, 125)
        self.assertEqual(result.stdout, "")
        self.assertRegex(result.stderr.splitlines()[-1],
                         "error: run .*could not insert a module: .*No such device")


class DiskTest(support.TestCase):
    def setUp(self):
        super().setUp()
        self.env = support.environment(TMPDIR=self.folder)

    def test_is_writable_and_empty_each_time(self):
        script = """
            cat /sys/block/"${DRGN_TEST_DISK#/dev/}"/size
            cmp -n 1000000 "$DRGN_TEST_DISK" /dev/zero || exit 3
            head -c 1000000 /dev/urandom >data
            dd if=data of="$DRGN_TEST_DISK" bs=4096 seek=1000 conv=fsync 2>/dev/null || exit 4
            echo 1 >/proc/sys/vm/drop_caches
            dd if="$DRGN_TEST_DISK" bs=4096 skip=1000 2>/dev/null | cmp -n 1000000 - data || exit 5
        """
        for _ in range(2):
            result = support.run_guest("sh", "-c", script, env=self.env,
                                       options=("-q", "-t", "60", "--disk", "1G"))
            self.assert_status(result, 0)
            self.assertEqual(result.stdout, f"{1 << 21}\n")
            self.assertEqual(list(self.folder.iterdir()), [])

    def test_kill_leaves_nothing(self):
        process = self.popen(
            "vmtest-vm run -k", support.kernel(), "--disk", "1G", "--", "sh", "-c",
            "echo x >$DRGN_TEST_DISK; sync; echo up; sleep 100", env=self.env)
        self.assertEqual(process.stdout.readline(), "up\n")
        process.kill()
        process.wait()
        self.assertEqual(list(self.folder.iterdir()), [])

    def test_none_unless_asked_for(self):
        result = support.run_guest("sh", "-c", "echo "
                                   '"$DRGN_TEST_DISK,$DRGN_TEST_KMOD,$VMTEST_KEXEC"; ls /dev/vd*')
        self.assertEqual(result.stdout, ",,\n")
        self.assertNotEqual(result.returncode, 0)
