# SPDX-License-Identifier: LGPL-2.1-or-later
"""
.github/workflows/release.yml, run on this machine from a release that is not
there yet to one that has seen a few of kernel.org's releases.

Kernels are not compiled: the build step packages one of the cache. With
VMTEST_TEST_BUILDS (tests/run --builds) one more run compiles a kernel, too.
"""

import contextlib
import json
import os
import platform
import re
import shutil
import unittest
import urllib.request
from pathlib import Path

import support
from support import TOP, mirror

import rehearsal
import signer
from built_kernel import write_source

ARCH = platform.machine()
STORE = ("octo/kernels", "kernels")


def tree_with_one_flavor(folder):
    """This repository, with a catalog that is done with one kernel a series."""
    support.copy_tree(folder)
    path = folder / "configs/vmtest.json"
    catalog = json.loads(path.read_text())
    catalog["repository"], catalog["tag"] = STORE
    catalog["flavors"] = {"tiny": catalog["flavors"]["tiny"]}
    for name, architecture in catalog["architectures"].items():
        architecture["enabled"] = name == ARCH
    path.write_text(json.dumps(catalog, indent=2))
    signer.trust(path.parent)
    support.commit_tree(folder)
    return folder


class LintTest(support.TestCase):
    """GitHub's parser, actionlint, and our own rules."""

    def test_workflows_and_actions_are_clean(self):
        github = TOP / ".github"
        files = [*github.glob("workflows/*.yml"), *github.glob("actions/*/action.yml")]
        self.assertGreaterEqual(len(files), 5)
        self.assertEqual(rehearsal.lint(*files), [])


class WorkflowCase(support.TestCase):
    def start_workflow(
        self, kernel_org, workflow=".github/workflows/release.yml", **variables
    ):
        self.kernel_org = kernel_org
        self.github = self.start("github.py", "--folder", self.folder / "github")
        # So what a newer one supersedes goes at once.
        self.set_github(asset_age_seconds=3 * 86400)
        tree = tree_with_one_flavor(self.folder / "tree")
        variables |= {"VMTEST_RETRY_SECONDS": "10", **mirror(self.kernel_org)}
        # The tree has its own.
        del variables["VMTEST_CATALOG"]
        self.variables = variables
        self.workflow = rehearsal.Rehearsal(
            workflow,
            self.folder / "runs",
            tree,
            github=rehearsal.github_context(STORE[0], self.github.urls),
            environment=self.variables,
        )
        rehearsal.packages_directory()

    def set_github(self, **settings):
        """The repository's flags, and other settings."""
        flags = {"immutable": False, "issues": True, "private": False}
        flags |= {name: settings.pop(name) for name in flags if name in settings}
        self.github.control(repositories={STORE[0]: flags}, **settings)

    def run_workflow(self, event="schedule", inputs=None, **options):
        self.mark = len(self.github.requests())
        result = self.workflow.run(event, inputs, **options)
        for job in result.jobs:
            self.assertNotIn("write-token", job.log_text())
            self.assertNotIn("read-token", job.log_text())
        return result

    @contextlib.contextmanager
    def stage(self, name):
        """Each begins where the one before it has ended."""
        try:
            yield
        except AssertionError as error:
            raise AssertionError(f"{name}: {error}") from error

    def assert_conclusion(self, result, wanted):
        self.assertEqual(result.conclusion, wanted, result.failures())

    def requests(self):
        """Those of the last run."""
        return self.github.requests()[self.mark :]

    def asset_names(self):
        store = f"github:{STORE[0]}@{STORE[1]}"
        environment = support.github_environment(self.github)
        # Beside what failed, which has no name.
        listed = [a for a in support.assets(store, env=environment) if "name" in a]
        return sorted(re.sub(r"^kernel-|\.tar\.zst$", "", a["name"]) for a in listed)

    def get(self, path):
        url = self.github.urls["GITHUB_API_URL"]
        return support.get_json(f"{url}/repos/{STORE[0]}/{path}")

    def delete_release(self):
        url = self.github.urls["GITHUB_API_URL"]
        number = self.get(f"releases/tags/{STORE[1]}")["id"]
        headers = {"Authorization": "Bearer write-token", "User-Agent": "test"}
        request = urllib.request.Request(
            f"{url}/repos/{STORE[0]}/releases/{number}", headers=headers, method="DELETE"
        )
        urllib.request.urlopen(request).close()

    def page(self):
        return self.get(f"releases/tags/{STORE[1]}")["body"]

    def assert_no_more_than_prepared(self, result, *words):
        """It says once why nothing is built."""
        self.assert_conclusion(result, "failure")
        failed = [job.name for job in result.jobs if job.conclusion == "failure"]
        self.assertEqual(failed, ["prepare"], result.failures())
        for word in words:
            self.assertIn(word, result.job("prepare").log_text())
        for job in ("source", "kernel", "finish"):
            self.assertEqual(result.job(job).conclusion, "skipped")
        self.assertEqual(self.issues("all"), [])

    def assert_built_without_secrets(self, result):
        """In the job that runs make, and with what it signs by not even there."""
        logs = [a for a in result.artifacts if a["name"].startswith("log-")]
        self.assertTrue(logs)
        for artifact in logs:
            log = (Path(artifact["directory"]) / "build.log").read_text()
            names = re.search(r"(?m)^environment: (.*)$", log)[1].split()
            self.assertIn("GITHUB_ACTIONS", names)
            secret = [n for n in names if "TOKEN" in n or "ID_TOKEN" in n]
            self.assertEqual(secret, [])

    def issues(self, state):
        return self.get(f"issues?state={state}")

    def assert_assets(self, *names):
        """Those of this architecture; "RELEASE" stands for RELEASE-vmtest1.0tiny."""
        names = [n if "tiny" in n else f"{n}-vmtest1.0tiny" for n in names]
        self.assertEqual(self.asset_names(), sorted(f"{name}.{ARCH}" for name in names))


