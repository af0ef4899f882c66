// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * What is kept of a run: result.json and summary.md in its folder.
 *
 * result.json has conclusion, errors, workflow, event, run_name, inputs and
 * concurrency; jobs in the order in which they ended, each with its steps, and
 * these with those of a composite action; artifacts, attestations and caches;
 * and the summary.
 */

import { writeFileSync } from "node:fs";
import path from "node:path";

/** GitHub shows so many of a job's summaries. */
const MAX_SUMMARIES = 20;

function jobSummary(job) {
  return job.steps
    .map((step) => step.summary)
    .filter((text) => text)
    .slice(0, MAX_SUMMARIES)
    .join("\n");
}

function firstError(step) {
  return step.annotations.find(({ level }) => level === "error")?.message;
}

export class Result {
  /** @param say called with a line for each thing that happens. */
  constructor(folder, say) {
    this.#folder = folder;
    this.#say = say;
    this.jobs = [];
    this.artifacts = [];
    this.attestations = [];
    this.caches = [];
  }

  #folder;
  #say;
  #artifactNumber = 0;

  /** A Job that has ended. */
  addJob(job) {
    const failed = job.steps.find((step) => step.conclusion === "failure");
    const seconds = ((job.ended - job.started) / 1000).toFixed(1);
    const reason = failed ? `: ${failed.name}: ${firstError(failed)}` : "";
    this.#say(`${job.name}: ${job.conclusion} in ${seconds} s${reason}`);
    this.jobs.push({
      id: job.id,
      name: job.name,
      number: job.number,
      matrix: job.matrix,
      conclusion: job.conclusion,
      timed_out: job.timedOut,
      permissions: job.permissions,
      concurrency: job.concurrency,
      environment: job.environment,
      runs_on: job.runsOn,
      outputs: job.outputs,
      annotations: [
        ...job.steps.flatMap((step) => step.annotations),
        ...job.annotations,
      ],
      steps: job.steps,
      summary: jobSummary(job),
      artifacts: job.artifacts,
      log: job.logFile,
      workspace: job.folders.workspace,
      home: job.folders.home,
      started: job.started,
      ended: job.ended,
    });
  }

  /** A job that never got a machine: {id, name, matrix, conclusion, error}. */
  addUnstarted({ id, name, matrix = null, conclusion, error }) {
    this.#say(`${name}: ${conclusion}${error ? `: ${error}` : ""}`);
    this.jobs.push({
      id,
      name,
      matrix,
      conclusion,
      annotations: error ? [{ level: "error", message: error }] : [],
      steps: [],
      outputs: {},
      summary: "",
    });
  }

  /** Returns it with its id. One of the same name is forgotten. */
  addArtifact(artifact) {
    this.artifacts = this.artifacts.filter(
      ({ name }) => name !== artifact.name,
    );
    const added = { id: ++this.#artifactNumber, ...artifact };
    this.artifacts.push(added);
    return added;
  }

  /** Returns its number. */
  addAttestation(attestation) {
    this.attestations.push(attestation);
    return this.attestations.length;
  }

  addCache(record) {
    this.caches.push(record);
  }

  /** All jobs' summaries below each other, in the order of their start. */
  #summary() {
    return this.jobs
      .filter((job) => job.summary)
      .sort((a, b) => a.number - b.number)
      .map((job) => `## ${job.name} summary\n\n${job.summary}`)
      .join("\n\n");
  }

  /** Write the files; returns what is in result.json. */
  write(facts) {
    for (const error of facts.errors) this.#say(`error: ${error}`);
    const whole = {
      ...facts,
      jobs: this.jobs,
      artifacts: this.artifacts,
      attestations: this.attestations,
      caches: this.caches,
      summary: this.#summary(),
    };
    const file = (name) => path.join(this.#folder, name);
    writeFileSync(file("summary.md"), whole.summary);
    writeFileSync(file("result.json"), `${JSON.stringify(whole, null, 2)}\n`);
    return whole;
  }
}
