// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * One step: its condition, its environment, its script or action, and what it
 * leaves behind.
 *
 * Steps run in a frame: a job's own, or that of a composite action inside it.
 * A frame has `steps` (the context), `inputs`, `env` (on top of the job's),
 * `failed`, `secrets`, `defaults`, `actionPath`, `actionRepository`, `parent`,
 * the step that it runs in, and `stop`, by which that one is ended.
 */

import {
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";

import { runAction } from "./actions.mjs";
import { processEnvironment, stepScope } from "./contexts.mjs";
import {
  evaluateCondition,
  evaluateText,
  evaluateTexts,
  evaluateTyped,
} from "./expressions.mjs";
import { MAX_SUMMARY, parseAssignments, parsePaths } from "./file_commands.mjs";
import { runCommand, scriptExtension, shellCommand } from "./shell.mjs";
import { StepFailure } from "./step_failure.mjs";
import { CommandStream } from "./workflow_commands.mjs";

/** Files that a script may write to, by the variable that names them. */
const FILES = ["OUTPUT", "ENV", "PATH", "STEP_SUMMARY"];

/** What GITHUB_ENV must not set. */
const FORBIDDEN = ["NODE_OPTIONS"];

export class Step {
  /** @param definition from workflow.mjs. */
  constructor(job, frame, definition) {
    this.job = job;
    this.frame = frame;
    this.definition = definition;
    this.number = job.nextStepNumber();
    this.env = frame.env;
    this.outputs = {};
    this.summary = "";
    this.outcome = null;
    this.conclusion = null;
    const effects = {
      setOutput: (name, value) => (this.outputs[name] = value),
      fail: (reason) => this.fail(reason),
    };
    const around = frame.parent?.commands;
    this.commands = new CommandStream(job.masks, effects, around);
    this.#lines = [];
  }

  #lines;
  #failure = null;
  #timedOut = false;

  /** A line for the log, as a step's output would give one. */
  log(text) {
    for (const line of text.split("\n")) {
      const shown = this.commands.line(line);
      if (shown !== undefined) this.#write(shown);
    }
  }

  #write(line) {
    this.#lines.push(line);
    this.job.writeLog(line);
  }

  /** An annotation of the runner's or of an action's. */
  annotate(level, message) {
    this.commands.annotate(level, message);
    this.#write(this.job.masks.hide(`##[${level}]${message}`));
  }

  fail(reason) {
    this.#failure ??= reason;
    this.annotate("error", reason);
  }

  get name() {
    const { name, run, uses } = this.definition;
    if (name) {
      try {
        return evaluateText(name, this.scope());
      } catch {
        return name.toString();
      }
    }
    if (uses) return `Run ${uses}`;
    return `Run ${run.toString().trim().split("\n")[0]}`;
  }

  /** What expressions in this step see. */
  scope() {
    return stepScope(this.job, this.frame, this.env);
  }

  /** Run it, or skip it; returns when it is over. */
  async run() {
    this.started = Date.now();
    this.env = { ...this.frame.env };
    try {
      Object.assign(this.env, evaluateTexts(this.definition.env, this.scope()));
      if (!evaluateCondition(this.definition.if, this.scope()))
        return this.#finish("skipped", "skipped");
    } catch (error) {
      this.fail(error.message);
      return this.#conclude("failure", false);
    }
    this.#write(`##[group]${this.job.masks.hide(this.name)}`);
    const stop = new AbortController();
    const end = () => stop.abort();
    const release = this.job.onCancel(end);
    this.frame.stop?.addEventListener("abort", end);
    let timer;
    let forgiven = false;
    try {
      const { continueOnError, timeoutMinutes } = this.definition;
      const scope = this.scope();
      forgiven = evaluateTyped(continueOnError, scope, "boolean", false);
      const minutes = evaluateTyped(timeoutMinutes, scope, "number", null);
      if (minutes !== null)
        timer = setTimeout(() => {
          this.#timedOut = true;
          this.fail(
            `The action '${this.name}' has timed out after ${minutes} minutes.`,
          );
          stop.abort();
        }, minutes * this.job.run.settings.minuteMs);
      await this.#execute(stop.signal);
    } catch (error) {
      // Those are mistakes of ours.
      if (error instanceof TypeError || error instanceof ReferenceError)
        throw error;
      this.fail(error.message);
    } finally {
      clearTimeout(timer);
      release();
      this.frame.stop?.removeEventListener("abort", end);
      this.#write("##[endgroup]");
    }
    if (stop.signal.aborted && !this.#timedOut)
      return this.#conclude("cancelled", false);
    return this.#conclude(this.#failure ? "failure" : "success", forgiven);
  }

  async #execute(stop) {
    if (this.definition.uses) return runAction(this, stop);
    return this.#runScript(stop);
  }

  async #runScript(stop) {
    const { definition, frame, job } = this;
    const scope = this.scope();
    const script = evaluateText(definition.run, scope);
    const text = (token) => token && evaluateText(token, scope);
    const shell = text(definition.shell) ?? text(frame.defaults.shell);
    const folder =
      text(definition.workingDirectory) ??
      text(frame.defaults["working-directory"]) ??
      "";
    const cwd = path.resolve(job.folders.workspace, folder);
    if (!existsSync(cwd)) throw new StepFailure(`No such folder: ${cwd}`);

    const base = path.join(job.folders.temp, `step-${this.number}`);
    const file = base + scriptExtension(shell);
    writeFileSync(file, script.endsWith("\n") ? script : `${script}\n`, {
      mode: 0o755,
    });
    this.script = script;
    const command = shellCommand(shell, file);
    this.command = command;
    const result = await this.runProcess(command, { cwd, stop });
    rmSync(file, { force: true });
    if (result.error)
      throw new StepFailure(`${command[0]}: ${result.error.message}`);
    if (stop.aborted) return;
    if (result.signal)
      throw new StepFailure(`Process was ended by ${result.signal}.`);
    if (result.status !== 0)
      throw new StepFailure(
        `Process completed with exit code ${result.status}.`,
      );
  }

  /** Run a command in the step's environment, and take what it leaves. */
  async runProcess(command, { cwd, stop, env = {} }) {
    const { job } = this;
    const folder = path.join(job.folders.temp, "_runner_file_commands");
    mkdirSync(folder, { recursive: true });
    const files = {};
    for (const name of FILES) {
      const file = path.join(folder, `${name.toLowerCase()}_${this.number}`);
      writeFileSync(file, "");
      files[`GITHUB_${name}`] = file;
    }
    const result = await runCommand(command, {
      cwd,
      env: {
        ...processEnvironment(this),
        ...env,
        ...files,
      },
      onLine: (line) => this.log(line),
      stop,
      graceMs: job.run.settings.graceMs,
    });
    this.#takeFiles(files);
    return result;
  }

  #takeFiles(files) {
    const { job } = this;
    const read = (name, use) => {
      const file = files[`GITHUB_${name}`];
      try {
        use(readFileSync(file, "utf8"));
      } catch (error) {
        this.fail(
          "Unable to process file command " +
            `'${name.toLowerCase()}' successfully: ${error.message}`,
        );
      }
      rmSync(file, { force: true });
    };
    read("OUTPUT", (text) =>
      Object.assign(this.outputs, parseAssignments(text)),
    );
    read("ENV", (text) => {
      const variables = parseAssignments(text);
      for (const name of FORBIDDEN)
        if (name in variables)
          throw new Error(`Can't store ${name} output parameter`);
      Object.assign(job.env, variables);
    });
    read("PATH", (text) => job.path.unshift(...parsePaths(text).reverse()));
    read("STEP_SUMMARY", (text) => this.addSummary(text));
  }

  /** What a script or an action adds to the step's summary. */
  addSummary(text) {
    if (!text) return;
    const whole = this.job.masks.hide(text);
    const size = Buffer.byteLength(this.summary + whole);
    if (size > MAX_SUMMARY) {
      this.annotate(
        "error",
        "$GITHUB_STEP_SUMMARY upload aborted, supports content up to a size " +
          `of ${MAX_SUMMARY / 1024}k, got ${Math.ceil(size / 1024)}k.`,
      );
      return;
    }
    this.summary += whole;
  }

  #conclude(outcome, forgiven) {
    const conclusion = outcome === "failure" && forgiven ? "success" : outcome;
    if (conclusion === "failure") this.frame.failed = true;
    this.#finish(outcome, conclusion);
  }

  #finish(outcome, conclusion) {
    this.outcome = outcome;
    this.conclusion = conclusion;
    this.ended = Date.now();
    const { id } = this.definition;
    if (id)
      this.frame.steps[id] = {
        outputs: this.outputs,
        outcome: this.outcome,
        conclusion: this.conclusion,
      };
    this.job.record(this, this.#lines);
  }
}
