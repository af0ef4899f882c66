// SPDX-License-Identifier: LGPL-2.1-or-later
import assert from "node:assert/strict";
import { test } from "node:test";

import { MAX_JOBS, expandMatrix } from "../matrix.mjs";
import { ON, conclusions, job, rehearse } from "./support.mjs";

test("vectors combine in their order", () => {
  assert.deepEqual(expandMatrix({ a: [1, 2], b: ["x", "y"] }), [
    { a: 1, b: "x" },
    { a: 1, b: "y" },
    { a: 2, b: "x" },
    { a: 2, b: "y" },
  ]);
});

test("include and exclude do what GitHub's documentation shows", () => {
  const fruit = expandMatrix({
    fruit: ["apple", "pear"],
    animal: ["cat", "dog"],
    include: [
      { color: "green" },
      { color: "pink", animal: "cat" },
      { fruit: "apple", shape: "circle" },
      { fruit: "banana" },
      { fruit: "banana", animal: "cat" },
    ],
  });
  assert.deepEqual(fruit, [
    { fruit: "apple", animal: "cat", color: "pink", shape: "circle" },
    { fruit: "apple", animal: "dog", color: "green", shape: "circle" },
    { fruit: "pear", animal: "cat", color: "pink" },
    { fruit: "pear", animal: "dog", color: "green" },
    { fruit: "banana" },
    { fruit: "banana", animal: "cat" },
  ]);
  const excluded = expandMatrix({
    os: ["m", "w"],
    version: [12, 14, 16],
    environment: ["s", "p"],
    exclude: [
      { os: "m", version: 12, environment: "p" },
      { os: "w", version: 16 },
    ],
  });
  assert.equal(excluded.length, 9);
});

test("an include alone is a list of jobs", () => {
  const include = [{ a: 1 }, { b: { c: 2 } }];
  assert.deepEqual(expandMatrix({ include }), include);
});

const REFUSED = [
  ["an empty vector", { a: [] }, /vector 'a' does not contain any values/],
  ["an empty include", { include: [] }, /at least one vector/],
  ["no vector", {}, /at least one vector/],
  ["a vector that is no list", { a: "x" }, /'a' is no list/],
  ["no mapping", [1], /mapping was expected/],
  ["an exclude of an unknown key", { a: [1], exclude: [{ b: 1 }] }, /key 'b'/],
  ["all excluded", { a: [1], exclude: [{ a: 1 }] }, /excludes all/],
  [
    "more than 256 jobs",
    { a: Array.from({ length: MAX_JOBS + 1 }, (_, i) => i) },
    /257 jobs, which is more than 256/,
  ],
];

for (const [name, matrix, message] of REFUSED)
  test(`${name} is refused`, () => {
    assert.throws(() => expandMatrix(matrix), message);
  });

test("256 jobs are not too many", () => {
  const a = Array.from({ length: MAX_JOBS }, (_, i) => i);
  assert.equal(expandMatrix({ a }).length, MAX_JOBS);
});

const FROM_OUTPUT = (matrix) => `on: push
jobs:
  plan:
    ${ON}
    outputs: {matrix: "\${{ steps.s.outputs.matrix }}"}
    steps:
      - id: s
        run: echo 'matrix=${JSON.stringify(matrix)}' >>"$GITHUB_OUTPUT"
  build:
    needs: plan
    ${ON}
    strategy: {matrix: "\${{ fromJSON(needs.plan.outputs.matrix) }}"}
    outputs:
      last: \${{ steps.s.outputs.last }}
    steps:
      - id: s
        env:
          K: \${{ matrix.k }}
          INDEX: \${{ strategy.job-index }} of \${{ strategy.job-total }}
        run: |
          echo "$INDEX"
          if [ "$K" = 6.1 ]; then echo "last=$K" >>"$GITHUB_OUTPUT"; fi
  after:
    needs: build
    ${ON}
    outputs: {got: "\${{ needs.build.outputs.last }}"}
    steps: [{run: "true"}]
`;

