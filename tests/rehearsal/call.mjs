// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * A workflow that runs: the one of the run, or a reusable one that a job calls.
 * Here jobs wait for what they need, are skipped or spread over their matrix,
 * and their results are put together.
 */

import {
  TemplateError,
  evaluateCondition,
  evaluateText,
  evaluateTexts,
  evaluateToken,
  textFunction,
  toData,
} from "./expressions.mjs";
import { callInputs } from "./inputs.mjs";
import { Job } from "./job.mjs";
import { matrixSuffix } from "./matrix.mjs";
import { MatrixRun, combineResults, readStrategy } from "./matrix_run.mjs";
import { jobPermissions } from "./permissions.mjs";

/** `concurrency` as {group, cancel_in_progress}; null where there is none. */
export function readConcurrency(token, scope) {
  if (!token) return null;
  const value = evaluateToken(token, scope);
  if (typeof value === "string")
    return { group: value, cancel_in_progress: false };
  return {
    group: String(value.group),
    cancel_in_progress: value["cancel-in-progress"] ?? false,
  };
}

/** Of a job that was never spread; what its name says of one is empty. */
const NO_MATRIX = { matrix: null, strategy: {} };

export class Call {
  /**
   * @param run the Run.
   * @param workflow from workflow.mjs.
   * @param facts inputs, secrets, permissions (of the calling job, or
   *   undefined), prefix for the names of jobs, rootName and workflowFacts.
   */
  constructor(run, workflow, facts) {
    this.run = run;
    this.workflow = workflow;
    Object.assign(this, facts);
    this.cancelled = false;
    this.results = new Map();
    const granted = jobPermissions(workflow, {}, this.permissions);
    this.token = run.token({ permissions: granted, number: 0 });
  }

  #promises = new Map();
  #running = new Set();

