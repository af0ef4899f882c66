# SPDX-License-Identifier: LGPL-2.1-or-later

"""Builds a kernel's tree and runs it, and bisects in its repository."""

import json
import os
import platform
import re
import shutil
import signal
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


class BisectGitTest(SourceCase):
    def history(self):
        """Nine commits, of which the fifth is the first bad one."""
        tree = self.tree()
        self.good = tree.git("rev-parse", "HEAD")
        for subject, state in (("One", "good"), ("Two", "broken"), ("Three", "good"),
                               ("Four", "dead")):
            tree.commit(subject, state)
        tree.commit("Heal", "good")
        self.culprit = tree.commit("Spoil", "bad")
        for subject in "Six", "Seven", "Eight":
            self.bad = tree.commit(subject)
        return tree

    def bisect(self, *options):
        return ["bisect", "-f", "tiny", "-t", "60", "--git", "linux", *options, "--", "sh",
                "-c", TEST]

    @each_caller
    def test_the_commit_is_found(self):
        tree = self.history()
        (tree.folder / "fs/ok.c").write_text("mine\n")
        before = state_of(tree.folder)
        ends = ["--good", self.good, "--bad", "main"]
        got = self.vm(*self.bisect(*ends))
        self.assertEqual(got.returncode, 0, got.stderr)
        logs = rf"{self.folder}/.cache/vmtest/bisections/\w+/logs"
        self.assertRegex(got.stdout, rf"^good: \w+ Heal\n      {logs}/\w+.log\n"
                                     rf"bad:  {self.culprit} Spoil\n      {logs}/\w+.log\n$")
        self.assert_untouched(tree, before)
        self.assertEqual(tree.git("for-each-ref", "refs/bisect"), "")

    def test_what_does_not_build_or_boot_is_skipped(self):
        self.become({})
        tree = self.tree()
        self.good = tree.git("rev-parse", "HEAD")
        broken = tree.commit("One", "broken")
        dead = tree.commit("Two", "dead")
        bad = tree.commit("Three", "bad")
        got = self.vm(*self.bisect("--good", self.good, "--bad", bad))
        self.assertEqual(got.returncode, 1, got.stderr)
        self.assertRegex(got.stderr, rf"{broken[:12]} \(One\) is skipped: .*it is not built")
        self.assertRegex(got.stderr, rf"{dead[:12]} \(Two\) is skipped: ")
        self.assertIn("the first bad commit is one of 3", got.stderr)
        self.assertEqual(sorted(got.stdout.split("\n")[:-1]),
                         sorted(f"one of {commit}" for commit in (broken, dead, bad)))

    def test_goes_on_after_it_was_killed(self):
        for number in signal.SIGINT, signal.SIGKILL:
            with self.subTest(number):
                self.become({})
                self.history()
                words = self.bisect("--good", self.good, "--bad", self.bad)
                options = self.as_caller({})
                first = self.popen("vmtest-vm", *words, **options)
                seen = ""
                while "step 3:" not in seen:
                    line = first.stderr.readline()
                    self.assertTrue(line, seen)
                    seen += line
                os.kill(first.pid, number)
                self.end(first)
                got = self.vm(*words)
                self.assertEqual(got.returncode, 0, got.stderr)
                self.assertIn("going on with what is in", got.stderr)
                self.assertIn(f"bad:  {self.culprit} Spoil\n", got.stdout)
                # Neither end is tested again.
                for end in self.good, self.bad:
                    self.assertNotIn(f"{end[:12]} (", got.stderr)

    def test_ends_that_are_none(self):
        self.become({})
        self.history()
        for ends, text in (
                (["--good", "main~1", "--bad", "main"], "is bad here, and not good"),
                (["--good", self.good, "--bad", "main~4"], "is good here, and not bad"),
        ):
            with self.subTest(ends):
                got = self.vm(*self.bisect(*ends))
                self.assertEqual(got.returncode, 1)
                self.assertIn(text, got.stderr)
        for options, text in ((["--good", "main"], "need each other"),
                              (["--good", "main", "--bad", "x"], "git finds no commit 'x'")):
            got = self.vm(*self.bisect(*options))
            self.assert_one_line(got, 2, text)

    def test_from_packages(self):
        self.become({})
        tree = self.history()
        store = self.folder / "store"
        store.mkdir()
        copy = support.small_package(self.folder)
        names = []
        for version, commit in (("6.12.3", self.good), ("6.12.4", self.bad)):
            tree.git("tag", f"v{version}", commit)
            names.append(f"{version}-vmtest1.0tiny")
            copy = self.folder / "kernel"
            (copy / "build/include/config/kernel.release").write_text(f"{names[-1]}\n")
            support.pack_directory(
                copy, store / f"kernel-{names[-1]}.{platform.machine()}.tar.zst")
        script = f"[ ! -d /lib/modules/{names[1]}/build ] || exit 1; " \
                 f"[ -d /lib/modules/{names[0]}/build ] || {TEST}"
        got = self.vm("bisect", "--json", "--store", f"dir:{store}", "--git", "linux", "--",
                      "sh", "-c", script)
        self.assertEqual(got.returncode, 0, got.stderr)
        self.assertIn("between v6.12.3 and v6.12.4", got.stderr)
        found = json.loads(got.stdout)
        self.assertEqual((found["outcome"], found["bad"]["commit"], found["bad"]["subject"]),
                         ("found", self.culprit, "Spoil"))
        with open(found["good"]["log"], encoding="utf-8") as log:
            self.assertEqual(log.read(), "fine\n")
