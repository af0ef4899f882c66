# SPDX-License-Identifier: LGPL-2.1-or-later
"""
What the workflows of another repository use of this one: vmtest-vm, the action
and test.yml. Their kernels do not come from the repository that runs them.
"""

import json
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

import support
import rehearsal
from packages import RELEASE, package_entries, package_name, write_package

CALLER = "caller/project"
OWN = "own/vmtest"
NAMED = "named/kernels"
CATALOG = json.loads((support.TOP / "configs/vmtest.json").read_text())
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
        arguments = ("publish", "--no-page", f"--store={store}", package)
        token = {"GITHUB_API_URL": self.api_url, "GITHUB_TOKEN": "write-token"}
        result = support.run("vmtest-bot", *arguments, env=support.environment(**token))
        self.assert_status(result, 0)
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
        package = self.folder / package_name()
        write_package(package, package_entries())
        self.publish(CATALOGS, package)
        environment = support.environment(
            GITHUB_ACTIONS="true",
            GITHUB_REPOSITORY=CALLER,
            GITHUB_API_URL=self.api_url,
            XDG_CACHE_HOME=self.folder,
        )
        for command in (["test", "--list"], ["list"], ["download"]):
            arguments = (*command, "-k", RELEASE)
            result = support.run("vmtest-vm", *arguments, env=environment)
            self.assert_status(result, 0)
            self.assertIn(RELEASE, result.stdout)
        self.assertEqual(list(self.asked()), [CATALOGS])

    def test_a_list_of_kernels_needs_no_command(self):
        """The action lists them first, and has the command from its input."""
        package = self.folder / package_name()
        write_package(package, package_entries())
        (self.folder / "vmtest.json").write_text('{"flavors": ["tiny"]}')
        options = (f"--store=dir:{self.folder}", "-d", self.folder / "kernels")
        arguments = ("test", "-k", "6.12", *options)
        result = support.run("vmtest-vm", *arguments, "--list", cwd=self.folder)
        self.assert_status(result, 0)
        self.assertIn(RELEASE, result.stdout)
        result = support.run("vmtest-vm", *arguments, cwd=self.folder)
        self.assert_one_line(result, 2, "say what to run")


class WorkflowTest(OthersCase):
    @classmethod
    def setUpClass(cls):
        """Make a repository of ours, and a small package: without debug information."""
        rehearsal.packages_directory()
        folder = tempfile.TemporaryDirectory(prefix="vmtest-test.")
        cls.addClassCleanup(folder.cleanup)
        tree = Path(folder.name, "kernel")
        shutil.copytree(support.kernel(), tree, symlinks=True)
        subprocess.run(["objcopy", "--strip-debug", tree / "build/vmlinux"], check=True)
        cls.package = Path(folder.name, support.package().name)
        tar = ["tar", "-C", tree, "-I", "zstd -1", "-cf", cls.package, "."]
        subprocess.run(tar, check=True)
        shutil.rmtree(tree)
        cls.own = Path(folder.name, "own")
        support.copy_tree(cls.own)
        cls.commit = support.commit_tree(cls.own)

    def setUp(self):
        super().setUp()
        self.caller = self.folder / "caller"
        self.caller.mkdir()
        (self.caller / "greeting").write_text("hello\n")

    def install_programs(self, prefix):
        """Where the action looks for them: nothing is built."""
        command = ["cmake", "--install", support.BIN.parent, "--prefix", prefix]
        subprocess.run(command, stdout=subprocess.DEVNULL, check=True)

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
            github={
                "repository": CALLER,
                "api_url": self.api_url,
                "server_url": self.github.urls["GITHUB_SERVER_URL"],
            },
            repositories={OWN: self.own},
            environment={"VMTEST_RETRY_SECONDS": "5"},
        )
        self.install_programs(workflow.home / ".vmtest")
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
