// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * A workflow file as data. GitHub's parser reads and judges it; here its tokens
 * become jobs and steps whose expressions are evaluated later, when they run.
 */

import { readFileSync } from "node:fs";

import {
  NoOperationTraceWriter,
  convertWorkflowTemplate,
  parseWorkflow,
} from "@actions/workflow-parser";
import { convertToIfCondition } from "@actions/workflow-parser/model/converter/if-condition";
import {
  isMapping,
  isSequence,
  isString,
} from "@actions/workflow-parser/templates/tokens/type-guards";

import { flattenScalars } from "./scalars.mjs";

/** GitHub's limit for a workflow file, in bytes. */
const MAX_FILE = 500 * 1024;

/** A workflow or action that GitHub would refuse; `errors` are lines. */
export class InvalidFile extends Error {
  constructor(errors) {
    // A YAML error goes on with an excerpt.
    const lines = errors.map((error) => error.split("\n")[0].replace(/:$/, ""));
    super(lines.join("\n"));
    this.errors = lines;
  }
}

/** The values of a mapping by key, as an object; {} for anything else. */
export function fields(token) {
  const result = {};
  if (token && isMapping(token))
    for (const { key, value } of token) result[key.toString()] = value;
  return result;
}

function texts(token) {
  if (!token) return [];
  if (isSequence(token)) return [...token].map((item) => item.toString());
  return [token.toString()];
}

/** A token as a plain value; expressions are texts. */
export function plain(token) {
  if (!token) return undefined;
  if (isMapping(token))
    return Object.fromEntries(
      [...token].map(({ key, value }) => [key.toString(), plain(value)]),
    );
  if (isSequence(token)) return [...token].map(plain);
  return "value" in token ? token.value : token.toString();
}

/** The condition of a step that has none. */
const SUCCESS = { expression: "success()" };

/** A step of a job or of a composite action. */
export function readStep(context, token) {
  const step = fields(token);
  return {
    id: step.id?.toString(),
    name: step.name,
    if: step.if ? convertToIfCondition(context, step.if) : SUCCESS,
    run: step.run,
    uses: step.uses?.toString(),
    with: step.with,
    env: step.env,
    shell: step.shell,
    workingDirectory: step["working-directory"],
    continueOnError: step["continue-on-error"],
    timeoutMinutes: step["timeout-minutes"],
    line: token.range?.start.line,
    token,
  };
}

function readJob(context, id, token, converted) {
  const job = fields(token);
  return {
    id,
    name: job.name,
    needs: texts(job.needs),
    if: converted.if,
    strategy: job.strategy,
    runsOn: job["runs-on"],
    permissions: job.permissions,
    env: job.env,
    defaults: fields(fields(job.defaults).run),
    outputs: job.outputs,
    concurrency: job.concurrency,
    environment: job.environment,
    container: job.container,
    services: job.services,
    continueOnError: job["continue-on-error"],
    timeoutMinutes: job["timeout-minutes"],
    steps: isSequence(job.steps ?? token)
      ? [...job.steps].map((each) => readStep(context, each))
      : [],
    uses: job.uses?.toString(),
    with: job.with,
    secrets: job.secrets,
    token,
  };
}

function readDefinitions(token) {
  const result = {};
  for (const [name, definition] of Object.entries(fields(token))) {
    const { type, required, options, default: value } = fields(definition);
    result[name] = {
      type: type?.toString() ?? "string",
      required: required?.value === true,
      options: options && texts(options),
      default: value,
    };
  }
  return result;
}

function readEvents(token) {
  if (!isMapping(token))
    return Object.fromEntries(texts(token).map((name) => [name, {}]));
  const result = {};
  for (const [name, event] of Object.entries(fields(token))) {
    const { inputs, outputs, secrets } = fields(event);
    result[name] = {
      inputs: readDefinitions(inputs),
      outputs: fields(outputs),
      secrets: Object.fromEntries(
        Object.entries(fields(secrets)).map(([secret, definition]) => [
          secret,
          { required: fields(definition).required?.value === true },
        ]),
      ),
      crons: isSequence(event)
        ? [...event].map((item) => fields(item).cron.toString())
        : [],
    };
  }
  return result;
}

/**
 * Read a workflow. `name` is its path in the repository, for messages and
 * contexts. Throws InvalidFile.
 */
export async function readWorkflow(file, name) {
  const content = readFileSync(file, "utf8");
  if (Buffer.byteLength(content) > MAX_FILE)
    throw new InvalidFile([`${name}: larger than ${MAX_FILE} bytes`]);
  const { context, value } = parseWorkflow(
    { name, content: flattenScalars(content) },
    new NoOperationTraceWriter(),
  );
  const refuse = () => {
    const errors = context.errors.getErrors().map((error) => error.message);
    if (errors.length) throw new InvalidFile(errors);
  };
  refuse();
  const template = await convertWorkflowTemplate(context, value);
  refuse();

  const root = fields(value);
  const converted = new Map(template.jobs.map((job) => [job.id.value, job]));
  const jobs = new Map(
    Object.entries(fields(root.jobs)).map(([id, token]) => [
      id,
      readJob(context, id, token, converted.get(id)),
    ]),
  );
  refuse();
  return {
    path: name,
    content,
    name: isString(root.name ?? value) ? root.name.toString() : name,
    runName: root["run-name"],
    events: readEvents(root.on),
    permissions: root.permissions,
    env: root.env,
    defaults: fields(fields(root.defaults).run),
    concurrency: root.concurrency,
    jobs,
  };
}
