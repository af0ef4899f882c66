# SPDX-License-Identifier: LGPL-2.1-or-later
"""What workflows are rehearsed and linted with: tests/fixtures/rehearsal.py."""

import subprocess

import support
from rehearsal import RUNNER, lint, node

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
      - uses: actions/upload-artifact@{PIN}
        with: {{name: artifact, path: file, overwrite: true}}
      - env: {{WHAT: "${{{{ inputs.what }}}}"}}
        run: echo "::warning::$WHAT $GITHUB_RUN_ID"
"""


class RunnerTest(support.TestCase):
    def test_its_own_tests(self):
        tests = sorted(RUNNER.glob("test/*.test.mjs"))
        result = node("--test", "--test-reporter=tap", *tests, stderr=subprocess.STDOUT)
        self.assertEqual(result.returncode, 0, result.stdout)
        self.assertIn("# fail 0", result.stdout)


class LintTest(support.TestCase):
    def test_what_is_wrong_is_named(self):
        file = self.folder / "workflow.yml"
        for old, new, complaint in (
            ("", "", None),
            (PIN, "v4", "actions/checkout@v4 is not pinned by a commit"),
            (" # v1", "", "has no version in a comment"),
            (", overwrite: true", "", "an artifact without 'overwrite: true'"),
            ("overwrite: true", "overwrite: false", "an artifact without 'overwrite: true'"),
            ("run: echo", "run: |\n          true\n          echo", "several lines"),
            ("$WHAT $", "${{ inputs.what }} $", "an expression in a script"),
            ("steps:", "container: debian:12\n    steps:", "debian:12 is not pinned by a digest"),
            (
                "steps:",
                "permissions: {contents: read}\n    container: debian:12\n    steps:",
                None,
            ),
            ("runs-on", "run-on", "Unexpected value 'run-on'"),
            ("- env:", "- if: ${{ github.ref }} == 1\n        env:", "if-cond"),
        ):
            with self.subTest(complaint=complaint):
                file.write_text(WORKFLOW.replace(old, new))
                said = lint(file)
                self.assertEqual(len(said) > 0, bool(complaint), said)
                self.assertIn(complaint or "", "\n".join(said))
