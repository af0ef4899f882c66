# SPDX-License-Identifier: LGPL-2.1-or-later

"""Builds a kernel's tree and runs it."""

import os
import platform
import re
import shutil
import unittest

import support
from caller import CallerCase, each_caller
from small_kernel import SmallKernel
from support import CATALOG

ARCH = CATALOG["architectures"][platform.machine()]
VM = support.BIN / "vmtest-vm"
VERSION = "6.12.1"
# It fails in a kernel that is bad.
TEST = "modprobe loop 2>/dev/null && echo fine"


def state_of(folder):
    """All files with what tells that they were written."""
    return {str(path): (path.stat().st_mtime_ns, path.stat().st_ino)
            for path in [folder, *folder.rglob("*")]
            # git notes there when it has used one.
            if ".git/objects/" not in str(path)}


class SourceCase(CallerCase):
    def tree(self):
        return SmallKernel(self.folder / "linux", support.kernel(), VERSION, ARCH, **self.ids)

    def vm(self, command, *words, **options):
        return self.call(VM, command, *words, **options)

    def build_and_run(self, *options, script=TEST, **more):
        return self.vm("run", "-f", "tiny", "--source", "linux", *options, "--", "sh", "-c",
                       script, **more)

    def assert_untouched(self, tree, before):
        after = state_of(tree.folder)
        changed = [path for path in {**before, **after} if before.get(path) != after.get(path)]
        self.assertEqual(changed, [])

    def assert_fine(self, got):
        self.assertEqual((got.returncode, got.stdout), (0, "fine\n"), got.stderr)


class SourceTest(SourceCase):
    @each_caller
    def test_is_built_beside_the_tree_and_run(self):
        tree = self.tree()
        before = state_of(tree.folder)
        self.assert_fine(self.build_and_run())
        self.assert_untouched(tree, before)
        # What has not changed is not built again, and what has is.
        again = self.build_and_run()
        self.assert_fine(again)
        self.assertIn(": 0 files compiled", again.stderr)
        (tree.folder / "fs/ok.c").write_text("bad\n")
        self.assertEqual(self.build_and_run().returncode, 1)

    @each_caller
    def test_the_error_of_the_build_is_shown(self):
        self.tree().commit("Break", "broken")
        got = self.build_and_run()
        self.assertEqual(got.returncode, 125)
        self.assertIn("| fs/ok.c:1: error: broken is no type", got.stderr)
        self.assertIn("make failed; its log is", got.stderr)

    @each_caller
    def test_a_commit(self):
        tree = self.tree()
        good = tree.commit("Still good")
        tree.commit("Break", "bad")
        tree.git("tag", "v1")
        (tree.folder / "fs/ok.c").write_text("good\n")
        before = state_of(tree.folder)
        self.assert_fine(self.build_and_run("--git", good))
        self.assertEqual(self.build_and_run("--git", "v1").returncode, 1)
        self.assert_fine(self.build_and_run("--git", "main~1"))
        self.assert_untouched(tree, before)
        got = self.build_and_run("--git", "v2")
        self.assertEqual(got.returncode, 125)
        self.assertIn("error: linux: git finds no commit 'v2'\n", got.stderr)

    @each_caller
    def test_a_tree_that_was_built_in(self):
        tree = self.tree()
        (tree.folder / ".config").write_text("CONFIG_X=y\n")
        # As they are now, new ones too.
        (tree.folder / "fs/ok.c").write_text("bad\n")
        self.assertEqual(self.build_and_run().returncode, 1)
        (tree.folder / "fs/ok.c").write_text("good\n")
        (tree.folder / "fs/new.c").write_text("new\n")
        before = state_of(tree.folder)
        self.assert_fine(self.build_and_run())
        self.assert_untouched(tree, before)
        copies = list(self.folder.glob(".cache/vmtest/builds/*/tree/fs/new.c"))
        self.assertEqual(len(copies), 1)
        (tree.folder / "fs/new.c").unlink()
        self.assert_fine(self.build_and_run())
        self.assertFalse(copies[0].exists())
        # Without git, it is for the user.
        shutil.rmtree(tree.folder / ".git")
        got = self.build_and_run()
        self.assertEqual(got.returncode, 125)
        self.assertRegex(got.stderr, r"linux: a kernel was configured or built in it \(.config\)"
                                     r".*make mrproper.*-k linux")

    @each_caller
    def test_the_configuration_of_the_tree(self):
        tree = self.tree()
        config = (support.kernel() / "build/.config").read_text()
        (tree.folder / ".config").write_text(config)
        self.assert_fine(self.build_and_run("--keep-config"))
        built = self.folder.glob(".cache/vmtest/builds/*/tree/build/.config")
        self.assertEqual([path.read_text() for path in built], [config])
        # What it lacks is said before it is started.
        lacking = re.sub("CONFIG_OVERLAY_FS=y", "# CONFIG_OVERLAY_FS is not set", config)
        (tree.folder / ".config").write_text(lacking)
        got = self.build_and_run("--keep-config")
        self.assertEqual(got.returncode, 125)
        self.assertIn("it lacks CONFIG_OVERLAY_FS", got.stderr)
        (tree.folder / ".config").unlink()
        got = self.build_and_run("--keep-config")
        self.assertIn("--keep-config: there is no linux/.config", got.stderr)

    @unittest.skipUnless(shutil.which("clang") and shutil.which("ld.lld"), "no clang")
    def test_clang(self):
        self.become({})
        self.tree()
        self.assert_fine(self.build_and_run("--llvm"))
        (built,) = self.folder.glob(".cache/vmtest/builds/*/tree/ok.o")
        self.assertIn(b"clang", built.read_bytes())

    def test_mistakes(self):
        self.become({})
        self.tree()
        for words, text in (
                (["--source", "linux", "-k", "6.12"], "choose one of them"),
                (["--git", "main"], "--source"),
                (["--source", "linux", "--rw", "linux/fs"], "--rw linux/fs and --source linux"),
                (["--source", "linux", "-f", "tiny,default"], "only one"),
                (["--source", "nowhere"], "nowhere: no such directory"),
        ):
            with self.subTest(words):
                got = self.vm("run", *words, "--", "true")
                self.assert_one_line(got, 2, text)
