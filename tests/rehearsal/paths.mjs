// SPDX-License-Identifier: LGPL-2.1-or-later
/** Paths as inputs of actions: one, with no more of a glob than its last part. */

import { existsSync, readdirSync } from "node:fs";
import path from "node:path";

import { Failure } from "./failure.mjs";

/** The names among some that a pattern matches, in which `*` is any text. */
export function matching(pattern, names) {
  if (/[?[!]/.test(pattern))
    throw new Failure(`rehearsals know no pattern but '*': ${pattern}`);
  const parts = pattern.split("*").map((part) => part.replace(/\W/g, "\\$&"));
  const expression = new RegExp(`^${parts.join(".*")}$`);
  return names.filter((name) => expression.test(name)).sort();
}

/** The absolute path, in the workspace or another of the job's directories. */
export function resolvePath(job, text) {
  const { root, workspace } = job.directories;
  const name = text.trim();
  const absolute = path.resolve(workspace, name);
  if (!name || /[*?[!~\n]/.test(name))
    throw new Failure(`rehearsals know a single path only: '${text}'`);
  if (!`${absolute}/`.startsWith(`${root}/`))
    throw new Failure(`${absolute} is outside of the job's directories`);
  return absolute;
}

/** The files that a path stands for whose last part may be a pattern. */
export function findFiles(job, text) {
  const directory = resolvePath(job, path.dirname(text));
  const names = existsSync(directory) ? readdirSync(directory) : [];
  return matching(path.basename(text), names).map((name) =>
    path.join(directory, name),
  );
}
