// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * An action.yml of the repository as data: composite ones only, which is what
 * can be run from its text.
 */

import { existsSync, readFileSync } from "node:fs";
import path from "node:path";

import { NoOperationTraceWriter } from "@actions/workflow-parser";
import { parseAction } from "@actions/workflow-parser/actions/action-parser";
import { convertActionTemplate } from "@actions/workflow-parser/actions/action-template";

import { flattenScalars } from "./scalars.mjs";
import { InvalidFile, fields, readStep } from "./workflow.mjs";

/** The action.yml or action.yaml in a folder, or undefined. */
export function actionFile(folder) {
  return ["action.yml", "action.yaml"]
    .map((name) => path.join(folder, name))
    .find((file) => existsSync(file));
}

/** Read an action. `name` is for messages. Throws InvalidFile. */
export function readAction(file, name) {
  const content = readFileSync(file, "utf8");
  const { context, value } = parseAction(
    { name, content: flattenScalars(content) },
    new NoOperationTraceWriter(),
  );
  const refuse = () => {
    const errors = context.errors.getErrors().map((error) => error.message);
    if (errors.length) throw new InvalidFile(errors);
  };
  refuse();
  convertActionTemplate(context, value);
  refuse();
  const root = fields(value);
  const runs = fields(root.runs);
  if (runs.using?.toString() !== "composite")
    throw new InvalidFile([`${name}: not a composite action`]);
  const inputs = {};
  for (const [input, definition] of Object.entries(fields(root.inputs))) {
    const { default: otherwise, required } = fields(definition);
    inputs[input] = { default: otherwise, required: required?.value === true };
  }
  const steps = [...runs.steps].map((token) => readStep(context, token));
  refuse();
  return {
    name,
    path: name,
    content,
    inputs,
    outputs: fields(root.outputs),
    steps,
  };
}
