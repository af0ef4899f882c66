// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * `uses` in a step. Actions of others are played by an equivalent each; those of
 * known repositories and of the workspace run from their files.
 *
 * An equivalent has `inputs`, an object of name and default, `only`, the value
 * of those inputs for which it knows no other, and run(step, inputs), which
 * fails by Failure.
 */

import { existsSync } from "node:fs";
import path from "node:path";

import { downloadArtifact, uploadArtifact } from "./actions/artifact.mjs";
import { attest } from "./actions/attest.mjs";
import { cache } from "./actions/cache.mjs";
import { checkout, placeTree } from "./actions/checkout.mjs";
import { evaluateText, evaluateTexts } from "./expressions.mjs";
import { Failure } from "./failure.mjs";
import { runSteps, stepScope } from "./step.mjs";
import { readAction, splitReference } from "./workflow.mjs";

const EQUIVALENTS = {
  "actions/attest": attest,
  "actions/cache": cache,
  "actions/cache/restore": cache,
  "actions/cache/save": cache,
  "actions/checkout": checkout,
  "actions/download-artifact": downloadArtifact,
  "actions/upload-artifact": uploadArtifact,
};

/** The equivalent that a `uses` names, in whatever version. */
function equivalent(uses) {
  return EQUIVALENTS[uses.split("@")[0]];
}

export function isKnownAction(uses) {
  return equivalent(uses) !== undefined;
}

/** What is given, with defaults; unknown inputs are refused. */
function takeInputs(uses, given, defaults, only = {}) {
  for (const name of Object.keys(given))
    if (!(name in defaults))
      throw new Failure(`${uses}: the input '${name}' is not known`);
  const inputs = { ...defaults, ...given };
  for (const [name, value] of Object.entries(only))
    if (inputs[name] !== value)
      throw new Failure(
        `${uses}: rehearsals know '${name}: ${value}' only, not '${inputs[name]}'`,
      );
  return inputs;
}

/**
 * The directory of an action, and the repository that it is of: `$/` is that of
 * the workflow whose job it is.
 */
function locate(job, uses) {
  const { actions, workspace } = job.directories;
  // GitHub does not say the repository of an action in the workspace.
  if (uses.startsWith("./")) return { directory: path.join(workspace, uses) };
  const { origin } = job.call;
  const { repository, path: name, commit } = uses.startsWith("$/")
    ? { ...origin, path: uses.slice(2) }
    : splitReference(uses);
  const target = path.join(actions, repository, commit);
  if (!existsSync(target))
    placeTree(job.run.repositories[repository], target, commit);
  return { directory: path.join(target, name), repository };
}

/** Run an action's steps in a frame of their own. */
async function runComposite(step, given) {
  const { job } = step;
  const { uses } = step.definition;
  const place = locate(job, uses);
  const file = path.join(place.directory, "action.yml");
  if (!existsSync(file))
    throw new Failure(`${uses}: no action.yml there; is it checked out?`);
  const action = await readAction(file, `${uses}/action.yml`, job.run.knows);
  const outside = stepScope(job, step.frame);
  const defaults = {};
  for (const [name, token] of Object.entries(action.inputs))
    defaults[name] = token ? evaluateText(token, outside) : "";
  const frame = {
    ...place,
    steps: {},
    inputs: takeInputs(uses, given, defaults),
    env: step.env,
    failed: false,
    records: [],
  };
  await runSteps(job, frame, action.steps);
  const inside = stepScope(job, frame);
  for (const [name, token] of Object.entries(action.outputs))
    step.outputs[name] = evaluateText(token, inside);
  if (frame.failed) throw new Failure(`${uses} failed`);
}

/** Do what a step's `uses` says. */
export async function runAction(step) {
  const { uses, with: token } = step.definition;
  const given = evaluateTexts(token, stepScope(step.job, step.frame));
  const known = equivalent(uses);
  if (!known) return runComposite(step, given);
  const inputs = takeInputs(uses, given, known.inputs, known.only);
  return known.run(step, inputs);
}
