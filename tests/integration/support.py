# SPDX-License-Identifier: LGPL-2.1-or-later
"""
What integration tests share: the built programs, the stand-ins, and one real
kernel, which is built once by the bot and kept in VMTEST_TEST_CACHE.
"""

import fcntl
import functools
import json
import os
import platform
import pty
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.request
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
BIN = Path(os.environ.get("VMTEST_BIN", TOP / "build/release/bin"))
CACHE = Path(os.environ.get("VMTEST_TEST_CACHE", TOP / "build/test-cache"))

CATALOG = json.loads((TOP / "configs/vmtest.json").read_text())

sys.path.insert(0, str(TOP / "tests/fixtures"))
import prism  # noqa: E402
from built_kernel import write_source  # noqa: E402
from stand_in import StandIn  # noqa: E402

# One path, in which each part is trouble for somebody: a shell, an fstab, QEMU's
# options, JSON, printf, getopt, make; and the whole, for what has little room.
STRANGE = os.path.join(
    b"a b", b"it's", b'"q"', b"a,b,,c", b"a:b=c", b"# #c \\043\\", b"%s%n100%", b"-n",
    b"new\nline\n", b"*?[x]{a,b}", b"$HOME`id`$(id);&|<>!~", b"\xe9\xff \xc3\xa9",
    *[b"x" * 250] * 3)


def environment(**values):
    """Ours, without what would change the programs' defaults."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("GITHUB_", "GH_", "VMTEST_"))
    }
    # On a busy machine, a log says more than a test expects of it.
    kept["VMTEST_SILENCE_SECONDS"] = "3600"
    return {**kept, **{k: str(v) for k, v in values.items()}}


def github_environment(server, **values):
    """For who may write to a stand-in of GitHub."""
    url = server.urls["GITHUB_API_URL"]
    return environment(**{"GITHUB_API_URL": url, "GITHUB_TOKEN": "write-token", **values})


def command_line(program, arguments):
    """One of the programs, whose name words may follow, or another by its path."""
    known, *words = [program] if os.path.isabs(program) else program.split()
    more = [a if isinstance(a, bytes) else str(a) for a in arguments]
    return [BIN / known, *words, *more]


def run(program, *arguments, timeout=1200, **options):
    """Run one of the programs; its output is text unless told otherwise."""
    options.setdefault("env", environment())
    options.setdefault("text", True)
    options.setdefault("errors", "surrogateescape")
    if "input" not in options:
        options.setdefault("stdin", subprocess.DEVNULL)
    options.setdefault("stderr", subprocess.PIPE)
    return subprocess.run(
        command_line(program, arguments),
        stdout=subprocess.PIPE,
        timeout=timeout,
        check=False,
        **options,
    )


def run_guest(*command, options=(), under=None, **more):
    """Run a command under the tests' kernel, or another unpacked package."""
    return run("vmtest-vm run -k", under or kernel(), *options, "--", *command, **more)


# Linux counts what a process was before it became a program, and we are large:
# so something small is in between.
_LAUNCHER = """
import os, sys, time
start = time.monotonic()
pid = os.posix_spawn(sys.argv[2], sys.argv[2:], os.environ)
_, status, usage = os.wait4(pid, 0)
seconds = time.monotonic() - start
cpu_seconds = usage.ru_utime + usage.ru_stime
os.write(int(sys.argv[1]), b"%d %f %f" % (usage.ru_maxrss, seconds, cpu_seconds))
code = os.waitstatus_to_exitcode(status)
os._exit(code if code >= 0 else 128 - code)
"""


class Measured:
    """
    A program's result, with the seconds it took, those of a processor, which those
    of its descendants that were waited for are part of, and its peak memory.
    """

    def __init__(self, program, *arguments, **options):
        options.setdefault("env", environment())
        reader, writer = os.pipe()
        with open(reader) as numbers:
            result = subprocess.run(
                [
                    *(sys.executable, "-I", "-S", "-c", _LAUNCHER, str(writer)),
                    *command_line(program, arguments),
                ],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                pass_fds=[writer],
                check=False,
                **options,
            )
            os.close(writer)
            kilobytes, seconds, cpu_seconds = numbers.read().split()
        self.peak_bytes = int(kilobytes) * 1024
        self.seconds, self.cpu_seconds = float(seconds), float(cpu_seconds)
        self.returncode = result.returncode
        self.stdout, self.stderr = result.stdout, result.stderr


