// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * actions/upload-artifact: files into the run's folder of artifacts, once under
 * each name.
 */

import { createHash } from "node:crypto";
import {
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
} from "node:fs";
import path from "node:path";

import { find, readPatterns, searchPath } from "../globs.mjs";
import { StepFailure } from "../step_failure.mjs";

const FORBIDDEN_IN_NAMES = /["':<>|*?\r\n\\/]/;

/** The deepest folder that all of these are in. */
function commonFolder(paths) {
  const parts = paths.map((each) => each.split("/"));
  const first = parts[0];
  let length = first.length;
  for (const each of parts)
    while (each.slice(0, length).join("/") !== first.slice(0, length).join("/"))
      length--;
  return first.slice(0, length).join("/") || "/";
}

function isHidden(file, root) {
  return path
    .relative(root, file)
    .split("/")
    .some((part) => part.startsWith(".") && part !== "..");
}

function rootOf(patterns) {
  const starts = patterns
    .filter((pattern) => !pattern.excluded)
    .map(({ glob }) => searchPath(glob));
  if (starts.length > 1) return commonFolder(starts);
  const [start] = starts;
  return existsSync(start) && statSync(start).isDirectory()
    ? start
    : path.dirname(start);
}

async function run(step, inputs) {
  const { job } = step;
  const { name } = inputs;
  if (!name || FORBIDDEN_IN_NAMES.test(name))
    throw new StepFailure(`The artifact name is not valid: ${name}`);
  if (!inputs.path.trim()) throw new StepFailure("upload-artifact: no path");
  const patterns = readPatterns(
    inputs.path,
    job.folders.workspace,
    job.folders.home,
  );
  const root = rootOf(patterns);
  const files = find(patterns).filter(
    (file) =>
      inputs["include-hidden-files"] === "true" || !isHidden(file, root),
  );
  if (files.length === 0) {
    const message = `No files were found with the provided path: ${inputs.path}. No artifacts will be uploaded.`;
    const reaction = inputs["if-no-files-found"];
    if (reaction === "error") throw new StepFailure(message);
    if (reaction === "warn") step.annotate("warning", message);
    else step.log(message);
    return;
  }
  const days = Number(inputs["retention-days"] || 0);
  if (!Number.isInteger(days) || days < 0 || days > 400)
    throw new StepFailure(
      `upload-artifact: retention-days: ${inputs["retention-days"]}`,
    );

  const target = path.join(job.run.artifactFolder, name);
  if (existsSync(target)) {
    if (inputs.overwrite !== "true")
      throw new StepFailure(
        `Failed to CreateArtifact: (409) Conflict: an artifact with the name ${name} already exists on the workflow run`,
      );
    rmSync(target, { recursive: true });
  }
  mkdirSync(target, { recursive: true });
  const digest = createHash("sha256");
  const names = [];
  for (const file of files) {
    const relative = path.relative(root, file);
    cpSync(file, path.join(target, relative), { dereference: true });
    digest.update(`${relative}\0`).update(readFileSync(file));
    names.push(relative);
  }
  const artifact = job.run.result.addArtifact({
    name,
    job: job.name,
    files: names,
    folder: target,
    retention_days: days || null,
  });
  job.artifacts.push(name);
  const { server_url, repository, run_id } = job.run.github;
  step.outputs["artifact-id"] = String(artifact.id);
  step.outputs["artifact-url"] =
    `${server_url}/${repository}/actions/runs/${run_id}/artifacts/${artifact.id}`;
  step.outputs["artifact-digest"] = digest.digest("hex");
  step.log(`Artifact ${name} has ${names.length} file(s)`);
}

export const uploadArtifact = {
  inputs: {
    name: "artifact",
    path: "",
    "if-no-files-found": "warn",
    "retention-days": "",
    "compression-level": "6",
    overwrite: "false",
    "include-hidden-files": "false",
    archive: "true",
  },
  unsupported: ["archive"],
  run,
};
