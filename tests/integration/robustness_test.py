# SPDX-License-Identifier: LGPL-2.1-or-later
"""
Every command that makes something: several at once, killed at random moments, on
a full disk, on a read-only one, without standard streams. Afterwards nothing half
has a valid name, a second run succeeds, an error is one line, and no process is
left.

VMTEST_SEED, which is printed, chooses the moments of death.
"""

import hashlib
import json
import os
import random
import re
import shutil
import sys
import time
import unittest

import support
from support import BIN, descendants, environment, mirror, program_of

import mounts
import signer
from built_kernel import catalog_without_patches, put_package, write_source
from packages import RELEASE, entry, package_entries, package_name, tarball
from packages import write_folder, write_package

ARCH = os.uname().machine
NEWER = RELEASE.replace("200", "201")
SEED = int(os.environ.get("VMTEST_SEED", time.time_ns() % (1 << 32)))
KILLS = 8
SIZE = 4 << 20
FULL = "No space left on device"

# As that of a kernel to vmtest-kbuild, whose files it makes, and not much in them.
MAKEFILE = """\
VERSION = 6
PATCHLEVEL = 12
SUBLEVEL = 117
EXTRAVERSION =
RELEASE = 6.12.117-vmtest1.0tiny
MADE = Module.symvers arch/x86/include/x include/config/auto.conf \\
	include/generated/x scripts/basic/fixdep scripts/mod/modpost

allnoconfig:
	cp $(KCONFIG_ALLCONFIG) $(O)/.config
olddefconfig:
include/config/kernel.release:
	mkdir -p $(O)/include/config
	echo $(RELEASE) >$(O)/$@
vmlinux:
	sleep 0.3
	mkdir -p $(addprefix $(O)/,$(dir $(MADE)))
	touch $(addprefix $(O)/,$(MADE))
	cp noise $(O)/vmlinux
bzImage: vmlinux
	mkdir -p $(O)/arch/x86/boot
	touch $(O)/arch/x86/boot/bzImage
modules:
	test ! "$(M)" || touch $(M)/vmtest_trial.ko
modules_install:
	mkdir -p $(INSTALL_MOD_PATH)/lib/modules/$(RELEASE)/kernel
	touch $(INSTALL_MOD_PATH)/lib/modules/$(RELEASE)/modules.dep
"""

# That of an unpacked package, whose modules are large, and made of nothing.
MODULE_MAKEFILE = """\
modules:
	$(CC) -x c -c /dev/null -o $(M)/a.ko
	sleep 0.2
	head -c 4000000 /dev/zero >>$(M)/a.ko
	echo $(M)/a.o >$(M)/modules.order
"""


def setUpModule():
    print(f"robustness_test: VMTEST_SEED={SEED}", file=sys.stderr)


def fill(folder, files):
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data.encode() if isinstance(data, str) else data)


def snapshot(path):
    """All that a file or a folder holds."""
    if path.is_symlink():
        return os.readlink(path)
    if path.is_dir():
        return {child.name: snapshot(child) for child in path.iterdir()}
    return hashlib.sha256(path.read_bytes()).hexdigest()


class Command:
    """
    One that makes what `pattern` matches below the folder `made`, from what the
    constructor puts beside it. The same is there whenever it has ended well.
    """

    status = 0
    pattern = ""
    # Of the disk that is too small, in bytes; 0: it needs next to none.
    disk = SIZE // 2
    full_words = (FULL,)
    read_only_words = ("Read-only file system",)

    def __init__(self, case):
        self.folder = case.folder
        self.made = case.folder / "made"
        self.env = {}
        self.prepare(case)

    def prepare(self, case):
        """What is needed once."""

    def start_over(self):
        """What is there before it makes anything."""

    def command(self):
        """The program and its arguments."""
        raise NotImplementedError

    def content(self, path):
        """What counts of what was made."""
        return snapshot(path)

    def times_made(self, said):
        """How often since it started over, by what all have said; None: many."""
        return None

    def found(self):
        paths = self.made.glob(self.pattern)
        return {str(p.relative_to(self.made)): self.content(p) for p in paths}


class Publish(Command):
    pattern = "kernel-*.zst"

    def prepare(self, case):
        self.package = case.folder / package_name()
        write_package(self.package, package_entries(size=SIZE))

    def command(self):
        return "vmtest-bot publish", self.package, f"--store=dir:{self.made}"


class Plan(Command):
    pattern = "plan.json"
    disk = 4096

    def prepare(self, case):
        offer = [f"6.{minor}.1" for minor in range(1, 40)]
        self.env = mirror(case.start_kernel_org(offer=offer))

    def command(self):
        output = f"--output={self.made / 'plan.json'}"
        return "vmtest-bot plan", output, f"--store=dir:{self.folder / 'store'}"


