// SPDX-License-Identifier: LGPL-2.1-or-later
import assert from "node:assert/strict";
import { test } from "node:test";

import { ON, conclusions, job, rehearse } from "./support.mjs";

const FAIL = `{${ON}, steps: [{run: exit 1}]}`;

function pass(more) {
  return `{${ON}, steps: [{run: "true"}], ${more}}`;
}

test("a job whose need failed is skipped, unless its condition says otherwise", async (t) => {
  const result = await rehearse(
    t,
    `on: push
jobs:
  a: ${FAIL}
  default: ${pass("needs: a")}
  always: ${pass("needs: a, if: always()")}
  failure: ${pass("needs: a, if: failure()")}
  own: ${pass(`needs: a, if: "needs.a.result == 'failure'"`)}
  named: ${pass(`needs: a, if: "!cancelled() && needs.a.result == 'failure'"`)}
`,
  );
  assert.equal(result.conclusion, "failure");
  assert.deepEqual(conclusions(result), {
    a: "failure",
    default: "skipped",
    always: "success",
    failure: "success",
    own: "skipped",
    named: "success",
  });
});

test("success() and failure() look at all ancestors, not only at needs", async (t) => {
  const result = await rehearse(
    t,
    `on: push
jobs:
  a: ${FAIL}
  b: ${pass("needs: a, if: always()")}
  c: ${pass("needs: b")}
  d: ${pass("needs: b, if: failure()")}
  e: ${pass(`needs: b, if: "always() && needs.b.result == 'success'"`)}
`,
  );
  const { b, c, d, e } = conclusions(result);
  assert.deepEqual(
    { b, c, d, e },
    {
      b: "success",
      c: "skipped",
      d: "success",
      e: "success",
    },
  );
});

test("a skipped need skips, and is no failure", async (t) => {
  const result = await rehearse(
    t,
    `on: push
jobs:
  a: ${pass("if: false")}
  b: ${pass("needs: a")}
  c: ${pass("needs: a, if: failure()")}
  d: ${pass("needs: a, if: '!failure()'")}
`,
  );
  assert.deepEqual(conclusions(result), {
    a: "skipped",
    b: "skipped",
    c: "skipped",
    d: "success",
  });
  assert.equal(result.conclusion, "success");
});

test("outputs reach the jobs that need the job, and no others", async (t) => {
  const result = await rehearse(
    t,
    `on: push
jobs:
  a:
    ${ON}
    outputs: {one: "\${{ steps.s.outputs.x }}", two: "\${{ steps.s.outputs.none }}"}
    steps: [{id: s, run: "echo x=1 >>$GITHUB_OUTPUT"}]
  b:
    ${ON}
    needs: a
    outputs: {got: "\${{ toJSON(needs) }}"}
    steps: [{run: "true"}]
  c:
    ${ON}
    needs: b
    outputs: {got: "\${{ needs.a.outputs.one }}"}
    steps: [{run: "true"}]
`,
  );
  assert.deepEqual(JSON.parse(job(result, "b").outputs.got), {
    a: { result: "success", outputs: { one: "1", two: "" } },
  });
  assert.equal(job(result, "c").outputs.got, "");
});

test("a job's continue-on-error hides its failure from the run and its dependents", async (t) => {
  const result = await rehearse(
    t,
    `on: push
jobs:
  a: {${ON}, continue-on-error: true, steps: [{run: exit 1}]}
  b: ${pass("needs: a")}
`,
  );
  assert.deepEqual(conclusions(result), { a: "failure", b: "success" });
  assert.equal(result.conclusion, "success");
});

test("outputs of more than a megabyte fail the job", async (t) => {
  const workflow = (characters) => `on: push
jobs:
  a:
    ${ON}
    outputs: {x: "\${{ steps.s.outputs.x }}"}
    steps:
      - id: s
        run: echo "x=$(head -c ${characters} /dev/zero | tr '\\0' x)" >>"$GITHUB_OUTPUT"
`;
  const large = await rehearse(t, workflow(512 * 1024 + 1));
  assert.equal(large.conclusion, "failure");
  assert.match(large.jobs[0].annotations[0].message, /more than 1048576/);
  assert.equal((await rehearse(t, workflow(512 * 1024))).conclusion, "success");
});

test("an output that holds a secret is left out", async (t) => {
  const result = await rehearse(
    t,
    `on: push
jobs:
  a:
    ${ON}
    outputs: {x: "\${{ steps.s.outputs.x }}"}
    steps:
      - id: s
        env: {SECRET: "\${{ secrets.S }}"}
        run: echo "x=is $SECRET" >>"$GITHUB_OUTPUT"
`,
    { settings: { secrets: { S: "hunter2" } } },
  );
  assert.deepEqual(result.jobs[0].outputs, {});
  assert.match(result.jobs[0].annotations[0].message, /^Skip output 'x'/);
});
