# SPDX-License-Identifier: LGPL-2.1-or-later
"""Which compiler is taken, and compilers that come from kernel.org."""

import hashlib
import json
import os
import unittest
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import support
from crosstool import crosstool_name, write_crosstool
from packages import write_folder
from support import CATALOG, environment, mirror, run

ARCH, DATA = next(
    (name, data)
    for name, data in CATALOG["architectures"].items()
    if os.uname().machine in data["host_names"]
)
HOST = DATA.get("crosstool_host")
TARGET = DATA["crosstool_target"]
# Newer than any that is installed.
VERSION = "99.1.0"
NAME = crosstool_name(HOST, VERSION, TARGET)

# Its module is what the compiler makes of nothing, and says which one it was.
MAKEFILE = """
modules:
\t$(CC) -x c -c /dev/null -o $(M)/a.ko
\techo 'compiler $(CC) $(CROSS_COMPILE)' >>$(M)/a.ko
\techo $(M)/a.o >$(M)/modules.order
"""


def shown(*arguments):
    said = support.succeed("vmtest-kbuild toolchain --json", *arguments)
    return json.loads(said)


class ShowTest(support.TestCase):
    def test_choice_and_reason_are_shown(self):
        result = run("vmtest-kbuild", "toolchain", "6.12.117")
        self.assert_status(result, 0)
        self.assertRegex(
            result.stdout,
            rf"^Linux 6.12.117 for {ARCH}: gcc(-12)? \d+\.\d+\.\d+, of GCC 12 to ",
        )

    def test_every_series_and_architecture_has_a_row(self):
        rows = shown("--arch=all")
        expected = [
            (arch, tried.get("min"))
            for arch, data in CATALOG["architectures"].items()
            for tried in CATALOG["gcc"]["tried"]
            # riscv64 begins where the last range does.
            if arch != "riscv64" or tried.get("min") == "6.12"
        ]
        found = [(row["arch"], row["kernels"]["min"]) for row in rows]
        self.assertEqual(found, expected)
        for row in rows:
            self.assertEqual(row["gcc"]["oldest"], 12)
            self.assertEqual(bool(row["chosen"]), bool(row["chosen_version"]))


@unittest.skipUnless(HOST, "kernel.org has no compilers for this machine")
class DownloadTest(support.TestCase):
    def setUp(self):
        super().setUp()
        self.crosstool = self.folder / "crosstool"
        self.cache = self.folder / "cache"
        self.unpacked = self.cache / "toolchains" / NAME
        rule = {"reference": 99, "crosstool": VERSION}
        rule["tried"] = [{"newest": 99, "reason": "a test"}]
        self.rule = rule
        self.catalog = self.folder / "catalog.json"
        self.kernel = write_folder(self.folder / "kernel")
        (self.kernel / "build/Module.symvers").touch()
        (self.kernel / "build/Makefile").write_text(MAKEFILE)

    def serve(self, **options):
        path = write_crosstool(self.crosstool, HOST, VERSION, TARGET, **options)
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        self.write_catalog({**self.rule, "crosstool_sha256": {NAME: digest}})
        self.kernel_org = self.start("kernel_org.py", f"--crosstool={self.crosstool}")
        self.environment = environment(VMTEST_RETRY_SECONDS=0, **mirror(self.kernel_org))

    def write_catalog(self, rule):
        self.catalog.write_text(json.dumps({**CATALOG, "gcc": rule}))

    def build(self, name="module", *options):
        source = self.folder / name
        source.mkdir(exist_ok=True)
        (source / "Makefile").write_text("obj-m := a.o\n")
        return run(
            *("vmtest-vm module", f"--module-source={source}", f"--kernel={self.kernel}"),
            *(f"--catalog={self.catalog}", f"--directory={self.cache}", *options),
            env=self.environment,
        )

    def assert_nothing_is_left(self):
        folder = self.cache / "toolchains"
        left = [path.name for path in folder.glob("*") if path.is_dir()]
        self.assertEqual(left, [])

    def test_a_module_is_built_by_a_downloaded_compiler(self):
        self.serve()
        result = self.build()
        self.assert_status(result, 0)
        module = Path(result.stdout.strip()).read_bytes()
        self.assertEqual(module[:4], b"\x7fELF")
        self.assertIn(f"{self.unpacked}/bin/{TARGET}-gcc ".encode(), module)
        self.assertTrue(module.endswith(f"/bin/{TARGET}-\n".encode()))
        # It is kept, and used again without the network.
        self.kernel_org.stop()
        result = self.build("other")
        self.assert_status(result, 0)
        options = (f"--catalog={self.catalog}", f"--directory={self.cache}")
        (row,) = shown("6.12", *options)
        self.assertTrue(row["present"])

    def test_at_once_it_is_downloaded_once(self):
        self.serve()
        with ThreadPoolExecutor() as pool:
            for result in pool.map(self.build, ["one", "two", "three"]):
                self.assert_status(result, 0)
        requests = [r for r in self.kernel_org.requests() if ".tar." in r["path"]]
        self.assertEqual(len(requests), 1)

    def test_what_is_not_the_catalog_s_is_refused(self):
        self.serve()
        self.write_catalog({**self.rule, "crosstool_sha256": {NAME: "0" * 64}})
        self.assert_one_line(self.build(), 1, NAME, "gcc is version", "0" * 64)
        self.assert_nothing_is_left()
        # Whoever can exchange it could exchange the list beside it.
        self.write_catalog(self.rule)
        self.assert_one_line(self.build(), 1, f"no digest of {NAME}", "gcc is version",
                             "--allow-unverified")
        self.assert_nothing_is_left()
        self.assertEqual(self.kernel_org.requests()[1:], [])
        self.assert_status(self.build("module", "--allow-unverified"), 0)

    def test_what_is_not_kernel_org_s_is_refused(self):
        self.serve()
        self.write_catalog(self.rule)
        for fault, *words in (
            ({"kind": "corrupt", "path": r"\.tar\.xz$"}, NAME, "gcc is version"),
            ({"kind": "wrong_digest", "path": "sha256sums"}, NAME),
            (
                {"kind": "status", "status": 404, "path": "bin/"},
                *("kernel.org's cannot be had", "sha256sums.asc", "404"),
            ),
        ):
            with self.subTest(fault):
                self.kernel_org.control(faults=[{**fault, "count": -1}])
                self.assert_one_line(self.build("module", "--allow-unverified"), 1, *words)
                self.assert_nothing_is_left()
        self.kernel_org.control(faults=[])
        self.assert_status(self.build("module", "--allow-unverified"), 0)

    def test_one_that_does_not_run_is_refused(self):
        self.serve(script="#!/bin/sh\necho no library >&2\nexit 1\n")
        self.assert_one_line(self.build(), 1, f"{TARGET}-gcc")
        self.assert_nothing_is_left()
