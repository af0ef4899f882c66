# SPDX-License-Identifier: LGPL-2.1-or-later
"""
What the workflows of another repository use of this one: vmtest-vm, the action
and test.yml. Their kernels do not come from the repository that runs them.
"""

import hashlib
import json
import os
import re
import subprocess

import support
from support import CATALOG

import rehearsal
from packages import RELEASE, package_entries, package_name, write_package

CALLER = "caller/project"
OWN = "own/vmtest"
NAMED = "named/kernels"
CATALOGS = CATALOG["repository"]
COMMAND = "cat greeting; uname -r"


def series():
    return ".".join(support.release().split(".")[:2])


def action_job(variables=None, **inputs):
    """A job that uses the action, as in the README."""
    action = f"{OWN}/.github/actions/vm@COMMIT"
    inputs = {"kernel": series(), "command": COMMAND, **inputs}
    checkout = {
        "uses": "actions/checkout@v7",
        "with": {"persist-credentials": "false"},
    }
    return {
        "runs-on": "ubuntu-24.04",
        "env": variables or {},
        "steps": [checkout, {"uses": action, "with": inputs}],
    }


def called_job(**inputs):
    """A job that calls the workflow, as in the README."""
    inputs = {"kernels": series(), "command": COMMAND, **inputs}
    return {"uses": f"{OWN}/.github/workflows/test.yml@COMMIT", "with": inputs}


class OthersCase(support.TestCase):
    def setUp(self):
        super().setUp()
        names = (CALLER, OWN, NAMED, CATALOGS)
        self.github = self.start("github.py", *(f"--repository={n}" for n in names))
        self.api_url = self.github.urls["GITHUB_API_URL"]
        self.mark = 0

    def publish(self, repository, package):
        """Give a repository a release with a package; the store's name."""
        store = f"github:{repository}@{CATALOG['tag']}"
        command = f"vmtest-bot publish --no-page --store={store}"
        support.succeed(command, package, env=support.github_environment(self.github))
        self.mark = len(self.github.requests())
        return store

    def asked(self):
        """What was asked of each repository's releases since, and the statuses."""
        asked = {}
        for request in self.github.requests()[self.mark :]:
            if request["endpoint"] == "downloads":
                continue
            name = re.match(r"/(?:repos/)?([^/]+/[^/]+)/releases", request["path"])[1]
            asked.setdefault(name, []).append(request["status"])
        return asked


