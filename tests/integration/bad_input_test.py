# SPDX-License-Identifier: LGPL-2.1-or-later
"""
What the programs say to bad input: one line, which names what is wrong, and a
status that is not 0; and what they leave behind: nothing under a final name,
and no litter.
"""

import os
import re
import shutil
import unittest
import urllib.request
from pathlib import Path

import support
from support import environment, mirror

import mounts
from packages import RELEASE, entry, hostile_entries, package_entries, package_name
from packages import tarball, write_folder, write_package

NAME = package_name()
OTHER = "6.12.201-vmtest1.0tiny"
ARCH = os.uname().machine
VERSION = "6.12.200"
STORE = "github:octo/kernels@kernels"

# Seconds that a server gets here; its users have more patience.
PATIENCE = {"VMTEST_RETRY_SECONDS": "1", "VMTEST_STALL_SECONDS": "1"}

# What any server can do, and the word that says so.
SERVER_FAULTS = (
    ({"kind": "status", "status": 404}, "404"),
    ({"kind": "status"}, "500"),
    ({"kind": "redirect_loop"}, "redirects"),
    ({"kind": "stall", "at": "request"}, "1 s"),
    ({"kind": "stall"}, ""),
    ({"kind": "close"}, ""),
    ({"kind": "cut_response"}, ""),
)
MALFORMED = ("cut", "garbage", "empty", "html", "encoding", "trailing")
HOSTILE = ("deep", "deep_object", "types", "nulls", "names", "long", "control")


def files_below(folder):
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*"))


def source_entries(version=VERSION, size=1 << 10):
    """As little of a kernel's source as tells its version, and noise."""
    top = f"linux-{version}"
    names = ("VERSION", "PATCHLEVEL", "SUBLEVEL", "EXTRAVERSION")
    numbers = [*version.split("."), ""]
    makefile = "".join(f"{n} = {v}\n" for n, v in zip(names, numbers))
    return [
        entry(f"{top}/Makefile", makefile.encode()),
        entry(f"{top}/noise", os.urandom(size)),
    ]


class TestCase(support.TestCase):
    def setUp(self):
        super().setUp()
        self.env = environment(**PATIENCE)
        self.directory = self.folder / "downloads"

    def attempt(self, program, *arguments, prefix=(), **options):
        options.setdefault("env", self.env)
        if prefix:
            arguments = (*prefix[1:], *support.command_line(program, arguments))
            program = shutil.which(prefix[0])
        return support.run(program, *arguments, errors="backslashreplace", **options)

    def expect(self, result, status, *words):
        """One line, which has the words, and the status."""
        self.assert_one_line(result, status, *words)
        self.assertEqual(result.stderr.count("\n"), 1, result.stderr)
        # A terminal would obey it.
        self.assertNotIn("\x1b", result.stderr)

    def expect_rows(self, attempt, *rows):
        """Of each row attempt(*arguments) ends with the status and the words."""
        for arguments, status, *words in rows:
            with self.subTest(arguments):
                self.expect(attempt(*arguments), status, *words)

    def download(self, store, **options):
        words = (f"--store={store}", f"--directory={self.directory}")
        command = f"vmtest-vm download --quiet --kernel={RELEASE}"
        return self.attempt(command, *words, **options)

    def assert_nothing_left(self):
        self.assertIn(files_below(self.directory), ([], [ARCH]))

    def assert_downloads(self, store):
        """What went wrong before is no obstacle now."""
        self.assert_status(self.download(store), 0)
        self.assertTrue((self.directory / ARCH / f"kernel-{RELEASE}").is_dir())
        shutil.rmtree(self.directory)

    def build(self, *source):
        words = (f"--output={self.folder / 'out'}", f"--directory={self.directory}")
        return self.attempt("vmtest-kbuild build --flavor=tiny", *source, *words)

    def assert_no_source(self):
        left = files_below(self.directory) if self.directory.exists() else []
        self.assertIn(left, ([], ["sources"]))
        self.assertFalse((self.folder / "out").exists())


