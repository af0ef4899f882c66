# SPDX-License-Identifier: LGPL-2.1-or-later
"""Which compiler is taken, and compilers that come from kernel.org."""

import json
import os
import unittest
from concurrent.futures import ThreadPoolExecutor

import support
from crosstool import crosstool_name, write_crosstool
from support import TOP, environment, mirror, run

CATALOG = json.loads((TOP / "configs/vmtest.json").read_text())
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
RELEASE = "6.12.200-vmtest1.0tiny"

# Its module is what the compiler makes of nothing, and says which one it was.
MAKEFILE = """
modules:
\t$(CC) -x c -c /dev/null -o $(M)/a.ko
\techo 'compiler $(CC) $(CROSS_COMPILE)' >>$(M)/a.ko
\techo $(M)/a.o >$(M)/modules.order
"""


def shown(*arguments, **options):
    result = run("vmtest-kbuild", "toolchain", "--json", *arguments, **options)
    return result, json.loads(result.stdout)


class ShowTest(support.TestCase):
    def test_choice_and_reason_are_shown(self):
        result = run("vmtest-kbuild", "toolchain", "6.12.117")
        self.assert_status(result, 0)
        self.assertRegex(
            result.stdout,
            rf"^Linux 6.12.117 for {ARCH}: gcc(-12)? \d+\.\d+\.\d+, of GCC 12 to ",
        )

    def test_every_series_and_architecture_has_a_row(self):
        _, rows = shown("--arch=all")
        expected = [
            (arch, tried.get("min"))
            for arch, data in CATALOG["architectures"].items()
            for tried in CATALOG["gcc"]["tried"]
            # riscv64 begins where the last range does.
            if arch != "riscv64" or tried.get("min") == "6.12"
        ]
        self.assertEqual(
            [(row["arch"], row["kernels"]["min"]) for row in rows], expected
        )
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
        catalog = json.loads(json.dumps(CATALOG))
        catalog["gcc"] = {
            "reference": 99,
            "crosstool": VERSION,
            "tried": [{"newest": 99, "reason": "a test"}],
        }
        self.catalog = self.folder / "catalog.json"
        self.catalog.write_text(json.dumps(catalog))
        self.kernel = self.folder / "kernel"
        for name, text in {
            "vmlinuz": "no kernel\n",
            "build/.config": "",
            "build/Module.symvers": "",
            "build/Makefile": MAKEFILE,
            "build/include/config/kernel.release": f"{RELEASE}\n",
        }.items():
            path = self.kernel / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)

    def serve(self, **options):
        write_crosstool(self.crosstool, HOST, VERSION, TARGET, **options)
        kernel_org = self.start("kernel_org.py", f"--crosstool={self.crosstool}")
        self.environment = environment(**mirror(kernel_org))
        return kernel_org

    def build(self, name="module"):
        source = self.folder / name
        source.mkdir(exist_ok=True)
        (source / "Makefile").write_text("obj-m := a.o\n")
        return run(
            "vmtest-vm",
            "module",
            f"--module-source={source}",
            f"--kernel={self.kernel}",
            f"--catalog={self.catalog}",
            f"--directory={self.cache}",
            env=self.environment,
        )

    def tarball_requests(self, kernel_org):
        return [r for r in kernel_org.requests() if r["path"].endswith(".tar.xz")]

    def assert_nothing_is_left(self):
        folder = self.cache / "toolchains"
        left = [path.name for path in folder.glob("*") if path.is_dir()]
        self.assertEqual(left, [])

    def test_a_module_is_built_by_a_downloaded_compiler(self):
        kernel_org = self.serve()
        result = self.build()
        self.assert_status(result, 0)
        with open(result.stdout.strip(), "rb") as file:
            module = file.read()
        self.assertEqual(module[:4], b"\x7fELF")
        self.assertIn(f"{self.unpacked}/bin/{TARGET}-gcc ".encode(), module)
        self.assertTrue(module.endswith(f"/bin/{TARGET}-\n".encode()))
        # It is kept, and used again without the network.
        kernel_org.stop()
        result = self.build("other")
        self.assert_status(result, 0)
        _, (row,) = shown(
            "6.12", f"--catalog={self.catalog}", f"--directory={self.cache}"
        )
        self.assertTrue(row["present"])

    def test_at_once_it_is_downloaded_once(self):
        kernel_org = self.serve()
        with ThreadPoolExecutor() as pool:
            for result in pool.map(self.build, ["one", "two", "three"]):
                self.assert_status(result, 0)
        self.assertEqual(len(self.tarball_requests(kernel_org)), 1)

    def test_a_damaged_one_is_refused(self):
        kernel_org = self.serve()
        kernel_org.control(
            faults=[{"kind": "corrupt", "path": r"\.tar\.xz$", "count": -1}]
        )
        self.environment["VMTEST_RETRY_SECONDS"] = "0"
        self.assert_one_line(self.build(), 1, NAME, "gcc is version")
        self.assert_nothing_is_left()
        kernel_org.control(faults=[])
        self.assert_status(self.build(), 0)

    def test_one_with_another_digest_is_refused(self):
        kernel_org = self.serve()
        kernel_org.control(
            faults=[{"kind": "wrong_digest", "path": "sha256sums", "count": -1}]
        )
        self.environment["VMTEST_RETRY_SECONDS"] = "0"
        self.assert_one_line(self.build(), 1, NAME)
        self.assert_nothing_is_left()

    def test_one_that_is_not_there_is_an_error(self):
        kernel_org = self.serve()
        kernel_org.control(
            faults=[{"kind": "status", "status": 404, "path": "bin/", "count": -1}]
        )
        self.assert_one_line(
            self.build(), 1, "kernel.org's cannot be had", "sha256sums.asc", "404"
        )

    def test_one_that_does_not_run_is_refused(self):
        self.serve(script="#!/bin/sh\necho no library >&2\nexit 1\n")
        self.assert_one_line(self.build(), 1, f"{TARGET}-gcc")
        self.assert_nothing_is_left()