def is_sanitized():
    """Whether the programs carry a sanitizer, which takes memory and time."""
    env = environment(ASAN_OPTIONS="help=1")
    return "AddressSanitizer" in run("vmtest-bot", "--version", env=env).stderr


def mirror(kernel_org):
    """The environment in which a stand-in is kernel.org."""
    releases = kernel_org.urls["KERNEL_ORG_RELEASES"]
    return {
        "VMTEST_KERNEL_ORG": releases.removesuffix("/releases.json"),
        "VMTEST_CATALOG": kernel_org.urls["KERNEL_ORG_CATALOG"],
    }


def succeed(program, *arguments, **options):
    """Run one of the programs, which is not what is tested; returns its stdout."""
    result = run(program, *arguments, **options)
    if result.returncode != 0:
        raise RuntimeError(f"{result.stdout}\n{result.stderr}")
    return result.stdout


def build(store, log):
    log.truncate(0)
    with StandIn("kernel_org.py", "--installed") as kernel_org:
        command = command_line(
            "vmtest-bot run --latest-stable --arch=host --flavor=tiny",
            (f"--store=dir:{store}", f"--directory={CACHE / 'work'}"),
        )
        env = environment(**mirror(kernel_org))
        options = {"stdin": subprocess.DEVNULL, "stdout": log, "stderr": log}
        if subprocess.run(command, env=env, check=False, **options).returncode:
            raise RuntimeError(Path(log.name).read_text(errors="replace"))


def package():
    """A tiny package for this machine, newest of the installed sources."""
    store = CACHE / "store"
    CACHE.mkdir(parents=True, exist_ok=True)
    log = CACHE / "build.log"
    with open(log, "a") as file:
        # Another file's tests may be building it.
        fcntl.flock(file, fcntl.LOCK_EX)
        if not list(store.glob("kernel-*tiny.*.tar.zst")):
            build(store, file)
    return sorted(store.glob("kernel-*tiny.*.tar.zst"))[-1]


def release():
    """The release of package()."""
    return package().name.removeprefix("kernel-").rsplit(".", 3)[0]


@functools.cache
def kernel():
    """
    A directory with package() unpacked, or the unpacked package that
    VMTEST_TEST_KERNEL names.
    """
    if os.environ.get("VMTEST_TEST_KERNEL"):
        return Path(os.environ["VMTEST_TEST_KERNEL"])
    directory = CACHE / "kernels"
    store = f"--store=dir:{package().parent}"
    succeed("vmtest-vm download -q -k", release(), store, f"--directory={directory}")
    return next(directory.glob(f"*/kernel-{release()}"))


@functools.cache
def flavor_kernel(flavor):
    """
    An unpacked package of another flavor than the tests' own, which no test builds:
    the one that VMTEST_TEST_BPF, say, names, else the newest in the store in
    VMTEST_TEST_CACHE. Without one, the test is skipped.
    """
    variable = f"VMTEST_TEST_{flavor.upper()}"
    store = CACHE / "store"
    packages = sorted(store.glob(f"kernel-*{flavor}.{platform.machine()}.tar.zst"))
    if os.environ.get(variable):
        return Path(os.environ[variable])
    if not packages:
        raise unittest.SkipTest(f"no package of flavor {flavor} in {store}, nor in {variable}")
    found = packages[-1].name.removeprefix("kernel-").rsplit(".", 3)[0]
    path = succeed("vmtest-vm download -q -k", found, f"--store=dir:{store}",
                   "-d", CACHE / "kernels")
    return Path(path.strip())


@functools.cache
def configuration(directory):
    lines = (directory / "build/.config").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if "=" in line)


def has(option, directory=None):
    """What the configuration of kernel(), or another, says of an option: y, m or nothing."""
    return configuration(directory or kernel()).get(f"CONFIG_{option}", "")


def kernel_version():
    """The series of kernel(): (6, 12)."""
    info = json.loads((kernel() / "vmtest.json").read_text())
    return tuple(map(int, info["version"].split("-")[0].split(".")[:2]))


# What a kernel needs for NUMA nodes, of which ACPI tells on x86.
NODES = "X86_64_ACPI_NUMA" if platform.machine() == "x86_64" else "NUMA"