class PackageTest(TestCase):
    """Packages in a folder."""

    def setUp(self):
        super().setUp()
        self.store = self.folder / "store"
        self.store.mkdir()
        self.package = self.store / NAME
        self.good = tarball(package_entries())

    def expect_refusal(self, data, *words):
        self.package.write_bytes(data)
        self.expect(self.download(f"dir:{self.store}"), 1, RELEASE, *words)
        self.assert_nothing_left()

    def test_what_is_no_package(self):
        half = len(self.good) // 2
        flipped = bytearray(self.good)
        flipped[half] ^= 1
        for what, data, word in (
            ("no bytes", b"", "damaged"),
            ("half of it", self.good[:half], "damaged"),
            ("all but the last byte", self.good[:-1], "damaged"),
            ("the first 100 bytes", self.good[:100], "damaged"),
            ("one bit flipped", flipped, "damaged"),
            ("text", b"no archive at all\n" * 1000, "damaged"),
            ("another release", tarball(package_entries(OTHER)), OTHER),
            ("another archive", tarball(package_entries()[:2]), "kernel.release"),
        ):
            with self.subTest(what):
                self.expect_refusal(data, word)
        self.package.write_bytes(self.good)
        self.assert_downloads(f"dir:{self.store}")

    def test_what_has_another_digest(self):
        sidecar = self.store / f"{NAME}.sha256"
        sidecar.write_text(f"{'0' * 64}  {NAME}\n")
        self.expect_refusal(self.good, "0" * 64)
        sidecar.write_text("no digest\n")
        self.package.write_bytes(self.good)
        self.expect(self.download(f"dir:{self.store}"), 1, sidecar)
        self.assert_nothing_left()

    def test_stores_that_are_none(self):
        self.package.symlink_to("/etc/passwd")
        for store, word in (
            (self.store, "no kernel"),
            (self.package, self.package),
            (self.folder / "none", "no kernel"),
        ):
            self.expect(self.download(f"dir:{store}"), 1, word)

    def test_entries_that_lead_elsewhere(self):
        outside = self.folder / "outside"
        for what, entries in hostile_entries(outside).items():
            with self.subTest(what):
                self.expect_refusal(tarball(package_entries() + entries))
                self.assertFalse(os.path.lexists(outside))
        self.package.write_bytes(self.good)
        self.assert_downloads(f"dir:{self.store}")

    def test_entries_that_lead_elsewhere_in_sources_too(self):
        outside = self.folder / "outside"
        entries = hostile_entries(outside)["absolute path"]
        source = self.folder / "linux.tar.zst"
        source.write_bytes(tarball(source_entries() + entries))
        self.expect(self.build(f"--tarball={source}"), 1, source)
        self.assertFalse(os.path.lexists(outside))
        self.assert_no_source()


