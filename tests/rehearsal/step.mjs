// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * Steps: conditions, environment, and what they leave behind.
 *
 * They run in a frame, a job's own or that of an action inside it, which has
 * `steps` (the context), `inputs`, `env` (on top of the job's), `failed`, the
 * `records` of its steps, and for an action its `directory` and `repository`.
 */

import { spawnSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";

import { runAction } from "./actions.mjs";
import { allows } from "./call.mjs";
import { parseAssignments, readOutput } from "./commands.mjs";
import {
  evaluateCondition,
  evaluateText,
  evaluateTexts,
  Known,
} from "./expressions.mjs";
import { Failure } from "./failure.mjs";

/** Files that a script may write to, by the variable that names them. */
const FILES = ["OUTPUT", "PATH", "STEP_SUMMARY"];

/** Of a step's summary, in bytes. */
const MAX_SUMMARY = 1024 * 1024;

/** What expressions in steps of a frame see. */
export function stepScope(job, frame) {
  const { failed } = frame;
  const { repository, commit } = job.call.origin;
  return {
    contexts: {
      ...job.scope.contexts,
      github: new Known("github", {
        ...job.run.github,
        token: job.token,
        workspace: job.directories.workspace,
        action_repository: frame.repository ?? "",
      }),
      inputs: frame.inputs,
      steps: frame.steps,
      job: new Known("job", {
        workflow_repository: repository,
        workflow_sha: commit,
      }),
      runner: new Known("runner", { temp: job.directories.temp }),
    },
    status: { always: true, cancelled: false, failure: failed, success: !failed },
  };
}

function environment(step) {
  const { job, frame } = step;
  const { home, temp, workspace } = job.directories;
  const variables = {
    LANG: "C.UTF-8",
    PATH: process.env.PATH,
    ...job.run.scenario.environment,
    ...job.env,
    ...step.env,
    HOME: home,
    CI: "true",
    GITHUB_ACTIONS: "true",
    GITHUB_WORKSPACE: workspace,
    RUNNER_TEMP: temp,
  };
  const { event, ...known } = job.run.github;
  for (const [name, value] of Object.entries(known))
    variables[`GITHUB_${name.toUpperCase()}`] = value;
  // In every step of the job, whatever it runs.
  if (allows(job.permissions, "id-token", "write"))
    for (const name of ["URL", "TOKEN"])
      variables[`ACTIONS_ID_TOKEN_REQUEST_${name}`] = "id-token";
  if (frame.directory) variables.GITHUB_ACTION_PATH = frame.directory;
  variables.PATH = [...job.path, variables.PATH].join(":");
  return variables;
}

/** Run a script; returns its status. */
function runBash(script, cwd, env, output) {
  const command = [
    // If the rehearsal is killed, the script is ended too, and what it started.
    ...["setpriv", "--pdeathsig", "TERM", "timeout", "0"],
    ...["bash", "--noprofile", "--norc", "-eo", "pipefail", script],
  ];
  const fd = fs.openSync(output, "w");
  const options = { cwd, env, stdio: ["ignore", fd, fd] };
  const { status, error } = spawnSync(command[0], command.slice(1), options);
  fs.closeSync(fd);
  if (error) throw error;
  return status;
}

function runScript(step) {
  const { job, definition } = step;
  const scope = stepScope(job, step.frame);
  const { directory: below } = definition;
  const relative = below ? evaluateText(below, scope) : ".";
  const cwd = path.resolve(job.directories.workspace, relative);
  if (!fs.existsSync(cwd)) throw new Failure(`${cwd}: no such directory`);
  const directory = fs.mkdtempSync(path.join(job.directories.temp, "step-"));
  const file = (name) => path.join(directory, name);
  const env = environment(step);
  for (const name of FILES) {
    env[`GITHUB_${name}`] = file(name);
    fs.writeFileSync(file(name), "");
  }
  const script = evaluateText(definition.run, scope);
  fs.writeFileSync(file("script.sh"), `${script}\n`);
  job.write(`$ ${script.trim()}`);
  const status = runBash(file("script.sh"), cwd, env, file("output"));
  const output = fs.readFileSync(file("output"), "utf8");
  const { shown, refused } = readOutput(output, job.masks, job.annotations);
  job.write(shown);
  takeFiles(step, (name) => fs.readFileSync(file(name), "utf8"));
  fs.rmSync(directory, { recursive: true });
  if (refused) throw new Failure(`'::${refused}::' is not known to rehearsals`);
  if (status !== 0)
    throw new Failure(`Process completed with exit code ${status}.`);
}

/** What a script has written into its files. */
function takeFiles(step, read) {
  const { job } = step;
  Object.assign(step.outputs, parseAssignments(read("OUTPUT")));
  const lines = read("PATH").split("\n");
  job.path.unshift(...lines.filter((line) => line).reverse());
  const summary = read("STEP_SUMMARY");
  if (Buffer.byteLength(summary) > MAX_SUMMARY)
    throw new Failure(`the summary has more than ${MAX_SUMMARY} bytes`);
  job.run.summary += job.masks.hide(summary);
}

async function runStep(job, frame, definition) {
  const { id, name, uses, run } = definition;
  const step = { job, frame, definition, env: { ...frame.env }, outputs: {} };
  const scope = stepScope(job, frame);
  let outcome = "success";
  let shown = uses ?? run.toString();
  try {
    Object.assign(step.env, evaluateTexts(definition.env, scope));
    if (name) shown = evaluateText(name, scope);
    job.write(`##[step]${shown}`);
    if (!evaluateCondition(definition.if, scope)) outcome = "skipped";
    else if (uses) await runAction(step);
    else runScript(step);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    job.annotate(error.message);
    outcome = "failure";
  }
  const excused = outcome === "failure" && definition.goesOn;
  if (outcome === "failure" && !excused) frame.failed = true;
  const { outputs } = step;
  const conclusion = excused ? "success" : outcome;
  if (id) frame.steps[id] = { outputs, outcome, conclusion };
  frame.records.push({ id, name: job.masks.hide(shown), outcome });
}

/** Run steps in a frame, one after another. */
export async function runSteps(job, frame, definitions) {
  for (const definition of definitions) await runStep(job, frame, definition);
}
