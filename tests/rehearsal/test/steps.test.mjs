// SPDX-License-Identifier: LGPL-2.1-or-later
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { ends, messages, rehearse, steps } from "./support.mjs";

test("conditions follow the steps before", async (t) => {
  const text = steps(`
- {name: first, run: echo, if: failure()}
- {name: fails, id: f, run: exit 3}
- {name: default, run: echo}
- {name: own, run: echo, if: steps.f.outcome == 'failure'}
- {name: failure, run: echo, if: failure() && steps.f.outcome == 'failure'}
- {name: always, run: echo, if: always()}
- {name: cancelled, run: echo, if: cancelled()}
`);
  const { jobs } = await rehearse(t, text);
  assert.deepEqual(ends(jobs[0].steps), {
    ...{ first: "skipped", fails: "failure", default: "skipped" },
    ...{ own: "skipped", failure: "success", always: "success" },
    cancelled: "skipped",
  });
  assert.deepEqual(messages(jobs[0]), ["Process completed with exit code 3."]);
  assert.equal(jobs[0].conclusion, "failure");
});

/** What a script has to find, and the script of the step before. */
const SCRIPTS = {
  "pipes are strict": ["if false | true; then exit 1; fi", "echo"],
  "outputs have lines": [
    `test "$X" = $'one "two"\\n$(three)='`,
    `printf 'x<<EOF\\none "two"\\n$(three)=\\nEOF\\n' >>"$GITHUB_OUTPUT"`,
  ],
  "GITHUB_ENV is for later steps, and a step's own variable wins": [
    'test "$A $B $C $D" = "workflow job file step"',
    `printf 'C=file\\nD=file\\n' >>"$GITHUB_ENV"; test "$C" = job`,
  ],
  "GITHUB_PATH is for later steps, the newest first": [
    'test "$PATH" = "/two:/one:$OLD"',
    `printf '/one\\n/two\\n' >>"$GITHUB_PATH"; echo "OLD=$PATH" >>"$GITHUB_ENV"`,
  ],
  "variables tell of the run": [
    `test "$GITHUB_REPOSITORY $GITHUB_EVENT_NAME $GITHUB_RUN_ID" = "me/it push 7"
     test "$GITHUB_API_URL $CI $GITHUB_ACTIONS" = "http://127.0.0.1:1 true true"
     test "$GITHUB_WORKSPACE" = "$PWD" && test -d "$RUNNER_TEMP"
     test "$MACHINE" = yes && test -z "\${GITHUB_TOKEN+set}"`,
    'test -z "$(ls -A "$HOME")"',
  ],
};

for (const [name, [run, before]] of Object.entries(SCRIPTS))
  test(name, async (t) => {
    const last = `{run: ${JSON.stringify(run)}, env: {X: "\${{ steps.s.outputs.x }}", D: step}}`;
    const first = `{id: s, run: ${JSON.stringify(before)}}`;
    const env = "env: {B: job, C: job, D: job}";
    const text = steps(`- ${first}\n- ${last}`, env);
    const github = { repository: "me/it", run_id: "7" };
    github.api_url = "http://127.0.0.1:1";
    const scenario = { github, environment: { MACHINE: "yes" } };
    const outside = "env: {A: workflow, B: x}";
    const { jobs } = await rehearse(t, `${outside}\n${text}`, scenario);
    const log = readFileSync(jobs[0].log, "utf8");
    assert.equal(jobs[0].conclusion, "success", log);
  });

test("summaries are put together, and more than a megabyte fails", async (t) => {
  const text = steps(`
- run: echo '# One' >>"$GITHUB_STEP_SUMMARY"
- run: echo '# Two' >>"$GITHUB_STEP_SUMMARY"
- run: head -c 1048577 /dev/zero >>"$GITHUB_STEP_SUMMARY"
`);
  const result = await rehearse(t, text);
  assert.equal(result.summary, "# One\n# Two\n");
  assert.match(messages(result.jobs[0])[0], /more than 1048576 bytes/);
});

test("workflow commands annotate and mask, unless they are stopped", async (t) => {
  const run = `
printf '%s\\n' '::warning file=a.c,title=T::100%25%0Ax' std::string ::group::G
printf '%s\\n' ::add-mask::s3cret >&2
printf '%s\\n' '::error::is s3cret' s3cret ::stop-commands::Tok ::error::no ::Tok:: ::notice::yes`;
  const text = steps(`- run: ${JSON.stringify(run)}`);
  const { jobs } = await rehearse(t, text);
  assert.deepEqual(jobs[0].annotations, [
    { level: "warning", message: "100%\nx" },
    { level: "error", message: "is ***" },
    { level: "notice", message: "yes" },
  ]);
  const log = readFileSync(jobs[0].log, "utf8");
  const [, shown] = log.split("std::string\n");
  assert.match(shown, /^::group::G\nError: is \*\*\*\n\*\*\*\n::stop/);
});