def kernel_with(*options):
    """kernel(), or one of another flavor that is at hand, that has all of these options."""
    for find in (kernel, *(functools.partial(flavor_kernel, name) for name in CATALOG["flavors"])):
        try:
            directory = find()
        except unittest.SkipTest:
            continue
        if all(has(option, directory) for option in options):
            return directory
    raise unittest.SkipTest(f"no kernel here has {' '.join(options)}")


def small_package(directory):
    """package() without debug information, and so a tenth of its size."""
    tree = directory / "kernel"
    shutil.copytree(kernel(), tree, symlinks=True)
    subprocess.run(["objcopy", "--strip-debug", tree / "build/vmlinux"], check=True)
    path = directory / package().name
    pack_directory(tree, path)
    return path


def pack_directory(tree, path):
    """Make a package of an unpacked one, in next to no time."""
    command = ["tar", "-C", tree, "-I", "zstd -1", "-cf", path, "."]
    subprocess.run(command, check=True)


def install(prefix):
    """What `cmake --install` installs."""
    command = ["cmake", "--install", BIN.parent, "--prefix", prefix]
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True)


def copy_tree(folder):
    """Copy this repository's files, but for those that git ignores."""
    list_files = ["git", "-C", TOP, "ls-files", "-z", "-co", "--exclude-standard"]
    for name in subprocess.check_output(list_files, text=True).split("\0"):
        source, target = TOP / name, folder / name
        if name and (source.exists() or source.is_symlink()):
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target, follow_symlinks=False)


def commit_tree(folder):
    """Make a folder a git repository of one commit, which is returned."""
    identity = ["-c", "user.name=test", "-c", "user.email=test@localhost"]
    for command in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "test", "--allow-empty"]):
        subprocess.run(["git", *identity, "-C", folder, *command], check=True)
    command = ["git", "-C", folder, "rev-parse", "HEAD"]
    return subprocess.check_output(command, text=True).strip()


def descendants(pid):
    """Processes that have a process among their ancestors."""
    parents = {}
    for entry in os.listdir("/proc"):
        try:
            with open(f"/proc/{entry}/stat", encoding="utf-8") as file:
                parents[int(entry)] = int(file.read().rsplit(")", 1)[1].split()[1])
        except (OSError, ValueError, IndexError):
            pass
    found = {pid}
    while True:
        more = {p for p, parent in parents.items() if parent in found} - found
        if not more:
            return found - {pid}
        found |= more


def program_of(pid):
    """What a process runs; "" if there is none."""
    try:
        return os.path.basename(os.readlink(f"/proc/{pid}/exe"))
    except OSError:
        return ""


class Terminal:
    """A command in the foreground of a terminal, and all that is written there."""

    def __init__(self, command, folder, limit=600, **values):
        self.text = ""
        self.deadline = time.monotonic() + limit
        command = list(map(str, command))
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.chdir(folder)
            # Tests are run in the background too, where it is ignored.
            signal.signal(signal.SIGINT, signal.SIG_DFL)
            os.execvpe(command[0], command, environment(TERM="xterm", **values))

    def close(self):
        os.close(self.fd)

    def kill(self):
        """End all that was started here, and is not reaped yet."""
        for pid in [self.pid, *descendants(self.pid)]:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        os.waitpid(self.pid, 0)

    def read(self):
        """@return Whether there may be more."""
        if time.monotonic() > self.deadline:
            raise TimeoutError(self.text)
        if select.select([self.fd], [], [], 0.1)[0]:
            try:
                self.text += os.read(self.fd, 65536).decode()
            except OSError:
                return False
        return True

    def wait_until(self, condition):
        while not condition():
            if not self.read():
                raise EOFError(self.text)

    def expect(self, word):
        """Read on until the word has come, and forget all up to there."""
        self.wait_until(lambda: word in self.text)
        before, _, self.text = self.text.partition(word)
        return before

    def shown(self):
        """What stands there since something was last taken away."""
        return self.text.rsplit("\033[J", 1)[-1]

    def type(self, text):
        os.write(self.fd, text.encode())

    def wait(self):
        """@return The status, negative for a signal."""
        while self.read():
            pass
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