  cancel() {
    this.cancelled = true;
    for (const each of this.#running) each.cancel();
  }

  /** Run a Job or a Call, which is in the set, and can be cancelled, meanwhile. */
  async follow(work, running) {
    for (const each of [running, this.#running]) each.add(work);
    await work.start();
    for (const each of [running, this.#running]) each.delete(work);
  }

  /** Run all jobs; returns the conclusion. */
  async execute() {
    for (const id of this.workflow.jobs.keys()) this.#start(id);
    await Promise.all(this.#promises.values());
    const results = [...this.results.values()].map(({ result }) => result);
    return this.cancelled && !results.includes("failure")
      ? "cancelled"
      : combineResults(results);
  }

  #start(id) {
    if (!this.#promises.has(id)) {
      const definition = this.workflow.jobs.get(id);
      const needs = definition.needs.map((need) => this.#start(need));
      const promise = Promise.all(needs).then(async () => {
        this.results.set(id, await this.#runDefinition(definition));
      });
      this.#promises.set(id, promise);
    }
    return this.#promises.get(id);
  }

  #ancestors(definition) {
    const result = new Set();
    const visit = (id) => {
      if (result.has(id)) return;
      result.add(id);
      this.workflow.jobs.get(id).needs.forEach(visit);
    };
    definition.needs.forEach(visit);
    return [...result];
  }

  /** What a definition's own keys see; `extra` has matrix and strategy. */
  scope(definition, extra = {}) {
    const needs = {};
    for (const id of definition?.needs ?? []) {
      const { result, outputs } = this.results.get(id);
      needs[id] = { result, outputs };
    }
    return {
      contexts: {
        github: {
          ...this.run.github,
          workflow: this.rootName,
          token: this.token,
        },
        inputs: this.inputs,
        vars: this.run.settings.vars,
        needs,
        ...extra,
      },
      functions: [],
    };
  }

  /** With the status functions, which look at all ancestors. */
  #conditionScope(definition) {
    const ancestors = this.#ancestors(definition);
    const results = (names) =>
      (names.length ? names : ancestors).map(
        (id) => this.results.get(id)?.result ?? "skipped",
      );
    const many = Number.MAX_SAFE_INTEGER;
    const boolean = (name, maxArgs, call) =>
      textFunction(name, 0, maxArgs, (...names) => toData(call(names)));
    return {
      ...this.scope(definition),
      functions: [
        boolean("always", 0, () => true),
        boolean("cancelled", 0, () => this.cancelled),
        boolean(
          "success",
          many,
          (names) =>
            !this.cancelled &&
            results(names).every((each) => each === "success"),
        ),
        boolean(
          "failure",
          many,
          (names) => !this.cancelled && results(names).includes("failure"),
        ),
      ],
    };
  }

  /** The name of a job with these values of a matrix. */
  jobName({ id, name: token }, values, scope) {
    const name = token && evaluateText(token, scope);
    const whole = name && token.isExpression;
    return this.prefix + (name || id) + (whole ? "" : matrixSuffix(values));
  }

  /** Returns {result, outputs} for `needs`. */
  async #runDefinition(definition) {
    const failed = (error, where) => {
      if (!(error instanceof TemplateError)) throw error;
      const message = `Error when evaluating '${where}' for job '${definition.id}'. ${this.workflow.path}: ${error.message}`;
      this.recordUnstarted(definition, NO_MATRIX, "failure", message);
      return { result: "failure", outputs: {} };
    };
    try {
      if (!evaluateCondition(definition.if, this.#conditionScope(definition))) {
        const result = this.cancelled ? "cancelled" : "skipped";
        this.recordUnstarted(definition, NO_MATRIX, result);
        return { result, outputs: {} };
      }
    } catch (error) {
      return failed(error, "if");
    }
    let strategy;
    try {
      strategy = readStrategy(definition, this.scope(definition));
    } catch (error) {
      return failed(error, "strategy");
    }
    return new MatrixRun(this, definition, strategy).execute();
  }

  /** Keep what is to know of a job that never got a machine. */
  recordUnstarted(definition, facts, conclusion, error) {
    const { id } = definition;
    const { matrix } = facts;
    let name;
    try {
      const scope = this.scope(definition, facts);
      name = this.jobName(definition, matrix ?? {}, scope);
    } catch (reason) {
      // The name may be what was wrong.
      if (!(reason instanceof TemplateError)) throw reason;
      name = this.prefix + id;
    }
    this.run.result.addUnstarted({ id, name, matrix, conclusion, error });
  }

  /** A Job, or a Call of a reusable workflow, ready to start. */
  async prepare(definition, facts, scope) {
    const name = this.jobName(definition, facts.matrix ?? {}, scope);
    const permissions = jobPermissions(
      this.workflow,
      definition,
      this.permissions,
    );
    if (definition.uses)
      return this.#prepareCall(definition, name, permissions, scope);
    return new Job(this.run, this, definition, {
      ...facts,
      name,
      permissions,
      id: definition.id,
      needs: scope.contexts.needs,
      number: this.run.nextJobNumber(),
      concurrency: readConcurrency(definition.concurrency, scope),
    });
  }

  /** A job that calls a reusable workflow. */
  async #prepareCall(definition, name, permissions, scope) {
    const workflow = await this.run.repositories.workflow(definition.uses);
    const { inputs, secrets, outputs } = workflow.events.workflow_call;
    const given = definition.with ? evaluateToken(definition.with, scope) : {};
    const call = new Call(this.run, workflow, {
      inputs: callInputs(inputs ?? {}, given, scope),
      secrets: this.#passSecrets(definition, secrets ?? {}, scope),
      permissions,
      prefix: `${name} / `,
      rootName: this.rootName,
      workflowFacts: this.run.repositories.facts(definition.uses, workflow),
    });
    call.outputs = {};
    call.start = async () => {
      call.conclusion = await call.execute();
      const jobs = Object.fromEntries(call.results);
      const within = {
        contexts: { ...call.scope().contexts, jobs },
        functions: [],
      };
      for (const [key, token] of Object.entries(outputs ?? {}))
        call.outputs[key] = evaluateText(token.find("value"), within);
    };
    return call;
  }

  #passSecrets(definition, wanted, scope) {
    const { secrets } = definition;
    if (secrets?.toString() === "inherit") return this.secrets;
    const within = {
      contexts: {
        ...scope.contexts,
        secrets: { ...this.secrets, GITHUB_TOKEN: this.token },
      },
      functions: [],
    };
    const given = evaluateTexts(secrets, within);
    for (const name of Object.keys(given))
      if (!(name in wanted))
        throw new TemplateError(`secret '${name}' is not defined`, secrets);
    for (const [name, { required }] of Object.entries(wanted))
      if (required && !given[name])
        throw new TemplateError(
          `secret '${name}' is required`,
          definition.token,
        );
    return given;
  }
}
