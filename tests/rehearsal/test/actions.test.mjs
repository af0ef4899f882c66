// SPDX-License-Identifier: LGPL-2.1-or-later
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { test } from "node:test";

import * as support from "./support.mjs";

const { CHECKOUT, ends, messages, rehearse, repository, steps } = support;

/** The commit of a tree. */
function head(tree) {
  const command = ["-C", tree, "rev-parse", "HEAD"];
  return execFileSync("git", command, { encoding: "utf8" }).trim();
}

const HELLO = `name: Hello
description: says it
inputs:
  who: {description: whom, default: "\${{ github.event_name }}"}
  fail: {description: whether to, default: "false"}
runs:
  using: composite
  steps:
    - id: s
      shell: bash
      env: {WHO: "\${{ inputs.who }}", FROM: "\${{ github.action_repository }}"}
      run: echo "::notice::$(cat "$GITHUB_ACTION_PATH/data") $WHO $STEP $FROM"
    - {shell: bash, run: exit 1, if: inputs.fail == 'true'}
    - {shell: bash, run: "echo ::notice::last"}
    - {shell: bash, run: "echo ::notice::cleanup", if: failure()}
`;

test("an action runs its steps as one, from the workspace or a known repository", async (t) => {
  const files = { "hello/action.yml": HELLO, "hello/data": "hello\n" };
  const tree = repository(t, files);
  const text = steps(`
${CHECKOUT}
- {uses: ./hello, env: {STEP: step}}
- {uses: you/it/hello@${head(tree)}, with: {who: you}}
- {id: three, uses: ./hello, with: {fail: true}}
- {name: end, run: echo, if: failure() && steps.three.outcome == 'failure' && steps.s.outcome == ''}
`);
  const scenario = { repositories: { "you/it": tree } };
  const { jobs } = await rehearse(t, text, scenario, files);
  assert.equal(ends(jobs[0].steps).end, "success");
  assert.deepEqual(messages(jobs[0], "notice"), [
    ...["hello push step ", "last", "hello you  you/it", "last"],
    ...["hello push  ", "cleanup"],
  ]);
});

test("artifacts go from one job to another, each name once", async (t) => {
  const upload = (name, from) =>
    `{uses: actions/upload-artifact@v7, with: {name: ${name}, path: ${from}}}`;
  const text = support.jobs(`
up:
  runs-on: ubuntu-24.04
  steps:
    - run: mkdir -p out/deep "$RUNNER_TEMP/d"; touch out/1 out/deep/2 out/.x 3 "$RUNNER_TEMP/d/4"
    - ${upload("f-dir", "out")}
    - ${upload("f-file", "out/../3")}
    - ${upload("temp", '"${{ runner.temp }}/d"')}
    - ${upload("f-none", "none")}
    - ${upload("f-file", "3")}
down:
  needs: up
  if: always()
  runs-on: ubuntu-24.04
  outputs: {files: "\${{ steps.s.outputs.files }}"}
  steps:
    - {uses: actions/download-artifact@v8, with: {pattern: f-*, path: a, merge-multiple: true}}
    - {id: s, run: echo "files=$(find . -type f | sort | xargs)" >>"$GITHUB_OUTPUT"}
`);
  const result = await rehearse(t, text);
  const [up, down] = result.jobs;
  const conflict = "(409) Conflict: there is an artifact f-file already";
  assert.deepEqual(messages(up), [conflict]);
  assert.match(messages(up, "warning")[0], /^No files were found.*none/);
  assert.equal(down.outputs.files, "./a/1 ./a/3 ./a/deep/2");
  const names = result.artifacts.map(({ name }) => name);
  assert.deepEqual(names, ["f-dir", "f-file", "temp"]);
});

test("an attestation has the digests, and needs both permissions", async (t) => {
  const list = `
- run: mkdir d; echo one >d/one.tar; echo two >d/two.tar; echo x >d/x
- {uses: actions/attest-build-provenance@v4, with: {subject-path: d/*.tar}}`;
  const attest = (permissions) =>
    rehearse(t, steps(list, `permissions: {${permissions}}`));
  const result = await attest("id-token: write, attestations: write");
  const subjects = ["one", "two"].map((name) => {
    const digest = createHash("sha256").update(`${name}\n`).digest("hex");
    return { name: `${name}.tar`, digest };
  });
  assert.deepEqual(result.attestations, [{ job: "test", subjects }]);
  for (const scope of ["id-token", "attestations"]) {
    const { jobs } = await attest(`${scope}: write`);
    assert.match(messages(jobs[0])[0], /the job needs '/);
  }
});
