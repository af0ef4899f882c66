# SPDX-License-Identifier: LGPL-2.1-or-later
"""What is said of a kernel that complains, panics or hangs: where, why, and who."""

import hashlib
import json
import os
import re
import shutil
from pathlib import Path

import caller
import support
import vm_test

FAULTY = support.TOP / "tests/fixtures/faulty"
INSERT = 'insmod "$DRGN_TEST_KMOD" fault='


def line_of(text):
    """The line of the faulty module's source that has the text."""
    lines = (FAULTY / "faulty.c").read_text().splitlines()
    return next(i for i, line in enumerate(lines, 1) if text in line)


class EvidenceCase(caller.CallerCase):
    def module(self):
        """Options of a guest that has the module, a copy of the caller's."""
        source = self.folder / "repo/faulty"
        shutil.copytree(FAULTY, source)
        return source, ["--module", "build", "--module-source", source,
                        "-d", self.folder / "cache"]


class TraceTest(EvidenceCase):
    @caller.each_caller
    def test_a_panic_s_frames_have_file_and_line(self):
        got = self.guest("sh", "-c", vm_test.CRASH)
        self.assert_status(got, 128)
        self.assertRegex(got.stderr, r"(?m)^.* sysrq_handle_crash\+0x.*\(drivers/tty/sysrq.c:\d+\)$")

    @caller.each_caller
    def test_a_splat_of_a_module_has_file_and_line(self):
        source, options = self.module()
        line = line_of("refcount_dec(&count)")
        place = rf"{re.escape(str(source))}/faulty.c:{line}\b"
        result = self.folder / "result"
        got = self.guest("sh", "-c", INSERT + "last_reference",
                         options=[*options, "--fail-on-splat", "--result", result])
        self.assert_status(got, 1)
        self.assertRegex(got.stderr, rf"the kernel reported: WARNING: .*; called from {place}")
        self.assertRegex(got.stderr, rf"(?m)^ (last_reference|faulty_init).*{place}\)$")
        written = json.loads(result.read_text())
        self.assertEqual((written["file"], written["line"]), (f"{source}/faulty.c", line))

    def test_without_elfutils_the_frames_are_the_kernel_s(self):
        path = self.path_without("eu-")
        got = support.run_guest("sh", "-c", vm_test.CRASH, env=support.environment(PATH=path))
        self.assert_status(got, 128)
        self.assertRegex(got.stderr, r"(?m) sysrq_handle_crash\+0x\w+/0x\w+$")

    @caller.each_caller
    def test_an_annotation_has_file_and_line(self):
        """And so has the result for other programs."""
        _, options = self.module()
        junit = self.folder / "junit.xml"
        command = ("test", "-k", support.kernel(), *options, "--fail-on-splat", "--junit", junit,
                   "--", "sh", "-c", INSERT + "last_reference")
        more = self.as_caller({})
        more["env"].update(GITHUB_ACTIONS="true", GITHUB_WORKSPACE=str(self.folder / "repo"))
        got = support.run("vmtest-vm", *command, **more)
        self.assert_status(got, 1)
        line = line_of("refcount_dec(&count)")
        self.assertRegex(got.stdout, rf"(?m)^::error file=faulty/faulty.c,line={line},title=.*"
                                     rf"::the kernel reported: WARNING: .*faulty.c:{line}$")
        self.assertIn(f"faulty.c:{line}", junit.read_text())


class ReportTest(EvidenceCase):
    @caller.each_caller
    def test_a_deadlock_is_explained(self):
        """In a run and in a suite, whose log ends with it."""
        _, options = self.module()
        command = ["--", "sh", "-c", INSERT + "deadlock; exec sleep 1000"]
        for verb in ("run", "test"):
            with self.subTest(verb):
                got = self.call(f"vmtest-vm {verb} -t 20 -k", support.kernel(), *options, *command)
                self.assertNotEqual(got.returncode, 0)
                self.assertRegex(got.stderr if verb == "run" else got.stdout, """\
deadlock:
  faulty_a \\(\\d+\\) waits for rw_semaphore sem \\[faulty\\], held by faulty_sem \\(\\d+\\)
  faulty_sem \\(\\d+\\) waits for mutex a \\[faulty\\], held by faulty_a \\(\\d+\\)
""")
        self.assertRegex(got.stdout, r"lock_a_first.* \(.*/faulty.c:\d+\)")
        self.assert_nothing_left()

    @caller.each_caller
    def test_a_panic_is_looked_at(self):
        got = self.guest("sh", "-c", vm_test.CRASH)
        self.assert_status(got, 128)
        self.assertRegex(got.stderr, r"processors:\n( .*\n)*  CPU \d+ ran sh \(\d+\)\n")
        self.assertRegex(got.stderr, r"\nmemory: \d+ MB, of which \d+ MB are free\n")
        self.assertIn("sysrq: Trigger a crash", got.stderr)
        self.assert_nothing_left()

    def assert_nothing_left(self):
        self.assertEqual(list(Path("/var/tmp").glob(f".vmtest-dump-{self.uid}.*")), [])

    @caller.each_caller
    def test_who_ends_otherwise_is_not(self):
        for script, status in (("exit 3", 3), ("sleep 0.1; poweroff -f", 128)):
            got = self.guest("sh", "-c", script)
            self.assert_status(got, status)
            self.assertNotIn("drgn", got.stderr)


