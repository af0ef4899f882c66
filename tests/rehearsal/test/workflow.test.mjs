// SPDX-License-Identifier: LGPL-2.1-or-later
import assert from "node:assert/strict";
import { test } from "node:test";

import { ON, Repository, job, refusal, rehearse, steps } from "./support.mjs";

const PASS = `{${ON}, steps: [{run: "true"}]}`;

const INVALID = [
  ["no YAML", "on: [push", /end with a \]/],
  [
    "an unknown key",
    `on: push\njobs:\n  a: {${ON}, step: []}`,
    /Unexpected value 'step'/,
  ],
  [
    "a job without a machine",
    'on: push\njobs:\n  a: {steps: [{run: "true"}]}',
    /runs-on/,
  ],
  [
    "an unknown need",
    `on: push\njobs:\n  a: ${PASS}\n  b: {needs: c, ${ON}, steps: [{run: x}]}`,
    /unknown job 'c'/,
  ],
  [
    "a circle",
    `on: push\njobs:\n  z: ${PASS}\n  a: {needs: b, ${ON}, steps: [{run: x}]}\n  b: {needs: a, ${ON}, steps: [{run: x}]}`,
    /cycle/,
  ],
  [
    "an unknown context",
    steps("- run: echo ${{ steps.x }} ${{ jobs.x }}"),
    /Unrecognized named-value: 'jobs'/,
  ],
  [
    "a context that is not there yet",
    `on: push\njobs:\n  a: {if: matrix.x == 1, ${ON}, steps: [{run: x}]}`,
    /Unrecognized named-value: 'matrix'/,
  ],
  [
    "an unknown function",
    steps("- {run: x, if: always() && nothing()}"),
    /Unrecognized function: 'nothing'/,
  ],
  [
    "a wrong cron line",
    `on: {schedule: [{cron: "x"}]}\njobs:\n  a: ${PASS}`,
    /cron/,
  ],
  [
    "a step that is both",
    steps("- {run: x, uses: ./x}"),
    /Unexpected value|required/i,
  ],
  [
    "a wrong permission",
    `on: push\npermissions: {contents: all}\njobs:\n  a: ${PASS}`,
    /Unexpected value 'all'/,
  ],
  [
    "a step's id twice",
    steps("- {id: a, run: x}\n- {id: a, run: x}"),
    /'a' may not be used more than once/,
  ],
];

for (const [name, text, message] of INVALID)
  test(`${name} is refused by GitHub's parser`, async (t) => {
    assert.match(await refusal(t, text), message);
  });

test("a file of more than 500 KB is refused", async (t) => {
  const text = `on: push\njobs:\n  a: ${PASS}\n# ${"x".repeat(500 * 1024)}\n`;
  assert.match(await refusal(t, text), /larger than 512000 bytes/);
});

test("an event that does not start the workflow is refused", async (t) => {
  const text = `on: {push: , schedule: [{cron: "1 2 * * *"}]}\njobs:\n  a: ${PASS}`;
  assert.match(
    await refusal(t, text, { event: "workflow_dispatch" }),
    /'workflow_dispatch' does not start it; these do: push, schedule/,
  );
  assert.match(
    await refusal(t, text, { event: "schedule", schedule: "0 0 * * *" }),
    /no schedule '0 0 \* \* \*'/,
  );
});

test("a schedule tells which line it is", async (t) => {
  const result = await rehearse(
    t,
    `on: {schedule: [{cron: "1 2 * * *"}, {cron: "3 4 * * *"}]}
jobs:
  a:
    ${ON}
    if: github.event_name == 'schedule'
    outputs: {schedule: "\${{ github.event.schedule }}"}
    steps: [{run: "true"}]
`,
    { event: "schedule", schedule: "3 4 * * *" },
  );
  assert.equal(job(result, "a").outputs.schedule, "3 4 * * *");
});

const DISPATCH = `run-name: \${{ inputs.text }} by \${{ github.actor }}
on:
  workflow_dispatch:
    inputs:
      text: {type: string, default: "6.*"}
      needed: {required: true}
      dry: {type: boolean, default: false}
      count: {type: number, default: 3}
      kind: {type: choice, options: [default, tiny], default: tiny}
concurrency:
  group: release-\${{ github.ref }}
  cancel-in-progress: \${{ inputs.dry }}
jobs:
  a:
    ${ON}
    concurrency: job-\${{ inputs.kind }}
    outputs:
      json: \${{ toJSON(inputs) }}
      event: \${{ toJSON(github.event.inputs) }}
      dry: \${{ inputs.dry && 'dry' || 'wet' }}
    steps: [{run: "true"}]
`;

