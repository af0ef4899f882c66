// SPDX-License-Identifier: LGPL-2.1-or-later
/** One job: fresh directories, its steps in order, and its outputs. */

import { appendFileSync, mkdirSync } from "node:fs";
import path from "node:path";

import { Masks } from "./commands.mjs";
import { evaluateTexts } from "./expressions.mjs";
import { Failure } from "./failure.mjs";
import { runSteps, stepScope } from "./step.mjs";

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

  /** success or failure, as things stand. */
  get status() {
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
