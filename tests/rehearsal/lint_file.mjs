// SPDX-License-Identifier: LGPL-2.1-or-later
/** All that is wrong with a workflow or an action, as lines. */

import path from "node:path";

import { readAction } from "./action_file.mjs";
import { actionlint } from "./actionlint.mjs";
import { violations } from "./policy.mjs";
import { InvalidFile, readWorkflow } from "./workflow.mjs";

const ACTIONS = ["action.yml", "action.yaml"];

export async function lintFile(file) {
  try {
    if (ACTIONS.includes(path.basename(file)))
      return violations(readAction(file, file));
    const workflow = await readWorkflow(file, file);
    const complaints = await actionlint(file, workflow.content);
    return [...complaints, ...violations(workflow)];
  } catch (error) {
    if (!(error instanceof InvalidFile)) throw error;
    return error.errors;
  }
}
