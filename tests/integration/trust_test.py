# SPDX-License-Identifier: LGPL-2.1-or-later

"""What a guest, a project's file and other users can have the host do: no more than
the user has said.

Each test runs as the user that it is run by and, if that is root, as an ordinary
user too.
"""

import json
import os
import shutil
import subprocess
from pathlib import Path

import support
from caller import AS_ORDINARY, CallerCase, each_caller

ARCH = os.uname().machine
# Of a release as ours are, and too small for more than to be found.
RELEASE = "6.12.1-vmtest1.0tiny"


class TrustCase(CallerCase):
    def make(self, *names, mode=0o755):
        for name in names:
            path = self.folder / name
            path.mkdir(parents=True, exist_ok=True)
            while path != self.folder:
                os.chown(path, self.uid, -1)
                path = path.parent
            os.chmod(self.folder / name, mode)

    def write(self, name, text, mode=0o644):
        path = self.folder / name
        path.write_text(text)
        os.chown(path, self.uid, -1)
        path.chmod(mode)

    def refused(self, command, *options, words=(), **more):
        """A usage error in one line, before anything is made or run."""
        got = self.call(f"vmtest-vm {command}", *options, "--", "true", **more)
        self.assert_one_line(got, 2, *words)
        return got


class PlacesTest(TrustCase):
    """What one guest leaves in a --rw directory, the host does not go by."""

    def setUp(self):
        super().setUp()
        for name in ("rw/inner", "apart", "module"):
            (self.folder / name).mkdir(parents=True)
        (self.folder / "to-rw").symlink_to("rw")
        (self.folder / "out").symlink_to("rw/link/deep")
        (self.folder / "rw/link").symlink_to("../apart")
        (self.folder / "module/Makefile").write_text("obj-m := empty.o\n")
        (self.folder / "rw/image").write_bytes(bytes(1 << 20))

    @each_caller
    def test_outputs(self):
        kernel = support.kernel()
        rows = (
            ("run", "--rw=rw", "--result=rw/result"),
            ("run", "--rw=rw", "--console-log=rw/inner/../log"),
            ("run", "--rw=rw/inner", f"--result={self.folder}/rw/inner/new/result"),
            ("run", "--rw=rw", "--result=to-rw/result"),
            ("run", "--rw=to-rw", "--console-log=rw/log"),
            # It is elsewhere, as long as the guest leaves the link as it is.
            ("run", "--rw=rw", "--result=rw/link/result"),
            ("run", "--rw=rw", "--result=out/result"),
            ("run", "--rw=apart", "--result=out"),
            ("test", "--rw=rw", "--junit=rw/junit.xml"),
            ("test", "--rw=rw", "--log-directory=rw"),
            ("test", "--rw=rw", "--log-directory=new/../rw/logs"),
            ("test", "--rw=rw", "--log-directory=."),
            ("bisect", "--rw=rw", "--log-directory=to-rw/inner"),
        )
        for command, writable, output in rows:
            with self.subTest((command, writable, output)):
                words = (output.replace("=", " "), writable.replace("=", " "), "overlap")
                self.refused(command, "-k", kernel, "-d", "cache", writable, output,
                             words=words)
                self.assertEqual(sorted(os.listdir(self.folder / "rw")),
                                 ["image", "inner", "link"])

    @each_caller
    def test_what_the_host_runs(self):
        kernel = support.kernel()
        module = "--module=build"
        rows = (
            ("--kernel", ["--rw=.", "-k", "./module"]),
            ("--kernel", ["--rw=rw", "-k", "./rw/inner"]),
            ("--kernel", ["--rw=rw/inner", "-k", "./to-rw"]),
            ("--module-source", ["--rw=.", "-k", kernel, module, "--module-source=module"]),
            ("--module-source", ["--rw=module", "-k", kernel, module,
                                 f"--module-source={self.folder}/module"]),
            ("--module-source", ["--rw=rw", "-k", kernel, module, "--module-source=out"]),
            ("--directory", ["--rw=rw", "-k", "6.12", "-d", "rw/cache"]),
            ("--directory", ["--rw=rw/inner", "-k", kernel, "-d", "rw"]),
            ("the cache", ["--rw=.", "-k", "6.12"]),
            ("a build of a module", ["--rw=rw", "-k", kernel, module]),
            ("--store", ["--rw=rw", "-k", "6.12", "-d", "cache", "--store=dir:to-rw"]),
            ("--disk", ["--rw=rw", "-k", kernel, "--disk=rw/image,format=qcow2"]),
        )
        env = self.as_caller({})["env"] | {"TMPDIR": str(self.folder / "rw")}
        for command in ("run", "test"):
            for what, options in rows:
                with self.subTest((command, options)):
                    if command == "test" and "-d" not in options:
                        options = [*options, "-d", "apart/cache"]
                        what = "" if what == "the cache" else what
                    self.refused(command, *options, env=env,
                                 words=(what, "overlap", "or give --rw"))
        shutil.copytree(support.TOP / "configs", self.folder / "rw/configs")
        catalog = str(self.folder / "rw/configs/vmtest.json")
        self.refused("run", "--rw=rw", "-k", kernel, env=env | {"VMTEST_CATALOG": catalog},
                     words=("--catalog", "overlap"))

    @each_caller
    def test_what_is_apart(self):
        """Side by side, and a --rw directory that a link in another one names."""
        got = self.guest("sh", "-c", "echo x >apart/file", options=[
            "-q", "--rw", "rw/link", "--result", "result", "--console-log", "module/log"])
        self.assert_status(got, 0)
        self.assertEqual((self.folder / "apart/file").read_text(), "x\n")
        self.assertEqual(json.loads((self.folder / "result").read_text())["outcome"], "exited")

    def become(self, ids):
        super().become(ids)
        for parent, directories, files in os.walk(self.folder):
            for name in (*directories, *files):
                os.chown(os.path.join(parent, name), self.uid, -1, follow_symlinks=False)

    def test_other_mounts(self):
        self.become({})
        mount = 'mount --bind rw apart || exit 77; exec "$@"'
        run = support.command_line("vmtest-vm run -k", (
            support.kernel(), "--rw=rw/inner", "--result=apart/inner/result", "--", "true"))
        got = self.call("/usr/bin/unshare", "-m", "sh", "-c", mount, "sh", *run)
        if got.returncode == 77 or "unshare" in got.stderr:
            self.skipTest("nothing can be mounted here")
        self.assert_one_line(got, 2, "--result apart/inner/result overlap")

    @each_caller
    def test_a_link_is_replaced_by_the_log(self):
        self.write("precious", "old")
        (self.folder / "log").symlink_to("precious")
        got = self.guest("true", options=["--console-log", "log"])
        self.assert_status(got, 0)
        self.assertEqual((self.folder / "precious").read_text(), "old")
        self.assertIn("Linux version", (self.folder / "log").read_text())
        # A project's can lead to the terminal.
        self.make("logs")
        release = Path(support.kernel(), "build/include/config/kernel.release").read_text().strip()
        log = self.folder / f"logs/{release}.console.log"
        log.symlink_to("/dev/null")
        got = self.call("vmtest-vm test --log-directory logs -k", support.kernel(), "--", "true")
        self.assert_status(got, 0)
        self.assertFalse(log.is_symlink())
        self.assertIn("Linux version", log.read_text())


