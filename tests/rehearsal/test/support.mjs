// SPDX-License-Identifier: LGPL-2.1-or-later
/** What the runner's own tests share: a repository from texts, and its runs. */

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";

import { Run } from "../rehearsal.mjs";

/** A pin, as the house's rules want one. */
export const PIN = `${"0123456789".repeat(4)} # v1.0.0`;

/** Start of a job, to be put before its steps. */
export const ON = "runs-on: ubuntu-24.04";

/**
 * A repository of files in a temporary folder that goes away with the test.
 * A value of files is a text; workflows are named without their folder.
 */
export class Repository {
  constructor(test, files = {}) {
    this.folder = mkdtempSync(path.join(os.tmpdir(), "rehearsal-test."));
    test.after(() => rmSync(this.folder, { recursive: true, force: true }));
    this.tree = path.join(this.folder, "tree");
    for (const [name, text] of Object.entries(files)) this.write(name, text);
    this.runs = 0;
    this.lines = [];
  }

  write(name, text) {
    const folder = /^[^/]*\.yml$/.test(name) ? ".github/workflows" : "";
    const file = path.join(this.tree, folder, name);
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, text);
  }

  /** A Run of a workflow, which is not started. */
  prepare(workflow, scenario = {}, options = {}) {
    const { settings, ...rest } = scenario;
    return new Run(
      path.join(this.tree, ".github/workflows", workflow),
      {
        tree: this.tree,
        out: path.join(this.folder, `out-${++this.runs}`),
        cache: path.join(this.folder, "cache"),
        parallel: 4,
        say: (line) => this.lines.push(line),
        ...options,
      },
      {
        event: "push",
        ...rest,
        settings: { graceMs: [200, 200], ...settings },
      },
    );
  }

  /** The result of a run. */
  async run(workflow, scenario, options) {
    return this.prepare(workflow, scenario, options).execute();
  }
}

/** The result of a workflow alone, which has to be a valid one. */
export async function rehearse(test, text, scenario, options) {
  const repository = new Repository(test, { "test.yml": text });
  const result = await repository.run("test.yml", scenario, options);
  if (result.errors.length) throw new Error(result.errors.join("\n"));
  return result;
}

/** What is said of a workflow that cannot start, as one text. */
export async function refusal(test, text, scenario) {
  const repository = new Repository(test, { "test.yml": text });
  const result = await repository.run("test.yml", scenario);
  if (result.conclusion !== "startup_failure" || result.jobs.length)
    throw new Error(`it started: ${result.conclusion}`);
  return result.errors.join("\n");
}

/** A workflow with one job of these steps, a YAML list without indentation. */
export function steps(text, job = "") {
  const indent = (lines, by) =>
    lines.trimEnd().replace(/^(?=.)/gm, " ".repeat(by));
  return `on: push
jobs:
  test:
    runs-on: ubuntu-24.04
${job && indent(job, 4)}
    steps:
${indent(text, 6)}
`;
}

/** The job of this id or name. */
export function job(result, name) {
  const found = result.jobs.filter(
    (each) => name === each.name || name === each.id,
  );
  if (found.length !== 1)
    throw new Error(
      `${found.length} jobs are ${name}: ${JSON.stringify(result, null, 1)}`,
    );
  return found[0];
}

/** Conclusions by name of job. */
export function conclusions(result) {
  return Object.fromEntries(
    result.jobs.map((each) => [each.name, each.conclusion]),
  );
}

/** Messages of a level. */
export function messages({ annotations }, level = "error") {
  return annotations
    .filter((each) => each.level === level)
    .map((each) => each.message);
}