class BotPrune(Command):
    """Of what is superseded, in a store."""

    pattern = "kernel-*.zst"
    disk = 0
    full_words = ()

    def prepare(self, case):
        self.packages = {
            package_name(f"6.12.{n}-vmtest1.0tiny"): os.urandom(SIZE) for n in range(9)
        }

    def start_over(self):
        fill(self.made, self.packages)

    def command(self):
        return "vmtest-bot prune --keep=1 --keep-days=0", f"--store=dir:{self.made}"


class Fetch(Command):
    pattern = "linux.tar.xz"

    def prepare(self, case):
        path = case.folder / "source.tar.xz"
        source = write_source(path, "6.12.117", os.urandom(SIZE))
        source = f"--source=6.12.117={source}"
        self.kernel_org = case.start("kernel_org.py", source)
        slow = {"kind": "slow", "path": "tar.xz$", "bytes_per_second": SIZE * 4}
        self.kernel_org.control(faults=[{**slow, "count": -1}])
        self.env = mirror(self.kernel_org)

    def start_over(self):
        self.before = len(self.kernel_org.requests(fault="slow"))

    def times_made(self, said):
        return len(self.kernel_org.requests(fault="slow")) - self.before

    def command(self):
        return "vmtest-kbuild fetch 6.12.117", f"--output={self.made / 'linux.tar.xz'}"


class Build(Command):
    pattern = "kernel-*.zst"
    # make's log has it.
    full_words = ()

    def prepare(self, case):
        self.source = case.folder / "source"
        for name in ("arch/x86/include", "include", "scripts"):
            (self.source / name).mkdir(parents=True)
        files = {"Makefile": MAKEFILE, "noise": os.urandom(SIZE)}
        fill(self.source, {**files, "arch/x86/Makefile": "", "scripts/x": ""})
        tools = {"strip": 'cp "$6" "$5"', "objcopy": 'cp "$3" "$4"', "eu-strip": "true"}
        self.env = {"PATH": case.path_with(tools)}

    def command(self):
        command = "vmtest-kbuild build --arch=x86_64 --flavor=tiny"
        return command, f"--source={self.source}", f"--output={self.made}"


class Download(Command):
    pattern = f"{ARCH}/kernel-*"

    def times_made(self, said):
        return sum(f"download {package_name()}: " in text for text in said)

    def prepare(self, case):
        self.store = case.folder / "store"
        write_package(self.store / package_name(), package_entries(size=SIZE))

    def command(self):
        command = f"vmtest-vm download --kernel={RELEASE}"
        return command, f"--store=dir:{self.store}", f"--directory={self.made}"


class Module(Command):
    pattern = "*/module/*/*/*/*.ko"
    # make's log has it.
    full_words = ()

    def prepare(self, case):
        self.kernel = write_folder(case.folder / "kernel")
        fill(self.kernel / "build", {"Module.symvers": "", "Makefile": MODULE_MAKEFILE})
        fill(case.folder / "module", {"Makefile": "obj-m := a.o\n"})

    def command(self):
        options = (f"--kernel={self.kernel}", f"--module-source={self.folder / 'module'}")
        return "vmtest-vm module", f"--directory={self.made}", *options


class Rootfs(Command):
    pattern = f"{ARCH}/rootfs"

    def prepare(self, case):
        tree = case.folder / "tree"
        fill(tree, {"etc/os-release": "x", "data": os.urandom(SIZE)})
        # As mmdebstrap does, it cleans up when it is told to end.
        make = f"trap 'exit 1' TERM; sleep 0.2; tar -C '{tree}' -cf - ."
        self.env = {"PATH": case.path_with({"mmdebstrap": make})}

    def command(self):
        return "vmtest-vm rootfs --arch=host", f"--directory={self.made}"


class VmPrune(Command):
    """Of what is superseded, among what was downloaded."""

    pattern = f"{ARCH}/kernel-*"
    disk = 0
    full_words = ()

    def start_over(self):
        kernels = self.made / ARCH
        write_folder(kernels / f"kernel-{NEWER}", NEWER)
        modules = write_folder(kernels / f"kernel-{RELEASE}") / "kernel"
        modules.mkdir()
        for number in range(200):
            (modules / str(number)).symlink_to("x")

    def content(self, path):
        """Noise is in it, but each file."""
        return len(list(path.rglob("*")))

    def command(self):
        return "vmtest-vm prune", f"--directory={self.made}"