class GitHubTest(TestCase):
    """One GitHub with one package; a fault lasts as long as its test."""

    @classmethod
    def setUpClass(cls):
        cls.github = support.StandIn("github.py")
        cls.addClassCleanup(cls.github.stop)

    def setUp(self):
        super().setUp()
        self.env = support.github_environment(self.github, **PATIENCE)
        self.addCleanup(self.set_faults)
        package = write_package(self.folder / NAME, package_entries())
        self.other = self.folder / package_name(OTHER)
        write_package(self.other, package_entries(OTHER))
        if not support.assets(STORE, env=self.env):
            self.assert_status(self.bot("publish", package), 0)

    def set_faults(self, *faults):
        self.github.control(faults=[{"count": -1, **f} for f in faults])

    def bot(self, command, *arguments):
        directory = support.work_options(command, self.directory)
        words = (*arguments, f"--store={STORE}", *directory)
        return self.attempt("vmtest-bot", command, *words)

    def expect_download_fault(self, fault, *words):
        with self.subTest(fault):
            self.set_faults(fault)
            result = self.download(STORE)
            self.set_faults()
            self.expect(result, 1, *words)
            self.assertNotIn("write-token", result.stdout + result.stderr)
            self.assert_nothing_left()
            self.assert_downloads(STORE)

    def test_the_api(self):
        """The unit tests of common/store distrust more."""
        exhausted = {"x-ratelimit-remaining": 0, "x-ratelimit-reset": 4102444800}
        for fault, word in (
            *SERVER_FAULTS,
            ({"kind": "truncated"}, ""),
            ({"kind": "malformed_json"}, ""),
            ({"kind": "hostile_json", "variant": "control"}, ""),
            ({"kind": "hostile_json", "variant": "names"}, ""),
            ({"kind": "status", "status": 403, "headers": exhausted}, "rate limit"),
        ):
            self.expect_download_fault({**fault, "endpoint": "api"}, STORE, word)

    def test_downloads(self):
        more = {"kind": "appended", "body": "x" * 100000}
        corrupt = {"kind": "corrupt"}
        for fault, word in (*SERVER_FAULTS, (more, "more than"), (corrupt, "damaged")):
            if fault.get("at") != "request":
                self.expect_download_fault({**fault, "endpoint": "downloads"}, NAME, word)
        fault = {"kind": "wrong_digest", "endpoint": "api"}
        self.expect_download_fault(fault, NAME, "digest")

    def test_uploads(self):
        self.set_faults({"kind": "status", "endpoint": "uploads"})
        self.expect(self.bot("publish", self.other), 1, self.other.name, "500")
        self.set_faults()
        names = [row["name"] for row in support.assets(STORE, env=self.env)]
        self.assertEqual(names, [NAME])

    def test_credentials(self):
        def publish(token):
            self.env["GITHUB_TOKEN"] = token
            return self.bot("publish", self.other)

        self.expect_rows(
            publish,
            (["no-such-token"], 1, "401"),
            (["read-token"], 1, "403"),
            ([""], 2, "GITHUB_TOKEN"),
            (["a\nb"], 2, "GITHUB_TOKEN"),
        )

    def test_stores_that_are_not_there(self):
        self.expect_rows(
            self.download,
            (["github:octo/none@kernels"], 1, "octo/none"),
            (["github:octo/kernels@none"], 1, "octo/kernels@none"),
        )
        self.env["GITHUB_API_URL"] = "http://127.0.0.1:1"
        self.expect(self.download(STORE), 1, STORE, "network")


