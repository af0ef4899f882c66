// SPDX-License-Identifier: LGPL-2.1-or-later
/** One job: fresh directories, its steps in order, and its outputs. */

import { appendFileSync, mkdirSync } from "node:fs";
import path from "node:path";

import { Masks } from "./commands.mjs";
import { evaluateTexts } from "./expressions.mjs";
import { Failure } from "./failure.mjs";
import { runSteps, stepScope } from "./step.mjs";

/** For steps that always run, once the job's time is over. */
const EXTRA_MS = 5 * 60 * 1000;

export class Job {
  /**
   * @param call the workflow that it is of.
   * @param definition of workflow.mjs.
   * @param facts name, matrix, permissions, and the scope of its own keys.
   */
  constructor(call, definition, facts) {
    this.call = call;
    this.run = call.run;
    this.definition = definition;
    Object.assign(this, facts);
    this.token = this.run.token(this.permissions);
    this.masks = new Masks();
    this.masks.add(this.token);
    this.env = {};
    this.path = [];
    this.outputs = {};
    this.annotations = [];
    this.cancelled = false;
    this.deadline = Date.now() + definition.minutes * 60 * 1000;
    this.directories = this.#makeDirectories();
    this.log = path.join(this.directories.root, "log.txt");
    const { inputs } = call;
    this.frame = { steps: {}, inputs, env: {}, failed: false, records: [] };
  }

  #makeDirectories() {
    const slug = this.name.replace(/[^A-Za-z0-9.]+/g, "-").slice(0, 80);
    const number = this.run.jobs.length + 1;
    const root = path.join(this.run.scenario.out, "jobs", `${number}-${slug}`);
    const [, repository] = this.run.github.repository.split("/");
    const directories = {
      root,
      home: this.run.scenario.home,
      temp: path.join(root, "work/_temp"),
      actions: path.join(root, "work/_actions"),
      workspace: path.join(root, "work", repository),
    };
    for (const directory of Object.values(directories))
      mkdirSync(directory, { recursive: true });
    return directories;
  }

  /** success, failure or cancelled, as things stand. */
  get status() {
    if (this.cancelled) return "cancelled";
    return this.frame.failed ? "failure" : "success";
  }

  async execute() {
    const { definition, frame, scope } = this;
    try {
      const { env } = this.call.workflow;
      Object.assign(this.env, evaluateTexts(env, scope));
      Object.assign(this.env, evaluateTexts(definition.env, scope));
      await runSteps(this, frame, definition.steps);
      this.outputs = evaluateTexts(definition.outputs, stepScope(this, frame));
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      this.annotate(error.message);
      frame.failed = true;
    }
  }

  /** What a step may still take. */
  get timeLeft() {
    return this.cancelled ? EXTRA_MS : Math.max(this.deadline - Date.now(), 1);
  }

  /** End it, as its time is over; steps that always run still do. */
  expire() {
    this.cancelled = true;
    const { minutes } = this.definition;
    this.annotate(
      `The job has exceeded the maximum execution time of ${minutes} minutes.`,
    );
  }

  write(text) {
    appendFileSync(this.log, `${this.masks.hide(text)}\n`);
  }

  annotate(message, level = "error") {
    this.annotations.push({ level, message: this.masks.hide(message) });
    this.write(`##[${level}]${message}`);
  }

  /** What the result says of it. */
  record() {
    const { name, status, annotations, outputs, log, frame } = this;
    const facts = { name, conclusion: status, annotations, outputs, log };
    return { id: this.definition.id, ...facts, steps: frame.records };
  }
}
