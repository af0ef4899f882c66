// SPDX-License-Identifier: LGPL-2.1-or-later
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";

import { messages, rehearse, steps } from "./support.mjs";

/** What a step wrote, as lines. */
function output(step) {
  return readFileSync(step.log, "utf8")
    .split("\n")
    .filter((line) => line && !line.startsWith("##["));
}

/** A zombie is not. */
function isRunning(pid) {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}

test("conditions follow the steps before", async (t) => {
  const result = await rehearse(
    t,
    steps(`
- {name: first, run: "true", if: success()}
- {name: no failure yet, run: "true", if: failure()}
- {name: fails, id: f, run: exit 3}
- {name: default, run: "true"}
- {name: own condition, run: "true", if: steps.f.outcome == 'failure'}
- {name: failure, run: "true", if: failure() && steps.f.outcome == 'failure'}
- {name: always, run: "true", if: always()}
- {name: not cancelled, run: "true", if: "!cancelled()"}
- {name: cancelled, run: "true", if: cancelled()}
`),
  );
  const [job] = result.jobs;
  assert.deepEqual(
    job.steps.map((step) => [step.name, step.conclusion]),
    [
      ["first", "success"],
      ["no failure yet", "skipped"],
      ["fails", "failure"],
      ["default", "skipped"],
      ["own condition", "skipped"],
      ["failure", "success"],
      ["always", "success"],
      ["not cancelled", "success"],
      ["cancelled", "skipped"],
    ],
  );
  assert.deepEqual(messages(job), ["Process completed with exit code 3."]);
  assert.equal(job.conclusion, "failure");
});

test("continue-on-error makes a success of a failure, which outcome tells", async (t) => {
  const result = await rehearse(
    t,
    steps(`
- {id: f, run: exit 1, continue-on-error: true}
- {run: "true"}
- id: contexts
  run: "true"
  if: steps.f.outcome == 'failure' && steps.f.conclusion == 'success'
`),
  );
  assert.deepEqual(
    result.jobs[0].steps.map(({ outcome, conclusion }) => [
      outcome,
      conclusion,
    ]),
    [
      ["failure", "success"],
      ["success", "success"],
      ["success", "success"],
    ],
  );
  assert.equal(result.conclusion, "success");
});

test("bash is strict about pipes only where it is asked for", async (t) => {
  const result = await rehearse(
    t,
    steps(`
- {run: "false | true"}
- {run: "false | true", shell: bash, continue-on-error: true}
- {run: 'echo "$NONE"', shell: "bash -u {0}", continue-on-error: true}
- {run: "true\\nfalse\\ntrue", continue-on-error: true}
- {run: "test -z \\"$BASH_VERSION\\" || [ $0 != bash ]", shell: sh}
- {run: "import sys; sys.exit(len(sys.argv) - 1)", shell: "python3 {0}"}
`),
  );
  const all = result.jobs[0].steps;
  assert.deepEqual(
    all.map((step) => step.outcome),
    ["success", "failure", "failure", "failure", "success", "success"],
  );
  assert.deepEqual(all[0].command.slice(0, -1), ["bash", "-e"]);
  assert.deepEqual(all[1].command.slice(0, -1), [
    ...["bash", "--noprofile", "--norc", "-eo", "pipefail"],
  ]);
  assert.deepEqual(all[4].command.slice(0, -1), ["sh", "-e"]);
});

test("defaults.run gives shell and folder; the job's win over the workflow's", async (t) => {
  const text = steps(
    `
- {run: mkdir -p a b, working-directory: .}
- run: pwd
- {run: pwd, working-directory: b}
- {run: pwd, working-directory: missing, continue-on-error: true}
`,
    "defaults: {run: {working-directory: a}}",
  );
  const result = await rehearse(
    t,
    text.replace(
      "jobs:",
      "defaults: {run: {shell: bash, working-directory: none}}\njobs:",
    ),
  );
  const [job] = result.jobs;
  assert.deepEqual(output(job.steps[1]), [path.join(job.workspace, "a")]);
  assert.deepEqual(output(job.steps[2]), [path.join(job.workspace, "b")]);
  assert.match(messages(job.steps[3])[0], /No such folder: .*missing/);
  assert.equal(job.steps[1].command[4], "pipefail");
});