class KernelOrgTest(TestCase):
    """One kernel.org with one kernel; a fault lasts as long as its test."""

    @classmethod
    def setUpClass(cls):
        folder = support.class_directory(cls)
        source = folder / f"linux-{VERSION}.tar.xz"
        source.write_bytes(tarball(source_entries(size=1 << 20), ("xz", "-0")))
        options = (f"--source={VERSION}={source}", f"--cache={folder / 'cache'}")
        cls.kernel_org = support.StandIn("kernel_org.py", *options)
        cls.addClassCleanup(cls.kernel_org.stop)
        # Signed now, and not while somebody waits for it.
        releases = cls.kernel_org.urls["KERNEL_ORG_RELEASES"]
        path = f"pub/linux/kernel/v6.x/linux-{VERSION}.tar.sign"
        urllib.request.urlopen(releases.replace("releases.json", path)).close()

    def setUp(self):
        super().setUp()
        self.env = environment(**PATIENCE, **mirror(self.kernel_org))
        self.addCleanup(self.set_faults)

    def set_faults(self, *faults):
        self.kernel_org.control(faults=[{"count": -1, **f} for f in faults])

    def poll(self):
        return self.attempt("vmtest-bot", "poll")

    def test_poll(self):
        json = [{"kind": "malformed_json", "variant": v} for v in MALFORMED]
        json += [{"kind": "hostile_json", "variant": v} for v in HOSTILE]
        json += [
            {"kind": "body", "body": body}
            for body in (
                '{"releases": []}',
                '{"releases": [{"version": 1e400}]}',
                '"\x1b[31m\n::error::injected',
            )
        ]
        json.append({"kind": "truncated"})
        refs = [({"kind": "body", "body": "<html>"}, "")]
        for path, name, faults in (
            ("releases.json", "releases.json", [(fault, "") for fault in json]),
            ("releases.json", "releases.json", SERVER_FAULTS),
            # The repository's mirror is the last that is asked.
            ("info/refs", "gregkh/linux", (*SERVER_FAULTS, *refs)),
        ):
            for fault, word in faults:
                with self.subTest(path, **fault):
                    shutil.rmtree(self.directory, ignore_errors=True)
                    self.set_faults({**fault, "path": path})
                    result = self.poll()
                    self.set_faults()
                    self.expect(result, 1, "kernel.org", name, word)
                    self.assertEqual(result.stdout, "")
                    self.assertEqual(files_below(self.directory), [])
        self.assertEqual(self.poll().stdout, f"{VERSION}\n")
        self.env["VMTEST_KERNEL_ORG"] = "http://127.0.0.1:1"
        self.expect(self.poll(), 1, "kernel.org", "network")

    def test_names_that_nothing_has(self):
        store = f"--store=dir:{self.folder}"
        self.expect_rows(
            lambda *arguments: self.attempt("vmtest-bot", "plan", *arguments, store),
            (["-k", "6.99*"], 2, "6.99*", "vmtest-bot poll"),
            (["-k", "9.9"], 2, "9.9"),
            (["-f", "huge"], 2, "huge", "tiny"),
            (["-a", "vax"], 2, "vax", "x86_64"),
            (["-k", ""], 2, "''"),
            (["--github-output"], 2, "GITHUB_OUTPUT"),
        )

    def test_sources(self):
        web_page = {"kind": "body", "body": "<html>\n"}
        blocked = ({**web_page, "type": "text/html; charset=utf-8"}, "blocked")
        signatures = (
            ({"kind": "status", "status": 404}, "does not have it yet"),
            ({"kind": "truncated"}, "proven"),
            ({"kind": "corrupt"}, "proven"),
            (web_page, "it is not signed"),
            blocked,
        )
        tarballs = (
            ({"kind": "status", "status": 404}, "404"),
            ({"kind": "status"}, "500"),
            ({"kind": "redirect_loop"}, "redirects"),
            ({"kind": "stall"}, "gave up"),
            ({"kind": "truncated"}, "tar.xz"),
            ({"kind": "corrupt"}, "damaged"),
            (web_page, "tar.xz"),
            blocked,
        )
        for path, faults in (("tar.sign", signatures), ("tar.xz", tarballs)):
            for fault, word in faults:
                with self.subTest(path, **fault):
                    self.set_faults({**fault, "path": path})
                    result = self.build(f"--version={VERSION}")
                    self.set_faults()
                    self.expect(result, 1, VERSION, word)
                    self.assert_no_source()
        self.expect(self.build("--version=6.12.201"), 1, "6.12.201")
        self.assert_no_source()

    def test_sources_of_users(self):
        text = self.folder / "linux.tar.xz"
        text.write_text("no archive\n")
        empty = self.folder / "empty"
        empty.mkdir()
        other = self.folder / "other.tar.zst"
        other.write_bytes(tarball([entry("x/README", b"no kernel")]))
        git = self.kernel_org.urls["KERNEL_ORG_GIT"]
        self.expect_rows(
            self.build,
            (["--source=/no/such"], 2, "/no/such"),
            ([f"--source={empty}"], 2, empty),
            ([f"--source={text}"], 2, text),
            (["--tarball=/no/such"], 1, "/no/such"),
            ([f"--tarball={empty}"], 1, empty),
            ([f"--tarball={text}"], 1, text, "damaged"),
            ([f"--tarball={other}"], 2, other.name),
            (["--git=/no/such", "--ref=v6.12"], 1, "/no/such"),
            ([f"--git={git}", "--ref=v6.12.9999"], 1, "v6.12.9999"),
            ([f"--git={git}"], 2, "--ref"),
            (["--version=six"], 2, "six"),
            ([], 2, "--source"),
            (["--source=/", "--version=6.12"], 2, "one source"),
        )
        self.assert_no_source()


