// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * What expressions and processes of a job see: its contexts, the functions that
 * look at its state, and the environment of a step.
 */

import os from "node:os";
import path from "node:path";

import { textFunction, toData, toEnvironmentData } from "./expressions.mjs";
import { hashFiles } from "./hash_files.mjs";

/** Of the github context, what has no variable. */
const ONLY_IN_CONTEXT = [
  "event",
  "repository_visibility",
  "secret_source",
  "token",
];

const ARCHITECTURES = { x64: "X64", arm64: "ARM64", arm: "ARM", ia32: "X86" };

function githubOf(job) {
  return {
    ...job.run.github,
    job: job.id,
    token: job.token,
    workspace: job.folders.workspace,
    event_path: job.eventFile,
    workflow: job.call.rootName,
  };
}

function runnerOf(job) {
  return {
    os: "Linux",
    arch: ARCHITECTURES[process.arch] ?? process.arch.toUpperCase(),
    name: `Rehearsal ${job.number}`,
    environment: "github-hosted",
    temp: job.folders.temp,
    tool_cache: job.folders.tools,
    workspace: path.dirname(job.folders.workspace),
  };
}

function contextsOf(job) {
  return {
    github: githubOf(job),
    inputs: job.call.inputs,
    vars: job.run.settings.vars,
    needs: job.needs,
    strategy: job.strategy,
    matrix: job.matrix,
    secrets: job.secrets,
    env: toEnvironmentData(job.env),
  };
}

/** A function without arguments that returns a boolean. */
function question(name, call) {
  return { name, minArgs: 0, maxArgs: 0, call: () => toData(call()) };
}

/** The scope of the job's own keys. */
export function jobScope(job) {
  return { contexts: contextsOf(job), functions: [] };
}

/** The scope of a step in a frame, whose variables come before the job's. */
export function stepScope(job, frame, variables) {
  const { failed } = frame;
  const { cancelled } = job;
  return {
    contexts: {
      ...contextsOf(job),
      github: {
        ...githubOf(job),
        action_path: frame.actionPath,
        // Not in the environment, where GitHub has it for other kinds of actions.
        action_repository: frame.actionRepository ?? "",
        action_status: failed ? "failure" : "success",
      },
      inputs: frame.inputs,
      secrets: frame.secrets,
      env: toEnvironmentData({ ...job.env, ...variables }),
      steps: frame.steps,
      job: {
        status: job.status,
        check_run_id: job.number,
        container: {},
        services: {},
        ...job.call.workflowFacts,
      },
      runner: runnerOf(job),
    },
    functions: [
      question("always", () => true),
      question("success", () => !failed && !cancelled),
      question("failure", () => failed && !cancelled),
      question("cancelled", () => cancelled),
      textFunction("hashFiles", 1, 255, (...patterns) =>
        hashFiles(patterns, job.folders),
      ),
    ],
  };
}

/** The environment of a step's process, but for the files of commands. */
export function processEnvironment(step) {
  const { job } = step;
  const { environment } = job.run.settings;
  const variables = {
    LANG: "C.UTF-8",
    USER: os.userInfo().username,
    PATH: process.env.PATH,
    ...environment,
    HOME: job.folders.home,
    CI: "true",
    ...job.env,
    ...step.env,
  };
  variables.PATH = [...job.path, variables.PATH].join(":");
  const github = {
    ...githubOf(job),
    action: step.definition.id ?? `__run_${step.number}`,
    actions: "true",
    action_path: step.frame.actionPath,
  };
  for (const [name, value] of Object.entries(github))
    if (!ONLY_IN_CONTEXT.includes(name) && (value ?? null) !== null)
      variables[`GITHUB_${name.toUpperCase()}`] = String(value);
  for (const [name, value] of Object.entries(runnerOf(job)))
    variables[`RUNNER_${name.toUpperCase()}`] = value;
  variables.RUNNER_TRACKING_ID = job.trackingId;
  return variables;
}