test("env nests: workflow, job, GITHUB_ENV, step; and conditions see it", async (t) => {
  const text = steps(
    `
- run: |
    echo "$A $B $C"
    echo "B=file" >>"$GITHUB_ENV"
    { echo "LINES<<END"; echo 1; echo 2; echo END; } >>"$GITHUB_ENV"
- run: echo "$A $B $C"
  env: {C: step, A: "\${{ env.A }}+\${{ env.B }}+\${{ env.b }}"}
- {run: 'echo "$C$LINES"', env: {X: "1"}, if: env.X == '1' && env.B == 'file'}
`,
    "env: {B: job, C: job}",
  ).replace("jobs:", "env: {A: workflow, B: workflow}\njobs:");
  const [job] = (await rehearse(t, text)).jobs;
  assert.deepEqual(output(job.steps[0]), ["workflow job job"]);
  assert.deepEqual(output(job.steps[1]), ["workflow+file+ file step"]);
  assert.deepEqual(output(job.steps[2]), ["job1", "2"]);
});

test("GITHUB_PATH is for later steps, the newest first", async (t) => {
  const [job] = (
    await rehearse(
      t,
      steps(`
- run: |
    mkdir one two
    printf '#!/bin/sh\\necho one\\n' >one/tool
    printf '#!/bin/sh\\necho two\\n' >two/tool
    chmod +x */tool
    printf '%s\\n' "$PWD/one" "$PWD/two" >>"$GITHUB_PATH"
    ! command -v tool
- run: tool
`),
    )
  ).jobs;
  assert.deepEqual(output(job.steps[1]), ["two"]);
});

test("a malformed file command fails its step", async (t) => {
  const [job] = (
    await rehearse(
      t,
      steps(`
- run: echo "no assignment" >>"$GITHUB_OUTPUT"
- {run: "echo NODE_OPTIONS=x >>$GITHUB_ENV", if: always()}
`),
    )
  ).jobs;
  assert.match(
    messages(job.steps[0])[0],
    /file command 'output'.*Invalid format/,
  );
  assert.match(messages(job.steps[1])[0], /NODE_OPTIONS/);
});

test("outputs may have lines, and reach expressions as they are", async (t) => {
  const [job] = (
    await rehearse(
      t,
      steps(`
- id: a
  run: |
    { echo 'x<<EOF'; echo 'one "two"'; echo '$(three)'; echo EOF; } >>"$GITHUB_OUTPUT"
- run: printf '%s\\n' "$X"
  env: {X: "\${{ steps.a.outputs.x }}"}
`),
    )
  ).jobs;
  assert.deepEqual(output(job.steps[1]), ['one "two"', "$(three)"]);
});