class DirectoryTest(TestCase):
    """robustness_test.py has disks that are full or read-only."""

    @unittest.skipIf(mounts.why_not(), mounts.why_not())
    def test_reading_needs_no_writing(self):
        write_folder(self.directory / ARCH / f"kernel-{RELEASE}")
        store = self.folder / "store"
        write_package(store / NAME, package_entries())
        prefix = mounts.read_only(self.directory)
        self.assert_status(self.download(f"dir:{store}", prefix=prefix), 0)

    def test_places_that_are_no_folders(self):
        file = self.folder / "file"
        file.write_text("x")
        store = self.folder / "store"
        package = write_package(store / NAME, package_entries())

        def download(directory):
            self.directory = directory
            return self.download(f"dir:{store}")

        self.expect_rows(
            download,
            ([file], 1, file, "Not a directory"),
            ([""], 2, "--directory"),
            (["/proc/vmtest"], 1, "/proc/vmtest"),
        )
        result = self.attempt("vmtest-bot", "publish", package, f"--store=dir:{file}")
        self.expect(result, 1, file, "Not a directory")


def kvm_is_broken():
    """It opens, on an x86 processor without virtualization."""
    flags = Path("/proc/cpuinfo").read_text()
    return (
        ARCH == "x86_64"
        and os.access("/dev/kvm", os.R_OK | os.W_OK)
        and not re.search(r"\b(vmx|svm)\b", flags)
    )


