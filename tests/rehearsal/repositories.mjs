// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * The repositories that are known here, by name: the one of the workflow, and
 * others that a scenario gives folders for.
 */

import { existsSync } from "node:fs";
import path from "node:path";

import { commitOf } from "./git.mjs";
import { InvalidFile, readWorkflow } from "./workflow.mjs";

/** The parts of `owner/name/path@ref`. */
export function splitReference(uses) {
  const [name, ref] = uses.split("@");
  const parts = name.split("/");
  return {
    repository: parts.slice(0, 2).join("/"),
    path: parts.slice(2).join("/"),
    ref,
  };
}

/** The commit that a name means; zeros where there is no repository. */
export function commitOrZeros(folder, name) {
  try {
    return commitOf(folder, name);
  } catch {
    return "0".repeat(40);
  }
}

export class Repositories {
  /**
   * @param own name, tree, ref and commit of the workflow's repository.
   * @param others {name: folder}
   */
  constructor(own, others) {
    this.own = own;
    this.#others = others;
  }

  #others;
  #workflows = new Map();

  /** The folder of a repository, or undefined. */
  folder(name) {
    return name === this.own.name ? this.own.tree : this.#others[name];
  }

  /** The folder that `owner/name/path@ref` means, or undefined. */
  locate(uses) {
    const { repository, path: name } = splitReference(uses);
    const folder = this.folder(repository);
    return folder && path.join(folder, name);
  }

  /** A reusable workflow, read once. Throws InvalidFile. */
  async workflow(uses) {
    if (!this.#workflows.has(uses)) {
      const own = uses.startsWith("./");
      const file = own ? path.join(this.own.tree, uses) : this.locate(uses);
      if (!file || !existsSync(file))
        throw new InvalidFile([`${uses}: no such workflow is known here`]);
      const name = own ? uses.slice(2) : splitReference(uses).path;
      const workflow = await readWorkflow(file, name);
      if (!("workflow_call" in workflow.events))
        throw new InvalidFile([
          `${uses}: it cannot be called: no workflow_call`,
        ]);
      this.#workflows.set(uses, workflow);
    }
    return this.#workflows.get(uses);
  }

  /** What the job context says of the workflow that a job is in. */
  facts(uses, workflow) {
    const { name, ref, commit } = this.own;
    const whose =
      !uses || uses.startsWith("./")
        ? { repository: name, ref, sha: commit }
        : splitReference(uses);
    const { repository } = whose;
    return {
      workflow_repository: repository,
      workflow_file_path: workflow.path,
      workflow_ref: `${repository}/${workflow.path}@${whose.ref}`,
      workflow_sha:
        whose.sha ?? commitOrZeros(this.folder(repository), whose.ref),
    };
  }
}