def class_directory(test_case):
    """A directory for all tests of a class, which goes away after them."""
    directory = tempfile.TemporaryDirectory(prefix="vmtest-test.")
    test_case.addClassCleanup(directory.cleanup)
    return Path(directory.name)


class TestCase(unittest.TestCase):
    """With a folder that goes away, and assertions on results."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="vmtest-test.")
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def start(self, *arguments):
        """A stand-in, for this test."""
        stand_in = StandIn(*arguments)
        self.addCleanup(stand_in.stop)
        return stand_in

    def popen(self, program, *arguments, **options):
        """Start one of the programs, or another by its path."""
        for name in ("stdout", "stderr"):
            options.setdefault(name, subprocess.PIPE)
        process = subprocess.Popen(
            command_line(program, arguments),
            stdin=options.pop("stdin", subprocess.DEVNULL),
            env=options.pop("env", None) or environment(),
            text=True,
            # Tests are run in the background too, where it is ignored.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
            **options,
        )
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        for stream in (process.stdout, process.stderr):
            if stream:
                self.addCleanup(stream.close)
        return process

    def wait_until(self, condition, seconds=120):
        deadline = time.monotonic() + seconds
        while not condition():
            self.assertLess(time.monotonic(), deadline, "waited in vain")
            time.sleep(0.01)

    def end(self, process, timeout=120):
        """What popen() has started, as run() would have returned it."""
        stdout, stderr = process.communicate(timeout=timeout)
        command, status = process.args, process.returncode
        return subprocess.CompletedProcess(command, status, stdout, stderr)

    def start_kernel_org(self, *versions, **settings):
        """A kernel.org with sources of these versions, which cannot be built."""
        sources = []
        for version in versions:
            tarball = write_source(self.folder / f"linux-{version}.tar.xz", version)
            sources.append(f"--source={version}={tarball}")
        kernel_org = self.start("kernel_org.py", *sources)
        if settings:
            kernel_org.control(**settings)
        return kernel_org

    def path_with(self, scripts):
        """A PATH in which programs of these names are these scripts of the shell."""
        folder = self.folder / "programs"
        folder.mkdir(exist_ok=True)
        for name, script in scripts.items():
            program = folder / name
            program.write_text(f"#!/bin/sh\n{script}\n")
            program.chmod(0o755)
        return f"{folder}:{os.environ['PATH']}"

    def path_without(self, prefix):
        """A PATH in which there are no programs whose names begin so."""
        folder = self.folder / f"without-{prefix}"
        folder.mkdir()
        for directory in ("/usr/sbin", "/usr/bin"):
            for entry in os.scandir(directory):
                program = folder / entry.name
                if not entry.name.startswith(prefix) and not program.exists():
                    program.symlink_to(entry.path)
        return str(folder)

    def kill_within(self, process, seconds):
        """Kill it unless it has ended by then; returns its children of that time."""
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            pass
        started = descendants(process.pid)
        process.kill()
        process.communicate()
        return started

    def assert_all_gone(self, started):
        self.wait_until(lambda: not any(map(program_of, started)), 10)

    def assert_status(self, result, status):
        self.assertEqual(
            result.returncode, status, f"{result.stdout}\n{result.stderr}"
        )

    def assert_one_line(self, result, status, *words):
        """Failed with this status and one line of error that has the words."""
        self.assert_status(result, status)
        lines = [l for l in result.stderr.splitlines() if "error:" in l]
        self.assertEqual(len(lines), 1, result.stderr)
        for word in words:
            self.assertIn(str(word), lines[0])

    def assert_described(self, exchanges):
        """What was said to GitHub's stand-in, and its answers, are as GitHub says."""
        self.assertEqual(prism.violations(exchanges), [])


def work_options(command, directory):
    """--directory, for the commands of the bot that work in one."""
    works = command.split()[0] in ("run", "build")
    return [f"--directory={directory}"] if works else []


def assets(store, **options):
    """What `vmtest-bot status --json` says of a store."""
    result = run("vmtest-bot status --json", f"--store={store}", **options)
    # It is 1 for a store in which no run has succeeded.
    if result.returncode > 1 or not result.stdout:
        raise RuntimeError(f"{result.stdout}\n{result.stderr}")
    return json.loads(result.stdout)


def get_json(url):
    with urllib.request.urlopen(url) as response:
        return json.load(response)
