# SPDX-License-Identifier: LGPL-2.1-or-later
"""
What the project covers grows and shrinks by files under configs/ alone: each test
edits a copy of that folder, and nothing else, and asks the programs what follows.
"""

import json
import re
import shutil

import config_test
import support
from support import TOP, mirror, run

LOCKDEP = """\
CONFIG_SMP=y
CONFIG_PROVE_LOCKING=y # locks taken in an order that can deadlock are reported
CONFIG_DEBUG_ATOMIC_SLEEP=y # and sleeping where one must not
"""


class ExtendTest(support.TestCase):
    def setUp(self):
        super().setUp()
        self.configs = self.folder / "configs"
        shutil.copytree(TOP / "configs", self.configs)
        self.path = self.configs / "vmtest.json"
        self.catalog = json.loads(self.path.read_text())

    def edit(self, fragments=()):
        """Write the catalog as a test has changed it, and new fragments."""
        self.path.write_text(json.dumps(self.catalog))
        for name, text in dict(fragments).items():
            (self.configs / name).write_text(text)

    def plan(self, *versions):
        """(series, architecture, flavor) of what an empty store lacks."""
        kernel_org = self.start_kernel_org(*versions)
        result = run("vmtest-bot plan --json", f"--catalog={self.path}",
                     f"--store=dir:{self.folder / 'store'}",
                     env=support.environment(**mirror(kernel_org)))
        self.assert_status(result, 0)
        return {(kernel["series"], kernel["arch"], kernel["flavor"])
                for kernel in json.loads(result.stdout)}

    def compose(self, arch, flavor):
        command = f"vmtest-kbuild config 6.12.117 --arch={arch} --flavor={flavor}"
        return support.succeed(command, f"--catalog={self.path}")

    def unbound_flavors(self):
        """Those of all kernels."""
        return [name for name, flavor in self.catalog["flavors"].items()
                if "reason" not in flavor]

    def add_lockdep(self, **bounds):
        self.catalog["flavors"]["lockdep"] = {
            "minor": 0, "summary": "reports wrong locking", **bounds}
        self.edit({"lockdep.config": LOCKDEP})

    def test_a_flavor(self):
        before = self.plan("6.12.117")
        self.add_lockdep()
        self.assertEqual(
            self.plan("6.12.117") - before,
            {("6.12", arch, "lockdep") for arch in self.catalog["architectures"]})
        for arch in self.catalog["architectures"]:
            self.assertIn("CONFIG_PROVE_LOCKING=y\n", self.compose(arch, "lockdep"))

    def test_a_flavor_of_some_kernels(self):
        before = self.plan("6.11.11", "6.12.117")
        self.add_lockdep(architectures=["arm"], min="6.12", reason="it is a test")
        self.assertEqual(self.plan("6.11.11", "6.12.117") - before,
                         {("6.12", "arm", "lockdep")})
        self.assertIn("CONFIG_PROVE_LOCKING=y\n", self.compose("arm", "lockdep"))
        for version, arch in ("6.12.117", "s390x"), ("6.11.11", "arm"):
            for command in "config", f"build -o {self.folder}/out --version":
                result = run(f"vmtest-kbuild {command} {version} --arch={arch}",
                             "--flavor=lockdep", f"--catalog={self.path}")
                self.assert_one_line(
                    result, 2, "the flavor lockdep is only for arm from 6.12: it is a test")

    def test_options_of_a_project(self):
        fragment = self.folder / "more.config"
        fragment.write_text("CONFIG_ZRAM=m # swap\n# CONFIG_AIO is not set\nCONFIG_SWAP=n [<2.6]\n")
        command = "vmtest-kbuild config 6.12.117 --arch=x86_64 --flavor=tiny"
        plain = support.succeed(command)
        names = set()
        for words in ([f"--config-fragment={fragment}"],
                      ["--config-option=CONFIG_ZRAM=m", "--config-option=CONFIG_SWAP=n"],
                      [f"--config-fragment={fragment}", "--config-option=CONFIG_ZRAM=y"]):
            text = support.succeed(command, *words)
            names.add(re.search(r'"-vmtest1\.0tiny_([0-9a-f]{8})"', text)[1])
            self.assertIn("CONFIG_ZRAM=" + ("m", "y")[len(names) == 3], text)
            self.assertEqual("# CONFIG_SWAP is not set" in text, len(names) == 2)
            self.assertEqual("# CONFIG_AIO is not set" in text, len(names) != 2)
            self.assertEqual(text, support.succeed(command, *words))
        self.assertEqual(len(names), 3)
        self.assertIn('"-vmtest1.0tiny"', plain)
        for option, words in {
            "ZRAM=m": "--config-option:1: 'ZRAM=m' sets no option; a line is CONFIG_NAME=value",
            "CONFIG_SWAP": "--config-option:1: CONFIG_SWAP has no '='",
        }.items():
            self.assert_one_line(run(command, f"--config-option={option}"), 2, words)

    def test_a_flavor_is_built_from_sources(self):
        sources = config_test.sources()
        if not sources:
            self.skipTest("no source is unpacked: name some in VMTEST_TEST_SOURCES")
        self.add_lockdep()
        result = config_test.configure("host", "lockdep", sources[-1], self.path)
        self.assert_status(result, 0)
        self.assertIn("\nCONFIG_LOCKDEP=y\n", result.stdout)
        self.assertIn('-vmtest1.0lockdep"\n', result.stdout)

    def test_a_series(self):
        self.assertEqual(self.plan("4.4.302"), set())
        self.catalog["series"].insert(0, {"min": "4.4", "below": "4.5"})
        self.edit()
        # The architectures that are not there have a later minimum.
        self.assertEqual(
            self.plan("4.4.302"),
            {("4.4", "x86_64", flavor) for flavor in self.unbound_flavors()})

    def test_an_architecture(self):
        self.catalog["architectures"]["loongarch64"] = {
            **self.catalog["architectures"]["riscv64"],
            "kernel_arch": "loongarch", "source_arch": "loongarch",
            "cross_prefix": "loongarch64-linux-gnu-",
            "image_target": "vmlinuz.efi",
            "image_path": "arch/loongarch/boot/vmlinuz.efi",
            "crosstool_target": "loongarch64-linux", "debian_arch": "loong64",
            "host_names": ["loongarch64"], "qemu": "qemu-system-loongarch64",
        }
        self.edit({"loongarch64.config": "CONFIG_SERIAL_8250=y # the console\n"})
        new = {kernel for kernel in self.plan("6.11.11", "6.12.117")
               if kernel[1] == "loongarch64"}
        self.assertEqual(new, {("6.12", "loongarch64", flavor)
                               for flavor in self.unbound_flavors()})
        self.assertIn("CONFIG_SERIAL_8250=y\n", self.compose("loongarch64", "tiny"))

    def test_one_line_switches_off(self):
        everything = self.plan("6.11.11", "6.12.117")
        self.catalog["architectures"]["s390x"]["enabled"] = False
        self.catalog["series"].append(
            {"min": "6.11", "below": "6.12", "enabled": False})
        self.edit()
        self.assertEqual(
            self.plan("6.11.11", "6.12.117"),
            {(series, arch, flavor) for series, arch, flavor in everything
             if series != "6.11" and arch != "s390x"})
