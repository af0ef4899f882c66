// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * A job definition while it runs: all jobs that its matrix makes of it, so many
 * at once as it allows, until one fails.
 */

import { TemplateError, evaluateToken, evaluateTyped } from "./expressions.mjs";
import { expandMatrix } from "./matrix.mjs";

/** The result of several jobs as one. */
export function combineResults(results) {
  for (const each of ["failure", "cancelled", "success"])
    if (results.includes(each)) return each;
  return "skipped";
}

/** `strategy` as {jobs, failFast, maxParallel}. Throws TemplateError. */
export function readStrategy({ strategy: token }, scope) {
  const given = token ? evaluateToken(token, scope) : {};
  const jobs = expandMatrix(given.matrix);
  const {
    "fail-fast": failFast = true,
    "max-parallel": maxParallel = jobs.length,
  } = given;
  if (typeof failFast !== "boolean")
    throw new TemplateError(`fail-fast: '${failFast}' is no boolean`, token);
  if (!(Number.isInteger(maxParallel) && maxParallel > 0))
    throw new TemplateError(
      `max-parallel: '${maxParallel}' is no positive number`,
      token,
    );
  return { jobs, failFast, maxParallel };
}

export class MatrixRun {
  /** @param call the Call that the definition is in. */
  constructor(call, definition, strategy) {
    this.#call = call;
    this.#definition = definition;
    this.#strategy = strategy;
    // A job that is to run when all else was cancelled runs whole.
    this.#wasCancelled = call.cancelled;
  }

  #call;
  #definition;
  #strategy;
  #wasCancelled;
  #failedFast = false;
  #running = new Set();
  #results = [];
  #outputs = {};

  /** Run all; returns {result, outputs} for `needs`. */
  async execute() {
    const { jobs, maxParallel } = this.#strategy;
    const waiting = jobs.map((values, index) => ({ values, index }));
    const worker = async () => {
      while (waiting.length) {
        const { values, index } = waiting.shift();
        await this.#runOne(values, index);
      }
    };
    const workers = Math.min(maxParallel, jobs.length);
    await Promise.all(Array.from({ length: workers }, worker));
    return { result: combineResults(this.#results), outputs: this.#outputs };
  }

  async #runOne(values, index) {
    const { jobs, failFast, maxParallel } = this.#strategy;
    const matrix = this.#definition.strategy ? values : null;
    const facts = {
      matrix,
      strategy: {
        "fail-fast": failFast,
        "job-index": index,
        "job-total": jobs.length,
        "max-parallel": maxParallel,
      },
    };
    const scope = this.#call.scope(this.#definition, facts);
    const unstarted = (conclusion, error) => {
      this.#results.push(conclusion);
      this.#call.recordUnstarted(this.#definition, facts, conclusion, error);
    };
    if (this.#failedFast || (this.#call.cancelled && !this.#wasCancelled))
      return unstarted("cancelled");
    let forgiven;
    let work;
    try {
      const { continueOnError } = this.#definition;
      forgiven = evaluateTyped(continueOnError, scope, "boolean", false);
      work = await this.#call.prepare(this.#definition, facts, scope);
    } catch (error) {
      if (!(error instanceof TemplateError)) throw error;
      return unstarted("failure", error.message);
    }
    await this.#call.follow(work, this.#running);
    const failed = work.conclusion === "failure" && !forgiven;
    this.#results.push(
      work.conclusion === "failure" && forgiven ? "success" : work.conclusion,
    );
    // The last one to end that has a value wins.
    for (const [key, value] of Object.entries(work.outputs))
      if (value !== "" || !(key in this.#outputs)) this.#outputs[key] = value;
    if (failed && failFast) {
      this.#failedFast = true;
      for (const each of this.#running) each.cancel();
    }
  }
}