class RunTest(TestCase):
    def setUp(self):
        super().setUp()
        self.kernel = write_folder(self.folder / "kernel")

    def run_vm(self, *options, **kwargs):
        directory = f"--directory={self.directory}"
        words = ("run", directory, *options, "--", "true")
        return self.attempt("vmtest-vm", *words, **kwargs)

    def run_kernel(self, *options, **kwargs):
        return self.run_vm(f"--kernel={self.kernel}", *options, **kwargs)

    def test_folders_that_are_no_packages(self):
        def broken(file):
            """What not even root can read."""
            file.symlink_to("/proc/self/mem")

        release, config = "build/include/config/kernel.release", "build/.config"
        # A file's bytes, or what makes it, or nothing at all.
        for name, data, word in (
            (release, broken, "Input/output error"),
            (config, broken, "Input/output error"),
            (release, None, "kernel.release"),
            (release, b"", "kernel.release"),
            (release, b"../../etc\n", "kernel.release"),
            (release, b"\x1b[31m\n", "kernel.release"),
            (release, b"6" * (1 << 20), "kernel.release"),
            (release, os.mkdir, "kernel.release"),
            (config, os.mkdir, ".config"),
            (config, b"#" * (5 << 20), ".config"),
            ("vmlinuz", None, "vmlinuz"),
        ):
            with self.subTest(name, data=str(data)[:40]):
                file = self.kernel / name
                file.unlink()
                if callable(data):
                    data(file)
                elif data is not None:
                    file.write_bytes(data)
                self.expect(self.run_kernel(), 125, self.kernel, word)
            shutil.rmtree(self.kernel)
            write_folder(self.kernel)

    @unittest.skipUnless(shutil.which(f"qemu-system-{ARCH}"), "no QEMU")
    def test_a_file_that_is_no_kernel(self):
        self.expect(self.run_kernel(), 125, RELEASE, "QEMU")

    @unittest.skipIf(os.geteuid() == 0, "root can read everything")
    def test_unreadable_package(self):
        (self.kernel / "build").chmod(0)
        self.addCleanup((self.kernel / "build").chmod, 0o700)
        self.expect(self.run_kernel(), 125, "Permission denied")

    def test_no_qemu(self):
        self.env["PATH"] = str(self.folder)
        self.expect(self.run_kernel(), 125, f"qemu-system-{ARCH}", "install")

    @unittest.skipUnless(shutil.which(f"qemu-system-{ARCH}"), "no QEMU")
    @unittest.skipIf(os.geteuid() != 0, "only root can make a /dev without KVM")
    def test_no_kvm(self):
        result = self.run_kernel("--accel=kvm", prefix=mounts.without_devices())
        self.expect(result, 125, "KVM", "--accel tcg")

    @unittest.skipUnless(kvm_is_broken(), "KVM works here, or is not there")
    def test_kvm_that_cannot_work(self):
        self.kernel = support.kernel()
        self.expect(self.run_kernel("--accel=kvm"), 125, "KVM", "--accel tcg")

    def test_kernels_that_are_not_there(self):
        store = f"--store=dir:{self.folder / 'store'}"
        self.expect_rows(
            lambda *options: self.run_vm(store, *options),
            (["-k", "/no/such/folder"], 125, "/no/such/folder"),
            (["-k", self.kernel / "vmlinuz"], 125, self.kernel),
            (["-k", "9.99*"], 125, "9.99*"),
            (["-f", "huge"], 2, "huge", "tiny"),
            (["-a", "vax"], 2, "vax", "x86_64"),
            (["-k", "6.1,6.12"], 2, "--kernel"),
            (["-a", "x86_64,x86_64"], 2, "--arch"),
        )

    def test_wrong_options(self):
        wrong = "--timeout=soon --timeout=-1 --timeout=99999999999999999999"
        wrong += " --accel=hvf --machine=vax --memory=lots --memory=0 --cpus=many"
        wrong += " --lost-status=256 --env=1=x --env=NOT_SET_ANYWHERE"
        wrong += " --rw=/etc/passwd --root=/etc/passwd --module=load"
        wrong += " --module-source=x --disk=1 --disk=0G --disk=big"
        rows = [([option], 2, option.partition("=")[0]) for option in wrong.split()]
        for option in ("--rw", "--root"):
            rows.append(([f"{option}=/no/such/folder"], 125, option))
        rows.append((["--qemu-option=-no-such"], 125, "-no-such"))
        self.expect_rows(self.run_kernel, *rows)


