// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * `uses:` in a step: which action that is, and its inputs.
 *
 * Actions of others are played by a local equivalent each, found by name
 * without version; those of the repository itself run for real. What is in
 * neither place is an error.
 *
 * An equivalent has `inputs`, an object of name and default, `unsupported`, a
 * list of those that must keep it, if there are any, and run(step, inputs), which
 * fails by StepFailure.
 */

import { existsSync } from "node:fs";
import path from "node:path";

import { attest } from "./actions/attest.mjs";
import { cache, cacheRestore, cacheSave } from "./actions/cache.mjs";
import { checkout } from "./actions/checkout.mjs";
import { downloadArtifact } from "./actions/download_artifact.mjs";
import { uploadArtifact } from "./actions/upload_artifact.mjs";
import { actionFile, readAction } from "./action_file.mjs";
import { stepScope } from "./contexts.mjs";
import { evaluateText, evaluateTexts } from "./expressions.mjs";
import { splitReference } from "./repositories.mjs";
import { StepFailure } from "./step_failure.mjs";
import { placeTree } from "./tree.mjs";

const EQUIVALENTS = {
  "actions/attest-build-provenance": attest,
  "actions/cache": cache,
  "actions/cache/restore": cacheRestore,
  "actions/cache/save": cacheSave,
  "actions/checkout": checkout,
  "actions/download-artifact": downloadArtifact,
  "actions/upload-artifact": uploadArtifact,
};

/** GitHub's limit for actions inside actions. */
const MAX_DEPTH = 10;

/** The inputs by lower-case name, with defaults; says which are unknown. */
function takeInputs(step, given, defaults) {
  const known = Object.keys(defaults);
  const find = (name) =>
    known.find((each) => each.toLowerCase() === name.toLowerCase());
  const unknown = Object.keys(given).filter((name) => !find(name));
  if (unknown.length)
    step.annotate(
      "warning",
      `Unexpected input(s) '${unknown.join("', '")}', valid inputs are ` +
        `['${known.join("', '")}']`,
    );
  const inputs = { ...defaults };
  for (const [name, value] of Object.entries(given))
    if (find(name)) inputs[find(name)] = value;
  return inputs;
}

async function runEquivalent(step, name, given) {
  const equivalent = EQUIVALENTS[name.toLowerCase()];
  const inputs = takeInputs(step, given, equivalent.inputs);
  for (const input of equivalent.unsupported ?? [])
    if (inputs[input] !== equivalent.inputs[input])
      throw new StepFailure(`${name}: '${input}' cannot be rehearsed`);
  await equivalent.run(step, inputs);
}

function depth(frame) {
  return frame.parent ? 1 + depth(frame.parent.frame) : 0;
}

/** Whether there is an equivalent of what a `uses` names. */
export function isKnownAction(uses) {
  return uses.split("@")[0].toLowerCase() in EQUIVALENTS;
}

/** Names of all equivalents. */
export const KNOWN_ACTIONS = Object.keys(EQUIVALENTS);

/**
 * Run the action in a folder, its steps in a frame of their own.
 *
 * @param repository that the action comes from; undefined for one of the job's
 *   workspace, of which GitHub does not say it either.
 */
async function runComposite(step, { folder, repository }, given, stop) {
  const { job } = step;
  const file = actionFile(folder);
  if (!file)
    throw new StepFailure(
      `Can't find 'action.yml' or 'action.yaml' under '${folder}'. ` +
        "Did you forget to run actions/checkout before running your local action?",
    );
  if (depth(step.frame) >= MAX_DEPTH)
    throw new StepFailure(`${step.definition.uses}: too deep`);
  const action = readAction(file, path.relative(job.folders.workspace, file));
  const frame = {
    steps: {},
    inputs: {},
    secrets: {},
    env: step.env,
    failed: false,
    defaults: {},
    actionPath: folder,
    actionRepository: repository,
    parent: step,
    stop,
  };
  const scope = stepScope(job, frame, step.env);
  const defaults = {};
  for (const [name, { default: token }] of Object.entries(action.inputs))
    defaults[name] = token ? evaluateText(token, scope) : "";
  frame.inputs = takeInputs(step, given, defaults);
  for (const inner of action.steps)
    if (inner.run && !inner.shell)
      throw new StepFailure(`${action.name}: a run step needs a shell`);

  const well = await job.runFrame(frame, action.steps);
  const after = stepScope(job, frame, step.env);
  for (const [name, token] of Object.entries(action.outputs)) {
    const value = token.find("value");
    step.outputs[name] = value ? evaluateText(value, after) : "";
  }
  if (!well) throw new StepFailure(`${action.name} failed.`);
}

/** Where an action of another repository is, in a copy of that for this job. */
function fetchAction(job, uses) {
  const { repository, path: name, ref } = splitReference(uses);
  const source = job.run.repositories.folder(repository);
  const target = path.join(job.folders.actions, repository, ref);
  if (!existsSync(target))
    placeTree(source, target, ref, {
      shallow: true,
      workingTree: job.run.settings.workingTree,
    });
  return { folder: path.join(target, name), repository };
}

/** Do what a step's `uses` says. */
export async function runAction(step, stop) {
  const { job } = step;
  const { uses } = step.definition;
  const given = evaluateTexts(step.definition.with, step.scope());
  if (uses.startsWith("./"))
    return runComposite(
      step,
      { folder: path.resolve(job.folders.workspace, uses) },
      given,
      stop,
    );
  if (job.run.repositories.locate(uses))
    return runComposite(step, fetchAction(job, uses), given, stop);
  return runEquivalent(step, uses.split("@")[0], given);
}
