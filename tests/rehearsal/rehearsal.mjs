// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * One run of a workflow, from an event to a result, and what its jobs share.
 */

import { randomUUID } from "node:crypto";
import { mkdirSync } from "node:fs";
import path from "node:path";

import { Call, readConcurrency } from "./call.mjs";
import { TemplateError, evaluateText } from "./expressions.mjs";
import { githubContext } from "./github_context.mjs";
import { callInputs, dispatchInputs } from "./inputs.mjs";
import { Machines } from "./machines.mjs";
import { allows } from "./permissions.mjs";
import { Repositories, commitOrZeros } from "./repositories.mjs";
import { Result } from "./result.mjs";
import { GRACE_MS } from "./shell.mjs";
import { startupErrors } from "./startup_check.mjs";
import { InvalidFile, readWorkflow } from "./workflow.mjs";

const MINUTE_MS = 60 * 1000;

/** Events that come with inputs, and how these are checked. */
const INPUTS = {
  workflow_dispatch: dispatchInputs,
  workflow_call: callInputs,
};

export class Run {
  /**
   * @param file the workflow, somewhere below tree.
   * @param options tree, out, cache, parallel, say(line).
   * @param scenario see command_line.mjs.
   */
  constructor(file, options, scenario) {
    const { tree, out, cache, parallel, say } = options;
    this.file = path.resolve(file);
    this.tree = path.resolve(tree);
    this.out = path.resolve(out);
    this.cacheFolder = path.resolve(cache ?? path.join(out, "cache"));
    this.artifactFolder = path.join(this.out, "artifacts");
    this.scenario = scenario;
    this.commit = scenario.github?.sha ?? commitOrZeros(this.tree, "HEAD");
    this.id = randomUUID();
    this.settings = {
      environment: {},
      vars: {},
      secrets: {},
      repositories: {},
      home: null,
      minuteMs: MINUTE_MS,
      graceMs: GRACE_MS,
      workingTree: !scenario.github?.sha,
      ...scenario.settings,
    };
    this.say = say;
    this.machines = new Machines(parallel);
    this.result = new Result(this.out, say);
  }

  #jobNumber = 0;

  nextJobNumber() {
    return ++this.#jobNumber;
  }

  /** A job's token: by its contents permission, or one for all. */
  token(job) {
    const { token } = this.settings;
    if (typeof token === "string") return token;
    if (!token) return `ghs_${this.id.replaceAll("-", "")}${job.number}`;
    const writes = allows(job.permissions, "contents", "write");
    return writes ? token.write : token.read;
  }

  /** End what runs, and start no more than what always runs. */
  cancel() {
    this.call?.cancel();
  }

  /** Run everything; returns the result, which is in files too. */
  async execute() {
    mkdirSync(this.artifactFolder, { recursive: true });
    const facts = { conclusion: "startup_failure", errors: [] };
    try {
      await this.#execute(facts);
    } catch (error) {
      if (!(error instanceof InvalidFile || error instanceof TemplateError))
        throw error;
      facts.errors = error.errors ?? [error.message];
    }
    return this.result.write(facts);
  }

  async #execute(facts) {
    const name = path.relative(this.tree, this.file);
    const workflow = await readWorkflow(this.file, name);
    facts.workflow = { name: workflow.name, path: name };
    facts.event = this.scenario.event;
    this.#checkEvent(workflow);
    this.github = githubContext(workflow, this.scenario, this.commit);
    this.#checkSchedule(workflow);
    this.repositories = new Repositories(
      {
        name: this.github.repository,
        tree: this.tree,
        ref: this.github.ref,
        commit: this.commit,
      },
      this.settings.repositories,
    );
    const errors = await startupErrors(workflow, this.repositories);
    if (errors.length) throw new InvalidFile(errors);

    const call = new Call(this, workflow, {
      inputs: this.#inputs(workflow),
      secrets: this.settings.secrets,
      permissions: undefined,
      prefix: "",
      rootName: workflow.name,
      workflowFacts: this.repositories.facts(null, workflow),
    });
    this.call = call;
    const scope = call.scope();
    const { runName, concurrency } = workflow;
    facts.run_name = runName ? evaluateText(runName, scope) : workflow.name;
    facts.inputs = call.inputs;
    facts.concurrency = readConcurrency(concurrency, scope);
    facts.conclusion = await call.execute();
  }

  #checkEvent({ path: name, events }) {
    const { event } = this.scenario;
    if (!(event in events))
      throw new InvalidFile([
        `${name}: the event '${event}' does not start it; these do: ` +
          Object.keys(events).join(", "),
      ]);
  }

  #checkSchedule({ path: name, events }) {
    const { schedule } = this.github.event;
    if (
      this.scenario.event === "schedule" &&
      !events.schedule.crons.includes(schedule)
    )
      throw new InvalidFile([`${name}: there is no schedule '${schedule}'`]);
  }

  #inputs(workflow) {
    const { event, inputs = {} } = this.scenario;
    const scope = {
      contexts: { github: this.github, inputs: {}, vars: this.settings.vars },
      functions: [],
    };
    const definitions = workflow.events[event].inputs ?? {};
    return INPUTS[event]?.(definitions, inputs, scope) ?? {};
  }
}
