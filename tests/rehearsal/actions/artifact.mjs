// SPDX-License-Identifier: LGPL-2.1-or-later
/** actions/upload-artifact and actions/download-artifact: files of a run. */

import { cpSync, existsSync, mkdirSync, readdirSync, statSync } from "node:fs";
import path from "node:path";

import { Failure } from "../failure.mjs";
import { matching, resolvePath } from "../paths.mjs";

const FORBIDDEN_IN_NAMES = /["':<>|*?\r\n\\/]/;

/** A file or what is in a directory, as relative names of files. */
function listFiles(start) {
  if (!existsSync(start)) return [];
  if (!statSync(start).isDirectory()) return [path.basename(start)];
  // Hidden ones are left out, as the action does unless told otherwise.
  return readdirSync(start, { recursive: true })
    .filter((name) => !/(^|\/)\./.test(name))
    .filter((name) => !statSync(path.join(start, name)).isDirectory());
}

export const uploadArtifact = {
  inputs: {
    name: "artifact",
    path: "",
    "if-no-files-found": "warn",
    "retention-days": "",
    "compression-level": "",
    overwrite: "false",
  },
  only: { "if-no-files-found": "warn" },
  run({ job }, { name, path: text, overwrite }) {
    if (!name || FORBIDDEN_IN_NAMES.test(name))
      throw new Failure(`The artifact name is not valid: ${name}`);
    const { artifacts, scenario } = job.run;
    if (matching(scenario.unkept ?? "", [name]).length)
      throw new Failure(`Failed to CreateArtifact: ${name}: 503`);
    const known = artifacts.findIndex((each) => each.name === name);
    if (known >= 0 && overwrite !== "true")
      throw new Failure(`(409) Conflict: there is an artifact ${name} already`);
    if (known >= 0) artifacts.splice(known, 1);
    const source = resolvePath(job, text);
    const files = listFiles(source);
    if (files.length === 0) {
      const message = `No files were found with the provided path: ${text}.`;
      job.annotate(message, "warning");
      return;
    }
    const directory = path.join(job.run.scenario.out, "artifacts", name);
    mkdirSync(directory, { recursive: true });
    const whole = statSync(source).isDirectory();
    const root = whole ? source : path.dirname(source);
    for (const file of files)
      cpSync(path.join(root, file), path.join(directory, file));
    artifacts.push({ name, directory, files });
  },
};

export const downloadArtifact = {
  inputs: { name: "", pattern: "", path: ".", "merge-multiple": "false" },
  run({ job }, { name: wanted, pattern, path: text, "merge-multiple": merge }) {
    if (wanted ? pattern : !pattern || merge !== "true")
      throw new Failure(
        "download-artifact: rehearsals know 'name', or 'pattern' with 'merge-multiple: true' only",
      );
    const found = job.run.artifacts.filter(({ name }) =>
      wanted ? name === wanted : matching(pattern, [name]).length,
    );
    if (wanted && !found.length)
      throw new Failure(`Artifact not found for name: ${wanted}`);
    for (const { directory } of found)
      cpSync(directory, resolvePath(job, text), { recursive: true });
  },
};