test("a matrix may come from the output of a job", async (t) => {
  const result = await rehearse(
    t,
    FROM_OUTPUT({
      include: [
        { k: "6.1", f: "tiny" },
        { k: "6.12", f: "tiny" },
      ],
    }),
  );
  assert.deepEqual(conclusions(result), {
    plan: "success",
    "build (6.1, tiny)": "success",
    "build (6.12, tiny)": "success",
    after: "success",
  });
  assert.deepEqual(job(result, "build (6.1, tiny)").matrix, {
    k: "6.1",
    f: "tiny",
  });
  // The other job's empty output does not hide it, whichever ends last.
  assert.equal(job(result, "after").outputs.got, "6.1");
});

test("an empty matrix from an output fails its job, and skips what needs it", async (t) => {
  const result = await rehearse(t, FROM_OUTPUT({ include: [] }));
  assert.deepEqual(conclusions(result), {
    plan: "success",
    build: "failure",
    after: "skipped",
  });
  assert.match(job(result, "build").annotations[0].message, /'strategy'/);
  assert.equal(result.conclusion, "failure");
});

const THREE = (strategy) => `on: push
jobs:
  test:
    ${ON}
    strategy: {${strategy}, matrix: {n: [fail, slow, never]}}
    steps:
      - env: {N: "\${{ matrix.n }}"}
        run: |
          case $N in
          fail) sleep 0.3; exit 1 ;;
          slow) exec sleep 60 ;;
          esac
`;

test("the first failure cancels the rest of a matrix", async (t) => {
  const result = await rehearse(t, THREE("max-parallel: 2"));
  assert.deepEqual(conclusions(result), {
    "test (fail)": "failure",
    "test (slow)": "cancelled",
    "test (never)": "cancelled",
  });
  assert.deepEqual(job(result, "test (never)").steps, []);
});

test("with fail-fast: false all jobs of a matrix run", async (t) => {
  const workflow = THREE("fail-fast: false").replace("sleep 60", "true");
  const result = await rehearse(t, workflow);
  assert.deepEqual(conclusions(result), {
    "test (fail)": "failure",
    "test (slow)": "success",
    "test (never)": "success",
  });
  assert.equal(result.conclusion, "failure");
});

test("max-parallel is a limit", async (t) => {
  const result = await rehearse(
    t,
    `on: push
jobs:
  test:
    ${ON}
    strategy: {max-parallel: 2, matrix: {n: [1, 2, 3, 4]}}
    steps: [{run: sleep 0.2}]
`,
  );
  const at = (time) =>
    result.jobs.filter((each) => each.started <= time && time < each.ended)
      .length;
  const most = Math.max(...result.jobs.map((each) => at(each.started)));
  assert.equal(most, 2);
});

test("a name with an expression is the whole name, one without gets the values", async (t) => {
  const names = async (name) => {
    const result = await rehearse(
      t,
      `on: push
jobs:
  test:
    name: ${name}
    ${ON}
    strategy: {matrix: {n: [1, 2]}}
    steps: [{run: "true"}]
`,
    );
    return result.jobs.map((each) => each.name).sort();
  };
  assert.deepEqual(await names("Build ${{ matrix.n }}"), [
    "Build 1",
    "Build 2",
  ]);
  assert.deepEqual(await names("Build"), ["Build (1)", "Build (2)"]);
});

test("what is wrong with one job of a matrix fails that one", async (t) => {
  const result = await rehearse(
    t,
    `on: push
jobs:
  test:
    name: \${{ fromJSON(matrix.n) }}
    ${ON}
    strategy: {matrix: {n: ["1", "{"]}}
    steps: [{run: sleep 0.1}]
`,
  );
  assert.equal(result.conclusion, "failure");
  assert.deepEqual(conclusions(result), { 1: "success", test: "failure" });
  const failed = result.jobs.find((each) => each.name === "test");
  assert.match(failed.annotations[0].message, /^Line 4, .*JSON/);
});
