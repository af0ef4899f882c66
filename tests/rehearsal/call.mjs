// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * A workflow that runs: the one of the run, or a reusable one that a job calls.
 * Its jobs run one after another, each after those that it needs.
 */

import {
  evaluate,
  evaluateCondition,
  evaluateText,
  Known,
} from "./expressions.mjs";
import { Failure } from "./failure.mjs";
import { Job } from "./job.mjs";

/** What a new repository's workflows may do that do not ask. */
const PERMISSIONS = { contents: "read" };

/** GitHub's limit for a matrix. */
const MAX_JOBS = 256;

/** What an input is that was not given and has no default. */
const EMPTY = { boolean: false, number: 0, string: "" };

/** Whether a token with these permissions may do this. */
export function allows(permissions, scope, level) {
  const levels = ["none", "read", "write"];
  return levels.indexOf(permissions[scope] ?? "none") >= levels.indexOf(level);
}

/** What is given to a workflow, with defaults, and of its type. */
export function readInputs(definitions, given, scope) {
  for (const name of Object.keys(given))
    if (!(name in definitions))
      throw new Failure(`the input '${name}' is not defined`);
  const inputs = {};
  for (const [name, definition] of Object.entries(definitions)) {
    const { type, default: token, required } = definition;
    if (required && given[name] === undefined)
      throw new Failure(`the input '${name}' is required`);
    const otherwise = token ? evaluate(token, scope) : EMPTY[type];
    inputs[name] = given[name] ?? otherwise;
    if (typeof inputs[name] !== type)
      throw new Failure(
        `the input '${name}': ${JSON.stringify(inputs[name])} is no ${type}`,
      );
  }
  return inputs;
}

/**
 * The values of each job of a matrix; without one, a job without values. Only
 * an `include` is known here, which is a list of jobs by itself.
 */
function expandMatrix(token, scope) {
  if (!token) return [undefined];
  const { include, ...rest } = evaluate(token, scope);
  const refuse = (reason) => {
    throw new Failure(`matrix: ${reason}`, token);
  };
  for (const name of Object.keys(rest))
    refuse(`'${name}' is not known to rehearsals; known: include`);
  if (!include?.length) refuse("'include' is not a list of jobs");
  if (include.length > MAX_JOBS)
    refuse(`${include.length} jobs are more than ${MAX_JOBS}`);
  return include;
}

/** The result of several jobs as one. */
function combine(results) {
  const worst = ["failure", "success"];
  return worst.find((each) => results.includes(each)) ?? "skipped";
}

export class Call {
  /**
   * @param run the Run.
   * @param workflow of workflow.mjs.
   * @param facts origin {repository, commit}, inputs, permissions of the
   *   calling job, if there is one, and prefix for the names of jobs.
   */
  constructor(run, workflow, facts) {
    this.run = run;
    this.workflow = workflow;
    Object.assign(this, facts);
  }

  #results = {};

  /** Run all jobs; returns the conclusion. */
  async execute() {
    for (const definition of this.workflow.jobs) await this.#follow(definition);
    return combine(Object.values(this.#results).map(({ result }) => result));
  }

  #needed({ needs }) {
    return this.workflow.jobs.filter(({ id }) => needs.includes(id));
  }

  /** Run a job after those that it needs. */
  async #follow(definition) {
    for (const each of this.#needed(definition)) await this.#follow(each);
    this.#results[definition.id] ??= await this.#runDefinition(definition);
  }

  /** The results of all that a job comes after. */
  #before(definition) {
    return this.#needed(definition).flatMap((each) => [
      this.#results[each.id].result,
      ...this.#before(each),
    ]);
  }

  /** What expressions see outside of steps. */
  scope(definition, matrix) {
    const needed = definition ? this.#needed(definition) : [];
    const needs = needed.map(({ id }) => [id, this.#results[id]]);
    return {
      contexts: {
        github: new Known("github", this.run.github),
        inputs: this.inputs,
        vars: {},
        // Of a called workflow, which was not given it.
        secrets: new Known("secrets", { token: "" }),
        needs: Object.fromEntries(needs),
        matrix: matrix ?? null,
      },
    };
  }

  #isWanted(definition) {
    const before = this.#before(definition);
    const status = {
      always: true,
      cancelled: false,
      failure: before.includes("failure"),
      success: before.every((each) => each === "success"),
    };
    const scope = { ...this.scope(definition), status };
    return evaluateCondition(definition.if, scope);
  }

  /** Keep what there is to know of a job that has not run. */
  #recordUnstarted({ id }, conclusion, ...messages) {
    const name = this.prefix + id;
    const annotations = messages.map((text) => {
      return { level: "error", message: `${this.workflow.path}: ${text}` };
    });
    const nothing = { outputs: {}, steps: [], log: null };
    this.run.record({ id, name, conclusion, annotations, ...nothing });
  }

  /** All jobs of a definition; returns {result, outputs} for `needs`. */
  async #runDefinition(definition) {
    const outputs = {};
    const results = [];
    try {
      const wanted = this.#isWanted(definition);
      const scope = this.scope(definition);
      if (!wanted) this.#recordUnstarted(definition, "skipped");
      for (const matrix of wanted ? expandMatrix(definition.matrix, scope) : [])
        results.push(await this.#runOne(definition, matrix, outputs));
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      results.push("failure");
      this.#recordUnstarted(definition, "failure", error.message);
    }
    return { result: combine(results), outputs };
  }

  /** What a job may do; one of a reusable workflow no more than its caller. */
  #permissionsOf({ id, permissions }) {
    const wanted = permissions ?? this.workflow.permissions;
    for (const [scope, level] of Object.entries(wanted ?? {}))
      if (this.permissions && !allows(this.permissions, scope, level))
        throw new Failure(
          `job '${id}' asks for '${scope}: ${level}', which its caller does not have`,
        );
    return wanted ?? this.permissions ?? PERMISSIONS;
  }

  /** One job of a definition; returns its conclusion. */
  async #runOne(definition, matrix, outputs) {
    const scope = this.scope(definition, matrix);
    const { id, name: token } = definition;
    const name = this.prefix + (token ? evaluateText(token, scope) : id);
    const permissions = this.#permissionsOf(definition);
    if (definition.uses)
      return this.#runCall(definition, name, permissions, scope, outputs);
    const job = new Job(this, definition, { name, matrix, permissions, scope });
    await job.execute();
    this.run.record(job.record());
    // The last one that has a value wins.
    for (const [key, value] of Object.entries(job.outputs))
      outputs[key] = value || outputs[key] || "";
    return job.status;
  }

  async #runCall(definition, name, permissions, scope, outputs) {
    const { workflow, origin } = this.run.called[definition.uses];
    const given = definition.with ? evaluate(definition.with, scope) : {};
    const defined = workflow.events.workflow_call;
    const inputs = readInputs(defined.inputs, given, this.scope());
    const facts = { origin, permissions, inputs, prefix: `${name} / ` };
    const call = new Call(this.run, workflow, facts);
    const conclusion = await call.execute();
    const inside = { contexts: { jobs: call.#results } };
    for (const [key, token] of Object.entries(defined.outputs))
      outputs[key] = evaluateText(token, inside);
    return conclusion;
  }
}
