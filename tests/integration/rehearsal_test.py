#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""
Workflows can be rehearsed from Python: tests/fixtures/rehearsal.py and the
program that it starts. What a workflow means is tested in tests/rehearsal.
"""

import json
import subprocess
import time
import unittest
from pathlib import Path

import support
from rehearsal import RUNNER, Rehearsal, environment, lint
from stand_in import Skipped

PIN = "0" * 40 + " # v1"

WORKFLOW = f"""
on: {{workflow_dispatch: {{inputs: {{what: {{default: world}}}}}}}}
jobs:
  hello:
    runs-on: ubuntu-24.04
    outputs: {{text: "${{{{ steps.say.outputs.text }}}}"}}
    steps:
      - uses: actions/cache@{PIN}
        with: {{path: ~/seed, key: seed-1}}
      - id: say
        env: {{WHAT: "${{{{ inputs.what }}}}"}}
        run: |
          echo "text=$(cat ~/seed/greeting) $WHAT from $GITHUB_REPOSITORY" >>"$GITHUB_OUTPUT"
          echo "# Said" >>"$GITHUB_STEP_SUMMARY"
          echo "::warning::only that"
          echo hello >hello.txt
      - uses: actions/upload-artifact@{PIN}
        with: {{name: said, path: hello.txt}}
"""

SLOW = """
on: push
jobs:
  slow:
    runs-on: ubuntu-24.04
    steps:
      - run: |
          trap 'exit 1' INT
          echo $$ >"$PIDS"
          sleep 300 &
          echo $! >>"$PIDS"
          wait
  after:
    needs: slow
    if: always()
    runs-on: ubuntu-24.04
    steps: [{run: "true"}]
"""


def is_running(pid):
    """A zombie is not."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError:
        return False
    return "\nState:\tZ" not in status


class RehearsalTest(support.TestCase):
    def setUp(self):
        super().setUp()
        try:
            self.environment = environment()
        except Skipped as reason:
            self.skipTest(str(reason))
        self.tree = self.folder / "tree"

    def rehearsal(self, text, **options):
        file = self.tree / ".github/workflows/test.yml"
        file.parent.mkdir(parents=True)
        file.write_text(text)
        name = file.relative_to(self.tree)
        return Rehearsal(name, self.folder / "out", self.tree, **options)

    def program(self, *arguments):
        return subprocess.run(
            [RUNNER / "run.mjs", *arguments],
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
        )

    def test_result(self):
        rehearsal = self.rehearsal(WORKFLOW, github={"repository": "me/it"})
        seed = self.folder / "home"
        (seed / "seed").mkdir(parents=True)
        (seed / "seed/greeting").write_text("hello")
        rehearsal.seed_cache("seed-1", seed, "~/seed")
        result = rehearsal.run("workflow_dispatch", {"what": "you"})
        self.assertEqual(result.conclusion, "success", result.failures())
        self.assertEqual(result.status, 0)
        job = result.job("hello")
        self.assertEqual(job.outputs["text"], "hello you from me/it")
        self.assertEqual(job.messages("warning"), ["only that"])
        self.assertEqual(job.step("say").outcome, "success")
        self.assertIn("Warning: only that", job.step("say").log_text())
        self.assertIn("# Said", result.summary)
        said = result.artifact_files("said")
        self.assertEqual(said["hello.txt"].read_text(), "hello\n")
        self.assertRaises(KeyError, result.job, "other")

        again = rehearsal.run("workflow_dispatch")
        self.assertEqual(
            again.job("hello").outputs["text"], "hello world from me/it"
        )
        self.assertNotEqual(again.folder, result.folder)

    def test_refused(self):
        result = self.rehearsal(WORKFLOW).run("schedule")
        self.assertEqual(result.status, 1)
        self.assertEqual(result.conclusion, "startup_failure")
        self.assertIn("'schedule' does not start it", result.errors[0])
        self.assertIn("error: ", result.output)

    def test_failed(self):
        text = WORKFLOW.replace("echo hello >hello.txt", "cat nothing")
        result = self.rehearsal(text).run("workflow_dispatch")
        self.assertEqual(result.status, 1)
        self.assertEqual(result.conclusions(), {"hello": "failure"})
        said = result.failures()
        self.assertIn("hello: Process completed with exit code 1.", said)
        self.assertIn("cat: nothing: No such file", said)
        self.assertIn("hello: failure in ", result.output)

    def start_slow(self):
        """A Rehearsal that runs, and the processes of its step."""
        file = self.folder / "pids"
        rehearsal = self.rehearsal(SLOW, environment={"PIDS": file})
        rehearsal.start("push")
        self.addCleanup(rehearsal.kill)
        deadline = time.monotonic() + 60
        while not file.exists() or file.read_text().count("\n") < 2:
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.02)
        pids = [int(line) for line in file.read_text().split()]
        self.assertTrue(all(map(is_running, pids)))
        return rehearsal, pids

    def assert_gone(self, pids):
        deadline = time.monotonic() + 10
        while any(map(is_running, pids)):
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.02)

    def test_cancel(self):
        rehearsal, pids = self.start_slow()
        rehearsal.cancel()
        result = rehearsal.finish()
        self.assertEqual(
            result.conclusions(), {"slow": "cancelled", "after": "success"}
        )
        self.assertEqual(result.status, 1)
        self.assert_gone(pids)

    def test_kill(self):
        rehearsal, pids = self.start_slow()
        rehearsal.kill()
        self.assert_gone(pids)

    def test_lint(self):
        good = self.folder / "good.yml"
        good.write_text(WORKFLOW)
        bad = self.folder / "bad.yml"
        bad.write_text(WORKFLOW.replace(PIN, "v4"))
        complaints = lint(good, bad)
        self.assertEqual(len(complaints), 2)
        for complaint in complaints:
            self.assertIn("bad.yml: line ", complaint)
            self.assertIn("is not pinned by a commit", complaint)

    def test_usage(self):
        result = self.program("--help")
        self.assertEqual(result.returncode, 0)
        for word in ("--event FILE", "result.json", "workflow_dispatch"):
            self.assertIn(word, result.stdout)
        event = self.folder / "event.json"
        event.write_text(json.dumps({"event": "push"}))
        broken = self.folder / "broken.json"
        broken.write_text("{")
        complete = ("--event", event, "--out", self.folder)
        for arguments, word in (
            ((), "one workflow"),
            (("a.yml",), "--event and --out"),
            (("a.yml", "--what"), "--what"),
            (("a.yml", "b.yml", *complete), "one workflow"),
            (("a.yml", *complete, "--parallel", "0"), "'0'"),
            (("a.yml", "--event", broken, "--out", self.folder), "broken"),
        ):
            result = self.program(*arguments)
            self.assertEqual(result.returncode, 2, arguments)
            self.assertIn(word, result.stderr)
            self.assertEqual(result.stderr.count("\n"), 1)


if __name__ == "__main__":
    unittest.main()
