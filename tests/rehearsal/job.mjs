// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * One job on its machine: fresh folders, the contexts, its steps in order, the
 * steps that actions leave for the end, and its outputs.
 */

import { mkdirSync, writeFileSync, appendFileSync } from "node:fs";
import path from "node:path";

import { jobScope, stepScope } from "./contexts.mjs";
import {
  TemplateError,
  evaluateTexts,
  evaluateToken,
  evaluateTyped,
} from "./expressions.mjs";
import { killMarked } from "./shell.mjs";
import { Step } from "./step.mjs";
import { Masks } from "./workflow_commands.mjs";

/** Of a job's outputs, at two bytes a character as GitHub counts them. */
const MAX_OUTPUTS = 1024 * 1024;

/** GitHub's default, and what a hosted runner allows. */
const TIMEOUT_MINUTES = 360;

export class Job {
  /**
   * @param run the Run, for settings, stores and the github context.
   * @param call the workflow it is in, with its inputs, secrets and permissions.
   * @param definition from workflow.mjs.
   * @param facts name, matrix, strategy, needs, permissions, number.
   */
  constructor(run, call, definition, facts) {
    this.run = run;
    this.call = call;
    this.definition = definition;
    Object.assign(this, facts);
    this.masks = new Masks();
    this.env = {};
    this.path = [];
    this.steps = [];
    this.outputs = {};
    this.artifacts = [];
    this.annotations = [];
    this.cancelled = false;
    this.timedOut = false;
    this.conclusion = null;
    this.token = run.token(this);
    this.secrets = { ...call.secrets, GITHUB_TOKEN: this.token };
    for (const secret of Object.values(this.secrets)) this.masks.add(secret);
  }

  #stepNumber = 0;
  #posts = [];
  #onCancel = new Set();

  nextStepNumber() {
    return ++this.#stepNumber;
  }

  /** Call a function if the job is cancelled while it matters. */
  onCancel(call) {
    this.#onCancel.add(call);
    return () => this.#onCancel.delete(call);
  }

  /** End the step that runs; later ones see cancelled(). */
  cancel() {
    if (this.conclusion || this.cancelled) return;
    this.cancelled = true;
    for (const call of this.#onCancel) call();
  }

  /** Let an action do something at the end of the job, if it succeeds. */
  addPost(step, call) {
    this.#posts.push({ step, call });
  }

  #makeFolders() {
    const slug = this.name
      .replace(/[^A-Za-z0-9.]+/g, "-")
      .replace(/^-|-$/g, "");
    const number = String(this.number).padStart(3, "0");
    const root = path.join(
      this.run.out,
      "jobs",
      `${number}-${slug.slice(0, 80)}`,
    );
    const [, repository] = this.run.github.repository.split("/");
    const folders = {
      root,
      home: this.run.settings.home ?? path.join(root, "home"),
      temp: path.join(root, "work", "_temp"),
      tools: path.join(root, "work", "_tool"),
      actions: path.join(root, "work", "_actions"),
      workspace: path.join(root, "work", repository, repository),
    };
    for (const folder of Object.values(folders))
      mkdirSync(folder, { recursive: true });
    this.folders = folders;
    this.logFile = path.join(root, "log.txt");
    writeFileSync(this.logFile, "");
    this.eventFile = path.join(folders.temp, "_github_workflow_event.json");
    writeFileSync(
      this.eventFile,
      JSON.stringify(this.run.github.event, null, 2),
    );
  }

  writeLog(line) {
    appendFileSync(this.logFile, `${line}\n`);
  }

  /** Run on the next free machine; the conclusion tells how it went. */
  start() {
    return this.run.machines.use(async () => {
      if (this.cancelled) {
        this.conclusion = "cancelled";
        this.run.result.addUnstarted(this);
        return;
      }
      this.run.say(`${this.name}: started`);
      await this.#execute();
      this.run.result.addJob(this);
    });
  }

