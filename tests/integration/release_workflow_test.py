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
import unittest

import support
from support import TOP, mirror

import rehearsal
import signer

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
    def start_workflow(self, kernel_org, **variables):
        self.kernel_org = kernel_org
        self.github = self.start("github.py", "--folder", self.folder / "github")
        tree = tree_with_one_flavor(self.folder / "tree")
        variables |= {"VMTEST_RETRY_SECONDS": "10", **mirror(self.kernel_org)}
        # The tree has its own.
        del variables["VMTEST_CATALOG"]
        self.variables = variables
        self.workflow = rehearsal.Rehearsal(
            ".github/workflows/release.yml",
            self.folder / "runs",
            tree,
            github=rehearsal.github_context(STORE[0], self.github.urls),
            environment=self.variables,
        )
        rehearsal.packages_directory()

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
        listed = support.assets(store, env=environment)
        return sorted(re.sub(r"^kernel-|\.tar\.zst$", "", a["name"]) for a in listed)

    def get(self, path):
        url = self.github.urls["GITHUB_API_URL"]
        return support.get_json(f"{url}/repos/{STORE[0]}/{path}")

    def page(self):
        return self.get(f"releases/tags/{STORE[1]}")["body"]

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
        with self.stage("an empty release, two series"):
            result = self.run_workflow()
            self.assert_conclusion(result, "success")
            self.assertEqual(result.job("plan").outputs["count"], "2")
            self.assertEqual(len(result.jobs_of("build")), 2)
            self.assert_assets("6.12.117", "6.1.192")
            for name in self.asset_names():
                self.assertIn(name, self.page())
                self.assertIn(f"log-{name}", [a["name"] for a in result.artifacts])
            self.assertEqual(len(result.attestations), 2)
            self.assertIn("6.12.117-vmtest1.0tiny", result.summary)

        with self.stage("nothing to do"):
            result = self.run_workflow()
            self.assert_conclusion(result, "success")
            self.assertEqual(result.job("plan").outputs["count"], "0")
            for job in ("room", "source", "build", "finish"):
                self.assertEqual(result.job(job).conclusion, "skipped")
            self.assertEqual([r["method"] for r in self.requests()], ["GET"])

        with self.stage("a point release"):
            self.kernel_org.control(offer=["6.12.117", "6.12.118", "6.1.192"])
            result = self.run_workflow()
            self.assert_conclusion(result, "success")
            self.assertEqual(len(result.jobs_of("build")), 1)
            self.assert_assets("6.12.118", "6.1.192")
            self.assertNotIn("6.12.117", self.page())

        with self.stage("a dry run by hand"):
            inputs = {"rebuild": True, "dry-run": True}
            result = self.run_workflow("workflow_dispatch", inputs)
            self.assert_conclusion(result, "success")
            self.assertEqual(result.job("plan").outputs["count"], "2")
            self.assertEqual(result.job("build").conclusion, "skipped")

        with self.stage("a package that is not the one that was built"):
            self.variables["VMTEST_REHEARSAL_FORGE"] = "6.1.*"
            inputs = {"kernels": "6.1", "rebuild": True}
            result = self.run_workflow("workflow_dispatch", inputs)
            self.assert_conclusion(result, "failure")
            [build] = result.jobs_of("build")
            self.assertIn("it is not what was built", build.log_text())
            self.assert_assets("6.12.118", "6.1.192")
            del self.variables["VMTEST_REHEARSAL_FORGE"]

        with self.stage("rebuild by hand"):
            inputs = {"kernels": "6.1", "rebuild": True}
            result = self.run_workflow("workflow_dispatch", inputs)
            self.assert_conclusion(result, "success")
            self.assert_assets("6.12.118", "6.1.192-vmtest1.0.1tiny")

        self.kernel_org.control(offer=["6.12.119", "6.1.193"])
        for attempt, *by_hand in (
            ["a build that fails"],
            ["it fails again", "workflow_dispatch", {"retry": True}],
        ):
            with self.stage(attempt):
                self.variables["VMTEST_REHEARSAL_FAIL"] = "6.12.*"
                result = self.run_workflow(*by_hand)
                self.assert_conclusion(result, "failure")
                self.assert_assets("6.12.118", "6.1.193")
                self.assertIn("unknown type name", result.summary)
                [issue] = self.issues("open")
                self.assertIn("6.12", issue["title"])
                self.assertIn("unknown type name", issue["body"])

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
