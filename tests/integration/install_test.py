# SPDX-License-Identifier: LGPL-2.1-or-later
"""What `cmake --install` installs works from its prefix; so does what cpack packs."""

import json
import platform
import re
import shutil
import subprocess
import unittest
import urllib.request

import support
from support import TOP, environment

PROGRAMS = ("vmtest-bot", "vmtest-kbuild", "vmtest-vm")


# A command line, and what it is completed to.
COMPLETIONS = (
    ("vmtest-vm ru", "run"),
    ("vmtest-vm run --fail", "--fail-on-splat"),
    ("vmtest-vm run -f ti", "tiny"),
    ("vmtest-kbuild tool", "toolchain"),
    ("vmtest-bot prune --keep-", "--keep-days"),
)


class InstallTest(support.TestCase):
    def setUp(self):
        super().setUp()
        support.install(self.folder)

    def run_installed(self, program, *arguments):
        return support.run(self.folder / "bin" / program, *arguments)

    def test_programs_work_from_the_prefix(self):
        text = (TOP / "CMakeLists.txt").read_text()
        (version,) = re.findall(r"project\(vmtest VERSION ([0-9.]+)", text)
        for program in PROGRAMS:
            with self.subTest(program):
                result = self.run_installed(program, "--version")
                self.assertEqual(result.stdout, f"{program} {version}\n")
        # Fragments and the init script are found.
        result = self.run_installed("vmtest-kbuild", "config", "6.12.117", "-f", "tiny")
        self.assert_status(result, 0)
        self.assertIn("CONFIG_SLUB_TINY=y", result.stdout)
        words = ("run", "-k", support.kernel(), "uname", "-r")
        result = self.run_installed("vmtest-vm", *words)
        self.assert_status(result, 0)
        self.assertEqual(result.stdout, support.release() + "\n")

    def test_manual_has_a_page_for_each_command(self):
        if not shutil.which("help2man"):
            self.skipTest("there is no help2man")
        pages = self.folder / "share/man/man1"
        for program in PROGRAMS:
            text = (pages / f"{program}.1").read_text()
            for command in self.complete(program, ""):
                if not command.startswith("-"):
                    with self.subTest(f"{program} {command}"):
                        page = (pages / f"{program}-{command}.1").read_text()
                        self.assertIn("Common options", page)
                        self.assertIn(f"\n{command}\n", text)

    def complete(self, program, *words):
        result = self.run_installed(program, "__complete", *words)
        self.assert_status(result, 0)
        return [line.partition("\t")[0] for line in result.stdout.splitlines()]

    def shell(self, *command):
        path = f"{self.folder / 'bin'}:{environment()['PATH']}"
        env = environment(PATH=path, HOME=self.folder)
        return support.succeed(shutil.which(command[0]), *command[1:], env=env)

    def test_bash_completes(self):
        for line, wanted in (*COMPLETIONS, ("vmtest-vm run --accel=k", "kvm")):
            with self.subTest(line):
                program = line.split()[0]
                file = self.folder / "share/bash-completion/completions" / program
                script = 'source "$1"; COMP_LINE=$2 COMP_POINT=${#2}; _vmtest; echo "${COMPREPLY[*]}"'
                output = self.shell("bash", "-c", script, "bash", file, line)
                self.assertEqual(output, wanted + "\n")

    @unittest.skipUnless(shutil.which("fish"), "there is no fish")
    def test_fish_completes(self):
        for line, wanted in COMPLETIONS:
            with self.subTest(line):
                program = line.split()[0]
                file = self.folder / f"share/fish/vendor_completions.d/{program}.fish"
                output = self.shell("fish", "-c", f"source {file}; complete -C '{line}'")
                self.assertEqual(output.split("\t")[0], wanted)

    @unittest.skipUnless(shutil.which("zsh"), "there is no zsh")
    def test_zsh_completes(self):
        functions = self.folder / "share/zsh/site-functions"
        for line, wanted in COMPLETIONS[:2]:
            with self.subTest(line):
                # A function says what the program would be called with.
                program, *words = line.split(" ")
                script = f"""
                    zmodload zsh/zpty
                    zpty shell zsh -f -i
                    zpty -w shell 'fpath=({functions} $fpath); autoload -U compinit'
                    zpty -w shell 'compinit -u -D; PS1=; {program}() {{
                        [ "$1" = __complete ] && command {program} "$@" || print -r -- "<$*>"
                    }}; print rea\\dy'
                    zpty -r shell output '*ready*'
                    zpty -w shell {line!r}$'\\t'
                    zpty -r shell output '*<*>*' && print -r -- $output
                """
                output = self.shell("zsh", "-f", "-c", script)
                self.assertIn(f"<{' '.join([*words[:-1], wanted])}>", output)


# What a package must have, below /usr; each is a pattern for at least one file.
PACKED = (
    "bin/vmtest-(bot|kbuild|vm)",
    "share/man/man1/vmtest-vm-run.1.gz",
    "share/bash-completion/completions/vmtest-vm",
    "share/fish/vendor_completions.d/vmtest-vm.fish",
    "share/zsh/vendor-completions/_vmtest",
    "share/vmtest/configs/vmtest.json",
    "share/vmtest/configs/tiny.config",
    "share/vmtest/configs/patches/.*.patch",
    "share/vmtest/module/(Makefile|main.c|compat.h|compat/.*.h|stack/.*.c)",
    "share/vmtest/drgn/(vmtest.json|test_mm.py)",
    "share/vmtest/(busybox-root|init.sh|fstab|key)",
    "share/vmtest/dev/fd -> /proc/self/fd",
    "share/vmtest/guest/.*/vmtest-kexec",
    "share/doc/vmtest/(copyright|changelog.Debian.gz|NEWS.gz)",
    "share/lintian/overrides/vmtest",
)


