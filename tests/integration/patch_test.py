# SPDX-License-Identifier: LGPL-2.1-or-later
"""
Patches to the kernel's source: what a build says of them, and that the project's
own fit the sources that config_test.py has.
"""

import json
import re
import shutil

import config_test
import support
from packages import entry, tarball
from support import TOP, run

MAKEFILE = (
    "VERSION = 6\nPATCHLEVEL = 12\nSUBLEVEL = 117\nEXTRAVERSION =\nNAME = Test\n"
    "$(error this source cannot be built)\n"
)
CODE = "".join(f"line {number}\n" for number in range(40))
FIXED = CODE.replace("line 20\n", "line twenty\n")
PATCH = """\
Subject: [PATCH] twenty

# vmtest: >=5.10 <6.13
---
diff --git a/code.c b/code.c
--- a/code.c
+++ b/code.c
@@ -10,3 +10,3 @@
 line 19
-line 20
+line twenty
 line 21
"""
NAME = "0002-twenty.patch"
# What a source is, in its directory.
FACTS = "[!.]*/.vmtest-source.json"


def is_for(bounds, version):
    """Whether terms such as `>=5.6 <6.2 x86_64` hold for a version."""
    for sign, number in re.findall(r"(>=|<)(\S+)", bounds):
        below = version < [int(part) for part in number.split(".")]
        if below != (sign == "<"):
            return False
    return True


def files_of(patch):
    """The files that a patch changes."""
    return re.findall(r"^\+\+\+ b/(.*)$", patch.read_text(), re.M)


class PatchTest(support.TestCase):
    def setUp(self):
        super().setUp()
        self.configs = self.folder / "configs"
        shutil.copytree(TOP / "configs", self.configs)

    def build(self, files, arch="x86_64"):
        """Of a source that gets patched, and cannot be built."""
        texts = {"Makefile": MAKEFILE, "Kconfig": "", **files}
        entries = [entry(f"linux/{n}", text.encode()) for n, text in texts.items()]
        archive = self.folder / "linux.tar.gz"
        archive.write_bytes(tarball(entries, ["gzip"]))
        return run(
            f"vmtest-kbuild build --arch={arch}",
            *(f"--tarball={archive}", f"--catalog={self.configs / 'vmtest.json'}"),
            *(f"--directory={self.folder / 'cache'}", f"--output={self.folder / 'out'}"),
        )

    def tree(self):
        """The source that was made: the text of each file."""
        (facts,) = (self.folder / "cache/sources").glob(FACTS)
        root = facts.parent
        return {
            str(path.relative_to(root)): path.read_text()
            for path in root.rglob("*")
            if path.is_file() and path != facts
        }, json.loads(facts.read_text())["patches"]

    def test_is_applied(self):
        for path in (self.configs / "patches").glob("*.patch"):
            path.unlink()
        (self.configs / "patches" / NAME).write_text(PATCH)
        self.assertIn("cannot be built", self.build({"code.c": CODE}).stderr)
        files, applied = self.tree()
        self.assertEqual(files, {"Makefile": MAKEFILE, "Kconfig": "", "code.c": FIXED})
        self.assertEqual(applied, [NAME])

    def test_of_the_project_fit(self):
        """Also where there already: the source of the tests' kernel is patched."""
        for source in config_test.sources():
            version = ".".join(map(str, config_test.version(source)))
            makefile = (source / "Makefile").read_text()
            makefile = re.sub("(?m)^EXTRAVERSION =.*$", "EXTRAVERSION =", makefile)
            for patch in sorted((TOP / "configs/patches").glob("*.patch")):
                (bounds,) = re.findall("^# vmtest: (.*)$", patch.read_text(), re.M)
                arch = bounds.split()[-1]
                if not config_test.flavors(arch, source) \
                        or not is_for(bounds, list(config_test.version(source))):
                    continue
                with self.subTest(f"{patch.name}: {version}"):
                    shutil.rmtree(self.folder / "cache", ignore_errors=True)
                    for other in (self.configs / "patches").glob("*.patch"):
                        other.unlink()
                    shutil.copy(patch, self.configs / "patches")
                    files = {n: (source / n).read_text() for n in files_of(patch)}
                    result = self.build({**files, "Makefile": makefile}, arch)
                    self.assertNotIn("does not apply", result.stderr)
                    patched, applied = self.tree()
                    has_it = f"{patch.name}: the source has it" in result.stderr
                    self.assertEqual(applied, [] if has_it else [patch.name])
                    for name, text in files.items():
                        self.assertEqual(patched[name] == text, has_it)
