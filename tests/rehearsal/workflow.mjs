// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * A workflow or an action as data, whose expressions are evaluated when they
 * are needed. What GitHub knows and a rehearsal does not is refused here, by
 * its name and before anything runs.
 */

import { convertToIfCondition } from "@actions/workflow-parser/model/converter/if-condition";
import { TemplateToken } from "@actions/workflow-parser/templates/tokens/template-token";
import {
  isBasicExpression,
  isMapping,
  isSequence,
} from "@actions/workflow-parser/templates/tokens/type-guards";
import { TokenType } from "@actions/workflow-parser/templates/tokens/types";

import { checkExpression } from "./expressions.mjs";
import { Failure } from "./failure.mjs";
import { fields, items, parseFile } from "./parser.mjs";

/**
 * Keys by what has them. A run is alone and its jobs are in a row: that keeps
 * any `concurrency` and `max-parallel`. Time is limited by who rehearses.
 */
const KEYS = {
  "a workflow": "concurrency defaults env jobs name on permissions run-name",
  "'defaults'": "run",
  "'defaults.run'": "shell",
  "'permissions'": "attestations contents id-token issues",
  "an input": "default description required type",
  "a job":
    "env if name needs outputs permissions runs-on steps strategy timeout-minutes uses with",
  "'strategy'": "fail-fast matrix max-parallel",
  "a step":
    "continue-on-error env id if name run shell uses with working-directory",
  "an action": "description inputs name outputs runs",
  "'runs'": "steps using",
  "an output": "description value",
  "an action's input": "default description required",
  "a secret": "description required",
  // Events.
  "'on.pull_request'": "paths",
  "'on.push'": "",
  "'on.schedule'": "",
  "'on.workflow_call'": "inputs outputs secrets",
  "'on.workflow_dispatch'": "inputs",
};

/** Values that are known of keys that may have others. */
const VALUES = {
  "'continue-on-error'": ["true"],
  "'fail-fast'": ["false"],
  "'on'": ["pull_request", "push", "schedule", "workflow_call", "workflow_dispatch"],
  "'runs-on'": ["ubuntu-24.04"],
  "'shell'": ["bash"],
  "an input's type": ["boolean", "number", "string"],
  "an action's 'using'": ["composite"],
};

/** Refuse a name that is not among those that are known. */
function check(what, name, list, token) {
  if (!list.includes(name))
    throw new Failure(
      `${what}: '${name}' is not known to rehearsals; known: ${list.join(", ")}`,
      token,
    );
}

/** The text of a token that has to be one of the known values, or an expression. */
function checkValue(what, token, parent) {
  if (token && isBasicExpression(token)) return token.toString();
  check(what, token?.toString(), VALUES[what], token ?? parent);
  return token.toString();
}

/** The values of a mapping by key, all of which are known. */
function take(what, token) {
  if (!token || token.templateTokenType === TokenType.Null) return {};
  if (!isMapping(token))
    throw new Failure(`${what}: rehearsals know a mapping only`, token);
  for (const { key } of token)
    check(what, key.toString(), KEYS[what].split(" "), key);
  return fields(token);
}

function mapValues(object, convert) {
  return Object.fromEntries(
    Object.entries(object).map(([key, value]) => [key, convert(value)]),
  );
}

/** Of the whole file, whatever it belongs to. */
function checkExpressions(root) {
  for (const [, token] of TemplateToken.traverse(root)) {
    if (token.templateTokenType === TokenType.InsertExpression)
      throw new Failure("rehearsals know no '${{ insert }}'", token);
    if (!isBasicExpression(token)) continue;
    const { start, end } = token.range;
    // GitHub's parser for editors takes the indentation for a part of it.
    if (start.line !== end.line)
      throw new Failure("an expression in a value of several lines", token);
    checkExpression(token.expression, token);
  }
}

function readCondition(context, token) {
  if (!token) return { expression: "success()" };
  const condition = convertToIfCondition(context, token);
  checkExpression(condition.expression, token);
  return condition;
}

