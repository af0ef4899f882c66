// SPDX-License-Identifier: LGPL-2.1-or-later
import assert from "node:assert/strict";
import { test } from "node:test";

import { ends, job, jobs, rehearse } from "./support.mjs";

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
