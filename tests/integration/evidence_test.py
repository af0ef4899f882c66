# SPDX-License-Identifier: LGPL-2.1-or-later
"""What is said of a kernel that complains, panics or hangs: where, why, and who."""

import json
import os
import re
import shutil

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
        programs = self.folder / "bin"
        programs.mkdir()
        for directory in ("/usr/sbin", "/usr/bin"):
            for entry in os.scandir(directory):
                if not entry.name.startswith("eu-") and not (programs / entry.name).exists():
                    (programs / entry.name).symlink_to(entry.path)
        got = support.run_guest("sh", "-c", vm_test.CRASH, env=support.environment(PATH=programs))
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


if __name__ == "__main__":
    import unittest
    unittest.main()