/** @param shell of `defaults`, if there is one. */
function readStep(context, token, knows, shell) {
  const step = take("a step", token);
  const uses = step.uses?.toString();
  if (uses && !/^[.$]\//.test(uses) && !knows(uses))
    throw new Failure(`the action ${uses} is not known to rehearsals`, token);
  if (step.run) checkValue("'shell'", step.shell ?? shell, token);
  const goesOn = step["continue-on-error"];
  if (goesOn) checkValue("'continue-on-error'", goesOn, token);
  return {
    id: step.id?.toString(),
    name: step.name,
    if: readCondition(context, step.if),
    run: step.run,
    uses,
    with: step.with,
    env: step.env,
    goesOn: goesOn !== undefined,
    directory: step["working-directory"],
  };
}

/** As an object of scope and level, or undefined. */
function readPermissions(token) {
  return token && mapValues(take("'permissions'", token), String);
}

function readJob(context, id, token, knows, shell) {
  const job = take("a job", token);
  const strategy = take("'strategy'", job.strategy);
  if (!job.uses) checkValue("'runs-on'", job["runs-on"], token);
  if (job.strategy && !(job.name && isBasicExpression(job.name)))
    throw new Failure("rehearsals know no matrix without an own 'name'", token);
  if (job.strategy) checkValue("'fail-fast'", strategy["fail-fast"], token);
  return {
    id,
    name: job.name,
    needs: items(job.needs).map(String),
    if: readCondition(context, job.if),
    matrix: strategy.matrix,
    permissions: readPermissions(job.permissions),
    env: job.env,
    outputs: job.outputs,
    steps: items(job.steps).map((each) =>
      readStep(context, each, knows, shell),
    ),
    uses: job.uses?.toString(),
    with: job.with,
  };
}

function readInput(token) {
  const input = take("an input", token);
  const type = checkValue("an input's type", input.type, token);
  const required = `${input.required ?? false}` === "true";
  return { type, default: input.default, required };
}

function readValue(token) {
  return take("an output", token).value;
}

/** Undefined for one that must be given. */
function readDefault(token) {
  return take("an action's input", token).default;
}

/** Events by name, each with `inputs`. */
function readEvents(token) {
  const list = isMapping(token)
    ? [...token].map(({ key, value }) => [key, value])
    : items(token).map((name) => [name, undefined]);
  const events = list.map(([key, event]) => {
    const name = checkValue("'on'", key);
    const more = event && isSequence(event) ? undefined : event;
    const { inputs, outputs, secrets } = take(`'on.${name}'`, more);
    for (const secret of Object.values(fields(secrets))) take("a secret", secret);
    return [
      name,
      {
        inputs: mapValues(fields(inputs), readInput),
        outputs: mapValues(fields(outputs), readValue),
      },
    ];
  });
  return Object.fromEntries(events);
}

/** Read with a function that throws Failure without the name of the file. */
async function read(kind, file, name, convert) {
  const { context, root } = await parseFile(kind, file, name);
  try {
    checkExpressions(root);
    return convert(context, root);
  } catch (error) {
    if (error instanceof Failure) error.message = `${name}: ${error.message}`;
    throw error;
  }
}

/**
 * Read a workflow. Throws Failure.
 *
 * @param name its path in the repository.
 * @param knows tells whether there is an action that a `uses` names.
 */
export function readWorkflow(file, name, knows) {
  return read("workflow", file, name, (context, token) => {
    const root = take("a workflow", token);
    const { run } = take("'defaults'", root.defaults);
    const { shell } = take("'defaults.run'", run);
    return {
      path: name,
      runName: root["run-name"],
      group: fields(root.concurrency).group,
      events: readEvents(root.on),
      permissions: readPermissions(root.permissions),
      env: root.env,
      jobs: Object.entries(fields(root.jobs)).map(([id, job]) =>
        readJob(context, id, job, knows, shell),
      ),
    };
  });
}

/** Read an action, which has to be a composite one. Throws Failure. */
export function readAction(file, name, knows) {
  return read("action", file, name, (context, token) => {
    const root = take("an action", token);
    checkValue("an action's 'using'", fields(root.runs).using, token);
    const { steps } = take("'runs'", root.runs);
    return {
      inputs: mapValues(fields(root.inputs), readDefault),
      outputs: mapValues(fields(root.outputs), readValue),
      steps: items(steps).map((step) => readStep(context, step, knows)),
    };
  });
}

/** The parts of a `uses` such as `owner/name/path@commit`. */
export function splitReference(uses) {
  const [name, commit] = uses.split("@");
  const [owner, repository, ...rest] = name.split("/");
  const path = rest.join("/");
  return { repository: `${owner}/${repository}`, path, commit };
}