class UsageTest(TestCase):
    def test_wrong_usage(self):
        def command(text):
            program, *arguments = text.split()
            return self.attempt(program, *arguments, cwd=self.folder)

        self.expect_rows(
            command,
            (["vmtest-bot frobnicate"], 2, "frobnicate", "--help"),
            (["vmtest-bot poll --frobnicate"], 2, "--frobnicate", "--help"),
            (["vmtest-bot poll extra"], 2, "extra"),
            (["vmtest-bot poll --json=yes"], 2, "--json"),
            (["vmtest-bot poll -x"], 2, "-x"),
            (["vmtest-bot poll -k 6.12"], 2, "unknown option '-k'"),
            (["vmtest-kbuild config 6.12 --store=nonsense:"], 2, "unknown option"),
            (["vmtest-vm run --json true"], 2, "unknown option '--json'"),
            (["vmtest-bot run --limit"], 2, "--limit"),
            (["vmtest-bot run --limit=0"], 2, "--limit 0: at least 1"),
            (["vmtest-bot run --keep=0"], 2, "--keep 0: at least 1"),
            (["vmtest-bot run --jobs=all"], 2, "--jobs"),
            (["vmtest-bot publish"], 2, "FILE"),
            (["vmtest-bot publish kernel.tar.zst --store=dir:x"], 2, "kernel.tar.zst"),
            (["vmtest-bot status --store=ftp:x"], 2, "ftp:x", "dir:PATH"),
            (["vmtest-bot status --store=github:only"], 2, "github:only"),
            (["vmtest-bot status --store=github:a/b@../.."], 2, "github:a/b@../.."),
            (["vmtest-bot prune --arch=vax --store=dir:x"], 2, "vax"),
            (["vmtest-kbuild config"], 2, "version"),
            (["vmtest-kbuild config 6.12 --source=."], 2, "--source"),
            (["vmtest-kbuild config --source=nowhere"], 2, "nowhere"),
            (["vmtest-kbuild config --source=."], 2, "Makefile"),
            (["vmtest-kbuild config 6.12 --arch=x86_64,x86_64"], 2, "one"),
            (["vmtest-kbuild build --version=6.12"], 2, "--output"),
            (["vmtest-kbuild build --version=6.12 -o x --package-format=zip"], 2, "zip"),
            (["vmtest-kbuild toolchain 6.x"], 2, "6.x"),
            (["vmtest-kbuild toolchain 6.12 6.1"], 2, "one version"),
            (["vmtest-vm download"], 2, "--kernel"),
            (["vmtest-vm prune --flavor=huge"], 2, "huge"),
            (["vmtest-vm run --cpus=0"], 2, "--cpus 0: at least 1"),
        )
        self.assertEqual(list(self.folder.iterdir()), [])

    def test_wrong_variables(self):
        def status(name, value):
            env = {**self.env, name: value}
            return self.attempt("vmtest-bot", "status", env=env)

        self.expect_rows(
            status,
            (["VMTEST_RETRY_SECONDS", "long"], 2, "VMTEST_RETRY_SECONDS"),
            (["VMTEST_STALL_SECONDS", "0"], 2, "VMTEST_STALL_SECONDS"),
            (["VMTEST_SILENCE_SECONDS", "0"], 2, "VMTEST_SILENCE_SECONDS"),
            (["GITHUB_API_URL", "api.github.com"], 2, "GITHUB_API_URL"),
            (["VMTEST_STORE", "s3:x"], 2, "VMTEST_STORE: store 's3:x'"),
            (["VMTEST_STORE", "github:x"], 2, "VMTEST_STORE"),
            (["VMTEST_ARCH", "bogus"], 2, "VMTEST_ARCH: unknown architecture 'bogus'"),
            (["VMTEST_ARCH", ","], 2, "VMTEST_ARCH"),
            (["VMTEST_KERNEL_ORG", "kernel.org"], 2, "VMTEST_KERNEL_ORG"),
        )

    def test_catalogs(self):
        """The unit tests of common/kernel have wrong values."""
        good = (support.TOP / "configs/vmtest.json").read_text()
        catalog, large = self.folder / "vmtest.json", self.folder / "large.json"
        large.write_text(good + " " * (5 << 20))

        def config(path):
            return self.attempt("vmtest-kbuild", "config", "6.12", f"--catalog={path}")

        for text in ("", good[: len(good) // 2], "[]", "[" * 100000, "\udcff"):
            with self.subTest(text[:10]):
                catalog.write_text(text, errors="surrogateescape")
                self.expect(config(catalog), 2, catalog)
        for path in ("/no/such.json", self.folder, large):
            with self.subTest(path):
                self.expect(config(path), 1, path)

    def test_no_home(self):
        self.env = {"PATH": self.env["PATH"]}
        for home in ({}, {"HOME": ""}, {"HOME": "home"}, {"XDG_CACHE_HOME": "home"}):
            with self.subTest(home):
                got = self.attempt("vmtest-vm", "list", env={**self.env, **home})
                self.expect(got, 2, "--directory")
                self.assertFalse((self.folder / "home").exists())