class ProjectTest(TrustCase):
    def setUp(self):
        super().setUp()
        store = self.folder / "store"
        store.mkdir()
        self.options = (f"--store=dir:{store}", "-k", "./kernel", "-d", "cache")
        (self.folder / "project").mkdir()

    def become(self, ids):
        super().become(ids)
        os.chown(self.folder / "project", self.uid, -1)
        release = self.folder / "kernel/build/include/config/kernel.release"
        release.parent.mkdir(parents=True)
        release.write_text(f"{RELEASE}\n")

    def list(self, *options, **more):
        """Its kernels, which runs nothing, but takes all that the file says."""
        return self.call("vmtest-vm test --list", *self.options, *options, **more)

    def project(self, **keys):
        self.write("vmtest.json", json.dumps(keys))

    @each_caller
    def test_what_only_a_trusted_one_does(self):
        rows = (
            ("qemu_options", ["-device", "x"], 'qemu_options[0]: "-device" '),
            ("qemu", "/bin/true", 'qemu: "/bin/true" '),
            ("rw", ["../.."], 'rw[0]: "../.." is outside of '),
            ("junit", "/elsewhere", 'junit: "/elsewhere" is outside of '),
            ("log_directory", "link", 'log_directory: "link" is outside of '),
            ("module_source", "module", 'module_source: "module" has makefiles'),
            ("environment", {"GITHUB_TOKEN": None}, "environment.GITHUB_TOKEN: null "),
            ("environment", {"ACTIONS_RUNTIME_URL": None}, "environment.ACTIONS_RUNTIME_URL: "),
        )
        (self.folder / "link").symlink_to("/var/tmp")
        env = self.as_caller({})["env"] | {"GITHUB_TOKEN": "x", "ACTIONS_RUNTIME_URL": "x"}
        for key, value, words in rows:
            with self.subTest(key=key, value=value):
                extra = {"module": "build"} if key == "module_source" else {}
                self.project(**{key: value}, **extra)
                got = self.list(env=env)
                self.assert_one_line(got, 2, "vmtest.json", words, "--trust-project")
        # What the file's command does is for the guest.
        self.project(command=["true"], rw=["project"], environment={"HOME": None})
        self.assert_status(self.list(), 0)

    @each_caller
    def test_trust_is_kept_until_the_file_changes(self):
        self.project(qemu_options=["-S"])
        self.assert_one_line(self.list(), 2, "--trust-project")
        self.assert_status(self.list("--trust-project"), 0)
        self.assert_status(self.list(), 0)
        state = self.folder / ".local/state/vmtest"
        self.assertEqual(state.stat().st_mode & 0o777, 0o700)
        self.project(qemu_options=["-S", "-s"])
        self.assert_one_line(self.list(), 2, "qemu_options[0]")
        self.project(qemu_options=["-S"])
        self.assert_status(self.list(), 0)
        # Another place is another project.
        shutil.copy(self.folder / "vmtest.json", self.folder / "project")
        os.chown(self.folder / "project/vmtest.json", self.uid, -1)
        self.assert_one_line(self.list("--project", "project/vmtest.json"), 2, "qemu_options")
        # What is not as it was trusted is forgotten.
        self.assert_status(self.list("--trust-project", "--project", "project/vmtest.json"), 0)
        (self.folder / "project/vmtest.json").unlink()
        os.mkfifo(self.folder / "project/vmtest.json")
        for dry in (["--dry-run"], []):
            got = self.call("vmtest-vm prune -d cache", *dry)
            self.assert_status(got, 0)
            self.assertIn(f"no longer trusted, as it is gone or has changed: {self.folder}/project",
                          got.stderr)
        self.assertEqual(len(os.listdir(state / "trusted")), 1)
        self.assert_status(self.list(), 0)
        # Who can write there could have said so.
        (state / "trusted").chmod(0o777)
        self.assert_one_line(self.list(), 2, "trusted may be written to by others")
        # What needs no trust does not ask who could.
        self.project(rw=["project"])
        self.assert_status(self.list(), 0)

    @each_caller
    def test_the_command_line_is_the_user_s(self):
        self.project(qemu="/no/such", junit="/no/such")
        self.assert_status(self.list("--qemu", "/bin/true", "--junit", "junit.xml"), 0)
        # It adds to lists, which are still the file's.
        self.project(qemu_options=["-S"])
        self.assert_one_line(self.list("--qemu-option", "-s"), 2, '"-S"')

    @each_caller
    def test_what_others_can_change_is_not_read(self):
        # What is in it would be an error, too.
        for folder, mode, words in ((0o755, 0o646, "vmtest.json may be written to by others"),
                                    (0o757, 0o644, "may be written to by others (mode 757)"),
                                    (0o1777, 0o644, "may be written to by others")):
            with self.subTest((folder, mode)):
                self.write("vmtest.json", "nonsense", mode)
                self.folder.chmod(folder)
                got = self.list()
                self.assert_one_line(got, 2, "vmtest.json is not read", words, "copy the project")
        self.folder.chmod(0o755)
        self.write("vmtest.json", "{}")
        self.assert_status(self.list(), 0)

    @each_caller
    def test_what_is_no_file_is_not_read(self):
        path = self.folder / "vmtest.json"
        os.mkfifo(path)
        self.assert_one_line(self.list(timeout=20), 2, "vmtest.json is no regular file")
        path.unlink()
        path.mkdir()
        self.assert_one_line(self.list(), 2, "vmtest.json is no regular file")

    def test_another_user_s_is_not_read(self):
        if os.geteuid() != 0:
            self.skipTest("files of another user need root")
        self.become({})
        self.write("vmtest.json", "{}")
        os.chown(self.folder / "vmtest.json", AS_ORDINARY["user"], -1)
        self.assert_one_line(self.list(), 2, "vmtest.json is not read", "belongs to nobody")
        self.assert_one_line(self.list("--trust-project"), 2, "is not read")
        sudo = self.as_caller({})["env"] | {"SUDO_UID": str(AS_ORDINARY["user"])}
        self.assert_status(self.list(env=sudo), 0)
        # Root's is good for everybody, in a directory of root's.
        os.chown(self.folder / "vmtest.json", 0, -1)
        os.chown(self.folder, AS_ORDINARY["user"], -1)
        self.assert_one_line(self.list(), 2, "belongs to nobody")
        os.chown(self.folder, 0, -1)
        self.folder.chmod(0o755)
        (self.folder / "cache").mkdir(exist_ok=True)
        self.assert_status(self.list(**AS_ORDINARY), 0)


