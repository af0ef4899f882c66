// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * The module hooks that packages.mjs registers.
 *
 * Two things need them. Bare names ("@actions/expressions") in our own files
 * are looked up below another folder. And @actions/workflow-parser imports its
 * schemas, which are JSON, without an import attribute, as bundlers take it:
 * Node.js gets them as modules here.
 */

import { readFile } from "node:fs/promises";

let parent;
let ours;

export function initialize(data) {
  ({ parent, ours } = data);
}

export function resolve(specifier, context, next) {
  const bare = !/^([./]|[a-z]+:)/.test(specifier);
  if (bare && context.parentURL?.startsWith(ours))
    return next(specifier, { ...context, parentURL: parent });
  return next(specifier, context);
}

export async function load(url, context, next) {
  if (!url.endsWith(".json")) return next(url, context);
  const text = await readFile(new URL(url), "utf8");
  return {
    format: "module",
    shortCircuit: true,
    source: `export default ${text}`,
  };
}
