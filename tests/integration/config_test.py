# SPDX-License-Identifier: LGPL-2.1-or-later
"""
kconfig keeps what the fragments ask for: each flavor of each architecture, in
the source of the kernel that the tests build, and in those of VMTEST_TEST_SOURCES.
"""

import os
import re
import shutil
import unittest
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import support
from support import CACHE, CATALOG, TOP, run

HOST = os.uname().machine


def sources():
    """Folders of kernel sources that need not be unpacked first."""
    named = os.environ.get("VMTEST_TEST_SOURCES", "")
    folders = [Path(folder).resolve() for folder in named.split(":") if folder]
    if not folders:
        support.package()
    found = sorted(CACHE.glob("work/sources/linux-*/Makefile"))
    return [makefile.parent for makefile in found] + folders


def version(source):
    """Of a source, as numbers that compare."""
    text = (source / "Makefile").read_text()
    names = ("VERSION", "PATCHLEVEL", "SUBLEVEL")
    return [int(re.search(rf"^{n} = (\d+)", text, re.M)[1]) for n in names]


def numbers(text):
    return [int(number) for number in text.split(".")]


def is_for(known, source):
    """Whether the bounds of a part of the catalog have this source's version."""
    has = version(source)
    return numbers(known.get("min", "0")) <= has and (
        "below" not in known or has < numbers(known["below"])
    )


def flavors(arch, source):
    """Those that the catalog has built of this source for the architecture."""
    if not is_for(CATALOG["architectures"][arch], source):
        return []
    return [
        name
        for name, known in CATALOG["flavors"].items()
        if arch in known.get("architectures", [arch]) and is_for(known, source)
    ]


def has_compiler(arch):
    known = CATALOG["architectures"][arch]
    native = HOST in known["host_names"]
    return shutil.which(("" if native else known["cross_prefix"]) + "gcc")


def configure(arch, flavor, source, catalog, **values):
    return run(
        f"vmtest-kbuild config --arch={arch} --flavor={flavor}",
        *(f"--source={source}", f"--catalog={catalog}"),
        env=support.environment(**values),
    )


class ConfigTest(support.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.sources = sources()
        if not cls.sources:
            raise unittest.SkipTest(
                f"no source in {CACHE}/work/sources: name some in VMTEST_TEST_SOURCES"
            )

    def configure_all(self, arch):
        """All flavors of an architecture from all sources."""
        if not has_compiler(arch):
            self.skipTest(f"no compiler for {arch}")
        wanted = [
            (arch, flavor, source, TOP / "configs/vmtest.json")
            for source in self.sources
            for flavor in flavors(arch, source)
        ]
        if not wanted:
            self.skipTest(f"no source for {arch}")
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            results = list(pool.map(lambda w: configure(*w), wanted))
        for (_, flavor, source, _), result in zip(wanted, results):
            with self.subTest(f"{flavor} of {source}"):
                self.assert_status(result, 0)
                self.assertIn("\nCONFIG_MODULES=y\n", result.stdout)
                version = rf'\nCONFIG_LOCALVERSION="-vmtest[0-9.]+{flavor}"\n'
                self.assertRegex(result.stdout, version)

    def test_lost_options_are_named(self):
        configs = self.folder / "configs"
        shutil.copytree(TOP / "configs", configs)
        # A name that no kernel has, one without what it depends on, and one
        # that is bound to other kernels.
        with open(configs / "tiny.config", "a", encoding="ascii") as fragment:
            fragment.write(
                "CONFIG_VMTEST_BOGUS=y # of no kernel\n"
                "CONFIG_NF_CONNTRACK=m\n"
                "CONFIG_VMTEST_BOUND=y [<2.6]\n"
            )
        temporary = self.folder / "temporary"
        temporary.mkdir()
        catalog = configs / "vmtest.json"
        result = configure("host", "tiny", self.sources[0], catalog, TMPDIR=temporary)
        lines = len((configs / "tiny.config").read_text().splitlines())
        self.assert_one_line(
            *(result, 1, "did not keep 2 options"),
            f"CONFIG_VMTEST_BOGUS=y became n (tiny.config:{lines - 2}: of no kernel)",
            f"CONFIG_NF_CONNTRACK=m became n (tiny.config:{lines - 1})",
        )
        self.assertEqual(result.stdout, "")
        self.assertEqual(list(temporary.iterdir()), [])


def add_test(arch):
    def test(self):
        self.configure_all(arch)

    setattr(ConfigTest, f"test_{arch}_keeps_all_options", test)


for name in CATALOG["architectures"]:
    add_test(name)