class CacheTest(TrustCase):
    def list(self, *options, **more):
        return self.call("vmtest-vm list", "--store=dir:store", *options, **more)

    @each_caller
    def test_it_is_made_for_the_user_alone(self):
        self.make("store")
        loose = {"preexec_fn": lambda: os.umask(0)}
        self.assert_status(self.list(**loose), 0)
        cache = self.folder / ".cache/vmtest"
        self.assertEqual(cache.stat().st_mode & 0o777, 0o700)
        self.assert_status(self.list("-d", "new/cache", **loose), 0)
        for name in ("new", "new/cache"):
            self.assertEqual((self.folder / name).stat().st_mode & 0o777, 0o755, name)

    @each_caller
    def test_what_others_can_change_is_not_used(self):
        self.make("store", "cache", f"cache/{ARCH}/kernel-{RELEASE}")
        for name in ("cache", f"cache/{ARCH}", f"cache/{ARCH}/kernel-{RELEASE}"):
            with self.subTest(name):
                (self.folder / name).chmod(0o777)
                for command in ("list --store=dir:store", "download -k x", "run -k x",
                                "test -k x", "module -k x"):
                    got = self.call(f"vmtest-vm {command}", "-d", "cache",
                                    *(["--", "true"] if command[0] in "rt" else []))
                    self.assert_one_line(got, 2, name, "may be written to by others",
                                         "--directory")
                (self.folder / name).chmod(0o755)
        self.assert_status(self.list("-d", "cache"), 0)

    def test_another_user_s_is_not_used(self):
        if os.geteuid() != 0:
            self.skipTest("files of another user need root")
        self.become({})
        self.folder.chmod(0o755)
        self.make("store", "cache")
        # Root's is read by all.
        self.assert_status(self.list("-d", "cache", **AS_ORDINARY), 0)
        os.chown(self.folder / "cache", AS_ORDINARY["user"], -1)
        self.assert_status(self.list("-d", "cache", **AS_ORDINARY), 0)
        self.assert_one_line(self.list("-d", "cache"), 2, "cache belongs to nobody")


