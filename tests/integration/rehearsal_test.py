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
    def test_what_runs_ends_with_the_rehearsal(self):
        log = self.folder / "log"
        loop = f"while date >>'{log}'; do sleep 0.1; done | cat"
        text = WORKFLOW.replace("test ", f"{loop}; test ")
        tree = self.folder / "tree"
        tree.mkdir()
        (tree / "test.yml").write_text(text)
        support.commit_tree(tree)
        packages_directory()
        rehearsal = Rehearsal("test.yml", self.folder / "out", tree)
        with self.assertRaises(subprocess.TimeoutExpired):
            rehearsal.run("workflow_dispatch", timeout=20)
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