class ProgramTest(OthersCase):
    def test_the_store_is_the_catalogs(self):
        package = write_package(self.folder / package_name(), package_entries())
        self.publish(CATALOGS, package)
        values = {"GITHUB_ACTIONS": "true", "GITHUB_REPOSITORY": CALLER}
        values |= {"GITHUB_API_URL": self.api_url, "XDG_CACHE_HOME": self.folder}
        environment = support.environment(**values)
        for command in ("test --list", "list", "download"):
            words = f"vmtest-vm {command} -k {RELEASE}"
            self.assertIn(RELEASE, support.succeed(words, env=environment))
        self.assertEqual(list(self.asked()), [CATALOGS])

    def test_a_list_of_kernels_needs_no_command(self):
        """The action lists them first, and has the command from its input."""
        write_package(self.folder / package_name(), package_entries())
        (self.folder / "vmtest.json").write_text('{"flavors": ["tiny"]}')
        options = (f"--store=dir:{self.folder}", "-d", self.folder / "kernels")
        arguments = ("vmtest-vm test -k 6.12", *options)
        listed = support.succeed(*arguments, "--list", cwd=self.folder)
        self.assertIn(RELEASE, listed)
        result = support.run(*arguments, cwd=self.folder)
        self.assert_one_line(result, 2, "say what to run")

    def test_nothing_is_built_that_is_not_asked_for(self):
        """Without a command and a file, drgn is tested, by a module of its own."""
        write_package(self.folder / package_name(), package_entries())
        options = (f"--store=dir:{self.folder}", "-d", self.folder / "kernels")
        arguments = ("vmtest-vm test -k 6.12", *options)
        result = support.run(*arguments, cwd=self.folder)
        self.assert_one_line(result, 2, "say what to run")
        result = support.run(*arguments, "--module=insert", cwd=self.folder)
        self.assert_one_line(result, 1, "failed on 1 of 1 kernels")
        self.assertRegex(result.stderr, r": not run in .*: module .*/module for 6\.12")

    def test_a_disk_without_room_is_known_before_the_first_test(self):
        for version in ("6.12.1", "6.13.1"):
            path = self.folder / package_name(f"{version}-vmtest1.0tiny")
            path.touch()
            # No disk has so much, and each file system takes it in a sparse file.
            os.truncate(path, 1 << 43)
        directory = self.folder / "kernels"
        words = (f"--store=dir:{self.folder}", f"--directory={directory}")
        for options, megabytes in (("-k 6.12,6.13", 52776558), ("-k 6.13", 26388279),
                                   ("-k 6.12,6.13 --discard", 52776558)):
            with self.subTest(options):
                result = support.run(f"vmtest-vm test {options}", *words, "--", "true")
                self.assert_one_line(result, 1, f"{megabytes} MB at least", "prune")
                self.assertEqual("take --discard" in result.stderr, "--discard" not in options)
        self.assertEqual(list(directory.glob("*/kernel-*")), [])

    def run_script(self, *arguments, **variables):
        """The action's; its outputs are in self.outputs."""
        names = ("KERNEL", "FLAVORS", "ARCH", "COMMAND", "TIMEOUT", "OPTIONS", "JUNIT", "LOGS")
        output, summary = self.folder / "output", self.folder / "summary"
        output.write_text("")
        values = dict.fromkeys(names, "") | {
            "STORE": f"dir:{self.folder}", "GITHUB_ACTIONS": "true", "GITHUB_OUTPUT": output,
            "GITHUB_STEP_SUMMARY": summary, "PATH": f"{support.BIN}:{os.environ['PATH']}"}
        result = support.run(support.TOP / ".github/actions/vm/run", *arguments,
                             cwd=self.folder, env=support.environment(**values | variables))
        self.outputs = output.read_text()
        return result

    def test_one_kernel_is_kept_by_its_digest(self):
        package = write_package(self.folder / package_name(), package_entries())
        digest = hashlib.sha256(package.read_bytes()).hexdigest()
        machine = os.uname().machine
        (self.folder / f"{package.name}.sha256").write_text(f"{digest}  {package.name}\n")
        printed = self.run_script("--key", KERNEL="6.12").stdout
        self.assertEqual(printed, f"key=vmtest-kernel-{digest}\n"
                         f"path=~/.cache/vmtest/{machine}/kernel-{RELEASE}\nkernel={RELEASE}\n")
        other = RELEASE.replace("6.12", "6.13")
        write_package(self.folder / package_name(other), package_entries(other))
        self.assertEqual(self.run_script("--key", KERNEL="6.12,6.13").stdout, "")
        for key, options, left in ((digest, "", 1), (digest, "--discard", 0), ("", "", 0)):
            with self.subTest((key, options)):
                cache = self.folder / f"cache{key}{options}"
                got = self.run_script(
                    KERNEL="6.12", KEY=key, COMMAND="true", XDG_CACHE_HOME=cache,
                    OPTIONS=f"--module=insert\n{options}")
                # Its module cannot be built: no guest is started.
                self.assertRegex(got.stdout + got.stderr, r"not run\b.*: module ")
                self.assertEqual(len(list(cache.glob("vmtest/*/kernel-*"))), left)
                self.assertEqual(got.returncode, 1)
                self.assertRegex(
                    self.outputs, r"^passed=0\nfailed=1\ntable<<(.*)\n\|[^|]*kernel[^\0]*"
                    rf"\| {RELEASE} \| \*\*not run\*\* .*\n\1\n$")

    def test_more_kernels_than_a_matrix_has_jobs(self):
        archs = list(CATALOG["architectures"])
        for number in range(15):
            for arch in archs:
                for flavor in ("0tiny", "1default", "2alternative"):
                    name = f"6.{number}.1-vmtest1.{flavor}"
                    (self.folder / f"kernel-{name}.{arch}.tar.zst").touch()
        variables = {"KERNEL": "6.*", "NAME": "a", "ARCH": ",".join(archs)}
        result = self.run_script("--matrix", **variables)
        self.assertEqual((result.returncode, result.stdout), (1, ""), result.stderr)
        self.assertRegex(result.stderr, r"^::error title=vmtest::2[5-9]\d kernels .*'flavors'.*\n$")
        result = self.run_script("--matrix", **variables, FLAVORS="tiny,default")
        self.assertEqual(result.returncode, 0, result.stderr)

    def test_a_name_that_no_artifact_can_have(self):
        result = self.run_script("--matrix", KERNEL="6.12", NAME="a_b")
        self.assertEqual(result.returncode, 1)
        self.assertIn("letters, digits and '-', not 'a_b'", result.stderr)


