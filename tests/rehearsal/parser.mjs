// SPDX-License-Identifier: LGPL-2.1-or-later
/** GitHub's own parser: files of workflows and actions as trees of tokens. */

import { readFileSync } from "node:fs";

import {
  NoOperationTraceWriter,
  convertWorkflowTemplate,
  parseWorkflow,
} from "@actions/workflow-parser";
import { parseAction } from "@actions/workflow-parser/actions/action-parser";
import { convertActionTemplate } from "@actions/workflow-parser/actions/action-template";
import {
  isMapping,
  isSequence,
} from "@actions/workflow-parser/templates/tokens/type-guards";

import { Failure } from "./failure.mjs";

const KINDS = {
  action: [parseAction, convertActionTemplate],
  workflow: [parseWorkflow, convertWorkflowTemplate],
};

function refuse(context) {
  // A YAML error goes on with an excerpt.
  const errors = context.errors
    .getErrors()
    .map(({ message }) => message.split("\n")[0].replace(/:$/, ""));
  if (errors.length) throw new Failure(errors.join("\n"));
}

/**
 * Read a file. Throws Failure with a line for each error.
 *
 * @param kind action or workflow.
 * @param name of the file in its repository, for messages.
 */
export async function parseFile(kind, file, name) {
  const [parse, convert] = KINDS[kind];
  const content = readFileSync(file, "utf8");
  const { context, value } = parse(
    { name, content },
    new NoOperationTraceWriter(),
  );
  refuse(context);
  // It judges what the grammar cannot, such as circles of needs.
  await convert(context, value);
  refuse(context);
  return { name, content, context, root: value };
}

/** The values of a mapping by key, as an object; {} for anything else. */
export function fields(token) {
  const result = {};
  if (token && isMapping(token))
    for (const { key, value } of token) result[key.toString()] = value;
  return result;
}

/** A sequence or a single scalar as a list of tokens. */
export function items(token) {
  if (!token) return [];
  return isSequence(token) ? [...token] : [token];
}
