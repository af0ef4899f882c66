// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * Lints workflows and actions: lint.mjs FILE...
 *
 * GitHub's parser, then actionlint for workflows, then the house's rules. One
 * line a complaint.
 */

import path from "node:path";

import { actionlint } from "./actionlint.mjs";
import { Failure } from "./failure.mjs";
import { parseFile } from "./parser.mjs";
import { violations } from "./policy.mjs";

async function lint(file) {
  const kind = path.basename(file) === "action.yml" ? "action" : "workflow";
  try {
    const parsed = await parseFile(kind, file, file);
    const said = kind === "workflow" ? actionlint(file, parsed.content) : [];
    return [...said, ...violations(parsed)];
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return error.message.split("\n");
  }
}

for (const file of process.argv.slice(2))
  for (const complaint of await lint(file))
    process.stdout.write(`${complaint}\n`);
process.exit(0); // Go's program would wait.