class ReleaseWorkflowTest(WorkflowCase):
    def setUp(self):
        super().setUp()
        versions = ("6.12.117", "6.12.118", "6.12.119", "6.1.192", "6.1.193")
        self.start_workflow(
            self.start_kernel_org(*versions, offer=["6.12.117", "6.1.192"]),
            BASH_ENV=str(TOP / "tests/fixtures/build_from_cache.bash"),
        )

    def test_life_of_a_release(self):
        with self.stage("a token that must not write"):
            self.workflow.scenario["token"]["write"] = "read-token"
            result = self.run_workflow()
            self.assert_no_more_than_prepared(result, "contents: write")
            self.workflow.scenario["token"]["write"] = "write-token"

        with self.stage("immutable releases"):
            self.set_github(immutable=True)
            result = self.run_workflow()
            self.assert_no_more_than_prepared(result, "immutable", "use another tag")
            self.set_github()
            self.delete_release()

        with self.stage("an empty release, two series"):
            self.set_github(unseen_seconds=2)
            result = self.run_workflow()
            self.set_github(unseen_seconds=0)
            self.assert_conclusion(result, "success")
            self.assertEqual(result.job("plan").outputs["count"], "2")
            self.assertEqual(len(result.jobs_of("build")), 2)
            self.assertEqual(len(result.jobs_of("publish")), 2)
            self.assert_built_without_secrets(result)
            made = [r["path"] for r in self.requests() if r["method"] == "POST"]
            self.assertEqual(sum(p.endswith("/releases") for p in made), 1, made)
            self.assert_assets("6.12.117", "6.1.192")
            for name in self.asset_names():
                self.assertIn(name, self.page())
                self.assertIn(f"log-{name}", [a["name"] for a in result.artifacts])
            self.assertEqual(len(result.attestations), 2)
            self.assertIn("6.12.117-vmtest1.0tiny", result.summary)

        with self.stage("nothing to do"):
            result = self.run_workflow()
            self.assert_conclusion(result, "success")
            self.assertIn("waits for: release\n", result.output)
            self.assertEqual(result.job("plan").outputs["count"], "0")
            for job in ("prepare", "source", "kernel", "finish"):
                self.assertEqual(result.job(job).conclusion, "skipped")
            self.assertEqual([r["method"] for r in self.requests()], ["GET"])

        with self.stage("a point release, while Sigstore is down"):
            self.kernel_org.control(offer=["6.12.117", "6.12.118", "6.1.192"])
            self.workflow.scenario["sigstore"] = "down"
            result = self.run_workflow()
            del self.workflow.scenario["sigstore"]
            self.assert_conclusion(result, "success")
            [publish] = result.jobs_of("publish")
            self.assertIn("not attested", publish.messages("warning")[0])
            self.assertEqual(len(result.jobs_of("build")), 1)
            self.assert_assets("6.12.118", "6.1.192")
            self.assertNotIn("6.12.117", self.page())

        with self.stage("a dry run by hand"):
            inputs = {"rebuild": True, "dry-run": True}
            result = self.run_workflow("workflow_dispatch", inputs)
            self.assert_conclusion(result, "success")
            self.assertEqual(result.job("plan").outputs["count"], "2")
            self.assertEqual(result.job("kernel").conclusion, "skipped")
            # It waits for nobody, and nobody for it.
            self.assertNotIn("waits for: release", result.output)

        with self.stage("a package that is not the one that was built"):
            self.variables["VMTEST_REHEARSAL_FORGE"] = "6.1.*"
            inputs = {"kernels": "6.1", "rebuild": True}
            result = self.run_workflow("workflow_dispatch", inputs)
            self.assert_conclusion(result, "failure")
            [publish] = result.jobs_of("publish")
            self.assertIn("it is not what was built", publish.log_text())
            self.assertEqual(self.issues("all"), [])
            self.assert_assets("6.12.118", "6.1.192")
            del self.variables["VMTEST_REHEARSAL_FORGE"]

        with self.stage("rebuild by hand, in a private repository"):
            self.set_github(private=True)
            inputs = {"kernels": "6.1", "rebuild": True}
            result = self.run_workflow("workflow_dispatch", inputs)
            self.set_github()
            self.assert_conclusion(result, "success")
            self.assertEqual(result.attestations, [])
            notices = [m for job in result.jobs for m in job.messages("notice")]
            self.assertEqual(len(notices), 1, notices)
            self.assertIn("VMTEST_ATTEST", notices[0])
            self.assert_assets("6.12.118", "6.1.192-vmtest1.0.1tiny")

        with self.stage("a log that GitHub does not take"):
            self.workflow.scenario["unkept"] = "log-*"
            result = self.run_workflow("workflow_dispatch", inputs)
            del self.workflow.scenario["unkept"]
            self.assert_conclusion(result, "failure")
            [build] = result.jobs_of("build")
            self.assertEqual(build.conclusion, "failure")
            self.assert_assets("6.12.118", "6.1.192-vmtest1.0.2tiny")
            self.assertEqual(result.job("finish").conclusion, "success")

        self.kernel_org.control(offer=["6.12.119", "6.1.193"])
        with self.stage("a tag whose tarball is not there yet"):
            self.variables["VMTEST_REHEARSAL_LATE"] = "6.12.*"
            result = self.run_workflow()
            del self.variables["VMTEST_REHEARSAL_LATE"]
            self.assert_conclusion(result, "success")
            self.assertEqual(result.job("plan").outputs["count"], "2")
            self.assert_assets("6.12.118", "6.1.193")
            published = [job.conclusion for job in result.jobs_of("publish")]
            self.assertEqual(sorted(published), ["skipped", "success"])
            self.assertEqual(self.issues("all"), [])

        self.variables["VMTEST_REHEARSAL_FAIL"] = "6.12.*"
        for attempt, *by_hand in (
            ["a build that fails"],
            ["it fails again", "workflow_dispatch", {"retry": True}],
        ):
            with self.stage(attempt):
                result = self.run_workflow(*by_hand)
                self.assert_conclusion(result, "failure")
                self.assert_assets("6.12.118", "6.1.193")
                self.assertIn("unknown type name", result.summary)
                self.assert_built_without_secrets(result)
                # The first time it may have been the machine.
                self.assertEqual(len(self.issues("open")), 1 if by_hand else 0)
        [issue] = self.issues("open")
        self.assertIn("6.12", issue["title"])
        self.assertIn("unknown type name", issue["body"])
        self.assertRegex(
            issue["body"],
            r"worked is 6\.12\.118-\S+, of \S+\. What is new since: ` v6\.12\.118\.\.v6\.12\.119 `, "
            r"` GCC 12\.2\.0, which was gcc-11 \(Debian\) 11\.3\.0 `(, ` \S+\.patch `)*\.\n",
        )

        with self.stage("it is not tried again the same day"):
            result = self.run_workflow()
            self.assert_conclusion(result, "success")
            self.assertEqual(result.job("plan").outputs["count"], "0")
            self.assertEqual([r["method"] for r in self.requests()], ["GET"])
            said = "failed 2 times: build; not tried again before"
            self.assertIn(said, result.job("plan").log_text())
            self.assertIn(said, issue["body"])
            self.assertRegex(self.page(), r"\| 6\.12\.119-\S* \| .* \| build \| 2 \|")
            self.assertEqual(len(self.issues("open")), 1)

        with self.stage("then it is fixed"):
            del self.variables["VMTEST_REHEARSAL_FAIL"]
            result = self.run_workflow("workflow_dispatch", {"retry": True})
            self.assertNotIn("failed 2 times", self.page())
            self.assert_conclusion(result, "success")
            self.assert_assets("6.12.119", "6.1.193")
            self.assertEqual(self.issues("open"), [])
            closed = [other["number"] for other in self.issues("closed")]
            self.assertIn(issue["number"], closed)