  async #execute() {
    this.started = Date.now();
    this.#makeFolders();
    const { definition } = this;
    this.frame = {
      steps: {},
      inputs: this.call.inputs,
      secrets: this.secrets,
      env: {},
      failed: false,
      defaults: { ...this.call.workflow.defaults, ...definition.defaults },
      actionPath: null,
      parent: null,
      stop: null,
    };
    let timer;
    try {
      this.#prepare();
      const minutes = evaluateTyped(
        definition.timeoutMinutes,
        jobScope(this),
        "number",
        TIMEOUT_MINUTES,
      );
      timer = setTimeout(
        () => {
          this.timedOut = true;
          this.annotate(
            "error",
            `The job has exceeded the maximum execution time of ${minutes} minutes.`,
          );
          this.cancel();
        },
        Math.min(minutes * this.run.settings.minuteMs, 2 ** 31 - 1),
      );
      await this.#runSteps(this.frame, definition.steps);
      await this.#runPosts();
      if (!this.cancelled) this.#setOutputs();
    } catch (error) {
      if (!(error instanceof TemplateError)) throw error;
      this.annotate("error", error.message);
      this.frame.failed = true;
    } finally {
      clearTimeout(timer);
    }
    killMarked(`RUNNER_TRACKING_ID=${this.trackingId}`);
    this.ended = Date.now();
    this.conclusion = this.status;
  }

  #prepare() {
    const scope = jobScope(this);
    Object.assign(
      this.env,
      evaluateTexts(this.call.workflow.env, scope),
      evaluateTexts(this.definition.env, scope),
    );
    for (const name of ["container", "services"])
      if (this.definition[name])
        throw new TemplateError(
          `'${name}' cannot be rehearsed`,
          this.definition[name],
        );
    const { runsOn, environment } = this.definition;
    this.runsOn = evaluateToken(runsOn, scope);
    this.environment = environment && evaluateToken(environment, scope);
  }

  /** Steps of the job, or of a composite action in it. */
  async #runSteps(frame, definitions) {
    for (const definition of definitions) {
      // The step that they are inside of took too long.
      if (frame.stop?.aborted && !this.cancelled) return;
      await new Step(this, frame, definition).run();
    }
  }

  /** The same for an action; tells whether they went well. */
  async runFrame(frame, definitions) {
    await this.#runSteps(frame, definitions);
    return !frame.failed;
  }

  async #runPosts() {
    for (const { step, call } of this.#posts.reverse()) {
      if (this.status !== "success") return;
      this.writeLog(`##[group]Post ${step.name}`);
      try {
        await call();
      } catch (error) {
        if (error instanceof TypeError) throw error;
        this.annotate("error", error.message);
        this.frame.failed = true;
      }
      this.writeLog("##[endgroup]");
    }
  }

  #setOutputs() {
    let size = 0;
    const { outputs } = this.definition;
    const scope = stepScope(this, this.frame, {});
    for (const [name, value] of Object.entries(evaluateTexts(outputs, scope))) {
      size += 2 * value.length;
      if (this.masks.isIn(value)) {
        this.annotate(
          "warning",
          `Skip output '${name}' since it may contain secret.`,
        );
        continue;
      }
      this.outputs[name] = value;
    }
    if (size > MAX_OUTPUTS)
      throw new TemplateError(
        `The job's outputs have ${size} bytes, more than ${MAX_OUTPUTS}`,
        outputs,
      );
  }

  annotate(level, message) {
    this.annotations.push({ level, message: this.masks.hide(message) });
    this.writeLog(this.masks.hide(`##[${level}]${message}`));
  }

  /** Keep what a step did. */
  record(step, lines) {
    const log = path.join(this.folders.root, `step-${step.number}.log`);
    writeFileSync(log, lines.map((line) => `${line}\n`).join(""));
    const record = {
      number: step.number,
      name: this.masks.hide(step.name),
      ...(step.definition.id && { id: step.definition.id }),
      ...(step.definition.uses && { uses: step.definition.uses }),
      ...(step.command && {
        command: step.command,
        script: this.masks.hide(step.script),
      }),
      outcome: step.outcome,
      conclusion: step.conclusion,
      outputs: step.outputs,
      annotations: step.commands.annotations,
      summary: step.summary,
      log,
      milliseconds: step.ended - step.started,
    };
    const { parent } = step.frame;
    if (!parent) {
      this.steps.push({ ...record, steps: step.inner ?? [] });
      return;
    }
    (parent.inner ??= []).push(record);
    parent.addSummary(step.summary);
  }

  /** success, failure or cancelled, as things stand. */
  get status() {
    if (this.cancelled) return "cancelled";
    return this.frame.failed ? "failure" : "success";
  }

  /** A variable by which its processes are known. */
  get trackingId() {
    return `github_${this.run.id}_${this.number}`;
  }
}
