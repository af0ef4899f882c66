// SPDX-License-Identifier: LGPL-2.1-or-later
/** What the tests share: a repository from texts, and its runs. */

import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";

import { Run } from "../rehearsal.mjs";

export const WORKFLOW = ".github/workflows/test.yml";
export const CHECKOUT =
  "- {uses: actions/checkout@v7, with: {persist-credentials: false}}\n";

/** A repository of one commit, of files by name; returns its tree. */
function repository(test, files) {
  const tree = mkdtempSync(path.join(os.tmpdir(), "rehearsal-test."));
  test.after(() => rmSync(tree, { recursive: true, force: true }));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(path.dirname(path.join(tree, name)), { recursive: true });
    writeFileSync(path.join(tree, name), text);
  }
  const identity = ["-c", "user.name=t", "-c", "user.email=t@example.com"];
  for (const command of ["init -q", "add -A", "commit -q -m one"])
    execFileSync("git", ["-C", tree, ...identity, ...command.split(" ")]);
  return tree;
}

/** The result of a workflow, a text, with other files of its repository. */
export async function rehearse(test, text, scenario = {}, files = {}) {
  const tree = repository(test, { ...files, [WORKFLOW]: text });
  const defaults = {
    workflow: WORKFLOW,
    out: path.join(tree, ".git/out"),
    home: path.join(tree, ".git/home"),
    event: "push",
    token: { write: "write-token", read: "read-token" },
  };
  return new Run({ ...defaults, ...scenario, tree }, () => {}).execute();
}

/** A workflow of these jobs, a YAML mapping without indentation. */
export function jobs(text) {
  const indented = text.trim().replace(/^(?=.)/gm, "  ");
  return `on: push\ndefaults: {run: {shell: bash}}\njobs:\n${indented}\n`;
}

/** A workflow with one job of these steps, a YAML list without indentation. */
export function steps(text, more = "") {
  const list = text.trim().replace(/^(?=.)/gm, "    ");
  return jobs(`test:\n  runs-on: ubuntu-24.04\n  ${more}\n  steps:\n${list}`);
}

/** A job that runs a command, and with more keys. */
export function job(run, more = "env: {}") {
  return `{runs-on: ubuntu-24.04, ${more}, steps: [{run: ${run}}]}`;
}

/** Conclusions of jobs by their name. */
export function ends(list) {
  return Object.fromEntries(list.map(({ name, conclusion }) => [name, conclusion]));
}

/** Messages of errors. */
export function messages({ annotations }) {
  const errors = annotations.filter(({ level }) => level === "error");
  return errors.map(({ message }) => message);
}
