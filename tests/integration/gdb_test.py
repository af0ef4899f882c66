# SPDX-License-Identifier: LGPL-2.1-or-later
"""
QEMU's command, printed; and gdb, which looks at a guest's kernel.
"""

import os
import re
import subprocess
import unittest

import support
from caller import CallerCase, each_caller


def words_of(text):
    """Those that a shell makes of a command."""
    script = f'set -- {text}\nprintf "%s\\0" "$@"'
    return subprocess.check_output(["sh", "-c", script], text=True).split("\0")[:-1]


class ShowCommandTest(CallerCase):
    @each_caller
    def test_it_is_printed_for_a_shell_and_nothing_is_run_or_left(self):
        directory = self.folder / "a b'c"
        directory.mkdir()
        os.chown(directory, self.uid, -1)
        before = set(os.listdir(self.folder))
        got = self.guest("touch", directory / "ran", options=[
            "--show-command", "--keep", "--rw", directory, "--disk=1G", "--append=a='b c'",
            "--result=result.json", "--console-log=console.log", "--qemu-option=-name",
            "--qemu-option=it's"])
        self.assert_status(got, 0)
        words = words_of(got.stdout)
        self.assertTrue(os.path.basename(words[0]).startswith("qemu-"), words[0])
        self.assertIn(" a='b c' ", words[words.index("-append") + 1])
        self.assertEqual(words[-2:], ["-name", "it's"])
        self.assertIn("loglevel=7", got.stdout)
        self.assertTrue(all(line.startswith("  -") for line in got.stdout.splitlines()[1:]))
        self.assertEqual(os.listdir(directory), [])
        self.assertLessEqual(set(os.listdir(self.folder)) - before, {".cache"})

    def test_it_is_what_runs(self):
        """But for the numbers of descriptors, and of this machine's clock."""
        ran = support.run_guest("true", options=["-v"])
        self.assert_status(ran, 0)
        shown = support.run_guest("true", options=["-v", "--show-command"])
        self.assert_status(shown, 0)
        [line] = [line for line in ran.stderr.splitlines() if " -append " in line]
        texts = (line[line.index("qemu-"):], shown.stdout)
        self.assertEqual(*[words_of(re.sub(r"(fd=|khz=|lpj=)\d+", r"\1N", text))
                           for text in texts])


if __name__ == "__main__":
    unittest.main()