class RunInGuest(Command):
    """Without a guest: its results are what it makes."""

    status = 125
    pattern = "result.json"
    disk = 0
    name = "run"

    def prepare(self, case):
        self.kernel = write_folder(case.folder / "kernel")
        scripts = {"qemu-system-x86_64": "sleep 0.3; exit 1"}
        self.env = {"PATH": case.path_with(scripts)}

    def outputs(self):
        return (f"--result={self.made / 'result.json'}",)

    def content(self, path):
        return json.loads(path.read_text())["outcome"]

    def command(self):
        command = f"vmtest-vm {self.name} --accel=tcg --arch=x86_64"
        return command, f"--kernel={self.kernel}", *self.outputs(), "--", "true"


class TestSuite(RunInGuest):
    status = 1
    pattern = "junit.xml"
    name = "test"

    def outputs(self):
        logs = f"--log-directory={self.folder / 'logs'}"
        return (f"--junit={self.made / 'junit.xml'}", logs)

    def content(self, path):
        return path.read_text().rstrip().endswith("</testsuites>")


COMMANDS = (
    *(Publish, Plan, BotPrune, Fetch, Build),
    *(Download, Module, Rootfs, VmPrune, RunInGuest, TestSuite),
)
STREAMS = ("<&-", ">&-", "2>&-", "<&- >&- 2>&-")


class CommandTest(support.TestCase):
    def start_over(self, command):
        for name in ("made", "work"):
            shutil.rmtree(self.folder / name, ignore_errors=True)
        command.made.mkdir()
        command.start_over()

    def start_command(self, command, prefix=()):
        """Its streams are the test's to read."""
        program, *arguments = command.command()
        words = [*prefix, *support.command_line(program, arguments)]
        return self.popen(shutil.which(words[0]), *words[1:], env=environment(**command.env))

    def run_command(self, command, prefix=()):
        return self.end(self.start_command(command, prefix))

    def learn(self, command):
        """What it makes where nothing goes wrong, and how long that takes."""
        self.start_over(command)
        start = time.monotonic()
        result = self.run_command(command)
        for reason in ("without root", "no keys to check"):
            if reason in result.stderr:
                self.skipTest(result.stderr)
        self.assert_status(result, command.status)
        self.seconds = time.monotonic() - start
        self.proper = command.found()
        self.assertTrue(self.proper)

    def assert_nothing_half(self, command):
        for name, content in command.found().items():
            if name in self.proper:
                self.assertEqual(content, self.proper[name], name)

    def assert_repaired(self, command):
        """A run now is as if nothing had happened, and leaves no litter."""
        self.assert_status(self.run_command(command), command.status)
        self.assertEqual(command.found(), self.proper)
        for litter in (".*partial*", ".vmtest-deleted*"):
            self.assertEqual(list(command.made.rglob(litter)), [])

    def at_once(self, command):
        self.start_over(command)
        processes = [self.start_command(command) for _ in range(3)]
        said = []
        for result in [self.end(process) for process in processes]:
            self.assert_status(result, command.status)
            said.append(result.stderr)
        self.assertEqual(command.found(), self.proper)
        self.assertIn(command.times_made(said), (None, 1), said)

    def killed(self, command, generator):
        self.start_over(command)
        for _ in range(KILLS):
            process = self.start_command(command)
            started = self.kill_within(process, generator.uniform(0, self.seconds))
            self.assert_nothing_half(command)
            self.assert_all_gone(started)
            if command.status == 0 and command.found() == self.proper:
                self.start_over(command)
        self.assert_repaired(command)

    def on_a_bad_disk(self, command, prefix, words):
        shutil.rmtree(command.made)
        command.made.mkdir()
        result = self.run_command(command, prefix)
        self.assertNotEqual(result.returncode, command.status, result.stderr)
        self.assert_status(result, 1)
        # Before it, the end of make's log.
        errors = re.findall("error: (?![|]).*", result.stderr)
        self.assertEqual(len(errors), 1, result.stderr)
        for word in words:
            self.assertIn(word, errors[0])
        listing = (self.folder / "listing").read_text().split()
        self.assertFalse({f"./{name}" for name in self.proper} & {*listing})
        self.assert_repaired(command)

    def without_streams(self, command):
        for closed in STREAMS:
            self.start_over(command)
            shell = ("/bin/sh", "-c", f'exec "$0" "$@" {closed}')
            result = self.run_command(command, shell)
            # What it has to say may not be heard: that is an error of its own.
            self.assertIn(result.returncode, (command.status, 1), result.stderr)
            errors = 1 if command.status == 0 else 2
            self.assertLessEqual(result.stderr.count("error:"), errors)
            self.assert_nothing_half(command)
            self.assert_repaired(command)

    def check(self, kind):
        command = kind(self)
        self.learn(command)
        with self.subTest("at once"):
            self.at_once(command)
        with self.subTest("killed"):
            self.killed(command, random.Random(SEED))
        with self.subTest("without streams"):
            self.without_streams(command)
        if not command.disk or mounts.why_not():
            return
        listing = self.folder / "listing"
        with self.subTest("full disk"):
            prefix = mounts.full(command.made, command.disk, listing)
            self.on_a_bad_disk(command, prefix, command.full_words)
        with self.subTest("read-only disk"):
            prefix = mounts.read_only(command.made, listing)
            self.on_a_bad_disk(command, prefix, command.read_only_words)


