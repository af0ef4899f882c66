// SPDX-License-Identifier: LGPL-2.1-or-later
/** actions/checkout, of repositories that a scenario names. */

import { execFileSync } from "node:child_process";
import { mkdirSync } from "node:fs";

import { Failure } from "../failure.mjs";
import { resolvePath } from "../paths.mjs";

/** Make a directory a repository of one commit, from another on this machine. */
export function placeTree(source, target, commit) {
  mkdirSync(target, { recursive: true });
  const git = (...args) =>
    execFileSync("git", ["-C", target, ...args], {
      stdio: ["ignore", "ignore", "pipe"],
    });
  git("init", "-q");
  git("fetch", "-q", "--depth=1", source, commit);
  git("checkout", "-q", "--detach", "FETCH_HEAD");
}

export const checkout = {
  inputs: { repository: "", ref: "", path: ".", "persist-credentials": "true" },
  only: { "persist-credentials": "false" },
  run({ job }, inputs) {
    const { github, repositories, commit } = job.run;
    const repository = inputs.repository || github.repository;
    const source = repositories[repository];
    if (!source)
      throw new Failure(`the repository ${repository} is not known here`);
    const own = repository === github.repository;
    const ref = inputs.ref || (own ? commit : "HEAD");
    placeTree(source, resolvePath(job, inputs.path), ref);
  },
};
