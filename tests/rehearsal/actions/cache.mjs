// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * actions/cache, actions/cache/restore and actions/cache/save over a folder
 * that outlives the run. An entry is a folder of its own with entry.json (key,
 * version, ref, created in milliseconds) and a tar file for each of the job's
 * folders that it has files of: workspace.tar, temp.tar, home.tar.
 *
 * An entry is found only for the very list of paths that it was saved with, and
 * only from the branch that saved it, the base of a pull request, or the
 * default branch. It is never replaced.
 */

import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";

import { find, readPatterns } from "../globs.mjs";
import { StepFailure } from "../step_failure.mjs";

const MAX_KEY = 512;

/** The version of an entry: what GitHub makes of its paths. */
function version(paths) {
  return createHash("sha256").update(paths.join("|")).digest("hex");
}

function lines(text) {
  return text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line);
}

function checkKey(key) {
  if (!key) throw new StepFailure("cache: no key");
  if (key.length > MAX_KEY)
    throw new StepFailure(`cache: the key has more than ${MAX_KEY} characters`);
  if (key.includes(",")) throw new StepFailure("cache: the key has a comma");
}

/** The folders that entries may have files of, the inner ones first. */
const BASES = ["workspace", "temp", "home"];

function entries(folder) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .map((name) => path.join(folder, name))
    .filter((each) => existsSync(path.join(each, "entry.json")))
    .map((each) => ({
      ...JSON.parse(readFileSync(path.join(each, "entry.json"), "utf8")),
      folder: each,
    }))
    .sort((a, b) => b.created - a.created);
}

function refsInReach(github) {
  const refs = [
    github.ref,
    `refs/heads/${github.event.repository.default_branch}`,
  ];
  if (github.base_ref) refs.push(`refs/heads/${github.base_ref}`);
  return refs;
}

function lookUp(step, inputs) {
  const paths = lines(inputs.path);
  if (paths.length === 0) throw new StepFailure("cache: no path");
  const primary = inputs.key;
  checkKey(primary);
  const keys = [primary, ...lines(inputs["restore-keys"])];
  const refs = refsInReach(step.job.run.github);
  const wanted = version(paths);
  const there = entries(step.job.run.cacheFolder).filter(
    (entry) => entry.version === wanted && refs.includes(entry.ref),
  );
  for (const key of keys) {
    const found =
      there.find((entry) => entry.key === key) ??
      there.find((entry) => entry.key.startsWith(key));
    if (found) return found;
  }
  return undefined;
}

async function restore(step, inputs) {
  const { job } = step;
  const found = lookUp(step, inputs);
  step.outputs["cache-primary-key"] = inputs.key;
  step.outputs["cache-hit"] = found ? String(found.key === inputs.key) : "";
  step.outputs["cache-matched-key"] = found?.key ?? "";
  job.run.result.addCache({
    job: job.name,
    operation: "restore",
    key: inputs.key,
    matched: found?.key ?? null,
  });
  if (!found) {
    if (inputs["fail-on-cache-miss"] === "true")
      throw new StepFailure(
        `Failed to restore cache entry. Input key: ${inputs.key}`,
      );
    step.log(`Cache not found for input keys: ${inputs.key}`);
    return undefined;
  }
  step.log(`Cache restored from key: ${found.key}`);
  if (inputs["lookup-only"] !== "true")
    for (const base of BASES) {
      const file = path.join(found.folder, `${base}.tar`);
      if (existsSync(file))
        execFileSync("tar", ["-xf", file, "-C", job.folders[base]]);
    }
  return found;
}

/** Names below each of the bases. Throws for what is below none. */
function sortByBase(found, folders) {
  const result = {};
  for (const name of found) {
    const base = BASES.find((each) =>
      `${name}/`.startsWith(`${folders[each]}/`),
    );
    if (!base)
      throw new StepFailure(`cache: ${name} is outside of the job's folders`);
    (result[base] ??= []).push(path.relative(folders[base], name) || ".");
  }
  return result;
}

/** @param say how a warning is given; a save's failure is never an error. */
async function save(step, inputs, say) {
  const { job } = step;
  const { key } = inputs;
  checkKey(key);
  const { workspace, home } = job.folders;
  const all = find(readPatterns(inputs.path, workspace, home), {
    folders: true,
  });
  const found = all.filter((name) => !all.includes(path.dirname(name)));
  if (found.length === 0) {
    say(
      "Path Validation Error: Path(s) specified in the action for caching do(es) not exist",
    );
    return;
  }
  const names = sortByBase(found, job.folders);
  const entry = {
    key,
    version: version(lines(inputs.path)),
    ref: job.run.github.ref,
  };
  const digest = createHash("sha256")
    .update(JSON.stringify(entry))
    .digest("hex");
  const folder = path.join(job.run.cacheFolder, digest.slice(0, 32));
  const partial = `${folder}.${job.number}.partial`;
  mkdirSync(partial, { recursive: true });
  for (const [base, list] of Object.entries(names))
    execFileSync("tar", [
      ...["-cf", path.join(partial, `${base}.tar`)],
      ...["-C", job.folders[base], "--", ...list],
    ]);
  entry.created = Date.now();
  writeFileSync(path.join(partial, "entry.json"), JSON.stringify(entry));
  try {
    // Fails if there is one.
    renameSync(partial, folder);
  } catch {
    rmSync(partial, { recursive: true });
    say(
      `Failed to save: Unable to reserve cache with key ${key}, ` +
        "another job may be creating this cache.",
    );
    return;
  }
  job.run.result.addCache({ job: job.name, operation: "save", key });
  step.log(`Cache saved with key: ${key}`);
}

const COMMON = {
  path: "",
  key: "",
  "upload-chunk-size": "",
  enableCrossOsArchive: "false",
};
const LOOK_UP = {
  "restore-keys": "",
  "fail-on-cache-miss": "false",
  "lookup-only": "false",
};

export const cache = {
  inputs: { ...COMMON, ...LOOK_UP },
  async run(step, inputs) {
    const found = await restore(step, inputs);
    if (found?.key === inputs.key) return;
    step.job.addPost(step, () =>
      save(step, inputs, (message) => step.job.annotate("warning", message)),
    );
  },
};

export const cacheRestore = {
  inputs: { ...COMMON, ...LOOK_UP },
  async run(step, inputs) {
    await restore(step, inputs);
  },
};

export const cacheSave = {
  inputs: COMMON,
  run: (step, inputs) =>
    save(step, inputs, (message) => step.annotate("warning", message)),
};
