// SPDX-License-Identifier: LGPL-2.1-or-later
import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";

import {
  ON,
  Repository,
  conclusions,
  job,
  messages,
  rehearse,
  steps,
} from "./support.mjs";

const SCALE = { settings: { minuteMs: 200 } };

test("a step that takes too long fails, and the next ones are as after a failure", async (t) => {
  const [job] = (
    await rehearse(
      t,
      steps(`
- {name: slow, run: exec sleep 30, timeout-minutes: 1}
- {run: "true"}
- {run: "true", if: failure()}
- {run: "true", if: cancelled()}
`),
      SCALE,
    )
  ).jobs;
  assert.deepEqual(
    job.steps.map((step) => step.conclusion),
    ["failure", "skipped", "success", "skipped"],
  );
  assert.deepEqual(messages(job), [
    "The action 'slow' has timed out after 1 minutes.",
  ]);
});

test("a job that takes too long is cancelled", async (t) => {
  const result = await rehearse(
    t,
    `on: push
jobs:
  slow:
    ${ON}
    timeout-minutes: 1
    steps:
      - run: exec sleep 30
      - run: "true"
      - {run: "true", if: cancelled()}
      - {run: "true", if: failure()}
  default: {${ON}, needs: slow, steps: [{run: "true"}]}
  failure: {${ON}, needs: slow, if: failure(), steps: [{run: "true"}]}
  always: {${ON}, needs: slow, if: always(), steps: [{run: "true"}]}
`,
    SCALE,
  );
  assert.deepEqual(conclusions(result), {
    slow: "cancelled",
    default: "skipped",
    failure: "skipped",
    always: "success",
  });
  const [slow] = result.jobs;
  assert.ok(slow.timed_out);
  assert.deepEqual(
    slow.steps.map((step) => step.conclusion),
    ["cancelled", "skipped", "success", "skipped"],
  );
  assert.match(messages(slow)[0], /maximum execution time of 1 minutes/);
});

test("a command that ignores SIGINT gets SIGTERM, and one that ignores both dies", async (t) => {
  const [job] = (
    await rehearse(
      t,
      steps(`
- run: |
    trap 'echo INT' INT
    trap 'echo TERM; exit 0' TERM
    for i in $(seq 300); do sleep 0.1; done
  timeout-minutes: 2
  continue-on-error: true
- run: |
    trap '' INT TERM
    for i in $(seq 300); do sleep 0.1; done
  timeout-minutes: 2
  continue-on-error: true
`),
      SCALE,
    )
  ).jobs;
  assert.ok(job.ended - job.started < 25000);
  assert.deepEqual(
    job.steps.map((step) => step.outcome),
    ["failure", "failure"],
  );
});

test("a cancelled run ends its steps, keeps what always runs, and starts nothing else", async (t) => {
  const repository = new Repository(t, {
    "test.yml": `on: push
jobs:
  a:
    ${ON}
    steps:
      - run: exec sleep 30
      - {run: "true", if: failure()}
      - {run: "true", if: always()}
  b: {${ON}, needs: a, steps: [{run: "true"}]}
  c: {${ON}, needs: a, if: always(), steps: [{run: "true"}]}
  d: {${ON}, needs: a, if: cancelled(), steps: [{run: "true"}]}
  e: {${ON}, needs: a, if: "!cancelled()", steps: [{run: "true"}]}
`,
  });
  const run = repository.prepare("test.yml");
  const promise = run.execute();
  while (!repository.lines.includes("a: started")) await sleep(10);
  await sleep(200);
  run.cancel();
  const result = await promise;
  assert.deepEqual(conclusions(result), {
    a: "cancelled",
    b: "cancelled",
    c: "success",
    d: "success",
    e: "cancelled",
  });
  assert.deepEqual(
    result.jobs[0].steps.map((step) => step.conclusion),
    ["cancelled", "skipped", "success"],
  );
  assert.equal(result.conclusion, "cancelled");
});

for (const [what, strategy, parallel] of [
  ["jobs that wait for a machine", "", 1],
  ["the rest of a matrix", "max-parallel: 1, ", 4],
])
  test(`a cancelled run does not start ${what}`, async (t) => {
    const repository = new Repository(t, {
      "test.yml": `on: push
jobs:
  a: {${ON}, strategy: {${strategy}matrix: {n: [1, 2]}}, steps: [{run: exec sleep 30}]}
  b: {${ON}, needs: a, if: always(), strategy: {matrix: {n: [1, 2]}}, steps: [{run: "true"}]}
`,
    });
    const run = repository.prepare("test.yml", {}, { parallel });
    const promise = run.execute();
    while (!repository.lines.includes("a (1): started")) await sleep(10);
    await sleep(200);
    run.cancel();
    const result = await promise;
    assert.deepEqual(conclusions(result), {
      "a (1)": "cancelled",
      "a (2)": "cancelled",
      "b (1)": "success",
      "b (2)": "success",
    });
    assert.deepEqual(job(result, "a (2)").steps, []);
  });