class WorkflowTest(OthersCase):
    @classmethod
    def setUpClass(cls):
        """Make a repository of ours, and a small package: without debug information."""
        rehearsal.packages_directory()
        folder = support.class_directory(cls)
        cls.package = support.small_package(folder)
        cls.own = folder / "own"
        support.copy_tree(cls.own)
        cls.commit = support.commit_tree(cls.own)

    def setUp(self):
        super().setUp()
        self.caller = self.folder / "caller"
        self.caller.mkdir()
        (self.caller / "greeting").write_text("hello\n")

    def rehearse(self, **jobs):
        """Run these jobs in the caller's repository."""
        file = self.caller / ".github/workflows/kernels.yml"
        file.parent.mkdir(parents=True)
        text = json.dumps({"on": "push", "jobs": jobs}, indent=1)
        file.write_text(text.replace("@COMMIT", f"@{self.commit}"))
        support.commit_tree(self.caller)
        workflow = rehearsal.Rehearsal(
            file.relative_to(self.caller),
            self.folder / "runs",
            self.caller,
            github=rehearsal.github_context(CALLER, self.github.urls),
            repositories={OWN: self.own},
            environment={"VMTEST_RETRY_SECONDS": "5"},
        )
        # Where the action looks for the programs: nothing is built.
        support.install(workflow.home / ".vmtest")
        return workflow.run("push")

    def assert_tested(self, result, count):
        """That many jobs have run the command under the kernel."""
        self.assertEqual(result.conclusion, "success", result.failures())
        wanted = f"hello\n{support.release()}\n"
        tested = [job.name for job in result.jobs if wanted in job.log_text()]
        self.assertEqual(len(tested), count, tested)

    def test_the_store_is_of_the_repository_that_is_used(self):
        self.publish(OWN, self.package)
        result = self.rehearse(action=action_job(), called=called_job())
        self.assert_tested(result, 2)
        self.assertEqual(list(self.asked()), [OWN])

    def test_the_store_is_the_catalogs_if_there_is_no_other(self):
        self.publish(CATALOGS, self.package)
        result = self.rehearse(action=action_job(), called=called_job())
        self.assert_tested(result, 2)
        asked = self.asked()
        self.assertEqual(set(asked), {OWN, CATALOGS})
        # Each has asked once.
        self.assertEqual(asked[OWN], [404, 404])
        self.assertIn(f"{OWN} has no release", result.job("action").log_text())

    def test_the_store_is_the_one_that_the_caller_names(self):
        store = self.publish(NAMED, self.package)
        project = self.caller / "project"
        project.mkdir()
        (project / "greeting").write_text("hello\n")
        (project / "vmtest.json").write_text('{"store": "dir:/nowhere"}')
        result = self.rehearse(
            # It wins over the project's file.
            action=action_job(store=store, **{"working-directory": "project"}),
            variable=action_job({"VMTEST_STORE": store}),
            called=called_job(store=store),
        )
        self.assert_tested(result, 3)
        self.assertEqual(list(self.asked()), [NAMED])

    def test_two_calls_in_one_run(self):
        """What one job has built is tested by many; each call has a result of its own."""
        self.publish(OWN, self.package)
        artifact = {"name": "built", "path": "built"}
        build = {"runs-on": "ubuntu-24.04", "steps": [
            {"run": "mkdir built && echo thing >built/thing", "shell": "bash"},
            {"uses": "actions/upload-artifact@v7", "with": artifact}]}
        one = called_job(name="one", artifact="built", setup="cat thing",
                         command="cat thing greeting; uname -r")
        (self.caller / "below").mkdir()
        (self.caller / "below/file").touch()
        two = called_job(name="two", command="test -e file; false",
                         **{"working-directory": "below", "fail-fast": True})
        values = {f"{job}_{key}".upper(): f"${{{{ needs.{job}.outputs.{key} }}}}"
                  for job in ("one", "two") for key in ("passed", "failed", "table")}
        show = {"env": values, "run": "env | grep -A2 -E '^(ONE|TWO)_'", "shell": "bash"}
        after = {"needs": ["one", "two"], "if": "always()", "runs-on": "ubuntu-24.04",
                 "steps": [show]}
        result = self.rehearse(build=build, one={**one, "needs": "build"}, two=two, after=after)
        self.assertEqual(result.conclusion, "failure", result.failures())
        kernel = f"{support.release()} {os.uname().machine}"
        ends = {job.name: job.conclusion for job in result.jobs}
        self.assertEqual(ends, {
            "build": "success", "one / kernels": "success", f"one / {kernel}": "success",
            "one / result": "success", "two / kernels": "success",
            f"two / {kernel}": "failure", "two / result": "failure", "after": "success"},
            result.failures())
        self.assertIn(f"thing\nhello\n{support.release()}\n",
                      result.job(f"one / {kernel}").log_text())
        log = result.job("after").log_text()
        name = kernel.replace(" ", ".")
        row = "| " + name.replace("_", "\\_") + " |"
        for line in ("ONE_PASSED=1", "ONE_FAILED=0", "TWO_PASSED=0", "TWO_FAILED=1",
                     f"{row} passed |", f"{row} **failed** |"):
            self.assertIn(f"\n{line}\n", log)
        self.assertEqual({each["name"] for each in result.artifacts},
                         {"built", f"one_{name}", f"two_{name}"})
        # Nothing but what the caller's own commands have made is in the workspace.
        left = {}
        for tree in self.folder.glob("runs/run-1/jobs/*/work/project"):
            command = ["git", "-C", tree, "status", "--porcelain", "-uall"]
            left[tree.parts[-3]] = (tree / ".git").exists() and subprocess.check_output(
                command, text=True)
        self.assertEqual({text for text in left.values() if text}, {"?? thing\n"}, left)

    def test_no_other_store_is_taken_for_one_that_does_not_answer(self):
        self.publish(CATALOGS, self.package)
        fault = {"kind": "status", "status": 403, "count": -1}
        self.github.control(faults=[{**fault, "path": f"^/repos/{OWN}/"}])
        result = self.rehearse(action=action_job(), called=called_job())
        self.assertEqual(result.conclusion, "failure", result.failures())
        self.assertEqual(self.asked(), {OWN: [403, 403]})
        for name in ("action", "called / kernels"):
            (message,) = [m for m in result.job(name).messages() if "HTTP" in m]
            self.assertIn(f"kernels in {OWN}: ", message)
            self.assertIn(": HTTP 403; try again, or name a store", message)