@unittest.skipUnless(shutil.which("dpkg-deb") and shutil.which("file"), "no dpkg-deb, or no file")
class PackageTest(support.TestCase):
    """tests/packages installs one in a clean system."""

    @classmethod
    def setUpClass(cls):
        cls.packages = support.class_directory(cls)
        config = support.BIN.parent / "CPackConfig.cmake"
        support.succeed(shutil.which("cpack"), "--config", config, "-B", cls.packages)

    def test_debian_package_has_all_that_is_installed(self):
        (package,) = self.packages.glob("vmtest_*.deb")
        listed = support.succeed(shutil.which("dpkg-deb"), "-c", package).splitlines()
        names = {}
        for line in listed:
            mode, owner, _, _, _, name = line.split(maxsplit=5)
            names[name.removeprefix("./usr/")] = mode
            self.assertEqual(owner, "root/root", line)
            self.assertRegex(mode, r"^(l|-rwxr-xr-x|-rw-r--r--|drwxr-xr-x)", line)
            self.assertNotRegex(name, r"__pycache__|/LICENSE$")
        for pattern in PACKED:
            with self.subTest(pattern):
                self.assertTrue([n for n in names if re.fullmatch(pattern, n)], names)
        def field(name):
            return support.succeed(shutil.which("dpkg-deb"), "-f", package, name)
        for name, wanted in (("Depends", "libc6 "), ("Depends", "libgit2-"),
                             ("Recommends", "qemu-system-"), ("Recommends", "busybox-static"),
                             ("Suggests", "gcc, make"), ("Version", "-")):
            self.assertIn(wanted, field(name))
        self.assertNotIn("curl", field("Recommends"))

    def test_programs_of_the_tarball_work_where_it_is_unpacked(self):
        (tarball,) = self.packages.glob("vmtest-*.tar.gz")
        support.succeed(shutil.which("tar"), "-C", self.folder, "-xf", tarball)
        program = self.folder / tarball.name.removesuffix(".tar.gz") / "bin/vmtest-kbuild"
        printed = support.succeed(program, "config", "6.12.117", "-f", "tiny")
        self.assertIn("CONFIG_SLUB_TINY=y", printed)


@unittest.skipUnless(shutil.which("dpkg-deb"), "no dpkg-deb")
class PrebuiltTest(support.TestCase):
    """What the action installs: a release's package of its own sources, or what it builds."""

    INSTALL = TOP / ".github/actions/tool/install"

    def setUp(self):
        super().setUp()
        self.github = self.start("github.py")
        self.key = support.succeed(self.INSTALL, "--key").strip()

    def publish(self, key):
        """A release of this version, with a package that is made of such sources."""
        root = self.folder / "root"
        for name, text in (("DEBIAN/control", "Package: vmtest\nVersion: 0\nArchitecture: all\n"
                            "Depends: libc6\nMaintainer: me <me@example>\nDescription: it\n"),
                           ("usr/share/vmtest/key", key), ("usr/bin/vmtest-vm", "#!/bin/sh\n")):
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(text)
        (root / "usr/bin/vmtest-vm").chmod(0o755)
        package = self.folder / "package.deb"
        subprocess.run(["dpkg-deb", "-b", root, package], check=True, stdout=subprocess.DEVNULL)
        (version,) = re.findall(r"project\(vmtest VERSION ([0-9.]+)",
                                (TOP / "CMakeLists.txt").read_text())
        system = platform.freedesktop_os_release()
        machine = support.succeed(shutil.which("dpkg"), "--print-architecture").strip()
        name = f"vmtest_{version}-{system['ID']}{system.get('VERSION_ID', '')}_{machine}.deb"

        def post(url, data):
            request = urllib.request.Request(url, data, {"Authorization": "Bearer write-token"})
            with urllib.request.urlopen(request) as answer:
                return json.load(answer)

        api = f"{self.github.urls['GITHUB_API_URL']}/repos/octo/kernels/releases"
        release = post(api, json.dumps({"tag_name": f"v{version}"}).encode())
        post(release["upload_url"].partition("{")[0] + f"?name={name}", package.read_bytes())

    def install(self, is_attested):
        gh = f'echo "$*" >>{self.folder}/gh; exit {int(not is_attested)}'
        path = self.path_with({"gh": gh, "cmake": "echo building >&2; exit 9"})
        values = {"GITHUB_SERVER_URL": self.github.urls["GITHUB_SERVER_URL"], "PATH": path,
                  "GITHUB_PATH": self.folder / "path"}
        return support.run(self.INSTALL, self.folder / "prefix", "octo/kernels",
                           env=environment(**values))

    def test_package_of_these_sources_that_is_attested(self):
        self.publish(self.key)
        self.assert_status(self.install(True), 0)
        self.assertEqual((self.folder / "path").read_text(), f"{self.folder}/prefix/bin\n")
        self.assertEqual((self.folder / "prefix/share/vmtest/depends").read_text(), "libc6\n")
        self.assertRegex((self.folder / "gh").read_text(),
                         r"^attestation verify \S+\.deb --repo octo/kernels --signer-workflow "
                         r"octo/kernels/.github/workflows/publish-vmtest.yml$")

    def test_otherwise_it_is_built(self):
        self.assertIn("building", self.install(True).stderr)  # There is no release.
        self.publish("another")
        result = self.install(True)
        self.assertIn("is made of other sources than these", result.stderr)
        self.assertIn("building", result.stderr)
        self.assertFalse((self.folder / "prefix").exists())

    def test_one_that_is_not_attested_is_not_used(self):
        self.publish(self.key)
        self.assertIn("building", self.install(False).stderr)
        self.assertFalse((self.folder / "prefix").exists())