class DumpTest(EvidenceCase):
    def dump(self, when, script, *options, status):
        """What is in the directory of dumps afterwards."""
        directory = self.folder / "dumps"
        got = self.guest("sh", "-c", script, options=[
            "--dump", when, "--dump-directory", directory,
            "--result", self.folder / "result", *options])
        self.assert_status(got, status)
        return got, sorted(directory.iterdir()) if directory.exists() else []

    @caller.each_caller
    def test_a_dump_is_opened_and_replayed(self):
        got, (dump,) = self.dump("lost", "echo said; sleep 0.2; " + vm_test.CRASH, status=128)
        self.assertEqual(json.loads((self.folder / "result").read_text())["dump"], str(dump))
        self.assertIn(f"vmtest-vm drgn {dump} opens it", got.stderr)
        self.assertEqual(sorted(p.name for p in dump.iterdir()),
                         ["dump.json", "report.txt", "vmcore"])
        self.assertEqual(dump.stat().st_mode & 0o777, 0o700)
        script = self.folder / "script.py"
        script.write_text("print(prog['init_uts_ns'].name.release.string_().decode())")
        got = self.call("vmtest-vm drgn", dump, "--", script)
        self.assert_status(got, 0)
        self.assertEqual(got.stdout, support.release() + "\n")
        got = self.call("vmtest-vm replay", dump)
        self.assert_status(got, 128)
        self.assertEqual(got.stdout, "said\n")
        self.assertEqual(len(list(dump.parent.iterdir())), 2)

    @caller.each_caller
    def test_a_dump_is_made_when_it_is_asked_for(self):
        for when, script, more, status, count in (
            ("timeout", "sleep 1000", ["-t", "1"], 124, 1),
            ("always", "true", [], 0, 2),
            ("lost,timeout,splat", "true", [], 0, 2),
            ("lost", "poweroff -f; sleep 100", [], 128, 3),
        ):
            with self.subTest(when):
                _, dumps = self.dump(when, script, *more, status=status)
                self.assertEqual(len(dumps), count)
                for dump in dumps:
                    self.assertGreater((dump / "vmcore").stat().st_size, 1 << 20)

    def test_a_suite_keeps_dumps_with_its_logs(self):
        (self.folder / "vmtest.json").write_text(json.dumps(
            {"dump": "lost", "log_directory": "logs", "command": ["sh", "-c", vm_test.CRASH]}))
        got = support.run("vmtest-vm test -k", support.kernel(), cwd=self.folder)
        self.assert_status(got, 1)
        name = support.release()
        self.assertTrue({f"{name}.dump", f"{name}.2.dump"} <=
                        {path.name for path in (self.folder / "logs").iterdir()})

    def test_where_it_cannot_be_kept_there_is_a_line(self):
        if os.geteuid() != 0:
            self.skipTest("needs a full disk")
        directory = self.folder / "small"
        directory.mkdir()
        script = ('mount -t tmpfs -o size=1M none "$1" && shift && "$@" || echo $?; '
                  'exec ls -A "${0%/*}/small"')
        got = support.run("/usr/bin/unshare", "-m", "sh", "-c", script, f"{self.folder}/sh", directory,
                          support.BIN / "vmtest-vm", "run", "-k", support.kernel(), "--dump=lost",
                          "--dump-directory", directory, "--", "sh", "-c", vm_test.CRASH)
        self.assertEqual(got.stdout, "128\n")
        self.assertEqual(len(re.findall(r"(?m)^vmtest-vm: warning: --dump: .*", got.stderr)), 1,
                         got.stderr)

    @caller.each_caller
    def test_a_debugger_has_no_token(self):
        """Of a dump that is made here."""
        vmlinux = self.folder / "kernel/build/vmlinux"
        vmlinux.parent.mkdir(parents=True)
        vmlinux.write_text("x")
        dump = self.folder / "x.dump"
        dump.mkdir(0o700)
        names = ("vmtest", "qemu", "release", "arch")
        (dump / "dump.json").write_text(json.dumps(
            dict.fromkeys(names, "x") |
            {"kernel": str(self.folder / "kernel"), "splats": [], "directory": "/",
             "words": ["run"], "kernel_sha256": hashlib.sha256(b"x").hexdigest()}))
        for path in (dump, dump / "dump.json"):
            os.chown(path, self.uid, -1)
        more = self.as_caller({})
        more["env"] |= {"PATH": f"{self.folder}/bin:{os.environ['PATH']}",
                        "GITHUB_TOKEN": "a-secret", "GH_TOKEN": "a-secret"}
        for name in ("drgn", "crash"):
            program = self.folder / "bin" / name
            program.parent.mkdir(exist_ok=True)
            program.write_text("#!/bin/sh\nenv\n")
            program.chmod(0o755)
            got = support.run(f"vmtest-vm {name}", dump, **more)
            self.assert_status(got, 0)
            self.assertIn("HOME=", got.stdout)
            self.assertNotIn("a-secret", got.stdout)

    def test_wrong_use_is_one_line(self):
        (self.folder / "rw").mkdir()
        for words, options in (
            (("--dump soon", "lost, timeout"), ["--dump", "soon"]),
            (("--rw", "--dump"), ["--dump", "lost", "--rw", ".", "--dump-directory", "rw"]),
            (("--rw", "--dump"), ["--dump", "lost", "--rw", "rw", "--dump-directory", "rw/x"]),
        ):
            got = support.run_guest("true", options=options, cwd=self.folder)
            self.assert_one_line(got, 2, *words)
        for verb in ("drgn", "crash", "replay"):
            got = support.run(f"vmtest-vm {verb}", self.folder / "rw")
            self.assert_one_line(got, 2, "dump.json")


if __name__ == "__main__":
    import unittest
    unittest.main()