test("inputs have types and defaults, and the event has their texts", async (t) => {
  const dispatch = (inputs) =>
    rehearse(t, DISPATCH, { event: "workflow_dispatch", inputs });
  const result = await dispatch({ needed: "x" });
  assert.deepEqual(JSON.parse(job(result, "a").outputs.json), {
    text: "6.*",
    needed: "x",
    dry: false,
    count: 3,
    kind: "tiny",
  });
  assert.equal(job(result, "a").outputs.dry, "wet");
  assert.equal(result.run_name, "6.* by octocat");
  assert.deepEqual(result.concurrency, {
    group: "release-refs/heads/main",
    cancel_in_progress: false,
  });
  assert.deepEqual(job(result, "a").concurrency, {
    group: "job-tiny",
    cancel_in_progress: false,
  });

  const other = await dispatch({
    needed: "x",
    dry: "true",
    count: "7",
    text: "",
  });
  assert.deepEqual(other.inputs, {
    text: "",
    needed: "x",
    dry: true,
    count: 7,
    kind: "tiny",
  });
  assert.equal(job(other, "a").outputs.dry, "dry");
  assert.deepEqual(JSON.parse(job(other, "a").outputs.event), {
    needed: "x",
    dry: "true",
    count: "7",
    text: "",
  });
  assert.equal(other.concurrency.cancel_in_progress, true);
});

const WRONG_INPUTS = [
  [{}, /'needed' is required and not given/],
  [{ needed: "" }, /'needed' is required and empty/],
  [{ needed: "x", dry: "yes" }, /'dry': "yes" is not a boolean/],
  [{ needed: "x", count: "x" }, /'count': "x" is not a number/],
  [{ needed: "x", kind: "huge" }, /'kind': "huge" is not one of default, tiny/],
  [
    { needed: "x", other: "1" },
    /'other' is not defined; there are: text, needed/,
  ],
];

for (const [inputs, message] of WRONG_INPUTS)
  test(`inputs ${JSON.stringify(inputs)} are refused`, async (t) => {
    const scenario = { event: "workflow_dispatch", inputs };
    assert.match(await refusal(t, DISPATCH, scenario), message);
  });

test("a workflow file may be run as another one calls it", async (t) => {
  const text = `on: {workflow_call: {inputs: {n: {type: number, required: true}}}}
jobs:
  a: {${ON}, outputs: {n: "\${{ inputs.n }}"}, steps: [{run: "true"}]}
`;
  const result = await rehearse(t, text, {
    event: "workflow_call",
    inputs: { n: 4 },
  });
  assert.equal(job(result, "a").outputs.n, "4");
  assert.match(
    await refusal(t, text, { event: "workflow_call", inputs: { n: "4" } }),
    /'n': "4" is no number/,
  );
});

test("what cannot be rehearsed is said", async (t) => {
  const result = await rehearse(
    t,
    `on: push\njobs:\n  a: {${ON}, container: debian:12, steps: [{run: "true"}]}`,
  );
  assert.match(result.jobs[0].annotations[0].message, /'container' cannot/);
  assert.equal(result.conclusion, "failure");
});

test("permissions are a job's own, else the workflow's, else the default", async (t) => {
  const permissions = async (workflow, own) => {
    const text = `on: push\n${workflow}\njobs:\n  a: {${ON}, ${own}, steps: [{run: "true"}]}`;
    return (await rehearse(t, text)).jobs[0].permissions;
  };
  assert.deepEqual(await permissions("", "env: {}"), {
    contents: "read",
    packages: "read",
  });
  assert.deepEqual(await permissions("permissions: {}", "env: {}"), {});
  assert.deepEqual(
    await permissions(
      "permissions: read-all",
      "permissions: {contents: write, issues: none}",
    ),
    { contents: "write" },
  );
  assert.equal(
    (await permissions("permissions: read-all", "env: {}")).issues,
    "read",
  );
});

test("a token is a job's own, fits its permissions if told to, and is in no log", async (t) => {
  const text = `on: push
permissions: {contents: read}
jobs:
  read: {${ON}, steps: [{run: 'echo "is $T"; echo "n=\${#T}" >>$GITHUB_OUTPUT', id: s, env: {T: "\${{ github.token }}"}}]}
  write:
    ${ON}
    permissions: {contents: write}
    steps: [{id: s, run: 'echo "is $T"; [ $T != read-token ]', env: {T: "\${{ secrets.GITHUB_TOKEN }}"}}]
`;
  const token = { write: "write-token", read: "read-token" };
  const repository = new Repository(t, { "test.yml": text });
  const result = await repository.run("test.yml", { settings: { token } });
  assert.equal(result.conclusion, "success");
  assert.equal(job(result, "read").steps[0].outputs.n, "10");
  const { readFileSync } = await import("node:fs");
  for (const each of result.jobs)
    assert.match(readFileSync(each.log, "utf8"), /^is \*\*\*$/m);
});