class EnvironmentTest(WorkflowCase):
    """A kernel's own makefile, which says what it is given."""

    def test_make_has_no_token_and_nothing_to_sign_with(self):
        tarball = write_source(
            self.folder / "linux-6.12.117.tar.xz",
            "6.12.117",
            first="$(info $(shell env | sed s/^/environment:/ >&2))\n",
        )
        kernel_org = self.start("kernel_org.py", f"--source=6.12.117={tarball}")
        self.start_workflow(kernel_org)
        shutil.rmtree(self.folder / "tree/configs/patches")
        (self.folder / "tree/configs/patches").mkdir()
        support.commit_tree(self.folder / "tree")
        result = self.run_workflow()
        self.assert_conclusion(result, "failure")
        [artifact] = [a for a in result.artifacts if a["name"].startswith("log-")]
        log = (Path(artifact["directory"]) / "build.log").read_text()
        names = re.findall(r"(?m)^environment:(\w+)=", log)
        self.assertIn("PATH", names)
        self.assertEqual([n for n in names if re.search("TOKEN|ACTIONS|GITHUB", n)], [])
        for value in ("write-token", "read-token", "id-token"):
            self.assertNotIn(value, log)
        # Nothing that could be published, and one failure is no issue.
        self.assertEqual(result.job("publish").conclusion, "skipped")
        self.assertEqual(self.issues("all"), [])


