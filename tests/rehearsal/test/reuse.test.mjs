// SPDX-License-Identifier: LGPL-2.1-or-later
import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";

import {
  ON,
  PIN,
  Repository,
  conclusions,
  job,
  messages,
  rehearse,
  steps,
} from "./support.mjs";

const HELLO = `name: Hello
description: says it
inputs:
  who: {description: whom, default: "\${{ github.actor }}"}
  fail: {description: whether to, default: "false"}
outputs:
  text: {description: what was said, value: "\${{ steps.s.outputs.text }}"}
runs:
  using: composite
  steps:
    - id: s
      shell: bash
      env: {WHO: "\${{ inputs.who }}", FROM: "\${{ github.action_repository }}"}
      run: |
        echo "text=hello $WHO from $JOB $STEP $FROM" >>"$GITHUB_OUTPUT"
        echo "FOUND=$(cat "$GITHUB_ACTION_PATH/data")" >>"$GITHUB_ENV"
        echo "# Said" >>"$GITHUB_STEP_SUMMARY"
        echo "::notice::said"
    - {shell: bash, run: exit 1, if: inputs.fail == 'true'}
    - {shell: bash, run: "true"}
    - {shell: bash, run: "echo ::notice::cleanup", if: failure()}
`;

test("an action of the repository runs for real, as one step", async (t) => {
  const repository = new Repository(t, {
    "test.yml": `on: push
env: {JOB: job}
jobs:
  test:
    ${ON}
    steps:
      - uses: actions/checkout@${PIN}
      - {id: one, uses: ./.github/actions/hello, env: {STEP: step}}
      - {id: two, uses: ./.github/actions/hello, with: {who: you, fail: true, other: 1}, continue-on-error: true}
      - run: test "$FOUND" = data && test "$ONE" = "hello octocat from job step "
        env: {ONE: "\${{ steps.one.outputs.text }}"}
      - {run: "true", if: steps.two.outcome == 'failure' && steps.s.outcome == ''}
`,
    ".github/actions/hello/action.yml": HELLO,
    ".github/actions/hello/data": "data\n",
  });
  const result = await repository.run("test.yml");
  assert.deepEqual(result.errors, []);
  const [test] = result.jobs;
  assert.deepEqual(
    test.steps.map((step) => step.conclusion),
    ["success", "success", "success", "success", "success"],
  );
  const [, one, two] = test.steps;
  assert.deepEqual(
    two.steps.map((step) => step.conclusion),
    ["success", "failure", "skipped", "success"],
  );
  assert.deepEqual(messages(one, "notice"), ["said"]);
  assert.deepEqual(messages(two, "notice"), ["said", "cleanup"]);
  assert.match(messages(two, "warning")[0], /Unexpected input\(s\) 'other'/);
  assert.equal(two.outputs.text, "hello you from job  ");
  assert.equal(test.summary, "# Said\n\n# Said\n");
});

test("an action that takes too long ends with all its steps", async (t) => {
  const repository = new Repository(t, {
    "test.yml": steps(`
- uses: actions/checkout@${PIN}
- {uses: ./slow, timeout-minutes: 1}
- {run: "true", if: failure()}
`),
    "slow/action.yml": `name: Slow
description: slow
runs:
  using: composite
  steps:
    - {shell: bash, run: exec sleep 60}
    - {shell: bash, run: "true", if: always()}
`,
  });
  const settings = { minuteMs: 300 };
  const [job] = (await repository.run("test.yml", { settings })).jobs;
  assert.deepEqual(
    job.steps.map((step) => step.conclusion),
    ["success", "failure", "success"],
  );
  assert.match(messages(job)[0], /timed out after 1 minutes/);
  assert.deepEqual(
    job.steps[1].steps.map((step) => step.conclusion),
    ["cancelled"],
  );
  assert.ok(job.ended - job.started < 30000);
});

test("an action of the repository needs a checkout first", async (t) => {
  const result = await rehearse(t, steps("- uses: ./.github/actions/hello"));
  assert.match(
    messages(result.jobs[0])[0],
    /Did you forget to run actions\/checkout/,
  );
});

test("actions of a known repository are taken from a copy of its folder", async (t) => {
  const other = new Repository(t, {
    ".github/actions/hello/action.yml": HELLO.replace(
      "- {shell: bash, run: exit 1,",
      "- {shell: bash, run: touch $GITHUB_ACTION_PATH/new}\n    - {shell: bash, run: exit 1,",
    ),
    ".github/actions/hello/data": "data\n",
  });
  const uses = `"you/other/.github/actions/hello@${"0".repeat(40)}"`;
  const result = await rehearse(
    t,
    steps(`- {id: s, uses: ${uses}} # v1\n- {uses: ${uses}} # v1`),
    { settings: { repositories: { "you/other": other.tree } } },
  );
  assert.equal(result.conclusion, "success");
  assert.equal(result.jobs[0].steps[0].outputs.text, "hello octocat from   you/other");
  const folder = path.join(other.tree, ".github/actions/hello");
  assert.deepEqual(readdirSync(folder).sort(), ["action.yml", "data"]);
});

