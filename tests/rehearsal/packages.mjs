// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * For node --import: makes the npm packages of package.json importable from the
 * directory VMTEST_REHEARSAL_PACKAGES (tests/fixtures/rehearsal.py makes it).
 *
 * Two things need module hooks, which this file is, too, in a thread of Node's.
 * Bare names ("@actions/expressions") in our own files are looked up in another
 * directory. And @actions/workflow-parser imports its schemas, which are JSON,
 * without an import attribute, as bundlers take it: they are modules here.
 */

import { readFile } from "node:fs/promises";
import { register } from "node:module";
import { pathToFileURL } from "node:url";
import { isMainThread } from "node:worker_threads";

const ours = new URL("./", import.meta.url).href;
const packages = process.env.VMTEST_REHEARSAL_PACKAGES;
const parentURL = pathToFileURL(`${packages}/package.json`).href;

if (isMainThread) register(import.meta.url);

export function resolve(specifier, context, next) {
  const bare = !/^([./]|[a-z]+:)/.test(specifier);
  if (bare && context.parentURL?.startsWith(ours))
    return next(specifier, { ...context, parentURL });
  return next(specifier, context);
}

export async function load(url, context, next) {
  if (!url.endsWith(".json")) return next(url, context);
  const text = await readFile(new URL(url), "utf8");
  const source = `export default ${text}`;
  return { format: "module", shortCircuit: true, source };
}
