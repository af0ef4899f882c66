// SPDX-License-Identifier: LGPL-2.1-or-later
import assert from "node:assert/strict";
import { test } from "node:test";

import { CHECKOUT, job, jobs, messages, rehearse, steps } from "./support.mjs";

const ECHO = steps("- run: echo");
const MATRIX = "name: ${{ matrix.x }}\n  strategy: {matrix: {x: [1]}}";

/** A `with` of an action. */
function uses(name, inputs) {
  return steps(`- {uses: actions/${name}@v1, with: {${inputs}}}`);
}

/** What is refused before anything runs, and the words that name it. */
const AT_START = [
  ["on: [push", /test.yml: .*end with a \]/],
  [steps("- {run: echo, nothing: 1}"), /Unexpected value 'nothing'/],
  [jobs(`a: ${job("x")}\nb: ${job("x", "needs: c")}`), /unknown job 'c'/],
  [steps("- run: ${{ nothing.x }}"), /Unrecognized named-value: 'nothing'/],
  // From here on GitHub knows it, and a rehearsal does not.
  [ECHO.replace("push", "merge_group"), /'on': 'merge_group'/],
  [ECHO.replace("push", "{push: {branches: [main]}}"), /'branches'/],
  [ECHO.replace("shell: bash", "working-directory: x"), /'working-dir/],
  [ECHO.replace("bash", "sh"), /'shell': 'sh'.*known: bash/],
  [ECHO.replace("-24.04", "-latest"), /'runs-on': 'ubuntu-latest'/],
  [steps("- run: echo", "container: debian:12"), /a job: 'container'/],
  [steps("- run: echo", "continue-on-error: true"), /'continue-on-error'/],
  [steps("- run: echo", MATRIX), /'fail-fast'/],
  [steps("- run: echo", "strategy: {matrix: {x: [1]}}"), /no matrix without/],
  [steps("- run: echo", "permissions: read-all"), /'permissions': .*mapping/],
  [steps("- run: echo", "permissions: {packages: read}"), /'packages'/],
  [steps("- {run: echo, timeout-minutes: 1}"), /a step: 'timeout-minutes'/],
  [steps("- {run: echo, continue-on-error: false}"), /'continue-on-error'/],
  [steps("- {run: echo, shell: sh}"), /'shell': 'sh'.*known: bash/],
  [steps("- uses: someone/thing@v1"), /line 8: the action someone\/thing@v1/],
  [steps("- uses: docker://debian"), /the action docker:\/\/debian/],
  [steps("- {run: x, env: {'${{ insert }}': '${{ vars }}'}}"), /insert/],
  [steps("- {run: echo, if: hashFiles('x')}"), /function: 'hashFiles'/],
  [steps("- run: |\n    ${{ github.sha }}\n    x"), /value of several lines/],
  [jobs("a: {uses: ./none.yml}"), /none.yml/],
  [jobs("a: {uses: you/it/.github/workflows/x.yml@v1}"), /you\/it.*not known/],
  [jobs("a: {uses: ./.github/workflows/test.yml}"), /cannot be called/],
  [ECHO.replace("push", "{schedule: [{cron: 1 2 * * *}]}"), /not start it/],
];

for (const [text, message] of AT_START)
  test(`a workflow is refused: ${message}`, async (t) => {
    const result = await rehearse(t, text);
    assert.equal(result.conclusion, "startup_failure");
    assert.deepEqual(result.jobs, []);
    assert.match(result.errors.join("\n"), message);
  });

/** What fails a step, and the words that name it. */
const IN_STEPS = [
  [steps("- run: ${{ github.head_ref }}"), /github.head_ref is not known/],
  [steps("- run: ${{ runner.os }}"), /runner.os is not known/],
  [steps("- run: ${{ secrets.X }}"), /secrets.X is not known/],
  [steps("- run: ${{ job.container }}"), /job.container is not known/],
  [steps("- run: ${{ fromJSON('{') }}"), /JSON/],
  [steps("- {run: echo, if: fromJSON('x')}"), /JSON/],
  [steps("- run: echo ::set-output name=a::b"), /'::set-output::'/],
  [steps("- {run: pwd, working-directory: none}"), /none: no such directory/],
  [uses("checkout", ""), /'persist-credentials: false' only, not 'true'/],
  [uses("checkout", "lfs: true"), /the input 'lfs' is not known/],
  [steps(CHECKOUT.replace("{p", "{repository: you/none, p")), /you\/none is not/],
  [uses("upload-artifact", "path: a*"), /a single path only: 'a\*'/],
  [uses("upload-artifact", "path: /etc"), /\/etc is outside of/],
  [uses("upload-artifact", "name: a/b"), /not valid: a\/b/],
  [uses("download-artifact", "path: x"), /'merge-multiple: true' only/],
  [uses("cache", "enableCrossOsArchive: true"), /'enableCrossOsArchive'/],
  [steps(`${CHECKOUT}- {uses: ./a, with: {x: 1}}`), /a: the input 'x'/],
  [steps(`${CHECKOUT}- uses: ./docker`), /'using': 'docker'/],
  [steps(`${CHECKOUT}- uses: ./branded`), /an action: 'branding'/],
  [steps("- uses: ./a"), /no action.yml there; is it checked out/],
  [steps("- run: echo a >$GITHUB_OUTPUT"), /Invalid format 'a'/],
  [steps("- run: echo 'a<<E' >$GITHUB_OUTPUT"), /delimiter not found 'E'/],
];

const NAMES = "name: a\ndescription: a\n";
const ACTION = `${NAMES}runs: {using: composite, steps: []}\n`;
const ACTIONS = {
  "a/action.yml": ACTION,
  "docker/action.yml": `${NAMES}runs: {using: docker, image: a}\n`,
  "branded/action.yml": `${ACTION}branding: {icon: box, color: blue}\n`,
};

for (const [text, message] of IN_STEPS)
  test(`a step fails: ${message}`, async (t) => {
    const result = await rehearse(t, text, {}, ACTIONS);
    assert.deepEqual(result.errors, []);
    assert.equal(result.conclusion, "failure");
    assert.match(messages(result.jobs[0]).join("\n"), message);
  });

for (const [inputs, message] of [
  [{ m: 1 }, /the input 'm' is not defined/],
  [{ n: "1" }, /the input 'n': "1" is no number/],
])
  test(`inputs ${JSON.stringify(inputs)} are refused`, async (t) => {
    const event = "workflow_dispatch";
    const on = `{${event}: {inputs: {n: {type: number}}}}`;
    const text = ECHO.replace("push", on);
    const { errors } = await rehearse(t, text, { event, inputs });
    assert.match(errors[0], message);
  });
