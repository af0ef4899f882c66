# SPDX-License-Identifier: LGPL-2.1-or-later
"""
Workflows can be rehearsed and linted from Python: tests/fixtures/rehearsal.py.
What a workflow means is tested in tests/rehearsal.
"""

import subprocess
import time

import support
from rehearsal import Rehearsal, lint, packages_directory

PIN = "0" * 40 + " # v1"
WORKFLOW = f"""
on: {{workflow_dispatch: {{inputs: {{what: {{type: string, default: world}}}}}}}}
defaults: {{run: {{shell: bash}}}}
jobs:
  hello:
    runs-on: ubuntu-24.04
    steps:
      - uses: actions/checkout@{PIN}
        with: {{persist-credentials: false}}
      - env: {{WHAT: "${{{{ inputs.what }}}}"}}
        run: echo "::warning::$WHAT $GITHUB_RUN_ID"; test "$WHAT" = world
"""


class RehearsalTest(support.TestCase):
    def setUp(self):
        super().setUp()
        packages_directory()

    def rehearsal(self, text, **scenario):
        tree = self.folder / "tree"
        tree.mkdir()
        (tree / "test.yml").write_text(text)
        support.commit_tree(tree)
        return Rehearsal("test.yml", self.folder / "out", tree, **scenario)

    def test_result(self):
        rehearsal = self.rehearsal(WORKFLOW)
        result = rehearsal.run("workflow_dispatch")
        self.assertEqual(result.conclusion, "success", result.failures())
        self.assertEqual(result.job("hello").messages("warning"), ["world 1001"])
        result = rehearsal.run("workflow_dispatch", {"what": "you"})
        self.assertEqual(result.conclusion, "failure")
        self.assertIn("Warning: you 1002", result.failures())
        self.assertIn("completed with exit code 1", result.failures())
        self.assertRaises(KeyError, result.job, "other")
        result = rehearsal.run("push")
        self.assertEqual(result.conclusion, "startup_failure")
        self.assertIn("'push' does not start it", result.failures())

    def test_what_runs_ends_with_the_rehearsal(self):
        log = self.folder / "log"
        loop = f"while date >>'{log}'; do sleep 0.1; done | cat"
        text = WORKFLOW.replace("test ", f"{loop}; test ")
        with self.assertRaises(subprocess.TimeoutExpired):
            self.rehearsal(text).run("workflow_dispatch", timeout=20)
        self.wait_until(lambda: log.stat().st_mtime < time.time() - 2)

    def test_lint(self):
        file = self.folder / "workflow.yml"
        for old, new, complaint in (
            ("", "", None),
            (PIN, "v4", "actions/checkout@v4 is not pinned by a commit"),
            (" # v1", "", "has no version in a comment"),
            ("run: echo", "run: |\n          true\n          echo", "several lines"),
            ("$WHAT $", "${{ inputs.what }} $", "an expression in a script"),
            ("runs-on", "run-on", "Unexpected value 'run-on'"),
            ("- env:", "- if: ${{ github.ref }} == 1\n        env:", "if-cond"),
        ):
            with self.subTest(complaint=complaint):
                file.write_text(WORKFLOW.replace(old, new))
                said = lint(file)
                self.assertEqual(len(said) > 0, bool(complaint), said)
                self.assertIn(complaint or "", "\n".join(said))
