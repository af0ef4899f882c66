// SPDX-License-Identifier: LGPL-2.1-or-later
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { ends, job, jobs, messages, rehearse, repository } from "./support.mjs";

test("conditions look at results: success() and failure() at all ancestors", async (t) => {
  const failed = "needs.fails.result == 'failure'";
  const text = jobs(`
last: ${job("echo", "needs: [always]")}
fails: ${job("exit 1")}
default: ${job("echo", "needs: fails")}
always: ${job("echo", "needs: fails, if: always()")}
failure: ${job("echo", "needs: always, if: failure()")}
own: ${job("echo", `needs: fails, if: "${failed}"`)}
named: ${job("echo", `needs: fails, if: "!cancelled() && ${failed}"`)}
skipped: ${job("echo", "if: false")}
after: ${job("echo", "needs: skipped")}
not: ${job("echo", "needs: skipped, if: '!failure()'")}
`);
  const result = await rehearse(t, text);
  assert.deepEqual(ends(result.jobs), {
    ...{ fails: "failure", always: "success", last: "skipped" },
    ...{ default: "skipped", failure: "success", own: "skipped" },
    ...{ named: "success", skipped: "skipped", after: "skipped" },
    not: "success",
  });
  assert.equal(result.conclusion, "failure");
});

const FROM_OUTPUT = (matrix) =>
  jobs(`
plan:
  runs-on: ubuntu-24.04
  outputs: {matrix: "\${{ steps.s.outputs.matrix }}"}
  steps:
    - {id: s, env: {M: '${matrix}'}, run: 'echo "matrix=$M" >>"$GITHUB_OUTPUT"'}
build:
  needs: plan
  name: "build \${{ matrix.k }}"
  runs-on: ubuntu-24.04
  strategy:
    fail-fast: false
    matrix: \${{ fromJSON(needs.plan.outputs.matrix) }}
  outputs: {last: "\${{ steps.s.outputs.last }}"}
  steps:
    - id: s
      env: {K: "\${{ matrix.k }}"}
      run: '[ "$K" = c ] || echo "last=$K" >>"$GITHUB_OUTPUT"; [ "$K" != b ]'
after:
  needs: build
  if: always()
  runs-on: ubuntu-24.04
  outputs: {got: "\${{ needs.build.outputs.last }}"}
  steps: [{run: echo}]
`);

test("a matrix comes from an output; its last value is the job's output", async (t) => {
  const text = FROM_OUTPUT('{"include":[{"k":"a"},{"k":"b"},{"k":"c"}]}');
  const result = await rehearse(t, text);
  assert.deepEqual(ends(result.jobs), {
    ...{ plan: "success", after: "success" },
    ...{ "build a": "success", "build b": "failure", "build c": "success" },
  });
  assert.equal(result.jobs.at(-1).outputs.got, "b");
});

test("a matrix that is no list of at most 256 jobs fails its job", async (t) => {
  const many = JSON.stringify({ include: Array(257).fill({ k: 1 }) });
  for (const [matrix, message] of [
    ['{"include":[]}', /'include' is no list of jobs/],
    ['{"os":["a"]}', /'os' is not known to rehearsals/],
    [many, /257 jobs are more than 256/],
    ["{", /JSON/],
  ]) {
    const result = await rehearse(t, FROM_OUTPUT(matrix));
    assert.equal(ends(result.jobs).build, "failure");
    assert.match(messages(result.jobs[1])[0], message);
  }
});

test("a token is of a kind by the job's permissions, and is in no log", async (t) => {
  const run = `'echo "is $T"; echo "n=\${#T}" >>$GITHUB_OUTPUT'`;
  const tells = (permissions) => `
  runs-on: ubuntu-24.04
  ${permissions}
  outputs: {n: "\${{ steps.s.outputs.n }}"}
  steps: [{id: s, run: ${run}, env: {T: "\${{ github.token }}"}}]
`;
  const read = tells("permissions: {}") + `default:${tells("")}`;
  const write = tells("permissions: {contents: write}");
  const result = await rehearse(t, jobs(`none:${read}write:${write}`));
  const lengths = result.jobs.map(({ outputs }) => Number(outputs.n));
  assert.deepEqual(lengths, ["read-token", "read-token", "write-token"].map((token) => token.length));
  for (const { log } of result.jobs)
    assert.match(readFileSync(log, "utf8"), /^is \*\*\*$/m);
});

const NAME = ".github/workflows/inner.yml";
const INNER = `on:
  workflow_call:
    inputs: {what: {type: string}, count: {type: number, default: 2}}
defaults: {run: {shell: bash}}
jobs:
  inner:
    runs-on: ubuntu-24.04
    outputs: {said: "\${{ inputs.what }} \${{ inputs.count }} \${{ steps.s.outputs.from }}"}
    steps:
      - id: s
        env: {FROM: "\${{ job.workflow_repository }} \${{ job.workflow_sha }}"}
        run: echo "from=$FROM$TOP" >>"$GITHUB_OUTPUT"
`;

/** A caller of a workflow, in its own repository or in another. */
function calling(t, inner, uses, more = "") {
  const call = `call: {uses: "${uses}", with: {what: hi${more}}}`;
  const files = { [NAME]: inner };
  const repositories = { "you/it": repository(t, files) };
  return rehearse(t, `env: {TOP: x}\n${jobs(call)}`, { repositories }, files);
}

test("a reusable workflow has inputs, and knows which repository it is of", async (t) => {
  const own = await calling(t, INNER, `./${NAME}`);
  assert.deepEqual(ends(own.jobs), { "call / inner": "success" });
  assert.match(own.jobs[0].outputs.said, /^hi 2 octo\/kernels [0-9a-f]{40}$/);
  const other = await calling(t, INNER, `you/it/${NAME}@${"c".repeat(40)}`);
  assert.match(other.jobs[0].outputs.said, /^hi 2 you\/it c{40}$/);
});

test("a reusable workflow is refused wrong inputs and more permissions", async (t) => {
  const inputs = await calling(t, INNER, `./${NAME}`, ", count: x");
  assert.match(messages(inputs.jobs[0])[0], /'count': "x" is no number/);
  const wants = INNER.replace("jobs:", "permissions: {issues: write}\njobs:");
  const { jobs: all } = await calling(t, wants, `./${NAME}`);
  assert.match(messages(all[0])[0], /'inner' asks for 'issues: write'/);
});
