# SPDX-License-Identifier: LGPL-2.1-or-later
"""The step that ends a workflow's run: the store's page and issues, run after run."""

import hashlib
import json
import re
import shutil

import support
import packages
from actions_test import ActionsTest
from built_kernel import catalog_without_patches


def package_of(release):
    """The bytes of a package, the same each time."""
    return packages.tarball([packages.entry("./vmlinuz", release.encode())])


class FinishTest(ActionsTest):
    """Jobs that have built, or not, and the one that ends the run."""

    def setUp(self):
        super().setUp()
        self.plan = self.folder / "plan.json"
        self.results = self.folder / "results"
        self.catalog = []
        self.run_id = 4711

    def write_plan(self, *releases, left_out=0):
        items = [{"release": release, "arch": "x86_64"} for release in releases]
        self.plan.write_text(json.dumps({"include": items, "left_out": left_out}))
        # What this run says, nobody else's.
        shutil.rmtree(self.results, ignore_errors=True)

    def write_result(self, release, **fields):
        """As a job's artifact; "built" by default."""
        data = package_of(release)
        result = {
            "release": release,
            "arch": "x86_64",
            "outcome": "built",
            "seconds": {"source": 3.5, "build": 512.25},
            "size": len(data),
            "sha256": hashlib.sha256(data).hexdigest(),
            **fields,
        }
        folder = self.results / f"result-{release}"
        folder.mkdir(parents=True)
        (folder / "result.json").write_text(json.dumps(result))

    def built(self, release):
        """A job that has built and published."""
        self.write_result(release)
        path = self.folder / "packages" / f"kernel-{release}.x86_64.tar.zst"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(package_of(release))
        self.assert_status(self.step("publish --no-page", path), 0)

    def failed(self, release, phase="build"):
        error, log = f"{phase} of {release} | went wrong", "the last line @nobody\n"
        self.write_result(release, outcome="failed", phase=phase, error=error, log=log)

    def finish(self, *arguments, attempt=1, env=None, **options):
        """End another run, or one again."""
        self.run_id += attempt == 1
        env = {"GITHUB_RUN_ID": str(self.run_id), **(env or {})}
        words = (f"--plan={self.plan}", f"--results={self.results}", *self.catalog)
        return self.step("finish", *words, *arguments, env=env, **options)

    def want_two_kernels_a_version(self):
        """tiny and default for this machine, and no more."""
        path = catalog_without_patches(self.folder / "few")
        catalog = json.loads(path.read_text())
        catalog["flavors"] = {n: catalog["flavors"][n] for n in ("tiny", "default")}
        for name, architecture in catalog["architectures"].items():
            architecture["enabled"] = name == "x86_64"
        path.write_text(json.dumps(catalog))
        self.catalog = [f"--catalog={path}"]

    def fail_once(self):
        """So that the next time is the second in a row."""
        self.write_plan("6.12.117-vmtest1.0tiny")
        self.failed("6.12.117-vmtest1.0tiny")
        self.assert_status(self.finish("--issues"), 1)
        self.assertEqual(self.issues("all"), [])

    def api(self, path):
        url = self.github.urls["GITHUB_API_URL"]
        return support.get_json(f"{url}/repos/octo/kernels/{path}")

    def issues(self, state="open"):
        return self.api(f"issues?state={state}&direction=asc")

    def page(self):
        return self.api("releases/tags/vmtest-assets")["body"]

    def assets(self):
        return sorted(a["name"] for a in self.api("releases/tags/vmtest-assets")["assets"])

    def test_publish_leaves_the_page_to_finish(self):
        self.write_plan("6.12.117-vmtest1.0tiny")
        self.built("6.12.117-vmtest1.0tiny")
        self.assertEqual(self.page(), "")
        self.assert_status(self.finish(), 0)
        self.assertIn("6.12.117", self.page())

    def test_what_became_of_each_kernel(self):
        rows = (
            ("7.2.13-vmtest1.0tiny", "failed", "job"),
            ("6.12.117-vmtest1.1default", "failed", "boot"),
            ("6.12.117-vmtest1.0tiny", "failed", "publish"),
            ("6.11.9-vmtest1.0tiny", "skipped", None),
            ("6.1.50-vmtest1.0tiny", "built", None),
        )
        failed = [row for row in rows if row[2]]
        self.write_plan(*[row[0] for row in rows], left_out=44)
        self.built("6.1.50-vmtest1.0tiny")
        self.failed("6.12.117-vmtest1.1default", "boot")
        self.write_result("6.12.117-vmtest1.0tiny")
        self.write_result("6.11.9-vmtest1.0tiny", outcome="unavailable")
        result = self.finish()
        self.assert_one_line(result, 1, "3 of 5 kernels failed")
        table = [line.split()[0:3:2] for line in result.stdout.splitlines()[1:]]
        self.assertEqual(table, [[row[0], row[2] or row[1]] for row in rows])
        counts = "1 built, 3 failed, 1 skipped, 44 left for the next run"
        self.assertIn(f"### Kernels: {counts}", self.summary)
        for release, _, phase in failed:
            row = rf"(?m)^\| {re.escape(release)} \| x86\\_64 \| \*\*{phase} failed\*\*"
            self.assertRegex(self.summary, row)
        self.assertRegex(self.summary, r"x86\\_64 \| built \| .* 3\.5 s .* 512\.2 s")
        self.assertIn("```\nthe last line @nobody\n```", self.summary)
        titles = [title for title, _ in self.annotations(result)]
        self.assertEqual(titles, [f"{r} for x86_64%3A {p} failed" for r, _, p in failed])
        # Nobody asked for issues.
        self.assertEqual(self.issues("all"), [])
        said = json.loads(self.finish("--json").stdout)
        self.assertEqual([(s["result"], s["phase"]) for s in said], [r[1:] for r in rows])

    def test_superseded_kernels_are_pruned(self):
        self.built("6.12.115-vmtest1.0tiny")
        self.write_plan("6.12.117-vmtest1.0tiny")
        self.built("6.12.117-vmtest1.0tiny")
        self.assert_status(self.finish(), 0)
        self.assertEqual(len(self.assets()), 2)
        # A run that has planned with it may go on for two days.
        self.assert_status(self.finish("--keep=1"), 0)
        self.assertEqual(len(self.assets()), 2)
        self.assert_status(self.finish("--keep=1", "--keep-days=0"), 0)
        (name,) = self.assets()
        self.assertEqual(name, "kernel-6.12.117-vmtest1.0tiny.x86_64.tar.zst")
        self.assertNotIn("6.12.115", self.page())

    def test_the_matrix_is_a_plan(self):
        self.kernel_org.control(offer=["6.12.117"])
        result = self.step("plan --github-output -a x86_64 -f tiny")
        self.assert_status(result, 0)
        self.plan.write_text(self.outputs["matrix"])
        self.built("6.12.117-vmtest1.0tiny")
        result = self.finish()
        self.assert_status(result, 0)
        self.assertIn("### Kernels: 1 built, 0 failed", self.summary)

    def test_nothing_planned_is_nothing_failed(self):
        self.write_plan()
        self.assert_status(self.finish("--issues"), 0)
        self.assertIn("### Kernels: 0 built, 0 failed, 0 skipped", self.summary)

    def test_an_issue_from_its_opening_to_its_end(self):
        self.want_two_kernels_a_version()
        self.write_plan("6.12.117-vmtest1.0tiny", "6.1.50-vmtest1.0tiny")
        self.failed("6.12.117-vmtest1.0tiny")
        self.built("6.1.50-vmtest1.0tiny")
        self.assert_status(self.finish("--issues"), 1)
        # It may have been the machine's fault.
        self.assertEqual(self.issues("all"), [])
        self.assert_status(self.finish("--issues"), 1)
        (issue,) = self.issues("all")
        self.assertEqual(issue["title"], "Linux 6.12: builds fail")
        self.assertEqual([label["name"] for label in issue["labels"]], ["vmtest"])
        for text in (
            "` build of 6.12.117-vmtest1.0tiny \\| went wrong `",
            "```\nthe last line @nobody\n```",
            f"https://github.example/octo/kernels/actions/runs/{self.run_id}",
        ):
            self.assertIn(text, issue["body"])

        # The next day it fails elsewhere; another series fails, too.
        self.write_plan("6.12.118-vmtest1.0tiny", "6.1.51-vmtest1.0tiny")
        self.failed("6.12.118-vmtest1.0tiny", "boot")
        self.failed("6.1.51-vmtest1.0tiny")
        self.assert_status(self.finish("--issues"), 1)
        (first,) = self.issues("all")
        self.assertIn("6.12.118", first["body"])
        self.assert_status(self.finish("--issues"), 1)
        first, second = self.issues("all")
        self.assertEqual(first["number"], issue["number"])
        self.assertIn("6.12.118", first["body"])
        self.assertNotIn("6.12.117", first["body"])
        self.assertEqual(second["title"], "Linux 6.1: builds fail")

        # What is not there yet says nothing; and one kernel is not all of them.
        self.write_plan("6.12.118-vmtest1.0tiny", "6.12.118-vmtest1.1default")
        self.built("6.12.118-vmtest1.0tiny")
        self.write_result("6.12.118-vmtest1.1default", outcome="unavailable")
        self.assert_status(self.finish("--issues"), 0)
        self.assertEqual(len(self.issues()), 2)

        self.write_plan("6.12.118-vmtest1.1default")
        self.built("6.12.118-vmtest1.1default")
        self.assert_status(self.finish("--issues"), 0)
        self.assertEqual([i["number"] for i in self.issues()], [second["number"]])
        closed = self.issues("all")[0]
        self.assertEqual((closed["state"], closed["comments"]), ("closed", 1))
        (comment,) = self.api(f"issues/{closed['number']}/comments")
        self.assertIn("has found all kernels of 6.12.118", comment["body"])

        # Once closed it is history.
        self.write_plan("6.12.119-vmtest1.0tiny")
        self.failed("6.12.119-vmtest1.0tiny")
        for count in (2, 3):
            self.assert_status(self.finish("--issues"), 1)
            self.assertEqual(len(self.issues("all")), count)
        self.assert_described(self.folder / "exchanges")

    def test_a_run_that_is_run_again_counts_a_failure_once(self):
        self.fail_once()
        for attempt in (2, 3):
            self.assert_status(self.finish("--issues", attempt=attempt), 1)
            self.assertEqual(self.issues("all"), [])
        self.assert_status(self.finish("--issues"), 1)
        self.assertEqual(len(self.issues()), 1)

    def test_an_issue_that_a_run_could_not_close_is_closed_by_the_next(self):
        self.want_two_kernels_a_version()
        self.fail_once()
        self.assert_status(self.finish("--issues"), 1)
        for release in ("6.12.117-vmtest1.0tiny", "6.12.117-vmtest1.1default"):
            # Until the last is there, nothing is closed, whatever was planned.
            self.assertEqual(len(self.issues()), 1)
            self.write_plan()
            self.assert_status(self.finish("--issues"), 0)
            self.assertEqual(len(self.issues()), 1)
            self.built(release)
        self.write_plan("6.1.50-vmtest1.0tiny")
        self.built("6.1.50-vmtest1.0tiny")
        self.write_plan()
        fault = {"kind": "status", "status": 502, "method": "PATCH", "path": "/issues/1$"}
        self.github.control(faults=[{**fault, "count": -1}])
        self.assert_status(self.finish("--issues", env={"VMTEST_RETRY_SECONDS": "0"}), 1)
        self.github.control(faults=[])
        self.assertEqual(len(self.issues()), 1)
        self.assert_status(self.finish("--issues"), 0)
        (issue,) = self.issues("all")
        self.assertEqual((issue["state"], issue["comments"]), ("closed", 1))

    def test_a_cause_of_any_length_is_in_the_issue(self):
        release = "6.12.117-vmtest1.0tiny"
        for _ in range(2):
            self.write_plan(release)
            self.write_result(release, outcome="failed", phase="build", error=70000 * "é")
            self.assert_status(self.finish("--issues"), 1)
        (issue,) = self.issues()
        self.assertIn(200 * "é", issue["body"])

    def test_what_is_not_the_kernels_fault_is_no_issue(self):
        release = "6.12.117-vmtest1.0tiny"
        for phase in ("source", "publish", None):
            self.write_plan(release)
            if phase:
                self.failed(release, phase)
            for _ in range(3):
                self.assert_status(self.finish("--issues"), 1)
        self.assertEqual(self.issues("all"), [])
        # Whose job left nothing is tried by the next run, and then later.
        rows = json.loads(self.step("status --json").stdout)
        self.assertEqual([(r["failed"], r["failures"]) for r in rows], [("job", 3)])

    def test_a_lost_answer_makes_nothing_twice(self):
        def lose(path):
            fault = {"kind": "lost_answer", "method": "POST", "path": path}
            self.github.control(faults=[fault])

        self.want_two_kernels_a_version()
        self.fail_once()
        lose("/issues$")
        self.assert_status(self.finish("--issues"), 1)
        self.assertEqual(len(self.issues("all")), 1)

        self.write_plan("6.12.117-vmtest1.0tiny", "6.12.117-vmtest1.1default")
        self.built("6.12.117-vmtest1.0tiny")
        self.built("6.12.117-vmtest1.1default")
        lose("/comments$")
        self.assert_status(self.finish("--issues"), 0)
        (issue,) = self.issues("all")
        self.assertEqual((issue["state"], issue["comments"]), ("closed", 1))

    def test_a_store_that_does_not_answer_is_asked_for_one_package(self):
        kinds = ("1.0tiny", "1.1default")
        for version, become in (("6.12.116", self.built), ("6.12.117", self.failed)):
            releases = [f"{version}-vmtest{kind}" for kind in kinds]
            self.write_plan(*releases)
            for release in releases:
                become(release)
        self.assert_status(self.finish("--issues"), 1)
        self.github.control(faults=[{"kind": "close", "endpoint": "web", "count": -1}])
        self.assert_status(self.finish("--issues", env={"VMTEST_RETRY_SECONDS": "0"}), 1)
        (issue,) = self.issues("all")
        self.assertIn("The last that worked is 6.12.116-vmtest1.0tiny", issue["body"])
        self.assertEqual(issue["body"].count("How it was made cannot be read."), 2)
        asked = {request["path"] for request in self.github.requests(endpoint="web")}
        self.assertEqual(len(asked), 1, asked)

    def test_an_issue_that_cannot_be_updated_is_not_said_to_be(self):
        fault = {"kind": "status", "status": 422, "method": "PATCH", "path": "/issues/1$"}
        self.fail_once()
        for faults, updated in ([], False), ([], True), ([fault], False):
            self.github.control(faults=faults)
            result = self.finish("--issues")
            self.assert_status(result, 1)
            self.assertEqual("updated issue 1" in result.stderr, updated)

    def test_a_label_that_was_dropped_is_set(self):
        self.github.control(labels_dropped=True)
        self.fail_once()
        for _ in range(2):
            self.assert_status(self.finish("--issues"), 1)
        (issue,) = self.issues("all")
        self.assertEqual([label["name"] for label in issue["labels"]], ["vmtest"])

    def test_a_label_that_cannot_be_set_makes_nothing_twice(self):
        fault = {"kind": "status", "status": 502, "path": "/labels$", "count": -1}
        self.github.control(labels_dropped=True, faults=[fault])
        self.fail_once()
        result = self.finish("--issues", env={"VMTEST_RETRY_SECONDS": "0"})
        self.assert_status(result, 1)
        self.assertRegex(result.stderr, "error: --issues: .*label issue 1: .*502")
        self.assertEqual(len(self.issues("all")), 1)

    def test_a_missing_permission_is_named_after_all_else_is_done(self):
        self.built("6.12.115-vmtest1.0tiny")
        self.write_plan("6.12.117-vmtest1.0tiny", "6.1.50-vmtest1.0tiny")
        self.built("6.12.117-vmtest1.0tiny")
        self.failed("6.1.50-vmtest1.0tiny")
        self.assert_status(self.finish(), 1)
        env = {"GITHUB_TOKEN": "contents-token"}
        result = self.finish("--issues", "--keep=1", "--keep-days=0", env=env)
        self.assert_status(result, 1)
        (line,) = [l for l in result.stderr.splitlines() if "error: --issues" in l]
        self.assertIn("issues: write", line)
        self.assertNotIn("contents: write", line)
        self.assertIn(line.partition("error: ")[2], str(self.annotations(result)))
        self.assertEqual(len(self.assets()), 1)
        self.assertIn("6.12.117", self.page())
        self.assertIn("1 built, 1 failed", self.summary)

    def test_issues_that_are_off_are_a_warning(self):
        self.github.control(repositories={"octo/kernels": {"issues": False}})
        self.write_plan("6.12.117-vmtest1.0tiny")
        self.built("6.12.117-vmtest1.0tiny")
        result = self.finish("--issues")
        self.assert_status(result, 0)
        self.assertRegex(result.stderr, r"warning: --issues: .*410.*settings")
        ((_, message),) = self.annotations(result, "warning")
        self.assertIn("410", message)

    def test_results_that_cannot_be_read_are_failures(self):
        self.write_plan("6.12.117-vmtest1.0tiny")
        self.results.mkdir()
        (self.results / "result.json").write_text('{"release": "6.12')
        result = self.finish()
        self.assert_status(result, 1)
        self.assertIn(f"warning: {self.results / 'result.json'}", result.stderr)
        self.assertIn("job failed", self.summary)

    def test_wrong_usage(self):
        self.write_plan("6.12.117-vmtest1.0tiny")
        self.failed("6.12.117-vmtest1.0tiny")
        bad = self.folder / "bad.json"
        bad.write_text("{}")
        plan, results = f"--plan={self.plan}", f"--results={self.results}"
        for arguments, word in (
            ([], "--plan"),
            ([plan], "--results"),
            ([f"--plan={bad}", results], "include"),
        ):
            with self.subTest(arguments=arguments):
                self.assert_one_line(self.step("finish", *arguments), 2, word)
        words = (plan, results, "--issues", "--store=dir:/tmp/x")
        result = self.step("finish", *words, env={"GITHUB_ACTIONS": None})
        self.assert_one_line(result, 2, "dir:/tmp/x")
        self.assertEqual(self.github.requests(method="POST"), [])
