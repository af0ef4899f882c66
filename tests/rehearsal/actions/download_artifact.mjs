// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * actions/download-artifact: one by name into the folder itself, several each
 * into one of its own, unless they are to be merged.
 */

import { cpSync, mkdirSync } from "node:fs";
import path from "node:path";

import { globExpression } from "../globs.mjs";
import { StepFailure } from "../step_failure.mjs";

async function run(step, inputs) {
  const { job } = step;
  if (inputs["run-id"] && inputs["run-id"] !== String(job.run.github.run_id))
    throw new StepFailure(
      "download-artifact: of another run, which is not here",
    );
  const target = path.resolve(
    job.folders.workspace,
    inputs.path.replace(/^~(?=\/|$)/, job.folders.home),
  );
  mkdirSync(target, { recursive: true });
  step.outputs["download-path"] = target;

  const there = job.run.result.artifacts;
  const wanted = inputs.name
    ? there.filter(({ name }) => name === inputs.name)
    : there.filter(
        ({ name }) =>
          !inputs.pattern || globExpression(inputs.pattern).test(name),
      );
  if (inputs.name && wanted.length === 0)
    throw new StepFailure(
      `Unable to download artifact(s): Artifact not found for name: ${inputs.name}`,
    );
  const flat = inputs.name || inputs["merge-multiple"] === "true";
  for (const { name, folder } of wanted) {
    cpSync(folder, flat ? target : path.join(target, name), {
      recursive: true,
    });
    step.log(`Artifact ${name} downloaded`);
  }
}

export const downloadArtifact = {
  inputs: {
    name: "",
    path: "",
    pattern: "",
    "merge-multiple": "false",
    "github-token": "",
    repository: "",
    "run-id": "",
    "artifact-ids": "",
    "digest-mismatch": "error",
  },
  unsupported: ["artifact-ids", "repository"],
  run,
};
