// SPDX-License-Identifier: LGPL-2.1-or-later
/** One run of a workflow, from an event to a result. */

import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync } from "node:fs";
import path from "node:path";

import { isKnownAction } from "./actions.mjs";
import { Call, allows, readInputs } from "./call.mjs";
import { evaluateText } from "./expressions.mjs";
import { Failure } from "./failure.mjs";
import { readWorkflow, splitReference } from "./workflow.mjs";

/** Events that start a run. */
const EVENTS = ["pull_request", "push", "schedule", "workflow_dispatch"];

export class Run {
  /**
   * @param scenario an object of
   *   workflow: its path in the tree
   *   tree: the repository's directory
   *   out: a directory for logs and artifacts
   *   home: the directory that is the home of all jobs
   *   event, inputs: what starts it
   *   github: properties of the github context
   *   token: {write, read}, by a job's permission for contents
   *   repositories: {"owner/name": tree}, for `uses` and checkouts
   *   environment: variables of the machine
   *   sigstore: "down"; unkept: a glob of artifacts that cannot be uploaded
   * @param say called with a line for each job that ends.
   */
  constructor(scenario, say) {
    this.scenario = scenario;
    this.say = say;
    this.jobs = [];
    this.artifacts = [];
    this.attestations = [];
    this.summary = "";
    const { tree, github } = scenario;
    const head = ["-C", tree, "rev-parse", "--verify", "HEAD^{commit}"];
    this.commit = execFileSync("git", head, { encoding: "utf8" }).trim();
    this.github = {
      repository: "octo/kernels",
      ref: "refs/heads/main",
      run_id: "1",
      run_attempt: "1",
      server_url: "https://github.com",
      api_url: "https://api.github.com",
      ...github,
      event_name: scenario.event,
      sha: this.commit,
    };
    this.repositories = {
      [this.github.repository]: tree,
      ...scenario.repositories,
    };
    this.knows = (uses) =>
      isKnownAction(uses) ||
      splitReference(uses).repository in this.repositories;
  }

  /** Keep what became of a job. */
  record(job) {
    this.say(`${job.name}: ${job.conclusion}`);
    this.jobs.push(job);
  }

  /** A job's token. */
  token(permissions) {
    const { write, read } = this.scenario.token;
    return allows(permissions, "contents", "write") ? write : read;
  }

  /** A reusable workflow, and what the job context says of its origin. */
  async reusable(uses) {
    const own = uses.startsWith("./");
    const { repository } = this.github;
    const reference = splitReference(
      own ? `${repository}/${uses.slice(2)}@${this.commit}` : uses,
    );
    const tree = this.repositories[reference.repository];
    const file = tree && path.join(tree, reference.path);
    if (!file || !existsSync(file))
      throw new Failure(`the workflow ${uses} is not known to rehearsals`);
    const workflow = await readWorkflow(file, reference.path, this.knows);
    if (!workflow.events.workflow_call)
      throw new Failure(`the workflow ${uses} cannot be called`);
    return { workflow, origin: reference };
  }

  /** All that is called, by `uses`, so that it is refused before anything runs. */
  async #readCalled(workflow, found) {
    for (const { uses } of workflow.jobs.filter((job) => job.uses)) {
      if (uses in found) continue;
      found[uses] = await this.reusable(uses);
      await this.#readCalled(found[uses].workflow, found);
    }
    return found;
  }

  /** Run everything; returns the result. */
  async execute() {
    let conclusion = "startup_failure";
    const errors = [];
    try {
      const call = await this.#start();
      const { runName, group } = call.workflow;
      if (runName) this.say(evaluateText(runName, call.scope()));
      if (group) this.say(`waits for: ${evaluateText(group, call.scope())}`);
      conclusion = await call.execute();
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      errors.push(...error.message.split("\n"));
    }
    const { jobs, artifacts, attestations, summary } = this;
    const lists = { errors, jobs, artifacts, attestations };
    return { conclusion, summary, ...lists };
  }

  async #start() {
    const { workflow: name, tree, event, inputs, out } = this.scenario;
    mkdirSync(out, { recursive: true });
    const file = path.join(tree, name);
    const workflow = await readWorkflow(file, name, this.knows);
    if (!EVENTS.includes(event) || !(event in workflow.events))
      throw new Failure(`${name}: the event '${event}' does not start it`);
    this.called = await this.#readCalled(workflow, {});
    const { repository } = this.github;
    const origin = { repository, commit: this.commit };
    const call = new Call(this, workflow, { origin, inputs: {}, prefix: "" });
    const defined = workflow.events[event].inputs;
    call.inputs = readInputs(defined, inputs ?? {}, call.scope());
    return call;
  }
}