const REUSABLE = `on:
  workflow_call:
    inputs:
      kernels: {type: string, required: true}
      count: {type: number, default: 2}
    secrets:
      key: {required: true}
    outputs:
      said: {value: "\${{ jobs.inner.outputs.said }}"}
jobs:
  inner:
    ${ON}
    outputs: {said: "\${{ inputs.kernels }} \${{ inputs.count }} \${{ github.event_name }}"}
    steps:
      - run: test "$KEY" = k3y
        env: {KEY: "\${{ secrets.key }}"}
      - run: test "$SHA" = "$GITHUB_SHA" && test -z "$OTHER$TOP"
        env:
          SHA: \${{ job.workflow_sha }}
          OTHER: \${{ secrets.OTHER }}
`;

const CALLER = (more) => `on: push
env: {TOP: "1"}
jobs:
  call:
    strategy: {matrix: {k: [6.1, 6.12]}}
    uses: ./.github/workflows/inner.yml
    ${more}
  after:
    needs: call
    ${ON}
    outputs: {said: "\${{ needs.call.outputs.said }}"}
    steps: [{run: "true"}]
`;

const GOOD = `with: {kernels: "\${{ matrix.k }}"}
    secrets: {key: "\${{ secrets.K }}"}`;

function calling(t, more, inner = REUSABLE) {
  const repository = new Repository(t, {
    "test.yml": CALLER(more),
    "inner.yml": inner,
  });
  const settings = { secrets: { K: "k3y", OTHER: "o" } };
  return repository.run("test.yml", { settings });
}

test("a reusable workflow runs with inputs, secrets and outputs", async (t) => {
  const result = await calling(t, GOOD);
  assert.deepEqual(result.errors, []);
  assert.deepEqual(conclusions(result), {
    "call (6.1) / inner": "success",
    "call (6.12) / inner": "success",
    after: "success",
  });
  assert.match(job(result, "after").outputs.said, /^6\.12? 2 push$/);
});

test("a reusable workflow gets all secrets if they are inherited", async (t) => {
  const inner = REUSABLE.replace("test -z", "test o = ");
  const more = GOOD.replace(/secrets:.*/, "secrets: inherit");
  const workflow = inner
    .replaceAll("secrets.key", "secrets.K")
    .replace(/ {4}secrets:\n.*\n/, "");
  const result = await calling(t, more, workflow);
  assert.deepEqual(result.errors, []);
  assert.equal(conclusions(result).after, "success");
});

const WRONG_CALLS = [
  ["secrets: {key: x}", /'kernels' is required and not given/],
  [
    "with: {kernels: x, other: 1}\n    secrets: {key: x}",
    /'other' is not defined/,
  ],
  [
    "with: {kernels: x, count: x}\n    secrets: {key: x}",
    /'count': "x" is no number/,
  ],
  ["with: {kernels: x}", /secret 'key' is required/],
];

for (const [more, message] of WRONG_CALLS)
  test(`a call with ${more.replace("\n    ", ", ")} fails`, async (t) => {
    const result = await calling(t, more);
    assert.equal(result.conclusion, "failure");
    assert.match(result.jobs[0].annotations[0].message, message);
  });

test("a reusable workflow cannot have more permissions than its caller", async (t) => {
  const inner = REUSABLE.replace(
    "jobs:",
    "permissions: {contents: write}\njobs:",
  );
  const refused = await calling(t, GOOD, inner);
  assert.match(
    refused.errors[0],
    /job 'inner' asks for 'contents: write', which its caller does not have/,
  );
  const given = await calling(
    t,
    `permissions: {contents: write}\n    ${GOOD}`,
    inner,
  );
  assert.deepEqual(given.errors, []);
  assert.deepEqual(given.jobs[0].permissions, { contents: "write" });
});

test("a workflow that is not there, or cannot be called, is refused", async (t) => {
  const repository = new Repository(t, {
    "test.yml": `on: push\njobs:\n  a: {uses: ./.github/workflows/none.yml}`,
    "push.yml": `on: push\njobs:\n  a: {uses: ./.github/workflows/push.yml}`,
  });
  const [none] = (await repository.run("test.yml")).errors;
  assert.match(none, /none.yml: no such workflow is known here/);
  const [push] = (await repository.run("push.yml")).errors;
  assert.match(push, /cannot be called: no workflow_call/);
});