def add_test(kind):
    setattr(CommandTest, f"test_{kind.__name__}", lambda self: self.check(kind))


for each in COMMANDS:
    if ARCH == "x86_64" or each is not Build:
        add_test(each)


class BotTest(support.TestCase):
    """The bot with a real kernel, which it finds built, and boots."""

    def setUp(self):
        super().setUp()
        self.package, self.release = support.package(), support.release()
        self.version = self.release.partition("-")[0]
        self.catalog = catalog_without_patches(self.folder / "configs")
        self.tarball = self.folder / f"linux-{self.version}.tar.xz"
        self.work = self.folder / "work"

    def put_package(self):
        put_package(self.package, self.work, self.tarball, BIN, catalog=self.catalog)

    def start_build(self, output):
        return self.popen(
            *(f"vmtest-bot build {self.release}", f"--tarball={self.tarball}"),
            *(f"--catalog={self.catalog}", f"--directory={self.work}"),
            *(f"--output={output}", f"--result={output / 'result.json'}"),
        )

    def assert_builds(self, *outputs):
        processes = [self.start_build(output) for output in outputs]
        for process, output in zip(processes, outputs):
            self.assert_status(self.end(process, 300), 0)
            package = output / self.package.name
            self.assertEqual(package.read_bytes(), self.package.read_bytes())
            result = json.loads((output / "result.json").read_text())
            self.assertEqual(result["outcome"], "built")
        # Nothing that is whole: what make had begun may be gone on with.
        self.assertEqual(list((self.work / "packages").glob("[!.]*")), [])

    def test_two_boot_one_package(self):
        signer.write_proof(write_source(self.tarball, self.version))
        self.put_package()
        self.assert_builds(self.folder / "one", self.folder / "other")

    @unittest.skipUnless(ARCH == "x86_64", "the source is of an x86_64 kernel")
    def test_one_that_dies_in_make(self):
        """Whatever it is run for: each time it sleeps first."""
        makefile = "$(shell sleep 0.5)\n" + MAKEFILE
        folder = f"linux-{self.version}"
        files = {"Makefile": makefile, "Kconfig": "", "noise": "x"}
        entries = [entry(f"{folder}/{n}", t.encode()) for n, t in files.items()]
        self.tarball.write_bytes(tarball(entries, ("xz", "-0")))
        signer.write_proof(self.tarball)
        output = self.folder / "out"
        generator = random.Random(SEED)
        for _ in range(KILLS):
            process = self.start_build(output)

            def makes():
                return "make" in map(program_of, descendants(process.pid))

            self.wait_until(makes)
            self.assert_all_gone(self.kill_within(process, generator.uniform(0, 1.5)))
            self.assertEqual(list(output.glob("kernel-*")), [])
            self.assertFalse((output / "result.json").exists())
        self.put_package()
        self.assert_builds(output)

    def test_runs_that_die_are_repaired_by_the_next(self):
        kernel_org = self.start_kernel_org(self.version)
        store = self.folder / "store"
        command = (
            *("vmtest-bot run --arch=host --flavor=tiny", f"--catalog={self.catalog}"),
            *(f"--store=dir:{store}", f"--directory={self.work}"),
        )
        env = environment(**mirror(kernel_org))
        generator = random.Random(SEED)
        self.put_package()
        for _ in range(4):
            process = self.popen(*command, env=env)
            self.assert_all_gone(self.kill_within(process, generator.uniform(0, 6)))
            for package in store.glob("kernel-*.zst"):
                self.assertEqual(package.read_bytes(), self.package.read_bytes())
        result = support.run(*command, env=env)
        self.assert_status(result, 0)
        (row,) = support.assets(f"dir:{store}")
        self.assertEqual(row["name"], self.package.name)
        self.assertEqual(row["size"], self.package.stat().st_size)