class ActionTest(support.TestCase):
    """The action's script trusts what the repository itself has sent."""

    def test_by_event(self):
        script = support.TOP / ".github/actions/vm/run"
        (self.folder / "store").mkdir()
        (self.folder / "vmtest.json").write_text('{"qemu_options": ["-S"]}')
        release = self.folder / "kernel/build/include/config/kernel.release"
        release.parent.mkdir(parents=True)
        release.write_text(f"{RELEASE}\n")
        event = self.folder / "event.json"
        for name, sender, status in (("push", "own/it", 0), ("schedule", "own/it", 0),
                                     ("pull_request", "own/it", 0),
                                     ("pull_request", "fork/it", 2),
                                     ("pull_request_target", "fork/it", 2),
                                     ("workflow_run", "own/it", 2)):
            with self.subTest((name, sender)):
                head = {"repo": {"full_name": sender}}
                event.write_text(json.dumps({"pull_request": {"head": head}}))
                env = support.environment(
                    NAME="test", KERNEL="./kernel", FLAVORS="", ARCH="", STORE="dir:store",
                    GITHUB_EVENT_NAME=name, GITHUB_EVENT_PATH=event,
                    GITHUB_REPOSITORY="own/it", HOME=self.folder,
                    XDG_STATE_HOME=self.folder / f"{name}-{status}",
                    PATH=f"{support.BIN}:{os.environ['PATH']}")
                got = subprocess.run([script, "--matrix"], cwd=self.folder, env=env,
                                     capture_output=True, text=True, check=False)
                self.assert_status(got, status)
                if status:
                    self.assert_one_line(got, status, "qemu_options", "--trust-project")
                else:
                    self.assertIn(f'"{self.folder}/kernel"', got.stdout)

    def test_in_a_container(self):
        """Root's job in a workspace of the runner's, who is another user."""
        if os.geteuid() != 0:
            self.skipTest("only root has files of another user")
        (self.folder / "store").mkdir()
        (self.folder / "vmtest.json").write_text('{"kernels": ["6.12"]}')
        for path in (self.folder, self.folder / "vmtest.json"):
            os.chown(path, 1001, -1)
        for workspace, words in ((self.folder, "no kernel"), ("/", "is not read")):
            env = support.environment(
                NAME="test", KERNEL="", FLAVORS="", ARCH="", STORE="dir:store",
                HOME=self.folder / "home",
                GITHUB_WORKSPACE=workspace, PATH=f"{support.BIN}:{os.environ['PATH']}")
            got = subprocess.run([support.TOP / ".github/actions/vm/run", "--matrix"],
                                 cwd=self.folder, env=env, capture_output=True, text=True,
                                 check=False)
            self.assertIn(words, got.stderr)