test("summaries are put together, and one of more than a megabyte is lost", async (t) => {
  const result = await rehearse(
    t,
    steps(`
- {run: "echo '# One' >>$GITHUB_STEP_SUMMARY"}
- {run: "head -c 1048577 /dev/zero | tr '\\\\0' x >>$GITHUB_STEP_SUMMARY"}
- {run: "head -c 1048576 /dev/zero | tr '\\\\0' y >>$GITHUB_STEP_SUMMARY"}
`),
  );
  const [job] = result.jobs;
  assert.equal(job.conclusion, "success");
  assert.match(messages(job.steps[1])[0], /upload aborted.*1024k, got 1025k/);
  assert.equal(job.steps[1].summary, "");
  assert.equal(job.steps[2].summary.length, 1024 * 1024);
  assert.match(result.summary, /^## test summary\n\n# One\n\ny/);
});

test("contexts and variables tell of the run", async (t) => {
  const result = await rehearse(
    t,
    steps(`
- run: |
    test "$GITHUB_REPOSITORY" = me/kernels
    test "$GITHUB_REF_NAME" = topic/x
    test "$GITHUB_SHA" = ${"a".repeat(40)}
    test "$GITHUB_EVENT_NAME" = push
    test "$GITHUB_API_URL" = http://127.0.0.1:1
    test "$CI$GITHUB_ACTIONS" = truetrue
    test "$GITHUB_WORKSPACE" = "$PWD"
    test "$RUNNER_OS" = Linux
    test -d "$RUNNER_TEMP"
    test -d "$HOME"
    test -z "$(ls -A "$HOME")"
    test "$FROM_MACHINE" = yes
    test -z "\${GITHUB_TOKEN+set}"
    grep -q '"default_branch": "main"' "$GITHUB_EVENT_PATH"
- run: test "$A" = "$B"
  env:
    A: \${{ github.repository }} \${{ github.ref_name }} \${{ vars.V }} \${{ runner.os }} \${{ job.status }} \${{ github.event.extra }}
    B: me/kernels topic/x 5 Linux success 1
`),
    {
      github: {
        repository: "me/kernels",
        ref: "refs/heads/topic/x",
        sha: "a".repeat(40),
        api_url: "http://127.0.0.1:1",
      },
      payload: { extra: 1 },
      settings: { environment: { FROM_MACHINE: "yes" }, vars: { V: "5" } },
    },
  );
  assert.equal(
    result.conclusion,
    "success",
    JSON.stringify(messages(result.jobs[0])),
  );
});

test("hashFiles changes with the files that a pattern finds, and only then", async (t) => {
  const [job] = (
    await rehearse(
      t,
      steps(`
- run: mkdir -p a/b; echo 1 >a/x.lock; echo 2 >a/b/y.lock; echo 3 >z.txt
- {id: one, run: 'echo "h=$H" >>$GITHUB_OUTPUT', env: {H: "\${{ hashFiles('**/*.lock') }}"}}
- run: echo 4 >z.txt
- {id: two, run: 'echo "h=$H" >>$GITHUB_OUTPUT', env: {H: "\${{ hashFiles('**/*.lock', '!z*') }}"}}
- run: echo 4 >a/b/y.lock
- {id: three, run: 'echo "h=$H" >>$GITHUB_OUTPUT', env: {H: "\${{ hashFiles('**/*.lock') }}"}}
- {id: none, run: 'echo "h=$H" >>$GITHUB_OUTPUT', env: {H: "\${{ hashFiles('*.none') }}"}}
`),
    )
  ).jobs;
  const [one, two, three, none] = job.steps
    .filter((step) => step.id)
    .map((step) => step.outputs.h);
  assert.match(one, /^[0-9a-f]{64}$/);
  assert.equal(two, one);
  assert.notEqual(three, one);
  assert.equal(none, "");
});

test("stdout and stderr are one log, in order", async (t) => {
  const [job] = (
    await rehearse(t, steps("- run: echo 1; echo 2 >&2; echo 3; printf 4"))
  ).jobs;
  assert.deepEqual(output(job.steps[0]), ["1", "2", "3", "4"]);
});

test("an error in an expression fails the step", async (t) => {
  const [job] = (
    await rehearse(
      t,
      steps(`
- {run: "true", env: {X: "\${{ fromJSON('{') }}"}}
- {run: "true", if: "always() && fromJSON('')"}
- {run: "true", if: always(), continue-on-error: "\${{ github.actor }}"}
`),
    )
  ).jobs;
  assert.deepEqual(
    job.steps.map((step) => step.conclusion),
    ["failure", "failure", "failure"],
  );
  assert.match(messages(job.steps[2])[0], /"octocat" is no boolean/);
});

test("what a step leaves running is gone when the job ends", async (t) => {
  const [job] = (
    await rehearse(t, steps('- run: |\n    sleep 60 &\n    echo "$!"'))
  ).jobs;
  const [pid] = output(job.steps[0]);
  const deadline = Date.now() + 10000;
  while (isRunning(pid) && Date.now() < deadline) await sleep(20);
  assert.ok(!isRunning(pid));
  assert.ok(job.ended - job.started < 30000);
});