class ConfigsWorkflowTest(WorkflowCase):
    """A pull request's kernels, of which the budget has room for two."""

    def setUp(self):
        super().setUp()
        versions = ("6.12.117", "6.6.50", "6.1.192")
        self.start_workflow(
            self.start_kernel_org(*versions, offer=versions),
            workflow=".github/workflows/configs.yml",
            BASH_ENV=str(TOP / "tests/fixtures/build_from_cache.bash"),
        )
        self.tree = self.folder / "tree"
        self.base = self.commit("README.md", "")

    def commit(self, name, text):
        path = self.tree / name
        path.write_text(path.read_text() + text)
        return support.commit_tree(self.tree)

    def propose(self):
        """Run it as for a pull request of what the tree has."""
        pull = {"pull_request": {"base": {"sha": self.base}}}
        self.workflow.github["event"] = pull
        result = self.run_workflow("pull_request")
        self.assert_conclusion(result, "success")
        return [job.name.split("-")[0] for job in result.jobs_of("kernel") if job.log]

    def test_what_is_made_in_another_way_is_built(self):
        self.commit("configs/README.md", "More.\n")
        self.assertEqual(self.propose(), [])
        self.commit("configs/tiny.config", "CONFIG_ZRAM=m\n")
        budget = self.tree / ".github/workflows/configs.yml"
        budget.write_text(budget.read_text().replace("'12'", "'2'"))
        support.commit_tree(self.tree)
        self.assertEqual(self.propose(), ["6.12.117", "6.1.192"])
        self.assertEqual(self.requests(), [])


@unittest.skipUnless(os.environ.get("VMTEST_TEST_BUILDS"), "tests/run --builds")
class RealKernelTest(WorkflowCase):
    """Every step as it is: a kernel is compiled, booted and published."""

    def test_a_kernel_is_built(self):
        kernel_org = self.start("kernel_org.py", "--installed")
        self.start_workflow(kernel_org)
        result = self.run_workflow(timeout=3600)
        self.assert_conclusion(result, "success")
        built = [job.name for job in result.jobs_of("build")]
        self.assertEqual(self.asset_names(), sorted(n.replace(" ", ".") for n in built))
        self.assertTrue(built)
