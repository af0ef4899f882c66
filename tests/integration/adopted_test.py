# SPDX-License-Identifier: LGPL-2.1-or-later

"""Kernels that are no packages: build trees, images, a distribution's own."""

import os
import platform
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

import support
from caller import CallerCase, callers, each_caller
from support import CATALOG, CACHE

ARCH = CATALOG["architectures"][platform.machine()]


MIRROR = os.environ.get("VMTEST_DEBIAN_MIRROR", "http://deb.debian.org/debian")
KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")


def apt_options(suite, folder):
    """Those of a Debian that need not be the machine's."""
    for name in ("lists/partial", "cache/archives/partial"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    (folder / "sources.list").write_text(f"deb [signed-by={KEYRING}] {MIRROR} {suite} main\n")
    places = {"Etc::sourcelist": "sources.list", "Etc::sourceparts": "none",
              "State::lists": "lists", "Cache": "cache"}
    return [f"-oDir::{key}={folder / name}" for key, name in places.items()]


def debian_kernel(name=f"linux-image-{ARCH['debian_arch']}", suite=None):
    """Debian's own kernel, unpacked and not installed; of the machine's suite or of another."""
    target = CACHE / "debian" / suite if suite else CACHE / "debian"
    if not shutil.which("apt-get") or suite and not KEYRING.exists():
        raise unittest.SkipTest("no apt, or no keys of Debian")

    def call(*words, **more):
        return subprocess.run(words, text=True, capture_output=True, check=False, **more)

    with tempfile.TemporaryDirectory(dir="/var/tmp") as scratch:
        options = apt_options(suite, Path(scratch)) if suite else []
        if known := list(target.glob(f"linux-image-*/boot/{name}")):
            return next(known[0].parent.glob("vmlinuz-*"))
        if suite:
            call("apt-get", *options, "update")
        shown = call("apt-cache", *options, "depends", name).stdout
        names = [line.split()[-1] for line in shown.splitlines() if "Depends: linux-image" in line]
        if not names:
            raise unittest.SkipTest(f"apt knows no {name}")
        target.mkdir(parents=True, exist_ok=True)
        unpacked = target / names[0]
        if not unpacked.exists():
            got = call("apt-get", *options, "download", names[0], cwd=scratch)
            if got.returncode:
                raise unittest.SkipTest(f"apt cannot download {names[0]}: {got.stderr}")
            partial = target / "partial"
            shutil.rmtree(partial, ignore_errors=True)
            subprocess.run(["dpkg-deb", "-x", *Path(scratch).glob("*.deb"), partial], check=True)
            partial.rename(unpacked)
        # So that the next time nobody is asked.
        (unpacked / "boot" / name).touch()
    return next(unpacked.glob("boot/vmlinuz-*"))


def put(source, target):
    """The same file, or a copy: not a link, which would lead out of the tree."""
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(source, target)
    except OSError:
        shutil.copy(source, target)


class TreeTest(CallerCase):
    """A tree as a build leaves it, with what the tests' package was made from."""

    def setUp(self):
        super().setUp()
        package = support.kernel()
        self.tree = self.folder / "linux"
        for source, target in (("vmlinuz", ARCH["image_path"]),
                               ("build/vmlinux", "vmlinux"),
                               ("build/.config", ".config"),
                               ("build/include/config/kernel.release",
                                "include/config/kernel.release")):
            put(package / source, self.tree / target)
        for module in (package / "kernel").rglob("*.ko"):
            put(module, self.tree / module.relative_to(package / "kernel"))
        self.modules = sorted(str(path.relative_to(self.tree)) for path in self.tree.rglob("*.ko"))
        # As make has written it since Linux 6.3.
        self.write_order(name.removesuffix("ko") + "o" for name in self.modules)

    def write_order(self, names):
        (self.tree / "modules.order").write_text("".join(f"{name}\n" for name in names))

    @each_caller
    def test_is_run_with_its_modules(self):
        names = [self.tree, self.tree / "vmlinux", self.tree / ARCH["image_path"]]
        script = "uname -r; modprobe loop && ls -d /sys/module/loop"
        for path in names:
            got = self.call(support.BIN / "vmtest-vm", "run", "-q", "-k", path, "--",
                            "sh", "-c", script)
            self.assertEqual((got.returncode, got.stdout, got.stderr),
                             (0, f"{support.release()}\n/sys/module/loop\n", ""))

    def test_modules_that_are_gone_are_not_seen(self):
        self.write_order([f"kernel/{name}" for name in self.modules])
        vm = ("vmtest-vm run -q -k", self.tree, "--", "sh", "-c", "modprobe loop 2>/dev/null")
        self.assertEqual(support.run(*vm).returncode, 0)
        self.write_order(name for name in self.modules if "loop" not in name)
        self.assertNotEqual(support.run(*vm).returncode, 0)

    def test_suites_take_it(self):
        project = self.folder / "project"
        project.mkdir()
        got = support.run("vmtest-vm test -k", self.tree, "-k", support.kernel(), "--", "true",
                          cwd=project)
        self.assertEqual(got.returncode, 0, got.stderr)
        self.assertIn("passed", got.stdout)


class ImageTest(CallerCase):
    def test_a_kernel_with_drivers_as_modules(self):
        for suite in None, "trixie":
            with self.subTest(suite):
                image = debian_kernel(suite=suite)
                got = support.run(
                    "vmtest-vm run -q -k", image, "--", "sh", "-c",
                    "uname -r; mount -t tmpfs x /mnt && modprobe loop && ls /sys/module/loop")
                self.assertEqual(got.returncode, 0, got.stderr)
                self.assertIn(image.name.removeprefix("vmlinuz-"), got.stdout)

    @unittest.skipIf(os.geteuid() != 0, "virtiofs in the place of 9p needs root")
    def test_a_kernel_for_clouds_which_has_no_9p(self):
        for suite in None, "trixie":
            with self.subTest(suite):
                self.check_without_9p(debian_kernel(
                    f"linux-image-cloud-{ARCH['debian_arch']}", suite=suite))

    def check_without_9p(self, image):
        kept, changed = self.folder / "kept", self.folder / "changed"
        for path in kept, changed:
            path.mkdir(exist_ok=True)
        file = kept / "file"
        file.write_text("host")
        before = os.stat(file)
        # Past the overlays, on what the host serves.
        got = support.run("vmtest-vm run -q --rw", changed, "-k", image, "--", "sh", "-c", f"""
            uname -r; echo guest >{file}; echo guest >{changed}/file
            mount -t virtiofs /dev/root /mnt && cd /mnt{kept} && cat file
            for try in 'chmod 777 file' 'chown 7 file' 'touch file' 'truncate -s 0 file' \
                'rm file' 'touch new' 'ln file new' 'mv file new' \
                'mkdir new' 'cat /mnt/proc/self/environ' 'cat /mnt/proc/version'; do
                ! $try 2>/dev/null || echo "could: $try"
            done
            /usr/bin/python3 -c 'import os; os.setxattr("file", "user.x", b"y")' 2>&1 |
                grep -q "Read-only file system" || echo could: setxattr
            """)
        self.assertEqual(got.returncode, 0, got.stderr)
        self.assertEqual(got.stdout.split(), [image.name.removeprefix("vmlinuz-"), "host"])
        after = os.stat(file)
        self.assertEqual(file.read_text(), "host")
        for name in ("st_mode", "st_uid", "st_nlink", "st_mtime_ns", "st_ctime_ns"):
            self.assertEqual(getattr(after, name), getattr(before, name), name)
        self.assertEqual(os.listdir(kept), ["file"])
        self.assertEqual((changed / "file").read_text(), "guest\n")

    def test_without_9p_something_must_serve_it(self):
        image = debian_kernel(f"linux-image-cloud-{ARCH['debian_arch']}")
        got = support.run("vmtest-vm run -q -k", image, "--", "true",
                          env=support.environment(VMTEST_VIRTIOFSD="/no/such"))
        self.assertEqual(got.returncode, 125)
        self.assertEqual(got.stderr.count("\n"), 1)
        self.assertIn("the kernel has no 9p (CONFIG_9P_FS), but virtiofs: /no/such: ", got.stderr)

    def test_without_9p_it_needs_root(self):
        image = debian_kernel(f"linux-image-cloud-{ARCH['debian_arch']}")
        self.become(callers()[-1][1])
        got = self.call(support.BIN / "vmtest-vm", "run", "-q", "-k", image, "--", "true")
        self.assertEqual(got.returncode, 125)
        self.assertEqual(got.stderr.count("\n"), 1)
        self.assertIn("take the distribution's general kernel", got.stderr)

    def test_what_it_lacks_is_named(self):
        image = debian_kernel()
        release = image.name.removeprefix("vmlinuz-")
        # Without its modules.
        shutil.copy(image, self.folder / "image")
        shutil.copy(image.parent / f"config-{release}", self.folder)
        got = support.run("vmtest-vm run -q -k", self.folder / "image", "--", "true")
        self.assertEqual(got.returncode, 125)
        self.assertEqual(got.stderr.count("\n"), 1)
        self.assertIn("lacks CONFIG_VIRTIO_PCI, CONFIG_VIRTIO_CONSOLE,", got.stderr)

    def test_a_kernel_that_has_nothing(self):
        shutil.copy(debian_kernel(), self.folder / "image")
        release = debian_kernel().name.removeprefix("vmlinuz-")
        (self.folder / f"config-{release}").write_text("CONFIG_PCI=y\n")
        got = support.run("vmtest-vm run -q -k", self.folder / "image", "--", "true")
        self.assertEqual(got.returncode, 125)
        self.assertIn("CONFIG_TTY, CONFIG_PROC_FS, CONFIG_SYSFS, CONFIG_DEVTMPFS", got.stderr)
