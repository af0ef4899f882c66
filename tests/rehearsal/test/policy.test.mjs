// SPDX-License-Identifier: LGPL-2.1-or-later
import assert from "node:assert/strict";
import path from "node:path";
import { test } from "node:test";

import { lintFile } from "../lint_file.mjs";
import { PIN, Repository, refusal, steps } from "./support.mjs";

const SHA = "0123456789abcdef0123456789abcdef01234567";

const REFERENCES = [
  [`actions/checkout@${SHA} # v4.2.2`, null],
  [`actions/checkout@${SHA} # v4`, null],
  ["./.github/actions/x", null],
  ["actions/checkout@v4", /actions\/checkout@v4 is not pinned by a commit/],
  ["actions/checkout@0123456 # v4", /not pinned/],
  [`actions/checkout@${SHA}`, /has no version in a comment/],
  [`actions/checkout@${SHA} # latest`, /has no version in a comment/],
];

for (const [uses, message] of REFERENCES)
  test(`uses: ${uses} is ${message ? "refused" : "fine"}`, async (t) => {
    const complaints = await lint(t, steps(`- uses: ${uses}`));
    if (message) assert.match(complaints[0], message);
    else assert.deepEqual(complaints, []);
  });

const SCRIPTS = [
  ["echo $X ${{ github.sha }} ${{ github.workspace }}", null],
  ["echo ${{ steps.x.outputs.y }}", null],
  ["echo ${{ github.event.inputs.x }}", /\$\{\{ github.event \}\} in a script/],
  ["echo ${{ github['event'].x }}", /github.event/],
  ["echo ${{ inputs.x }}", /\$\{\{ inputs.x \}\} in a script/],
  ["echo ${{ format('{0}', (matrix.x || 'y')) }}", /matrix.x/],
  ["echo ${{ toJSON(github) }}", /\$\{\{ github \}\}/],
  ["echo ${{ !github.head_ref }}", /github.head_ref/],
  ["echo ${{ join(matrix.*) }}", /\$\{\{ matrix \}\}/],
];

for (const [script, message] of SCRIPTS)
  test(`a script with ${script} is ${message ? "refused" : "fine"}`, async (t) => {
    const workflow = `on: {workflow_dispatch: {inputs: {x: {}}}}
jobs:
  test:
    runs-on: ubuntu-24.04
    strategy: {matrix: {x: [1]}}
    steps:
      - id: x
        run: ${script}
`;
    const complaints = (await lint(t, workflow)).filter((each) =>
      each.endsWith("in a script; pass it through env"),
    );
    if (message) assert.match(complaints[0], message);
    else assert.deepEqual(complaints, []);
  });

async function lint(t, text, name = ".github/workflows/test.yml") {
  const repository = new Repository(t, { [name]: text });
  return lintFile(path.join(repository.tree, name));
}

test("a workflow that breaks the rules does not start", async (t) => {
  const said = await refusal(t, steps("- uses: actions/checkout@v4"));
  assert.match(
    said,
    /^\.github\/workflows\/test.yml: line 7: actions\/checkout@v4/,
  );
});

test("actions of the repository are checked too", async (t) => {
  const action = `name: A
description: a
inputs: {x: {description: x}}
runs:
  using: composite
  steps:
    - {shell: bash, run: "echo \${{ inputs.x }}"}
    - uses: actions/cache@v4
`;
  const name = ".github/actions/a/action.yml";
  const complaints = await lint(t, action, name);
  assert.equal(complaints.length, 2);
  const repository = new Repository(t, {
    [name]: action,
    "test.yml": steps("- run: 'true'"),
  });
  assert.deepEqual((await repository.run("test.yml")).errors, [
    `${name}: line 7: \${{ inputs.x }} in a script; pass it through env`,
    `${name}: line 8: actions/cache@v4 is not pinned by a commit`,
  ]);
});

test("actionlint says what GitHub's parser does not", async (t) => {
  const [complaint, ...more] = await lint(
    t,
    steps("- {run: x, if: \"${{ github.actor }} == 'x'\"}"),
  );
  assert.match(
    complaint,
    /line 7, column \d+: .* always evaluated to true .*\[if-cond\]$/,
  );
  assert.deepEqual(more, []);
});

test("what is newer than actionlint is no complaint", async (t) => {
  const workflow = steps(
    `- uses: actions/checkout@${PIN}\n- run: echo \${{ job.workflow_sha }} \${{ vars.X }}`,
    "permissions: {attestations: write, id-token: write, models: read}",
  );
  assert.deepEqual(await lint(t, workflow), []);
});
